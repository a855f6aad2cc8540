import assert from 'node:assert/strict';
import { isNodeError, NodeError } from '../../../node/node-error.ts';
import { type ForgetOrder } from '../../../node/registry/forgotten-rows.ts';
import { Registry } from '../../../node/registry/registry.ts';
import { systemRandom } from '../../../node/system-random.ts';
import { parseShare } from '../../../node/writer/batch-share.ts';
import { ForgottenShare } from '../../../node/writer/forgotten-share.ts';
import { concatBytes } from '../../../protocol/bytes.ts';
import { commitFields } from '../../../protocol/code/openings.ts';
import { greenFields, REGISTRY_KEY } from '../../support/issuing-fixture.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { MemoryTables } from '../../support/memory-tables.ts';
import { sha256 } from '../../support/primitives.ts';

const LOG = '2026-11';
const random = systemRandom();

/** A registry that was to forget two people, and machines that answer as `words` says: by `kept` as one with its key, by `key` as one with another. */
async function bench(words: Record<string, string>) {
  const tables = new MemoryTables();
  const registry = await Registry.open({ key: REGISTRY_KEY }, { tables, random });
  const { openings } = commitFields(sha256, greenFields(), random);
  const entries = ['a', 'b'].map((subject) => ({ subject, openings }));
  const rows = registry.changes({ log: LOG, index: 0, hour: 1, entries });
  await tables.write(rows);
  for (const subject of ['a', 'b']) await registry.forget(subject, { forOtherAtS: 1_795_651_200 });
  const answerOf = async (word: string, order: ForgetOrder) => {
    const key = word === 'kept' ? REGISTRY_KEY : new Uint8Array(32).fill(9);
    const { forgotten } = await Registry.open({ key }, { tables: new MemoryTables(), random });
    const said = Buffer.from(`${word === 'key' ? 'kept' : word}\n`);
    return word === 'kept' || word === 'key' ? concatBytes(said, forgotten.answerTo(order)) : said;
  };
  /** `failing` and `broken` begin the names of what the others, and this machine, cannot forget. */
  const standing = { size: 2, damaged: -1, failing: 'none', broken: 'none' };
  const asked: string[] = [];
  const troubles: unknown[] = [];
  const clock = new ManualClock();
  const share = new ForgottenShare(
    { region: 'DE', network: 'test', intervalMs: 30_000 },
    {
      client: {
        peers: () => [...Object.keys(words), 'FR'],
        request: (peer, _protocol, bytes) => {
          const { origin, index, rows } = parseShare(bytes);
          assert.deepEqual([origin, index, rows.length], ['DE.test/trust', 0, 1]);
          asked.push(peer);
          const [[key, value] = assert.fail()] = rows;
          const name = key.slice('registry/forgotten/'.length);
          const word = name.startsWith(standing.failing) ? 'failed' : words[peer];
          return word === undefined || word === ''
            ? Promise.reject(new NodeError('PEER_UNREACHABLE', 'it does not answer'))
            : answerOf(word, { name, value });
        },
      },
      clock,
      isOwn: (peer) => peer.startsWith('DE'),
      registry: () => registry,
      forgetHere: (name) =>
        name.startsWith(standing.broken)
          ? Promise.reject(new NodeError('VALUE_CORRUPT', 'it is damaged'))
          : registry.forgetNamed(name, { isCounted: () => true }),
      isLogged: ({ index }) =>
        index === standing.damaged
          ? Promise.reject(new NodeError('LOG_CORRUPT', 'it is damaged'))
          : Promise.resolve(index < standing.size),
      stopping: new AbortController().signal,
      onTrouble: (error) => troubles.push(error),
    },
  );
  const shareAgain = () => tables.write(rows);
  return { share, registry, tables, standing, asked, troubles, words, clock, shareAgain };
}

describe('ForgottenShare', () => {
  it('T25 tells the own region alone, and nothing again that every machine has forgotten', async () => {
    const { share, registry, asked } = await bench({ 'DE#2': 'kept', 'DE#3': 'kept' });
    await share.round();
    assert.deepEqual(asked.sort(), ['DE#2', 'DE#2', 'DE#3', 'DE#3']);
    assert.deepEqual([share.left, await registry.forgotten.count()], [0, 0]);
    await share.round();
    assert.equal(asked.length, 4);
  });

  it('T25 tells again what one of them has not answered, or refused, and says once that it refuses', async () => {
    for (const [word, times, said] of [
      ['', 1, 0],
      ['refused', 2, 1],
      ['what', 2, 1],
      ['kept ', 2, 1],
      ['key', 2, 1],
    ] as const) {
      // Who does not answer is asked once in a round, and the other machine for everything.
      const { share, asked, troubles, words } = await bench({ 'DE#2': 'kept', 'DE#3': word });
      for (let i = 1; i <= 2; i++) {
        await share.round();
        assert.deepEqual([share.left, asked.length, troubles.length], [2, (2 + times) * i, said], word);
        assert.equal(asked.filter((peer) => peer === 'DE#2').length, 2 * i, word);
      }
      words['DE#3'] = 'kept';
      await share.round();
      assert.equal(share.left, 0);
    }
  });

  it('T25 forgets once more what the other machine has shared again meanwhile, before it lets go of the order', async () => {
    const { share, registry, shareAgain } = await bench({ 'DE#2': 'kept' });
    await shareAgain();
    assert.equal((await registry.ofSubject('a')).length, 1);
    await share.round();
    assert.deepEqual([share.left, await registry.ofSubject('a'), await registry.ofSubject('b')], [0, [], []]);
  });

  it('T25 keeps what is to be forgotten where no other machine is there', async () => {
    const { share, registry, asked } = await bench({});
    await share.round();
    assert.deepEqual([share.left, await registry.forgotten.count(), asked], [2, 2, []]);
  });

  it('T25 tells of nothing whose record may still be on its way to the other machine', async () => {
    const { share, standing, asked } = await bench({ 'DE#2': 'kept' });
    standing.size = 1;
    await share.round();
    assert.deepEqual([share.left, asked.length], [1, 1]);
    standing.size = 2;
    await share.round();
    assert.equal(share.left, 0);
  });

  it('T25 tells in the end of what no log ever had, once that log is over', async () => {
    const { share, standing, clock, asked } = await bench({ 'DE#2': 'kept' });
    standing.size = 0;
    await clock.advance(Date.UTC(2026, 11, 20));
    await share.round();
    assert.deepEqual([share.left, asked.length], [2, 0]);
    await clock.advance(60 * 86_400_000);
    await share.round();
    assert.equal(share.left, 0);
  });

  it('T25 tells the rest where it cannot be looked up whether one is logged', async () => {
    for (const damaged of [0, 1]) {
      const { share, standing, asked } = await bench({ 'DE#2': 'kept' });
      standing.damaged = damaged;
      await share.round();
      assert.deepEqual([share.left, asked.length], [1, 1]);
    }
  });

  it('T25 goes on where something is damaged there or here, says once of what, and tries it again', async () => {
    for (const where of ['failing', 'broken'] as const) {
      const { share, registry, standing, asked, troubles } = await bench({ 'DE#2': 'kept' });
      const { value: first } = await registry.forgotten.all(assert.fail).next();
      assert.ok(first !== undefined);
      standing[where] = first.name;
      for (let i = 1; i <= 2; i++) {
        await share.round();
        assert.deepEqual([share.left, asked.length, troubles.length], [1, i + 1, 1], where);
      }
      const [trouble] = troubles;
      const told = where === 'failing' ? 'DE#2 cannot' : 'this machine cannot';
      assert.ok(trouble instanceof NodeError && trouble.message.startsWith(told), String(trouble));
      assert.match(trouble.message, new RegExp(`2026-11/${first.place.index}`));
      standing[where] = 'none';
      await share.round();
      assert.equal(share.left, 0);
    }
  });

  it('T25 tells the others where notes are damaged, says of each once that it is, and counts them on', async () => {
    const { share, registry, tables, asked, troubles } = await bench({ 'DE#2': 'kept' });
    const { value: first } = await registry.forgotten.all(assert.fail).next();
    const time = Buffer.alloc(8);
    await tables.write([
      { put: `registry/forgotten/${first?.name}`, value: time.subarray(1) },
      { put: `registry/forgotten/${'0'.repeat(32)}/${'f'.repeat(32)}`, value: time },
      { put: 'registry/forgotten/0', value: time },
    ]);
    for (let i = 1; i <= 2; i++) {
      await share.round();
      assert.deepEqual([share.left, asked.length, troubles.length], [3, 1, 3]);
    }
    assert.equal(await registry.forgotten.count(), 3);
    for (const trouble of troubles)
      assert.ok(isNodeError(trouble, 'REGISTRY_CORRUPT') && /a note here/.test(trouble.message));
    assert.equal(new Set(troubles.map(String)).size, 3);
  });

  it('T25 tells at once of one person, and says whether all of that is forgotten', async () => {
    const { share, words } = await bench({ 'DE#2': 'kept' });
    assert.equal(await share.tellOf('a'), true);
    assert.equal(share.left, 1);
    words['DE#2'] = 'refused';
    assert.equal(await share.tellOf('b'), false);
    assert.equal(share.left, 1);
  });
});
