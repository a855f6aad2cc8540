import assert from 'node:assert/strict';
import { TrustBoard } from '../../../node/trust/trust-board.ts';
import { encodeNote, parseNote } from '../../../protocol/log/note.ts';
import { cosignatureBy, type KeeperBench, keeperOf, noteOf } from '../../support/keeper-fixture.ts';
import { RegionFixture, START_S, trustModules } from '../../support/region-fixture.ts';
import { RunningClock } from '../../support/running-clock.ts';

describe('TrustBoard, of witness keys that are given up', () => {
  const clock = new RunningClock(START_S * 1000);
  let board: TrustBoard;
  let benches: Map<RegionFixture, KeeperBench>;
  let home: RegionFixture;
  let issuer: RegionFixture;
  let witness: RegionFixture;
  let other: RegionFixture;

  beforeEach(async () => {
    [home, issuer, witness, other] = ['DE', 'FR', 'IT', 'ES'].map(
      (region) => new RegionFixture({ region }),
    ) as [RegionFixture, RegionFixture, RegionFixture, RegionFixture];
    for (const peer of [issuer, witness, other]) home.recognise(peer);
    board = new TrustBoard({ home: home.region, network: home.network }, { ...trustModules, clock });
    benches = new Map();
    for (const one of [home, issuer, witness, other]) {
      const bench = await keeperOf(one, { clock, witnessKeys: board.witnessKeys, onChange: board.changed });
      benches.set(one, bench);
      board.add(bench.keeper);
      await grow(one);
    }
    const { text, signatures } = parseNote(noteOf(issuer));
    const lines = [...signatures, cosignatureBy(witness, text)];
    await keeperFor(issuer).heed(encodeNote({ text, signatures: lines }));
  });
  afterEach(async () => {
    for (const { store } of benches.values()) await store.stop();
  });

  const keeperFor = (region: RegionFixture) => benches.get(region)?.keeper ?? assert.fail();
  async function grow(region: RegionFixture): Promise<void> {
    const from = keeperFor(region).tree.size;
    await keeperFor(region).apply({ from, entries: region.entries.slice(from), note: noteOf(region) });
  }
  const counted = () => board.trust.assess(issuer.region, START_S)?.witnesses.counted;

  it('T3: what a key signed counts no more as soon as an entry gives it up, though nobody vouches for that yet', async () => {
    assert.equal(counted(), 1);
    witness.add(witness.compromise(witness.keys.witness, {}));
    await grow(witness);
    assert.equal(counted(), 0);
    const { published, pending } = keeperFor(witness);
    assert.deepEqual([published?.state.size, pending.length], [witness.entries.length - 1, 1]);
  });

  it('A13: but not where another region names the key of the witness, and gives that up', async () => {
    const { publicKey } = witness.keys.witness;
    other.admit([
      {
        key: { ...other.key('of the witness'), publicKey, keyId: witness.keys.witness.keyId },
        role: 'witness',
      },
    ]);
    other.add(other.compromise(witness.keys.witness, {}));
    await grow(other);
    assert.equal(counted(), 1);
  });
});
