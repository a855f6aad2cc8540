/** One update of colours at a time: of everybody who declared, or of some of them; page by page, so that others have their turn in between. */
import { isNodeError } from '../node-error.ts';
import { type Bearing } from './bearing.ts';
import { type DossierPage, type DossierShelf, shareOf } from './dossier-shelf.ts';
import { type LastUpdate } from './last-update.ts';
import { alreadyUpdating } from './life-error.ts';
import { noFigures, UPDATE_OUTCOMES, type UpdateFigures } from './update-figures.ts';
import { PERSONS_TOGETHER, type Unsettled, type UpdateRun, type Updater } from './updater.ts';

export interface UpdateOrder {
  /** Others than those of the region go with `dry` alone. */
  readonly rules?: string | undefined;
  /** Says what would be, and changes nothing; of another time too. */
  readonly dry?: { readonly atS: number } | undefined;
  /** These people alone, at most 1,024. Who did not declare, and of whom nothing can be read, is left out. */
  readonly of?: readonly string[] | undefined;
}

/** `figures`: persons by what became of them, so far; `share`: how far it is, 0 to 1, and 1 at the end alone; `damaged`: the name of a row that cannot be read. */
export type UpdateNews =
  | { readonly figures: UpdateFigures; readonly share: number }
  | { readonly unsettled: Unsettled }
  | { readonly damaged: string };

export interface UpdatingModules {
  readonly shelf: DossierShelf;
  readonly bearing: Pick<Bearing, 'keepOlder' | 'keptAll'>;
  readonly updater: Updater;
  readonly lastUpdate: LastUpdate;
  readonly nowS: () => number;
  /** As `Intake.finish`; to be called in a `turn`. */
  readonly finishIntake: () => Promise<void>;
  /** What an order comes to now. Throws why nobody can be updated. */
  readonly runOf: (order: UpdateOrder) => UpdateRun;
  /** Does something while nobody else changes a dossier. */
  readonly turn: <T>(work: () => Promise<T>) => Promise<T>;
}

export class Updating {
  readonly #modules: UpdatingModules;
  #isRunning = false;

  constructor(modules: UpdatingModules) {
    this.#modules = modules;
  }

  /** Whether one goes on that changes something. */
  get isRunning(): boolean {
    return this.#isRunning;
  }

  /** See `Life.update`. */
  async *update(order: UpdateOrder): AsyncGenerator<UpdateNews, void, undefined> {
    const { turn, finishIntake, runOf } = this.#modules;
    const isDry = order.dry !== undefined;
    if (!isDry && this.#isRunning) throw alreadyUpdating();
    this.#isRunning ||= !isDry;
    try {
      await turn(finishIntake).catch((error: unknown) => this.#failed(error, order));
      yield* this.#update(runOf(order), order);
    } finally {
      if (!isDry) this.#isRunning = false;
    }
  }

  async *#update(run: UpdateRun, order: UpdateOrder): AsyncGenerator<UpdateNews, void, undefined> {
    const { updater, shelf, bearing, lastUpdate, turn } = this.#modules;
    const figures = noFigures();
    try {
      const begun = await updater.begin(run);
      for await (const news of order.of === undefined ? this.#pages(begun) : this.#some(order.of, begun)) {
        const { page, share } = news;
        for (const outcome of UPDATE_OUTCOMES) figures[outcome] += page.figures[outcome];
        // First: whoever goes away in between has counted all that was done.
        yield { figures: { ...figures }, share };
        for (const unsettled of page.unsettled) yield { unsettled };
        for (const { name } of page.damaged) yield { damaged: name };
      }
      if (!run.isDry && order.of === undefined) {
        await turn(() => shelf.forgetMended());
        await bearing.keptAll();
        await lastUpdate.note({ atS: run.nowS, figures });
      }
    } catch (error) {
      this.#failed(error, order);
    }
    yield { figures, share: 1 };
  }

  async *#pages(run: UpdateRun) {
    for (let after = ''; ;) {
      const from = after;
      // Nobody declares or objects while a page is looked at; in between they do.
      const page = await this.#modules.turn(async () => {
        const read = await this.#modules.shelf.page(from, PERSONS_TOGETHER);
        return { ...(await this.#page(read, run)), last: read.last };
      });
      if (page.last === undefined) return;
      after = page.last;
      yield { page, share: Math.min(shareOf(after), 0.999) };
    }
  }

  async *#some(subjects: readonly string[], run: UpdateRun) {
    const { turn, shelf } = this.#modules;
    const page = await turn(async () => this.#page(await shelf.pageOf(subjects), run));
    yield { page, share: 0.999 };
  }

  async #page({ persons, damaged, last }: DossierPage, run: UpdateRun) {
    const { shelf, updater, bearing } = this.#modules;
    if (last === undefined) return { figures: noFigures(), unsettled: [], damaged };
    if (!run.isDry) {
      await shelf.noteDamaged(damaged);
      await bearing.keepOlder(persons);
    }
    const { figures, unsettled } = await updater.update(persons, run);
    return { figures: { ...figures, damaged: damaged.length }, unsettled, damaged };
  }

  /** Notes what an update of all ended with. What is wrong with rules is no part of it: it is found anew whenever somebody asks. */
  #failed(error: unknown, { dry, of }: UpdateOrder): never {
    // A machine that stands by has nothing to update.
    if (dry === undefined && of === undefined && !isNodeError(error, 'LOG_FENCED'))
      this.#modules.lastUpdate.failed(error, this.#modules.nowS());
    throw error;
  }
}
