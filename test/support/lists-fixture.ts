/** Lists of a region on a medium that survives its processes. */
import { saidOf } from '../../node/lists/entry.ts';
import { Shelf } from '../../node/lists/shelf.ts';
import { type ImportReport, type ListOrder, Lists } from '../../node/lists/lists.ts';
import { type ListKind } from '../../node/lists/kinds.ts';
import { requireRead } from '../../node/lists/unread-rows.ts';
import { type Store } from '../../node/store/store.ts';
import { systemRandom } from '../../node/system-random.ts';
import { REGISTRY_KEY } from './issuing-fixture.ts';
import { Machine } from './log-fixture.ts';

const random = systemRandom();
/** After the days in the examples of lists. */
export const LISTS_NOW_S = Date.parse('2026-11-26T12:00:00Z') / 1_000;

export async function* bytesOf(text: string | Uint8Array, size = 1_000): AsyncGenerator<Uint8Array> {
  await Promise.resolve();
  const bytes = Buffer.from(text as string);
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

export class ListsFixture {
  readonly machine: Machine;
  store: Store;
  lists: Lists;
  shelf: Shelf;
  /** What was told of. */
  readonly troubles: unknown[] = [];

  private constructor(machine: Machine, store: Store) {
    this.machine = machine;
    this.store = store;
    machine.clock.nowAtMs = LISTS_NOW_S * 1_000;
    const onTrouble = (error: unknown) => this.troubles.push(error);
    const modules = { tables: machine.tables ?? store, random, clock: machine.clock, onTrouble };
    this.lists = new Lists({ key: REGISTRY_KEY }, modules);
    this.shelf = new Shelf({ key: REGISTRY_KEY }, modules);
  }

  static async open(machine = new Machine()): Promise<ListsFixture> {
    return new ListsFixture(machine, await machine.openStore({ openDelaysMs: [0, 1], retryMs: 5 }));
  }

  import(kind: ListKind, file: string | Uint8Array, order: Partial<ListOrder> = {}): Promise<ImportReport> {
    const whole = {
      kind,
      source: 'office',
      asOfS: LISTS_NOW_S,
      format: 'csv',
      encoding: 'utf-8',
      ...order,
    } as const;
    return this.lists.import(whole, bytesOf(file));
  }

  /** What the list in force says of each person or area, by the lines that said it first. */
  async inForce(kind: ListKind): Promise<Map<number, Record<string, string>>> {
    const [newest] = await this.lists.versions(kind);
    const said = new Map<number, Record<string, string>>();
    if (newest === undefined) return said;
    for await (const row of this.shelf.all(kind, newest.version)) {
      const entry = requireRead(row);
      said.set(entry.line, { ...saidOf(entry) });
    }
    return said;
  }

  /** Names under `list/` in the store. */
  async names(): Promise<string[]> {
    const names: string[] = [];
    for await (const [name] of (this.machine.tables ?? this.store).entries('list/', 'list0'))
      names.push(name);
    return names;
  }
}

/** A passport of nobody. */
export function passport(number: number): string {
  return `passport,DE,C${String(number).padStart(8, '0')}`;
}
