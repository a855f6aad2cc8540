/** `entente demo`: three regions on this machine, from their first key to an issuer that is killed, in about a minute. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Command, InvalidArgumentError } from 'commander';
import { namesIn } from '../../node/region/files.ts';
import { type Cli, examples } from '../cli.ts';
import { DemoShell } from '../demo/shell.ts';
import { Story } from '../demo/story.ts';
import { CliError, EXIT, usageError } from '../exit.ts';
import { PEOPLE_MAX } from '../people/people-file.ts';
import { printable } from '../printable.ts';

/** Of fewer, none would be red. */
const PEOPLE_MIN = 100;

interface DemoOptions {
  readonly dir?: string;
  readonly clean?: true;
  readonly ways?: true;
  readonly people: number;
}

export function addDemo(program: Command, cli: Cli): void {
  program
    .command('demo')
    .summary('see three regions at work')
    .description(
      'Sets up three regions of synthetic people, issues, judges, revokes and forges codes, and explains each verdict.',
    )
    .option('--dir <dir>', 'empty directory to work in (default: a new one for temporary files)')
    .option('--people <n>', 'people to issue codes for, 100 to 100,000', parsePeople, 10_000)
    .option('--ways', 'tell instead how codes count elsewhere: by adapter, by bridge, and hosted')
    .option('--clean', 'remove the directory at the end instead of keeping it to try things on')
    .addHelpText(
      'after',
      examples(
        ['entente demo', 'takes half a minute'],
        ['entente demo --ways --clean', 'the three ways, with nodes as processes'],
        ['entente demo --json', 'steps and verdicts as JSON'],
      ),
    )
    .action((options: DemoOptions) => demo(cli, options));
}

async function demo(cli: Cli, options: DemoOptions): Promise<void> {
  const dir = await workingDirectory(options);
  const { output } = cli;
  const { onSignal = () => undefined } = cli.surroundings;
  const interrupted = new Promise<never>((_, reject) => {
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
      onSignal(name, () =>
        reject(new CliError(EXIT.failure, 'INTERRUPTED', `the demo was stopped by ${name}`)),
      );
  });
  const before = process.cwd();
  process.chdir(dir);
  const story = new Story(options.people, cli, new DemoShell(cli));
  try {
    output.text(
      output.colours.bold("Entente: regions recognise each other's health codes, without a centre."),
    );
    output.text(`Everything below happens in ${dir}.`);
    await Promise.race([options.ways === true ? story.tellWays() : story.tell(), interrupted]);
    await story.stop();
    if (output.json)
      output.result({ dir: options.clean === true ? undefined : dir, steps: story.told }, () => []);
    else if (options.clean !== true)
      output.text(...(options.ways === true ? whereItIs(dir) : whatNext(dir, output.colours.bold)));
  } finally {
    await story.stop();
    process.chdir(before);
    if (options.clean === true) await rm(dir, { recursive: true, force: true });
  }
}

function parsePeople(text: string): number {
  const people = /^\d{1,6}$/.test(text) ? Number(text) : NaN;
  if (people >= PEOPLE_MIN && people <= PEOPLE_MAX) return people;
  throw new InvalidArgumentError(`Expected ${PEOPLE_MIN} to ${PEOPLE_MAX}.`);
}

async function workingDirectory({ dir }: DemoOptions): Promise<string> {
  if (dir === undefined) return mkdtemp(join(tmpdir(), 'entente-demo-'));
  const path = resolve(dir);
  if ((await namesIn(path)).length > 0)
    throw usageError(
      `${printable(dir)} is not empty`,
      'Name an empty directory, or one that does not exist.',
    );
  await mkdir(path, { recursive: true });
  return path;
}

function whereItIs(dir: string): string[] {
  return [
    '',
    'To run the nodes again: entente run AT, DE, FR and LU-own, each in a terminal.',
    `The directory is kept for you: ${dir}`,
  ];
}

/** Commands that work as they are printed, on what the demo left. */
function whatNext(dir: string, bold: (text: string) => string): string[] {
  const main = fileURLToPath(new URL('../main.js', import.meta.url));
  const code = `"$(sed -n 3p codes.csv | cut -d, -f4)"`;
  return [
    '',
    bold('Try it yourself'),
    `   cd ${dir}`,
    `   alias entente='node ${main}'`,
    `   entente verify --region DE --explain ${code}`,
    `   entente present phone.json | entente verify --region FR -`,
    `   entente show ${code} --png code.png`,
    `   entente revoke CN-33 --subject 'Person 00002' && entente witness DE && entente verify --region DE ${code}`,
    `   entente key list CN-33`,
    `   entente --help`,
    '',
    'To run the three nodes again: entente up .',
    `The directory is kept for you; remove it with: rm -r ${dir}`,
  ];
}
