/**
 * A fold of a trust log that is held from its first entry on: tells which of all its entries have effect, those too of which a state has forgotten what
 * they said. A fold that began at a base knows that only from there on, and what forgets nothing finds other entries without effect.
 */
import { TrustFold } from '../../protocol/trust/fold.ts';
import { type Finding, type TrustState } from '../../protocol/trust/trust-state.ts';
import { type TrustModules } from '../../protocol/trust/verify-statement.ts';
import { type LogReader } from '../log/log-reader.ts';
import { type Clock } from '../ports.ts';
import { neededFrom, noHistory } from './region-fold.ts';

export interface WholeFoldModules extends TrustModules {
  readonly clock: Pick<Clock, 'wait'>;
  readonly tree: () => { readonly size: number; readonly reader: Pick<LogReader, 'entries'> };
}

interface Names {
  readonly region: string;
  readonly network: string;
}

/** Entries that are folded before others have their turn. */
const STEP = 64;

export class WholeFold {
  readonly #modules: WholeFoldModules;
  #fold: TrustFold;

  /** Has folded nothing yet. */
  constructor({ region, network }: Names, modules: WholeFoldModules) {
    this.#modules = modules;
    this.#fold = new TrustFold({ region, network, history: noHistory }, modules);
  }

  /** Entries folded. */
  get size(): number {
    return this.#fold.size;
  }

  /** What they say. */
  get state(): TrustState {
    return this.#fold.state;
  }

  /** Those that have no effect. A voiding adds and takes away. */
  get findings(): readonly Finding[] {
    return this.#fold.findings;
  }

  /** Folds what the log has got, and shows each entry once it is folded. One call at a time. Rejects as reading the log. */
  async advance(onEntry: (entry: Uint8Array, index: number) => void): Promise<void> {
    const { reader, size } = this.#modules.tree();
    for await (const bytes of reader.entries(this.size, size)) {
      const entry = bytes.slice();
      await this.#append(entry);
      onEntry(entry, this.size - 1);
      if (this.size % STEP === 0) await this.#modules.clock.wait(0);
    }
  }

  async #append(entry: Uint8Array): Promise<void> {
    const { size } = this;
    let fold = this.#fold;
    for (let before = Infinity; ;) {
      try {
        fold.append(entry);
        if (fold !== this.#fold) this.#fold = fold.fork(noHistory);
        return;
      } catch (error) {
        const needed = neededFrom(error);
        if (needed >= before) throw error;
        before = needed;
        const from = Math.min(needed, size);
        const history = await this.#entries(from, size);
        fold = this.#fold.fork((index) => (index < from ? noHistory(index) : history.slice(index - from)));
      }
    }
  }

  async #entries(from: number, to: number): Promise<Uint8Array[]> {
    const entries: Uint8Array[] = [];
    for await (const entry of this.#modules.tree().reader.entries(from, to)) entries.push(entry.slice());
    return entries;
  }
}

/** What all entries of a log say. Rejects as reading it. */
export async function wholeState(names: Names, modules: WholeFoldModules): Promise<TrustState> {
  const fold = new WholeFold(names, modules);
  await fold.advance(() => undefined);
  return fold.state;
}
