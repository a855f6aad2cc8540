/** `entente doctor`: what is wrong with a region's node, and what to type about it. */
import { type Command } from 'commander';
import { type Cli, examples } from '../cli.ts';
import { type Examined } from '../doctor/examine.ts';
import { type Level } from '../doctor/finding.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import { counted } from '../output.ts';
import { printable } from '../printable.ts';
import { wrapped } from '../wrap.ts';

const EXITS = `

Exit codes: 0 nothing has to be done, 1 something must be mended, 4 too few
            peers can be asked or vouch, 5 data is damaged, forked or an old
            copy.`;

/** The gravest first: damage outweighs a fault, and that a peer who is gone. */
const RANKED: readonly ExitCode[] = [EXIT.inconsistent, EXIT.failure, EXIT.undetermined];

export function addDoctor(program: Command, cli: Cli): void {
  program
    .command('doctor')
    .summary("what is wrong with a region's node, and what to type")
    .description(
      'Looks at the configuration, secret files, ports, clock, disks, store, keys, peers and logs of a region, whether its node runs or not, and says of each how it is and what to type where something has to be done. Signs nothing and changes nothing. Of a stopped node it asks the peers in its name; a peer that hangs costs some seconds. Nobody but peers is asked.',
    )
    .argument('<dir>', 'directory of the region')
    .option('--problems', 'leave out what is well')
    .addHelpText(
      'after',
      examples(
        ['entente doctor DE', 'how is it, and what has to be done?'],
        ['entente doctor DE --problems', 'only what has to be done or looked at'],
        ['entente doctor DE --json', 'the same as one document, for a program'],
      ) + EXITS,
    )
    .action((path: string, options: { readonly problems?: true }) => doctor(cli, path, options));
}

async function doctor(cli: Cli, path: string, { problems }: { readonly problems?: true }): Promise<void> {
  // What asks peers is loaded only where it is used.
  const [{ collect }, { examine }] = await Promise.all([
    import('../doctor/collect.ts'),
    import('../doctor/examine.ts'),
  ]);
  const patient = await collect(cli, path);
  const findings = await examine(patient);
  cli.exit = exitOf(findings);
  const { config, running } = patient;
  const counts = { must: countOf(findings, 'must'), warn: countOf(findings, 'warn') };
  const shown =
    problems === true ? findings.filter(({ level }) => level === 'must' || level === 'warn') : findings;
  const region = config && { region: config.region, network: config.network };
  cli.output.result({ ...region, isRunning: running !== undefined, ...counts, findings: shown }, () => [
    region === undefined
      ? printable(path)
      : `${region.region} in network ${region.network}, in ${printable(path)}`,
    ...shown.flatMap((finding) => lines(finding, cli)),
    '',
    summary(counts),
  ]);
}

function exitOf(findings: readonly Examined[]): ExitCode {
  const exits = findings.flatMap(({ level, exit = EXIT.failure }) => (level === 'must' ? [exit] : []));
  return RANKED.find((exit) => exits.includes(exit)) ?? EXIT.ok;
}

const WORDS: Readonly<Record<Level, string>> = { ok: 'ok', note: 'note', warn: 'warn', must: 'MUST' };
const INDENT = ' '.repeat(21);

function lines({ level, family, text, fix }: Examined, { output: { colours } }: Cli): string[] {
  const paint = { ok: colours.green, note: colours.dim, warn: colours.yellow, must: colours.red }[level];
  const head = `${paint(WORDS[level].padEnd(4))}  ${family.padEnd(13)}  `;
  return [
    head + wrapped(INDENT + text, INDENT).slice(INDENT.length),
    ...(fix === undefined ? [] : [`${INDENT}${colours.bold(`$ ${fix}`)}`]),
  ];
}

function summary({ must, warn }: Readonly<Record<'must' | 'warn', number>>): string {
  if (must + warn === 0) return 'All is well.';
  const parts = [
    ...(must > 0 ? [`${counted(must, 'thing')} must be mended`] : []),
    ...(warn > 0 ? [`${counted(warn, 'thing')} ${warn === 1 ? 'is' : 'are'} worth a look`] : []),
  ];
  return `${parts.join(', ')}.`;
}

function countOf(findings: readonly Examined[], level: Level): number {
  return findings.filter((one) => one.level === level).length;
}
