/**
 * The memory of a witness for the writers of regions: whom it has let write, and what it has permitted to be signed. Stored in the store
 * and in the second place before any answer leaves, so that neither a crash nor a restored backup takes a promise back.
 */
import { equalBytes } from '../../protocol/bytes.ts';
import { type VerifierKey } from '../../protocol/log/verifier-key.ts';
import { type Primitives } from '../../protocol/primitives.ts';
import { type Claim, type Permit, type SignedWord, verifyWord } from '../../protocol/writer/word.ts';
import { type SecondPlace } from '../ports.ts';
import { type Store } from '../store/store.ts';
import { Turns } from '../turns.ts';
import {
  encodeMemory,
  joinMemories,
  NO_MEMORY,
  parseMemory,
  recordIn,
  recordKey,
  recordPlace,
  remember,
  rememberRoot,
  type RootWord,
  type WriterMemory,
} from './writer-memory.ts';
import { type WriterRecord } from './writer-record.ts';
import { decideClaim, decidePermit, type WriterDecision } from './writer-rule.ts';

export interface WriterBookModules extends Primitives {
  readonly store: Store;
  readonly secondPlace: SecondPlace;
  /** The keys of a log by its origin, without those given up; undefined if its region is not known here. */
  readonly keysOf: (origin: string) => readonly VerifierKey[] | undefined;
  /** Whether the trust log of this name names a key at all, be it given up. */
  readonly isNamed: (origin: string, publicKey: Uint8Array) => boolean;
  /** Gives a record to the standby of this region, which is to keep these promises. Must not reject for one that does not answer. */
  readonly share?: ((origin: string, record: Uint8Array, changes: number) => Promise<void>) | undefined;
}

/** `unsigned`: a word is by a key that does not count. */
export type BookDecision = WriterDecision | { readonly granted: false; readonly refusal: 'unsigned' };

export class WriterBook {
  readonly #modules: WriterBookModules;
  /** By trust log: check and store are one step for each region. */
  readonly #turns = new Turns();
  readonly #memories = new Map<string, WriterMemory>();
  readonly #verified = new WeakSet<SignedWord>();
  /** By trust log: how far its record was given to the standby by this process. One before may have died in between. */
  readonly #shared = new Map<string, number>();

  constructor(modules: WriterBookModules) {
    this.#modules = modules;
  }

  /** What is promised to the writers of a region, by the name of its trust log. Rejects as `claim`. */
  record(origin: string): Promise<WriterRecord> {
    return this.#turns.take(origin, async () => {
      const memory = await this.#read(origin);
      return recordIn(memory, this.#counting(origin, memory));
    });
  }

  /**
   * Lets a writer write from now on, if nobody else has that epoch or a later one.
   * @throws {NodeError} as `Store.write` and `SecondPlace.raise`: then it is not known whether it was granted, and asking again tells.
   */
  claim(claim: SignedWord<Claim>): Promise<BookDecision> {
    return this.#decide([claim], (before) => decideClaim(before, claim));
  }

  /** Permits a tree to be signed. Rejects as `claim`. */
  permit(claim: SignedWord<Claim>, permit: SignedWord<Permit>): Promise<BookDecision> {
    return this.#decide([claim, permit], (before) => decidePermit(before, claim, permit));
  }

  /** Takes what the root of a region says of its keys before the log does. Never taken back. Gives what counts from then on. Rejects as `claim`. */
  heed(origin: string, said: RootWord): Promise<WriterRecord> {
    return this.#turns.take(origin, async () => {
      const before = await this.#read(origin);
      const memory = rememberRoot(before, said);
      if (memory !== before) await this.#promise(origin, memory);
      else await this.#share(origin, memory);
      return recordIn(memory, this.#counting(origin, memory));
    });
  }

  /**
   * Takes over what another machine of this region has promised; nothing that was promised here is taken back. `under`: what names begin with of the root
   * under which it has, where that is not the one that is followed here; it is kept apart then, for whoever follows that root.
   * @throws {NodeError} LOG_CORRUPT if these are not the bytes of a record. Rejects also as `claim`.
   */
  async follow(origin: string, bytes: Uint8Array, under = ''): Promise<void> {
    const given = parseMemory(bytes, origin);
    await this.#turns.take(origin, async () => {
      const before = under === '' ? await this.#read(origin) : await this.#load(origin, under);
      const joined = joinMemories(before, given, this.#givenUp(origin, under));
      if (joined !== before) await this.#keep(origin, joined, under);
    });
  }

  /**
   * Once what both places hold of the writers of a region is another, because the region is known under another root: what was read before counts no more.
   * Resolves behind all that was under way.
   */
  reread(origin: string): Promise<void> {
    return this.#turns.take(origin, () => {
      this.#memories.delete(origin);
      this.#shared.delete(origin);
      return Promise.resolve();
    });
  }

  #decide(
    words: readonly [SignedWord<Claim>, ...SignedWord[]],
    rule: (before: WriterRecord) => WriterDecision,
  ): Promise<BookDecision> {
    const [{ word }] = words;
    const { origin } = word;
    return this.#turns.take(origin, async () => {
      const memory = await this.#read(origin);
      const counts = this.#counting(origin, memory);
      if (!words.every(counts)) return { granted: false, refusal: 'unsigned' };
      const decision = rule(recordIn(memory, counts));
      if (!decision.granted) return decision;
      if (!decision.isNew) {
        await this.#share(origin, memory);
        return decision;
      }
      const after = remember(memory, words, counts);
      await this.#promise(origin, after);
      return { ...decision, record: recordIn(after, counts) };
    });
  }

  /** What a key signed that was given up since binds nobody: else a thief who claimed the last epoch would fence the region for good. */
  #counting(origin: string, { givenUp, named }: RootWord): (word: SignedWord) => boolean {
    const { keysOf, isNamed, verifySignature } = this.#modules;
    const byRoot = named.filter((key) => !isNamed(origin, key)).map((publicKey) => ({ publicKey }));
    const keys = [...(keysOf(origin) ?? []), ...byRoot].filter(
      ({ publicKey }) => !givenUp.some((key) => equalBytes(key, publicKey)),
    );
    return (word) => {
      if (this.#verified.has(word)) return keys.some((key) => equalBytes(key.publicKey, word.publicKey));
      const isGood = verifyWord(word, keys, verifySignature);
      if (isGood) this.#verified.add(word);
      return isGood;
    };
  }

  /** Who is not named here may be so by what is not held yet; of another root nothing is held. */
  #givenUp(origin: string, under: string): (publicKey: Uint8Array, said: RootWord) => boolean {
    const { keysOf, isNamed } = this.#modules;
    return (publicKey, { givenUp }) =>
      givenUp.some((key) => equalBytes(key, publicKey)) ||
      (under === '' &&
        isNamed(origin, publicKey) &&
        keysOf(origin)?.some((key) => equalBytes(key.publicKey, publicKey)) === false);
  }

  async #read(origin: string): Promise<WriterMemory> {
    const memory = this.#memories.get(origin) ?? (await this.#load(origin));
    this.#memories.set(origin, memory);
    return memory;
  }

  async #load(origin: string, under = ''): Promise<WriterMemory> {
    const { store, secondPlace } = this.#modules;
    const stored = await store.get(under + recordKey(origin));
    const mark = await secondPlace.read(under + recordPlace(origin));
    const kept = stored === undefined ? NO_MEMORY : parseMemory(stored, origin);
    const noted = mark === undefined ? NO_MEMORY : parseMemory(mark.note, origin);
    // Either may have gone back, as after a restored backup, and have gone on since: what this witness once promised still binds it.
    const [later, other] = noted.changes > kept.changes ? [noted, kept] : [kept, noted];
    const joined = joinMemories(later, other, this.#givenUp(origin, under));
    if (joined !== later) await this.#keep(origin, joined, under);
    // A write may have landed though it failed, or the process have died after it: no answer leans on what one place alone has.
    else if (stored !== undefined && noted.changes < kept.changes)
      await this.#raise(under + recordPlace(origin), kept.changes, stored);
    return joined;
  }

  async #promise(origin: string, memory: WriterMemory): Promise<void> {
    await this.#keep(origin, memory);
    await this.#share(origin, memory);
  }

  /** What is answered is known to the standby before: also where it was promised by a process that died before it could tell. */
  async #share(origin: string, memory: WriterMemory): Promise<void> {
    if ((this.#shared.get(origin) ?? 0) === memory.changes) return;
    await this.#modules.share?.(origin, encodeMemory(memory), memory.changes);
    this.#shared.set(origin, memory.changes);
  }

  async #keep(origin: string, memory: WriterMemory, under = ''): Promise<void> {
    const bytes = encodeMemory(memory);
    this.#memories.delete(origin); // until both places have it, either may
    await this.#modules.store.write([{ put: under + recordKey(origin), value: bytes }]);
    await this.#raise(under + recordPlace(origin), memory.changes, bytes);
    if (under === '') this.#memories.set(origin, memory);
  }

  #raise(place: string, size: number, note: Uint8Array): Promise<void> {
    const { secondPlace, sha256 } = this.#modules;
    return secondPlace.raise(place, { size, root: sha256(note), note });
  }
}
