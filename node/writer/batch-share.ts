/**
 * Keeps the standby of a region fit to take over: what the writer stages for a batch, the sealed rows of the registry with it, goes there
 * before anything of the batch is permitted. So whatever may have been signed can be finished there. A standby that does not answer
 * keeps nobody from writing, nor does one that takes nothing, but that is told. What the region as a witness has promised the writers of others
 * goes there too, and whom it is to forget (forgotten-share.ts). Spec: SPEC.md 14.5.6.
 */
import { z } from 'zod';
import { asciiBytes, concatBytes, equalBytes } from '../../protocol/bytes.ts';
import { decodeCbor, encodeCbor } from '../../protocol/encoding/cbor.ts';
import { bytesForm, countForm } from '../../protocol/evidence/proof-form.ts';
import { isProtocolError, ProtocolError } from '../../protocol/fault.ts';
import { parseOrigin, trustLogOrigin } from '../../protocol/log/origin.ts';
import { LogKeys } from '../log/log-keys.ts';
import { isNodeError, NodeError } from '../node-error.ts';
import { type Change, type Clock, type Network } from '../ports.ts';
import { FORGOTTEN, type ForgetOrder, ORDER_BYTES } from '../registry/forgotten-rows.ts';
import { isPointerName } from '../registry/pointers.ts';
import { ORIGIN_CHARS_MAX } from '../sync/messages.ts';
import { type StoreReader } from '../store/reader.ts';
import { REVOKED_IN_HOUR } from '../revoking/hour-budget.ts';
import { type SyncClient } from '../sync/sync-client.ts';
import { type Turns } from '../turns.ts';
import { sharedUnder } from './writer-memory.ts';

export const STANDBY_PROTOCOL = '/entente/standby/1.0.0';
export const SHARE_BYTES_MAX = 1_048_576;
export const SHARE_ANSWER_BYTES_MAX = 64;
/** See `ShareServerModules.turns`. */
export const SHARE_TURN = 'share';

export const KEPT = asciiBytes('kept\n');
/** Of what is to be forgotten, where something of it is damaged. */
export const FAILED = asciiBytes('failed\n');
const REFUSED = asciiBytes('refused\n');
/** Bytes of a row besides its key and value, and of a share besides its rows. */
const ROW_BYTES = 16;
const HEAD_BYTES = 128;
const KEY_CHARS_MAX = 256;
/** Milliseconds for which a standby that did not answer is left alone: it would slow every batch down. */
const AWAY_MS = 10_000;

const ROWS_MAX = 65_536;

const schema = z.strictObject({
  origin: z.string().max(ORIGIN_CHARS_MAX),
  index: countForm,
  rows: z.array(z.tuple([z.string().max(KEY_CHARS_MAX), bytesForm])).max(ROWS_MAX),
});
/** A part of what a writer stages for a batch of `origin` that begins at `index`. */
export type Share = z.infer<typeof schema>;

/** A batch, and all that is made durable with it. */
export interface SharedBatch {
  readonly origin: string;
  readonly index: number;
  readonly changes: readonly Change[];
}

export interface BatchShareModules {
  readonly client: Pick<SyncClient, 'peers' | 'request'>;
  readonly clock: Clock;
  /** Whether a peer is another machine of the own region. */
  readonly isOwn: (peer: string) => boolean;
  /** Told once of a peer that takes nothing, until it does again. Must not throw. */
  readonly onTrouble?: ((error: unknown) => void) | undefined;
}

/** The writer's side. */
export class BatchShare {
  readonly #modules: BatchShareModules;
  readonly #awayUntilMs = new Map<string, number>();
  readonly #refusing = new Set<string>();

  constructor(modules: BatchShareModules) {
    this.#modules = modules;
  }

  /** Resolves once every standby that answers has made this durable, in this order; never rejects for one that does not. */
  async give(batch: SharedBatch): Promise<void> {
    const { client, clock, isOwn } = this.#modules;
    const peers = client
      .peers()
      .filter((peer) => isOwn(peer) && clock.runMs() >= (this.#awayUntilMs.get(peer) ?? 0));
    if (peers.length === 0) return;
    const shares = sharesOf(batch);
    await Promise.all(
      peers.map(async (peer) => {
        try {
          this.#heed(peer, batch, await this.#isTaken(peer, shares));
          this.#awayUntilMs.delete(peer);
        } catch (error) {
          if (!isNodeError(error) && !isProtocolError(error)) throw error;
          this.#awayUntilMs.set(peer, clock.runMs() + AWAY_MS);
        }
      }),
    );
  }

  /** Whether all was kept. Who refuses what follows had another batch there, has given that up, and is given all of it once more. */
  async #isTaken(peer: string, shares: readonly Uint8Array[]): Promise<boolean> {
    const kept = await this.#keptOf(peer, shares);
    const again = kept > 0 && kept < shares.length ? await this.#keptOf(peer, shares) : kept;
    return again === shares.length;
  }

  /** How many were kept; behind the first that was not, nothing would be of use. */
  async #keptOf(peer: string, shares: readonly Uint8Array[]): Promise<number> {
    for (const [i, share] of shares.entries())
      if (!equalBytes(await this.#modules.client.request(peer, STANDBY_PROTOCOL, share), KEPT)) return i;
    return shares.length;
  }

  #heed(peer: string, { origin, index }: SharedBatch, isKept: boolean): void {
    if (isKept) this.#refusing.delete(peer);
    if (isKept || this.#refusing.has(peer)) return;
    this.#refusing.add(peer);
    const message = `${peer} does not keep what is staged of ${origin} from entry ${index} on, and could not finish it`;
    const hint =
      'Start the other machine of this region as its standby, with the same version of the program.';
    this.#modules.onTrouble?.(new NodeError('REFUSED', message, { hint }));
  }
}

export interface ShareServerOptions {
  readonly region: string;
  readonly network: string;
}

export interface ShareServerModules {
  readonly network: Network;
  /** Of what another machine of the region gives, and of what is forgotten here that it may have given again: none is to bring a page back as it was. */
  readonly turns: Turns;
  readonly isOwn: (peer: string) => boolean;
  /** Whether this machine follows, and writes nothing itself. */
  readonly isStandby: () => boolean;
  /** Makes rows durable. Rejects as `Store.write`. */
  readonly keep: (changes: readonly Change[]) => Promise<void>;
  /** Whether a whole batch is staged at that place, and all of these rows are kept as they are. Rejects as the store. */
  readonly isHeld: (share: Share) => Promise<boolean>;
  /**
   * Keeps what the region has promised the writers of another, by the name of its trust log, and `under` which root (`sharedUnder`); false for what is no
   * record. Rejects as the store.
   */
  readonly keepRecord: (origin: string, record: Uint8Array, under: string) => Promise<boolean>;
  /**
   * Forgets an attestation by its name in the registry, and gives what shows that (`ForgottenRows.answerTo`); `failed` where something of it is damaged,
   * `refused` for what nobody with the registry's key has ordered. Rejects as the store.
   */
  readonly forget: (order: ForgetOrder) => Promise<Uint8Array | 'refused' | 'failed'>;
  /**
   * Gives up all that is staged here of a log from an index on, by what it gives to `write`: the writer stages something there, so none of it was permitted.
   * Where `write` writes nothing, all stays as it is. Rejects as `write` and the store.
   */
  readonly giveWay: (
    origin: string,
    index: number,
    write: (gone: readonly Change[]) => Promise<void>,
  ) => Promise<void>;
}

/** The side of the standby, and of whoever is told what to forget. */
export class ShareServer {
  readonly #options: ShareServerOptions;
  readonly #modules: ShareServerModules;
  /** Whose share came last, and of which batch, unless that is whole. */
  #batch = '';
  /** All of that batch that has come so far was here already. */
  #isRepeated = false;

  constructor(options: ShareServerOptions, modules: ShareServerModules) {
    this.#options = options;
    this.#modules = modules;
  }

  start(): void {
    this.#modules.network.handle(STANDBY_PROTOCOL, (peer, share) => this.answer(peer, share));
  }

  /** Takes rows of the registry and of batches on their way, and what is to be forgotten, from another machine of the region, and nothing else. */
  async answer(peer: string, bytes: Uint8Array): Promise<Uint8Array> {
    const { isOwn, isStandby, keepRecord, turns } = this.#modules;
    if (!isOwn(peer)) return REFUSED;
    const share = parseShare(bytes);
    const { origin, index, rows } = share;
    const forgotten = forgetOrderIn(share);
    if (forgotten !== undefined) return this.#forget(origin, forgotten);
    if (!isStandby()) return REFUSED;
    const [row, ...more] = rows;
    const under = row && more.length === 0 ? sharedUnder(origin, row[0]) : undefined;
    if (row !== undefined && under !== undefined)
      return this.#isOthersTrustLog(origin) && (await keepRecord(origin, row[1], under)) ? KEPT : REFUSED;
    if (!this.#isOwnLog(origin) || !rows.every(([key]) => isShared(origin, key))) return REFUSED;
    return turns.take(SHARE_TURN, () => this.#keep(peer, { origin, index, rows }));
  }

  async #forget(origin: string, order: ForgetOrder): Promise<Uint8Array> {
    const { region, network } = this.#options;
    if (origin !== trustLogOrigin(region, network)) return REFUSED;
    const { turns, forget } = this.#modules;
    const done = await turns.take(SHARE_TURN, () => forget(order));
    if (done === 'refused') return REFUSED;
    return done === 'failed' ? FAILED : concatBytes(KEPT, done);
  }

  async #keep(peer: string, { origin, index, rows }: Share): Promise<Uint8Array> {
    const { isStandby, giveWay, keep, isHeld } = this.#modules;
    const batch = `${peer} ${origin} ${index}`;
    const isNew = batch !== this.#batch;
    // What the hour has had goes with any batch, and is always the newest that the writer knows.
    const hour = rows.filter(([key]) => key === REVOKED_IN_HOUR);
    const own = rows.filter(([key]) => key !== REVOKED_IN_HOUR);
    const isRepeated = (isNew || this.#isRepeated) && (await isHeld({ origin, index, rows: own }));
    this.#batch = '';
    // Shared again by a writer that begins anew: what is here may have been permitted, and is not given up for a moment either.
    const isInstead = !isRepeated && (isNew || this.#isRepeated);
    // What was here of the rows before, was of another batch, and goes with it.
    const isLate = isInstead && !isNew;
    const kept = isLate ? [] : isRepeated ? hour : rows;
    const outcome = { isKept: false };
    // In one write: whoever dies here, or is to write itself by now, has what was there before, or what comes in its place.
    const write = async (gone: readonly Change[]) => {
      if (!isStandby()) return;
      const changes = [...gone, ...kept.map(([key, value]) => ({ put: key, value }))];
      if (changes.length > 0) await keep(changes);
      outcome.isKept = !isLate;
    };
    await (isInstead ? giveWay(origin, index, write) : write([]));
    if (!outcome.isKept) return REFUSED;
    this.#isRepeated = isRepeated;
    this.#batch = isWhole(origin, rows) ? '' : batch;
    return KEPT;
  }

  #isOthersTrustLog(origin: string): boolean {
    const { region, network } = this.#options;
    const parsed = parseOrigin(origin);
    return parsed.kind === 'trust' && parsed.region !== region && parsed.network === network;
  }

  #isOwnLog(origin: string): boolean {
    const { region, network } = this.#options;
    const parsed = parseOrigin(origin);
    return parsed.kind !== 'witness' && parsed.region === region && parsed.network === network;
  }
}

/** @throws {ProtocolError} TOO_LARGE, CBOR_MALFORMED, CBOR_NOT_CANONICAL, SCHEMA_INVALID. */
export function parseShare(share: Uint8Array): Share {
  const parsed = schema.safeParse(decodeCbor(share, { bytesMax: SHARE_BYTES_MAX }));
  if (parsed.success) return parsed.data;
  throw new ProtocolError('SCHEMA_INVALID', 'expected rows of a store');
}

/** What a machine is to forget, in a share that says nothing else; undefined for any other. */
function forgetOrderIn({ index, rows }: Share): ForgetOrder | undefined {
  const [row] = rows;
  if (row === undefined || rows.length > 1 || index !== 0) return undefined;
  const [key, value] = row;
  const name = key.startsWith(FORGOTTEN) ? key.slice(FORGOTTEN.length) : '';
  return isPointerName(name) && value.length === ORDER_BYTES ? { name, value } : undefined;
}

/**
 * What a standby is given: a batch on its way into that log, the records of the registry with their marks and what colours rest on, and how much of the hour's revocations a
 * statement takes. What else the writer notes with a batch leans on tables that a standby has not: dossiers, and who waits for a code.
 */
function isShared(origin: string, key: string): boolean {
  const prefix = `log/${origin}/`;
  if (key.startsWith(prefix)) return /^(staged|drafts)\/\d{16}$/.test(key.slice(prefix.length));
  if (parseOrigin(origin).kind === 'trust') return key === REVOKED_IN_HOUR;
  return /^registry\/(basis|held|manual|page|subject)\/[\x21-\x7d]+$/.test(key);
}

/**
 * Whether a store has a whole batch at the place of a share, and all rows of the share as they are: of one that never came to its end nothing was
 * permitted. What is damaged there it has not. Rejects as `get`.
 */
export async function holdsShare(reader: StoreReader, { origin, index, rows }: Share): Promise<boolean> {
  const heldAt = (key: string) =>
    reader.get(key).catch((error: unknown) => {
      if (!isNodeError(error, 'VALUE_CORRUPT')) throw error;
    });
  if ((await heldAt(new LogKeys(origin).staged(index))) === undefined) return false;
  // Backwards: of a batch that is not here the last row tells.
  for (const [key, value] of rows.toReversed()) {
    const held = await heldAt(key);
    if (held === undefined || !equalBytes(held, value)) return false;
  }
  return true;
}

/** Whether rows of a share are the last of their batch. */
function isWhole(origin: string, rows: Share['rows']): boolean {
  return rows.at(-1)?.[0].startsWith(`log/${origin}/staged/`) === true;
}

/** In as many messages as they need, in their order: what says that a batch is whole is its last row. */
export function sharesOf({ origin, index, changes }: SharedBatch): Uint8Array[] {
  const parts: Share['rows'][] = [[]];
  let bytes = HEAD_BYTES;
  for (const change of changes) {
    if (!('put' in change)) continue;
    if (!isShared(origin, change.put) && sharedUnder(origin, change.put) === undefined) continue;
    const size = change.put.length + change.value.length + ROW_BYTES;
    if (bytes + size > SHARE_BYTES_MAX || parts.at(-1)?.length === ROWS_MAX) {
      parts.push([]);
      bytes = HEAD_BYTES;
    }
    bytes += size;
    parts.at(-1)?.push([change.put, change.value]);
  }
  return parts.map((rows) => encodeCbor({ origin, index, rows }));
}
