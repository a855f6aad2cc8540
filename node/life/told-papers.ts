/**
 * Whose papers are told with orders for people who never declared: those that earlier orders told of the same reference, as far as any did, and
 * nobody else's. What an order tells that nothing contradicts is kept for the next, before anything is issued.
 */
import { type Status } from '../../protocol/code/status.ts';
import { MANUAL_RULE_ID } from '../../protocol/disclosure/override.ts';
import { type Identity } from '../lists/identity.ts';
import {
  borneBy,
  DAMAGED,
  type KeptPapers,
  type PaperNames,
  type PaperRows,
} from '../registry/paper-rows.ts';
import { type RegistryRecord } from '../registry/registry.ts';
import { type Contradiction, type Weighed } from './claim.ts';
import { isStricter } from './judging.ts';
import { type Having } from './turned.ts';

/** An order, and what of it is known without looking whose the papers are that it tells. */
export interface Looked {
  readonly subject: string;
  /** Of the person. */
  readonly pseudonym: string;
  readonly status: Status;
  readonly having: Having;
  /** What it tells of somebody who never declared, in the one form in which papers are compared; undefined for who did. */
  readonly papers: Identity | undefined;
  /** Whether it turns somebody who never declared, and of whom something is known, or whose declaration cannot be read. */
  readonly turns: boolean;
  /** Whether no list demands as much of whoever has these papers, by the document where one is told. */
  readonly isTold: boolean;
  readonly contradiction: Contradiction | undefined;
  /** Whether the person is being forgotten, or was since that was ordered: then nothing more is kept of them. */
  readonly isForgotten: () => boolean;
}

export interface ByPapersModules {
  readonly areNamed: boolean;
  readonly rows: PaperRows;
}

const COMPARED = ['name', 'birthDate', 'document'] as const;

type Kept = KeptPapers | typeof DAMAGED | undefined;

/**
 * `other`: somebody else's, as far as is known here. `sure`: all that is kept of this person, and all codes of theirs that demand less were given under
 * them. `open`: nobody knows but by this order.
 */
type Verdict = 'other' | 'sure' | 'open';

/**
 * What orders come to by the papers that they tell, in their order. Of two that tell the same for different people only the first goes on. Papers of those
 * that go on are kept by then. Rejects as the tables, and `PaperRows.settled`.
 */
export async function byPapers(looked: readonly Looked[], modules: ByPapersModules): Promise<Weighed[]> {
  if (looked.every(({ papers }) => papers === undefined))
    return looked.map((one) => weighedBy(one, 'open', modules));
  return modules.rows.settled(() => heldAgainstKept(looked, modules));
}

/** Undefined where others have kept papers of the same people meanwhile. */
async function heldAgainstKept(
  looked: readonly Looked[],
  modules: ByPapersModules,
): Promise<Weighed[] | undefined> {
  const told = looked.map(({ papers }) => papers && modules.rows.namesOf(papers));
  const papers = await Papers.read(looked, told, modules.rows);
  const weighed = looked.map((one, i) => {
    const names = told[i];
    if (names === undefined) return weighedBy(one, 'open', modules);
    const weighed = weighedBy(one, papers.verdictOf(one, names), modules);
    if (weighed.contradiction === undefined && !one.isForgotten()) papers.take(one, names);
    return weighed;
  });
  return (await papers.keep()) ? weighed : undefined;
}

function weighedBy(
  { turns, isTold, contradiction }: Looked,
  verdict: Verdict,
  { areNamed }: ByPapersModules,
): Weighed {
  if (verdict === 'other') return { contradiction: 'papers', isTold };
  const isTurned = turns && verdict !== 'sure';
  return {
    contradiction: contradiction ?? (isTurned && areNamed ? 'told' : undefined),
    isTold: isTold || isTurned,
  };
}

/** What is kept, and what comes to it. */
class Papers {
  readonly #rows: PaperRows;
  readonly #kept: Map<string, Kept>;
  readonly #bearers: Map<string, string>;
  readonly #changed = new Map<string, KeptPapers>();
  readonly #borne = new Map<string, string>();
  readonly #added = new Set<string>();

  private constructor(rows: PaperRows, kept: Map<string, Kept>, bearers: Map<string, string>) {
    this.#rows = rows;
    this.#kept = kept;
    this.#bearers = bearers;
  }

  /** Two trips at most, and one where nothing is told that is not kept. */
  static async read(
    looked: readonly Looked[],
    told: readonly (PaperNames | undefined)[],
    rows: PaperRows,
  ): Promise<Papers> {
    const some = looked.filter(({ papers }) => papers !== undefined);
    const pseudonyms = [...new Set(some.map(({ pseudonym }) => pseudonym))];
    const values = await rows.keptOf(pseudonyms);
    const kept = new Map<string, Kept>(pseudonyms.map((one, i) => [one, values[i]]));
    const newly = looked.flatMap(({ pseudonym }, i) => newlyBorne(told[i] ?? {}, kept.get(pseudonym)));
    const names = [...new Set(newly)];
    const bearers = new Map<string, string>();
    for (const [i, bearer] of (await rows.bearersOf(names)).entries())
      if (bearer !== undefined) bearers.set(names[i] ?? '', bearer);
    return new Papers(rows, kept, bearers);
  }

  verdictOf({ pseudonym, status, having }: Looked, told: PaperNames): Verdict {
    const kept = this.#kept.get(pseudonym);
    const isOthers = (name: string) => (this.#bearers.get(name) ?? pseudonym) !== pseudonym;
    if (newlyBorne(told, kept).some(isOthers) || isUnlike(told, kept)) return 'other';
    // Of who was forgotten nobody knows any more what was kept, and what they had.
    if (kept === undefined || kept === DAMAGED || having.wasForgotten) return 'open';
    const isUnder = ({ hour, fields }: RegistryRecord) =>
      !isStricter(status, fields.status) ||
      (hour >= kept.sinceHour && fields.status.ruleId !== MANUAL_RULE_ID);
    // Of what cannot be read nobody knows when it was given.
    const areUnder = having.areUnread ? kept.sinceHour === 0 : having.records.every(isUnder);
    return areUnder && isAllOf(told, kept) && isAllOf(kept, told) ? 'sure' : 'open';
  }

  /**
   * From here on they are this person's. What is told beside less than all that is kept is not added: what is kept was told in one order, and so held
   * against lists together. Nor is anything to what cannot be read.
   */
  take(looked: Looked, told: PaperNames): void {
    const { subject, pseudonym, having } = looked;
    const kept = this.#kept.get(pseudonym);
    if (having.areUnread || kept === DAMAGED || (kept === undefined && isAllOf(told, {}))) return;
    const of = nextOf(told, kept, looked);
    if (of === undefined) return;
    const next = { ...of, subject };
    for (const name of borneBy(next)) {
      if (kept !== undefined && borneBy(kept).includes(name)) continue;
      this.#bearers.set(name, pseudonym);
      this.#borne.set(name, pseudonym);
    }
    if (kept === undefined) this.#added.add(pseudonym);
    this.#kept.set(pseudonym, next);
    this.#changed.set(pseudonym, next);
  }

  /** As `PaperRows.keep`. */
  keep(): Promise<boolean> {
    return this.#rows.keep(this.#changed, this.#borne, this.#added);
  }
}

/** What is kept once an order has told this of a person with what they have; undefined where that is the same. */
function nextOf(
  told: PaperNames,
  kept: KeptPapers | undefined,
  { status, having: { records } }: Pick<Looked, 'status' | 'having'>,
): KeptPapers | undefined {
  // Whatever the person has by now may have been given under other papers.
  const nowHour = Math.max(0, ...records.map(({ hour }) => hour + 1));
  // Under papers that were told with worse news alone nothing was given that lists could turn.
  const surelyHour = status.colour === 'green' ? nowHour : Infinity;
  if (kept === undefined) return { ...told, sinceHour: surelyHour };
  const isUnsure = kept.sinceHour === Infinity;
  if (!isAllOf(kept, told)) return isUnsure ? undefined : { ...kept, sinceHour: Infinity };
  const sinceHour = isUnsure ? surelyHour : Math.max(kept.sinceHour, surelyHour);
  if (isAllOf(told, kept)) return isUnsure && sinceHour !== Infinity ? { ...kept, sinceHour } : undefined;
  return { ...told, person: told.person ?? kept.person, sinceHour };
}

/** What of told papers nobody else may have, and is not known to be this person's. */
function newlyBorne(told: PaperNames, kept: Kept): string[] {
  const own = kept === DAMAGED || kept === undefined ? {} : kept;
  return isAllOf(told, own) ? [] : borneBy(told).filter((name) => !borneBy(own).includes(name));
}

/** What only one side tells is no difference. */
function isUnlike(told: PaperNames, kept: Kept): boolean {
  if (kept === DAMAGED || kept === undefined) return false;
  return COMPARED.some(
    (part) => told[part] !== undefined && kept[part] !== undefined && told[part] !== kept[part],
  );
}

/** Whether the second has all that the first has. */
function isAllOf(some: PaperNames, all: PaperNames): boolean {
  return COMPARED.every((part) => some[part] === undefined || some[part] === all[part]);
}
