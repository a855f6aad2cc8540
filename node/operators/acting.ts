/** Doing something in an operator's name: with the scope for it, and noted before it begins. */
import { isNodeError, NodeError } from '../node-error.ts';
import { type Operators } from './operators.ts';
import { type Actor, type Needed, SCOPES } from './scopes.ts';
import { type Trail, type TrailNote } from './trail.ts';

/** What the trail tells of an act besides who did what: see `TrailEntry`. */
export interface Told {
  readonly count?: number | undefined;
  readonly about?: string | undefined;
}

export interface Action extends Told {
  /** See `TrailEntry`. */
  readonly action: string;
  readonly needs: Needed;
}

/** What came of the parts of an act, counted by whoever does it. */
export interface Tally {
  done: number;
  failed: number;
  /** Code of what ended it early, where that is told within the parts. */
  fault?: string;
  /** What became of them, by a word for each, at most 16 of letters. */
  figures?: Readonly<Record<string, number>>;
  /** SHA-256 of the file or list that came, in hexadecimal. */
  digest?: string;
}

const ALL: ReadonlySet<Needed> = new Set<Needed>([...SCOPES, 'operators', 'publish']);
const LITTLE: ReadonlySet<Needed> = new Set<Needed>(['read', 'operators', 'publish']);
const BROKEN_OFF = 'BROKEN_OFF';

/** What the bootstrap identity may do, and whoever holds the directory: all until operators are named, and then little. */
export function mayWithoutKey({ areNamed }: Pick<Operators, 'areNamed'>): ReadonlySet<Needed> {
  return areNamed ? LITTLE : ALL;
}

/** @throws {NodeError} SCOPE_MISSING */
export function requireScope({ name, may }: Actor, needs: Needed): void {
  if (may.has(needs)) return;
  const hint =
    needs === 'operators'
      ? 'Operators are named by whoever holds the directory: run it there, without --operator.'
      : name === 'bootstrap' || name === 'directory'
        ? 'The region has operators: say --operator FILE, or admin.operatorFile in entente.yaml. Where operators.json is missing or names nobody, copy it from the other machine or a backup, or name them: entente operator add.'
        : 'Ask an operator who has it, or have the scope given: entente operator list.';
  throw new NodeError('SCOPE_MISSING', `${name} has not the scope ${needs}`, { hint });
}

/**
 * Runs `work` if the actor may, once the trail says so; a failure is noted too, and parts of it that failed, and what the tally tells besides.
 * @throws {NodeError} SCOPE_MISSING, which is noted as well; what the trail and `work` reject with.
 */
export async function act<T>(
  trail: Trail,
  actor: Actor,
  action: Action,
  work: (tally: Tally) => Promise<T> | T,
): Promise<T> {
  const begun = await begin(trail, actor, action);
  const tally: Tally = { done: 0, failed: 0 };
  let result: T;
  try {
    requireScope(actor, action.needs);
    result = await work(tally);
  } catch (error) {
    await begun.end({ code: codeOf(error), ...(isTelling(tally) && { tally }) });
    throw error;
  }
  if (tally.failed > 0 || isTelling(tally)) await begun.end({ tally });
  return result;
}

/**
 * As `act`, for work whose result comes in parts: its end is noted when they end, with how many were done and failed, also where
 * whoever takes them goes away.
 */
export async function actInParts<T>(
  trail: Trail,
  actor: Actor,
  action: Action,
  work: (tally: Tally) => Promise<AsyncIterable<T>> | AsyncIterable<T>,
): Promise<AsyncIterableIterator<T>> {
  const begun = await begin(trail, actor, action);
  const tally: Tally = { done: 0, failed: 0 };
  try {
    requireScope(actor, action.needs);
    const parts = (await work(tally))[Symbol.asyncIterator]();
    return new NotedParts(parts, (code) => begun.end({ tally, code: code ?? tally.fault }));
  } catch (error) {
    await begun.end({ code: codeOf(error) });
    throw error;
  }
}

/** No generator: one that nobody has taken from ends without a word. */
class NotedParts<T> implements AsyncIterableIterator<T> {
  readonly #parts: AsyncIterator<T>;
  readonly #noteEnd: (code?: string) => Promise<void>;
  #end: Promise<void> | undefined;

  constructor(parts: AsyncIterator<T>, noteEnd: (code?: string) => Promise<void>) {
    this.#parts = parts;
    this.#noteEnd = noteEnd;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<T, undefined>> {
    try {
      const step = await this.#parts.next();
      if (step.done !== true) return step;
    } catch (error) {
      await this.#ended(codeOf(error));
      throw error;
    }
    await this.#ended();
    return { done: true, value: undefined };
  }

  async return(): Promise<IteratorResult<T, undefined>> {
    try {
      await this.#parts.return?.();
    } finally {
      await this.#ended(BROKEN_OFF);
    }
    return { done: true, value: undefined };
  }

  #ended(code?: string): Promise<void> {
    return (this.#end ??= this.#noteEnd(code));
  }
}

interface Begun {
  end(how: { readonly tally?: Tally; readonly code?: string | undefined }): Promise<void>;
}

/** The end is noted where that is possible: if the disk fails meanwhile, what happened still counts, and the line has no end. */
async function begin(trail: Trail, { name, keyId }: Actor, { action, count, about }: Action): Promise<Begun> {
  const note: TrailNote = {
    who: name,
    ...(keyId !== undefined && { key: keyId }),
    action,
    ...(count !== undefined && { count }),
    ...(about !== undefined && { about }),
  };
  const n = await trail.append(note);
  return {
    end: async ({ tally, code }) => {
      const ended = tally && { n, done: tally.done, failed: tally.failed, ...toldOf(tally) };
      const failed = code === undefined ? undefined : { n, code };
      await trail
        .append({ ...note, ...(failed && { failed }), ...(ended && { ended }) })
        .catch(() => undefined);
    },
  };
}

function isTelling({ figures, digest }: Tally): boolean {
  return figures !== undefined || digest !== undefined;
}

/** Without what was none. */
function toldOf({ figures, digest }: Tally): Pick<Tally, 'figures' | 'digest'> {
  const some = Object.entries(figures ?? {}).filter(([, count]) => count > 0);
  return {
    ...(some.length > 0 && { figures: Object.fromEntries(some) }),
    ...(digest !== undefined && { digest }),
  };
}

function codeOf(error: unknown): string {
  if (isNodeError(error)) return error.code;
  const { code } = error as { readonly code?: unknown };
  return typeof code === 'string' && /^[A-Z_]{1,64}$/.test(code) ? code : 'ERROR';
}
