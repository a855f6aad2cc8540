/** `entente verify --foreign-keys`: verdicts on codes that others issued, by lists of their keys. */
import { createReadStream } from 'node:fs';
import { ForeignTrust } from '../../node/foreign/foreign-trust.ts';
import { type KeyList } from '../../node/foreign/key-list.ts';
import { CARD_CHARS_MAX, FOREIGN_KEYS_MAX } from '../../protocol/foreign/foreign-limits.ts';
import { type ForeignVerdict } from '../../protocol/foreign/foreign-verdict.ts';
import { type Cli } from '../cli.ts';
import { codeLinesOf } from '../code-lines.ts';
import { EXIT, type ExitCode, usageError } from '../exit.ts';
import { foreignBatchLine, foreignHeadline, foreignReasonLines, foreignVerdictJson } from '../foreign.ts';
import { readKeySource } from '../key-source.ts';
import { figure } from '../output.ts';
import { parseTime } from '../times.ts';

export interface VerifyForeignOptions {
  readonly foreignKeys: readonly string[];
  readonly file?: string | undefined;
  readonly at?: string | undefined;
}

const REVOCATION = 'revocation is not looked at: the issuer of a genuine code may have revoked it since';
/** Stands for a line that is too long or no UTF-8: no format begins so. */
const NOT_TEXT = '\ufffd';
const RANKS: readonly ExitCode[] = [EXIT.ok, EXIT.undetermined, EXIT.stop];
const EXITS = { genuine: EXIT.ok, undetermined: EXIT.undetermined, refused: EXIT.stop } as const;

/** Judges the code, or every line of the file or of stdin. The worst verdict decides how the command ends. */
export async function verifyForeignCodes(
  cli: Cli,
  code: string | undefined,
  { foreignKeys, file, at }: VerifyForeignOptions,
): Promise<void> {
  const nowS = at === undefined ? cli.surroundings.nowS() : parseTime(at);
  const lists: KeyList[] = [];
  for (const source of foreignKeys) lists.push(await readKeySource(cli, source));
  const count = lists.reduce((sum, { keys }) => sum + keys.length, 0);
  if (count > FOREIGN_KEYS_MAX)
    throw usageError(
      `expected at most ${figure(FOREIGN_KEYS_MAX)} keys of all lists together, got ${figure(count)}`,
    );
  cli.output.note(REVOCATION);
  const trust = new ForeignTrust(lists);
  if (code !== undefined && code !== '-') {
    report(cli, await trust.judge(code, nowS));
    return;
  }
  const source = file === undefined ? cli.surroundings.stdin : createReadStream(file);
  let first: ForeignVerdict | undefined;
  let lines = 0;
  for await (const { text = NOT_TEXT } of codeLinesOf(source as AsyncIterable<Uint8Array>, CARD_CHARS_MAX)) {
    const verdict = await trust.judge(text, nowS);
    // The first waits to see whether it stays alone: it then gets more than a line.
    if (++lines === 1) first = verdict;
    else if (lines === 2 && first !== undefined) reportLine(cli, first);
    if (lines > 1) reportLine(cli, verdict);
  }
  if (first === undefined)
    throw usageError('there is no code to judge', 'Give one as an argument, with --file or on stdin.');
  if (lines === 1) report(cli, first);
}

function report(cli: Cli, verdict: ForeignVerdict): void {
  const { output } = cli;
  output.result(foreignVerdictJson(verdict), () => [
    foreignHeadline(verdict, output.colours),
    ...foreignReasonLines(verdict, output.colours),
  ]);
  end(cli, verdict);
}

function reportLine(cli: Cli, verdict: ForeignVerdict): void {
  cli.output.result(foreignVerdictJson(verdict), () => [foreignBatchLine(verdict)]);
  end(cli, verdict);
}

function end(cli: Cli, { outcome }: ForeignVerdict): void {
  const exit = EXITS[outcome];
  if (RANKS.indexOf(exit) > RANKS.indexOf(cli.exit)) cli.exit = exit;
}
