/** Who signed the checkpoint of a log, and who vouched for it. */
import { isProtocolError } from '../../protocol/fault.ts';
import { openCheckpoint, type OpenedCheckpoint } from '../../protocol/log/checkpoint.ts';
import { type Cosignature, verifyCosignature } from '../../protocol/log/cosignature.ts';
import { witnessName } from '../../protocol/log/origin.ts';
import { COSIGNATURE, ED25519, makeVerifierKey, type VerifierKey } from '../../protocol/log/verifier-key.ts';
import { type Primitives, type Sha256 } from '../../protocol/primitives.ts';
import { type KeyRole, type TrustKey } from '../../protocol/trust/trust-state.ts';
import { type KeyBook } from './attest-key.ts';
import { type FaultList } from './audit-fault.ts';
import { type WitnessRegion } from './witness-region.ts';

/** A good cosignature by a key that was in force then. */
export interface AuditedCosignature {
  readonly region: string;
  readonly timestampS: number;
}

export interface CheckpointCheckOptions {
  readonly origin: string;
  readonly note: Uint8Array;
  /** Keys of the region that signs the log. */
  readonly keys: KeyBook;
  /** The region itself and others, each once. */
  readonly witnesses: readonly WitnessRegion[];
  readonly nowS: number;
}

interface WitnessKey {
  readonly region: string;
  readonly key: TrustKey;
  readonly verifier: VerifierKey;
}

/** A clock may be so far ahead. Spec: SPEC.md 9. */
const FUTURE_S_MAX = 120;

/** The regions that vouch for the checkpoint, each with its newest word. Whatever is wrong with the note goes to `faults`. */
export async function checkCheckpoint(
  options: CheckpointCheckOptions,
  primitives: Primitives,
  faults: FaultList,
): Promise<AuditedCosignature[]> {
  const { origin, note, keys, witnesses, nowS } = options;
  const { sha256, verifySignature } = primitives;
  const own = uncompromised(keys, 'checkpoint').map(({ publicKey }) =>
    makeVerifierKey(sha256, { name: origin, algorithm: ED25519, publicKey }),
  );
  const known = witnesses.flatMap((witness) => witnessKeys(witness, sha256));
  let opened: OpenedCheckpoint;
  try {
    opened = openCheckpoint(note, [...own, ...known.map(({ verifier }) => verifier)], verifySignature);
  } catch (error) {
    if (!isProtocolError(error)) throw error;
    faults.add({ code: 'CHECKPOINT_INVALID', log: origin, message: error.message });
    return [];
  }
  const newest = new Map<string, AuditedCosignature>();
  for (const cosignature of [
    ...opened.cosignatures,
    ...(await published(options, opened, known, primitives)),
  ]) {
    const by = known.find(({ verifier }) => isBy(verifier, cosignature));
    if (by === undefined) continue;
    const { region, key } = by;
    const { timestampS } = cosignature;
    if (timestampS > nowS + FUTURE_S_MAX) {
      const message = `the witness of ${region} vouches as of ${timestampS}, now is ${nowS}`;
      faults.add({ code: 'COSIGNATURE_FUTURE', log: origin, message });
    }
    const isInForce = key.fromS <= timestampS && timestampS < key.untilS;
    if (isInForce && timestampS >= (newest.get(region)?.timestampS ?? 0))
      newest.set(region, { region, timestampS });
  }
  return [...newest.values()];
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
