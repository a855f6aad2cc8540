/** Trust states made of literals, for tests that need no log behind them. Runs in a browser, too. */
import { RevocationSet } from '../../protocol/revocation/revocation-set.ts';
import {
  type Compromise,
  type ForeignRevocation,
  type KeyRole,
  type LoggedAdapter,
  type LoggedRules,
  type Recognition,
  type TrustKey,
  type TrustState,
} from '../../protocol/trust/trust-state.ts';

/** The network of the vectors. */
export const DEMO = 'demo';

export interface StubKey {
  readonly key: { readonly keyId: string; readonly publicKey: Uint8Array };
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
  readonly rules?: readonly LoggedRules[];
  readonly adapters?: readonly LoggedAdapter[];
  readonly foreignRevocations?: readonly ForeignRevocation[];
  readonly revoked?: Readonly<Record<string, readonly number[]>>;
  readonly fingerprint?: Uint8Array;
}

/** Windows are without end where none is given. */
export function stubState(options: StubState): TrustState {
  const { region, network = DEMO, keys = [], recognitions = [], logs = [], revoked = {} } = options;
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
    fingerprint: options.fingerprint,
    root: { version: 1, threshold: 1, keys: [], name: region },
    rootOf: (version) => (version === 1 ? { version, threshold: 1, keys: [], name: region } : undefined),
    isGivenUpSince: () => false,
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
    rules: (id) => options.rules?.find((rules) => rules.id === id),
    adapters: () => options.adapters ?? [],
    foreignRevocations: () => options.foreignRevocations ?? [],
    tally: () => undefined,
    nodes: () => [],
    allRules: () => [],
  };
}
