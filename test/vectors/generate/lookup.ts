/**
 * Makes `test/vectors/lookup.json`: keys of a day, numbers that are looked up, sealed entries and signed heads, good and bad.
 * Deterministic. Run from the project root: `npx tsx test/vectors/generate/lookup.ts`.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { asciiBytes, concatBytes, hexOf, uint64Bytes } from '../../../protocol/bytes.ts';
import { encodeStatus, type Status } from '../../../protocol/code/status.ts';
import { encodeCbor } from '../../../protocol/encoding/cbor.ts';
import { type LookupHead, signLookupHead } from '../../../protocol/lookup/head.ts';
import {
  blindNumber,
  type Evaluation,
  evaluateBlinded,
  lookupInput,
  lookupKeyPair,
  numberSecrets,
  secretOfInput,
} from '../../../protocol/lookup/oblivious.ts';
import { sealStatus } from '../../../protocol/lookup/table.ts';
import { testKey } from '../../support/keys.ts';
import { projectRoot } from '../../support/project.ts';
import { sha256 } from '../../support/primitives.ts';
import {
  type BucketVector,
  type EvaluationVector,
  type HeadVector,
  type KeyVector,
} from '../../support/lookup-vectors.ts';

export const LOOKUP_VECTOR_FILE = join(projectRoot, 'test/vectors/lookup.json');

const ABOUT = [
  'SPEC.md 21, of DE in the network demo unless a case says otherwise. Bytes are hexadecimal. Where expect is a fault, it is a code of SPEC.md 12.',
  'keys: the key of a day from its seed. evaluations: number is what was scanned, blind the scalar that blinds it, publicKey the announced key, salt that of the table; expect is what a verifier comes to.',
  'buckets: what a bucket of so many entries holds for locator and key; status is the field of SPEC.md 5.2, null where there is none. heads: bytes as served; expect is what they say.',
];

const PLACE = { region: 'DE', network: 'demo', day: 20_783 };
const NUMBER = '310101199001011234';
const SALT = new Uint8Array(16).fill(7);

/** A stream of bytes that follows from its name. */
function drawing(name: string): (length: number) => Uint8Array {
  let drawn = 0;
  return (length) => {
    const parts: Uint8Array[] = [];
    for (let have = 0; have < length; have += 32)
      parts.push(sha256(concatBytes(asciiBytes(`lookup vectors ${name}\n`), uint64Bytes(drawn++))));
    return concatBytes(...parts).slice(0, length);
  };
}

const seedOf = (byte: number) => new Uint8Array(32).fill(byte);
const flipped = (bytes: Uint8Array, at: number) => bytes.map((byte, i) => (i === at ? byte ^ 1 : byte));

function keyVectors(): KeyVector[] {
  const cases = [
    ['of a day', 1, PLACE],
    ['of the next day, by the same seed', 1, { ...PLACE, day: PLACE.day + 1 }],
    ['by another seed', 2, PLACE],
    ['of another region', 1, { ...PLACE, region: 'CN-33' }],
    ['of another network', 1, { ...PLACE, network: 'other' }],
    ['of the first day', 3, { ...PLACE, day: 0 }],
  ] as const;
  return cases.map(([name, byte, place]) => {
    const { secretKey, publicKey } = lookupKeyPair(seedOf(byte), place);
    return { name, seed: hexOf(seedOf(byte)), ...place, secretKey: hexOf(secretKey), publicKey: hexOf(publicKey) };
  });
}

function evaluationVectors(): EvaluationVector[] {
  const keys = lookupKeyPair(seedOf(1), PLACE);
  const vector = (
    name: string,
    number: string,
    alter: (evaluation: Evaluation) => Evaluation,
    fault?: string,
    salt = SALT,
  ): EvaluationVector => {
    const random = drawing(name);
    const asked = blindNumber(lookupInput(PLACE, number), random);
    const { evaluated, proof } = alter(evaluateBlinded(keys, asked.blinded, random));
    const { locator, key } = numberSecrets(sha256, secretOfInput(sha256, keys.secretKey, asked.input), salt);
    return {
      name,
      number,
      publicKey: hexOf(keys.publicKey),
      blind: hexOf(asked.blind),
      blinded: hexOf(asked.blinded),
      evaluated: hexOf(evaluated),
      proof: hexOf(proof),
      salt: hexOf(salt),
      expect: fault === undefined ? { locator: hexOf(locator), key: hexOf(key) } : { fault },
    };
  };
  const same = (evaluation: Evaluation) => evaluation;
  const marking = lookupKeyPair(seedOf(9), PLACE);
  const other = evaluateBlinded(
    keys,
    blindNumber(lookupInput(PLACE, NUMBER), drawing('other')).blinded,
    drawing('other proof'),
  );
  const marked = evaluateBlinded(
    marking,
    blindNumber(lookupInput(PLACE, NUMBER), drawing('another key')).blinded,
    drawing('another key proof'),
  );
  return [
    vector('a number', NUMBER, same),
    vector('the same number by another blind', NUMBER, same),
    vector('the same number in another table', NUMBER, same, undefined, seedOf(8).slice(0, 16)),
    vector('a link', 'https://code.example/h?id=8f14e45fceea167a', same),
    vector('one byte', '0', same),
    vector('a number that is not ASCII', '浙A12345', same),
    vector('a space behind, which is not mended', `${NUMBER} `, same),
    vector('another key', NUMBER, () => marked, 'LOOKUP_UNPROVEN'),
    vector('an element of another question', NUMBER, (right) => ({ ...right, evaluated: other.evaluated }), 'LOOKUP_UNPROVEN'),
    vector('a proof of another question', NUMBER, (right) => ({ ...right, proof: other.proof }), 'LOOKUP_UNPROVEN'),
    vector('a flipped bit in the proof', NUMBER, (right) => ({ ...right, proof: flipped(right.proof, 5) }), 'LOOKUP_UNPROVEN'),
    vector('the identity', NUMBER, (right) => ({ ...right, evaluated: new Uint8Array(32) }), 'LOOKUP_UNPROVEN'),
    vector('an element of 31 bytes', NUMBER, (right) => ({ ...right, evaluated: right.evaluated.slice(1) }), 'LOOKUP_MALFORMED'),
    vector('a proof of 65 bytes', NUMBER, (right) => ({ ...right, proof: concatBytes(right.proof, Uint8Array.of(0)) }), 'LOOKUP_MALFORMED'),
  ];
}

const GREEN: Status = {
  colour: 'green',
  measure: 'none',
  expiresAtS: 1_796_000_000,
  ruleId: 'baseline',
  ruleVersion: 1,
};
const RED: Status = { ...GREEN, colour: 'red', measure: 'isolate', untilS: 1_796_000_000 };

function bucketVectors(): BucketVector[] {
  const random = drawing('bucket');
  const one = { locator: random(16), key: random(32) };
  const entry = sealStatus(one, GREEN, PLACE, random);
  const red = sealStatus(one, RED, PLACE, random);
  const [low, high] = [random(140), random(140)];
  low[0] = 0;
  high[0] = 0xff;
  const vector = (name: string, bucket: Uint8Array, capacity: number, expect: BucketVector['expect']) => {
    const { locator, key } = one;
    return { name, day: PLACE.day, locator: hexOf(locator), key: hexOf(key), bucket: hexOf(bucket), capacity, expect };
  };
  const status = (of: Status) => ({ status: hexOf(encodeStatus(of)) });
  const malformed = { fault: 'LOOKUP_MALFORMED' };
  return [
    vector('green', entry, 1, status(GREEN)),
    vector('red, among others', concatBytes(low, red, high), 3, status(RED)),
    vector('not there', concatBytes(low, high), 2, { status: null }),
    vector('a flipped bit in the nonce', flipped(entry, 16), 1, malformed),
    vector('a flipped bit in the status', flipped(entry, 30), 1, malformed),
    vector('a flipped bit in the tag', flipped(entry, 139), 1, malformed),
    vector('of another day', sealStatus(one, GREEN, { ...PLACE, day: PLACE.day - 1 }, random), 1, malformed),
    vector('of another region', sealStatus(one, GREEN, { ...PLACE, region: 'FR' }, random), 1, malformed),
    vector('a byte too short', entry.slice(0, -1), 1, malformed),
    vector('an entry more than the head says', concatBytes(entry, high), 1, malformed),
  ];
}

function headVectors(): HeadVector[] {
  const key = testKey(1);
  const head: LookupHead = {
    kind: 'lookup',
    ...PLACE,
    at: 1_795_700_000,
    bits: 4,
    capacity: 16,
    salt: SALT,
    root: new Uint8Array(32).fill(3),
  };
  const label = asciiBytes('entente/lookup-head/v1\n');
  const signed = (value: object, by = label) => {
    const body = encodeCbor(value as Parameters<typeof encodeCbor>[0]);
    return encodeCbor([body, key.publicKey, key.sign(concatBytes(by, body))]);
  };
  const good = (name: string, of: LookupHead): HeadVector => ({
    name,
    bytes: hexOf(signLookupHead(of, key)),
    expect: { ...of, root: hexOf(of.root), salt: hexOf(of.salt), key: hexOf(key.publicKey) },
  });
  const bad = (name: string, bytes: Uint8Array, fault: string): HeadVector => ({
    name,
    bytes: hexOf(bytes),
    expect: { fault },
  });
  const rootless = Object.fromEntries(Object.entries(head).filter(([member]) => member !== 'root'));
  return [
    good('a head', head),
    good('one bucket of one entry', { ...head, bits: 0, capacity: 1 }),
    good('the largest', { ...head, region: 'CN-33', bits: 20, capacity: 448 }),
    bad('21 bits', signed({ ...head, bits: 21 }), 'LOOKUP_MALFORMED'),
    bad('449 entries', signed({ ...head, capacity: 449 }), 'LOOKUP_MALFORMED'),
    bad('no entries', signed({ ...head, capacity: 0 }), 'LOOKUP_MALFORMED'),
    bad('without a root', signed(rootless), 'LOOKUP_MALFORMED'),
    bad('a salt of 15 bytes', signed({ ...head, salt: SALT.slice(1) }), 'LOOKUP_MALFORMED'),
    bad('a member more', signed({ ...head, more: 1 }), 'LOOKUP_MALFORMED'),
    bad('another label', signed(head, asciiBytes('entente/writer/v1\n')), 'SIGNATURE_INVALID'),
    bad('a byte behind it', concatBytes(signLookupHead(head, key), Uint8Array.of(0)), 'CBOR_MALFORMED'),
  ];
}

/** One line a case, always the same. */
export function lookupVectorText(): string {
  const list = (cases: readonly object[]) => `[\n${cases.map((one) => `    ${JSON.stringify(one)}`).join(',\n')}\n  ]`;
  const parts = [
    `"about": ${JSON.stringify(ABOUT)}`,
    `"keys": ${list(keyVectors())}`,
    `"evaluations": ${list(evaluationVectors())}`,
    `"buckets": ${list(bucketVectors())}`,
    `"heads": ${list(headVectors())}`,
  ];
  return `{\n  ${parts.join(',\n  ')}\n}\n`;
}

if (process.argv[1] === import.meta.filename) writeFileSync(LOOKUP_VECTOR_FILE, lookupVectorText());
