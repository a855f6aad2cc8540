import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { equalBytes } from '../../../protocol/bytes.ts';
import { type Evidence } from '../../../protocol/evidence/evidence.ts';
import { verifyEvidence } from '../../../protocol/evidence/verify-evidence.ts';
import { evidenceOfFault } from '../../../node/audit/fault-evidence.ts';
import { openAuditSource } from '../../../node/audit/open-source.ts';
import { audited, AuditedFixture, fillStore, HOUR, publish } from '../../support/audit-fixture.ts';
import { LOG_ID, testKey, trustModules } from '../../support/region-fixture.ts';
import { temporaryFolders } from '../../support/temporary.ts';

describe('evidenceOfFault', () => {
  const folder = temporaryFolders();

  /** Of each fault that an audit finds the code, and what is proven. */
  async function foundIn(fixture: AuditedFixture, directory: string): Promise<string[]> {
    const { faults } = await audited(directory, { faultsMax: 100 });
    const source = await openAuditSource(directory);
    const modules = { ...trustModules, stateOf: () => fixture.region.state };
    try {
      const found: string[] = [];
      for (const fault of faults)
        found.push(`${fault.code} ${proven(fixture, await evidenceOfFault(fault, source, modules))}`);
      return found;
    } finally {
      await source.close();
    }
  }

  function proven(fixture: AuditedFixture, evidence: Evidence | undefined): string {
    if (evidence === undefined) return 'nothing';
    const { region, fingerprint } = fixture.region;
    const knows = (of: string, root: Uint8Array) => of === region && equalBytes(root, fingerprint);
    const { kind, origin, at, words } = verifyEvidence(evidence, knows, trustModules);
    assert.deepEqual([origin, words], [fixture.origin, [[fixture.checkpointKey.keyId]]]);
    return `${kind} ${at}`;
  }

  function published(fixture: AuditedFixture): string {
    const directory = folder();
    publish(fixture, directory);
    return directory;
  }

  /** Index 260 is another's, 261 of another log, 262 none, 264 of an hour before. */
  function faulty(): AuditedFixture {
    const fixture = new AuditedFixture(260);
    fixture.attest({ index: 7 });
    fixture.attest({ log: `${LOG_ID}.1` });
    fixture.attestations.push(Buffer.from('no attestation'));
    fixture.attest({ hour: HOUR + 1 });
    fixture.attest({ hour: HOUR });
    return fixture;
  }

  const expected = [
    'INDEX_MISMATCH entry 260',
    'LOG_MISMATCH entry 261',
    'ATTESTATION_MALFORMED entry 262',
    'HOUR_MISMATCH hours 264',
  ];

  it('A9 A10 A11: what a region has logged out of order is proven, from its files and from a store', async () => {
    const fixture = faulty();
    assert.deepEqual(await foundIn(fixture, published(fixture)), expected);
    const directory = folder();
    await fillStore(fixture, directory);
    assert.deepEqual(await foundIn(fixture, directory), expected);
  });

  it('A11 across the border of two bundles', async () => {
    const fixture = new AuditedFixture(255);
    fixture.attest({ hour: HOUR + 1 });
    fixture.attest({ hour: HOUR });
    assert.deepEqual(await foundIn(fixture, published(fixture)), ['HOUR_MISMATCH hours 256']);
  });

  it('A27: hours that have not come, keys and signatures prove no contradiction', async () => {
    const fixture = new AuditedFixture(3);
    fixture.attest({}, testKey('nobody'));
    fixture.attest({}, { ...fixture.region.keys.attest, sign: testKey('forger').sign });
    fixture.attest({ hour: HOUR + 5 });
    const found = await foundIn(fixture, published(fixture));
    assert.deepEqual(found, ['KEY_UNKNOWN nothing', 'SIGNATURE_INVALID nothing', 'HOUR_MISMATCH nothing']);
  });

  it('A5 A6 A27: a damaged copy is no evidence against the region', async () => {
    const fixture = new AuditedFixture(20);
    const directory = published(fixture);
    const bundle = join(directory, `attest/${LOG_ID}/tile/entries/000.p/20`);
    const bytes = readFileSync(bundle);
    // The index within the third attestation.
    const at = bytes.indexOf(Buffer.from([0x45, 0, 0, 0, 0, 2])) + 5;
    bytes[at] = 9;
    writeFileSync(bundle, bytes);
    for (const found of await foundIn(fixture, directory)) assert.match(found, / nothing$/);
    assert.ok((await foundIn(fixture, directory)).some((found) => found.startsWith('INDEX_MISMATCH')));
  });

  it('A12 A27: nor is a log under a checkpoint that the region never signed', async () => {
    const fixture = faulty();
    fixture.checkpointKey = testKey('thief');
    for (const found of await foundIn(fixture, published(fixture))) assert.match(found, / nothing$/);
  });
});
