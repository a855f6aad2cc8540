/** `entente log`: whether the logs in a directory are whole, without the signatures of their entries; and the receipt of one entry. */
import { type Command, InvalidArgumentError } from 'commander';
import { utf8Bytes } from '../../protocol/encoding/utf8.ts';
import { isAttestationLogId } from '../../protocol/log/origin.ts';
import { createFileAtomically } from '../../node/region/files.ts';
import { AUDIT_EXITS, auditAndReport, LISTED_MAX, parseThreads } from '../auditing.ts';
import { type Cli, examples } from '../cli.ts';
import { withDesk } from '../desk/with-desk.ts';
import { CliError, EXIT, usageError } from '../exit.ts';
import { printable } from '../printable.ts';
import { receiptText } from '../receipt-text.ts';

interface VerifyOptions {
  readonly log?: string;
  readonly threads?: number;
  readonly all?: boolean;
}

export function addLog(program: Command, cli: Cli): void {
  const log = program.command('log').summary('check logs on this disk, prove an entry of one');
  log
    .command('verify')
    .summary('check that logs are whole')
    .description(
      'Reads each log leaf by leaf: every entry against its leaf, every tile against what lies below it, the root against the signed checkpoint, and what attestations say of their log, index, hour and key. `audit replay` checks their signatures too.',
    )
    .argument('<dir>', 'directory of a node or region, or a public directory')
    .option('--log <yyyy-mm>', 'only this attestation log, and the trust log')
    .option('--threads <n>', 'threads that check (default: all cores)', parseThreads)
    .option('--all', `go on after a fault, and list up to ${LISTED_MAX}`)
    .addHelpText(
      'after',
      examples(
        ['entente log verify CN-33', 'all logs of a region'],
        ['entente log verify CN-33 --log 2026-11', 'those of one month'],
      ) + AUDIT_EXITS,
    )
    .action((path: string, options: VerifyOptions) => verify(cli, path, options));
  log
    .command('receipt')
    .summary('prove that an entry is in a log of your own')
    .description(
      'Says under which signed checkpoint an entry of one of the own logs stands, and who vouches for that by now. The proof is a C2SP tlog-proof under the newest checkpoint that is witnessed and has the entry, else under the newest: whoever has the entry checks it without any connection.',
    )
    .argument('<region>', 'directory of the region')
    .requiredOption('--log <id>', '`trust`, or an attestation log as in 2026-11', parseLog)
    .requiredOption('--index <n>', 'of the entry, from 0', parseIndex)
    .option('--out <file>', 'a new file for the proof; with --json it is printed too')
    .addHelpText(
      'after',
      examples(['entente log receipt DE --log 2026-11 --index 0 --out 0.tlog-proof', 'of one attestation']),
    )
    .action((path: string, options: ReceiptOptions) => receipt(cli, path, options));
}

interface ReceiptOptions {
  readonly log: string;
  readonly index: number;
  readonly out?: string;
}

function parseLog(text: string): string {
  if (text === 'trust' || isAttestationLogId(text)) return text;
  throw new InvalidArgumentError('Expected `trust`, or the id of an attestation log, as in 2026-11.');
}

function parseIndex(text: string): number {
  const index = Number(text);
  if (/^(0|[1-9][0-9]*)$/.test(text) && Number.isSafeInteger(index)) return index;
  throw new InvalidArgumentError('Expected a number from 0 on.');
}

async function receipt(cli: Cli, path: string, { log, index, out }: ReceiptOptions): Promise<void> {
  const found = await withDesk(cli, path, (desk) => desk.receipt(log, index), {
    reading: true,
    silent: true,
  });
  if (found?.proof === undefined)
    throw new CliError(EXIT.failure, 'NOT_FOUND', `log ${log} has no signed entry ${index}`);
  if (out !== undefined && !(await createFileAtomically(out, utf8Bytes(found.proof))))
    throw usageError(`${printable(out)} exists already`, 'Name another file, or move this one away.');
  cli.output.result({ ...found, out }, () => [
    receiptText(found),
    ...(out === undefined ? [] : [`The proof of entry ${index} is in ${printable(out)}.`]),
  ]);
}

async function verify(cli: Cli, path: string, { log, threads, all }: VerifyOptions): Promise<void> {
  await auditAndReport(cli, {
    path,
    signatures: false,
    logs: log === undefined ? undefined : [log],
    threads,
    faultsMax: all === true ? LISTED_MAX : 1,
  });
}
