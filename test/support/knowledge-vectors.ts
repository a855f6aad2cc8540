/** What a verifier knows of a region as it stands in vectors: plain JSON, bytes in hexadecimal. Runs in a browser, too. */
import { hexBytes, hexOf } from '../../protocol/bytes.ts';
import { type CborValue, decodeCbor, encodeCbor } from '../../protocol/encoding/cbor.ts';
import { ENTRY_BYTES_MAX } from '../../protocol/limits.ts';
import { RevocationSet } from '../../protocol/revocation/revocation-set.ts';
import { foreignRevoked } from '../../protocol/trust/foreign-revoked.ts';
import { type KeyRole, type Recognition, type RecognitionWay } from '../../protocol/trust/trust-state.ts';
import { type RegionKnowledge } from '../../protocol/verdict/knowledge.ts';
import { DEMO, stubState } from './stub-state.ts';

type CutOffs = Record<string, { readonly size: number; readonly root: string }>;

export interface KeyVector {
  readonly publicKey: string;
  readonly role: KeyRole;
  readonly from: number;
  readonly until: number;
  /** Of the compromise, if there is one. */
  readonly cutoffs?: CutOffs;
}

export interface RecognitionVector {
  readonly standing: 'recognised' | 'suspended' | 'withdrawn';
  readonly fingerprint?: string;
  readonly way?: RecognitionWay;
  readonly via?: string;
  readonly rules?: string | null;
  readonly from?: number;
  readonly until?: number;
}

export interface KnowledgeVector {
  readonly region: string;
  readonly fingerprint: string;
  /** By key id. */
  readonly keys: Readonly<Record<string, KeyVector>>;
  /** By region. */
  readonly recognitions: Readonly<Record<string, RecognitionVector>>;
  readonly logs: readonly string[];
  readonly revoked: Readonly<Record<string, readonly number[]>>;
  readonly revokedBeside: Readonly<Record<string, readonly number[]>>;
  /** Hashes of codes of others that it has revoked; absent where there are none. */
  readonly foreignRevoked?: readonly string[];
  /** What it announces of codes of others, data as CBOR in hexadecimal; absent where there is nothing. */
  readonly adapters?: readonly { readonly from: number; readonly until: number; readonly data: string }[];
  /** Ids of the keys whose signature on the checkpoint is good. */
  readonly signedBy: readonly string[];
  /** Without a region those of witnesses that are none. */
  readonly cosignatures: readonly (readonly [region: string | null, keyId: string, timestamp: number])[];
  /** Of the region's own keys, on earlier checkpoints; absent where there are none. */
  readonly ownBefore?: readonly (readonly [keyId: string, timestamp: number])[];
  readonly standing: RegionKnowledge['standing'];
}

const ROLES: readonly KeyRole[] = ['attest', 'checkpoint', 'trust-log', 'witness'];

export function knowledgeVector(knowledge: RegionKnowledge): KnowledgeVector {
  const { state, revokedBeside, logKeyIds, cosignatures, ownBefore, standing } = knowledge;
  const keys = ROLES.flatMap((role) => [...state.keysWithRole(role)]);
  const foreign = [...foreignRevoked(state)];
  const adapters = [...state.adapters()];
  return {
    region: state.region,
    fingerprint: hexOf(state.fingerprint ?? new Uint8Array(0)),
    keys: Object.fromEntries(
      keys.map(({ keyId, publicKey, role, fromS, untilS, compromise }) => [
        keyId,
        {
          publicKey: hexOf(publicKey),
          role,
          from: fromS,
          until: untilS,
          ...(compromise && {
            cutoffs: Object.fromEntries(
              [...compromise.cutOffs].map(([log, { size, root }]) => [log, { size, root: hexOf(root) }]),
            ),
          }),
        },
      ]),
    ),
    recognitions: Object.fromEntries(
      [...state.recognitions()].map((one) => [one.region, recognitionVector(one)]),
    ),
    logs: [...state.logs()].map(({ log }) => log),
    revoked: indexesByLog(state.revocations()),
    revokedBeside: indexesByLog(revokedBeside ?? []),
    ...(foreign.length > 0 && { foreignRevoked: foreign }),
    ...(adapters.length > 0 && {
      adapters: adapters.map(({ fromS, untilS, data }) => ({
        from: fromS,
        until: untilS,
        data: hexOf(encodeCbor(data)),
      })),
    }),
    signedBy: logKeyIds,
    cosignatures: cosignatures.map(({ region = null, keyId, timestampS }) => [region, keyId, timestampS]),
    ...(ownBefore && { ownBefore: ownBefore.map(({ keyId, timestampS }) => [keyId, timestampS] as const) }),
    standing,
  };
}

function recognitionVector(recognition: Recognition): RecognitionVector {
  if (recognition.standing === 'withdrawn') return { standing: 'withdrawn' };
  const { standing, fingerprint, way, via, rules, fromS: from, untilS: until } = recognition;
  return {
    standing,
    fingerprint: hexOf(fingerprint),
    way,
    ...(via !== undefined && { via }),
    rules,
    from,
    until,
  };
}

function indexesByLog(sets: Iterable<readonly [string, RevocationSet]>): Record<string, number[]> {
  return Object.fromEntries([...sets].map(([log, set]) => [log, [...set]]));
}

/** The reverse of `knowledgeVector`. */
export function knowledgeOfVector(vector: KnowledgeVector): RegionKnowledge {
  const { region, cosignatures, ownBefore, signedBy, standing } = vector;
  const keys = Object.entries(vector.keys).map(([keyId, { publicKey, role, from, until, cutoffs }]) => ({
    key: { keyId, publicKey: hexBytes(publicKey) },
    role,
    fromS: from,
    untilS: until,
    ...(cutoffs && {
      compromise: {
        version: 1,
        cutOffs: new Map(
          Object.entries(cutoffs).map(([log, { size, root }]) => [log, { size, root: hexBytes(root) }]),
        ),
      },
    }),
  }));
  const state = stubState({
    region,
    keys,
    recognitions: Object.entries(vector.recognitions).map(([other, one]) => recognitionOf(other, one)),
    logs: vector.logs,
    revoked: vector.revoked,
    foreignRevocations: [{ hashes: (vector.foreignRevoked ?? []).map(hexBytes), untilS: 1e12 }],
    adapters: (vector.adapters ?? []).map(({ from, until, data }, i) => ({
      id: `a${i}`,
      version: 1,
      fromS: from,
      untilS: until,
      data: decodeCbor(hexBytes(data), { bytesMax: ENTRY_BYTES_MAX }) as Record<string, CborValue>,
    })),
    fingerprint: hexBytes(vector.fingerprint),
  });
  const revokedBeside = new Map(
    Object.entries(vector.revokedBeside).map(([log, indexes]) => [log, RevocationSet.of(indexes)]),
  );
  return {
    state,
    checkpoint: { origin: `${region}.${DEMO}/trust`, size: state.size, root: new Uint8Array(32) },
    note: new Uint8Array(0),
    logKeyIds: signedBy,
    cosignatures: cosignatures.map(([by, keyId, timestampS]) => ({
      region: by ?? undefined,
      keyId,
      timestampS,
    })),
    ownBefore: ownBefore?.map(([keyId, timestampS]) => ({ region, keyId, timestampS })),
    standing,
    revokedBeside,
  };
}

function recognitionOf(region: string, vector: RecognitionVector): Recognition {
  const { standing, fingerprint = '', way = 'direct', via, rules = null, from = 0, until = 0 } = vector;
  if (standing === 'withdrawn') return { standing, region, version: 1 };
  return {
    standing,
    region,
    version: 1,
    fingerprint: hexBytes(fingerprint),
    way,
    ...(via !== undefined && { via }),
    rules,
    fromS: from,
    untilS: until,
  };
}
