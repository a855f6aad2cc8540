/** `entente show`: a code as a QR picture. */
import { type Command } from 'commander';
import { writeFileAtomically } from '../../node/region/files.ts';
import { CODE_CHARS_MAX } from '../../protocol/limits.ts';
import { type Cli, examples } from '../cli.ts';
import { readCodeArgument } from '../code-argument.ts';
import { usageError } from '../exit.ts';
import { qrLines, qrPng, qrSvg } from '../qr.ts';

interface ShowOptions {
  readonly png?: string;
  readonly svg?: string;
}

/** The alphabet of base45 (RFC 9285) and so of every code. */
const CODE_TEXT = /^[0-9A-Z $%*+\-./:]+$/;

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
  if (!CODE_TEXT.test(text) || text.length > CODE_CHARS_MAX) {
    throw usageError(
      `expected the text of a code: 1 to ${CODE_CHARS_MAX} characters of 0-9 A-Z and $%*+-./:`,
      'Quote it: a code may hold spaces and characters that a shell replaces.',
    );
  }
  if (png !== undefined) await writeFileAtomically(png, qrPng(text));
  if (svg !== undefined) await writeFileAtomically(svg, qrSvg(text));
  const written = [png, svg].filter((path) => path !== undefined);
  cli.output.result({ text, written }, () =>
    written.length > 0
      ? written.map((path) => `wrote ${path}`)
      : qrLines(text, { colour: cli.surroundings.colour }),
  );
}
