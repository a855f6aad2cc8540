/** Signed checkpoints, good and bad. The verdict of a case is known from how it is made. */
import { type FaultCode } from '../../../protocol/fault.ts';
import {
  base64,
  COSIGNED,
  france,
  germany,
  hex,
  KEYS,
  LOG,
  log,
  nextLog,
  NOW_S,
  ORIGIN,
  otherLog,
  Party,
  SIGNED,
  stranger,
  TEXT,
  textOf,
  tree,
  u64,
  WITNESS,
} from './log-party.ts';

export interface CheckpointVector {
  readonly name: string;
  /** The note as text, or its bytes where they are no UTF-8. */
  readonly note?: string;
  readonly noteBytes?: string;
  readonly keys: readonly string[];
  readonly opened?: {
    readonly origin: string;
    readonly size: number;
    readonly root: string;
    /** Names of the keys of logs that signed, and of witnesses with their times, in the order of the lines. */
    readonly signers: readonly string[];
    readonly cosigners: readonly (readonly [name: string, timestampS: number])[];
  };
  readonly fault?: FaultCode;
}

export function checkpointVectors(): CheckpointVector[] {
  const opened = (
    size: number,
    root: Uint8Array,
    signers: readonly Party[],
    cosigners: readonly [Party, number][],
  ) => ({
    origin: ORIGIN,
    size,
    root: hex(root),
    signers: signers.map(({ name }) => name),
    cosigners: cosigners.map(([{ name }, timestampS]) => [name, timestampS] as const),
  });
  const nine = (signers: readonly Party[], ...cosigners: readonly [Party, number][]) =>
    opened(9, tree.root(), signers, [...cosigners]);
  const empty = textOf(0, base64(tree.root(0)));
  const largest = textOf('9007199254740991');
  const unknownLines = log.line(new Uint8Array(5000)).replace(ORIGIN, 'post-quantum');
  return [
    { name: 'signed by the log alone', note: SIGNED, keys: KEYS, opened: nine([log]) },
    {
      name: 'cosigned by two witnesses',
      note: COSIGNED,
      keys: KEYS,
      opened: nine([log], [germany, NOW_S], [france, NOW_S + 1]),
    },
    {
      name: 'signed by both keys of a rotation',
      note: SIGNED + nextLog.signed(TEXT),
      keys: [log.vkey, nextLog.vkey],
      opened: nine([log, nextLog]),
    },
    {
      name: 'with lines by unknown keys, one of 5,000 bytes',
      note: SIGNED + stranger.cosigned(TEXT, 1) + unknownLines,
      keys: KEYS,
      opened: nine([log]),
    },
    {
      name: 'with a bad line by an unknown key',
      note: SIGNED + stranger.line(new Uint8Array(72)),
      keys: KEYS,
      opened: nine([log]),
    },
    {
      name: 'two cosignatures by one witness',
      note: SIGNED + germany.cosigned(TEXT, 5) + germany.cosigned(TEXT, 3),
      keys: KEYS,
      opened: nine([log], [germany, 5], [germany, 3]),
    },
    {
      name: 'of the empty tree',
      note: `${empty}\n${log.signed(empty)}`,
      keys: KEYS,
      opened: opened(0, tree.root(0), [log], []),
    },
    {
      name: 'of the largest size',
      note: `${largest}\n${log.signed(largest)}`,
      keys: KEYS,
      opened: opened(Number.MAX_SAFE_INTEGER, tree.root(), [log], []),
    },
    {
      name: 'with 128 signature lines',
      note: SIGNED + stranger.line(Uint8Array.of(0)).repeat(127),
      keys: KEYS,
      opened: nine([log]),
    },
    ...malformedNotes(),
    ...malformedCheckpoints(),
    ...badSignatures(),
  ];
}

/** Bytes that are no signed note. */
function malformedNotes(): CheckpointVector[] {
  const line = log.signed(TEXT);
  const [, , signature = ''] = line.trimEnd().split(' ');
  const cases: readonly (readonly [name: string, note: string])[] = [
    ['no bytes', ''],
    ['text alone', TEXT],
    ['no signature line', `${TEXT}\n`],
    ['no empty line', TEXT + line],
    ['no final newline', SIGNED.slice(0, -1)],
    ['a newline too many at the end', `${SIGNED}\n`],
    ['CRLF', SIGNED.replaceAll('\n', '\r\n')],
    ['a tab in the text', `${TEXT}a\tb\n\n${line}`],
    ['a NUL in the text', `${TEXT}\0\n\n${line}`],
    ['a hyphen for U+2014', SIGNED.replace('\u2014', '-')],
    ['an en dash for U+2014', SIGNED.replace('\u2014', '\u2013')],
    ['two spaces behind the dash', SIGNED.replace('\u2014 ', '\u2014  ')],
    ['a space behind the signature', `${SIGNED.slice(0, -1)} \n`],
    ['a line without a signature', `${TEXT}\n\u2014 ${ORIGIN}\n`],
    ['a line without a name', `${TEXT}\n\u2014 ${signature}\n`],
    ['a name with a plus sign', SIGNED.replace(`\u2014 ${ORIGIN}`, `\u2014 ${ORIGIN}+`)],
    ['a key id without a signature', `${TEXT}\n\u2014 ${ORIGIN} ${base64(log.id)}\n`],
    ['base64 without padding', `${SIGNED.replace(/=+\n$/, '')}\n`],
    ['base64 with set bits behind the last byte', `${TEXT}\n\u2014 ${ORIGIN} AAAAAAF=\n`],
    ['base64 of the URL alphabet', `${TEXT}\n\u2014 ${ORIGIN} AAAAAA-_\n`],
    ['a line that is none among the signatures', `${SIGNED}comment\n`],
  ];
  const bytes = Buffer.from(SIGNED);
  bytes[3] = 0xff;
  return [
    ...cases.map(([name, note]) => ({ name, note, keys: KEYS, fault: 'NOTE_MALFORMED' as const })),
    { name: 'bytes that are not UTF-8', noteBytes: hex(bytes), keys: KEYS, fault: 'NOTE_MALFORMED' },
    {
      name: '129 signature lines',
      note: SIGNED + stranger.line(Uint8Array.of(0)).repeat(128),
      keys: KEYS,
      fault: 'TOO_LARGE',
    },
  ];
}

/** Good notes by the log whose text is no checkpoint, so that nothing but the text is at fault. */
function malformedCheckpoints(): CheckpointVector[] {
  const root = base64(tree.root());
  const sizes = [
    '01',
    '-1',
    '+9',
    '1e3',
    '0x10',
    '9.0',
    '',
    ' 9',
    '9007199254740992',
    '18446744073709551615',
    '18446744073709551616',
  ];
  const texts: readonly (readonly [name: string, text: string])[] = [
    ...sizes.map((size) => [`a size of "${size}"`, textOf(size)] as const),
    ['an extension line', `${TEXT}extension\n`],
    ['an empty line in the text', `${TEXT}\n`],
    ['no root', `${ORIGIN}\n9\n`],
    ['no origin', `\n9\n${root}\n`],
    ['an origin with a space', `CN-33 demo\n9\n${root}\n`],
    ['a root of 31 bytes', textOf(9, base64(tree.root().subarray(1)))],
    ['a root of 33 bytes', textOf(9, base64(tree.root(), Uint8Array.of(0)))],
    ['a root without padding', textOf(9, root.slice(0, -1))],
    ['a root with set bits behind the last byte', textOf(9, `${'A'.repeat(42)}B=`)],
  ];
  return texts.map(([name, text]) => ({
    name,
    note: `${text}\n${log.signed(text)}`,
    keys: KEYS,
    fault: 'CHECKPOINT_MALFORMED' as const,
  }));
}

/** Well-formed checkpoints with the wrong signatures. */
function badSignatures(): CheckpointVector[] {
  const logSignature = log.sign(TEXT);
  const flippedBit = logSignature.map((byte, i) => (i === 63 ? byte ^ 1 : byte));
  const germanAsLog = new Party(germany.name, LOG, 4);
  const logAsWitness = new Party(ORIGIN, WITNESS, 1);
  const otherText = TEXT.replace(ORIGIN, 'CN-34.demo/trust');
  const oldTime = Buffer.from(germany.sign(`cosignature/v1\ntime ${NOW_S}\n${TEXT}`));
  const cases: readonly (readonly [
    name: string,
    note: string,
    fault: FaultCode,
    keys?: readonly string[],
  ])[] = [
    ['no key is known', COSIGNED, 'NOTE_UNSIGNED', []],
    ['cosigned by witnesses and not signed by the log', COSIGNED, 'NOTE_UNSIGNED', KEYS.slice(1)],
    ['the right name with another key', SIGNED, 'NOTE_UNSIGNED', [nextLog.vkey]],
    [
      'signed by the log of another region, which is not known',
      `${TEXT}\n${otherLog.signed(TEXT)}`,
      'NOTE_UNSIGNED',
    ],
    [
      'signed by the log of another region, which is known',
      `${TEXT}\n${otherLog.signed(TEXT)}`,
      'ORIGIN_INVALID',
      [otherLog.vkey],
    ],
    [
      'signed by the log and by that of another region',
      SIGNED + otherLog.signed(TEXT),
      'ORIGIN_INVALID',
      [log.vkey, otherLog.vkey],
    ],
    ['one bit of the signature flipped', `${TEXT}\n${log.line(flippedBit)}`, 'SIGNATURE_INVALID'],
    ['a good and a bad line by the log', SIGNED + log.line(flippedBit), 'SIGNATURE_INVALID'],
    ['a signature of 63 bytes', `${TEXT}\n${log.line(logSignature.subarray(1))}`, 'SIGNATURE_INVALID'],
    [
      'a signature of 65 bytes',
      `${TEXT}\n${log.line(Buffer.concat([logSignature, Uint8Array.of(0)]))}`,
      'SIGNATURE_INVALID',
    ],
    ['another size than was signed', SIGNED.replace('\n9\n', '\n8\n'), 'SIGNATURE_INVALID'],
    ['a bad line by a known witness', SIGNED + germany.line(new Uint8Array(72)), 'SIGNATURE_INVALID'],
    [
      'a cosignature with an edited time',
      SIGNED + germany.line(Buffer.concat([u64(NOW_S + 1), oldTime])),
      'SIGNATURE_INVALID',
    ],
    [
      'a cosignature of 71 bytes',
      SIGNED + germany.line(Buffer.concat([u64(NOW_S).subarray(1), oldTime])),
      'SIGNATURE_INVALID',
    ],
    ['a cosignature with a time of 2^53', SIGNED + germany.cosigned(TEXT, 2n ** 53n), 'SIGNATURE_INVALID'],
    ['a cosignature of another origin', SIGNED + germany.cosigned(otherText, NOW_S), 'SIGNATURE_INVALID'],
    [
      'a plain signature in the place of a cosignature',
      SIGNED + germany.line(germany.sign(TEXT)),
      'SIGNATURE_INVALID',
    ],
    [
      'a plain signature behind a time in the place of a cosignature',
      SIGNED + germany.line(Buffer.concat([u64(NOW_S), germany.sign(TEXT)])),
      'SIGNATURE_INVALID',
    ],
    [
      'a cosignature in the place of the signature of the log',
      `${TEXT}\n${logAsWitness.cosigned(TEXT, NOW_S)}`,
      'NOTE_UNSIGNED',
      [logAsWitness.vkey],
    ],
    [
      'a witness that signed the text like a log',
      SIGNED + germanAsLog.signed(TEXT),
      'ORIGIN_INVALID',
      [log.vkey, germanAsLog.vkey],
    ],
  ];
  return cases.map(([name, note, fault, keys = KEYS]) => ({ name, note, keys, fault }));
}
