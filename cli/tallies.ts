/** `entente audit tallies`: what a region told of its codes in public, and which leaves each tally is of. */
import { type Command } from 'commander';
import { readPublicRegion } from '../node/region/public-region.ts';
import { OVERRIDE_REASONS } from '../protocol/disclosure/override.ts';
import { parseEntry } from '../protocol/trust/statement.ts';
import { type StatementOf } from '../protocol/trust/statement-schema.ts';
import { TALLY_COLOURS } from '../protocol/trust/tally.ts';
import { type Cli, examples } from './cli.ts';
import { parseLog } from './disclosures.ts';
import { figure } from './output.ts';
import { printable } from './printable.ts';
import { parseFingerprint, readablePathOf, regionModules } from './region.ts';
import { table } from './table.ts';

interface TalliesOptions {
  readonly log?: string;
  readonly fingerprint?: Uint8Array;
}

export function addTallies(audit: Command, cli: Cli): void {
  audit
    .command('tallies')
    .summary('what a region told of its codes in public')
    .description(
      'Lists the tallies of a trust log: which leaves each is of, how many codes of which colour by which rules, and every code that no rule gave. Have the leaves of a tally disclosed to count again.',
    )
    .argument('<dir>', 'directory of the region, or its public directory')
    .option('--log <yyyy-mm>', 'only of this attestation log', parseLog)
    .option('--fingerprint <hex>', 'the fingerprint that the region is known by', parseFingerprint)
    .addHelpText(
      'after',
      examples(
        ['entente audit tallies DE/public', 'of all logs'],
        ['entente audit tallies DE --log 2026-11 --json', 'with all cells, for programs'],
      ),
    )
    .action((path: string, options: TalliesOptions) => tallies(cli, path, options));
}

async function tallies(cli: Cli, path: string, { log, fingerprint }: TalliesOptions): Promise<void> {
  const modules = await regionModules(cli);
  const { region, entries, fold } = await readPublicRegion(
    await readablePathOf(cli, path),
    { fingerprint },
    modules,
  );
  const without = new Set(fold.findings.map(({ index }) => index));
  const told = entries.flatMap((entry, index) => {
    if (without.has(index)) return [];
    const { statement } = parseEntry(entry);
    return statement.kind === 'tally' && (log === undefined || statement.log === log) ? [statement] : [];
  });
  const shown = told.map(({ log: of, from, until, merged, cells, overrides, at }) => ({
    log: of,
    from,
    until,
    at,
    cells: cells.map(({ rule, colour, count }) => ({ rule, colour: TALLY_COLOURS[colour], count })),
    merged,
    overrides: overrides.map(({ reason, colour, count }) => ({
      reason: OVERRIDE_REASONS[reason] ?? String(reason),
      colour: TALLY_COLOURS[colour],
      count,
    })),
  }));
  cli.output.result({ region, tallies: shown }, () =>
    told.length === 0 ? ['No tally is logged there.'] : linesOf(told),
  );
}

function linesOf(told: readonly StatementOf<'tally'>[]): string[] {
  const rows = told.map(({ log, from, until, cells, merged, overrides }) => [
    printable(log),
    figure(from),
    figure(until),
    ...TALLY_COLOURS.map((_, i) => figure(sumOf(cells, i) + sumOf(overrides, i))),
    figure(merged),
    figure(sumOf(overrides)),
  ]);
  return table(['log', 'from', 'until', ...TALLY_COLOURS, 'merged', 'without a rule'], rows);
}

/** Of one colour, or of all. */
function sumOf(
  cells: readonly { readonly colour: number; readonly count: number }[],
  colour?: number,
): number {
  return cells.reduce((sum, one) => sum + (colour === undefined || one.colour === colour ? one.count : 0), 0);
}
