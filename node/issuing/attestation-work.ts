/**
 * The work of an attestation log: which index a person's attestation gets, among which others. The order of a batch is
 * random, and the attestation that takes the place of a revoked one is never alone, so that the log does not tell whose
 * colour changed.
 */
import { attestationMessage } from '../../protocol/code/attestation.ts';
import { paddingCommitment } from '../../protocol/code/padding.ts';
import { signAttestation } from '../../protocol/code/attestation-draft.ts';
import { AttestationTemplate, keyIdOfDraft } from '../../protocol/code/attestation-template.ts';
import { type Openings } from '../../protocol/code/openings.ts';
import { type Sha256, type VerifySignature } from '../../protocol/primitives.ts';
import { logMonth } from '../../protocol/trust/log-month.ts';
import { logError } from '../log/log-error.ts';
import { type BatchPlace, type LogWork, type PreparedBatch } from '../log/log-work.ts';
import { type KeyedSigner } from '../log/trust-log-work.ts';
import { NodeError } from '../node-error.ts';
import { type Change, type Random } from '../ports.ts';
import { type Place } from '../registry/place-cipher.ts';
import { type Registry } from '../registry/registry.ts';
import { type Ordered } from './forgotten-marks.ts';
import { handoverChange } from './handovers.ts';
import { shuffled } from './shuffle.ts';
import { type StagingGate } from './staging-gate.ts';

/** A status that is committed to and waits for its place. */
export interface CommittedStatus {
  readonly subject: string;
  /** See `IssueRequest`. */
  readonly ordered: Ordered;
  readonly openings: Openings;
  /** 32 bytes. */
  readonly commitment: Uint8Array;
  /** It takes the place of a revoked attestation. */
  readonly isReplacement: boolean;
  /** See `IssueRequest`. */
  readonly basis?: Uint8Array | undefined;
  /** See `RegistryEntry`. */
  readonly isManual: boolean;
  /** See `IssueRequest`. */
  readonly toHandOver: boolean;
  /** See `IssueRequest`. */
  readonly also: (place: Place) => readonly Change[];
}

/** Secret keys of the role attest. */
export interface AttestKeys {
  /** @throws {NodeError} KEY_NOT_IN_FORCE */
  inForce(atS: number): KeyedSigner;
  /** Also after its window, since a batch that was staged within it is finished with it. */
  withId(keyId: string): KeyedSigner | undefined;
}

export interface AttestationWorkOptions {
  readonly region: string;
  readonly network: string;
  /** The log's id. */
  readonly log: string;
}

export interface AttestationWorkModules {
  readonly sha256: Sha256;
  readonly verifySignature: VerifySignature;
  readonly random: Random;
  readonly keys: AttestKeys;
  readonly registry: Registry;
  readonly gate: Pick<StagingGate, 'refusalToStage'>;
  /** Told of the index of each attestation as it is signed, for progress. Must not throw. */
  readonly onSigned?: (index: number) => void;
}

interface SignedDraft {
  readonly key: KeyedSigner;
  readonly draft: Uint8Array;
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
  readonly index: number;
}

/** Leaves, of others or of nobody, among which replacements are hidden. Spec: DESIGN 4. */
export const REPLACEMENT_COMPANY = 31;

const HOUR_S = 3_600;
/** Every so many signatures one is verified: a key or a back end that signs wrongly does not get far. */
const VERIFIED_EVERY = 64;

export class AttestationWork implements LogWork<CommittedStatus> {
  readonly #options: AttestationWorkOptions;
  readonly #modules: AttestationWorkModules;

  constructor(options: AttestationWorkOptions, modules: AttestationWorkModules) {
    this.#options = options;
    this.#modules = modules;
  }

  /** Refuses who was forgotten since the order alone. @throws {NodeError} LOG_SEALED after the month of the log, CLOCK_BEHIND before it, KEY_NOT_IN_FORCE. */
  prepare(items: readonly CommittedStatus[], place: BatchPlace): PreparedBatch {
    requireWithinMonth(this.#options.log, place.atS);
    const { gate } = this.#modules;
    const refusals = items.map(({ subject, ordered }) => gate.refusalToStage(subject, ordered));
    const admitted = items.filter((_, i) => refusals[i] === undefined);
    const batch = admitted.length === 0 ? { drafts: [], places: [] } : this.#batchOf(admitted, place);
    const given = batch.places.values();
    return { ...batch, places: refusals.map((refusal) => refusal ?? (given.next().value as number)) };
  }

  #batchOf(items: readonly CommittedStatus[], { index, atS }: BatchPlace): PreparedBatch {
    const { region, network, log } = this.#options;
    const { sha256, random, keys, registry } = this.#modules;
    const hour = Math.floor(atS / HOUR_S);
    const template = new AttestationTemplate({ region, log, hour }, keys.inForce(atS).keyId, network);
    const order = shuffled(items.length + paddingFor(items), random);
    const places = new Array<number>(items.length);
    const drafts: Uint8Array[] = [];
    const entries: (CommittedStatus | undefined)[] = [];
    // The closest before it; of those that stand first the first behind them.
    let beside = items[order.find((number) => number < items.length) ?? 0]?.commitment;
    for (const number of order) {
      const item = items[number];
      const at = index + drafts.length;
      if (item !== undefined) places[number] = at;
      entries.push(item);
      // A commitment to nobody looks like any other.
      const nobodys = () => paddingCommitment(sha256, registry.paddingSecret({ log, index: at }, beside));
      beside = item?.commitment ?? beside;
      drafts.push(template.draft(at, item?.commitment ?? nobodys()));
    }
    const records = registry.changes({ log, index, hour, entries });
    items.forEach(({ also }, number) => records.push(...also({ log, index: places[number] ?? index })));
    const isToHandOver = items.some(({ toHandOver }) => toHandOver);
    const changes = isToHandOver ? [handoverChange({ log, index, count: drafts.length })] : [];
    return { drafts, places, records, changes };
  }

  /** @throws {NodeError} KEY_NOT_IN_FORCE if the key of the draft is gone, SIGNER_FAULTY. */
  finish(draft: Uint8Array, index: number): Uint8Array {
    const key = this.#keyOf(keyIdOfDraft(draft));
    const message = this.#messageOf(draft);
    return this.#signed({ key, draft, message, signature: key.sign(message), index });
  }

  /** As `KeyedSigner.signerOfMany`; undefined for drafts of several keys too. Throws and rejects as `finish`. */
  finishAll(drafts: readonly Uint8Array[], index: number): Promise<Uint8Array[]> | undefined {
    const [first] = drafts;
    const keyId = first && keyIdOfDraft(first);
    const key = keyId === undefined ? undefined : this.#keyOf(keyId);
    const signMany = key?.signerOfMany?.(drafts.length);
    if (key === undefined || signMany === undefined) return undefined;
    if (drafts.some((draft) => keyIdOfDraft(draft) !== keyId)) return undefined;
    const messages = drafts.map((draft) => this.#messageOf(draft));
    return signMany(messages).then((signatures) => {
      if (signatures.length !== drafts.length) throw new RangeError('expected a signature for each draft');
      return signatures.map((signature, i) => {
        const [draft, message] = [drafts[i] as Uint8Array, messages[i] as Uint8Array];
        return this.#signed({ key, draft, message, signature, index: index + i });
      });
    });
  }

  #keyOf(keyId: string): KeyedSigner {
    const key = this.#modules.keys.withId(keyId);
    if (key !== undefined) return key;
    const message = `a staged batch of ${this.#options.log} needs the attest key ${keyId}`;
    throw new NodeError('KEY_NOT_IN_FORCE', message, {
      retry: true,
      hint: 'Bring its key file back: the batch has to be finished as it was begun.',
    });
  }

  #messageOf(draft: Uint8Array): Uint8Array {
    const { region, network, log } = this.#options;
    return attestationMessage({ region, log, bytes: draft }, network);
  }

  #signed({ key, draft, message, signature, index }: SignedDraft): Uint8Array {
    const { verifySignature, onSigned } = this.#modules;
    const isVerified = index % VERIFIED_EVERY === 0;
    if (isVerified && !verifySignature({ publicKey: key.publicKey, message, signature })) {
      const { log } = this.#options;
      throw logError('SIGNER_FAULTY', `the signature on attestation ${index} of ${log} does not verify`);
    }
    onSigned?.(index);
    return signAttestation(draft, signature);
  }
}

/** How many leaves of nobody a batch needs. */
function paddingFor(items: readonly CommittedStatus[]): number {
  const others = items.filter(({ isReplacement }) => !isReplacement).length;
  return others === items.length ? 0 : Math.max(0, REPLACEMENT_COMPANY - others);
}

function requireWithinMonth(log: string, atS: number): void {
  const { fromS, untilS } = logMonth(log);
  if (atS >= untilS) throw logError('LOG_SEALED', `the month of ${log} is over`);
  if (atS < fromS) throw logError('CLOCK_BEHIND', `the month of ${log} has not begun`);
}
