/** `entente bridge`: a platform issues attestations for codes of other regions that it has checked. */
import { createReadStream, existsSync } from 'node:fs';
import { type Command } from 'commander';
import { writeFileAtomically } from '../../node/region/files.ts';
import { CODE_CHARS_MAX } from '../../protocol/limits.ts';
import { type Cli, examples } from '../cli.ts';
import { codeLinesOf } from '../code-lines.ts';
import { readCodeArgument } from '../code-argument.ts';
import { type BridgedCode } from '../desk/desk.ts';
import { withDesk } from '../desk/with-desk.ts';
import { CliError, EXIT, usageError } from '../exit.ts';
import { counted } from '../output.ts';
import { codesText, type IssuedCode } from '../people/codes-file.ts';
import { peopleFormatOf } from '../people/people-file.ts';
import { printable } from '../printable.ts';
import { type SigningOptions, withoutPeersOption } from '../region.ts';

interface BridgeOptions extends SigningOptions {
  readonly file?: string;
  readonly out?: string;
}

/** Codes of a file. */
const CODES_MAX = 100_000;
/** Codes between two lines of progress. */
const CODES_PER_REPORT = 256;

export function addBridge(program: Command, cli: Cli): void {
  program
    .command('bridge')
    .summary('issue codes for those of other regions')
    .description(
      'Checks a code of another region that this one recognises directly or by adapter, and issues an attestation that names it: for regions that take such codes through this one as their platform. It expires with the original, and after a day at most.',
    )
    .argument('<region>', 'directory of the platform')
    .argument('[code]', 'text of the code, or - for a line on stdin')
    .option('--file <file>', 'a code a line instead, or - for stdin')
    .option('--out <file>', 'file for the codes, .csv or .jsonl (default: print them)')
    .addOption(withoutPeersOption())
    .addHelpText(
      'after',
      examples(
        ["entente bridge FR 'ENT1:...'", 'prints the code that FR issues for it'],
        ['entente bridge FR --file codes.txt --out bridged.csv', 'many, and which were refused'],
      ),
    )
    .action((region: string, code: string | undefined, options: BridgeOptions) =>
      bridge(cli, region, code, options),
    );
}

async function bridge(
  cli: Cli,
  path: string,
  code: string | undefined,
  { file, out, withoutPeers }: BridgeOptions,
): Promise<void> {
  if ((code === undefined) === (file === undefined))
    throw usageError('give the text of a code, or --file with a code a line');
  if (out !== undefined && existsSync(out))
    throw usageError(`${printable(out)} exists already`, 'Name another file, or move this one away.');
  const texts = file === undefined ? [await readCodeArgument(cli, code ?? '')] : await codesOf(cli, file);
  const progress = cli.output.progress('checked', texts.length);
  const onDone = (done: number) => {
    if (texts.length > 1 && (done % CODES_PER_REPORT === 0 || done === texts.length)) progress.at(done);
  };
  const bridged = await withDesk(cli, path, (desk) => desk.bridge(texts, onDone), { withoutPeers });
  await report(cli, bridged, { isSingle: file === undefined, out });
}

async function codesOf(cli: Cli, file: string): Promise<readonly string[]> {
  if (file !== '-' && !existsSync(file)) throw usageError(`there is no file ${printable(file)}`);
  const source =
    file === '-' ? cli.surroundings.stdin : (createReadStream(file) as AsyncIterable<Uint8Array>);
  const texts: string[] = [];
  for await (const { line, text } of codeLinesOf(source, 4 * CODE_CHARS_MAX)) {
    if (text === '') continue;
    if (text === undefined) throw usageError(`line ${line} is no text of a code`);
    if (texts.push(text) > CODES_MAX) throw usageError(`expected at most ${CODES_MAX} codes`);
  }
  return texts;
}

async function report(
  cli: Cli,
  bridged: readonly BridgedCode[],
  { isSingle, out }: { readonly isSingle: boolean; readonly out?: string | undefined },
): Promise<void> {
  const { output, surroundings } = cli;
  const issued = bridged.filter((one): one is IssuedCode => !('refused' in one));
  const refused = bridged.flatMap((one, i) => ('refused' in one ? [{ line: i + 1, why: one.refused }] : []));
  const [only] = refused;
  if (isSingle && only !== undefined) throw new CliError(EXIT.failure, 'REFUSED', only.why, { hint: HINT });
  if (out !== undefined) {
    await writeFileAtomically(out, codesText(issued, peopleFormatOf(out)), { mode: 0o600 });
    output.result({ issued: issued.length, refused: refused.length, out }, () => [
      `Bridged ${issued.length} of ${counted(bridged.length, 'code')}; they are in ${printable(out)}.`,
    ]);
  } else if (isSingle) {
    output.result({ ...issued[0] }, () => issued.map(({ code }) => code));
  } else {
    for (const part of codesText(issued, output.json ? 'jsonl' : 'csv')) surroundings.writeOut(part);
  }
  if (only === undefined) return;
  throw new CliError(
    EXIT.failure,
    'REFUSED',
    `${counted(refused.length, 'code')} of ${bridged.length} could not be bridged:` +
      refused.map(({ line, why }) => `\n  code ${line}: ${why}`).join(''),
    { hint: HINT, details: refused },
  );
}

const HINT = 'Let `entente verify --explain` say what is wrong with a code.';
