import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import { NodeError } from '../../../node/node-error.ts';
import { LeafFinder, type LeafFinderModules } from '../../../node/sync/leaf-finder.ts';
import { type FoundProof, type LeafPlace, LeafProofs } from '../../../node/verdicts/leaf-proofs.ts';
import { VerdictService } from '../../../node/verdicts/verdict-service.ts';
import { keyNamed } from '../../support/code-fixture.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { sha256 } from '../../support/primitives.ts';
import { provenLog } from '../../support/proven-log.ts';
import {
  ATTEST_KEY,
  codeOf,
  codesOf,
  CONTEXT,
  LOG,
  NOW_S,
  primitives,
  trustOf,
} from '../../support/verdict-fixture.ts';

const SIZE = 1_000;

describe('leaf proofs of codes under a key that was given up', () => {
  const genuine = Array.from({ length: SIZE }, (_, index) => codeOf({ index }));
  const textAt = (index: number) => genuine[index]?.text ?? assert.fail();
  const { root, proofAt } = provenLog(genuine);
  const compromise = { version: 1, cutOffs: new Map([[LOG, { size: SIZE, root }]]) };
  const trust = trustOf({ issuer: { keys: [{ key: ATTEST_KEY, role: 'attest', compromise }] } });

  /** Judges with proofs that come once `release` is called. */
  function serviceOf() {
    const sought: LeafPlace[] = [];
    let release = (): void => undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    const service = new VerdictService({
      ...primitives,
      clock: new ManualClock(1_000 * NOW_S),
      trust: () => trust,
      lookup: { judge: () => assert.fail('no number') },
      leafProof: async (place) => {
        sought.push(place);
        await released;
        return proofAt(place.index);
      },
    });
    const reasonsOf = async (text: string) => codesOf(await service.verify(text, CONTEXT));
    return { service, sought, release, reasonsOf };
  }

  it('T3: a stranger without the key has none fetched, and keeps no genuine code from its own', async () => {
    const { service, release, reasonsOf } = serviceOf();
    const junk = { ...ATTEST_KEY, sign: keyNamed('stranger').sign };
    const judged = Array.from({ length: SIZE }, (_, index) => reasonsOf(codeOf({ index, key: junk }).text));
    const passing = reasonsOf(textAt(7));
    release();
    for (const reasons of await Promise.all(judged)) assert.ok(reasons.includes('SIGNATURE_INVALID'));
    assert.ok((await passing).includes('PROVEN_IN_LOG'));
    const { pass, stop, proofsFetched } = service.counters;
    assert.deepEqual({ pass, stop, proofsFetched }, { pass: 1, stop: SIZE, proofsFetched: 1 });
  });

  it('whoever asks for the same leaf meanwhile waits for the same proof', async () => {
    const { service, sought, release, reasonsOf } = serviceOf();
    // The thief signs other codes in the place of the genuine one.
    const texts = [textAt(7), textAt(7), codeOf({ index: 7, salting: 'thief' }).text];
    const judged = Promise.all(texts.map(reasonsOf));
    await setImmediate();
    assert.deepEqual(
      sought.map(({ index, size }) => [index, size]),
      [[7, SIZE]],
    );
    release();
    const found = (await judged).map((reasons) =>
      reasons.find((code) => code === 'PROVEN_IN_LOG' || code === 'LEAF_MISMATCH'),
    );
    assert.deepEqual(found, ['PROVEN_IN_LOG', 'PROVEN_IN_LOG', 'LEAF_MISMATCH']);
    assert.equal(service.counters.proofsFetched, 1);
    // It is kept, and proves of whatever is shown in that place what it is.
    for (const [at, text] of texts.entries())
      assert.ok((await reasonsOf(text)).includes(found[at] ?? assert.fail()));
    assert.equal(service.counters.proofsFetched, 1);
    await reasonsOf(textAt(8));
    assert.equal(service.counters.proofsFetched, 2);
  });

  it('the thief has 16 looked for at once, and no code of the key beyond them is decided', async () => {
    const { service, sought, release, reasonsOf } = serviceOf();
    const judged = Array.from({ length: 40 }, (_, index) =>
      reasonsOf(codeOf({ index, salting: 'thief' }).text),
    );
    const beyond = await Promise.all(judged.slice(16));
    assert.ok(beyond.every((reasons) => reasons.includes('PROOF_NEEDED')));
    assert.equal(sought.length, 16);
    release();
    for (const reasons of await Promise.all(judged.slice(0, 16)))
      assert.ok(reasons.includes('LEAF_MISMATCH'));
    assert.ok((await reasonsOf(textAt(39))).includes('PROVEN_IN_LOG'));
    const { proofsFetched, proofsRefused } = service.counters;
    assert.deepEqual({ proofsFetched, proofsRefused }, { proofsFetched: 17, proofsRefused: 24 });
  });

  const placeAt = (index: number, region = 'CN-33'): LeafPlace => ({
    origin: `${region}.demo/attest/${LOG}`,
    index,
    size: SIZE,
    root,
  });
  const hangs = new Promise<never>(() => undefined);

  describe('LeafProofs.find', () => {
    const signedBy = (region: string, name = 'attest') => ({ region, keyId: keyNamed(name).keyId });

    it('keeps what was found by its place and root, and not that nothing was', async () => {
      let sought = 0;
      let isThere = false;
      const leafProof = ({ index }: LeafPlace) => {
        sought++;
        return Promise.resolve(isThere ? proofAt(index) : undefined);
      };
      const leaves = new LeafProofs({ leafProof });
      const find = (place: LeafPlace) => leaves.find(place, signedBy('DE'));
      assert.equal(await find(placeAt(7)), undefined);
      isThere = true;
      const { leafHash, path } = proofAt(7);
      for (let at = 0; at < 3; at++) {
        const found = await find(placeAt(7));
        assert.deepEqual([found?.leafHash, found?.path], [leafHash, path]);
      }
      assert.equal(sought, 2);
      const { origin } = placeAt(7, 'CN-34');
      const others: Partial<LeafPlace>[] = [
        { root: new Uint8Array(32) },
        { size: 999 },
        { index: 8 },
        { origin },
      ];
      for (const other of others) await find({ ...placeAt(7), ...other });
      assert.equal(sought, 6);
    });

    it('T3: finds the leaves of other regions beside as many as thieves of all keys of one may have sought', async () => {
      const leafProof = ({ origin, index }: LeafPlace) =>
        origin.startsWith('FR.') ? hangs : Promise.resolve(proofAt(index));
      const leaves = new LeafProofs({ leafProof });
      for (let index = 0; index < 32; index++)
        for (const name of ['stolen', 'stolen too'])
          void leaves.find(placeAt(2 * index + Number(name === 'stolen')), signedBy('FR', name));
      assert.deepEqual(leaves.counters, { proofsFetched: 24, proofsRefused: 40 });
      for (let index = 0; index < 40; index++) {
        const found = await leaves.find(placeAt(index, 'DE'), signedBy('DE'));
        assert.deepEqual(found?.leafHash, proofAt(index).leafHash);
      }
      assert.deepEqual(leaves.counters, { proofsFetched: 64, proofsRefused: 40 });
    });
  });

  describe('LeafFinder', () => {
    type Answers = (index: number) => Promise<FoundProof>;
    const place = placeAt(7);
    const lie: Answers = () => Promise.resolve(proofAt(8));
    const truth: Answers = (index) => Promise.resolve(proofAt(index));
    const silence: Answers = () => hangs;

    /** `peers`: what each answers. */
    function finderOf(peers: Readonly<Record<string, Answers>>) {
      const asked: string[] = [];
      const client = {
        peers: () => Object.keys(peers),
        ask: async (peer: string, { index }: LeafPlace) => {
          asked.push(peer);
          return { kind: 'leaf', ...(await peers[peer]?.(index)) };
        },
      };
      const clock = new ManualClock();
      const modules = { sha256, client, clock, logs: () => new Map() };
      return { finder: new LeafFinder(modules as unknown as LeafFinderModules), asked, clock };
    }

    it('goes on past three mirrors that lie to one that does not', async () => {
      const { finder, asked } = finderOf({ A: lie, B: lie, C: lie, D: truth });
      const found = await finder.find(place);
      assert.deepEqual(found?.leafHash, proofAt(7).leafHash);
      assert.deepEqual(asked, ['A', 'B', 'C', 'D']);
    });

    it('believes none of those that prove something else', async () => {
      const { finder, asked } = finderOf({ A: lie, B: lie, C: lie, D: lie });
      assert.equal(await finder.find(place), undefined);
      assert.equal(asked.length, 4);
    });

    it('T20: waits for none that is silent once another one has proven it', async () => {
      const { finder, asked } = finderOf({ A: silence, B: lie, C: truth });
      assert.deepEqual((await finder.find(place))?.leafHash, proofAt(7).leafHash);
      assert.deepEqual(asked, ['A', 'B', 'C']);
    });

    it('T20: asks those first that proved something of the log, so that three that are silent cost time once', async () => {
      const gone: Answers = () => Promise.reject(new NodeError('PEER_UNREACHABLE', 'no answer in time'));
      let late = gone;
      const slow: Answers = (index) => late(index);
      const { finder, asked } = finderOf({ A: slow, B: slow, C: slow, D: truth });
      assert.ok(await finder.find(place));
      late = silence;
      assert.deepEqual((await finder.find(placeAt(9)))?.leafHash, proofAt(9).leafHash);
      assert.deepEqual(asked, ['A', 'B', 'C', 'D', 'D']);
      // Of another log nobody has proven anything yet.
      void finder.find(placeAt(9, 'CN-34'));
      await setImmediate();
      assert.deepEqual(asked.slice(5), ['A', 'B', 'C']);
    });

    it('T17: asks one of those that have proven something of the log, each for its part', async () => {
      const { finder, asked, clock } = finderOf({ A: truth, B: truth, C: truth, D: truth });
      assert.ok(await finder.find(placeAt(900)));
      assert.deepEqual(asked.splice(0), ['A', 'B', 'C']);
      for (let index = 0; index < 30; index++) assert.ok(await finder.find(placeAt(index)));
      assert.deepEqual(asked.toSorted().join(''), 'A'.repeat(10) + 'B'.repeat(10) + 'C'.repeat(10));
      assert.equal(clock.waiting, 0);
    });

    it('T20: asks others too where the one does not answer within 250 ms, or not with a proof', async () => {
      let answer = truth;
      const { finder, asked, clock } = finderOf({ A: (index) => answer(index), B: truth });
      assert.ok(await finder.find(place));
      assert.equal(asked.splice(0).length, 2);
      answer = silence;
      for (const index of [10, 11]) {
        const found = finder.find(placeAt(index));
        await clock.advance(260);
        assert.ok(await found);
      }
      assert.deepEqual(asked.splice(0).toSorted(), ['A', 'B', 'B']);
      answer = lie;
      for (const index of [12, 13, 14, 15]) assert.ok(await finder.find(placeAt(index)));
      assert.deepEqual(asked.toSorted(), ['A', 'B', 'B', 'B', 'B']);
    });

    it('T20: asks nobody who has 32 questions unanswered, until they are answered', async () => {
      const answer: (() => void)[] = [];
      const slow: Answers = (index) => new Promise((resolve) => answer.push(() => resolve(proofAt(index))));
      const { finder, asked } = finderOf({ A: slow, B: truth });
      // Each of another log, of which nobody has proven anything yet.
      for (let index = 0; index < 40; index++)
        assert.ok(await finder.find(placeAt(index, `CN-${index + 50}`)));
      const timesAsked = (name: string) => asked.filter((peer) => peer === name).length;
      assert.deepEqual([timesAsked('A'), timesAsked('B')], [32, 40]);
      for (const release of answer) release();
      await setImmediate();
      assert.ok(await finder.find(place));
      assert.equal(timesAsked('A'), 33);
    });
  });
});
