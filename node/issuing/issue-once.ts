/**
 * Issuing under a key that the caller chose, so that the same order given again, since its answer was lost, gives the code that
 * was issued the first time. What was begun is remembered in the store, sealed, for a day and more:
 *
 *   once/<day>/<name of the key>   what was ordered, what the person held before, and what came of it
 *
 * An order that broke off with the process is settled by what the registry holds: a code of that person with that status which
 * was not there before is the one.
 */
import { createHash, createHmac, type KeyObject } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { type Openings } from '../../protocol/code/openings.ts';
import { isNodeError, NodeError } from '../node-error.ts';
import { type Clock, type Random } from '../ports.ts';
import { type Place } from '../registry/place-cipher.ts';
import { derivedKey, NONCE_BYTES, Sealer } from '../registry/sealer.ts';
import { type Store } from '../store/store.ts';
import { type HeldCodes } from './held-codes.ts';
import { type IssueRequest } from './issuer.ts';

/** A logged attestation and what opens it. */
export interface IssuedOnce extends Place {
  readonly attestation: Uint8Array;
  readonly openings: Openings;
}

export interface IssueOnceOptions {
  /** See `Registry.open`. */
  readonly registryKey: Uint8Array;
}

export interface IssueOnceModules {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly issue: (request: IssueRequest) => Promise<IssuedOnce>;
  readonly held: () => HeldCodes;
}

export interface Order {
  /** Chosen by the caller: 1 to 128 characters, another one for each person and time. */
  readonly key: string;
  /** All that was ordered, as bytes: another order under the same key is refused. */
  readonly input: Uint8Array;
  readonly request: IssueRequest;
}

const DAY_MS = 86_400_000;
const PLACES_MAX = 1_024;
const place = z.strictObject({ log: z.string(), index: z.int().min(0) });
const noted = z.strictObject({
  /** SHA-256 of the order. */
  input: z.string(),
  before: z.array(place).max(PLACES_MAX),
  issued: place.optional(),
});
type Noted = z.infer<typeof noted>;

export class IssueOnce {
  readonly #modules: IssueOnceModules;
  readonly #sealer: Sealer;
  readonly #nameKey: KeyObject;
  readonly #running = new Map<string, { readonly input: string; readonly issued: Promise<IssuedOnce> }>();
  #sweptDay = '';

  constructor({ registryKey }: IssueOnceOptions, modules: IssueOnceModules) {
    this.#modules = modules;
    this.#sealer = new Sealer(derivedKey(registryKey, 'once'));
    this.#nameKey = derivedKey(registryKey, 'once/name');
  }

  /**
   * The code of this order, issued now or before.
   * @throws {NodeError} ORDER_DIFFERS if another order was given under the key within the last day; and as `Issuer.issue`.
   */
  async issue({ key, input, request }: Order): Promise<IssuedOnce> {
    const digest = createHash('sha256').update(input).digest('hex');
    const running = this.#running.get(key);
    if (running !== undefined) {
      requireSame(running.input, digest);
      return running.issued;
    }
    const issued = this.#issue(this.#nameOf(key), digest, request);
    this.#running.set(key, { input: digest, issued });
    try {
      return await issued;
    } finally {
      this.#running.delete(key);
    }
  }

  async #issue(name: string, input: string, request: IssueRequest): Promise<IssuedOnce> {
    const today = this.#dayOf(this.#modules.clock.nowMs());
    await this.#sweep(today);
    const known = await this.#noted(name);
    let note: Noted;
    if (known === undefined) {
      const before = await this.#placesOf(request.subject);
      note = { input, before: before.slice(-PLACES_MAX) };
      await this.#write(today, name, note);
    } else {
      requireSame(known.input, input);
      const issued = await this.#settled(known, request);
      if (issued !== undefined) return issued;
      note = known;
    }
    const issued = await this.#modules.issue(request);
    // Should this fail the code is there all the same, and is found by what the person holds.
    await this.#write(today, name, { ...note, issued: { log: issued.log, index: issued.index } }).catch(
      passStore,
    );
    return issued;
  }

  /** What came of an order that was begun before. */
  async #settled(
    { issued, before }: Noted,
    { subject, fields }: IssueRequest,
  ): Promise<IssuedOnce | undefined> {
    const held = await this.#modules.held().ofSubject(subject);
    if (issued !== undefined) return held.find((one) => isSame(one, issued));
    return held.find(
      (one) =>
        !before.some((old) => isSame(one, old)) &&
        isDeepStrictEqual({ ...one.fields.status }, { ...fields.status }),
    );
  }

  async #placesOf(subject: string): Promise<Place[]> {
    const held = await this.#modules.held().ofSubject(subject);
    return held.map(({ log, index }) => ({ log, index }));
  }

  async #noted(name: string): Promise<Noted | undefined> {
    const nowMs = this.#modules.clock.nowMs();
    for (const atMs of [nowMs, nowMs - DAY_MS]) {
      const at = keyOf(this.#dayOf(atMs), name);
      const sealed = await this.#modules.store.get(at);
      if (sealed === undefined) continue;
      return noted.parse(JSON.parse(Buffer.from(this.#sealer.open(at, sealed)).toString()));
    }
    return undefined;
  }

  async #write(day: string, name: string, note: Noted): Promise<void> {
    const { store, random } = this.#modules;
    const at = keyOf(day, name);
    const value = this.#sealer.seal(at, Buffer.from(JSON.stringify(note)), random(NONCE_BYTES));
    await store.write([{ put: at, value }]);
  }

  /** Forgets the days before yesterday, once a day. */
  async #sweep(today: string): Promise<void> {
    if (this.#sweptDay === today) return;
    this.#sweptDay = today;
    const { store, clock } = this.#modules;
    const end = keyOf(this.#dayOf(clock.nowMs() - DAY_MS), '');
    for (;;) {
      const page = await store.page('once/', end, { limit: 256 });
      if (page.length === 0) return;
      await store.write(page.map(([key]) => ({ del: key })));
    }
  }

  #nameOf(key: string): string {
    return createHmac('sha256', this.#nameKey).update(key).digest('hex');
  }

  #dayOf(atMs: number): string {
    return new Date(atMs).toISOString().slice(0, 10);
  }
}

function keyOf(day: string, name: string): string {
  return `once/${day}/${name}`;
}

function isSame(a: Place, b: Place): boolean {
  return a.log === b.log && a.index === b.index;
}

function requireSame(before: string, now: string): void {
  if (before === now) return;
  throw new NodeError('ORDER_DIFFERS', 'another order was given under this key before', {
    hint: 'Choose another key for each order, and repeat an order as it was.',
  });
}

function passStore(error: unknown): void {
  if (!isNodeError(error)) throw error;
}
