/**
 * Makes `test/vectors/writer.json`: words of writers, what a witness answers them, and what a writer is bound to by what witnesses kept.
 * Deterministic. Every case says itself what is found; the test holds the library against that.
 * Run from the project root: `npx tsx test/vectors/generate/writer.ts`.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { concatBytes, hexOf } from '../../../protocol/bytes.ts';
import { decodeCbor, encodeCbor } from '../../../protocol/encoding/cbor.ts';
import { keyIdOf } from '../../../protocol/signature/key-id.ts';
import { type LoggedStatement } from '../../../protocol/trust/naming.ts';
import { type Claim, type Permit, type SignedWord } from '../../../protocol/writer/word.ts';
import {
  encodeWriterAnswer,
  encodeWriterRequest,
  type WriterAnswer,
} from '../../../node/writer/writer-messages.ts';
import { testKey } from '../../support/keys.ts';
import { sha256 } from '../../support/primitives.ts';
import { projectRoot } from '../../support/project.ts';
import { RegionFixture, testKey as rootKey, type TestKey, type TestStatement } from '../../support/region-fixture.ts';
import { ATTEST, claimOf, permitOf, type Reign, TRUST } from '../../support/writer-words.ts';

export const WRITER_VECTOR_FILE = join(projectRoot, 'test/vectors/writer.json');

const ABOUT = [
  'SPEC.md 14.5.5 and 19, for the region CN-33 of the network test. Bytes are in hexadecimal; shared.entries are its trust log as witnesses hold it: it names three checkpoint keys, replaces the root and gives up the third.',
  'words: whether the word is one (else fault), and whether a key that is not compromised signed it.',
  'answers: what a witness answers to request that has granted words, in that order, and to which the root has shown that the keys givenUp are given up and the keys named are named; and whether it remembers something else then. isKnown: whether it holds the trust log.',
  'quorums: n and f for w witnesses. pledges: what a writer is bound to, by log, of w witnesses of which those in reports answered with these permits.',
];

const KEYS = [1, 2, 3].map(testKey);
const [FIRST = testKey(1), SECOND = testKey(2), GIVEN_UP = testKey(3)] = KEYS;
/** One that the log does not name. */
const FRESH = testKey(4);

function inLog({ publicKey, sign }: { readonly publicKey: Uint8Array; readonly sign: TestKey['sign'] }): TestKey {
  return { publicKey, sign, keyId: keyIdOf(sha256, publicKey) };
}

/** The trust log as a witness holds it, under a root of so many keys. */
function trustLog(threshold = 1, keyOf = rootKey): RegionFixture {
  const region = new RegionFixture({ region: 'CN-33', rootKeys: 2, threshold, begins: 'root', keyOf });
  region.admit(KEYS.map((key) => ({ key: inLog(key), role: 'checkpoint' })));
  region.add(region.rootStatement({ version: 2 }));
  region.add(region.compromise(inLog(GIVEN_UP), {}));
  return region;
}

const LOG = trustLog();
const CUT_OFF = LOG.cutOff();

/** What the root says of its keys: those of its log that tell, and what is signed for the places behind it. */
function statementsOf(added: readonly TestStatement[], by = LOG): LoggedStatement[] {
  const held = [0, 1, 2].map((index) => ({ index, entry: by.entryAt(index) }));
  return [...held, ...added.map((statement, i) => ({ index: by.entries.length + i, entry: by.entryOf(statement) }))];
}

const givesUpFirst = LOG.compromise(inLog(FIRST), { trust: CUT_OFF });
const namesFresh = LOG.keysStatement([{ key: inLog(FRESH), role: 'checkpoint' }]);
const NAMING = statementsOf([namesFresh, givesUpFirst]);
const UNSIGNED_NAMING = NAMING.map(({ index, entry }) => {
  const bytes = entry.slice();
  // The last byte of a signature of what gives up and names.
  if (index >= LOG.entries.length) bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
  return { index, entry: bytes };
});
/** What only who holds the first root has signed, and the second one after it. */
const EARLIER = [
  ...NAMING.slice(0, 2),
  ...[namesFresh, givesUpFirst].map((statement, i) => ({ index: 2 + i, entry: LOG.entryOf(statement) })),
  { index: 4, entry: LOG.entryAt(2) },
];
const JUNE = 'CN-33.test/attest/2026-06';

export interface WordVector {
  readonly name: string;
  readonly word: string;
  readonly fault?: string;
  readonly counts?: boolean;
}

export interface AnswerVector {
  readonly name: string;
  readonly isKnown: boolean;
  readonly words: readonly string[];
  readonly givenUp: readonly string[];
  readonly named: readonly string[];
  readonly request: string;
  readonly answer: string;
  readonly changes: boolean;
}

export interface PledgeVector {
  readonly name: string;
  readonly w: number;
  readonly reports: readonly (readonly string[])[];
  /** Origin, epoch, size and root. */
  readonly pledges: readonly (readonly [string, number, number, string])[];
}

export interface QuorumVector {
  readonly w: number;
  readonly n: number;
  readonly f: number;
}

/** The bytes of a word with another body, under the signature of the first. */
function altered({ body, publicKey, signature }: SignedWord, changes: Record<string, unknown>): Uint8Array {
  const members = { ...(decodeCbor(body, { bytesMax: 1_024 }) as object), ...changes };
  return encodeCbor([encodeCbor(members as never), publicKey, signature]);
}

const claim = claimOf({ epoch: 3 });
const permit = permitOf({ epoch: 3 }, { from: 4, size: 9, origin: ATTEST });
const invalid = 'SCHEMA_INVALID';

const WORDS: Readonly<Record<string, readonly [word: Uint8Array, found: string | boolean]>> = {
  'a claim': [claim.bytes, true],
  'a permit': [permit.bytes, true],
  'a permit of the trust log': [permitOf({ epoch: 1 }, { from: 0, size: 1 }).bytes, true],
  'a claim of the last epoch': [claimOf({ epoch: 2 ** 53 - 1 }).bytes, true],
  'by another key of the region': [claimOf({ epoch: 3 }, {}, SECOND).bytes, true],
  'by a key that is compromised': [claimOf({ epoch: 3 }, {}, GIVEN_UP).bytes, false],
  'by a key of nobody': [claimOf({ epoch: 3 }, {}, testKey(9)).bytes, false],
  'under the signature of another': [altered(claim, { epoch: 4 }), false],
  'epoch 0': [altered(claim, { epoch: 0 }), invalid],
  'an epoch below 0': [altered(claim, { epoch: -1 }), invalid],
  'an identity of 31 bytes': [altered(claim, { writer: new Uint8Array(31) }), invalid],
  'a session of 17 bytes': [altered(claim, { session: new Uint8Array(17) }), invalid],
  'a time below 0': [altered(claim, { at: -1 }), invalid],
  'a claim for an attestation log': [altered(claim, { origin: ATTEST }), invalid],
  'a claim for a witness': [altered(claim, { origin: 'CN-33.test/witness' }), invalid],
  'a claim for no log': [altered(claim, { origin: 'CN-33.test' }), 'ORIGIN_INVALID'],
  'one member more': [altered(claim, { more: 1 }), invalid],
  'a claim that says it is a permit': [altered(claim, { kind: 'permit' }), invalid],
  'from as large as size': [altered(permit, { from: 9 }), invalid],
  'a root of 33 bytes': [altered(permit, { root: new Uint8Array(33) }), invalid],
  'a permit for a witness': [altered(permit, { origin: 'CN-33.test/witness' }), invalid],
  'a signature of 63 bytes': [encodeCbor([claim.body, claim.publicKey, new Uint8Array(63)]), invalid],
  'a key of 33 bytes': [encodeCbor([claim.body, new Uint8Array(33), claim.signature]), invalid],
  'without a signature': [encodeCbor([claim.body, claim.publicKey]), invalid],
  'nothing': [new Uint8Array(), 'CBOR_MALFORMED'],
  'a byte more': [concatBytes(claim.bytes, Uint8Array.of(0)), 'CBOR_MALFORMED'],
  'a body with its members in another order': [reordered(), 'CBOR_NOT_CANONICAL'],
  '1,025 bytes': [new Uint8Array(1_025), 'TOO_LARGE'],
};

/** `{"b": 0, "a": 0}`, which no writer of canonical CBOR makes. */
function reordered(): Uint8Array {
  const body = Uint8Array.of(0xa2, 0x61, 0x62, 0x00, 0x61, 0x61, 0x00);
  return encodeCbor([body, claim.publicKey, claim.signature]);
}

interface Counting {
  readonly claim?: SignedWord<Claim>;
  readonly permits?: readonly SignedWord<Permit>[];
}

interface Kept extends Counting {
  /** What was granted besides. */
  readonly more?: readonly SignedWord[];
  readonly givenUp?: readonly Uint8Array[];
  readonly named?: readonly Uint8Array[];
}

const own: Reign = { epoch: 5, machine: 1 };
const other: Reign = { epoch: 5, machine: 2 };
const later: Reign = { epoch: 6, machine: 2 };
const tree = (of: Reign, from: number, size: number, more: { tree?: number; origin?: string } = {}, key = KEYS[0]) =>
  permitOf(of, { from, size, tree: size, ...more }, key);
const asking = (word: SignedWord<Claim>) => encodeWriterRequest({ kind: 'claim', claim: word.bytes });
const askingFor = (asked: SignedWord<Permit>, under: Reign = own, key = FIRST) =>
  encodeWriterRequest({ kind: 'permit', claim: claimOf(under, {}, key).bytes, permit: asked.bytes });
const showing = (statements: readonly LoggedStatement[], origin = TRUST) =>
  encodeWriterRequest({ kind: 'given-up', origin, statements: [...statements] });
const record = ({ claim: kept, permits = [] }: Counting): WriterAnswer => ({
  kind: 'record',
  ...(kept && { claim: kept.bytes }),
  permits: permits.map(({ bytes }) => bytes),
});
const permitted: WriterAnswer = { kind: 'permitted' };
const fenced = (by: SignedWord<Claim>): WriterAnswer => ({ kind: 'fenced', claim: by.bytes });
const taken = (by: SignedWord<Permit>): WriterAnswer => ({ kind: 'taken', permit: by.bytes });
const refused = (reason: 'malformed' | 'unsigned' | 'unknown-region'): WriterAnswer => ({ kind: 'refused', reason });
const who = (origin = TRUST) => encodeWriterRequest({ kind: 'writer', origin });

const writes: Kept = { claim: claimOf(own), permits: [tree(own, 0, 10)] };
const stolen: Kept = { claim: claimOf({ epoch: 9 }, {}, GIVEN_UP), permits: [tree({ epoch: 9 }, 0, 99, {}, GIVEN_UP)] };
const bothKeys: Kept = { claim: claimOf(own, {}, GIVEN_UP), permits: [tree(own, 0, 10)] };

/** The thief has the first key, and outbids a writer that has the second; or writes in its reign. */
const bySecond: Counting = { claim: claimOf(own, {}, SECOND), permits: [tree(own, 0, 10, {}, SECOND)] };
const last: Reign = { epoch: 2 ** 53 - 1, machine: 9 };
const outbid: Kept = { ...bySecond, more: [claimOf(last), tree(last, 0, 10 ** 9)] };
const shadowed: Kept = { ...bySecond, more: [tree(own, 10, 10 ** 9)] };
const settled: Kept = { ...outbid, givenUp: [FIRST.publicKey], named: [FRESH, SECOND, GIVEN_UP].map(({ publicKey }) => publicKey) };
const months = Array.from({ length: 8 }, (_, i) => testKey(20 + i));
const [firstMonth, ...nextMonths] = months;
const permitsOfMonths = nextMonths.map((key, i) => tree({ epoch: 1 }, i, i + 1, { origin: `CN-33.test/attest/2026-0${i + 1}` }, key));
const eight: Kept = {
  claim: claimOf({ epoch: 1 }, {}, SECOND),
  permits: [tree({ epoch: 1 }, 0, 10, {}, SECOND)],
  more: permitsOfMonths,
  named: months.map(({ publicKey }) => publicKey),
};

const crowd = Array.from({ length: 16 }, (_, i) => tree(own, 0, 1, { origin: `CN-33.test/attest/29${10 + i}-01` }));
const crowded: Kept = {
  claim: claimOf(own, {}, SECOND),
  permits: [tree(own, 0, 10, { origin: ATTEST }, SECOND)],
  more: crowd,
};

type AnswerCase = readonly [kept: Kept | 'unknown', request: Uint8Array, answer: WriterAnswer, changes?: 'changes'];

const ANSWERS: Readonly<Record<string, AnswerCase>> = {
  'who writes, where nobody has claimed': [{}, who(), record({})],
  'who writes': [writes, who(), record(writes)],
  'what a compromised key signed is not told': [stolen, who(), record({})],
  'the permit outlives the claim whose key is compromised': [bothKeys, who(), record({ permits: [tree(own, 0, 10)] })],
  'who writes, by the name of an attestation log': [{}, who(ATTEST), refused('malformed')],
  'who writes of a region that is not known': ['unknown', who(), refused('unknown-region')],
  'a claim of a region that is not known': ['unknown', asking(claimOf(own)), refused('unknown-region')],
  'the first claim': [{}, asking(claimOf(own)), record({ claim: claimOf(own) }), 'changes'],
  'a later epoch': [writes, asking(claimOf(later)), record({ ...writes, claim: claimOf(later) }), 'changes'],
  'the same claim again': [writes, asking(claimOf(own)), record(writes)],
  'the same epoch by another process': [writes, asking(claimOf(other)), fenced(claimOf(own))],
  'an earlier epoch': [writes, asking(claimOf({ epoch: 4 })), fenced(claimOf(own))],
  'the next epoch after one that a compromised key claimed': [stolen, asking(claimOf({ epoch: 1 })), record({ claim: claimOf({ epoch: 1 }) }), 'changes'],
  'an epoch below that of a permit that counts': [bothKeys, asking(claimOf({ epoch: 4 })), taken(tree(own, 0, 10))],
  'the epoch of such a permit by another process': [bothKeys, asking(claimOf(other)), taken(tree(own, 0, 10))],
  'the claim that is kept, where a permit that counts is of a later epoch': [{ claim: claimOf(own), permits: [tree(later, 0, 10)] }, asking(claimOf(own)), taken(tree(later, 0, 10))],
  'a claim by a compromised key': [writes, asking(claimOf(later, {}, GIVEN_UP)), refused('unsigned')],
  'the first permit': [{}, askingFor(tree(own, 0, 10)), permitted, 'changes'],
  'a permit from where the one before ended': [writes, askingFor(tree(own, 10, 12)), permitted, 'changes'],
  'a permit from beyond': [writes, askingFor(tree(own, 11, 12)), permitted, 'changes'],
  'the same permit again': [writes, askingFor(tree(own, 0, 10)), permitted],
  'the same tree from elsewhere': [writes, askingFor(tree(own, 9, 10)), permitted],
  'another tree of that size': [writes, askingFor(tree(own, 0, 10, { tree: 1 })), taken(tree(own, 0, 10))],
  'a permit from before the end of the one before': [writes, askingFor(tree(own, 9, 12)), taken(tree(own, 0, 10))],
  'a smaller tree': [writes, askingFor(tree(own, 0, 9)), taken(tree(own, 0, 10))],
  'another log is another matter': [writes, askingFor(tree(own, 0, 2, { origin: ATTEST })), permitted, 'changes'],
  'a permit of a later epoch begins where it likes': [writes, askingFor(tree(later, 3, 4), later), permitted, 'changes'],
  'a permit under a claim that is fenced': [{ claim: claimOf(later) }, askingFor(tree(own, 10, 12)), fenced(claimOf(later))],
  'a permit of another session than its claim': [{}, askingFor(tree(other, 0, 10)), refused('malformed')],
  'a permit of another epoch than its claim': [{}, askingFor(tree(later, 0, 10)), refused('malformed')],
  'a permit of another region than its claim': [{}, askingFor(tree(own, 0, 10, { origin: 'DE.test/trust' })), refused('malformed')],
  'a permit by a compromised key': [{}, askingFor(tree(own, 0, 10, {}, GIVEN_UP)), refused('unsigned')],
  'a claim in place of a permit': [{}, encodeWriterRequest({ kind: 'permit', claim: claimOf(own).bytes, permit: claimOf(own).bytes }), refused('malformed')],
  'who writes, where a thief has outbid another key': [outbid, who(), record({ claim: claimOf(last), permits: [tree(last, 0, 10 ** 9)] })],
  'the root gives the key of the thief up: what another key signed counts again': [outbid, showing(NAMING), record(bySecond), 'changes'],
  'and what a thief had permitted in its reign counts no more': [shadowed, showing(NAMING), record(bySecond), 'changes'],
  'the root has said so before': [settled, showing(NAMING), record(bySecond)],
  'statements of which the signatures are not good give up nothing': [outbid, showing(UNSIGNED_NAMING), record({ claim: claimOf(last), permits: [tree(last, 0, 10 ** 9)] })],
  'what stands before the latest root that the witness knows gives up and names nothing': [writes, showing(EARLIER), record(writes)],
  'a compromise without a cut-off gives up what the key has signed as well': [writes, showing(statementsOf([LOG.compromise(inLog(FIRST), {})])), record({}), 'changes'],
  'statements of another root': [writes, showing(statementsOf([givesUpFirst], trustLog(1, (name) => rootKey(`other ${name}`)))), refused('unsigned')],
  'statements without the root': [writes, showing(NAMING.slice(1)), refused('unsigned')],
  'no statements': [writes, showing([]), refused('unsigned')],
  'statements of a region that is not known': ['unknown', showing(NAMING), refused('unknown-region')],
  'statements for an attestation log': [{}, showing(NAMING, ATTEST), refused('malformed')],
  '65 statements': [{}, encodeCbor({ kind: 'given-up', origin: TRUST, statements: Array.from({ length: 65 }, () => ({ index: 0, entry: new Uint8Array() })) }), refused('malformed')],
  'statements of 65,537 bytes': [{}, encodeCbor({ kind: 'given-up', origin: TRUST, statements: [{ index: 0, entry: new Uint8Array(65_537) }] }), refused('malformed')],
  'a claim by a key that the root has given up, whatever the log says': [settled, asking(claimOf(later)), refused('unsigned')],
  'a permit by it, under a claim of another': [settled, askingFor(tree(own, 10, 12), own, SECOND), refused('unsigned')],
  'a claim by a key that the root has named before the log does': [settled, asking(claimOf(later, {}, FRESH)), record({ ...bySecond, claim: claimOf(later, {}, FRESH) }), 'changes'],
  'a claim by a key that the root has named, and the log gives up': [{ named: [GIVEN_UP.publicKey] }, asking(claimOf(own, {}, GIVEN_UP)), refused('unsigned')],
  'the epoch before, by another key': [settled, asking(claimOf({ epoch: 4 }, {}, FRESH)), fenced(claimOf(own, {}, SECOND))],
  'who writes, where a thief has had trees of many other logs permitted': [crowded, who(), record({ ...crowded, permits: [...(crowded.permits ?? []), ...crowd] })],
  'another tree in place of one that another key had permitted, where a thief has had many permitted': [crowded, askingFor(tree(own, 4, 9, { origin: ATTEST }, SECOND), own, SECOND), taken(tree(own, 0, 10, { origin: ATTEST }, SECOND))],
  'the same tree by another key is remembered by that too': [writes, askingFor(tree(own, 9, 10, {}, SECOND)), permitted, 'changes'],
  'of nine keys that one is forgotten whose words changed first': [
    eight,
    asking(claimOf({ epoch: 2 }, {}, firstMonth)),
    record({ claim: claimOf({ epoch: 2 }, {}, firstMonth), permits: permitsOfMonths }),
    'changes',
  ],
  'another kind': [{}, encodeCbor({ kind: 'resign', origin: TRUST }), refused('malformed')],
  'no request': [{}, Uint8Array.of(0xff), refused('malformed')],
};

const at = (epoch: number, size: number, more: { tree?: number; origin?: string } = {}) => tree({ epoch }, 0, size, more);


type PledgeCase = readonly [w: number, reports: readonly (readonly SignedWord<Permit>[])[], pledges: readonly SignedWord<Permit>[]];

const PLEDGES: Readonly<Record<string, PledgeCase>> = {
  'nothing was permitted': [3, [[], []], []],
  'by both that answered of three': [3, [[at(1, 4)], [at(1, 4)]], [at(1, 4)]],
  'by one of three that answered': [3, [[at(1, 4)], [], []], []],
  'by one of two, and the third may have permitted it': [3, [[at(1, 4)], []], [at(1, 4)]],
  'the later has no quorum, the one before it has': [3, [[at(1, 6)], [at(1, 4)], [at(1, 4)]], [at(1, 4)]],
  'the later may have one': [3, [[at(1, 6)], [at(1, 4)]], [at(1, 6)]],
  'a later epoch outranks a larger size': [3, [[at(2, 3)], [at(2, 3)], [at(1, 9)]], [at(2, 3)]],
  'each log by itself': [1, [[at(1, 4), at(1, 7, { origin: ATTEST }), at(1, 5, { origin: JUNE })]], [at(1, 5, { origin: JUNE }), at(1, 7, { origin: ATTEST }), at(1, 4)]],
  'of four one may lie: two that hold it are enough to bind': [4, [[at(1, 4)], [at(1, 4)], [], []], [at(1, 4)]],
  'one of four that all answered is not': [4, [[at(1, 4)], [], [], []], []],
  'one of three that answered of four is': [4, [[at(1, 4)], [], []], [at(1, 4)]],
};

/** n and f for w from 1 to 10, written down and not computed. */
const QUORUMS = [
  [1, 0], [2, 1], [2, 0], [3, 1], [4, 2], [5, 3], [5, 2], [6, 3], [7, 4], [7, 3],
] as const;

const hex = ({ bytes }: { readonly bytes: Uint8Array }) => hexOf(bytes);

function wordVectors(): WordVector[] {
  return Object.entries(WORDS).map(([name, [word, found]]) => ({
    name,
    word: hexOf(word),
    ...(typeof found === 'string' ? { fault: found } : { counts: found }),
  }));
}

function answerVectors(): AnswerVector[] {
  return Object.entries(ANSWERS).map(([name, [kept, request, answer, changes]]) => {
    const { claim: held, permits = [], more = [], givenUp = [], named = [] } = kept === 'unknown' ? {} : kept;
    return {
      name,
      isKnown: kept !== 'unknown',
      words: [...(held ? [held] : []), ...permits, ...more].map(hex),
      givenUp: givenUp.map(hexOf),
      named: named.map(hexOf),
      request: hexOf(request),
      answer: hexOf(encodeWriterAnswer(answer)),
      changes: changes !== undefined,
    };
  });
}

function pledgeVectors(): PledgeVector[] {
  return Object.entries(PLEDGES).map(([name, [w, reports, pledges]]) => ({
    name,
    w,
    reports: reports.map((permits) => permits.map(hex)),
    pledges: pledges.map(({ word: { origin, epoch, size, root } }) => [origin, epoch, size, hexOf(root)] as const),
  }));
}

/** One line a case, always the same. */
export function writerVectorText(): string {
  const list = (cases: readonly object[]) => `[\n${cases.map((one) => `    ${JSON.stringify(one)}`).join(',\n')}\n  ]`;
  const parts = [
    `"about": ${JSON.stringify(ABOUT)}`,
    `"shared": ${JSON.stringify({ entries: LOG.entries.map(hexOf) })}`,
    `"words": ${list(wordVectors())}`,
    `"answers": ${list(answerVectors())}`,
    `"quorums": ${list(QUORUMS.map(([n, f], i): QuorumVector => ({ w: i + 1, n, f })))}`,
    `"pledges": ${list(pledgeVectors())}`,
  ];
  return `{\n  ${parts.join(',\n  ')}\n}\n`;
}

if (process.argv[1] === import.meta.filename) writeFileSync(WRITER_VECTOR_FILE, writerVectorText());
