/** `entente audit key|disclose|disclosure`: what a region opens for an auditor, and whether it fits the log. */
import { Decrypter, generateX25519Identity, identityToRecipient } from 'age-encryption';
import { type Command, InvalidArgumentError } from 'commander';
import { auditDisclosure, type DisclosureAudited } from '../node/audit/disclosure-audit.ts';
import { openStaticSource } from '../node/audit/static-source.ts';
import { type AuditedLog, auditRegion } from '../node/audit/region-audit.ts';
import { readWitnessRegion, type WitnessRegion } from '../node/audit/witness-region.ts';
import { RECIPIENT } from '../node/abuse/disclosing.ts';
import { attestationLogsPath } from '../node/region/layout.ts';
import { LogFiles } from '../node/region/log-files.ts';
import { modeOf, readFileIfPresent, writeFileAtomically } from '../node/region/files.ts';
import { readPublicRegion } from '../node/region/public-region.ts';
import { type Disclosure, parseDisclosure } from '../protocol/disclosure/disclosure.ts';
import { DISCLOSURE_BYTES_MAX } from '../protocol/limits.ts';
import { attestationLogOrigin, isAttestationLogId, trustLogOrigin } from '../protocol/log/origin.ts';
import { join } from 'node:path';
import { type Cli, examples } from './cli.ts';
import { withDesk } from './desk/with-desk.ts';
import { CliError, EXIT, usageError } from './exit.ts';
import { aligned, counted, figure } from './output.ts';
import { printable } from './printable.ts';
import { parseFingerprint, parseNewFile, publicPathOf, regionModules } from './region.ts';
import { timeText } from './times.ts';

/** Findings that text lists; with --json all are there. */
const LISTED_MAX = 20;
const KEY_FILE_BYTES_MAX = 4_096;
const IDENTITY = /^AGE-SECRET-KEY-1[A-Z0-9]{58}$/m;

interface DiscloseOptions {
  readonly log: string;
  readonly from: number;
  readonly until: number;
  readonly auditor: string;
  readonly out: string;
}

interface CheckOptions {
  readonly key: string;
  readonly against: string;
  readonly witness: readonly string[];
  readonly fingerprint?: Uint8Array;
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
      'Makes a file that opens the colour of every code of a range of leaves, with the facts that it rests on, and nothing of who they are. Only the auditor can read it. What was forgotten cannot be opened.',
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
      "Replays the log, and holds the file against it: each opening against its leaf, each colour against the rules in force on the facts, or the two operators who gave it, and the tallies against a new count. Lists what does not fit. People who were forgotten are counted, and are no fault; leaves of which neither is shown that they are codes nor that they are nobody's are counted too.",
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
    .action((file: string, options: CheckOptions) => check(cli, file, options));
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
  const { bytes, opened, nobodys } = await withDesk(cli, path, (desk) => desk.disclose(order), {
    reading: true,
    silent: true,
  });
  await writeFileAtomically(out, bytes, { mode: 0o600 });
  const closed = order.until - order.from - opened - nobodys;
  cli.output.result({ ...order, opened, nobodys, closed, file: out }, () => [
    `${counted(opened, 'code')} opened in ${printable(out)}, for ${order.auditor} alone. Leaves that are shown to be nobody's: ${figure(nobodys)}; of which nothing can be shown: ${figure(closed)}.`,
  ]);
}

async function check(
  cli: Cli,
  file: string,
  { key, against, witness, fingerprint }: CheckOptions,
): Promise<void> {
  const disclosure = parseDisclosure(await decrypted(file, key));
  const { region, network, log, from, until, atS, auditor } = disclosure;
  const modules = await regionModules(cli);
  const published = await publicPathOf(against);
  const trust = await readPublicRegion(published, { region, network, fingerprint }, modules);
  const witnesses: WitnessRegion[] = [];
  for (const one of witness) witnesses.push(await readWitnessRegion(await publicPathOf(one), modules));
  const source = await openStaticSource(published);
  const { faults, logs } = await auditRegion(
    { region, network, fingerprint, logs: [log], nowS: modules.nowS() },
    { ...modules, source, witnesses },
  ).finally(() => source.close());
  const [fault] = faults;
  if (fault !== undefined)
    throw new CliError(EXIT.inconsistent, fault.code, `the log itself does not agree: ${fault.message}`, {
      hint: 'See `entente audit replay`: what a broken log is held against says nothing.',
    });
  const size = replayedSize(
    disclosure,
    logs.find((one) => one.log === attestationLogOrigin(region, network, log)),
  );
  const files = new LogFiles(join(attestationLogsPath(published), log));
  const audited = await auditDisclosure(disclosure, {
    ...modules,
    trust: { entries: trust.entries, without: new Set(trust.fold.findings.map(({ index }) => index)) },
    leaves: files.entries(from, until, size),
  });
  if (audited.findings.length > 0) cli.exit = EXIT.inconsistent;
  else if (audited.closed > audited.forgotten) cli.exit = EXIT.undetermined;
  const vouching = witness.length === 0 ? undefined : vouchingOf(disclosure, logs);
  if (vouching?.trustLog.length === 0 && cli.exit === EXIT.ok) cli.exit = EXIT.undetermined;
  const head = { region, network, log, from, until, atS, auditor };
  cli.output.result({ ...head, ...audited, ...(vouching && { vouching }) }, () => [
    ...reportLines(cli, disclosure, audited),
    ...(vouching === undefined ? [] : vouchingLines(cli, vouching)),
  ]);
}

/** Who of those that were named vouches: for the rules and tallies, and for the leaves. */
interface Vouching {
  readonly trustLog: readonly string[];
  readonly log: readonly string[];
}

function vouchingOf({ region, network, log }: Disclosure, logs: readonly AuditedLog[]): Vouching {
  const of = (origin: string) =>
    (logs.find((one) => one.log === origin)?.cosignatures ?? [])
      .map((one) => one.region)
      .filter((one) => one !== region);
  return {
    trustLog: of(trustLogOrigin(region, network)),
    log: of(attestationLogOrigin(region, network, log)),
  };
}

function vouchingLines(cli: Cli, { trustLog, log }: Vouching): string[] {
  const { red } = cli.output.colours;
  const text = (regions: readonly string[]) => regions.map(printable).join(', ') || 'nobody';
  const lines = aligned(
    [
      ['vouch for its trust log', text(trustLog)],
      ['vouch for this log', text(log)],
    ],
    '  ',
  );
  if (trustLog.length > 0) return lines;
  return [
    ...lines,
    red('Nobody of those named vouches for the rules and tallies: others may be shown others.'),
  ];
}

function collect(value: string, before: readonly string[]): string[] {
  return [...before, value];
}

/** What was not replayed is whatever somebody wrote there, also in files of smaller trees that lie beside: nothing is held against it. */
function replayedSize({ log, from, until }: Disclosure, replayed: AuditedLog | undefined): number {
  const size = replayed?.size ?? 0;
  if (size < until)
    throw new CliError(EXIT.undetermined, 'LOG_BEHIND', `the log there has ${size} leaves, not ${until}`, {
      hint: 'Have a newer copy of what the region publishes.',
    });
  const first = replayed?.from ?? 0;
  if (from < first)
    throw new CliError(
      EXIT.undetermined,
      'LOG_PRUNED',
      `the region has given up what came before leaf ${first} of the log ${log}`,
      {
        hint: 'Ask whoever mirrored the log, or have a later range disclosed.',
      },
    );
  return size;
}

async function decrypted(file: string, keyFile: string): Promise<Uint8Array> {
  const bytes = await readFileIfPresent(file, DISCLOSURE_BYTES_MAX);
  if (bytes === undefined) throw usageError(`there is no file ${printable(file)}`);
  const key = await readFileIfPresent(keyFile, KEY_FILE_BYTES_MAX);
  if (key === undefined) throw usageError(`there is no file ${printable(keyFile)}`);
  if (((await modeOf(keyFile)) ?? 0) & 0o077)
    throw new CliError(EXIT.failure, 'KEY_FILE_MODE', `${printable(keyFile)} can be read by others`, {
      hint: 'Run chmod 600 on it.',
    });
  const [identity] = IDENTITY.exec(Buffer.from(key).toString('latin1')) ?? [];
  if (identity === undefined) throw usageError(`${printable(keyFile)} holds no key of an auditor`);
  try {
    const decrypter = new Decrypter();
    decrypter.addIdentity(identity);
    return await decrypter.decrypt(bytes);
  } catch {
    throw new CliError(EXIT.inconsistent, 'DISCLOSURE_UNREADABLE', 'this key does not open the file', {
      hint: 'It is for another auditor, or was damaged: ask the region for it again.',
    });
  }
}

function reportLines(
  cli: Cli,
  { region, log, from, until, atS }: Disclosure,
  audited: DisclosureAudited,
): string[] {
  const { red, green } = cli.output.colours;
  const { opened, nobodys, forgotten, closed, tallies, untallied, partly, overrides, bridged, findings } =
    audited;
  const untold = closed - forgotten;
  const shown = findings.slice(0, LISTED_MAX);
  return [
    `${printable(region)}, log ${printable(log)}, leaves ${figure(from)} to ${figure(until - 1)}, disclosed ${timeText(atS)}`,
    ...aligned(
      [
        ['opened', figure(opened)],
        ["shown to be nobody's", figure(nobodys)],
        [
          'nothing is shown of',
          `${figure(closed)}, of them ${figure(forgotten)} of people who were forgotten`,
        ],
        ['by two operators', figure(overrides)],
        ...(bridged === 0 ? [] : [['for codes of other regions', figure(bridged)] as const]),
        [
          'tallies counted again',
          `${figure(tallies)}; ${counted(untallied, 'leaf')} in none of them`.replace('leafs', 'leaves'),
        ],
      ],
      '  ',
    ),
    ...shown.map(({ code, index, colour, message }) =>
      red(`leaf ${figure(index)}${colour === undefined ? '' : `, ${colour}`}: ${message} [${code}]`),
    ),
    ...(findings.length > shown.length
      ? [red(`and ${figure(findings.length - shown.length)} more: --json lists all`)]
      : []),
    ...partly.map(
      (one) =>
        `The tally of leaves ${figure(one.from)} to ${figure(one.until - 1)} lies in it only partly, and was not counted again: have all of them disclosed.`,
    ),
    ...(untold > 0
      ? [
          red(
            `Of ${counted(untold, 'leaf').replace('leafs', 'leaves')} nothing is shown, and no tally within the range tells of codes that were forgotten there: it cannot be told whether they are codes that are kept from you. Ask the region. Where a tally lies in it only partly, have all of that disclosed; logs of software that could not show yet what is nobody's have such leaves too.`,
          ),
        ]
      : []),
    ...(findings.length === 0 ? [green(untold > 0 ? 'What was opened fits.' : 'All of it fits.')] : []),
  ];
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
