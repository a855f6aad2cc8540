/** Telling others of what the own trust log has grown by, each entry once. */
import { type Herald } from '../sync/herald.ts';
import { type TrustKeeper } from '../trust/trust-keeper.ts';

export interface OwnNewsModules {
  readonly home: TrustKeeper;
  readonly herald: Herald;
}

export class OwnNews {
  readonly #modules: OwnNewsModules;
  #told: number;

  /** What the log holds now is told by its head alone. */
  constructor(modules: OwnNewsModules) {
    this.#modules = modules;
    this.#told = modules.home.tree.size;
  }

  /** Rejects as the log's reader. */
  async tell(): Promise<void> {
    const { home, herald } = this.#modules;
    const { tree, latest } = home;
    const from = this.#told;
    const size = latest?.checkpoint.size ?? 0;
    if (latest === undefined || size <= from) return;
    this.#told = size;
    const entries: Uint8Array[] = [];
    for await (const entry of tree.reader.entries(from, size)) entries.push(entry);
    herald.tellEntries(from, entries, latest);
  }
}
