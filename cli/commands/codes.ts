/** `entente codes`: codes that were issued before, made again from log and registry. */
import { type Command, InvalidArgumentError } from 'commander';
import { isAttestationLogId } from '../../protocol/log/origin.ts';
import { type Cli, examples } from '../cli.ts';
import { type Desk } from '../desk/desk.ts';
import { withDesk } from '../desk/with-desk.ts';
import { CliError, EXIT } from '../exit.ts';
import { counted } from '../output.ts';
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
    .option('--log <id>', 'only codes in this log, as in 2026-11', parseLog)
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
      const givenUp: string[] = [];
      for await (const held of desk.held(options)) {
        if ('givenUp' in held) givenUp.push(`${counted(held.givenUp, 'code')} in log ${held.log}`);
        else issued.push(held);
      }
      const gone = `given up, since none there can pass or be revoked any more: ${givenUp.join(', ')}`;
      if (issued.length === 0) {
        throw givenUp.length === 0
          ? new CliError(EXIT.failure, 'NOT_FOUND', 'the registry has no such code')
          : new CliError(EXIT.failure, 'LOG_PRUNED', gone);
      }
      if (givenUp.length > 0) cli.output.note(`Not listed, as ${gone}.`);
      for (const part of codesText(issued, cli.output.json ? 'jsonl' : 'csv'))
        cli.surroundings.writeOut(part);
      await confirm(desk, issued);
    },
    { reading: true, silent: true },
  );
}

function parseLog(text: string): string {
  if (isAttestationLogId(text)) return text;
  throw new InvalidArgumentError('Expected the id of an attestation log, as in 2026-11.');
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
