import assert from 'node:assert/strict';
import { type BranchStanding, standingOfBranch } from '../../../protocol/trust/branch.ts';
import { RegionFixture, type TestKey } from '../../support/region-fixture.ts';

const another = (options: ConstructorParameters<typeof RegionFixture>[0] = {}) =>
  new RegionFixture({ region: 'CN-33', ...options });

/** `other` puts a fresh checkpoint key in the place of those given up. */
function giveUp(
  other: RegionFixture,
  cutOff: { readonly size: number; readonly root: Uint8Array } | undefined,
  key: TestKey = other.keys.checkpoint,
): void {
  other.add(other.compromise(key, cutOff === undefined ? {} : { trust: cutOff }));
}

function standing(
  other: RegionFixture,
  held: RegionFixture,
  words: readonly (readonly TestKey[])[] = [[held.keys.checkpoint]],
): BranchStanding {
  const common = held.entries.findIndex(
    (entry, i) => !Buffer.from(entry).equals(other.entries[i] ?? new Uint8Array()),
  );
  assert.ok(common > 0, 'expected two branches');
  const signers = words.map((word) => word.map(({ keyId }) => keyId));
  return standingOfBranch(other.state, { state: held.state, words: signers }, common);
}

describe('standingOfBranch', () => {
  let good: RegionFixture;
  let bad: RegionFixture;

  beforeEach(() => {
    [good, bad] = [another(), another()];
    for (const one of [good, bad]) one.revoke([1]);
    good.revoke([2]);
    bad.revoke([3]);
  });

  it('T3: a branch goes on whose root gave up the key of the other with a cut-off beyond what both share', () => {
    assert.equal(standing(good, bad), 'unnamed');
    giveUp(good, good.cutOff());
    assert.equal(standing(good, bad), 'named');
    assert.equal(standing(bad, good, [[good.key('fresh')]]), 'unnamed');
  });

  it('a cut-off at the very end of what both share names neither, one entry more names the branch', () => {
    const common = 4;
    const [at, beyond] = [another(), another()];
    for (const [one, size] of [
      [at, common],
      [beyond, common + 1],
    ] as const) {
      one.revoke([1]);
      one.revoke([2]);
      giveUp(one, { size, root: one.rootAt(size) });
    }
    assert.equal(standing(at, bad), 'unnamed');
    assert.equal(standing(beyond, bad), 'named');
  });

  it('T3: a key given up without a cut-off for trust, or for another log, names nothing', () => {
    giveUp(good, undefined);
    assert.equal(standing(good, bad), 'unnamed');
    good.add(good.compromise(good.keys.checkpoint, { '2026-11': good.cutOff() }, 2));
    assert.equal(standing(good, bad), 'unnamed');
  });

  it('T9: the statement that names one branch has no effect on another', () => {
    giveUp(good, good.cutOff());
    const statement = good.entryAt(good.entries.length - 1);
    assert.equal(bad.offer(statement)?.code, 'STATEMENT_CONFLICT');
    assert.equal(standing(bad, good, [[good.key('fresh')]]), 'unnamed');
  });

  it('T3: a statement signed with anything but the root names nothing', () => {
    const code = good.refusal(good.compromise(good.keys.checkpoint, { trust: good.cutOff() }), 'trust-log');
    assert.equal(code, 'STATEMENT_UNAUTHORISED');
    assert.equal(standing(good, bad), 'unnamed');
  });

  it('names nothing with a root that no branch has', () => {
    const nobody = { size: good.fold.size, root: new Uint8Array(32).fill(7) };
    assert.equal(
      good.refusal(good.compromise(good.keys.checkpoint, { trust: nobody })),
      'STATEMENT_CONFLICT',
    );
    assert.equal(standing(good, bad), 'unnamed');
  });

  it('T3: each key behind each note that is held has to be given up, and one of them with the cut-off', () => {
    const second = good.key('second checkpoint');
    for (const one of [good, bad]) one.admit([{ key: second, role: 'checkpoint' }]);
    giveUp(good, good.cutOff());
    const { checkpoint } = bad.keys;
    assert.equal(standing(good, bad, [[checkpoint]]), 'named');
    assert.equal(standing(good, bad, [[checkpoint, second]]), 'unnamed');
    assert.equal(standing(good, bad, [[checkpoint], [second]]), 'unnamed');
    giveUp(good, undefined, second);
    assert.equal(standing(good, bad, [[checkpoint], [second]]), 'named');
    assert.equal(standing(good, bad, [[second]]), 'unnamed');
  });

  it('T3: who has a root that was replaced on the branch that is held cannot bring back the log before', () => {
    const next = [bad.key('next root')];
    bad.add(bad.rootStatement({ version: 2, keys: next }), [...bad.rootKeys, ...next]);
    giveUp(good, good.cutOff());
    assert.equal(standing(good, bad), 'unnamed');
    const other = [good.key('other root')];
    good.add(good.rootStatement({ version: 2, keys: other }), [...good.rootKeys, ...other]);
    assert.equal(standing(good, bad), 'unnamed');
  });

  it('T3: nor by putting the roots that came after behind what it signs itself', () => {
    const next = [bad.key('next root')];
    bad.add(bad.rootStatement({ version: 2, keys: next }), [...bad.rootKeys, ...next]);
    giveUp(good, good.cutOff());
    // The very statement of the branch that is held, which says not where it stands.
    assert.equal(good.offer(bad.entryAt(bad.entries.length - 1)), undefined);
    assert.equal(standing(good, bad), 'unnamed');
    good.add(good.compromise(good.keys.checkpoint, { trust: good.cutOff() }, 2), next);
    assert.equal(standing(good, bad), 'named');
  });

  it('a branch that holds the roots of the other and more goes on', () => {
    const next = [bad.key('next root')];
    for (const one of [good, bad])
      one.add(one.rootStatement({ version: 2, keys: next }), [...one.rootKeys, ...next]);
    good.add(good.compromise(good.keys.checkpoint, { trust: good.cutOff() }), next);
    assert.equal(standing(good, bad), 'named');
  });

  it('T3: another root under the same name goes on from nothing', () => {
    const stranger = another({ rootKeys: 2 });
    giveUp(stranger, stranger.cutOff());
    const held = { state: bad.state, words: [[bad.keys.checkpoint.keyId]] };
    assert.equal(standingOfBranch(stranger.state, held, 1), 'unnamed');
  });

  it('T11: a root that names both branches moves nobody, whichever of them is held', () => {
    giveUp(good, good.cutOff());
    giveUp(bad, bad.cutOff());
    assert.equal(standing(good, bad), 'contradicted');
    assert.equal(standing(bad, good), 'contradicted');
  });

  it('T11: a key of another role that is given up on the branch that is held says nothing of branches, whatever its cut-off', () => {
    giveUp(good, good.cutOff());
    for (const role of ['attest', 'trust-log', 'witness'] as const) {
      giveUp(bad, bad.cutOff(), bad.keys[role]);
      assert.equal(standing(good, bad), 'named', role);
    }
    giveUp(bad, bad.cutOff());
    assert.equal(standing(good, bad), 'contradicted');
  });

  it('T11: what was named in the common past names neither of two later branches', () => {
    const shared = [another(), another()] as const;
    const fresh = shared[0].key('fresh');
    for (const one of shared) {
      one.admit([{ key: fresh, role: 'checkpoint' }]);
      giveUp(one, one.cutOff());
    }
    const [one, other] = shared;
    one.revoke([5]);
    other.revoke([6]);
    assert.equal(standing(one, other, [[fresh]]), 'unnamed');
    assert.equal(standing(one, other, [[one.keys.checkpoint]]), 'unnamed');
    giveUp(one, one.cutOff(), fresh);
    assert.equal(standing(one, other, [[fresh]]), 'named');
  });

  it('T3: names nothing over what is held by no known signer, or under no note at all', () => {
    giveUp(good, good.cutOff());
    const signer = bad.keys.checkpoint.keyId;
    assert.equal(standingOfBranch(good.state, { state: bad.state, words: [[signer]] }, 4), 'named');
    for (const words of [[], [[]], [[signer], []]])
      assert.equal(standingOfBranch(good.state, { state: bad.state, words }, 4), 'unnamed');
  });
});
