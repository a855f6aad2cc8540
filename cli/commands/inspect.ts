/** `entente inspect`: anything of the protocol in readable form, without judging it. */
import { resolve } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { readFileIfPresent, statIfPresent } from '../../node/region/files.ts';
import { LogFiles } from '../../node/region/log-files.ts';
import { parseAttestation } from '../../protocol/code/attestation.ts';
import { isProtocolError, ProtocolError } from '../../protocol/fault.ts';
import { CARD_CHARS_MAX } from '../../protocol/foreign/foreign-limits.ts';
import { SNAPSHOT_BYTES_MAX } from '../../protocol/limits.ts';
import { type Sha256 } from '../../protocol/primitives.ts';
import { parseCheckpoint } from '../../protocol/log/checkpoint.ts';
import { parseNote } from '../../protocol/log/note.ts';
import { decodeIndexSet } from '../../protocol/revocation/index-set-code.ts';
import { parseSnapshot } from '../../protocol/snapshot/snapshot.ts';
import { parseEntry } from '../../protocol/trust/statement.ts';
import { inspectLocal, type ProfileSource } from '../adapter/inspect-local.ts';
import { type Cli, examples } from '../cli.ts';
import { notACode, parseCodeArgument, readCodeArgument } from '../code-argument.ts';
import { CliError, EXIT, usageError } from '../exit.ts';
import { inspectForeign, isForeignText } from '../foreign.ts';
import { printable, shortened } from '../printable.ts';
import { readableLines } from '../readable.ts';
import { withRulesHash } from '../rules/logged-rules.ts';

interface InspectOptions extends ProfileSource {
  readonly index?: number;
}

export function addInspect(program: Command, cli: Cli): void {
  program
    .command('inspect')
    .summary('show what something says')
    .description(
      'Takes apart a code, also one of others (HC1:, shc:/, VDS-NC), a snapshot, a checkpoint, an attestation or an entry of a log. Says nothing of whether it is genuine.',
    )
    .argument('<what>', 'the text of a code, - for stdin, a file, or the directory of a log')
    .option('--index <n>', 'with the directory of a log: the entry to show', parseIndex)
    .option('--profile <file>', "read a code of a region's own format, by its profile")
    .option('--region <dir>', 'read it by the profiles that the region of this directory announces')
    .addHelpText(
      'after',
      examples(
        ["entente inspect 'ENT1:...'", 'what a code opens'],
        ["entente inspect 'HC1:...'", 'what a code that others issued says'],
        ["entente inspect 'ZZJ:...' --profile pass.json", "one of a region's own format"],
        ['entente inspect CN-33/public/trust', 'the checkpoint of a log'],
        ['entente inspect CN-33/public/trust --index 1', 'one entry of it'],
      ),
    )
    .action((what: string, options: InspectOptions) => inspect(cli, what, options));
}

async function inspect(cli: Cli, what: string, options: InspectOptions): Promise<void> {
  const shown = await shownOf(cli, what, options);
  cli.output.result(shown, () => readableLines(shown));
}

async function shownOf(cli: Cli, what: string, { index, ...source }: InspectOptions): Promise<object> {
  if (source.profile !== undefined || source.region !== undefined)
    return inspectLocal(cli, await textOf(cli, what), source);
  const { sha256 } = await cli.crypto();
  const isText = what === '-' || what.startsWith('ENT') || isForeignText(what);
  return isText ? inspectText(sha256, await readCodeArgument(cli, what)) : inspectPath(sha256, what, index);
}

/** The text itself, or the first line of stdin or of a file that has it. */
async function textOf(cli: Cli, what: string): Promise<string> {
  const stat = what === '-' ? undefined : await statIfPresent(resolve(what));
  if (stat?.isFile() !== true) return readCodeArgument(cli, what);
  return lineOf((await readFileIfPresent(resolve(what), CARD_CHARS_MAX)) ?? new Uint8Array(0));
}

async function inspectText(sha256: Sha256, text: string): Promise<object> {
  if (!isForeignText(text)) return parseCodeArgument(sha256, text);
  try {
    return await inspectForeign(text);
  } catch (error) {
    if (isProtocolError(error)) throw notACode(error);
    throw error;
  }
}

async function inspectPath(sha256: Sha256, what: string, index: number | undefined): Promise<object> {
  const path = resolve(what);
  const stat = await statIfPresent(path);
  if (stat === undefined) throw usageError(`there is no file or directory ${printable(shortened(what, 80))}`);
  if (stat.isDirectory()) return inspectLog(sha256, new LogFiles(path), index);
  const bytes = await readFileIfPresent(path, SNAPSHOT_BYTES_MAX);
  const text = textOfCode(bytes ?? new Uint8Array(0));
  return text === undefined ? inspectBytes(sha256, bytes ?? new Uint8Array(0)) : inspectForeign(text);
}

async function inspectLog(sha256: Sha256, files: LogFiles, index: number | undefined): Promise<object> {
  const note = await files.checkpoint();
  if (note === undefined)
    throw usageError('the directory has no checkpoint', 'Name one such as CN-33/public/trust.');
  const shown = inspectNote(note);
  if (index === undefined) return shown;
  if (index >= shown.size)
    throw new CliError(EXIT.failure, 'NOT_FOUND', `the log has ${shown.size} entries, no entry ${index}`);
  return { index, ...inspectBytes(sha256, await files.entry(index, shown.size)) };
}

/** The text of a code of others that a file holds, without the end of its line; undefined for anything else. */
function textOfCode(bytes: Uint8Array): string | undefined {
  if (bytes.length > CARD_CHARS_MAX) return undefined;
  const text = lineOf(bytes);
  return isForeignText(text) ? text : undefined;
}

function lineOf(bytes: Uint8Array): string {
  return Buffer.from(bytes)
    .toString('utf8')
    .replace(/\r?\n$/, '');
}

/** Tries the forms one after the other; no bytes are of two of them. */
function inspectBytes(sha256: Sha256, bytes: Uint8Array): object {
  for (const read of [
    (entry: Uint8Array) => inspectEntry(sha256, entry),
    inspectSnapshot,
    inspectNote,
    inspectAttestation,
  ]) {
    try {
      return read(bytes);
    } catch (error) {
      if (!isProtocolError(error)) throw error;
    }
  }
  throw new ProtocolError('CBOR_MALFORMED', 'this is no entry, snapshot, checkpoint or attestation');
}

function inspectEntry(sha256: Sha256, bytes: Uint8Array): object {
  const { statement, signatures } = parseEntry(bytes);
  const indexes = statement.kind === 'revocation' ? { indexes: decodeIndexSet(statement.set) } : {};
  const told = withRulesHash(sha256, statement);
  return { what: 'statement', ...told, ...indexes, signedBy: signatures.map(({ keyId }) => keyId) };
}

function inspectSnapshot(bytes: Uint8Array): object {
  const { network, parts } = parseSnapshot(bytes);
  return {
    what: 'snapshot',
    network,
    parts: parts.map(({ region, from, entries, base }) => ({
      region,
      fromIndex: from,
      entries: entries.length,
      full: base !== undefined,
    })),
  };
}

function inspectNote(bytes: Uint8Array): {
  what: string;
  origin: string;
  size: number;
  root: Uint8Array;
  signedBy: object[];
} {
  const { text, signatures } = parseNote(bytes);
  return {
    what: 'checkpoint',
    ...parseCheckpoint(text),
    signedBy: signatures.map(({ name, keyId }) => ({ name, key: keyId.toString(16).padStart(8, '0') })),
  };
}

function inspectAttestation(bytes: Uint8Array): object {
  return { what: 'attestation', ...parseAttestation(bytes) };
}

function parseIndex(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Expected a whole number.');
}
