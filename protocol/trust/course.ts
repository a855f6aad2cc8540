/** One run of a fold over the entries of a trust log, with places to return to. Spec: SPEC.md 8.3. */
import { equalBytes } from '../bytes.ts';
import { isProtocolError, ProtocolError } from '../fault.ts';
import { FOLD_POSITIONS_MAX, FOLD_POSITION_SPACING } from '../limits.ts';
import { Frontier } from '../log/frontier.ts';
import { leafHash } from '../log/merkle.ts';
import { applyStatement } from './effect.ts';
import { type Slot } from './slot.ts';
import { parseEntry } from './statement.ts';
import { type StateDraft } from './state-draft.ts';
import { type StatementOf } from './statement-schema.ts';
import { type Finding } from './trust-state.ts';
import { type TrustModules, verifyStatement } from './verify-statement.ts';
import { hasVoiding, isVoided, type Voiding, voidingOf, type Voidings } from './voiding.ts';

/** The state and tree before entry `size`, as they were or are proven to be. */
interface Position {
  readonly size: number;
  readonly draft: StateDraft;
  readonly frontier: readonly Uint8Array[];
  readonly findingCount: number;
  readonly newestBase: DraftBase | undefined;
  readonly falseStart: number | undefined;
}

/**
 * What a reader can start from at a `state` statement that passed, if no compromise since then reaches behind it: the state
 * before it, pruned, and the tree.
 */
export interface DraftBase {
  readonly index: number;
  readonly draft: StateDraft;
  readonly frontier: readonly Uint8Array[];
}

/** Entries of the log from `fromIndex` to before `toIndex`, read again. @throws {ProtocolError} HISTORY_NEEDED */
export type EntriesBetween = (fromIndex: number, toIndex: number) => Iterable<Uint8Array>;

export interface CourseModules extends TrustModules {
  readonly entriesBetween: EntriesBetween;
}

export class Course {
  readonly #modules: CourseModules;
  readonly #positions: Position[];
  readonly #findings: Finding[];
  readonly #tree: Frontier;
  #draft: StateDraft;
  #newestBase: DraftBase | undefined;
  #falseStart: number | undefined;

  /** Goes on from `start`; `positions` and `findings` are those up to there, and the course's from now on. */
  private constructor(start: Position, positions: Position[], findings: Finding[], modules: CourseModules) {
    this.#modules = modules;
    this.#positions = positions;
    this.#findings = findings;
    this.#tree = Frontier.of(modules.sha256, start.size, start.frontier);
    this.#draft = start.draft.fork();
    this.#newestBase = start.newestBase;
    this.#falseStart = start.falseStart;
  }

  /** Starts with the state before entry `draft.size`, at a tree with that frontier. */
  static from(draft: StateDraft, frontier: readonly Uint8Array[], modules: CourseModules): Course {
    const size = draft.size;
    const start = { size, draft, frontier, findingCount: 0, newestBase: undefined, falseStart: undefined };
    return new Course(start, [start], [], modules);
  }

  /** An independent course at the same place, which reads entries by its own modules. */
  fork(modules: CourseModules): Course {
    return new Course(this.#position(), [...this.#positions], [...this.#findings], modules);
  }

  /** Entries taken, from index 0. */
  get size(): number {
    return this.#draft.size;
  }

  get draft(): StateDraft {
    return this.#draft;
  }

  get findings(): readonly Finding[] {
    return this.#findings;
  }

  get newestBase(): DraftBase | undefined {
    return this.#newestBase;
  }

  /** The least index of a `state` statement without effect that a reader could be made to start from. */
  get falseStart(): number | undefined {
    return this.#falseStart;
  }

  get root(): Uint8Array {
    return this.#tree.root();
  }

  get frontier(): readonly Uint8Array[] {
    return this.#tree.hashes();
  }

  /**
   * Takes the next entry, with what `voidings` void. If it entails a voiding that is not among them, it is not taken and
   * nothing changes: the course has to be run again with that one.
   * @throws {ProtocolError} HISTORY_NEEDED, and nothing changes.
   */
  take(entry: Uint8Array, voidings: Voidings): Voiding | undefined {
    const index = this.size;
    this.#keepPosition();
    try {
      const slot = verifyStatement(entry, this.#placeUnder(voidings), this.#modules);
      const voiding = voidingOf(slot.entry.statement, index, this.#draft);
      if (voiding !== undefined && !hasVoiding(voidings, voiding)) return voiding;
      this.#apply(slot);
    } catch (error) {
      this.#findings.push(findingOf(error, index));
      if (isStateStatement(entry)) this.#falseStart ??= index;
    }
    this.#tree.append(leafHash(this.#modules.sha256, entry));
    this.#draft.size = index + 1;
    return undefined;
  }

  /**
   * A course like this one up to a position at or before `index`, to be gone on with from there.
   * @throws {ProtocolError} HISTORY_NEEDED if this one starts later, or from the items that entry `index` has to prove.
   */
  rewoundTo(index: number): Course {
    const count = this.#positions.findLastIndex(({ size }) => size <= index) + 1;
    const position = this.#positions[count - 1];
    if (position === undefined || (count === 1 && index > 0 && position.size === index))
      throw historyNeeded(index);
    const findings = this.#findings.slice(0, position.findingCount);
    return new Course(position, this.#positions.slice(0, count), findings, this.#modules);
  }

  #apply(slot: Slot): void {
    const { lastAtS } = this.#draft;
    this.#draft = applyStatement(slot, this.#draft, this.#modules.sha256);
    const { statement } = slot.entry;
    if (statement.kind === 'compromise') {
      const isOutOfReach = (start: number | undefined) =>
        start !== undefined && this.#reachesBehind(start, statement, slot.index);
      if (isOutOfReach(this.#newestBase?.index)) this.#newestBase = undefined;
      if (isOutOfReach(this.#falseStart)) this.#falseStart = undefined;
    }
    if (statement.kind !== 'state') return;
    // What the statement commits to is the state before it, and so with the `at` before it.
    const draft = this.#draft.fork();
    draft.lastAtS = lastAtS;
    this.#newestBase = { index: slot.index, draft, frontier: this.#tree.hashes() };
  }

  /** Whether a reader that started at entry `start` could not take this statement: HISTORY_NEEDED. */
  #reachesBehind(start: number, statement: StatementOf<'compromise'>, index: number): boolean {
    const size = statement.cutoffs.find(({ log }) => log === 'trust')?.size;
    if (size === undefined) return false;
    return size < start || voidingOf(statement, index, this.#draft)?.fromIndex === start;
  }

  #placeUnder(voidings: Voidings) {
    const index = this.size;
    return {
      index,
      draft: this.#draft,
      isVoided: (keyId: string) => isVoided(voidings, keyId, index),
      rootAt: (size: number) => this.#rootAt(size),
    };
  }

  /** The root of the tree at a size of at most the present one. */
  #rootAt(size: number): Uint8Array {
    if (size === this.size) return this.root;
    const place = this.#positions.findLastIndex((position) => position.size <= size);
    const start = this.#positions[place];
    if (start === undefined) throw historyNeeded(size);
    const end = this.#positions[place + 1];
    const tree = Frontier.of(this.#modules.sha256, start.size, start.frontier);
    let root = tree.root();
    if (size === start.size) return root;
    // On to a tree that is known, so that no entry read wrongly can pass for another root.
    for (const entry of this.#modules.entriesBetween(start.size, end?.size ?? this.size)) {
      tree.append(leafHash(this.#modules.sha256, entry));
      if (tree.size === size) root = tree.root();
    }
    const known = end === undefined ? this.#tree.hashes() : end.frontier;
    if (!isSameFrontier(tree.hashes(), known)) throw new RangeError('the history is not what was folded');
    return root;
  }

  #keepPosition(): void {
    const size = this.size;
    if (size % FOLD_POSITION_SPACING !== 0 || this.#positions.at(-1)?.size === size) return;
    // Every other one goes, so the past grows sparse and the present stays near: compromises are found within days.
    if (this.#positions.length >= FOLD_POSITIONS_MAX) {
      this.#positions.splice(0, Infinity, ...this.#positions.filter((_, i) => i % 2 === 0));
    }
    this.#positions.push(this.#position());
  }

  #position(): Position {
    return {
      size: this.size,
      draft: this.#draft.fork(),
      frontier: this.#tree.hashes(),
      findingCount: this.#findings.length,
      newestBase: this.#newestBase,
      falseStart: this.#falseStart,
    };
  }
}

const FINDING_CODES: ReadonlySet<string> = new Set<Finding['code']>([
  'STATEMENT_MALFORMED',
  'STATEMENT_UNAUTHORISED',
  'STATEMENT_CONFLICT',
  'KEY_INVALID',
  'STATE_MISMATCH',
]);

/** What a broken rule is recorded as; whatever else was thrown goes on. */
function findingOf(error: unknown, index: number): Finding {
  if (!isProtocolError(error) || !FINDING_CODES.has(error.fault.code)) throw error;
  return { index, code: error.fault.code as Finding['code'], reason: error.message };
}

/** Of an entry that has no effect. */
function isStateStatement(entry: Uint8Array): boolean {
  try {
    return parseEntry(entry).statement.kind === 'state';
  } catch (error) {
    if (isProtocolError(error, 'STATEMENT_MALFORMED')) return false;
    throw error;
  }
}

function isSameFrontier(a: readonly Uint8Array[], b: readonly Uint8Array[]): boolean {
  return a.length === b.length && a.every((hash, i) => equalBytes(hash, b[i] as Uint8Array));
}

export function historyNeeded(index: number): ProtocolError {
  const message = `a compromise reaches back to index ${index}, which this fold does not hold: start at or before it`;
  return new ProtocolError('HISTORY_NEEDED', message, { index });
}
