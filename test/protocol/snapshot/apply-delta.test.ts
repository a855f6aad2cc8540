import assert from 'node:assert/strict';
import { type Holdings } from '../../../protocol/snapshot/apply.ts';
import fc from 'fast-check';
import { parseSnapshot } from '../../../protocol/snapshot/snapshot.ts';
import { leafHash } from '../../../protocol/log/merkle.ts';
import {
  Federation,
  NOW_S,
  stateRootOf,
  faultIn,
  faultOf,
  five,
  HOME,
  outcomeOf,
} from '../../support/snapshot-fixture.ts';
import { sha256 } from '../../support/primitives.ts';
import { LOG_ID } from '../../support/region-fixture.ts';

describe('applySnapshot: deltas', () => {
  it('comes by a chain of deltas to what one full snapshot gives, to the byte', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.array(fc.constantFrom('revoke', 'commit', 'rules', 'limits', 'forge'), { maxLength: 4 }),
          {
            minLength: 1,
            maxLength: 5,
          },
        ),
        async (steps) => {
          const federation = new Federation(HOME, 'FR', 'CN-33');
          const region = federation.region('CN-33');
          let held = federation.apply(HOME, await federation.snapshot()).holdings;
          let index = 0;
          for (const step of steps) {
            for (const kind of step) {
              region.nowS += 60;
              if (kind === 'revoke') region.revoke([index, 65_536 + 7 * index]);
              else if (kind === 'commit') region.commit();
              else if (kind === 'rules') {
                region.add({
                  kind: 'rules',
                  id: `r${index}`,
                  version: 1,
                  from: region.nowS,
                  data: { a: index },
                });
              } else if (kind === 'limits') {
                region.add({ kind: 'limits', version: index + 1, revocationsPerHour: 1_000 + index });
              } else region.offer(Uint8Array.of(index));
              index++;
            }
            const bytes = await federation.snapshot({}, held);
            assert.ok(parseSnapshot(bytes).parts.every(({ base }) => base === undefined));
            const before = held.logs.get('CN-33')?.fold.size;
            const applied = federation.apply(HOME, bytes, held);
            assert.equal(held.logs.get('CN-33')?.fold.size, before, 'what was held stays as it was');
            held = applied.holdings;
          }
          const full = federation.apply(HOME, await federation.snapshot()).holdings;
          for (const name of federation.regions.keys()) {
            assert.equal(stateRootOf(held, name), stateRootOf(full, name));
            const [chain, whole] = [held, full].map(({ logs }) => logs.get(name)?.fold.frontier);
            assert.deepEqual(chain, whole);
          }
          assert.equal(
            stateRootOf(held, 'CN-33'),
            Buffer.from(region.fold.commitmentAt(NOW_S).root).toString('hex'),
          );
        },
      ),
      { numRuns: 25 },
    );
  });

  it('refuses a delta that does not start where the reader is', async () => {
    const federation = five();
    const region = federation.region('CN-33');
    const first = federation.apply(HOME, await federation.snapshot());
    region.revoke([1]);
    const toSecond = await federation.snapshot({}, first.holdings);
    const second = federation.apply(HOME, toSecond, first.holdings);
    region.revoke([2]);
    const toThird = await federation.snapshot({}, second.holdings);
    const details = (from: number, held: number) => ({ region: 'CN-33', from, held });
    assert.deepEqual(faultIn(federation.apply(HOME, toThird, first.holdings), 'CN-33'), {
      code: 'SNAPSHOT_INCOMPLETE',
      details: details(8, 7),
    });
    assert.deepEqual(
      faultOf(() => federation.apply(HOME, toThird)),
      {
        code: 'SNAPSHOT_INCOMPLETE',
        details: { region: HOME, from: 7, held: 0 },
      },
    );
    assert.equal(federation.apply(HOME, toThird, second.holdings).holdings.logs.get('CN-33')?.fold.size, 9);
  });

  it('takes one delta from whoever holds what it begins with or anything later', async () => {
    const federation = five();
    const region = federation.region('CN-33');
    const first = federation.apply(HOME, await federation.snapshot());
    let held = first;
    for (let index = 1; index <= 3; index++) {
      region.revoke([index]);
      const delta = await federation.snapshot({}, first.holdings);
      for (const reader of [first, held]) {
        const { holdings } = federation.apply(HOME, delta, reader.holdings);
        assert.equal(holdings.logs.get('CN-33')?.fold.size, 7 + index);
        assert.equal(
          stateRootOf(holdings, 'CN-33'),
          Buffer.from(region.fold.commitmentAt(NOW_S).root).toString('hex'),
        );
      }
      held = federation.apply(HOME, delta, held.holdings);
      const again = federation.apply(HOME, delta, held.holdings);
      assert.equal(again.outcomes.find((one) => one.region === 'CN-33')?.effect, 'confirmed');
    }
  });

  it('asks for a full part where a compromise reaches back before what it holds', async () => {
    const federation = five();
    const region = federation.region('CN-33');
    const stolen = region.keys['trust-log'];
    const cutOff = region.cutOff();
    region.revoke([1]);
    region.commit();
    region.revoke([2]);
    const first = federation.apply(HOME, await federation.snapshot());
    assert.equal(outcomeOf(first.holdings, federation.issue('CN-33', 1).text), 'stop REVOKED');
    region.add(region.compromise(stolen, { trust: cutOff }));
    const delta = await federation.snapshot({}, first.holdings);
    const waiting = federation.apply(HOME, delta, first.holdings);
    const fault = faultIn(waiting, 'CN-33');
    assert.equal(waiting.holdings.logs.get('CN-33'), first.holdings.logs.get('CN-33'));
    assert.deepEqual([fault.code, fault.details['region']], ['HISTORY_NEEDED', 'CN-33']);

    const sources = federation.sources().map((source) => ({ ...source, newestBase: () => undefined }));
    const { holdings } = federation.apply(HOME, await federation.snapshotOf(...sources), first.holdings);
    assert.equal(
      outcomeOf(holdings, federation.issue('CN-33', 1).text),
      'pass',
      'what the thief revoked is void',
    );
    assert.equal(
      stateRootOf(holdings, 'CN-33'),
      Buffer.from(region.fold.commitmentAt(NOW_S).root).toString('hex'),
    );
  });

  for (const [start, isBased] of [
    ['index 0', false],
    ['a state entry', true],
  ] as const) {
    it(`voids within what it holds since ${start}`, async () => {
      const federation = five();
      const region = federation.region('CN-33');
      region.revoke([0]);
      if (isBased) region.commit();
      const cutOff = region.cutOff();
      region.revoke([1]);
      const first = federation.apply(HOME, await federation.snapshot());
      assert.equal(first.holdings.logs.get('CN-33')?.base.index, isBased ? 8 : 0);
      region.revoke([2]);
      const second = federation.apply(HOME, await federation.snapshot({}, first.holdings), first.holdings);
      region.add(region.compromise(region.keys['trust-log'], { trust: cutOff }));
      const { holdings } = federation.apply(
        HOME,
        await federation.snapshot({}, second.holdings),
        second.holdings,
      );
      const outcomes = (held: Holdings) =>
        [0, 1, 2].map((index) => outcomeOf(held, federation.issue('CN-33', index).text));
      assert.deepEqual(outcomes(second.holdings), ['stop REVOKED', 'stop REVOKED', 'stop REVOKED']);
      assert.deepEqual(outcomes(holdings), ['stop REVOKED', 'pass', 'pass']);
    });
  }

  it('T3: a stolen attest key reaches the reader with the delta, genuine codes live on with their proof', async () => {
    const federation = five();
    const region = federation.region('CN-33');
    const genuine = federation.issue('CN-33', 0);
    const backdated = federation.issue('CN-33', 0, { salting: 'thief' });
    const forged = federation.issue('CN-33', 1);
    const first = federation.apply(HOME, await federation.snapshot());
    for (const { text } of [genuine, backdated, forged])
      assert.equal(outcomeOf(first.holdings, text), 'pass');

    const root = leafHash(sha256, genuine.attestation);
    region.add(region.compromise(region.keys.attest, { [LOG_ID]: { size: 1, root } }));
    const { holdings } = federation.apply(
      HOME,
      await federation.snapshot({}, first.holdings),
      first.holdings,
    );
    const proof = { log: LOG_ID, index: 0, size: 1, leafHash: root, path: [] };
    assert.equal(outcomeOf(holdings, genuine.text, NOW_S, [proof]), 'pass');
    assert.equal(outcomeOf(holdings, genuine.text), 'undetermined PROOF_NEEDED');
    assert.equal(outcomeOf(holdings, backdated.text, NOW_S, [proof]), 'stop LEAF_MISMATCH');
    assert.equal(outcomeOf(holdings, backdated.text), 'undetermined PROOF_NEEDED');
    assert.equal(outcomeOf(holdings, forged.text, NOW_S, [proof]), 'stop BEYOND_CUT_OFF');
  });
});
