/**
 * Where what is private lies: said in the store, so that a change of the config alone begins no empty registry beside the one that is
 * there, and in the database, so that no other one is taken for it. Only a move changes it.
 *
 * In the store:
 *
 *   private/at       `postgres <id of the registry there>`; absent where it lies in the store
 *   private/moving   where to, the id of the move, and the name that was copied last, while a move goes on
 *   private/left     the id of the move that is complete, until what it has copied is removed from where it was
 *   private/mark     how far the database was: see `RegistryMark`
 *
 * In the database, beside the rows of its owner:
 *
 *   private/registry the id of the registry that counts there
 *   private/move     the id of the move that fills it, or copies from it; it goes when a move there is complete
 */
import { isNodeError } from '../node-error.ts';
import { type Change } from '../ports.ts';
import { type Store } from '../store/store.ts';
import { type PrivateTables, type SharedTables } from './private-tables.ts';
import { registryElsewhere, registryNone, registryOther } from './registry-error.ts';

export type Whereabouts = 'store' | 'postgres';

export type PrivatePlace = { readonly at: 'store' } | { readonly at: 'postgres'; readonly id: string };

export interface Moving {
  readonly to: Whereabouts;
  /** Of the move, and of the registry in the database that it makes. */
  readonly id: string;
  /** Empty where all is to be copied anew. */
  readonly after: string;
}

/** What all names of private rows begin with, in order. What begins otherwise does not go along in a move, and stays in the store. */
const PRIVATE_PREFIXES = ['life/', 'list/', 'lookup/', 'once/', 'override/', 'registry/'] as const;

/** The name of a row in `PrivateTables`, or the beginning of some: `satisfies PrivateName` holds what is named to the list above. */
export type PrivateName = `${(typeof PRIVATE_PREFIXES)[number]}${string}`;

/** The tables of all that is private, in the order of their names. */
export const PRIVATE_RANGES: readonly (readonly [string, string])[] = PRIVATE_PREFIXES.map((prefix) => [
  prefix,
  `${prefix}~`,
]);

/** What is ordered of workers, and goes with the process that ordered it. */
export const WORK_RANGE = ['work/', 'work/~'] as const;

const AT = 'private/at';
const MOVING = 'private/moving';
const LEFT = 'private/left';
export const MARK = 'private/mark';
/** In the database. */
export const REGISTRY = 'private/registry';
export const MOVE = 'private/move';

export async function whereabouts(store: Pick<Store, 'get'>): Promise<PrivatePlace> {
  const text = await textAt(store, AT);
  return text === undefined ? { at: 'store' } : { at: 'postgres', id: text.split(' ')[1] ?? '' };
}

export async function movingOf(store: Pick<Store, 'get'>): Promise<Moving | undefined> {
  const [to, id = '', after = ''] = (await textAt(store, MOVING))?.split(' ') ?? [];
  return to === 'store' || to === 'postgres' ? { to, id, after } : undefined;
}

export async function noteMoving(store: Pick<Store, 'write'>, { to, id, after }: Moving): Promise<void> {
  await store.write([putText(MOVING, `${to} ${id} ${after}`)]);
}

/** What it has copied does not count, and will not be gone on with. */
export async function dropMoving(store: Pick<Store, 'write'>): Promise<void> {
  await store.write([{ del: MOVING }]);
}

/** All is there: from here on it counts, and nothing of where it was. */
export async function noteMoved(store: Pick<Store, 'write'>, { to, id }: Moving): Promise<void> {
  const at = to === 'postgres' ? putText(AT, `postgres ${id}`) : { del: AT };
  await store.write([at, { del: MOVING }, { del: MARK }, putText(LEFT, id)]);
}

/** The registry of this id, which a database holds, counts for this store from here on. */
export async function noteAdopted(store: Pick<Store, 'write'>, id: string): Promise<void> {
  await store.write([putText(AT, `postgres ${id}`), { del: MOVING }, { del: LEFT }, { del: MARK }]);
}

/** The move whose source is still to be removed. */
export function leftBy(store: Pick<Store, 'get'>): Promise<string | undefined> {
  return textAt(store, LEFT);
}

export async function dropLeft(store: Pick<Store, 'write'>): Promise<void> {
  await store.write([{ del: LEFT }]);
}

export async function textAt(tables: Pick<PrivateTables, 'get'>, name: string): Promise<string | undefined> {
  const bytes = await tables.get(name);
  return bytes && Buffer.from(bytes).toString('latin1');
}

export function putText(put: string, text: string): Change {
  return { put, value: Buffer.from(text, 'latin1') };
}

/** @throws {NodeError} REGISTRY_ELSEWHERE where the database holds another registry, or none; REGISTRY_AWAY. */
export async function requireRegistry(postgres: Pick<PrivateTables, 'get'>, id: string): Promise<void> {
  if ((await textAt(postgres, REGISTRY)) !== id) throw registryOther();
}

/**
 * For who has no store that says which one, and makes none.
 * @throws {NodeError} REGISTRY_ELSEWHERE where the database holds none of this region; REGISTRY_AWAY.
 */
export async function requireSomeRegistry(
  postgres: Pick<PrivateTables, 'get'> & { look(): Promise<{ readonly form: string | undefined }> },
): Promise<void> {
  const { form } = await postgres.look();
  if (form === undefined || (await postgres.get(REGISTRY)) === undefined) throw registryNone();
}

/**
 * Makes sure that a node uses the tables that count; what a move has copied so far may be old from here on. A database that is away is
 * asked before anything of it is used.
 * @throws {NodeError} REGISTRY_ELSEWHERE
 */
export async function requireHere(
  store: Store,
  tables: PrivateTables & Partial<Pick<SharedTables, 'expect'>>,
): Promise<void> {
  const here: Whereabouts = tables === store ? 'store' : 'postgres';
  const place = await whereabouts(store);
  if (place.at !== here) throw registryElsewhere(place.at);
  if (place.at === 'postgres') {
    tables.expect?.([REGISTRY, Buffer.from(place.id, 'latin1')]);
    await tables.get(REGISTRY).catch((error: unknown) => {
      if (!isNodeError(error, 'REGISTRY_AWAY')) throw error;
    });
  }
  const moving = await movingOf(store);
  if (moving !== undefined) await noteMoving(store, { ...moving, after: '' });
}
