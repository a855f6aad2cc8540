/** Codes of a stretch of a log, counted by colour and rule for everybody to see. Spec: SPEC.md 8.6. */
import { type Status } from '../code/status.ts';
import { type Basis } from '../disclosure/basis.ts';
import { MANUAL_RULE_ID, OVERRIDE_REASONS, type OverrideReason } from '../disclosure/override.ts';
import { TALLY_CELL_MIN, TALLY_CELLS_MAX } from '../limits.ts';

export const TALLY_COLOURS = ['green', 'yellow', 'red'] as const;

export interface TallyCell {
  readonly rule: string;
  /** Index in `TALLY_COLOURS`. */
  readonly colour: number;
  readonly count: number;
}

export interface TallyOverride {
  /** Index in `OVERRIDE_REASONS`. */
  readonly reason: number;
  readonly colour: number;
  readonly count: number;
}

export interface TallyCounts {
  /** Of 10 and more, by rule and then by colour. */
  readonly cells: readonly TallyCell[];
  /** All other codes. */
  readonly merged: number;
  /** Codes that the region gave without a rule, every one of them, by reason and then by colour. */
  readonly overrides: readonly TallyOverride[];
}

/** What a code is counted by; `original`: there where it is bridged. */
export type CountedStatus = Pick<Status, 'colour' | 'ruleId'> & { readonly original?: unknown };

/** Counts codes one by one. */
export class TallyCounter {
  readonly #byRule = new Map<string, { rule: string; colour: number; count: number }>();
  readonly #overrides = new Map<string, { reason: number; colour: number; count: number }>();
  #total = 0;

  /** `basis`: undefined where the region keeps none; what is malformed tells of no reason, and counts as none. */
  add(status: CountedStatus, basis: Basis | 'malformed' | undefined): void {
    this.#total++;
    const colour = TALLY_COLOURS.indexOf(status.colour);
    const why = reasonOf(status, basis);
    if (why === undefined) {
      const { ruleId: rule } = status;
      const cell = this.#byRule.get(`${rule} ${colour}`) ?? { rule, colour, count: 0 };
      cell.count++;
      this.#byRule.set(`${rule} ${colour}`, cell);
    } else {
      const reason = OVERRIDE_REASONS.indexOf(why);
      const cell = this.#overrides.get(`${reason} ${colour}`) ?? { reason, colour, count: 0 };
      cell.count++;
      this.#overrides.set(`${reason} ${colour}`, cell);
    }
  }

  get total(): number {
    return this.#total;
  }

  /** All cells of rules, small ones too: for whoever may see them. */
  get exact(): readonly TallyCell[] {
    return [...this.#byRule.values()].sort(byRule);
  }

  get overrides(): readonly TallyOverride[] {
    return [...this.#overrides.values()].sort((a, b) => a.reason - b.reason || a.colour - b.colour);
  }

  /**
   * What may be told: a cell under 10 would tell of few people, and so would the sum of such cells where it is under 10 itself,
   * wherefore the smallest other cell is added to it then. A tally has room for 96 cells: of more the smallest are added up too.
   */
  get counts(): TallyCounts {
    const cells = this.exact.filter(({ count }) => count >= TALLY_CELL_MIN);
    let merged = this.exact.reduce((sum, { count }) => sum + (count < TALLY_CELL_MIN ? count : 0), 0);
    const tellsOfFew = () => merged > 0 && merged < TALLY_CELL_MIN && cells.length > 0;
    while (cells.length > TALLY_CELLS_MAX || tellsOfFew()) {
      const smallest = cells.reduce((a, b) => (b.count < a.count ? b : a));
      cells.splice(cells.indexOf(smallest), 1);
      merged += smallest.count;
    }
    return { cells, merged, overrides: this.overrides };
  }
}

/** Undefined for a colour that a rule gave, and for that of a bridged code: another region decided it, whose tally says how. */
export function reasonOf(
  { ruleId, original }: Pick<CountedStatus, 'ruleId' | 'original'>,
  basis: Basis | 'malformed' | undefined,
): OverrideReason | undefined {
  if (original !== undefined) return undefined;
  if (basis !== 'malformed' && basis?.kind === 'override') return basis.reason;
  return ruleId === MANUAL_RULE_ID ? 'one-person' : undefined;
}

export function byRule(a: TallyCell, b: TallyCell): number {
  return (a.rule < b.rule ? -1 : a.rule > b.rule ? 1 : 0) || a.colour - b.colour;
}
