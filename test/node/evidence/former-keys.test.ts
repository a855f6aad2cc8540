import assert from 'node:assert/strict';
import { FormerKeys } from '../../../node/evidence/former-keys.ts';
import { NamedStatements } from '../../../node/evidence/named-statements.ts';
import { type Store } from '../../../node/store/store.ts';
import { type TrustKeeper } from '../../../node/trust/trust-keeper.ts';
import { type ForkEvidence } from '../../../protocol/evidence/fork.ts';
import { isProtocolError } from '../../../protocol/fault.ts';
import { encodeNote, parseNote } from '../../../protocol/log/note.ts';
import { consistencyOf, keeperOf, noteOf } from '../../support/keeper-fixture.ts';
import { DAY_S, RegionFixture, type TestKey, trustModules } from '../../support/region-fixture.ts';
import { RunningClock } from '../../support/running-clock.ts';
import { hurriedClock } from '../../support/store-fixture.ts';

describe('FormerKeys', () => {
  let region: RegionFixture;
  let other: RegionFixture;
  let first: TestKey;
  let later: TestKey;
  let keeper: TrustKeeper;
  let store: Store;
  let folded: number;

  /** The region signed another tree with its first key, which its state has forgotten since; it goes on with `later`. */
  beforeEach(() => {
    [region, other] = [new RegionFixture({ region: 'FR' }), new RegionFixture({ region: 'FR' })];
    ({ checkpoint: first } = region.keys);
    later = region.key('a later checkpoint key');
    region.revoke([1]);
    other.revoke([2]);
    folded = 0;
  });
  afterEach(() => store.stop());

  function goOn(): void {
    const trustLog = region.key('a later trust-log key');
    region.nowS += 40 * DAY_S;
    region.admit([
      { key: later, role: 'checkpoint' },
      { key: trustLog, role: 'trust-log' },
    ]);
    region.nowS += 24 * DAY_S;
    region.add(region.stateStatement(), [trustLog]);
    assert.equal(region.state.key(first.keyId), undefined);
  }

  /** A node that comes late. */
  async function started(): Promise<void> {
    const reading = { ...trustModules, clock: hurriedClock, keeper: () => keeper };
    const named = new NamedStatements(reading);
    const have: typeof named.have = (...args) => {
      folded++;
      return named.have(...args);
    };
    const former = new FormerKeys({ ...reading, named: { have } });
    ({ keeper, store } = await keeperOf(region, {
      clock: new RunningClock(region.nowS * 1000),
      formerKeys: (origin, evidence) => former.of(origin, evidence),
    }));
    await keeper.apply({ from: 0, entries: region.entries, note: noteOf(region, undefined, later) });
  }

  function forkBy(...keys: readonly TestKey[]): ForkEvidence {
    const [size, newSize] = [other.entries.length, region.entries.length];
    const notes = keys.map((key) => parseNote(noteOf(other, size, key)));
    const text = notes[0]?.text ?? assert.fail();
    const note = encodeNote({ text, signatures: notes.flatMap(({ signatures }) => signatures) });
    const ours = {
      note: noteOf(region, newSize, later),
      root: region.rootAt(size),
      path: consistencyOf(region, size, newSize),
    };
    return { size, sides: [ours, { note, root: other.rootAt(size), path: [] }] };
  }

  it('T4: a fork is proven by a key that the state has forgotten, whenever the proof comes', async () => {
    goOn();
    await started();
    const evidence = forkBy(first);
    await keeper.accuse(evidence);
    assert.deepEqual(keeper.standingForks, [evidence]);
    const [proof] = keeper.proofs.values();
    assert.deepEqual(proof?.signers, [[later.keyId], [first.keyId]]);
    await keeper.accuse(evidence);
    assert.equal(folded, 1, 'what is known is not looked at again');
  });

  it('T4: and stands where another that has signed it was given up', async () => {
    const stolen = region.key('stolen');
    region.admit([{ key: stolen, role: 'checkpoint' }]);
    region.add(region.compromise(stolen, {}));
    goOn();
    await started();
    const evidence = forkBy(stolen, first);
    await keeper.accuse(evidence);
    assert.deepEqual(keeper.standingForks, [evidence]);
    await keeper.accuse(forkBy(stolen));
    assert.deepEqual(keeper.standingForks, [evidence], 'but not by that one alone');
  });

  it('A27: a key that was named without effect proves nothing, nor one that was never named, which costs no fold', async () => {
    const [thief, stranger] = [region.key('thief'), region.key('stranger')];
    const trustLog = region.keys['trust-log'];
    assert.equal(
      region.refusal(region.keysStatement([{ key: thief, role: 'checkpoint' }]), [trustLog]),
      'STATEMENT_UNAUTHORISED',
    );
    goOn();
    await started();
    const isUnsigned = (error: unknown) => isProtocolError(error, 'NOTE_UNSIGNED');
    await assert.rejects(keeper.accuse(forkBy(stranger)), isUnsigned);
    assert.equal(folded, 0);
    await assert.rejects(keeper.accuse(forkBy(thief)), isUnsigned);
    assert.equal(folded, 1);
    assert.deepEqual(keeper.forks, []);
  });
});
