/** `entente audit key|disclose|disclosure`: what a region opens for an auditor, and whether it fits the log. */
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { type Command, InvalidArgumentError } from 'commander';
import { RECIPIENT } from '../node/abuse/disclosing.ts';
import { writeFileAtomically } from '../node/region/files.ts';
import { isAttestationLogId } from '../protocol/log/origin.ts';
import { type Cli, examples } from './cli.ts';
import { withDesk } from './desk/with-desk.ts';
import { checkDisclosure, type CheckOptions } from './disclosure-check.ts';
import { EXIT } from './exit.ts';
import { counted, figure } from './output.ts';
import { printable } from './printable.ts';
import { parseFingerprint, parseNewFile } from './region.ts';

interface DiscloseOptions {
  readonly log: string;
  readonly from: number;
  readonly until: number;
  readonly auditor: string;
  readonly out: string;
}

export function addDisclosures(audit: Command, cli: Cli): void {
  audit
    .command('key')
    .description(
      "Makes an auditor's key: a file of age, mode 0600. Regions are given the public key that it prints.",
    )
    .requiredOption('--out <file>', 'the file to write', parseNewFile)
    .addHelpText('after', examples(['entente audit key --out auditor-new.key', 'prints age1...']))
    .action(({ out }: { readonly out: string }) => makeKey(cli, out));
  audit
    .command('disclose')
    .summary('open a stretch of the own log for an auditor')
    .description(
      'Makes a file that opens the colour of every code of a range of leaves, with the facts that it rests on, and nothing of who they are. The region signs it with its trust-log key, and only the auditor can read it. What was forgotten cannot be opened.',
    )
    .argument('<region>', 'directory of the region')
    .requiredOption('--log <yyyy-mm>', 'the attestation log', parseLog)
    .requiredOption('--from <index>', 'the first leaf', parseIndex)
    .requiredOption('--until <index>', 'the leaf behind the last', parseIndex)
    .requiredOption('--auditor <age1...>', "the auditor's public key", parseRecipient)
    .requiredOption('--out <file>', 'the file to write', parseNewFile)
    .addHelpText(
      'after',
      examples([
        'entente audit disclose DE --log 2026-11 --from 0 --until 2 --auditor age1auditor --out new.disclosure',
        'at most 16,384 leaves a file',
      ]),
    )
    .action((region: string, options: DiscloseOptions) => disclose(cli, region, options));
  audit
    .command('disclosure')
    .summary('check what a region disclosed')
    .description(
      "Replays the log, and holds the file against it: whether the region signed it, each opening against its leaf, each colour against the rules in force on the facts, or what the two operators signed who gave it, and the tallies against a new count. Lists what does not fit, and which colours rest on what one operator told alone. People who were forgotten are counted, and are no fault; leaves of which neither is shown that they are codes nor that they are nobody's are counted too.",
    )
    .argument('<file>', 'as the region gave it')
    .requiredOption('--key <file>', "the auditor's key")
    .requiredOption('--against <dir>', 'directory of the region, or its public directory')
    .option('--witness <dir>', 'a region that has to vouch for the trust log (repeatable)', collect, [])
    .option('--fingerprint <hex>', 'the fingerprint that the region is known by', parseFingerprint)
    .addHelpText(
      'after',
      examples([
        'entente audit disclosure 0.disclosure --key auditor.key --against DE/public',
        'ends with 5 where something does not fit, with 4 where it cannot be told',
      ]),
    )
    .action((file: string, options: CheckOptions) => checkDisclosure(cli, file, options));
}

async function makeKey(cli: Cli, out: string): Promise<void> {
  const identity = await generateX25519Identity();
  const publicKey = await identityToRecipient(identity);
  await writeFileAtomically(out, `# public key: ${publicKey}\n${identity}\n`, { mode: 0o600 });
  cli.output.result({ publicKey, file: out }, () => [
    `Public key, for regions: ${publicKey}`,
    `The secret one is in ${printable(out)}: keep it.`,
  ]);
}

async function disclose(cli: Cli, path: string, { out, ...order }: DiscloseOptions): Promise<void> {
  const { bytes, opened, nobodys, unread } = await withDesk(cli, path, (desk) => desk.disclose(order), {
    reading: true,
    silent: true,
  });
  await writeFileAtomically(out, bytes, { mode: 0o600 });
  const closed = order.until - order.from - opened - nobodys;
  const isDamaged = unread.rows.length > 0;
  if (isDamaged) cli.exit = EXIT.inconsistent;
  cli.output.result({ ...order, opened, nobodys, closed, unread, file: out }, () => [
    `${counted(opened, 'code')} opened in ${printable(out)}, for ${order.auditor} alone. Leaves that are shown to be nobody's: ${figure(nobodys)}; of which nothing can be shown: ${figure(closed)}.`,
    ...(isDamaged
      ? [
          `DAMAGED: what the registry has of ${figure(unread.leaves)} of these cannot be read, and the auditor will ask why:`,
          ...unread.rows.map(
            (row) => `  ${row.from} to ${row.until - 1}: ${printable(row.message)} [${row.code}]`,
          ),
          'Restore the registry from its backup and disclose these leaves anew, or tell the auditor what was lost.',
        ]
      : []),
  ]);
}

function collect(value: string, before: readonly string[]): string[] {
  return [...before, value];
}

/** For commander. */
export function parseLog(text: string): string {
  if (isAttestationLogId(text)) return text;
  throw new InvalidArgumentError('Expected the id of an attestation log, as in 2026-11.');
}

function parseIndex(text: string): number {
  if (/^(0|[1-9]\d{0,11})$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Expected an index, from 0 on.');
}

function parseRecipient(text: string): string {
  if (RECIPIENT.test(text)) return text;
  throw new InvalidArgumentError("Expected an auditor's public key, which begins with age1.");
}
