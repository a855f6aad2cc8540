import assert from 'node:assert/strict';
import {
  encodeEvaluateAnswer,
  encodeLookupRequest,
  LOOKUP_PROTOCOL,
  parseEvaluateAnswer,
  parseHeadAnswer,
} from '../../../node/lookup/messages.ts';
import { isNodeError } from '../../../node/node-error.ts';
import { equalBytes } from '../../../protocol/bytes.ts';
import { type LookupHead, openLookupHead, signLookupHead } from '../../../protocol/lookup/head.ts';
import { DAY_S } from '../../../protocol/lookup/opaque-adapter.ts';
import {
  announce,
  csvOf,
  DAYS,
  GATE,
  importNumbers,
  knowsNumbers,
  MemorySeeds,
  newTable,
  outcome,
  PASS,
  recogniseByAdapter,
  START_DAY,
  verify,
  worldOfNumbers,
} from '../../support/lookup-fixture.ts';
import { verifySignature } from '../../support/keys.ts';
import { type NodeWorld } from '../../support/node-fixture.ts';
import { START_S } from '../../support/region-fixture.ts';
import { type Wire } from '../../support/memory-network.ts';

const QUOTAS = {
  verifier: { perMinute: 1_000, perDay: 40 },
  region: { perMinute: 1_000, perDay: 1_000 },
};

describe('a number that is looked up', function () {
  this.timeout(60_000);
  let world: NodeWorld;
  let seeds: MemorySeeds;

  /** FR and IT are gates of the numbers of DE, which recognises FR alone. */
  async function found(lookupQuotas = QUOTAS, days = DAYS, startS = START_S): Promise<void> {
    const numbers = ['DE-1', 'DE-2', 'DE-3'];
    ({ world, seeds } = await worldOfNumbers(
      { numbers, others: ['FR', 'IT'], days },
      { lookupQuotas, startS },
    ));
  }

  const atFr = (text: string, verifier: string | undefined = GATE) => outcome(world, 'FR', text, verifier);

  beforeEach(() => found());
  afterEach(() => world.stop());

  it('passes at a gate of another region, with the colour of its list, and stops if the list does not have it', async () => {
    assert.equal(await atFr('DE-2'), PASS);
    const { colour, foreign, grade, rule } = await verify(world, 'FR', 'DE-2', GATE);
    assert.deepEqual([colour, grade, rule?.id], ['green', 'static', 'local-list']);
    assert.deepEqual([foreign?.format, foreign?.region, foreign?.adapter], ['opaque', 'DE', 'numbers']);
    assert.equal(await atFr('DE-4'), 'stop NUMBER_UNKNOWN');
    // What does not begin so is no number of anybody.
    assert.equal(await atFr('FR-2'), 'stop MALFORMED');
    await importNumbers(world, 'DE', csvOf(['DE-2'], 'red'));
    const before = world.node('DE').lookup.head(START_DAY);
    await newTable(world, before);
    assert.equal(await atFr('DE-2'), 'stop IDENTITY_CHECK STATUS_RED');
    assert.equal(await atFr('DE-3'), 'stop NUMBER_UNKNOWN');
  });

  it('is judged at its home as well, without a word to anybody', async () => {
    const { requests } = world.network.counters;
    assert.equal(await outcome(world, 'DE', 'DE-1', GATE), PASS);
    assert.equal(await outcome(world, 'DE', 'DE-9', GATE), 'stop NUMBER_UNKNOWN');
    assert.ok(world.network.counters.requests - requests < 40, 'no look-up went over the network');
  });

  it('is not looked up for whoever is not enrolled, nor for a region that its home does not recognise', async () => {
    const before = world.node('DE').lookup.report.asked;
    assert.equal(await outcome(world, 'FR', 'DE-2'), 'undetermined NUMBER_NOT_ENROLLED');
    assert.deepEqual(world.node('DE').lookup.report.asked, before);
    assert.equal(await outcome(world, 'IT', 'DE-2', GATE), 'undetermined NUMBER_REFUSED');
    assert.equal(world.node('DE').lookup.report.asked.stranger, 1);
  });

  it('T24 sequential numbers are cut at the quota of the verifier, whatever is asked after, and a restart gives none back', async () => {
    const all: string[] = [];
    for (let n = 0; n < 60; n++) all.push(await atFr(`DE-${1_000 + n}`));
    assert.deepEqual(new Set(all.slice(0, 40)), new Set(['stop NUMBER_UNKNOWN']));
    assert.deepEqual(new Set(all.slice(40)), new Set(['undetermined NUMBER_QUOTA']));
    assert.equal(world.node('DE').lookup.report.asked.evaluated, 40);
    // Another verifier has its own share.
    assert.equal(await atFr('DE-2', 'gate-2'), PASS);
    await world.kill('FR');
    world.replace('FR');
    await world.boot('FR');
    assert.equal(await atFr('DE-2'), 'undetermined NUMBER_QUOTA');
    // Of what the other had left a restart takes a step at most.
    assert.equal(await atFr('DE-2', 'gate-2'), PASS);
  });

  it('T24 the home cuts a region at its own quota, through whichever verifiers it asks', async () => {
    await world.stop();
    await found({ verifier: { perMinute: 1_000, perDay: 1_000 }, region: { perMinute: 5, perDay: 1_000 } });
    const all: string[] = [];
    for (let n = 0; n < 8; n++) all.push(await atFr('DE-1', `gate-${n}`));
    assert.deepEqual(all.slice(0, 5), Array(5).fill(PASS));
    assert.deepEqual(all.slice(5), Array(3).fill('undetermined NUMBER_QUOTA'));
    await world.pass(61);
    assert.equal(await atFr('DE-1'), PASS);
  });

  it('known and unknown numbers differ by no byte on the wire, and the home sees nothing twice', async () => {
    const wires: Wire[] = [];
    world.network.tamper = (wire) => (wire.protocol === LOOKUP_PROTOCOL && wires.push(wire), wire.bytes);
    for (const number of ['DE-1', 'DE-1', 'DE-7', 'DE-8']) await atFr(number);
    world.network.tamper = undefined;
    const answers = wires.filter(({ from }) => from === 'DE').map(({ bytes }) => bytes);
    assert.equal(new Set(answers.filter((_, i) => i !== 1).map(({ length }) => length)).size, 1);
    const elements = answers.flatMap((bytes) => {
      try {
        const answer = parseEvaluateAnswer(bytes);
        return 'evaluation' in answer ? [Buffer.from(answer.evaluation.evaluated).toString('hex')] : [];
      } catch {
        return [];
      }
    });
    assert.equal(new Set(elements).size, 4);
  });

  it('the day changes without a gap, and the key of the day before is destroyed after an hour', async () => {
    await world.stop();
    await found(QUOTAS, DAYS, (START_DAY + 1) * DAY_S - 500);
    await world.clock.advance((DAY_S - 400 - (world.nowS % DAY_S)) * 1_000);
    const told: string[] = [];
    const midnightS = world.nowS + 400;
    for (let s = -400; s < 4_000; s += 100) {
      told.push(await atFr('DE-2', `gate-${s + 400}`));
      await world.clock.advance(1_000 * (midnightS + s + 100 - world.nowS));
    }
    assert.deepEqual(new Set(told), new Set([PASS]));
    assert.deepEqual([...seeds.held.keys()], [START_DAY + 1, START_DAY + 2]);
    assert.deepEqual([...seeds.evaluated.keys()], [START_DAY + 1]);
    assert.equal(world.node('DE').lookup.head(START_DAY), undefined);
  });

  it('a clock that most others contradict destroys no key', async () => {
    const { clockError, troubles } = world.machine('DE');
    await world.befriend('IT', 'FR');
    await world.run(
      world.node('DE').submit({
        entry: world
          .machine('DE')
          .fixture.entryOf(world.machine('DE').fixture.recognitionOf(world.machine('IT').fixture)),
      }),
    );
    await world.until(() => world.node('DE').status.clock.standing === 'agrees', 'others agree', 600);
    // Within the windows of the keys by which the others tell the time.
    clockError.aheadMs = 1_000 * 5 * DAY_S;
    await world.until(() => world.node('DE').status.clock.standing === 'astray', 'they contradict', 600);
    await world.pass(30);
    assert.equal(seeds.held.size, DAYS.length, String(troubles));
  });

  it('T15 a clock that is weeks ahead destroys no key of a day to come, where one other region tells the time', async () => {
    const { clockError } = world.machine('DE');
    clockError.aheadMs = 1_000 * 20 * DAY_S;
    await world.pass(400);
    assert.equal(world.node('DE').status.clock.standing, 'doubtful');
    assert.deepEqual([...seeds.held.keys()], DAYS);
    clockError.aheadMs = 0;
    await world.pass(130);
    assert.equal(await atFr('DE-2'), PASS);
  });

  it('what a home says of another time than now is undetermined', async () => {
    const { clockError } = world.machine('DE');
    for (const aheadMs of [-1_200_000, 300_000]) {
      clockError.aheadMs = aheadMs;
      const before = world.node('DE').lookup.head(START_DAY);
      await world.pass(80);
      assert.equal(
        world.node('DE').lookup.head(START_DAY) === before,
        aheadMs < 0,
        'it is signed anew once it is due',
      );
      if (aheadMs > 0) assert.match(await atFr('DE-2'), /^undetermined .*NUMBER_STALE/);
    }
  });

  it('a region that announces the same beginning cannot stop the numbers of another, nor speak where it has none', async () => {
    const others = new MemorySeeds('IT', DAYS);
    await recogniseByAdapter(world, 'FR', 'IT');
    await announce(world, 'IT', 'DE-', others);
    await knowsNumbers(world, 'FR', 'IT');
    assert.equal(await atFr('DE-2'), PASS);
    // DE does not know it, and IT has no table: nobody can say.
    assert.match(await atFr('DE-9'), /^undetermined .*NUMBER_(REFUSED|DAY_MISSING)/);
  });

  it('a region that lists the number of another as red stops it only where the other can be asked and does not have it; where both have it they differ', async () => {
    const others = new MemorySeeds('IT', DAYS);
    await world.recognise('IT', 'FR');
    await recogniseByAdapter(world, 'FR', 'IT');
    await world.kill('IT', { inOrder: true });
    world.replace('IT', { seeds: others });
    await world.boot('IT');
    await announce(world, 'IT', 'DE-', others);
    await importNumbers(world, 'IT', csvOf(['DE-2', 'DE-9'], 'red'));
    await world.until(() => world.node('IT').lookup.head(START_DAY) !== undefined, 'IT has a table');
    await knowsNumbers(world, 'FR', 'IT');
    assert.equal(await atFr('DE-2'), 'undetermined FOREIGN_REGIONS_DIFFER FOREIGN_REGIONS_DIFFER');
    assert.equal(await atFr('DE-3'), PASS, 'which the other does not name');
    assert.match(await atFr('DE-9'), /^stop .*RED/);
    world.network.tamper = (wire) => (wire.protocol === LOOKUP_PROTOCOL ? undefined : wire.bytes);
    const startMs = world.clock.runMs();
    assert.match(await outcome(world, 'IT', 'DE-2', GATE), /^stop .*RED/, 'at home its own word counts');
    assert.ok(world.clock.runMs() - startMs < 500, 'and waits for nobody');
    world.network.tamper = undefined;
    world.network.cut('DE', 'FR');
    assert.match(await atFr('DE-2'), /^undetermined .*NUMBER_UNREACHABLE/);
  });

  it('T5 of a region that is recognised in another way nothing is looked up', async () => {
    const { fixture, node } = world.machine('FR');
    fixture.nowS = world.nowS;
    await world.run(
      node.submit({ entry: fixture.entryOf(fixture.recognitionOf(world.machine('DE').fixture, 2)) }),
    );
    assert.match(await atFr('DE-2'), /^undetermined .*WAY_UNSUPPORTED$/);
    assert.equal(world.node('DE').lookup.report.asked.evaluated, 0);
  });

  it('of a region whose recognition is withdrawn nothing is looked up, and the verdict says so', async () => {
    const { fixture, node } = world.machine('FR');
    fixture.nowS = world.nowS;
    const withdrawal = { kind: 'withdrawal' as const, region: 'DE', version: 2 };
    await world.run(node.submit({ entry: fixture.entryOf(withdrawal) }));
    assert.equal(await atFr('DE-2'), 'stop RECOGNITION_WITHDRAWN');
    assert.equal(await atFr('XX-2'), 'stop MALFORMED');
    await world.kill('FR', { inOrder: true });
    world.replace('FR');
    await world.boot('FR');
    assert.equal(await atFr('DE-2'), 'stop RECOGNITION_WITHDRAWN', 'after a restart too');
    assert.equal(await atFr('XX-2'), 'stop MALFORMED');
    assert.equal(world.node('DE').lookup.report.asked.evaluated, 0);
  });

  it('a restart of the home evaluates nothing again', async () => {
    assert.equal(seeds.evaluated.get(START_DAY)?.length, 32 + 3 * 48);
    // What was kept is taken as it is: it lies in the region's own directory.
    seeds.evaluated.get(START_DAY)?.fill(7, 32 + 16, 32 + 48);
    await world.kill('DE', { inOrder: true });
    world.replace('DE', { seeds });
    await world.boot('DE');
    await newTable(world);
    await world.until(() => world.network.counters.requests > 0, 'all are connected');
    const all = await Promise.all([1, 2, 3].map((n) => outcome(world, 'DE', `DE-${n}`, GATE)));
    assert.deepEqual(all.toSorted(), [PASS, PASS, 'stop NUMBER_UNKNOWN']);
  });

  it('without a key of today it is undetermined', async () => {
    await world.stop();
    await found(QUOTAS, [START_DAY + 2]);
    assert.equal(await atFr('DE-2'), 'undetermined NUMBER_DAY_MISSING');
  });

  it('no home node that answers, and one that hangs, leave it undetermined in bounded time', async () => {
    world.network.tamper = (wire) => (wire.protocol === LOOKUP_PROTOCOL ? undefined : wire.bytes);
    const startMs = world.clock.runMs();
    assert.equal(await atFr('DE-2'), 'undetermined NUMBER_UNREACHABLE');
    // Many of its numbers wait no longer than one.
    for (let n = 0; n < 50; n++)
      assert.equal(await atFr('DE-2', `gate-${n}`), 'undetermined NUMBER_UNREACHABLE');
    assert.ok(world.clock.runMs() - startMs <= 5_000, 'in bounded time');
    world.network.tamper = undefined;
    await world.pass(1);
    assert.equal(await atFr('DE-2'), PASS);
    world.network.cut('DE', 'FR');
    assert.equal(await atFr('DE-2'), 'undetermined NUMBER_UNREACHABLE');
  });

  it('a home that lies, by another key or an older table, is found out', async () => {
    let altered = 0;
    world.network.tamper = ({ protocol, from, bytes }) => {
      if (protocol !== LOOKUP_PROTOCOL || from !== 'DE') return bytes;
      altered++;
      const lie = bytes.slice();
      // The last byte of the evaluated element's proof.
      lie[4 + 32 + 60] = (lie[4 + 32 + 60] ?? 0) ^ 1;
      return lie;
    };
    assert.equal(await atFr('DE-2'), 'undetermined NUMBER_UNPROVEN');
    assert.equal(altered, 1);
    // Nor is it banned: a key that one of both has not heard of yet leads to the same.
    for (let n = 0; n < 4; n++) await atFr('DE-2');
    world.network.tamper = undefined;
    assert.equal(await atFr('DE-2'), PASS);
  });

  describe('a home that shows each asker a table of his own', () => {
    const held = (region: string) => world.node(region).status.accusations;

    /** IT is answered too. What the home answers it names another tree than what FR is shown. */
    async function lie(change: Partial<LookupHead> = { root: new Uint8Array(32).fill(9) }): Promise<void> {
      await world.recognise('DE', 'IT');
      await world.befriend('IT', 'FR');
      await world.until(
        () => ['FR', 'IT'].every((region) => world.node(region).trust.regions.size === 3),
        'all know each other',
      );
      const key = world.machine('DE').fixture.keys['trust-log'];
      world.network.tamper = ({ protocol, from, to, bytes }) => {
        if (protocol !== LOOKUP_PROTOCOL || from !== 'DE' || to !== 'IT') return bytes;
        const answer = orUndefined(() => parseEvaluateAnswer(bytes));
        if (answer === undefined || 'refusal' in answer) return bytes;
        const { head } = openLookupHead(answer.head, { verifySignature });
        return encodeEvaluateAnswer({ ...answer, head: signLookupHead({ ...head, ...change }, key) });
      };
    }

    it('is convicted before all who know it, as soon as two askers of one minute have met', async () => {
      await lie();
      assert.equal(await atFr('DE-2'), PASS);
      await world.pass(1);
      assert.deepEqual(held('FR'), []);
      assert.match(await outcome(world, 'IT', 'DE-2', GATE), /^undetermined/);
      const all = ['DE', 'FR', 'IT'];
      await world.until(() => all.every((region) => held(region).length === 1), 'all hold it', 5);
      const [accusation] = held('FR');
      assert.deepEqual(
        [accusation?.kind, accusation?.region, accusation?.isDisowned],
        ['tables', 'DE', false],
      );
      // One proof is enough.
      await outcome(world, 'IT', 'DE-3', GATE);
      await world.pass(5);
      assert.equal(held('IT').length, 1);
    });

    it('is not where it has signed the same table anew, or what was altered is no head of its own', async () => {
      await lie({});
      assert.equal(await atFr('DE-2'), PASS);
      assert.equal(await outcome(world, 'IT', 'DE-2', GATE), PASS);
      const head = world.node('DE').lookup.head(START_DAY) ?? assert.fail();
      const stranger = world.machine('IT').fixture.keys['trust-log'];
      const forged = signLookupHead({ ...openLookupHead(head, { verifySignature }).head, bits: 3 }, stranger);
      for (const [bytes, answer] of [
        [head, head],
        [forged, undefined],
      ] as const) {
        const request = encodeLookupRequest({ kind: 'head', head: bytes });
        const network = world.network.join('IT#2');
        const got = await world.run(
          network.request('FR', LOOKUP_PROTOCOL, request, new AbortController().signal),
        );
        assert.deepEqual(parseHeadAnswer(got), answer);
      }
      await world.pass(5);
      assert.deepEqual([...held('FR'), ...held('IT')], []);
    });
  });

  it('a home whose seed is not that of the announced key answers nothing, and says so to its operator', async () => {
    seeds.held.set(START_DAY, new Uint8Array(32).fill(9));
    await world.kill('DE', { inOrder: true });
    world.replace('DE', { seeds });
    await world.boot('DE');
    await world.pass(70);
    assert.equal(await atFr('DE-2'), 'undetermined NUMBER_DAY_MISSING');
    const told = world.machine('DE').troubles.filter((error) => isNodeError(error, 'KEY_NOT_IN_FORCE'));
    assert.equal(told.length, 1);
  });

  it('a text with more bytes than a number has is none, and nothing is held against its home', async () => {
    for (let n = 0; n < 4; n++) assert.equal(await atFr(`DE-${'€'.repeat(170)}`), 'stop MALFORMED');
    assert.equal(await atFr(`DE-${'€'.repeat(169)}`), 'stop NUMBER_UNKNOWN');
    assert.equal(await atFr('DE-2'), PASS);
  });

  it('a mirror serves buckets of others, and no other bytes than those of the tree that is named', async () => {
    assert.equal(await atFr('DE-2'), PASS);
    const answered: string[] = [];
    world.network.tamper = (wire) => {
      if (wire.protocol === LOOKUP_PROTOCOL) answered.push(`${wire.from} to ${wire.to}`);
      return wire.bytes;
    };
    // The other region holds it by now, and the home is asked for the evaluation alone.
    await importNumbers(world, 'DE', csvOf(['DE-2', 'DE-5']));
    const before = world.node('DE').lookup.head(START_DAY);
    await newTable(world, before);
    assert.equal(await atFr('DE-5'), PASS);
    world.network.tamper = undefined;
    // It is told of the head at once, and then gives the bucket.
    assert.deepEqual(answered, ['DE to FR', 'IT to FR', 'DE to IT', 'IT to FR']);
    const { head } = openLookupHead(world.node('DE').lookup.head(START_DAY) ?? assert.fail(), {
      verifySignature,
    });
    const place = { region: 'DE', day: START_DAY, root: head.root, bits: head.bits, bucket: 0 };
    world.network.cut('DE', 'IT');
    const held = await world.run(world.node('IT').lookup.bucket(place));
    const own = await world.run(world.node('DE').lookup.bucket(place));
    assert.ok(held && own && equalBytes(held.bytes, own.bytes));
    const root = head.root.map((byte) => byte ^ 1);
    assert.equal(await world.run(world.node('IT').lookup.bucket({ ...place, root })), undefined);
  });
});

function orUndefined<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
