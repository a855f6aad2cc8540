/** `entente show`: a code as a QR picture. */
import { type Command } from 'commander';
import { writeFileAtomically } from '../../node/region/files.ts';
import { type Cli, examples } from '../cli.ts';
import { parseCodeArgument, readCodeArgument } from '../code-argument.ts';
import { qrLines, qrPng, qrSvg } from '../qr.ts';

interface ShowOptions {
  readonly png?: string;
  readonly svg?: string;
}

export function addShow(program: Command, cli: Cli): void {
  program
    .command('show')
    .summary('draw a code as QR')
    .description('Draws a code or presentation as a QR symbol: on the terminal, or into files to print.')
    .argument('<code>', 'the text of the code, or - for the first line of stdin')
    .option('--png <file>', 'write a PNG picture')
    .option('--svg <file>', 'write an SVG picture')
    .addHelpText(
      'after',
      examples(
        ["entente show 'ENT1:...'", 'on the terminal'],
        ['entente present phone.json | entente show -', 'a live presentation, as the phone would show it'],
        ["entente show 'ENT1:...' --png code.png", 'a picture to print'],
      ),
    )
    .action((code: string, options: ShowOptions) => show(cli, code, options));
}

async function show(cli: Cli, argument: string, { png, svg }: ShowOptions): Promise<void> {
  const text = await readCodeArgument(cli, argument);
  parseCodeArgument((await cli.crypto()).sha256, text);
  if (png !== undefined) await writeFileAtomically(png, qrPng(text));
  if (svg !== undefined) await writeFileAtomically(svg, qrSvg(text));
  const written = [png, svg].filter((path) => path !== undefined);
  cli.output.result({ text, written }, () =>
    written.length > 0
      ? written.map((path) => `wrote ${path}`)
      : qrLines(text, { colour: cli.surroundings.colour }),
  );
}
