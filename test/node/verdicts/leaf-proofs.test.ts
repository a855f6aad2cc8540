import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import { LeafFinder, type LeafFinderModules } from '../../../node/sync/leaf-finder.ts';
import { type LeafPlace, VerdictService } from '../../../node/verdicts/verdict-service.ts';
import { type LeafProof } from '../../../protocol/verdict/cut-off.ts';
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
    // Nothing is kept of it.
    await reasonsOf(textAt(7));
    assert.equal(service.counters.proofsFetched, 2);
  });

  it('the thief has 32 looked for at once, and no code beyond them is decided', async () => {
    const { service, sought, release, reasonsOf } = serviceOf();
    const judged = Array.from({ length: 40 }, (_, index) =>
      reasonsOf(codeOf({ index, salting: 'thief' }).text),
    );
    const beyond = await Promise.all(judged.slice(32));
    assert.ok(beyond.every((reasons) => reasons.includes('PROOF_NEEDED')));
    assert.equal(sought.length, 32);
    release();
    for (const reasons of await Promise.all(judged.slice(0, 32)))
      assert.ok(reasons.includes('LEAF_MISMATCH'));
    assert.ok((await reasonsOf(textAt(7))).includes('PROVEN_IN_LOG'));
    const { proofsFetched, proofsRefused } = service.counters;
    assert.deepEqual({ proofsFetched, proofsRefused }, { proofsFetched: 33, proofsRefused: 8 });
  });

  describe('LeafFinder', () => {
    const place = { origin: `CN-33.demo/attest/${LOG}`, index: 7, size: SIZE, root };
    const lie = proofAt(8);

    /** `peers`: what each answers. */
    function finderOf(peers: Readonly<Record<string, Pick<LeafProof, 'leafHash' | 'path'>>>) {
      const asked: string[] = [];
      const client = {
        peers: () => Object.keys(peers),
        ask: (peer: string) => (asked.push(peer), Promise.resolve({ kind: 'leaf', ...peers[peer] })),
      };
      const modules = { sha256, client, logs: () => new Map() };
      return { finder: new LeafFinder(modules as unknown as LeafFinderModules), asked };
    }

    it('goes on past three mirrors that lie to one that does not', async () => {
      const { finder, asked } = finderOf({ A: lie, B: lie, C: lie, D: proofAt(7) });
      const found = await finder.find(place);
      assert.deepEqual(found?.leafHash, proofAt(7).leafHash);
      assert.deepEqual(asked, ['A', 'B', 'C', 'D']);
    });

    it('believes none of those that prove something else', async () => {
      const { finder, asked } = finderOf({ A: lie, B: lie, C: lie, D: lie });
      assert.equal(await finder.find(place), undefined);
      assert.equal(asked.length, 4);
    });
  });
});
