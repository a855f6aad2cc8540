/** `entente codes`: codes that were issued before, made again from log and registry. */
import { type Command } from 'commander';
import { type Cli, examples } from '../cli.ts';
import { type Desk } from '../desk/desk.ts';
import { withDesk } from '../desk/with-desk.ts';
import { CliError, EXIT } from '../exit.ts';
import { codesText, type IssuedCode } from '../people/codes-file.ts';

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
  await withDesk(
    cli,
    path,
    async (desk) => {
      const issued: IssuedCode[] = [];
      for await (const held of desk.held(options)) issued.push(held);
      if (issued.length === 0) throw new CliError(EXIT.failure, 'NOT_FOUND', 'the registry has no such code');
      for (const part of codesText(issued, cli.output.json ? 'jsonl' : 'csv'))
        cli.surroundings.writeOut(part);
      await confirm(desk, issued);
    },
    { reading: true, silent: true },
  );
}

/** Batches that were printed whole have arrived. */
async function confirm(desk: Desk, issued: readonly IssuedCode[]): Promise<void> {
  const places = new Set(issued.map(({ log, index }) => `${log}/${index}`));
  const open = await desk.openHandovers();
  await desk.closeHandovers(
    open.filter(({ log, index, count }) =>
      Array.from({ length: count }, (_, i) => `${log}/${index + i}`).every((place) => places.has(place)),
    ),
  );
}
