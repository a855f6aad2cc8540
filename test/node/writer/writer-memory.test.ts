import assert from 'node:assert/strict';
import {
  encodeMemory,
  joinMemories,
  NO_MEMORY,
  parseMemory,
  recordIn,
  remember,
  rememberRoot,
  type RootWord,
  type WriterMemory,
} from '../../../node/writer/writer-memory.ts';
import { encodeWriterAnswer, parseWriterAnswer } from '../../../node/writer/writer-messages.ts';
import { PERMITTED_LOGS_MAX } from '../../../node/writer/writer-record.ts';
import { decidePermit } from '../../../node/writer/writer-rule.ts';
import { recordOf } from '../../../node/writer/writer-server.ts';
import { encodeCbor } from '../../../protocol/encoding/cbor.ts';
import { WRITER_KEYS_MAX, WRITER_ROOT_KEYS_MAX } from '../../../protocol/limits.ts';
import { testKey } from '../../support/keys.ts';
import { throwsWith } from '../../support/store-fixture.ts';
import { ATTEST, claimOf, permitOf, TRUST } from '../../support/writer-words.ts';

const all = () => true;
const none = () => false;
const [first, second, third] = [testKey(1), testKey(2), testKey(3)];
const keyOf = (n: number) => new Uint8Array(32).fill(n);

function sizes(memory: WriterMemory): (number | undefined)[] {
  const { permits } = recordIn(memory, all);
  return [TRUST, ATTEST].map((origin) => permits.get(origin)?.word.size);
}

describe('WriterMemory', () => {
  it('goes by the latest words of all keys, and by those of the others once one does not count', () => {
    const own = [claimOf({ epoch: 2 }, {}, first), permitOf({ epoch: 2 }, { from: 0, size: 9 }, first)];
    const later = [claimOf({ epoch: 3 }, {}, second), permitOf({ epoch: 3 }, { from: 0, size: 4 }, second)];
    const memory = remember(remember(NO_MEMORY, own, all), later, all);
    assert.deepEqual([recordIn(memory, all).claim?.word.epoch, ...sizes(memory)], [3, 4, undefined]);
    const { claim, permits } = recordIn(memory, ({ publicKey }) => publicKey[0] !== second.publicKey[0]);
    assert.deepEqual([claim?.word.epoch, permits.get(TRUST)?.word.size], [2, 9]);
    assert.equal(memory.changes, 2);
  });

  it('has the words of so many keys: first go those that do not count, then those of the key whose words changed first', () => {
    let memory = NO_MEMORY;
    for (let i = 0; i < WRITER_KEYS_MAX; i++)
      memory = remember(memory, [claimOf({ epoch: i + 1 }, {}, testKey(i + 1))], all);
    // The first is heard of again.
    memory = remember(memory, [permitOf({ epoch: 8 }, { from: 0, size: 1 }, first)], all);
    const isNotThird = ({ publicKey }: { publicKey: Uint8Array }) => publicKey[0] !== third.publicKey[0];
    const ninth = [claimOf({ epoch: 9 }, {}, testKey(9))];
    const epochs = (of: WriterMemory) => [...of.words.values()].map(({ claim }) => claim?.word.epoch);
    assert.deepEqual(epochs(remember(memory, ninth, isNotThird)), [2, 4, 5, 6, 7, 8, 1, 9]);
    assert.deepEqual(epochs(remember(memory, ninth, all)), [3, 4, 5, 6, 7, 8, 1, 9]);
  });

  it('keeps of each key permits of so many logs', () => {
    let memory = remember(NO_MEMORY, [permitOf({ epoch: 5 }, { from: 0, size: 1 }, first)], all);
    for (let i = 0; i < PERMITTED_LOGS_MAX; i++) {
      const origin = `CN-33.test/attest/20${10 + i}-01`;
      memory = remember(memory, [permitOf({ epoch: 5 }, { from: 0, size: 1, origin }, first)], all);
    }
    const { permits } = recordIn(memory, all);
    assert.equal(permits.size, PERMITTED_LOGS_MAX);
    assert.ok(permits.has(TRUST) && !permits.has('CN-33.test/attest/2010-01'));
    assert.deepEqual(parseMemory(encodeMemory(memory), TRUST), memory);
  });

  it('T3: whatever logs a thief has trees permitted of, the permits of another key stay, and are told', () => {
    const permit = permitOf({ epoch: 5 }, { from: 0, size: 9, origin: ATTEST }, second);
    let memory = remember(NO_MEMORY, [permit], all);
    for (let i = 0; i < 2 * PERMITTED_LOGS_MAX; i++) {
      const origin = `CN-33.test/attest/29${10 + i}-01`;
      memory = remember(memory, [permitOf({ epoch: 5 }, { from: 0, size: 1, origin }, first)], all);
    }
    const record = recordIn(memory, all);
    assert.equal(record.permits.size, PERMITTED_LOGS_MAX + 1);
    assert.equal(record.permits.get(ATTEST), permit);
    assert.equal(parseWriterAnswer(encodeWriterAnswer(recordOf(record))).kind, 'record');
    const another = permitOf({ epoch: 5 }, { from: 8, size: 9, origin: ATTEST, tree: 1 }, second);
    assert.ok(!decidePermit(record, claimOf({ epoch: 5 }, {}, second), another).granted);
  });

  it('T9: two machines of one witness have promised what either has, and the same once more changes nothing', () => {
    const one = remember(NO_MEMORY, [permitOf({ epoch: 2 }, { from: 0, size: 9 }, first)], all);
    const other = rememberRoot(
      remember(NO_MEMORY, [permitOf({ epoch: 3 }, { from: 0, size: 4, origin: ATTEST }, second)], all),
      { givenUp: [keyOf(7)], named: [keyOf(8)] },
    );
    const joined = joinMemories(one, other, none);
    assert.deepEqual([...sizes(joined), joined.changes], [9, 4, 3]);
    assert.deepEqual([joined.givenUp, joined.named], [[keyOf(7)], [keyOf(8)]]);
    assert.equal(joinMemories(joined, other, none), joined);
    assert.equal(joinMemories(joined, one, none), joined);
  });

  const grown = (from: number, until: number, epochOf: (i: number) => number, before = NO_MEMORY) => {
    let memory = before;
    for (let i = from; i < until; i++) {
      const reign = { epoch: epochOf(i) };
      memory = remember(memory, [permitOf(reign, { from: i, size: i + 1 }, testKey(i + 1))], all);
    }
    return memory;
  };

  for (const [what, epochOf] of [
    ['of earlier epochs', (i: number) => i + 1],
    ['of the same epoch', () => 5],
  ] as const)
    it(`T9: words by as many keys as there is room for, ${what}, that come back from a backup push out none that came later`, () => {
      const stale = grown(0, WRITER_KEYS_MAX, epochOf);
      const later = grown(WRITER_KEYS_MAX, 2 * WRITER_KEYS_MAX, epochOf, stale);
      assert.equal(joinMemories(later, stale, none), later);
      const joined = joinMemories(stale, later, none);
      assert.deepEqual(joined.words, later.words);
      assert.equal(recordIn(joined, all).permits.get(TRUST)?.word.size, 2 * WRITER_KEYS_MAX);
    });

  it('T9: a standby takes the newest word though it has changed as often', () => {
    const before = grown(0, WRITER_KEYS_MAX, () => 5);
    const given = { ...grown(1, WRITER_KEYS_MAX + 1, () => 5), changes: before.changes };
    const joined = joinMemories(before, given, none);
    assert.deepEqual(joined.words, given.words);
    assert.equal(joinMemories(joined, given, none), joined);
  });

  it('T11: of keys that are given up no words come back, whatever epoch they claimed', () => {
    const thief = { epoch: Number.MAX_SAFE_INTEGER, machine: 9 };
    const stale = remember(NO_MEMORY, [claimOf(thief, {}, third)], all);
    const later = grown(0, 2, () => 5, { ...NO_MEMORY, changes: 1 });
    const isThird = (publicKey: Uint8Array) => publicKey[0] === third.publicKey[0];
    assert.equal(joinMemories(later, stale, isThird), later);
    assert.equal(joinMemories(later, stale, none).words.size, 3);
    const knows = rememberRoot(later, { givenUp: [third.publicKey], named: [] });
    const bySaid = (publicKey: Uint8Array, { givenUp }: RootWord) =>
      givenUp.some((key) => key[0] === publicKey[0]);
    assert.deepEqual(joinMemories(stale, knows, bySaid).words, later.words);
  });

  it('T9: what a root said long ago pushes out nothing that it has said since', () => {
    const keys = (from: number) => Array.from({ length: WRITER_ROOT_KEYS_MAX }, (_, i) => keyOf(from + i));
    const stale = rememberRoot(NO_MEMORY, { givenUp: keys(0), named: [] });
    const later = rememberRoot(stale, { givenUp: keys(WRITER_ROOT_KEYS_MAX), named: [] });
    assert.equal(joinMemories(later, stale, none), later);
    assert.deepEqual(joinMemories(stale, later, none).givenUp, later.givenUp);
  });

  it('a root that says the same again changes nothing; of too many keys the first are forgotten', () => {
    const said = { givenUp: Array.from({ length: WRITER_ROOT_KEYS_MAX }, (_, i) => keyOf(i)), named: [] };
    const memory = rememberRoot(NO_MEMORY, said);
    assert.equal(rememberRoot(memory, said), memory);
    const more = rememberRoot(memory, { givenUp: [keyOf(200)], named: [] });
    assert.deepEqual([more.givenUp.length, more.givenUp.at(-1)], [WRITER_ROOT_KEYS_MAX, keyOf(200)]);
  });
});

describe('parseMemory', () => {
  it('takes what the version before kept', () => {
    const [claim, permit] = [claimOf({ epoch: 3 }), permitOf({ epoch: 3 }, { from: 0, size: 4 })];
    const memory = parseMemory(encodeCbor([1, 5, [claim.bytes], [permit.bytes]]), TRUST);
    assert.deepEqual([memory.changes, recordIn(memory, all).claim?.word.epoch], [5, 3]);
    assert.deepEqual(sizes(memory), [4, undefined]);
  });

  it('refuses what is none', () => {
    throwsWith(() => parseMemory(Uint8Array.of(0x80), TRUST), 'LOG_CORRUPT');
    throwsWith(() => parseMemory(encodeMemory(NO_MEMORY).subarray(1), TRUST), 'LOG_CORRUPT');
    throwsWith(() => parseMemory(encodeCbor([2, 0, [], [new Uint8Array(31)], []]), TRUST), 'LOG_CORRUPT');
  });
});
