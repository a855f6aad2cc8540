import assert from 'node:assert/strict';
import { type ForkEvidence } from '../../../protocol/evidence/fork.ts';
import { isProtocolError } from '../../../protocol/fault.ts';
import { encodeNote, parseNote } from '../../../protocol/log/note.ts';
import { consistencyOf, type KeeperBench, keeperOf, noteOf } from '../../support/keeper-fixture.ts';
import { DAY_S, RegionFixture, type TestKey } from '../../support/region-fixture.ts';
import { RunningClock } from '../../support/running-clock.ts';

describe('TrustKeeper.accuse, of keys that the state has forgotten', () => {
  let region: RegionFixture;
  let other: RegionFixture;
  let first: TestKey;
  let later: TestKey;
  let benches: KeeperBench[];

  /** The region signs with `first`, and goes on with `later`. */
  beforeEach(() => {
    [region, other] = [new RegionFixture({ region: 'FR' }), new RegionFixture({ region: 'FR' })];
    ({ checkpoint: first } = region.keys);
    later = region.key('a later checkpoint key');
    benches = [];
  });
  afterEach(() => Promise.all(benches.map(({ store }) => store.stop())));

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

  /** A node that has the log as it is by then. */
  async function held(on?: KeeperBench['on']): Promise<KeeperBench> {
    const clock = new RunningClock(region.nowS * 1000);
    const bench = await keeperOf(region, { clock, ...(on === undefined ? {} : { on }) });
    benches.push(bench);
    return bench;
  }

  async function grow({ keeper }: KeeperBench, key: TestKey): Promise<void> {
    const from = keeper.tree.size;
    await keeper.apply({ from, entries: region.entries.slice(from), note: noteOf(region, undefined, key) });
  }

  /** Two trees of one size, both signed by all of these. */
  function forkBy(...keys: readonly TestKey[]): ForkEvidence {
    const size = other.entries.length;
    const sideOf = (log: RegionFixture) => {
      const notes = keys.map((key) => parseNote(noteOf(log, size, key)));
      const text = notes[0]?.text ?? assert.fail();
      const note = encodeNote({ text, signatures: notes.flatMap(({ signatures }) => signatures) });
      return { note, root: log.rootAt(size), path: [] };
    };
    return { size, sides: [sideOf(region), sideOf(other)] };
  }

  function part(): void {
    region.revoke([1]);
    other.revoke([2]);
  }

  const isUnsigned = (error: unknown) => isProtocolError(error, 'NOTE_UNSIGNED');

  it('T4: a proof by such a key takes no region out of service: its root could not give the key up any more', async () => {
    part();
    goOn();
    const late = await held();
    await grow(late, later);
    await assert.rejects(late.keeper.accuse(forkBy(first)), isUnsigned);
    assert.deepEqual([late.keeper.standingForks, late.keeper.forks], [[], []]);
    const size = other.entries.length;
    const path = consistencyOf(region, size, region.entries.length);
    const ours = { note: noteOf(region, undefined, later), root: region.rootAt(size), path };
    const theirs = { note: noteOf(other, size, first), root: other.rootAt(size), path: [] };
    await assert.rejects(late.keeper.accuse({ size, sides: [ours, theirs] }), isUnsigned, 'nor one side');
    assert.deepEqual([late.keeper.standingForks, late.keeper.forks], [[], []]);
    assert.equal(region.refusal(region.compromise(first, {}), region.rootKeys), 'STATEMENT_CONFLICT');
  });

  it('T4: one that was taken before stays as it stood, also for the next process', async () => {
    part();
    const early = await held();
    await grow(early, first);
    const evidence = forkBy(first);
    await early.keeper.accuse(evidence);
    goOn();
    await grow(early, later);
    const { keeper } = early;
    assert.equal(keeper.state.key(first.keyId), undefined);
    assert.deepEqual(keeper.standingForks, [evidence]);
    await keeper.accuse(evidence);
    await early.store.stop();
    const next = await held(early.on);
    assert.deepEqual(next.keeper.standingForks, [evidence]);
    assert.deepEqual([...next.keeper.proofs.values()], [...keeper.proofs.values()]);
  });

  it('T4: a key that was given up in time is named for good, and what it proves counts against nobody', async () => {
    const stolen = region.key('stolen');
    for (const log of [region, other]) log.admit([{ key: stolen, role: 'checkpoint' }]);
    part();
    const early = await held();
    await grow(early, first);
    const [evidence, joint] = [forkBy(stolen), forkBy(stolen, first)];
    for (const one of [evidence, joint]) await early.keeper.accuse(one);
    region.add(region.compromise(stolen, {}));
    goOn();
    await grow(early, later);
    const late = await held();
    await grow(late, later);
    for (const one of [evidence, joint]) await late.keeper.accuse(one);
    assert.deepEqual(early.keeper.standingForks, [joint]);
    assert.deepEqual(late.keeper.standingForks, [], 'as by the stolen key alone');
    assert.equal(late.keeper.forks.length, 2);
  });
});
