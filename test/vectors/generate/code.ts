/**
 * Makes `test/vectors/code.json`: texts of codes and presentations, good ones, ones with a signature that is not good and
 * ones with a fault. Deterministic. What is expected is known from how a case is made and not asked of the parser.
 * Run from the project root: `npx tsx test/vectors/generate/code.ts`.
 */
import { createHash, scryptSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { concatBytes, hexBytes, hexOf } from '../../../protocol/bytes.ts';
import { codeText } from '../../../protocol/code/code-text.ts';
import { FIELD_NAMES, type Fields } from '../../../protocol/code/field.ts';
import { commitFields } from '../../../protocol/code/openings.ts';
import { type Original, type OriginalSigned } from '../../../protocol/code/original.ts';
import { CODE_VECTOR_FILE, type CodeVector, type CodeVectors } from '../../support/code-vectors.ts';
import { sha256 } from '../../support/primitives.ts';
import { badCodes } from './code-bad.ts';
import {
  ALL_FIELDS,
  CLAIMS,
  counting,
  craft,
  type Crafted,
  EMPTY,
  GREEN,
  ISSUER,
  messageOf,
  NETWORK,
  NOVEMBER,
  present,
  RED,
  STRANGER,
  YELLOW,
} from './code-craft.ts';

const SAFE_MAX = Number.MAX_SAFE_INTEGER;
const STEP = 59_000_000;
const plain = craft();
const shown = craft({ names: ['status', 'holder'] });
const commitment = hexBytes(plain.reading.commitment);

const ORIGINAL: Original = {
  region: 'ES',
  log: '2026-11',
  index: 17,
  keyId: STRANGER.keyId,
  leafHash: counting(32),
};
const ofOthers = (hashes: number, signed?: OriginalSigned): Original => ({
  region: 'GB-ENG',
  hashes: Array.from({ length: hashes }, (_, i) => counting(16).fill(i, 0, 1)),
  signed,
});
const longest = { ...RED, untilS: SAFE_MAX, expiresAtS: SAFE_MAX, ruleId: 'a'.repeat(32), ruleVersion: SAFE_MAX };
const longestOfOthers = craft({
  fields: { ...ALL_FIELDS, status: { ...longest, original: ofOthers(3, { signer: counting(8), issuedAtS: SAFE_MAX }) } },
  names: FIELD_NAMES,
});
const longestBridged = craft({
  fields: {
    ...ALL_FIELDS,
    status: {
      ...longest,
      original: { ...ORIGINAL, region: 'GB-ENG', log: '2026-11.9', index: 2 ** 40 - 1 },
    },
  },
  names: FIELD_NAMES,
});

const GOOD: readonly (readonly [string, Crafted])[] = [
  ['opens the status', plain],
  ['opens status and holder', shown],
  ['opens status and document', craft({ names: ['status', 'document'] })],
  ['opens status and evidence', craft({ names: ['status', 'evidence'] })],
  ['opens status, holder and document', craft({ names: ['status', 'holder', 'document'] })],
  ['opens status, holder and evidence', craft({ names: ['status', 'holder', 'evidence'] })],
  ['opens status, document and evidence', craft({ names: ['status', 'document', 'evidence'] })],
  ['opens all fields', craft({ names: FIELD_NAMES })],
  ['uses the status only', craft({ fields: { status: GREEN } })],
  ['yellow, at home', craft({ fields: { ...ALL_FIELDS, status: YELLOW } })],
  ['red, isolated', craft({ fields: { ...ALL_FIELDS, status: RED } })],
  [
    'the least numbers and the shortest rule id',
    craft({ fields: { status: { ...YELLOW, untilS: 0, expiresAtS: 0, ruleId: '0', ruleVersion: 0 } } }),
  ],
  [
    'the greatest numbers and the longest rule id',
    craft({
      fields: {
        status: {
          ...RED,
          untilS: SAFE_MAX,
          expiresAtS: SAFE_MAX,
          ruleId: 'a'.repeat(32),
          ruleVersion: SAFE_MAX,
        },
      },
    }),
  ],
  [
    'the shortest names, the first index and the first hour of the month',
    craft({ claims: { region: 'DE', index: 0, hour: NOVEMBER }, network: 'a' }),
  ],
  [
    'the longest names, the last index and the last hour of the month',
    craft({
      claims: { region: 'GB-ENG', log: '2026-11.9', index: 2 ** 40 - 1, hour: NOVEMBER + 719 },
      network: `a${'-'.repeat(30)}9`,
    }),
  ],
  ['bridged for an attestation', craft({ fields: { status: { ...GREEN, original: ORIGINAL } } })],
  ['bridged for a code of others', craft({ fields: { status: { ...YELLOW, original: ofOthers(1) } } })],
  [
    'bridged for a code of others by a named key',
    craft({ fields: { status: { ...YELLOW, original: ofOthers(2, { signer: counting(8) }) } } }),
  ],
  [
    'bridged for a code of others by a named key, issued at the beginning of time',
    craft({ fields: { status: { ...YELLOW, original: ofOthers(2, { signer: counting(8), issuedAtS: 0 }) } } }),
  ],
  ['bridged for a code of others with three hashes, a key and a time, at the longest', longestOfOthers],
  ['bridged for an attestation, at the longest', longestBridged],
  ['presented live', present(shown, STEP, EMPTY)],
  ['presented with the shortest challenge', present(shown, STEP, counting(8))],
  ['presented with the longest challenge', present(shown, STEP, counting(32))],
  ['presented with all fields', present(craft({ names: FIELD_NAMES }), STEP, counting(16))],
  ['presented at step 0', present(shown, 0, EMPTY)],
  ['presented at step 2^53-1', present(shown, SAFE_MAX, counting(16))],
];

/** A code whose issuer signed for other claims or another network than it shows. */
function signedFor(claims: Partial<typeof CLAIMS>, network = NETWORK): Crafted {
  const sign = () => ISSUER.sign(messageOf({ ...CLAIMS, ...claims }, network, commitment));
  return craft({ sign, isGood: false });
}

const NOT_GOOD: readonly (readonly [string, Crafted])[] = [
  ['one bit of R flipped', craft({ sign: (message) => flipped(ISSUER.sign(message), 0), isGood: false })],
  ['one bit of S flipped', craft({ sign: (message) => flipped(ISSUER.sign(message), 32), isGood: false })],
  ['S + L', craft({ sign: (message) => withGroupOrder(ISSUER.sign(message)), isGood: false })],
  ['a signature of zeros', craft({ sign: () => new Uint8Array(64), isGood: false })],
  ['signed by another key', craft({ sign: STRANGER.sign, isGood: false })],
  ['signed without the Sig_structure', craft({ sign: (_, payload) => ISSUER.sign(payload), isGood: false })],
  ['signed for another region', signedFor({ region: 'CN-34' })],
  ['signed for another log of the month', signedFor({ log: '2026-11.1' })],
  ['signed for another index', signedFor({ index: CLAIMS.index + 1 })],
  ['signed for another hour', signedFor({ hour: CLAIMS.hour + 1 })],
  ['signed for another network', signedFor({}, 'other')],
  [
    'signed for another key id',
    craft({ sign: () => ISSUER.sign(messageOf(CLAIMS, NETWORK, commitment, STRANGER.keyId)), isGood: false }),
  ],
  [
    'presented: the issuer did not sign',
    present(craft({ names: ['status', 'holder'], sign: STRANGER.sign, isGood: false }), STEP, EMPTY),
  ],
  ['presented: signed by another device', present(shown, STEP, EMPTY, { key: STRANGER, isGood: false })],
  [
    'presented: signed for another step',
    present(shown, STEP, EMPTY, { signed: { step: STEP + 1 }, isGood: false }),
  ],
  [
    'presented: signed for another challenge',
    present(shown, STEP, counting(8), { signed: { challenge: counting(9).slice(1) }, isGood: false }),
  ],
  [
    'presented: signed for no challenge',
    present(shown, STEP, counting(8), { signed: { challenge: EMPTY }, isGood: false }),
  ],
  [
    'presented: signed for another attestation',
    present(shown, STEP, EMPTY, { signed: { attestation: plain.attestation.with(25, 0) }, isGood: false }),
  ],
];

function flipped(bytes: Uint8Array, at: number): Uint8Array {
  return bytes.with(at, (bytes[at] as number) ^ 1);
}

/** S plus the order of the group, little-endian: the same residue in a second spelling. */
function withGroupOrder(signature: Uint8Array): Uint8Array {
  const order = hexBytes('edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010');
  let carry = 0;
  const sum = order.map((byte, i) => {
    carry = (carry >> 8) + byte + (signature[32 + i] as number);
    return carry;
  });
  return concatBytes(signature.slice(0, 32), sum);
}

function codes(): CodeVector[] {
  const publicKey = hexOf(ISSUER.publicKey);
  const wellFormed = [...GOOD, ...NOT_GOOD].map(([name, { network, bytes, reading }]) => {
    return { name, network, publicKey, text: codeText(bytes), expect: reading };
  });
  const bad = badCodes().map(({ name, text, fault }) => ({
    name,
    network: NETWORK,
    publicKey,
    text,
    expect: { fault },
  }));
  return [...wellFormed, ...bad];
}

function commitments(): CodeVectors['commitments'] {
  const { status, holderKey, document, evidence } = ALL_FIELDS;
  const sets: [string, Fields][] = [
    ['the status', { status: RED }],
    ['status and holder', { status, holderKey }],
    ['status and document', { status: YELLOW, document }],
    ['status, holder and evidence', { status, holderKey, evidence }],
    ['all fields', ALL_FIELDS],
  ];
  return sets.map(([name, fields]) => {
    const made = commitFields(sha256, fields, counting);
    const { opened, unused } = made.openings;
    return {
      name,
      fields: opened.map((opening, i) =>
        opening === undefined
          ? { leaf: hexOf(unused[i] as Uint8Array) }
          : { salt: hexOf(opening.slice(0, 16)), value: hexOf(opening.slice(16)) },
      ),
      commitment: hexOf(made.commitment),
    };
  });
}

/** By OpenSSL over what SPEC.md 5.8 says is hashed. */
function padding(): CodeVectors['padding'] {
  const committed = (secret: Uint8Array) =>
    createHash('sha256').update('\0entente/padding/v1\n').update(secret).digest('hex');
  const good = [new Uint8Array(32), counting(32), new Uint8Array(32).fill(0xff)];
  const bad = [EMPTY, counting(31), counting(33)];
  return [
    ...good.map((secret) => ({ secret: hexOf(secret), commitment: committed(secret) })),
    ...bad.map((secret) => ({ secret: hexOf(secret), commitment: null })),
  ];
}

/** By OpenSSL over what SPEC.md 5.4 says is hashed; null where it says that there is no hash. */
const DOCUMENTS: readonly (readonly [country: string, number: string, plain: string | null])[] = [
  ['CN', 'E1234567X', 'E1234567X'],
  ['CN', ' e 123-4567/x', 'E1234567X'],
  ['DE', 'L01X00T47', 'L01X00T47'],
  ['DE', '\u00e9\u0131L\u00df01\uff11X', 'L01X'],
  ['DE', 'ABC', null],
  ['DE', '\u0410\u0411\u0412\u0413', null],
  ['DE', 'A'.repeat(33), null],
];

function documents(): CodeVectors['documents'] {
  const salt = counting(16);
  const options = { cost: 32_768, blockSize: 8, parallelization: 1, maxmem: 2 ** 26 };
  return DOCUMENTS.map(([country, number, plainNumber]) => {
    const password = `entente/document/v1\n${country}\n${plainNumber}`;
    const hash = plainNumber === null ? null : hexOf(scryptSync(password, salt, 32, options));
    return { country, number, salt: hexOf(salt), hash };
  });
}

/** By the table of SPEC.md 6: seconds from the start of the step to now, and the grade without and with a challenge. */
const GRADES: readonly (readonly [sinceStart: number, live: string, challenged: string])[] = [
  [-30, 'static', 'static'],
  [-6, 'static', 'static'],
  [-5, 'live', 'challenged'],
  [0, 'live', 'challenged'],
  [29, 'live', 'challenged'],
  [30, 'live', 'challenged'],
  [59, 'live', 'challenged'],
  [60, 'static', 'static'],
  [61, 'static', 'static'],
];

function grades(): CodeVectors['grades'] {
  const challenge = hexOf(counting(16));
  const other = hexOf(counting(17).slice(1));
  return GRADES.flatMap(([sinceStart, live, challenged]) => {
    const now = 30 * STEP + sinceStart;
    return [
      { step: STEP, challenge: '', given: null, now, grade: live },
      { step: STEP, challenge: '', given: challenge, now, grade: live },
      { step: STEP, challenge, given: challenge, now, grade: challenged },
      { step: STEP, challenge, given: other, now, grade: 'static' },
      { step: STEP, challenge, given: null, now, grade: 'static' },
    ];
  });
}

export function codeVectorText(): string {
  const groups = {
    codes: codes(),
    commitments: commitments(),
    padding: padding(),
    documents: documents(),
    grades: grades(),
  };
  const about =
    'Codes and presentations, SPEC.md 5 and 6. Bytes are in hexadecimal. `expect` is what a reader finds, or the fault of SPEC.md 5.5.';
  const lists = Object.entries(groups).map(([name, cases]) => {
    const lines = cases.map((vector) => `    ${JSON.stringify(vector)}`);
    return `  ${JSON.stringify(name)}: [\n${lines.join(',\n')}\n  ]`;
  });
  return `{\n  "about": ${JSON.stringify(about)},\n${lists.join(',\n')}\n}\n`;
}

if (process.argv[1] === import.meta.filename) writeFileSync(CODE_VECTOR_FILE, codeVectorText());
