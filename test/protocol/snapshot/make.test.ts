import assert from 'node:assert/strict';
import { makeSnapshot, type SnapshotSource, sourcesOf } from '../../../protocol/snapshot/make.ts';
import { parseSnapshot, type SnapshotPart } from '../../../protocol/snapshot/snapshot.ts';
import { Federation, NETWORK, NOW_S, stateRootOf } from '../../support/snapshot-fixture.ts';

const HASH = new Uint8Array(32).fill(7);
const ENTRIES = Array.from({ length: 6 }, (_, i) => Uint8Array.of(i, i));
const NOTE = Uint8Array.of(9);
const BASE = { index: 4, frontier: [HASH], items: [Uint8Array.of(1)] };

const source = (changes: Partial<SnapshotSource> = {}): SnapshotSource => ({
  region: 'DE',
  size: ENTRIES.length,
  note: NOTE,
  newestBase: () => BASE,
  entries: (from, to) => ENTRIES.slice(from, to),
  ...changes,
});

async function partOf(from: SnapshotSource, heldSize?: number): Promise<SnapshotPart> {
  const sizes = new Map(heldSize === undefined ? [] : [['DE', heldSize]]);
  const { network, parts } = parseSnapshot(await makeSnapshot('demo', [from], sizes));
  assert.equal(network, 'demo');
  return parts[0] ?? assert.fail();
}

describe('makeSnapshot', () => {
  it('makes a full part from the newest base, or from index 0 if there is none', async () => {
    const { index, ...base } = BASE;
    const part = { region: 'DE', checkpoint: NOTE };
    assert.deepEqual(await partOf(source()), { ...part, from: index, entries: ENTRIES.slice(4), base });
    const start = { from: 0, entries: ENTRIES, base: { frontier: [], items: [] } };
    assert.deepEqual(await partOf(source({ newestBase: () => undefined })), { ...part, ...start });
  });

  it('makes a delta for a reader that the source can follow, empty if it holds everything', async () => {
    const deltaFrom = async (held: number) => {
      const { from, entries, base } = await partOf(source(), held);
      assert.equal(base, undefined);
      return [from, entries.length];
    };
    assert.deepEqual(await deltaFrom(1), [1, 5]);
    assert.deepEqual(await deltaFrom(6), [6, 0]);
  });

  it('makes a full part for a reader that holds nothing, or more than the source', async () => {
    for (const held of [0, 7]) assert.equal((await partOf(source(), held)).from, BASE.index);
  });

  it('makes a full part for a reader behind what the source has kept', async () => {
    const pruned = source({ first: 2 });
    assert.equal((await partOf(pruned, 1)).from, BASE.index);
    assert.equal((await partOf(pruned, 2)).from, 2);
  });

  it('orders parts by region, waits for entries, and takes any number of sources', async () => {
    const regions = ['FR', 'CN-33', 'DE'];
    const entries = (from: number, to: number) => Promise.resolve(ENTRIES.slice(from, to));
    const bytes = await makeSnapshot(
      'demo',
      regions.map((region) => source({ region, entries })),
    );
    assert.deepEqual(
      parseSnapshot(bytes).parts.map(({ region }) => region),
      ['CN-33', 'DE', 'FR'],
    );
    assert.deepEqual(parseSnapshot(await makeSnapshot('demo', [])).parts, []);
  });

  it('refuses a source that gives other entries than asked for, and a region given twice', async () => {
    await assert.rejects(makeSnapshot('demo', [source({ entries: () => ENTRIES })]), RangeError);
    await assert.rejects(makeSnapshot('demo', [source({ entries: () => [] })]), RangeError);
    await assert.rejects(makeSnapshot('demo', [source(), source()]), RangeError);
  });
});

describe('makeSnapshot and applySnapshot', () => {
  it('T3: the compromise of one region keeps no reader from the others', async () => {
    const federation = new Federation('DE', 'FR', 'CN-33');
    const region = federation.region('CN-33');
    const cutOff = region.cutOff();
    region.revoke([1]);
    region.commit();
    region.add(region.compromise(region.keys.attest, { trust: cutOff }));
    const { holdings, outcomes } = federation.apply('DE', await federation.snapshot());
    assert.deepEqual(
      outcomes.map(({ effect }) => effect),
      ['taken', 'taken', 'taken'],
    );
    assert.equal(holdings.logs.get('CN-33')?.base.index, 0);
    region.commit();
    const later = federation.apply('DE', await federation.snapshot()).holdings;
    assert.equal(later.logs.get('CN-33')?.base.index, 8);
  });
});

describe('sourcesOf', () => {
  it('begins with the base that the reader began with, where a compromise reaches behind all later ones', async () => {
    const federation = new Federation('DE', 'FR');
    const region = federation.region('FR');
    const first = region.commit();
    const held = federation.apply('DE', await federation.snapshot()).holdings;
    const cutOff = region.cutOff();
    region.revoke([1]);
    region.commit();
    region.add(region.compromise(region.keys.attest, { trust: cutOff }));
    const grown = federation.apply('DE', await federation.snapshot({}, held), held).holdings;
    const copy = federation.apply('DE', await makeSnapshot(NETWORK, sourcesOf(grown))).holdings;
    assert.equal(copy.logs.get('FR')?.base.index, first);
    assert.equal(stateRootOf(copy, 'FR'), stateRootOf(grown, 'FR'));
  });

  it('hands on what a reader holds, after deltas too', async () => {
    const federation = new Federation('DE', 'FR', 'CN-33');
    const region = federation.region('CN-33');
    region.revoke([1]);
    region.commit();
    const first = federation.apply('DE', await federation.snapshot()).holdings;
    region.revoke([2]);
    const held = federation.apply('DE', await federation.snapshot({}, first), first).holdings;

    const full = await makeSnapshot(NETWORK, sourcesOf(held));
    const copy = federation.apply('DE', full).holdings;
    for (const name of federation.regions.keys())
      assert.equal(stateRootOf(copy, name), stateRootOf(held, name));
    assert.deepEqual(copy.trust.assess('CN-33', NOW_S)?.witnesses, { counted: 2, needed: 1, of: 2 });

    const sizes = new Map([
      ['CN-33', 7],
      ['FR', 2],
    ]);
    const { parts } = parseSnapshot(await makeSnapshot(NETWORK, sourcesOf(held), sizes));
    assert.deepEqual(
      parts.map(({ region: name, from, base }) => [name, from, base === undefined]),
      [
        ['CN-33', 7, true],
        ['DE', 0, false],
        ['FR', 2, true],
      ],
    );
    assert.equal(first.logs.get('CN-33')?.base.index, 6);
    const chinese = sourcesOf(held).find(({ region: name }) => name === 'CN-33') ?? assert.fail();
    assert.deepEqual(await chinese.entries(6, 7), [region.entries[6]]);
    const behind = new Map([['CN-33', 5]]);
    const [part] = parseSnapshot(await makeSnapshot(NETWORK, sourcesOf(held), behind)).parts;
    assert.deepEqual([part?.from, part?.base === undefined], [6, false]);
  });
});
