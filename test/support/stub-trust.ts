/** Trust states and knowledge made of literals, for tests of the verdict that need no log behind them. */
import { asciiBytes } from '../../protocol/bytes.ts';
import { RevocationSet } from '../../protocol/revocation/revocation-set.ts';
import {
  type Compromise,
  type KeyRole,
  type Recognition,
  type TrustKey,
  type TrustState,
} from '../../protocol/trust/trust-state.ts';
import { type Cosigned, type RegionKnowledge } from '../../protocol/verdict/knowledge.ts';
import { type FixtureKey, keyNamed, NETWORK } from './code-fixture.ts';
import { sha256 } from './primitives.ts';

export interface StubKey {
  readonly key: FixtureKey;
  readonly role: KeyRole;
  readonly fromS?: number;
  readonly untilS?: number;
  readonly compromise?: Compromise;
}

export interface StubState {
  readonly region: string;
  readonly network?: string;
  readonly keys?: readonly StubKey[];
  readonly recognitions?: readonly Recognition[];
  readonly logs?: readonly string[];
  readonly revoked?: Readonly<Record<string, readonly number[]>>;
  readonly fingerprint?: Uint8Array;
}

/** Windows are without end where none is given. */
export function stubState(options: StubState): TrustState {
  const { region, network = NETWORK, keys = [], recognitions = [], logs = [], revoked = {} } = options;
  const trustKeys: TrustKey[] = keys.map(({ key, role, fromS = 0, untilS = 1e12, compromise }) => ({
    keyId: key.keyId,
    publicKey: key.publicKey,
    role,
    fromS,
    untilS,
    ...(compromise && { compromise }),
  }));
  const byId = new Map(trustKeys.map((key) => [key.keyId, key]));
  const byRegion = new Map(recognitions.map((recognition) => [recognition.region, recognition]));
  const announced = new Map(logs.map((log) => [log, { log, minimum: 0 }]));
  const sets = new Map(Object.entries(revoked).map(([log, indexes]) => [log, RevocationSet.of(indexes)]));
  return {
    region,
    network,
    size: 7,
    fingerprint: options.fingerprint ?? stubFingerprint(region),
    root: { version: 1, threshold: 1, keys: [], name: region },
    revocationsPerHour: 50_000,
    lastAtS: 0,
    key: (keyId) => byId.get(keyId),
    keysWithRole: (role) => trustKeys.filter((key) => key.role === role),
    recognition: (other) => byRegion.get(other),
    recognitions: () => byRegion.values(),
    log: (log) => announced.get(log),
    logs: () => announced.values(),
    revoked: (log) => sets.get(log),
    revocations: () => sets,
    rules: () => undefined,
    nodes: () => [],
  };
}

export function stubFingerprint(region: string): Uint8Array {
  return sha256(asciiBytes(`fingerprint of ${region}`));
}

export function recognised(
  region: string,
  changes: Partial<Extract<Recognition, { standing: 'recognised' | 'suspended' }>> = {},
): Recognition {
  return {
    standing: 'recognised',
    region,
    version: 1,
    fingerprint: stubFingerprint(region),
    way: 'direct',
    rules: null,
    fromS: 0,
    untilS: 1e12,
    ...changes,
  };
}

/** A cosignature by the key named `<region> witness` or another. */
export function cosigned(region: string, timestampS: number, keyName = `${region} witness`): Cosigned {
  return { region, keyId: keyNamed(keyName).keyId, timestampS };
}

/** Witness and checkpoint keys are there unless `keys` says otherwise. */
export function stubKnowledge(
  state: StubState,
  cosignatures: readonly Cosigned[],
  changes: Partial<RegionKnowledge> = {},
): RegionKnowledge {
  const { region } = state;
  const keys: StubKey[] = [
    { key: keyNamed(`${region} witness`), role: 'witness' },
    { key: keyNamed(`${region} checkpoint`), role: 'checkpoint' },
  ];
  return {
    state: stubState({ ...state, keys: [...keys, ...(state.keys ?? [])] }),
    checkpoint: { origin: `${region}.${NETWORK}/trust`, size: 7, root: sha256(asciiBytes(region)) },
    note: new Uint8Array(0),
    logKeyIds: [keyNamed(`${region} checkpoint`).keyId],
    cosignatures,
    standing: 'good',
    ...changes,
  };
}
