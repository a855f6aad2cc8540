import assert from 'node:assert/strict';
import {
  accuse,
  ForkSeeker,
  type ForkSeekerModules,
  IN_VAIN_INTERVALS,
} from '../../../node/sync/fork-seeker.ts';
import { type ForkEvidence } from '../../../protocol/evidence/fork.ts';
import { keeperOf, noteOf } from '../../support/keeper-fixture.ts';
import { RegionFixture, type TestKey } from '../../support/region-fixture.ts';

const INTERVAL_MS = 30_000;

/** A region whose checkpoint key was given up for a fresh one, and another tree of the same size. */
function told(): { region: RegionFixture; forkBy: (key: TestKey) => ForkEvidence; fresh: TestKey } {
  const [region, other] = [new RegionFixture({ region: 'FR' }), new RegionFixture({ region: 'FR' })];
  const fresh = region.key('checkpoint 2');
  region.admit([{ key: fresh, role: 'checkpoint' }]);
  region.add(region.compromise(region.keys.checkpoint, {}));
  const size = region.entries.length;
  while (other.entries.length < size) other.revoke([other.entries.length]);
  const forkBy = (key: TestKey): ForkEvidence => {
    const sideOf = (of: RegionFixture) => ({ note: noteOf(of, size, key), root: of.rootAt(size), path: [] });
    return { size, sides: [sideOf(region), sideOf(other)] };
  };
  return { region, forkBy, fresh };
}

async function bench(forks: (story: ReturnType<typeof told>) => readonly ForkEvidence[]) {
  const story = told();
  const { region, fresh } = story;
  const { keeper } = await keeperOf(region);
  await keeper.apply({ from: 0, entries: region.entries, note: noteOf(region, undefined, fresh) });
  const asked: string[] = [];
  const answer = { kind: 'forks', forks: forks(story) };
  const client = {
    ask: (peer: string) => {
      asked.push(peer);
      return Promise.resolve(answer);
    },
  } as unknown as ForkSeekerModules['client'];
  let nowMs = 0;
  const seeker = new ForkSeeker(INTERVAL_MS, { client, clock: { runMs: () => nowMs } });
  const pass = (intervals: number) => (nowMs += intervals * INTERVAL_MS);
  return { ...story, keeper, seeker, asked, pass };
}

describe('ForkSeeker', () => {
  it('A28: asks a peer whose proofs prove nothing seldom, sooner where it shows more, and never twice in an interval', async () => {
    const { region, keeper, seeker, asked, pass } = await bench(({ forkBy, region: of }) => [
      forkBy(of.key('of nobody')),
    ]);
    const seek = (peer: string, shown: number) => seeker.seek(peer, keeper, shown);
    await seek('ES', 0);
    assert.deepEqual(asked, []);
    for (let i = 0; i < 3; i++) await seek('ES', 1);
    assert.deepEqual(asked, ['ES']);
    pass(1);
    await seek('ES', 1);
    assert.deepEqual(asked, ['ES']);
    await seek('IT', 1);
    assert.deepEqual(asked, ['ES', 'IT'], 'another peer is another matter');
    for (let i = 2; i < 6; i++) await seek('ES', i);
    assert.deepEqual(asked, ['ES', 'IT', 'ES']);
    pass(IN_VAIN_INTERVALS - 1);
    await seek('ES', 2);
    assert.equal(asked.length, 3);
    pass(1);
    await seek('ES', 2);
    assert.equal(asked.length, 4);
    assert.deepEqual([keeper.forks.length, region.region], [0, 'FR']);
  });

  it('T3, A28: one that is shown by a peer that goes on showing more comes to an end', async () => {
    const { keeper, seeker, asked, pass } = await bench(() => []);
    for (let shown = 1; shown < 200; shown++) {
      await seeker.seek('ES', keeper, 1_000_000 + shown);
      pass(1);
    }
    assert.ok(asked.length <= 20 + 1, String(asked.length));
  });

  it('T3: who holds a proof that is disowned still asks for one that stands, and then no more', async () => {
    const { region, keeper, seeker, asked, pass, forkBy, fresh } = await bench((story) => [
      story.forkBy(story.region.keys.checkpoint),
      story.forkBy(story.fresh),
    ]);
    assert.equal(await accuse(keeper, forkBy(region.keys.checkpoint)), false, 'it goes no further');
    assert.deepEqual([keeper.forks.length, keeper.standingForks.length], [1, 0]);
    await seeker.seek('ES', keeper, 2);
    assert.deepEqual(keeper.standingForks, [forkBy(fresh)]);
    pass(1);
    await seeker.seek('ES', keeper, 3);
    assert.deepEqual(asked, ['ES']);
  });
});

describe('accuse', () => {
  it('is true for a proof that stands and is new, once', async () => {
    const { keeper, forkBy, fresh } = await bench(() => []);
    assert.deepEqual(
      [await accuse(keeper, forkBy(fresh)), await accuse(keeper, forkBy(fresh))],
      [true, false],
    );
  });
});
