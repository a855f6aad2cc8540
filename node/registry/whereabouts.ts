/**
 * Where what is private lies: said in the store, so that a change of the config alone begins no empty registry beside the one that is
 * there. Only a move changes it.
 *
 *   private/at       `postgres`; absent where it lies in the store
 *   private/moving   where to, and the name that was copied last, while a move goes on
 */
import { NodeError } from '../node-error.ts';
import { type Store } from '../store/store.ts';
import { type PrivateTables } from './private-tables.ts';

export type Whereabouts = 'store' | 'postgres';

export interface Moving {
  readonly to: Whereabouts;
  /** Empty where all is to be copied anew. */
  readonly after: string;
}

/** The tables of all that is private, in the order of their names. */
export const PRIVATE_RANGES = ['life/', 'list/', 'once/', 'registry/'].map(
  (prefix) => [prefix, `${prefix}~`] as const,
);

const AT = 'private/at';
const MOVING = 'private/moving';

export async function whereabouts(store: Pick<Store, 'get'>): Promise<Whereabouts> {
  return (await store.get(AT)) === undefined ? 'store' : 'postgres';
}

export async function movingOf(store: Pick<Store, 'get'>): Promise<Moving | undefined> {
  const bytes = await store.get(MOVING);
  const [to, after = ''] = bytes === undefined ? [] : Buffer.from(bytes).toString('latin1').split(' ');
  return to === 'store' || to === 'postgres' ? { to, after } : undefined;
}

export async function noteMoving(store: Pick<Store, 'write'>, { to, after }: Moving): Promise<void> {
  await store.write([{ put: MOVING, value: Buffer.from(`${to} ${after}`, 'latin1') }]);
}

/** All is there: from here on it counts, and nothing of where it was. */
export async function noteMoved(store: Pick<Store, 'write'>, to: Whereabouts): Promise<void> {
  const at = to === 'postgres' ? { put: AT, value: Buffer.from(to) } : { del: AT };
  await store.write([at, { del: MOVING }]);
}

/**
 * Makes sure that a node uses the tables that count; what a move has copied so far may be old from here on.
 * @throws {NodeError} REGISTRY_ELSEWHERE
 */
export async function requireHere(store: Store, tables: PrivateTables): Promise<void> {
  const here: Whereabouts = tables === store ? 'store' : 'postgres';
  const at = await whereabouts(store);
  if (at !== here) throw registryElsewhere(at);
  const moving = await movingOf(store);
  if (moving !== undefined) await noteMoving(store, { ...moving, after: '' });
}

function registryElsewhere(at: Whereabouts): NodeError {
  return at === 'store'
    ? new NodeError('REGISTRY_ELSEWHERE', 'the registry lies in the store, and the config names PostgreSQL', {
        hint: 'Move it: entente registry move <region> --to postgres. Nothing was changed.',
      })
    : new NodeError('REGISTRY_ELSEWHERE', 'the registry lies in PostgreSQL, and the config names none', {
        hint: 'Set registry.connectionFile, or move it back with it set: entente registry move <region> --to store. Nothing was changed.',
      });
}
