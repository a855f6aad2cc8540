/** Taking objections of people who declared, deciding them, and telling of those that are not settled. Changes dossiers in the turn of who owns them. */
import { isNodeError, NodeError } from '../node-error.ts';
import { type PrivateTables } from '../registry/private-tables.ts';
import { type Dossier, type Objection } from './dossier.ts';
import { type DossierShelf, MARKED_TOGETHER } from './dossier-shelf.ts';
import { type By, type Deciding, isOverdue, isUnsettled, withDecision, withObjection } from './objections.ts';

export interface OpenObjection {
  readonly subject: string;
  readonly objection: Objection;
  readonly isOverdue: boolean;
}

/** Objections that are not settled, by what they wait for. */
export interface ObjectionFigures {
  readonly open: number;
  readonly upheld: number;
  readonly overdue: number;
}

export interface ObjectingModules {
  readonly tables: PrivateTables;
  readonly shelf: DossierShelf;
  readonly nowS: () => number;
  /** Does something while nobody else changes a dossier. */
  readonly turn: <T>(work: () => Promise<T>) => Promise<T>;
}

const COUNTED_MAX = 10_000;

export class Objecting {
  readonly #days: number;
  readonly #modules: ObjectingModules;

  /** `days`: until an objection is to be decided. */
  constructor({ days }: { readonly days: number }, modules: ObjectingModules) {
    this.#days = days;
    this.#modules = modules;
  }

  /** As `Life.object`. */
  object(subject: string, text: string, by?: By): Promise<Objection> {
    const change = { text, nowS: this.#modules.nowS(), days: this.#days, ...(by && { by }) };
    return this.#changed(subject, (dossier) => withObjection(dossier, change)).catch((error: unknown) => {
      if (isNodeError(error, 'NOT_FOUND')) throw undeclared(error);
      throw error;
    });
  }

  /** As `Life.decide`. */
  decide(subject: string, deciding: Deciding, by?: By): Promise<Objection> {
    return this.#changed(
      subject,
      (dossier) => withDecision(dossier, deciding, { nowS: this.#modules.nowS(), ...(by && { by }) }),
      ({ number }) => number === deciding.number,
    );
  }

  /** As `Life.objections`. */
  async *unsettled(): AsyncGenerator<OpenObjection, void, undefined> {
    const nowS = this.#modules.nowS();
    for await (const page of this.#modules.shelf.marked('objection', MARKED_TOGETHER))
      for (const { dossier } of page)
        for (const objection of dossier.objections.filter(isUnsettled))
          yield {
            subject: dossier.declaration.subject,
            objection,
            isOverdue: isOverdue(objection, nowS),
          };
  }

  /** Those beyond 10,000 are not counted. Rejects as the store. */
  async count(): Promise<ObjectionFigures> {
    const figures = { open: 0, upheld: 0, overdue: 0 };
    for await (const { objection, isOverdue: isLate } of this.unsettled()) {
      figures[objection.state === 'open' ? 'open' : 'upheld']++;
      if (isLate) figures.overdue++;
      if (figures.open + figures.upheld >= COUNTED_MAX) break;
    }
    return figures;
  }

  #changed(
    subject: string,
    change: (dossier: Dossier) => Dossier,
    isIt: (objection: Objection) => boolean = () => true,
  ): Promise<Objection> {
    const { tables, shelf, turn } = this.#modules;
    return turn(async () => {
      const dossier = change(await shelf.require(subject));
      const mark = dossier.objections.some(isUnsettled)
        ? shelf.markChange('objection', subject)
        : shelf.unmarkChange('objection', subject);
      await tables.write([shelf.dossierChange(dossier), mark]);
      return dossier.objections.find(isIt) as Objection;
    });
  }
}

/** Somebody whose code was issued or revoked otherwise may want to object all the same. */
function undeclared(cause: NodeError): NodeError {
  const message = 'an objection needs a declaration, and nobody of that reference has declared';
  return new NodeError('NOT_FOUND', message, {
    cause,
    hint: 'Take their declaration first: `entente declare`, then `entente update`, and then this again.',
  });
}
