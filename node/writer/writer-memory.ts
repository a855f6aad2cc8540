/**
 * What a witness remembers of the writers of one region, and the form in which it keeps that: by the key that signed each word, so that
 * whoever stole one takes nothing back that another has signed; and what the root has shown of its keys before the log says it. Spec: SPEC.md 19.2.
 */
import { z } from 'zod';
import { equalBytes, hexBytes, hexOf } from '../../protocol/bytes.ts';
import { decodeCbor, encodeCbor } from '../../protocol/encoding/cbor.ts';
import { bytesForm } from '../../protocol/evidence/proof-form.ts';
import { isProtocolError } from '../../protocol/fault.ts';
import { WRITER_KEYS_MAX, WRITER_ROOT_KEYS_MAX, WRITER_WORD_BYTES_MAX } from '../../protocol/limits.ts';
import {
  type Claim,
  parseWord,
  type Permit,
  type SignedWord,
  type WriterWord,
} from '../../protocol/writer/word.ts';
import { logError } from '../log/log-error.ts';
import { isPutAway, putAway } from '../store/put-away.ts';
import {
  laterClaim,
  laterPermits,
  NO_RECORD,
  ofLatestLogs,
  PERMITTED_LOGS_MAX,
  type WriterRecord,
} from './writer-record.ts';

type Words = Pick<WriterRecord, 'claim' | 'permits'>;

/** What a root says of the checkpoint keys of its region: public keys, of 32 bytes each. */
export interface RootWord {
  /** Words by these count no more, whatever the log says. */
  readonly givenUp: readonly Uint8Array[];
  /** Words by these count, unless the log names and gives up one. */
  readonly named: readonly Uint8Array[];
}

export interface WriterMemory extends RootWord {
  /** How often it changed. */
  readonly changes: number;
  /** By public key in hexadecimal; of too many the first are forgotten. */
  readonly words: ReadonlyMap<string, Words>;
}

export const NO_MEMORY: WriterMemory = { changes: 0, words: new Map(), givenUp: [], named: [] };

/** The key of the store under which a witness keeps what it remembers of a region, by the name of its trust log. */
export function recordKey(origin: string): string {
  return `writer/${origin}`;
}

/** And the second place. */
export function recordPlace(origin: string): string {
  return `writer:${origin}`;
}

/** What one machine of a region names it to another: with the root under which it knows that other region, since the two may not follow the same. */
export function sharedKey(origin: string, root: Uint8Array): string {
  return putAway(root) + recordKey(origin);
}

/** What such a name begins with; undefined for another name. */
export function sharedUnder(origin: string, key: string): string | undefined {
  const own = recordKey(origin);
  const under = key.slice(0, -own.length);
  return key === under + own && isPutAway(under) ? under : undefined;
}

/** What is remembered by words that count: of all logs of which any key had a tree permitted, so that those of one key hide none of another. */
export function recordIn(
  { changes, words }: WriterMemory,
  counts: (word: SignedWord) => boolean,
): WriterRecord {
  let { claim, permits }: Words = NO_RECORD;
  for (const one of words.values()) {
    if (one.claim !== undefined && counts(one.claim)) claim = laterClaim(claim, one.claim);
    permits = laterPermits(permits, [...one.permits.values()].filter(counts));
  }
  return { changes, claim, permits };
}

/** With words that were granted. Where that makes too many keys, those whose words changed first are forgotten, and before them any that do not count. */
export function remember(
  memory: WriterMemory,
  granted: readonly SignedWord[],
  counts: (word: SignedWord) => boolean,
): WriterMemory {
  const words = new Map(memory.words);
  for (const word of granted) add(words, word);
  for (const [key, { claim, permits }] of words)
    if (![...(claim ? [claim] : []), ...permits.values()].some(counts)) words.delete(key);
  return { ...memory, changes: memory.changes + 1, words: bounded(words) };
}

/** With what the root has shown; the same memory where it says nothing new. Of too many keys the first are forgotten. */
export function rememberRoot(memory: WriterMemory, said: RootWord): WriterMemory {
  const givenUp = union(memory.givenUp, said.givenUp);
  const named = union(memory.named, said.named);
  const isSame = givenUp.length === memory.givenUp.length && named.length === memory.named.length;
  if (isSame) return memory;
  const latest = (keys: readonly Uint8Array[]) => keys.slice(-WRITER_ROOT_KEYS_MAX);
  return { ...memory, changes: memory.changes + 1, givenUp: latest(givenUp), named: latest(named) };
}

/**
 * What two places or two machines of one witness have promised together, without words by keys that are given up; `one` itself if the other changes nothing.
 * One of them may be of long ago: where there are too many keys, those go first that have words of the lowest epochs, and of these, those that only the
 * one with fewer changes has.
 */
export function joinMemories(
  one: WriterMemory,
  other: WriterMemory,
  isGivenUp: (publicKey: Uint8Array, said: RootWord) => boolean,
): WriterMemory {
  const [earlier, later] = one.changes > other.changes ? [other, one] : [one, other];
  const said = {
    givenUp: joinKeys(earlier.givenUp, later.givenUp),
    named: joinKeys(earlier.named, later.named),
  };
  const keys = [...earlier.words.keys()].filter((key) => !later.words.has(key));
  const joined = [...keys, ...later.words.keys()]
    .filter((key) => !isGivenUp(hexBytes(key), said))
    .map((key) => [key, joinWords(one.words.get(key), other.words.get(key))] as const)
    .sort(([, a], [, b]) => lastEpoch(a) - lastEpoch(b));
  const words = bounded(new Map(joined));
  const isSame =
    words.size === one.words.size &&
    [...words].every(([key, kept]) => one.words.get(key) === kept) &&
    areSame(said.givenUp, one.givenUp) &&
    areSame(said.named, one.named);
  return isSame ? one : { changes: Math.max(one.changes, other.changes) + 1, words, ...said };
}

/** `one` itself if the other adds nothing. */
function joinWords(one: Words = NO_RECORD, other: Words = NO_RECORD): Words {
  const claim = laterClaim(one.claim, other.claim);
  const permits = ofLatestLogs(laterPermits(one.permits, other.permits.values()));
  const isSame =
    claim === one.claim && [...permits].every(([origin, permit]) => one.permits.get(origin) === permit);
  return isSame ? one : { claim, permits };
}

function lastEpoch({ claim, permits }: Words): number {
  const epochs = [...permits.values()].map(({ word }) => word.epoch);
  return Math.max(claim?.word.epoch ?? 0, ...epochs);
}

/** All of the later ones, and of those before as many as there is room for. */
function joinKeys(earlier: readonly Uint8Array[], later: readonly Uint8Array[]): readonly Uint8Array[] {
  const added = union(later, earlier).slice(later.length);
  return [...added, ...later].slice(-WRITER_ROOT_KEYS_MAX);
}

function areSame(some: readonly Uint8Array[], others: readonly Uint8Array[]): boolean {
  return some.length === others.length && union(some, others) === some;
}

function add(words: Map<string, Words>, word: SignedWord): void {
  const key = hexOf(word.publicKey);
  const { claim, permits } = words.get(key) ?? NO_RECORD;
  words.delete(key);
  words.set(
    key,
    isClaim(word)
      ? { claim: word, permits }
      : { claim, permits: ofLatestLogs(laterPermits(permits, [word as SignedWord<Permit>])) },
  );
}

function isClaim(word: SignedWord): word is SignedWord<Claim> {
  return word.word.kind === 'claim';
}

function bounded(words: Map<string, Words>): Map<string, Words> {
  return new Map([...words].slice(-WRITER_KEYS_MAX));
}

function union(known: readonly Uint8Array[], added: readonly Uint8Array[]): readonly Uint8Array[] {
  const more = added.filter((key) => !known.some((one) => equalBytes(one, key)));
  return more.length === 0 ? known : [...known, ...more];
}

const FORM = 2;
const WORDS_MAX = WRITER_KEYS_MAX * (PERMITTED_LOGS_MAX + 1);
const BYTES_MAX = WORDS_MAX * (WRITER_WORD_BYTES_MAX + 8) + 2 * WRITER_ROOT_KEYS_MAX * 34 + 64;
const keysForm = z.array(bytesForm.refine(({ length }) => length === 32)).max(WRITER_ROOT_KEYS_MAX);
const schema = z.tuple([
  z.literal(FORM),
  z.int().nonnegative(),
  z.array(bytesForm).max(WORDS_MAX),
  keysForm,
  keysForm,
]);
/** Of the version before: a claim, and permits by whatever key. */
const schemaBefore = z
  .tuple([z.literal(1), z.int().nonnegative(), z.array(bytesForm).max(1), z.array(bytesForm).max(16)])
  .transform(([, changes, claims, permits]) => [FORM, changes, [...claims, ...permits], [], []] as const);
const anySchema = z.union([schema, schemaBefore]);

export function encodeMemory({ changes, words, givenUp, named }: WriterMemory): Uint8Array {
  const all = [...words.values()].flatMap(({ claim, permits }): SignedWord<WriterWord>[] => [
    ...(claim === undefined ? [] : [claim]),
    ...permits.values(),
  ]);
  return encodeCbor([FORM, changes, all.map(({ bytes }) => bytes), givenUp, named] as never);
}

/** @throws {NodeError} LOG_CORRUPT if these are not the bytes of a memory. */
export function parseMemory(stored: Uint8Array, origin: string): WriterMemory {
  try {
    const [, changes, all, givenUp, named] = anySchema.parse(decodeCbor(stored, { bytesMax: BYTES_MAX }));
    const words = new Map<string, Words>();
    for (const bytes of all) add(words, parseWord(bytes));
    return { changes, words, givenUp, named };
  } catch (cause) {
    if (!isProtocolError(cause) && !(cause instanceof z.ZodError)) throw cause;
    throw logError('LOG_CORRUPT', `${origin}: what is stored of its writers is no record`, { cause });
  }
}
