/**
 * A tree of the trust log by which a region has other witnesses, on its way. Until it is signed and folded, those before and those that it
 * names have to agree to everything; and before it is permitted, those that it names know of every tree that was. So whoever holds it has
 * to ask nobody but them, and whoever does not, finds it at those before. Spec: SPEC.md 19.3.
 */
import { type Claim, type SignedWord } from '../../protocol/writer/word.ts';
import { type Voters } from './hearing.ts';
import { laterOf, type Pledge } from './pledges.ts';

export interface ElectorateChange {
  /** Under which claim those that the tree names were asked. */
  readonly reign: SignedWord<Claim>;
  /** Entries of the trust log with it. */
  readonly size: number;
  /** Those that the log names after each of its entries: a machine that comes to hold some of them alone asks those. */
  readonly sets: readonly Voters[];
  /** Whether they know of all that was permitted. */
  isTold: boolean;
}

/** A change that begins; the one that is on its way, where it is the same. */
export function changeAfter(
  before: ElectorateChange | undefined,
  begun: Omit<ElectorateChange, 'isTold'>,
): ElectorateChange {
  const isSame =
    before?.reign === begun.reign && before.size === begun.size && keyOf(before.sets) === keyOf(begun.sets);
  return isSame ? before : { ...begun, isTold: false };
}

/** Names a set, or sets. */
export function keyOf(sets: readonly Voters[]): string {
  return sets.map((set) => set.join()).join(' ');
}

/** What a tree was that is signed, or that may be. */
export type LatestTree = Pick<Pledge, 'origin' | 'size' | 'root'>;

/**
 * Of each log what its next tree has to continue: what is signed, what was permitted since and may be signed at any moment, or what the writer before
 * may have signed. Of those that come twice the larger: within a process each continues the one before, and it has nothing permitted beside a pledge.
 */
export function latestOf(trees: readonly LatestTree[]): LatestTree[] {
  const latest = new Map<string, LatestTree>();
  for (const tree of trees)
    if (tree.size > (latest.get(tree.origin)?.size ?? 0)) latest.set(tree.origin, tree);
  return [...latest.values()];
}

/** What a writer is bound to: by those who decide now, and by those whom a change on its way names. */
export class Bonds {
  #now = new Map<string, Pledge>();
  readonly #next = new Map<string, Pledge>();

  get all(): readonly Pledge[] {
    const origins = new Set([...this.#now.keys(), ...this.#next.keys()]);
    return [...origins].flatMap((origin) => this.of(origin) ?? []);
  }

  of(origin: string): Pledge | undefined {
    return laterOf(this.#now.get(origin), this.#next.get(origin));
  }

  /** It is held here, and all that is signed from now on continues it. */
  release(origin: string): void {
    this.#now.delete(origin);
    this.#next.delete(origin);
  }

  /** What those who decide now have said. */
  replace(pledges: readonly Pledge[]): void {
    this.#now = new Map(pledges.map((pledge) => [pledge.origin, pledge]));
  }

  /** What they are to bind to as well. */
  add(pledges: readonly Pledge[]): void {
    for (const pledge of pledges) merge(this.#now, pledge);
  }

  /** What those have said whom the change names. */
  foresee(pledges: readonly Pledge[]): void {
    for (const pledge of pledges) merge(this.#next, pledge);
  }

  /** No change is on its way: those who decide have said all. */
  forgetForeseen(): void {
    this.#next.clear();
  }
}

function merge(into: Map<string, Pledge>, pledge: Pledge): void {
  into.set(pledge.origin, laterOf(into.get(pledge.origin), pledge) ?? pledge);
}

/** Whether a witness has permitted each tree, or a later one. */
export function isToldOf(report: readonly LatestTree[], trees: readonly LatestTree[]): boolean {
  return trees.every(
    ({ origin, size }) =>
      size === 0 || report.some((permit) => permit.origin === origin && permit.size >= size),
  );
}
