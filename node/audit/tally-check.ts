/** Whether a tally can be what its region counted, by what was opened of its leaves. Spec: SPEC.md 8.6, 22. */
import { TALLY_CELL_MIN, TALLY_CELLS_MAX } from '../../protocol/limits.ts';
import { byRule, type TallyCell, type TallyCounter, type TallyCounts } from '../../protocol/trust/tally.ts';

/**
 * How many codes a tally tells of beyond those that were opened. Undefined where no further ones, at most `closed`, are such that the
 * region has to tell of all of them together by this tally.
 */
export function missingFrom(tally: TallyCounts, opened: TallyCounter, closed: number): number | undefined {
  const { cells, merged, overrides } = tally;
  const told = new Map(cells.map((cell) => [nameOf(cell), cell.count]));
  const toldOverrides = new Map(overrides.map((cell) => [overrideName(cell), cell.count]));
  const unnamed: TallyCell[] = [];
  for (const cell of opened.exact) {
    const count = told.get(nameOf(cell));
    if (count === undefined) unnamed.push(cell);
    else if (count < cell.count) return undefined;
  }
  for (const cell of opened.overrides)
    if ((toldOverrides.get(overrideName(cell)) ?? 0) < cell.count) return undefined;
  if (!mayBeMerged(unnamed, tally)) return undefined;
  const missing = sumOf(cells) + merged + sumOf(overrides) - opened.total;
  return missing <= closed ? missing : undefined;
}

/** Whether cells that were opened so far can be those that are told of by `merged`, with others of which nothing is known. */
function mayBeMerged(unnamed: readonly TallyCell[], { cells, merged }: TallyCounts): boolean {
  const sum = sumOf(unnamed);
  if (sum > merged) return false;
  const large = unnamed.filter(({ count }) => count >= TALLY_CELL_MIN);
  const [one] = large;
  if (one === undefined) return merged === 0 || merged >= TALLY_CELL_MIN || cells.length === 0;
  const isSmallest = (cell: TallyCell) =>
    cells.every((other) => (cell.count - other.count || byRule(cell, other)) < 0);
  if (cells.length === TALLY_CELLS_MAX) return large.every(isSmallest);
  // With a large one go small ones, 1 to 9 together; no second one does, since the sum is no longer small then.
  const count = Math.max(one.count, merged - (TALLY_CELL_MIN - 1));
  const small = merged - count;
  return large.length === 1 && small > 0 && sum - one.count <= small && isSmallest({ ...one, count });
}

function sumOf(cells: readonly { readonly count: number }[]): number {
  return cells.reduce((sum, { count }) => sum + count, 0);
}

const nameOf = ({ rule, colour }: TallyCell) => `${rule} ${colour}`;
const overrideName = ({ reason, colour }: TallyCounts['overrides'][number]) => `${reason} ${colour}`;
