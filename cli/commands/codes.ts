/** `entente codes`: codes that were issued before, made again from log and registry. */
import { type Command } from 'commander';
import { type HeldCode } from '../../node/issuing/held-codes.ts';
import { type Region } from '../../node/region/region.ts';
import { type Cli, examples } from '../cli.ts';
import { CliError, EXIT } from '../exit.ts';
import { codesText, issuedCodeOf, type IssuedCode } from '../people/codes-file.ts';
import { withRegion } from '../region.ts';

interface CodesOptions {
  readonly subject?: string;
  readonly log?: string;
}

export function addCodes(program: Command, cli: Cli): void {
  program
    .command('codes')
    .summary('print issued codes again')
    .description(
      'Makes codes again from the log and the private registry of the region, for example when a file of codes was lost.',
    )
    .argument('<region>', 'directory of the region')
    .option('--subject <text>', 'only codes of this person', (text) => text.trim())
    .option('--log <id>', 'only codes in this log, as in 2026-11')
    .addHelpText(
      'after',
      examples(["entente codes DE --subject 'Person 00001'", 'all codes of one person, as CSV']),
    )
    .action((region: string, options: CodesOptions) => codes(cli, region, options));
}

async function codes(cli: Cli, path: string, options: CodesOptions): Promise<void> {
  const { sha256 } = await cli.crypto();
  await withRegion(
    cli,
    path,
    async (region) => {
      const issued: IssuedCode[] = [];
      for await (const held of heldBy(region, options)) issued.push(issuedCodeOf(sha256, held.subject, held));
      if (issued.length === 0) throw new CliError(EXIT.failure, 'NOT_FOUND', 'the registry has no such code');
      for (const part of codesText(issued, cli.output.json ? 'jsonl' : 'csv'))
        cli.surroundings.writeOut(part);
      await confirm(region, issued);
    },
    { reading: true, silent: true },
  );
}

/** By log and index. */
async function* heldBy(
  { node, state }: Region,
  { subject, log: wanted }: CodesOptions,
): AsyncGenerator<HeldCode> {
  if (subject !== undefined) {
    for (const held of await node.heldCodes.ofSubject(subject)) {
      if ((wanted ?? held.log) === held.log) yield held;
    }
    return;
  }
  for (const { log } of state.logs()) {
    if ((wanted ?? log) === log) yield* node.heldCodes.ofLog(log);
  }
}

/** Batches that were printed whole have arrived. */
async function confirm({ node }: Region, issued: readonly IssuedCode[]): Promise<void> {
  const places = new Set(issued.map(({ log, index }) => `${log}/${index}`));
  const open = await node.handovers.open();
  await node.handovers.close(
    open.filter(({ log, index, count }) =>
      Array.from({ length: count }, (_, i) => `${log}/${index + i}`).every((place) => places.has(place)),
    ),
  );
}
