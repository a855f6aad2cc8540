/**
 * The memory of a witness for the writers of regions: whom it has let write, and what it has permitted to be signed. Stored in the store
 * and in the second place before any answer leaves, so that neither a crash nor a restored backup takes a promise back.
 */
import { type VerifierKey } from '../../protocol/log/verifier-key.ts';
import { type Primitives } from '../../protocol/primitives.ts';
import { type Claim, type Permit, type SignedWord, verifyWord } from '../../protocol/writer/word.ts';
import { type SecondPlace } from '../ports.ts';
import { type Store } from '../store/store.ts';
import { Turns } from '../turns.ts';
import {
  encodeRecord,
  joinRecords,
  NO_RECORD,
  parseRecord,
  recordKey,
  type WriterRecord,
} from './writer-record.ts';
import { decideClaim, decidePermit, type WriterDecision } from './writer-rule.ts';

export interface WriterBookModules extends Primitives {
  readonly store: Store;
  readonly secondPlace: SecondPlace;
  /** The keys of a log by its origin, without those given up; undefined if its region is not known here. */
  readonly keysOf: (origin: string) => readonly VerifierKey[] | undefined;
  /** Gives a record to the standby of this region, which is to keep these promises. Must not reject for one that does not answer. */
  readonly share?: ((origin: string, record: Uint8Array, changes: number) => Promise<void>) | undefined;
}

export class WriterBook {
  readonly #modules: WriterBookModules;
  /** By trust log: check and store are one step for each region. */
  readonly #turns = new Turns();
  readonly #records = new Map<string, WriterRecord>();

  constructor(modules: WriterBookModules) {
    this.#modules = modules;
  }

  /** What is promised to the writers of a region, by the name of its trust log. Rejects as `claim`. */
  record(origin: string): Promise<WriterRecord> {
    return this.#turns.take(origin, () => this.#read(origin));
  }

  /**
   * Lets a writer write from now on, if nobody else has that epoch or a later one. The words were verified by the caller.
   * @throws {NodeError} as `Store.write` and `SecondPlace.raise`: then it is not known whether it was granted, and asking again tells.
   */
  claim(claim: SignedWord<Claim>): Promise<WriterDecision> {
    return this.#decide(claim, (before) => decideClaim(before, claim));
  }

  /** Permits a tree to be signed. Rejects as `claim`. */
  permit(claim: SignedWord<Claim>, permit: SignedWord<Permit>): Promise<WriterDecision> {
    return this.#decide(claim, (before) => decidePermit(before, claim, permit));
  }

  /**
   * Takes over what another machine of this region has promised; nothing that was promised here is taken back.
   * @throws {NodeError} LOG_CORRUPT if these are not the bytes of a record. Rejects also as `claim`.
   */
  async follow(origin: string, bytes: Uint8Array): Promise<void> {
    const given = parseRecord(bytes, origin);
    await this.#turns.take(origin, async () => {
      const before = this.#records.get(origin) ?? (await this.#load(origin));
      const joined = joinRecords(before, given);
      if (joined !== before) await this.#keep(origin, joined);
    });
  }

  #decide(
    { word: { origin } }: SignedWord<Claim>,
    rule: (before: WriterRecord) => WriterDecision,
  ): Promise<WriterDecision> {
    return this.#turns.take(origin, async () => {
      const decision = rule(await this.#read(origin));
      if (decision.granted && decision.isNew) {
        const { record } = decision;
        await this.#keep(origin, record);
        await this.#modules.share?.(origin, encodeRecord(record), record.changes);
      }
      return decision;
    });
  }

  /** What a key signed that was given up since binds nobody: else a thief who claimed the last epoch would fence the region for good. */
  async #read(origin: string): Promise<WriterRecord> {
    const { keysOf, verifySignature } = this.#modules;
    const record = this.#records.get(origin) ?? (await this.#load(origin));
    this.#records.set(origin, record);
    const keys = keysOf(origin) ?? [];
    const counts = (word: SignedWord) => verifyWord(word, keys, verifySignature);
    return {
      changes: record.changes,
      claim: record.claim !== undefined && counts(record.claim) ? record.claim : undefined,
      permits: new Map([...record.permits].filter(([, permit]) => counts(permit))),
    };
  }

  async #load(origin: string): Promise<WriterRecord> {
    const { store, secondPlace } = this.#modules;
    const stored = await store.get(recordKey(origin));
    const mark = await secondPlace.read(placeOf(origin));
    const kept = stored === undefined ? NO_RECORD : parseRecord(stored, origin);
    // The store has gone back, as after a restored backup: what this witness once promised still binds it.
    if (mark !== undefined && mark.size > kept.changes) return parseRecord(mark.note, origin);
    // A write may have landed though it failed, or the process have died after it: no answer leans on what one place alone has.
    if (stored !== undefined && (mark?.size ?? 0) < kept.changes)
      await this.#raise(origin, kept.changes, stored);
    return kept;
  }

  async #keep(origin: string, record: WriterRecord): Promise<void> {
    const bytes = encodeRecord(record);
    this.#records.delete(origin); // until both places have it, either may
    await this.#modules.store.write([{ put: recordKey(origin), value: bytes }]);
    await this.#raise(origin, record.changes, bytes);
    this.#records.set(origin, record);
  }

  #raise(origin: string, size: number, note: Uint8Array): Promise<void> {
    const { secondPlace, sha256 } = this.#modules;
    return secondPlace.raise(placeOf(origin), { size, root: sha256(note), note });
  }
}

function placeOf(origin: string): string {
  return `writer:${origin}`;
}
