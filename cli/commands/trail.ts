/** `entente trail show|verify`: what operators did with a region. */
import { type Command, InvalidArgumentError } from 'commander';
import { NodeError } from '../../node/node-error.ts';
import { readTrail } from '../../node/operators/read-trail.ts';
import { FIRST_PREVIOUS, type TrailEntry } from '../../node/operators/trail-line.ts';
import { RegionLayout } from '../../node/region/layout.ts';
import { type Cli, examples } from '../cli.ts';
import { usageError } from '../exit.ts';
import { counted, figure } from '../output.ts';
import { printable } from '../printable.ts';
import { namedDirectory } from '../region.ts';
import { table } from '../table.ts';
import { timeText } from '../times.ts';

const LAST_BY_DEFAULT = 100;
const LAST_MAX = 1_000_000;

interface KeptOptions {
  readonly line?: number;
  readonly hash?: string;
}

export function addTrail(program: Command, cli: Cli): void {
  const trail = program
    .command('trail')
    .summary('what operators did')
    .description(
      'Each act of an operator stands in trail.jsonl before it begins: who, when, what. Each line names the hash of the one before. Nothing of people is in it. It is read beside a node that runs.',
    );
  trail
    .command('show')
    .description('Shows the newest lines of the trail, each held against the one before.')
    .argument('<region>', 'directory of the region')
    .option('--last <n>', `so many lines (default: ${LAST_BY_DEFAULT})`, parseLast)
    .addHelpText('after', examples(['entente trail show DE --last 20', 'what was done last']))
    .action((region: string, { last }: { readonly last?: number }) => show(cli, region, last));
  trail
    .command('verify')
    .description(
      'Checks the whole chain. Ends with exit code 5 where a line was changed or taken out; keep the printed hash elsewhere, since a trail of which the end was cut off is whole too.',
    )
    .argument('<region>', 'directory of the region')
    .option('--line <n>', 'so many lines there were once, as it said then; goes with --hash', parseLine)
    .option('--hash <hex>', 'and this was the hash of the last one of them', parseHash)
    .addHelpText(
      'after',
      examples(
        ['entente trail verify DE', 'all of it'],
        [
          `entente trail verify DE --line 12 --hash ${'0a'.repeat(32)}`,
          'and whether it still begins as it did',
        ],
      ),
    )
    .action((region: string, kept: KeptOptions) => verify(cli, region, kept));
}

async function show(cli: Cli, path: string, last = LAST_BY_DEFAULT): Promise<void> {
  const entries: TrailEntry[] = [];
  for await (const { entry } of readTrail(new RegionLayout(namedDirectory(path)).trail)) {
    entries.push(entry);
    if (entries.length > last) entries.shift();
  }
  cli.output.result({ entries }, () =>
    entries.length === 0
      ? ['Nothing was done yet.']
      : table(['line', 'at', 'who', 'key', 'did', 'of', 'about'], entries.map(rowOf)),
  );
}

function rowOf({ n, at, who, key = '', action, count, failed, ended, about = '' }: TrailEntry): string[] {
  const of = failed ?? ended;
  const how = [
    ...(failed === undefined ? [] : [`FAILED, ${failed.code}`]),
    ...(ended === undefined ? [] : [`ended, ${figure(ended.done)} done, ${figure(ended.failed)} not`]),
    ...Object.entries(ended?.figures ?? {}).map(([name, count]) => `${name} ${figure(count)}`),
    ...(ended?.digest === undefined ? [] : [`SHA-256 ${ended.digest}`]),
  ];
  const did = of === undefined ? action : `${action}: line ${of.n} ${how.join(', ')}`;
  return [
    figure(n),
    timeText(at),
    printable(who),
    key,
    printable(did),
    count === undefined ? '' : figure(count),
    printable(about),
  ];
}

async function verify(cli: Cli, path: string, kept: KeptOptions): Promise<void> {
  if ((kept.line === undefined) !== (kept.hash === undefined))
    throw usageError(
      '--line and --hash go together: give both, as an earlier `entente trail verify` printed them',
    );
  let lines = 0;
  let hash = FIRST_PREVIOUS;
  for await (const line of readTrail(new RegionLayout(namedDirectory(path)).trail)) {
    lines++;
    hash = line.hash;
    if (lines === kept.line && hash !== kept.hash) throw otherThanKept(`line ${lines} has the hash ${hash}`);
  }
  if (lines < (kept.line ?? 0)) throw otherThanKept(`it has ${counted(lines, 'line')}, and had ${kept.line}`);
  cli.output.result({ lines, hash }, () => [
    `The trail is whole: ${counted(lines, 'line')}.`,
    ...(kept.line === undefined ? [] : [`Its first ${counted(kept.line, 'line')} are those that were kept.`]),
    `Hash of the last one: ${hash}`,
    ...(lines === 0
      ? []
      : [
          `Keep it elsewhere, and later: entente trail verify ${printable(path)} --line ${lines} --hash ${hash}`,
        ]),
  ]);
}

function otherThanKept(how: string): NodeError {
  return new NodeError('DATA_INCONSISTENT', `the trail is not the one that was there before: ${how}`, {
    hint: 'It was cut off or written anew, or an older copy was restored: hold it against a backup.',
  });
}

function parseLine(text: string): number {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Expected a number of lines, at least 1.');
}

function parseHash(text: string): string {
  if (/^[0-9a-f]{64}$/.test(text)) return text;
  throw new InvalidArgumentError('Expected 64 hexadecimal digits in lower case.');
}

function parseLast(text: string): number {
  if (/^[1-9]\d{0,6}$/.test(text) && Number(text) <= LAST_MAX) return Number(text);
  throw new InvalidArgumentError(`Expected a number of lines from 1 to ${LAST_MAX}.`);
}
