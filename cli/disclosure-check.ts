/** `entente audit disclosure`: what a region disclosed, held against its logs as one replay found them. */
import { join } from 'node:path';
import { Decrypter, identityToRecipient } from 'age-encryption';
import { type KeyBook } from '../node/audit/attest-key.ts';
import { auditDisclosure, type DisclosureAudited } from '../node/audit/disclosure-audit.ts';
import { type AuditedSignature } from '../node/audit/override-audit.ts';
import { type AuditedLog, auditRegion } from '../node/audit/region-audit.ts';
import { ReplayedRange } from '../node/audit/replayed-range.ts';
import { openStaticSource } from '../node/audit/static-source.ts';
import { readWitnessRegion, type WitnessRegion } from '../node/audit/witness-region.ts';
import { modeOf, readFileIfPresent } from '../node/region/files.ts';
import { attestationLogsPath } from '../node/region/layout.ts';
import { LogFiles } from '../node/region/log-files.ts';
import {
  type Disclosure,
  mayHaveSigned,
  openDisclosure,
  type SignedDisclosure,
} from '../protocol/disclosure/disclosure.ts';
import { DISCLOSURE_BYTES_MAX } from '../protocol/limits.ts';
import { attestationLogOrigin, trustLogOrigin } from '../protocol/log/origin.ts';
import { type Primitives } from '../protocol/primitives.ts';
import { keyIdOf } from '../protocol/signature/key-id.ts';
import { type Cli } from './cli.ts';
import { CliError, EXIT, usageError } from './exit.ts';
import { aligned, counted, figure } from './output.ts';
import { printable } from './printable.ts';
import { indexesText } from './readable.ts';
import { readablePathOf, regionModules } from './region.ts';
import { timeText } from './times.ts';

/** Findings, and ranges of indexes, that text lists; with --json all are there. */
const LISTED_MAX = 20;
const KEY_FILE_BYTES_MAX = 4_096;
const IDENTITY = /^AGE-SECRET-KEY-1[A-Z0-9]{58}$/m;

export interface CheckOptions {
  readonly key: string;
  readonly against: string;
  readonly witness: readonly string[];
  readonly fingerprint?: Uint8Array;
}

/** Replays the log, and holds the file against what was replayed. */
export async function checkDisclosure(
  cli: Cli,
  file: string,
  { key, against, witness, fingerprint }: CheckOptions,
): Promise<void> {
  const modules = await regionModules(cli);
  const { bytes, recipient } = await decrypted(file, key);
  const signed = openDisclosure(bytes, modules);
  const { disclosure } = signed;
  const { region, network, log, from, until, atS, auditor } = disclosure;
  const published = await readablePathOf(cli, against);
  const witnesses: WitnessRegion[] = [];
  for (const one of witness) witnesses.push(await readWitnessRegion(await readablePathOf(cli, one), modules));
  const source = await openStaticSource(published);
  requireOwner(disclosure, source.owner);
  // Before the trust log is read: then that has all rules by which these leaves were issued.
  requireReach(disclosure, await new LogFiles(join(attestationLogsPath(published), log)).claimedSize());
  const range = new ReplayedRange(disclosure);
  const { faults, logs } = await auditRegion(
    { region, network, fingerprint, logs: [log], nowS: modules.nowS() },
    { ...modules, source, witnesses, ...range.hearing },
  ).finally(() => source.close());
  const [fault] = faults;
  if (fault !== undefined)
    throw new CliError(EXIT.inconsistent, fault.code, `the log itself does not agree: ${fault.message}`, {
      hint: 'See `entente audit replay`: what a broken log is held against says nothing.',
    });
  const { trust, leaves } = range;
  const signedBy = requireSigned(signed, trust.keys, modules);
  requireReplayed(
    disclosure,
    logs.find((one) => one.log === attestationLogOrigin(region, network, log)),
  );
  const ownWord = logs
    .find((one) => one.log === trustLogOrigin(region, network))
    ?.cosignatures.find((one) => one.region === region);
  // Witnesses may have vouched for it when the region had a later one already.
  const trustAsOfS = Math.max(trust.state.lastAtS, ownWord?.timestampS ?? 0);
  const audited = await auditDisclosure(disclosure, { ...modules, trust, trustAsOfS, leaves });
  if (audited.findings.length > 0) cli.exit = EXIT.inconsistent;
  else if (audited.closed > audited.forgotten || audited.overdue > 0) cli.exit = EXIT.undetermined;
  const vouching = witness.length === 0 ? undefined : vouchingOf(disclosure, logs);
  if (vouching?.trustLog.length === 0 && cli.exit === EXIT.ok) cli.exit = EXIT.undetermined;
  const head = { region, network, log, from, until, atS, auditor, signedBy };
  const named = disclosure.operators.map(({ publicKey, ...one }) => ({
    ...one,
    keyId: keyIdOf(modules.sha256, publicKey),
  }));
  cli.output.result({ ...head, ...audited, operators: named, ...(vouching && { vouching }) }, () => [
    ...reportLines(cli, disclosure, audited),
    `Signed by the region, with its key ${signedBy}.`,
    ...(auditor === recipient
      ? []
      : [`It was made for ${printable(auditor)}: somebody else has passed it on to this key.`]),
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
      .flatMap((one) => one.region ?? [])
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

function requireOwner(
  { region, network }: Disclosure,
  owner: { readonly region: string; readonly network: string },
): void {
  if (region === owner.region && network === owner.network) return;
  const names = [`${region}.${network}`, `${owner.region}.${owner.network}`].map(printable);
  throw new CliError(
    EXIT.inconsistent,
    'ORIGIN_INVALID',
    `the disclosure is of ${names[0]}, and ${names[1]} publishes there`,
    { hint: 'Name the directory of the region that disclosed.' },
  );
}

/** Whose word it is: what anybody could have made says nothing of the region, whatever of it does not fit. */
function requireSigned(
  signed: SignedDisclosure,
  keys: KeyBook,
  { sha256 }: Pick<Primitives, 'sha256'>,
): string {
  const keyId = keyIdOf(sha256, signed.publicKey);
  const key = keys.withId(keyId);
  if (mayHaveSigned(key, signed)) return keyId;
  const why =
    key?.compromise === undefined
      ? `the key ${keyId} that signed it was no trust-log key of the region at that time`
      : `the region has given up the key ${keyId} that signed it, and whoever has that can make such files`;
  throw new CliError(EXIT.inconsistent, 'SIGNATURE_INVALID', why, {
    hint: 'Have a newer copy of what the region publishes; else have the region disclose it again. What lies in this file says nothing of the region.',
  });
}

function requireReach({ until }: Disclosure, size: number): void {
  if (size >= until) return;
  throw new CliError(EXIT.undetermined, 'LOG_BEHIND', `the log there has ${size} leaves, not ${until}`, {
    hint: 'Have a newer copy of what the region publishes.',
  });
}

/** What was not replayed is whatever somebody wrote there, also in files of smaller trees that lie beside: nothing is held against it. */
function requireReplayed(disclosure: Disclosure, replayed: AuditedLog | undefined): void {
  requireReach(disclosure, replayed?.size ?? 0);
  const first = replayed?.from ?? 0;
  if (disclosure.from >= first) return;
  throw new CliError(
    EXIT.undetermined,
    'LOG_PRUNED',
    `the region has given up what came before leaf ${first} of the log ${disclosure.log}`,
    { hint: 'Ask whoever mirrored the log, or have a later range disclosed.' },
  );
}

/** What lies in the file, and the public key by whose secret one it was opened. */
async function decrypted(
  file: string,
  keyFile: string,
): Promise<{ readonly bytes: Uint8Array; readonly recipient: string }> {
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
    return { bytes: await decrypter.decrypt(bytes), recipient: await identityToRecipient(identity) };
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
  const { opened, nobodys, forgotten, closed, overrides, toldAlone, bridged, findings } = audited;
  const { tallies, untallied, overdue, partly } = audited;
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
        [
          'by rules, on what one operator told alone',
          toldAlone.length === 0 ? '0' : indexesText(toldAlone, LISTED_MAX),
        ],
        ...(bridged === 0 ? [] : [['for codes of other regions', figure(bridged)] as const]),
        [
          'tallies counted again',
          `${figure(tallies)}; ${counted(untallied, 'leaf')} in none of them`.replace('leafs', 'leaves'),
        ],
      ],
      '  ',
    ),
    ...signedLines(audited),
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
    ...(overdue > 0
      ? [
          red(
            `No tally counts ${counted(overdue, 'code')} of more than a day ago, and this copy of the trust log is too old to tell whether one was logged since: have a newer one of what the region publishes.`,
          ),
        ]
      : []),
    ...(findings.length === 0
      ? [green(untold + overdue > 0 ? 'What was opened fits.' : 'All of it fits.')]
      : []),
  ];
}

/** Whom to ask about what no rule gave. */
function signedLines({ signed, operators }: DisclosureAudited): string[] {
  if (signed.length === 0) return [];
  const by = ({ name, keyId, atS }: AuditedSignature) => `${printable(name)} (${keyId}), ${timeText(atS)}`;
  const lines = signed
    .slice(0, LISTED_MAX)
    .map(
      ({ id, colour, reason, people, leaves, proposed, confirmed }) =>
        `override ${id}: ${colour}, ${reason}, signed for ${counted(people, 'person')}, ${figure(leaves)} of them here; proposed by ${by(proposed)}; confirmed by ${by(confirmed)}`,
    );
  return [
    ...lines,
    ...(signed.length > lines.length
      ? [`and ${figure(signed.length - lines.length)} more: --json lists all`]
      : []),
    `Their keys are among those of the ${counted(operators, 'operator')} whom the region names. Ask these people whether they signed it: a region can name whom it likes.`,
  ];
}
