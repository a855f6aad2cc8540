/** What a region knows of people who declared, and how their colours go on from there. One writer of all tables under `life/`. */
import { type RuleValue } from '../../protocol/rules/evaluate.ts';
import { type TrustState } from '../../protocol/trust/trust-state.ts';
import { type Identity } from '../lists/identity.ts';
import { type ListView } from '../lists/list-view.ts';
import { type Lists } from '../lists/lists.ts';
import { NodeError } from '../node-error.ts';
import { type Clock, type Random } from '../ports.ts';
import { type Store } from '../store/store.ts';
import { Turns } from '../turns.ts';
import { DossierShelf } from './dossier-shelf.ts';
import { type DeclarationOrder, Intake, type IntakeReport } from './intake.ts';
import { knownOf, rulesForPeople } from './known.ts';

export interface LifeOptions {
  /** 32 bytes: that of the registry. Copied. */
  readonly registryKey: Uint8Array;
}

export interface LifeModules {
  readonly store: Store;
  readonly random: Random;
  readonly clock: Clock;
  readonly lists: Lists;
  /** The region's own trust state. */
  readonly state: () => TrustState | undefined;
}

/** What somebody declared, as rules ask for it. */
export interface DeclaredFacts {
  readonly identity: Identity;
  readonly facts: Readonly<Record<string, RuleValue>>;
}

/** All that is done to a table waits for what is being done to it. */
const TURN = 'life';
/** Persons who are asked for at once. */
export const DECLARED_MAX = 1_024;

export class Life {
  readonly #modules: LifeModules;
  readonly #shelf: DossierShelf;
  readonly #intake: Intake;
  readonly #turns = new Turns();

  constructor({ registryKey }: LifeOptions, modules: LifeModules) {
    this.#modules = modules;
    this.#shelf = new DossierShelf({ key: registryKey }, modules);
    this.#intake = new Intake({ key: registryKey }, { ...modules, shelf: this.#shelf });
  }

  /** Takes the declarations of a file, all or none; the same file again changes nothing. Rejects as the store does. */
  declare(order: DeclarationOrder, file: AsyncIterable<Uint8Array>): Promise<IntakeReport> {
    return this.#turns.take(TURN, () => this.#intake.take(order, file));
  }

  /**
   * What at most 1,024 people declared, as these rules ask for it, without what lists say; undefined for who did not.
   * @throws {NodeError} as `rulesForPeople`.
   */
  async declared(subjects: readonly string[], rules: string): Promise<(DeclaredFacts | undefined)[]> {
    if (subjects.length > DECLARED_MAX)
      throw new RangeError(`at most ${DECLARED_MAX} people are asked for at once`);
    const ruleSet = rulesForPeople(this.#requireState(), rules, this.#nowS());
    const view = await this.#modules.lists.view();
    const dossiers = await this.#shelf.dossiers(subjects.map((subject) => this.#shelf.pseudonymOf(subject)));
    return dossiers.map((dossier) => {
      if (dossier === undefined) return undefined;
      const { facts, areStaysUnknown } = knownOf(dossier, NOTHING_FOUND, view, ruleSet);
      if (areStaysUnknown) throw staysUnknown();
      return { identity: dossier.declaration.identity, facts: Object.fromEntries(facts) };
    });
  }

  /** Destroys what a person declared and all that came of it here; false if there is nothing. */
  forget(subject: string): Promise<boolean> {
    return this.#turns.take(TURN, async () => {
      await this.#intake.finish();
      return this.#shelf.forget(subject);
    });
  }

  #requireState(): TrustState {
    const state = this.#modules.state();
    if (state !== undefined) return state;
    throw new NodeError('NOT_FOUND', 'the region has no trust log yet', { hint: 'Found it: entente init.' });
  }

  #nowS(): number {
    return Math.floor(this.#modules.clock.nowMs() / 1_000);
  }
}

const NOTHING_FOUND: Awaited<ReturnType<ListView['find']>>[number] = { matched: [], doubts: [] };

function staysUnknown(): NodeError {
  return new NodeError('REFUSED', 'somebody told of stays, and no list says which areas are at risk', {
    hint: 'Import the areas at risk: entente lists example areas',
  });
}
