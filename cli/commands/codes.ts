/** `entente codes`: codes that were issued before, made again from log and registry. */
import { type Command } from 'commander';
import { type Issued } from '../../node/region/issuer.ts';
import { type Cli, examples } from '../cli.ts';
import { CliError, EXIT } from '../exit.ts';
import { codesText } from '../people/codes-file.ts';
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
    .option('--subject <text>', 'only codes of this person')
    .option('--log <id>', 'only codes in this log, as in 2026-11')
    .addHelpText(
      'after',
      examples(["entente codes DE --subject 'Person 00001'", 'all codes of one person, as CSV']),
    )
    .action((region: string, options: CodesOptions) => codes(cli, region, options));
}

async function codes(cli: Cli, region: string, { subject, log }: CodesOptions): Promise<void> {
  const issued = await withRegion(cli, region, async (directory) => {
    const found: Issued[] = [];
    for await (const record of directory.records()) {
      if ((subject ?? record.subject) !== record.subject || (log ?? record.log) !== record.log) continue;
      found.push(await directory.codeOf(record));
    }
    return found;
  });
  if (issued.length === 0) throw new CliError(EXIT.failure, 'NOT_FOUND', 'the registry has no such code');
  for (const part of codesText(issued, cli.output.json ? 'jsonl' : 'csv')) cli.surroundings.writeOut(part);
}
