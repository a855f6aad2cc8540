/** Who signed the checkpoint of a log, and who vouched for it. */
import { isProtocolError } from '../../protocol/fault.ts';
import { openCheckpoint, type OpenedCheckpoint } from '../../protocol/log/checkpoint.ts';
import { type Cosignature, verifyCosignature } from '../../protocol/log/cosignature.ts';
import { parseOrigin, witnessName } from '../../protocol/log/origin.ts';
import { COSIGNATURE, ED25519, makeVerifierKey, type VerifierKey } from '../../protocol/log/verifier-key.ts';
import { type Primitives, type Sha256 } from '../../protocol/primitives.ts';
import { type KeyRole, type TrustKey } from '../../protocol/trust/trust-state.ts';
import { keyIdOf } from '../../protocol/signature/key-id.ts';
import { type Cosigned } from '../../protocol/verdict/knowledge.ts';
import { type WitnessCount } from '../../protocol/verdict/verdict.ts';
import { type WitnessPolicy } from '../../protocol/verdict/witness-policy.ts';
import { type KeyBook } from './attest-key.ts';
import { type FaultList } from './audit-fault.ts';
import { type WitnessRegion } from './witness-region.ts';

/** A good cosignature by a key that was in force then. */
export interface AuditedCosignature {
  /** Absent of a witness that is no region. */
  readonly region?: string;
  /** The name of its key, of a witness that is no region. */
  readonly witness?: string;
  readonly timestampS: number;
}

export interface AuditedCheckpoint {
  /** Of each witness its newest word. */
  readonly cosignatures: readonly AuditedCosignature[];
  /** By the policy of the auditor, if there is one, whether enough of those whom it names vouch. */
  readonly witnesses?: WitnessCount;
}

export interface CheckpointCheckOptions {
  readonly origin: string;
  readonly note: Uint8Array;
  /** Keys of the region that signs the log. */
  readonly keys: KeyBook;
  /** The region itself and others, each once. */
  readonly witnesses: readonly WitnessRegion[];
  /** Whom the auditor goes by. */
  readonly policy?: WitnessPolicy | undefined;
  readonly nowS: number;
}

/** Of a witness that is no region no state names a key. */
interface WitnessKey {
  readonly region: string | undefined;
  readonly key: Pick<TrustKey, 'fromS' | 'untilS'>;
  readonly verifier: VerifierKey;
}

/** A clock may be so far ahead. Spec: SPEC.md 9. */
const FUTURE_S_MAX = 120;

/** Who vouches for the checkpoint. Whatever is wrong with the note goes to `faults`. */
export async function checkCheckpoint(
  options: CheckpointCheckOptions,
  primitives: Primitives,
  faults: FaultList,
): Promise<AuditedCheckpoint> {
  const { origin, note, keys, witnesses, policy, nowS } = options;
  const { sha256, verifySignature } = primitives;
  const own = uncompromised(keys, 'checkpoint').map(({ publicKey }) =>
    makeVerifierKey(sha256, { name: origin, algorithm: ED25519, publicKey }),
  );
  const known = [
    ...witnesses.flatMap((witness) => witnessKeys(witness, sha256)),
    ...(policy?.outside ?? []).map(outsideKey),
  ];
  let opened: OpenedCheckpoint;
  try {
    opened = openCheckpoint(note, [...own, ...known.map(({ verifier }) => verifier)], verifySignature);
  } catch (error) {
    if (!isProtocolError(error)) throw error;
    faults.add({ code: 'CHECKPOINT_INVALID', log: origin, message: error.message });
    return { cosignatures: [] };
  }
  const newest = new Map<string, AuditedCosignature>();
  const counting: Cosigned[] = [];
  for (const cosignature of [
    ...opened.cosignatures,
    ...(await published(options, opened, known, primitives)),
  ]) {
    const by = known.find(({ verifier }) => isBy(verifier, cosignature));
    if (by === undefined) continue;
    const { region, key } = by;
    const { timestampS } = cosignature;
    if (timestampS > nowS + FUTURE_S_MAX) {
      const whose = region === undefined ? `witness ${cosignature.name}` : `witness of ${region}`;
      const message = `the ${whose} vouches as of ${timestampS}, now is ${nowS}`;
      faults.add({ code: 'COSIGNATURE_FUTURE', log: origin, message });
    }
    const isInForce = key.fromS <= timestampS && timestampS < key.untilS;
    if (!isInForce) continue;
    const { name, publicKey } = by.verifier;
    if (timestampS <= nowS + FUTURE_S_MAX)
      counting.push({ region, keyId: keyIdOf(sha256, publicKey), timestampS });
    if (timestampS >= (newest.get(name)?.timestampS ?? 0))
      newest.set(name, { ...(region === undefined ? { witness: name } : { region }), timestampS });
  }
  const audited = parseOrigin(origin).region;
  const others = witnesses.map((one) => one.region).filter((one) => one !== audited);
  const counted = policy?.count(counting, (region) => others.includes(region)).witnesses;
  return { cosignatures: [...newest.values()], ...(counted && { witnesses: counted }) };
}

/** No window bounds it. */
function outsideKey(verifier: VerifierKey): WitnessKey {
  return { region: undefined, key: { fromS: 0, untilS: Infinity }, verifier };
}

/** Good cosignatures that the witnesses publish themselves. A bad line there speaks of nobody but them. */
async function published(
  { origin, witnesses }: CheckpointCheckOptions,
  { text }: OpenedCheckpoint,
  known: readonly WitnessKey[],
  { verifySignature }: Primitives,
): Promise<Cosignature[]> {
  const good: Cosignature[] = [];
  for (const { linesOn } of witnesses) {
    for (const line of (await linesOn?.(origin, text)) ?? []) {
      for (const { verifier } of known) {
        try {
          good.push(verifyCosignature(verifier, text, line, verifySignature));
        } catch (error) {
          if (!isProtocolError(error)) throw error;
        }
      }
    }
  }
  return good;
}

function isBy({ name, publicKey }: VerifierKey, cosignature: Cosignature): boolean {
  return name === cosignature.name && Buffer.compare(publicKey, cosignature.publicKey) === 0;
}

function witnessKeys({ region, network, keys }: WitnessRegion, sha256: Sha256): WitnessKey[] {
  const name = witnessName(region, network);
  return uncompromised(keys, 'witness').map((key) => ({
    region,
    key,
    verifier: makeVerifierKey(sha256, { name, algorithm: COSIGNATURE, publicKey: key.publicKey }),
  }));
}

function uncompromised(keys: KeyBook, role: KeyRole): TrustKey[] {
  return keys.withRole(role).filter(({ compromise }) => compromise === undefined);
}
