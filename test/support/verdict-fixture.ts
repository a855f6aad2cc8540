/** One check at a gate of DE of a code of CN-33 in which all is well, and how to change a single thing about it. */
import { type Recognition } from '../../protocol/trust/trust-state.ts';
import { type Cosigned, type RegionKnowledge, Trust } from '../../protocol/verdict/knowledge.ts';
import { type Verdict, type VerdictContext } from '../../protocol/verdict/verdict.ts';
import { verify } from '../../protocol/verdict/verify.ts';
import { opensslBackEnd } from '../../node/crypto/openssl.ts';
import {
  HOUR_S,
  type IssuedCode,
  issueCode,
  type IssueOptions,
  keyNamed,
  logAt,
  NETWORK,
} from './code-fixture.ts';
import { sha256 } from './primitives.ts';
import { type StubState } from './stub-state.ts';
import { cosigned, recognised, stubKnowledge } from './stub-trust.ts';

export const primitives = { sha256, verifySignature: opensslBackEnd.verifySignature };

/** 23 November 2026, twenty minutes past the hour. */
export const NOW_S = 1_795_436_400;
export const ISSUED_AT_S = NOW_S - 3 * HOUR_S;
export const HOME = 'DE';
export const ISSUER = 'CN-33';
export const LOG = logAt(ISSUED_AT_S);
export const ATTEST_KEY = keyNamed('CN-33 attest');
export const CONTEXT: VerdictContext = {
  place: { risk: 'low', kind: 'gate', gradeNeeded: 'static' },
  mode: 'online',
};

export function codeOf(changes: Partial<IssueOptions> = {}): IssuedCode {
  return issueCode({ region: ISSUER, key: ATTEST_KEY, index: 70_000, issuedAtS: ISSUED_AT_S, ...changes });
}

/** What the verifier knows; each member replaces what is there when all is well. */
export interface Known {
  readonly home?: Partial<StubState>;
  readonly issuer?: Partial<StubState>;
  /** Of the issuer by the home. */
  readonly recognition?: Recognition | undefined;
  readonly homeKnowledge?: Partial<RegionKnowledge>;
  readonly issuerKnowledge?: Partial<RegionKnowledge>;
  /** Of further regions. */
  readonly others?: readonly RegionKnowledge[];
  /** Regions of which the verifier holds nothing. */
  readonly without?: readonly string[];
}

/** All that is handed to the verifier, also what it will not use. Three regions vouch for each log, two are needed. */
export function knowledgeOf(known: Known = {}): RegionKnowledge[] {
  const others = ['FR', 'IT'];
  const vouched = (region: string, by: readonly string[]): Cosigned[] =>
    [region, ...by].map((witness) => cosigned(witness, NOW_S - 5));
  const recognition = 'recognition' in known ? known.recognition : recognised(ISSUER);
  const recognitions = others.map((region) => recognised(region));
  if (recognition !== undefined) recognitions.unshift(recognition);
  return [
    stubKnowledge(
      {
        region: HOME,
        recognitions,
        keys: [{ key: keyNamed('DE attest'), role: 'attest' }],
        logs: [LOG],
        ...known.home,
      },
      vouched(HOME, [ISSUER, ...others]),
      known.homeKnowledge,
    ),
    stubKnowledge(
      { region: ISSUER, keys: [{ key: ATTEST_KEY, role: 'attest' }], logs: [LOG], ...known.issuer },
      vouched(ISSUER, [HOME, ...others]),
      known.issuerKnowledge,
    ),
    ...others.map((region) => stubKnowledge({ region }, vouched(region, [HOME]))),
    ...(known.others ?? []),
  ].filter(({ state }) => !known.without?.includes(state.region));
}

export function trustOf(known: Known = {}): Trust {
  return new Trust({ home: HOME, network: NETWORK, regions: knowledgeOf(known) }, { sha256 });
}

export interface Check {
  readonly code?: Partial<IssueOptions>;
  readonly text?: string;
  readonly known?: Known;
  /** That of `known` without it. */
  readonly trust?: Trust;
  readonly context?: Partial<VerdictContext>;
  readonly nowS?: number;
}

export function verdictOf(check: Check = {}): Verdict {
  const { code, text = codeOf(code).text, trust = trustOf(check.known), context, nowS = NOW_S } = check;
  return verify(primitives, text, trust, { ...CONTEXT, ...context }, nowS);
}

export function codesOf({ reasons }: Verdict): string[] {
  return reasons.map(({ code }) => code);
}
