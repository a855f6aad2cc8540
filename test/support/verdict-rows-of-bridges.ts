/** Rows of SPEC 11.1: a code that the platform CN-33 issued for one of ES, at a gate of DE that takes those of ES through it. */
import { type Original } from '../../protocol/code/original.ts';
import { foreignSignerOf } from '../../protocol/trust/announced-signer.ts';
import { BRIDGED_LIFE_S_MAX } from '../../protocol/limits.ts';
import { leafHash } from '../../protocol/log/merkle.ts';
import { type LoggedAdapter, type Recognition } from '../../protocol/trust/trust-state.ts';
import { type RegionKnowledge } from '../../protocol/verdict/knowledge.ts';
import { DAY_S, HOUR_S, keyNamed } from './code-fixture.ts';
import { sha256 } from './primitives.ts';
import { RevocationSet } from '../../protocol/revocation/revocation-set.ts';
import { type StubKey, type StubState } from './stub-state.ts';
import { cosigned, recognised, stubFingerprint, stubKnowledge } from './stub-trust.ts';
import {
  type Check,
  codeOf,
  HOME,
  ISSUED_AT_S,
  ISSUER as PLATFORM,
  type Known,
  LOG,
  NOW_S,
} from './verdict-fixture.ts';
import { aged, HOUR_START_S, type Row } from './verdict-rows.ts';

export const ORIGIN = 'ES';
const ORIGIN_KEY = keyNamed('ES attest');
const originalCode = codeOf({ region: ORIGIN, key: ORIGIN_KEY, index: 0, salting: 'original' });

export const ORIGINAL: Extract<Original, { log: string }> = {
  region: ORIGIN,
  log: LOG,
  index: 0,
  keyId: ORIGIN_KEY.keyId,
  leafHash: leafHash(sha256, originalCode.attestation),
};
const HASHES = [1, 2, 3].map((byte) => new Uint8Array(16).fill(byte));
export const FOREIGN: Original = { region: ORIGIN, hashes: HASHES };

/** A key of others, and an adapter that announces it. No curve has such a point: what is told of a key here is its name alone. */
const SIGNER = { kind: 'ec', curve: 'P-256', x: new Uint8Array(32).fill(1), y: new Uint8Array(32).fill(2) };
const OTHER_SIGNER = { ...SIGNER, y: new Uint8Array(32).fill(3) };
const ORIGINAL_ISSUED_AT_S = ISSUED_AT_S - DAY_S;

function announcement({
  key = SIGNER,
  format = 'hcert',
  fromS = 0,
  untilS = 1e12,
  window = {},
}: {
  key?: typeof SIGNER;
  format?: string;
  fromS?: number;
  untilS?: number;
  window?: { from?: number; until?: number };
} = {}): LoggedAdapter {
  const keys = [{ id: 'k', issuer: ORIGIN, key, ...window }];
  return { id: 'dcc', version: 1, fromS, untilS, data: { format, rules: 'hcert', facts: {}, keys } };
}

export function bridgedCode(original: Original, lifeS = DAY_S) {
  return codeOf({ status: { expiresAtS: ISSUED_AT_S + lifeS, original } });
}

type Recognised = Partial<Extract<Recognition, { standing: 'recognised' | 'suspended' }>>;

interface Bridge {
  /** What the home says of the origin; undefined for nothing. */
  readonly byHome?: Recognition | undefined;
  /** Of the platform. */
  readonly ofPlatform?: Recognised;
  /** What the platform says of the origin; undefined for nothing. */
  readonly byPlatform?: Recognition | undefined;
  readonly platformKnowledge?: Partial<RegionKnowledge>;
  readonly origin?: Partial<StubState>;
  readonly originKnowledge?: Partial<RegionKnowledge>;
  readonly without?: readonly string[];
}

/** What a gate of DE knows that takes codes of ES through the platform; each member replaces what is there when all is well. */
export function bridgeKnown(bridge: Bridge = {}): Known {
  const byHome = 'byHome' in bridge ? bridge.byHome : recognised(ORIGIN, { way: 'bridge', via: PLATFORM });
  const byPlatform = 'byPlatform' in bridge ? bridge.byPlatform : recognised(ORIGIN);
  return {
    home: {
      recognitions: [
        recognised(PLATFORM, bridge.ofPlatform),
        recognised('FR'),
        recognised('IT'),
        ...(byHome === undefined ? [] : [byHome]),
      ],
    },
    issuer: { recognitions: byPlatform === undefined ? [] : [byPlatform] },
    ...(bridge.platformKnowledge && { issuerKnowledge: bridge.platformKnowledge }),
    others: [
      stubKnowledge(
        { region: ORIGIN, keys: [{ key: ORIGIN_KEY, role: 'attest' }], logs: [LOG], ...bridge.origin },
        [HOME, PLATFORM, 'FR', 'IT', ORIGIN].map((region) => cosigned(region, NOW_S - 5)),
        bridge.originKnowledge,
      ),
    ],
    ...(bridge.without && { without: bridge.without }),
  };
}

export function bridged(bridge: Bridge = {}, original: Original = ORIGINAL, lifeS?: number): Check {
  return { text: bridgedCode(original, lifeS).text, known: bridgeKnown(bridge) };
}

/** A code of others, which the platform has checked by the origin's adapter. */
function ofOthers(bridge: Bridge = {}): Check {
  return bridged({ byPlatform: recognised(ORIGIN, { way: 'adapter' }), ...bridge }, FOREIGN);
}

/** The same, naming the key that signed it; what its region announces when all is well, and otherwise. */
function signedBy(
  adapters: readonly LoggedAdapter[] = [announcement()],
  bridge: Bridge = {},
  issuedAtS?: number,
) {
  const signed = { signer: foreignSignerOf(sha256, 'hcert', SIGNER), issuedAtS };
  const byPlatform = recognised(ORIGIN, { way: 'adapter' });
  return bridged({ byPlatform, origin: { adapters }, ...bridge }, { region: ORIGIN, hashes: HASHES, signed });
}

function issuedWithin(given: Parameters<typeof announcement>[0]): Check {
  return signedBy([announcement(given)], {}, ORIGINAL_ISSUED_AT_S);
}

const withdrawn: Recognition = { standing: 'withdrawn', region: ORIGIN, version: 2 };
const viaItself = { way: 'bridge', via: PLATFORM } as const;
const compromisedAt = (size: number, root = ORIGINAL.leafHash): Bridge => {
  const compromise = { version: 1, cutOffs: new Map([[LOG, { size, root }]]) };
  const key: StubKey = { key: ORIGIN_KEY, role: 'attest', compromise };
  return { origin: { keys: [key] } };
};
const proof = { log: LOG, index: 0, size: 1, leafHash: ORIGINAL.leafHash, path: [] };
const originAged = (ageS: number) => ({
  cosignatures: [
    ...[HOME, PLATFORM, 'FR', 'IT'].map((region) => cosigned(region, NOW_S - ageS)),
    cosigned(ORIGIN, NOW_S),
  ],
});
const youngPlatform = { platformKnowledge: aged(NOW_S - HOUR_START_S) };

export const ROWS_OF_BRIDGES: readonly Row[] = [
  { code: 'BRIDGED', when: 'a platform issued it for an attestation', given: bridged() },
  { code: 'BRIDGED', when: 'a platform issued it for a code of others', given: ofOthers() },
  {
    code: 'BRIDGED',
    when: 'the platform is recognised as that and nothing else',
    given: bridged({ ofPlatform: viaItself }),
  },
  {
    code: 'WAY_UNSUPPORTED',
    when: 'a platform that is nothing else shows a code of its own',
    given: { known: bridgeKnown({ ofPlatform: viaItself }) },
    neighbour: bridged({ ofPlatform: viaItself }),
  },
  {
    code: 'WAY_UNSUPPORTED',
    when: 'the origin is recognised directly, and not through a platform',
    given: bridged({ byHome: recognised(ORIGIN) }),
    neighbour: bridged(),
  },
  {
    code: 'NOT_RECOGNISED',
    when: 'T3: the platform alone recognises the origin',
    given: bridged({ byHome: undefined }),
    neighbour: bridged(),
  },
  {
    code: 'RECOGNITION_WITHDRAWN',
    when: 'the home has withdrawn the origin, which binds on every way',
    given: bridged({ byHome: withdrawn }),
    neighbour: bridged(),
  },
  {
    code: 'RECOGNITION_SUSPENDED',
    when: 'the home has suspended the origin',
    given: bridged({
      byHome: recognised(ORIGIN, { way: 'bridge', via: PLATFORM, standing: 'suspended' }),
    }),
    neighbour: bridged(),
  },
  {
    code: 'TRUST_MISSING',
    when: 'nothing is known of the origin',
    given: bridged({ without: [ORIGIN] }),
    neighbour: bridged(),
  },
  {
    code: 'KNOWLEDGE_STALE',
    when: 'the knowledge of the origin is a second too old',
    given: bridged({ originKnowledge: originAged(601) }),
    neighbour: bridged({ originKnowledge: originAged(600) }),
  },
  {
    code: 'BRIDGE_NOT_ALLOWED',
    when: 'the home takes codes of the origin through another platform',
    given: bridged({ byHome: recognised(ORIGIN, { way: 'bridge', via: 'FR' }) }),
    neighbour: bridged(),
  },
  {
    code: 'BRIDGE_NOT_ALLOWED',
    when: 'T3: the platform itself comes through another one',
    given: bridged({ ofPlatform: { way: 'bridge', via: 'FR' } }),
    neighbour: bridged({ ofPlatform: viaItself }),
  },
  {
    code: 'BRIDGE_UNFOUNDED',
    when: 'the platform says nothing of the origin',
    given: bridged({ byPlatform: undefined }),
    neighbour: bridged(),
  },
  {
    code: 'BRIDGE_UNFOUNDED',
    when: 'T3: the platform has the origin through another platform',
    given: bridged({ byPlatform: recognised(ORIGIN, { way: 'bridge', via: 'FR' }) }),
    neighbour: bridged({ byPlatform: recognised(ORIGIN, { way: 'hosted' }) }),
  },
  {
    code: 'BRIDGE_UNFOUNDED',
    when: 'the platform has withdrawn the origin',
    given: bridged({ byPlatform: withdrawn }),
    neighbour: bridged(),
  },
  {
    code: 'BRIDGE_UNFOUNDED',
    when: 'the platform has suspended the origin',
    given: bridged({ byPlatform: recognised(ORIGIN, { standing: 'suspended' }) }),
    neighbour: bridged(),
  },
  {
    code: 'BRIDGE_UNFOUNDED',
    when: "the platform's recognition of the origin ends now",
    given: bridged({ byPlatform: recognised(ORIGIN, { untilS: NOW_S }) }),
    neighbour: bridged({ byPlatform: recognised(ORIGIN, { untilS: NOW_S + 1 }) }),
  },
  {
    code: 'BRIDGE_UNFOUNDED',
    when: 'the platform means another region by that name',
    given: bridged({ byPlatform: recognised(ORIGIN, { fingerprint: stubFingerprint('other') }) }),
    neighbour: bridged(),
  },
  {
    code: 'BRIDGE_UNFOUNDED',
    when: 'the platform has no adapter of the origin for a code of others',
    given: bridged({}, FOREIGN),
    neighbour: ofOthers(),
  },
  {
    code: 'BRIDGE_UNFOUNDED',
    when: 'the platform has the origin by adapter alone, and names an attestation',
    given: bridged({ byPlatform: recognised(ORIGIN, { way: 'adapter' }) }),
    neighbour: bridged(),
  },
  {
    code: 'BRIDGE_UNFOUNDED',
    when: 'the origin never announced the key',
    given: bridged({}, { ...ORIGINAL, keyId: keyNamed('somebody').keyId }),
    neighbour: bridged(),
  },
  {
    code: 'BRIDGE_UNFOUNDED',
    when: 'the origin never announced the log',
    given: bridged({ origin: { logs: [] } }),
    neighbour: bridged(),
  },
  {
    code: 'BRIDGE_UNFOUNDED',
    when: 'the platform names itself',
    given: bridged({}, { ...ORIGINAL, region: PLATFORM }),
    neighbour: bridged(),
  },
  {
    code: 'KEY_NOT_YET_KNOWN',
    when: 'the platform may recognise the origin by now',
    given: bridged({ byPlatform: undefined, ...youngPlatform }),
    neighbour: bridged(),
  },
  {
    code: 'BRIDGE_UNFOUNDED',
    when: 'the origin has taken back the key of the code of others',
    given: signedBy([{ ...announcement(), data: {} }]),
    neighbour: signedBy(),
  },
  {
    code: 'BRIDGE_UNFOUNDED',
    when: 'the origin announces another key in its place',
    given: signedBy([announcement({ key: OTHER_SIGNER })]),
    neighbour: signedBy([announcement({ key: OTHER_SIGNER }), announcement()]),
  },
  {
    code: 'BRIDGE_UNFOUNDED',
    when: 'the origin announces the key for codes of another format alone',
    given: signedBy([announcement({ format: 'vdsnc' })]),
    neighbour: signedBy(),
  },
  {
    code: 'BRIDGE_UNFOUNDED',
    when: 'the key of the code of others ends a second before that was issued',
    given: issuedWithin({ window: { until: ORIGINAL_ISSUED_AT_S - 1 } }),
    neighbour: issuedWithin({ window: { until: ORIGINAL_ISSUED_AT_S } }),
  },
  {
    code: 'BRIDGE_UNFOUNDED',
    when: 'the key of the code of others begins a second after that was issued',
    given: issuedWithin({ window: { from: ORIGINAL_ISSUED_AT_S + 1 } }),
    neighbour: issuedWithin({ window: { from: ORIGINAL_ISSUED_AT_S } }),
  },
  {
    code: 'BRIDGE_UNFOUNDED',
    when: 'the adapter ends with the second in which the code of others was issued',
    given: issuedWithin({ untilS: ORIGINAL_ISSUED_AT_S }),
    neighbour: issuedWithin({ untilS: ORIGINAL_ISSUED_AT_S + 1 }),
  },
  {
    code: 'BRIDGE_UNFOUNDED',
    when: 'the adapter begins a second after the code of others was issued',
    given: issuedWithin({ fromS: ORIGINAL_ISSUED_AT_S + 1 }),
    neighbour: issuedWithin({ fromS: ORIGINAL_ISSUED_AT_S }),
  },
  {
    code: 'BRIDGE_UNFOUNDED',
    when: 'the code of others does not say when it was issued, and its key has ended',
    given: signedBy([announcement({ window: { until: NOW_S - 1 } })]),
    neighbour: signedBy([announcement({ window: { until: NOW_S } })]),
  },
  {
    code: 'KEY_NOT_YET_KNOWN',
    when: 'the origin may announce the key by now',
    given: signedBy([], { originKnowledge: originAged(NOW_S - HOUR_START_S) }),
    neighbour: signedBy([announcement()], { originKnowledge: originAged(NOW_S - HOUR_START_S) }),
  },
  {
    code: 'ORIGINAL_REVOKED',
    when: 'the origin has revoked the attestation',
    given: bridged({ origin: { revoked: { [LOG]: [0] } } }),
    neighbour: bridged({ origin: { revoked: { [LOG]: [1] } } }),
  },
  {
    code: 'ORIGINAL_REVOKED',
    when: 'it did so in a log that nobody has witnessed yet',
    given: bridged({ originKnowledge: { revokedBeside: new Map([[LOG, RevocationSet.of([0])]]) } }),
    neighbour: bridged({ originKnowledge: { revokedBeside: new Map([[LOG, RevocationSet.of([1])]]) } }),
  },
  ...HASHES.map((hash, i) => ({
    code: 'ORIGINAL_REVOKED' as const,
    when: `the origin has revoked the code of others by hash ${i}`,
    given: ofOthers({ origin: { foreignRevocations: [{ hashes: [hash], untilS: 1e12 }] } }),
    neighbour: ofOthers({
      origin: { foreignRevocations: [{ hashes: [hash.map((byte) => byte + 9)], untilS: 1e12 }] },
    }),
  })),
  {
    code: 'BEYOND_CUT_OFF',
    when: 'the key of the original was stolen before',
    given: bridged(compromisedAt(0)),
    neighbour: { ...bridged(compromisedAt(1)), context: { proofs: [proof] } },
  },
  {
    code: 'PROOF_NEEDED',
    when: 'the key of the original was stolen, and nothing shows the original',
    given: bridged(compromisedAt(1)),
    neighbour: { ...bridged(compromisedAt(1)), context: { proofs: [proof] } },
  },
  {
    code: 'LEAF_MISMATCH',
    when: 'the key of the original was stolen, and its log holds another code there',
    given: {
      ...bridged(compromisedAt(1), { ...ORIGINAL, leafHash: new Uint8Array(32) }),
      context: { proofs: [proof] },
    },
    neighbour: { ...bridged(compromisedAt(1)), context: { proofs: [proof] } },
  },
  {
    code: 'LIFE_TOO_LONG',
    when: 'a bridged code expires a second more than a day after its hour',
    given: bridged({}, ORIGINAL, HOUR_START_S + HOUR_S + BRIDGED_LIFE_S_MAX + 1 - ISSUED_AT_S),
    neighbour: bridged({}, ORIGINAL, HOUR_START_S + HOUR_S + BRIDGED_LIFE_S_MAX - ISSUED_AT_S),
  },
];
