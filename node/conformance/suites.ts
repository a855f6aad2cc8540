/** The registry of suites: one line each, in the order in which they run. */
import { certlogicSuite } from './certlogic.ts';
import { dccRevocationSuite } from './dcc-revocation.ts';
import { ecdsaSuite } from './ecdsa.ts';
import { ed25519Suite } from './ed25519.ts';
import { hcertPngSuite } from './hcert-png.ts';
import { hcertSuite } from './hcert.ts';
import { merkleSuite } from './merkle.ts';
import { rulesSuite } from './rules.ts';
import { shcSuite } from './shc.ts';
import { statusListSuite } from './status-list.ts';
import { type Suite } from './suite.ts';
import { vdsncSuite } from './vdsnc.ts';

// prettier-ignore
export const SUITES: readonly Suite[] = [
  ed25519Suite,
  merkleSuite,
  ecdsaSuite,
  hcertSuite,
  hcertPngSuite,
  dccRevocationSuite,
  shcSuite,
  vdsncSuite,
  statusListSuite,
  certlogicSuite,
  rulesSuite,
];
