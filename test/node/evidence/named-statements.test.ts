import assert from 'node:assert/strict';
import { leafHash } from '../../../protocol/log/merkle.ts';
import { NamedStatements, type NamedStatementsModules } from '../../../node/evidence/named-statements.ts';
import { DAY_S, RegionFixture, START_S, trustModules } from '../../support/region-fixture.ts';
import { hurriedClock } from '../../support/store-fixture.ts';

const leafHashesOf = (region: RegionFixture) => (from: number, to: number) =>
  Promise.resolve(region.entries.slice(from, to).map((entry) => leafHash(trustModules.sha256, entry)));

describe('NamedStatements', () => {
  let region: RegionFixture;
  let read: number;
  let minimum: number;
  let left: number;
  let named: NamedStatements;
  let extra: (of: string) => object | undefined;
  beforeEach(() => {
    region = new RegionFixture({ region: 'DE' });
    [read, minimum, left] = [0, 0, 0];
    async function* entries(from: number, to: number): AsyncGenerator<Uint8Array> {
      read += to - from;
      for (const entry of region.entries.slice(from, to)) yield await Promise.resolve(entry);
    }
    const log = () => ({
      region: 'DE',
      state: region.state,
      // As a node that started behind what is forgotten: only what names keys that are not over.
      fold: { statements: () => [...region.fold.statements()].filter(({ index }) => index !== 1) },
      tree: {
        reader: { entries, leafHashes: leafHashesOf(region) },
        size: region.entries.length,
        head: { minimum },
      },
      left: { count: left },
    });
    const held = log();
    extra = () => undefined;
    const keeper = (of: string) => (of === 'DE' ? Object.assign(held, log()) : extra(of));
    named = new NamedStatements({
      ...trustModules,
      clock: hurriedClock,
      keeper,
    } as unknown as NamedStatementsModules);
  });

  const have = (...indexes: number[]) =>
    named.have(
      'DE',
      indexes.map((index) => region.entryAt(index)),
    );

  it('finds what the state has without reading the log, and what it forgot by reading each entry once', async () => {
    const later = region.admit([{ key: region.key('later'), role: 'attest' }]);
    assert.deepEqual([await have(0, later), read], [true, 0]);
    assert.deepEqual([await have(0, 1, later), read], [true, region.entries.length]);
    const last = region.admit([{ key: region.key('last'), role: 'attest' }]);
    assert.deepEqual([await have(1, last), read], [true, region.entries.length]);
  });

  it('branchOf is another number once another branch is held, and the same while that grows', () => {
    const first = named.branchOf('DE');
    region.admit([{ key: region.key('later'), role: 'attest' }]);
    assert.deepEqual([named.branchOf('DE'), named.branchOf('FR')], [first, undefined]);
    left++;
    const second = named.branchOf('DE');
    assert.notEqual(second, first);
    assert.equal(named.branchOf('DE'), second);
  });

  it('A27: knows no statement that has no effect, none of another region, and none that stands nowhere', async () => {
    const anew = region.key('root anew');
    region.add(region.rootStatement({ version: 2, keys: [anew] }), [anew, ...region.rootKeys]);
    const thief = region.keysStatement([
      { key: region.key('stolen'), role: 'attest', until: START_S + DAY_S },
    ]);
    region.refusal(thief, region.rootKeys);
    assert.equal(await have(region.entries.length - 1), false);
    assert.equal(await named.have('DE', [region.entryOf(thief, [anew])]), false);
    assert.equal(await named.have('FR', [region.entryAt(0)]), false);
    assert.equal(await have(region.entries.length - 2), true);
  });

  it('A28: stand tells what is in the log, with effect or without, and folds nothing for that; nor does have for what is not', async () => {
    const thief = region.keysStatement([
      { key: region.key('stolen'), role: 'attest', until: START_S + DAY_S },
    ]);
    const nowhere = region.entryOf(thief, [region.key('root anew')]);
    assert.equal(await named.stand('DE', [region.entryAt(1)]), true);
    assert.equal(await named.stand('DE', [region.entryAt(0), nowhere]), false);
    assert.equal(await named.stand('FR', [region.entryAt(0)]), false);
    assert.equal(await named.have('DE', [region.entryAt(1), nowhere]), false);
    assert.equal(read, 0);
    minimum = 1;
    assert.deepEqual(
      [await named.stand('DE', [region.entryAt(0)]), await named.stand('DE', [region.entryAt(1)])],
      [true, false],
    );
  });

  it('A28: folds a log that has not grown once, though others were folded since, and keeps none but the last fold', async () => {
    const other = new RegionFixture({ region: 'FR' });
    let ofOther = 0;
    async function* entries(from: number, to: number): AsyncGenerator<Uint8Array> {
      ofOther += to - from;
      for (const entry of other.entries.slice(from, to)) yield await Promise.resolve(entry);
    }
    const held = {
      region: 'FR',
      state: other.state,
      fold: { statements: () => [] },
      tree: {
        reader: { entries, leafHashes: leafHashesOf(other) },
        size: other.entries.length,
        head: { minimum: 0 },
      },
      left: { count: 0 },
    };
    extra = (of) => (of === 'FR' ? held : undefined);
    const said = [other.entryAt(0), other.entryAt(1)];
    for (let i = 0; i < 3; i++) {
      assert.deepEqual([await have(1), await named.have('FR', said)], [true, true]);
      assert.deepEqual([read, ofOther], [region.entries.length, other.entries.length]);
    }
    const before = region.entries.length;
    const last = region.admit([{ key: region.key('last'), role: 'attest' }]);
    assert.deepEqual([await have(1, last), read], [true, before + region.entries.length]);
  });

  it('goes by the state alone where the first entries were pruned', async () => {
    minimum = 1;
    assert.deepEqual([await have(0), await have(1), read], [true, false, 0]);
    assert.equal(await named.lack('DE', [region.entryAt(1)]), false);
  });

  it('A27: lack tells what a whole log has not from what nobody can say', async () => {
    const thief = region.entryOf(region.keysStatement([{ key: region.key('stolen'), role: 'attest' }]));
    assert.equal(await named.lack('DE', [region.entryAt(1)]), false);
    assert.equal(await named.lack('DE', [region.entryAt(1), thief]), true);
    assert.equal(await named.lack('FR', [thief]), false);
  });
});

describe('NamedStatements, of a state that forgets keys', () => {
  let region: RegionFixture;
  let running: NamedStatements;
  beforeEach(() => {
    region = new RegionFixture({ region: 'DE' });
    running = started();
  });

  /** Who has only the log to look at. */
  function started(): NamedStatements {
    async function* entries(from: number, to: number): AsyncGenerator<Uint8Array> {
      for (const entry of region.entries.slice(from, to)) yield await Promise.resolve(entry);
    }
    const log = { region: 'DE', left: { count: 0 }, fold: { statements: () => [] } };
    const tree = () => ({
      reader: { entries, leafHashes: leafHashesOf(region) },
      size: region.entries.length,
      head: { minimum: 0 },
    });
    // The tree itself is the same for good.
    const held = Object.assign(log, { tree: tree() });
    const keeper = () => {
      Object.assign(held.tree, tree());
      return Object.assign(held, { state: region.state });
    };
    return new NamedStatements({
      ...trustModules,
      clock: hurriedClock,
      keeper,
    } as unknown as NamedStatementsModules);
  }

  /** Whether those that are named at `index` are gone from the state that is logged when they are long over. */
  function forget(): void {
    const later = region.key(`trust-log key at ${region.nowS}`);
    region.nowS += 40 * DAY_S;
    region.admit([{ key: later, role: 'trust-log' }]);
    region.nowS += 24 * DAY_S;
    region.add(region.stateStatement(), [later]);
    assert.equal(region.state.key(region.keys.attest.keyId), undefined);
  }

  const { keyId } = new RegionFixture({ region: 'DE' }).keys.attest;
  /** What each of them says, whenever it was started. */
  const givenUp = async () => {
    const all: (boolean | undefined)[] = [];
    for (const one of [running, started()]) {
      await one.lookUp('DE', [keyId]);
      all.push(one.wasGivenUp('DE', keyId));
    }
    return all;
  };
  const have = async (...indexes: number[]) => {
    const said = indexes.map((index) => region.entryAt(index));
    const all: boolean[] = [];
    for (const one of [running, started()])
      all.push(await one.have('DE', said), !(await one.lack('DE', said)));
    return new Set(all);
  };

  it('T3: a compromise of a key that was forgotten has no effect, whenever a node was started', async () => {
    forget();
    assert.deepEqual(await givenUp(), [false, false]);
    assert.equal(region.refusal(region.compromise(region.keys.attest, {})), 'STATEMENT_CONFLICT');
    assert.deepEqual(await givenUp(), [false, false]);
    assert.deepEqual(await have(0, 1), new Set([true]));
  });

  it('T3: one that had effect gives the key up for good, and a state that forgot it does not hide that', async () => {
    region.add(region.compromise(region.keys.attest, {}));
    forget();
    assert.deepEqual(await givenUp(), [true, true]);
  });

  it('T5: a key that is named anew is named, and what is said of it then counts', async () => {
    forget();
    assert.deepEqual(await givenUp(), [false, false]);
    const anew = region.admit([{ key: region.keys.attest, role: 'attest' }]);
    assert.deepEqual(await have(0, anew), new Set([true]));
    forget();
    assert.deepEqual(await have(0, anew), new Set([true]));
    assert.deepEqual(await givenUp(), [false, false]);
    region.admit([{ key: region.keys.attest, role: 'attest' }]);
    region.add(region.compromise(region.keys.attest, {}));
    forget();
    assert.deepEqual(await have(0, anew), new Set([true]));
    assert.deepEqual(await givenUp(), [true, true]);
  });

  it('T5: a root that has the key of a former online key is one, and so is what it says from then on', async () => {
    forget();
    const { attest } = region.keys;
    const root = region.add(region.rootStatement({ version: 2, keys: [attest] }), [
      attest,
      ...region.rootKeys,
    ]);
    const later = region.add(region.keysStatement([{ key: region.key('later'), role: 'attest' }]), [attest]);
    assert.deepEqual(await have(0, 1, root, later), new Set([true]));
  });

  it('T3: goes by the log as it was folded again, where a voiding takes back that a key was forgotten', async () => {
    region.nowS += 40 * DAY_S;
    const stolen = region.key('stolen');
    region.admit([{ key: stolen, role: 'trust-log' }]);
    const cut = region.cutOff();
    region.nowS += 24 * DAY_S;
    region.add(region.stateStatement(), [stolen]);
    const anew = region.admit([{ key: region.keys.attest, role: 'attest' }]);
    assert.deepEqual(await have(0, anew), new Set([true]));
    region.add(region.compromise(stolen, { trust: cut }));
    assert.deepEqual(await have(0, anew), new Set([false]), 'it was named already, then');
    assert.deepEqual(await have(0, 1), new Set([true]));
  });
});
