/** Doing something in an operator's name: with the scope for it, and noted before it begins. */
import { isNodeError, NodeError } from '../node-error.ts';
import { type Operators } from './operators.ts';
import { type Actor, type Needed, SCOPES } from './scopes.ts';
import { type Trail, type TrailNote } from './trail.ts';

export interface Action {
  /** See `TrailEntry`. */
  readonly action: string;
  readonly needs: Needed;
  readonly count?: number;
  readonly about?: string;
}

const ALL: ReadonlySet<Needed> = new Set<Needed>([...SCOPES, 'operators']);
const LITTLE: ReadonlySet<Needed> = new Set<Needed>(['read', 'operators']);

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
        ? 'The region has named operators: say --operator FILE, or admin.operatorFile in entente.yaml.'
        : 'Ask an operator who has it, or have the scope given: entente operator list.';
  throw new NodeError('SCOPE_MISSING', `${name} has not the scope ${needs}`, { hint });
}

/**
 * Runs `work` if the actor may, once the trail says so; a failure is noted too.
 * @throws {NodeError} SCOPE_MISSING, which is noted as well; what the trail and `work` reject with.
 */
export async function act<T>(
  trail: Trail,
  actor: Actor,
  { needs, ...action }: Action,
  work: () => Promise<T> | T,
): Promise<T> {
  const note: TrailNote = { who: actor.name, ...(actor.keyId && { key: actor.keyId }), ...action };
  const n = await trail.append(note);
  try {
    requireScope(actor, needs);
    return await work();
  } catch (error) {
    await trail.append({ ...note, failed: { n, code: codeOf(error) } });
    throw error;
  }
}

function codeOf(error: unknown): string {
  if (isNodeError(error)) return error.code;
  const { code } = error as { readonly code?: unknown };
  return typeof code === 'string' && /^[A-Z_]{1,64}$/.test(code) ? code : 'ERROR';
}
