/**
 * How far the database of the registry is, as the store of the node knows it, so that a database that has lost what it acknowledged (put
 * back from a backup, or taken over by a replica that was behind) is found out before anybody issues on what is left:
 *
 *   private/mark                    in both places: a count that is raised in the database first
 *   registry/written/<log>          in the database, with each batch: up to which index there are records
 *   private/written/<log>           in the store: the same, once the database has acknowledged it
 *
 * It is found by the next code, and where none was issued since by the last raising before the loss.
 */
import { NodeError } from '../node-error.ts';
import { type Change } from '../ports.ts';
import { type Store } from '../store/store.ts';
import { type PrivateTables } from './private-tables.ts';
import { MARK, type PrivateName, putText, textAt } from './whereabouts.ts';

export interface RegistryMarkModules {
  readonly store: Pick<Store, 'get' | 'write' | 'page'>;
  readonly tables: Pick<PrivateTables, 'get' | 'write'>;
}

const THERE = 'registry/written/' satisfies PrivateName;
const HERE = 'private/written/';
/** One for each month. */
const WRITTEN_MAX = 10_000;

export class RegistryMark {
  readonly #modules: RegistryMarkModules;

  constructor(modules: RegistryMarkModules) {
    this.#modules = modules;
  }

  /** `log`: to be compared too. @throws {NodeError} REGISTRY_BEHIND, and as the two. */
  async require(log?: string): Promise<void> {
    const { store, tables } = this.#modules;
    const names = [[MARK, MARK], ...(log === undefined ? [] : [[THERE + log, HERE + log]])] as const;
    for (const [there = '', here = ''] of names) {
      // The store is asked first: what it knows by now, the database has, also where the count is raised meanwhile.
      const known = numberOf(await textAt(store, here));
      if (numberOf(await textAt(tables, there)) < known) throw registryBehind();
    }
  }

  /** What the database is to be told with the records of a batch that ends before `end`, and then the store. */
  written(log: string, end: number): { readonly there: Change; readonly here: Change } {
    return { there: putText(THERE + log, String(end)), here: putText(HERE + log, String(end)) };
  }

  /** Rejects as the two. */
  async raise(): Promise<void> {
    const { store, tables } = this.#modules;
    await this.require();
    const next = putText(MARK, String(numberOf(await textAt(tables, MARK)) + 1));
    await tables.write([next]);
    await store.write([next]);
  }

  /** The operator goes on with what is left: from here on it counts as all that there was. */
  async accept(): Promise<void> {
    const { store, tables } = this.#modules;
    const mark = putText(MARK, String(numberOf(await textAt(tables, MARK))));
    const written = await store.page(HERE, `${HERE}~`, { limit: WRITTEN_MAX });
    await store.write([mark, ...written.map(([del]) => ({ del }))]);
  }
}

function numberOf(text: string | undefined): number {
  return Number(text ?? 0);
}

function registryBehind(): NodeError {
  return new NodeError('REGISTRY_BEHIND', 'the database of the registry has lost what it had acknowledged', {
    fatal: true,
    hint: 'Bring back the database that has it all, such as the replica that was ahead. If there is none: entente registry accept <region>, and see docs/postgres.md for what is lost.',
  });
}
