/**
 * Makes `test/vectors/joining.json`: invitations and answers, good and bad, and what both sides compare and sign. Deterministic. Run from the
 * project root: `npx tsx test/vectors/generate/joining.ts`.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { asciiBytes, concatBytes, hexOf } from '../../../protocol/bytes.ts';
import { type CborValue, encodeCbor } from '../../../protocol/encoding/cbor.ts';
import { type FaultCode } from '../../../protocol/fault.ts';
import { confirmationMessage, signJoining, transcriptOf } from '../../../protocol/joining/joining.ts';
import { testKey } from '../../support/keys.ts';
import { projectRoot } from '../../support/project.ts';
import { sha256 } from '../../support/primitives.ts';

export const JOINING_VECTOR_FILE = join(projectRoot, 'test/vectors/joining.json');

const ABOUT = [
  'SPEC.md 20. Bytes are in hexadecimal; what a reader finds has byte strings in hexadecimal too. fault is a code of SPEC.md 12.',
  'said: an invitation or an answer as it is given. meetings: what both operators compare, and whether each confirmation is one of its side.',
];

export interface SaidVector {
  readonly name: string;
  readonly kind: 'invitation' | 'answer';
  readonly bytes: string;
  readonly fault?: FaultCode;
  readonly said?: Readonly<Record<string, unknown>>;
}

export interface MeetingVector {
  readonly name: string;
  readonly invitation: string;
  readonly answer: string;
  readonly joining: string;
  readonly inviting: string;
  readonly transcript: string;
  readonly areConfirmed: readonly [joining: boolean, inviting: boolean];
}

const [de, fr] = [testKey(1), testKey(2)];
const DAY_S = 86_400;
const INVITATION = {
  kind: 'invitation' as const,
  region: 'DE',
  network: 'demo',
  name: 'Germany',
  fingerprint: new Uint8Array(32).fill(3),
  node: de.publicKey,
  addresses: ['/ip4/192.0.2.1/tcp/4600'],
  http: 'https://de.example',
  from: 1_795_000_000,
  until: 1_795_086_400,
  id: new Uint8Array(16).fill(4),
};
const invited = signJoining(INVITATION, (message) => de.sign(message)).bytes;
const ANSWER = {
  kind: 'answer' as const,
  region: 'FR',
  network: 'demo',
  name: 'France',
  fingerprint: new Uint8Array(32).fill(5),
  node: fr.publicKey,
  addresses: [],
  invitation: sha256(invited),
  at: 1_795_000_060,
  nonce: new Uint8Array(16).fill(6),
};
const answered = signJoining(ANSWER, (message) => fr.sign(message)).bytes;

type Members = Readonly<Record<string, CborValue>>;
const KEYS = { invitation: de, answer: fr } as const;

function signed(kind: SaidVector['kind'], body: CborValue, { label = kind, key = KEYS[kind] } = {}): Uint8Array {
  const bytes = encodeCbor(body);
  return encodeCbor([bytes, key.sign(concatBytes(asciiBytes(`entente/joining-${label}/v1\n`), bytes))]);
}

const without = (members: Members, name: string): Members =>
  Object.fromEntries(Object.entries(members).filter(([member]) => member !== name));
const readable = (members: Members) =>
  Object.fromEntries(Object.entries(members).map(([name, value]) => [name, value instanceof Uint8Array ? hexOf(value) : value]));

function good(name: string, changes: Members = {}, of: Members = INVITATION): SaidVector {
  const members = { ...of, ...changes };
  const kind = of === ANSWER ? 'answer' : 'invitation';
  return { name, kind, bytes: hexOf(signed(kind, members)), said: readable(members) };
}

function bad(name: string, changes: Members, fault: FaultCode = 'JOINING_MALFORMED'): SaidVector {
  return { name, kind: 'invitation', bytes: hexOf(signed('invitation', { ...INVITATION, ...changes })), fault };
}

function raw(name: string, kind: SaidVector['kind'], bytes: Uint8Array, fault: FaultCode = 'JOINING_MALFORMED'): SaidVector {
  return { name, kind, bytes: hexOf(bytes), fault };
}

const ADDRESS = '/ip4/192.0.2.1/tcp/4600';

function saidVectors(): SaidVector[] {
  return [
    good('an invitation'),
    good('an answer', {}, ANSWER),
    good('the longest of each', { name: 'x'.repeat(64), addresses: Array<string>(8).fill('x'.repeat(256)), http: 'x'.repeat(256), until: INVITATION.from + 30 * DAY_S }),
    good('a name that is not ASCII', { name: '浙江' }),
    raw('an answer in the place of an invitation', 'invitation', answered),
    raw('an invitation in the place of an answer', 'answer', invited),
    raw('the label of the other kind', 'invitation', signed('invitation', INVITATION, { label: 'answer' }), 'SIGNATURE_INVALID'),
    raw('by another node than it names', 'invitation', signed('invitation', INVITATION, { key: fr }), 'SIGNATURE_INVALID'),
    raw('an answer by another node than it names', 'answer', signed('answer', ANSWER, { key: de }), 'SIGNATURE_INVALID'),
    raw('an answer without a nonce', 'answer', signed('answer', without(ANSWER, 'nonce'))),
    raw('an invitation without an end', 'invitation', signed('invitation', without(INVITATION, 'until'))),
    raw('a body that is a list', 'invitation', signed('invitation', [])),
    raw('a signature of 63 bytes', 'invitation', encodeCbor([encodeCbor(INVITATION), new Uint8Array(63)])),
    raw('a third part', 'invitation', encodeCbor([encodeCbor(INVITATION), new Uint8Array(64), 0])),
    raw('a byte behind it', 'invitation', concatBytes(invited, Uint8Array.of(0)), 'CBOR_MALFORMED'),
    raw('4,097 bytes', 'invitation', new Uint8Array(4_097), 'TOO_LARGE'),
    raw('nothing', 'invitation', new Uint8Array(0), 'CBOR_MALFORMED'),
    bad('a region that is none', { region: 'de' }),
    bad('B33 look-alike letters in a region', { region: 'CN-СН' }),
    bad('a network that is none', { network: 'De Mo' }),
    bad('no name', { name: '' }),
    bad('a name of 65 bytes', { name: 'x'.repeat(65) }),
    bad('a name of 22 characters and 66 bytes', { name: '江'.repeat(22) }),
    bad('a fingerprint of 31 bytes', { fingerprint: new Uint8Array(31) }),
    bad('nine addresses', { addresses: Array<string>(9).fill(ADDRESS) }),
    bad('an empty address', { addresses: [''] }),
    bad('an address of 257 bytes', { addresses: ['x'.repeat(257)] }),
    bad('an end that is its beginning', { until: INVITATION.from }),
    bad('an end 30 days and a second after its beginning', { until: INVITATION.from + 30 * DAY_S + 1 }),
    bad('an id of 17 bytes', { id: new Uint8Array(17) }),
    bad('a further member', { more: 1 }),
  ];
}

function meetingVectors(): MeetingVector[] {
  const transcript = transcriptOf(sha256, invited, answered);
  const joining = fr.sign(confirmationMessage('joining', transcript));
  const inviting = de.sign(confirmationMessage('inviting', transcript));
  const vector = (name: string, signatures: readonly Uint8Array[], areConfirmed: MeetingVector['areConfirmed']): MeetingVector => {
    const [first = "", second = ""] = signatures.map(hexOf);
    return { name, invitation: hexOf(invited), answer: hexOf(answered), joining: first, inviting: second, transcript: hexOf(transcript), areConfirmed };
  };
  const other = transcriptOf(sha256, invited, invited);
  return [
    vector('both confirm', [joining, inviting], [true, true]),
    vector('each signs as the other side', [fr.sign(confirmationMessage('inviting', transcript)), de.sign(confirmationMessage('joining', transcript))], [false, false]),
    vector('each signs with the key of the other', [de.sign(confirmationMessage('joining', transcript)), fr.sign(confirmationMessage('inviting', transcript))], [false, false]),
    vector('another transcript', [fr.sign(confirmationMessage('joining', other)), inviting], [false, true]),
  ];
}

/** One line a case, always the same. */
export function joiningVectorText(): string {
  const list = (cases: readonly object[]) => `[\n${cases.map((one) => `    ${JSON.stringify(one)}`).join(',\n')}\n  ]`;
  const parts = [`"about": ${JSON.stringify(ABOUT)}`, `"said": ${list(saidVectors())}`, `"meetings": ${list(meetingVectors())}`];
  return `{\n  ${parts.join(',\n  ')}\n}\n`;
}

if (process.argv[1] === import.meta.filename) writeFileSync(JOINING_VECTOR_FILE, joiningVectorText());
