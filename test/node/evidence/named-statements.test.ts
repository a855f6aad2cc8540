import assert from 'node:assert/strict';
import { NamedStatements, type NamedStatementsModules } from '../../../node/evidence/named-statements.ts';
import { DAY_S, RegionFixture, START_S, trustModules } from '../../support/region-fixture.ts';

describe('NamedStatements', () => {
  let region: RegionFixture;
  let read: number;
  let minimum: number;
  let named: NamedStatements;
  beforeEach(() => {
    region = new RegionFixture({ region: 'DE' });
    [read, minimum] = [0, 0];
    async function* entries(from: number, to: number): AsyncGenerator<Uint8Array> {
      read += to - from;
      for (const entry of region.entries.slice(from, to)) yield await Promise.resolve(entry);
    }
    const log = () => ({
      region: 'DE',
      state: region.state,
      // As a node that started behind what is forgotten: only what names keys that are not over.
      fold: { statements: () => [...region.fold.statements()].filter(({ index }) => index !== 1) },
      tree: { reader: { entries }, size: region.entries.length, head: { minimum } },
      left: { count: 0 },
    });
    const held = log();
    const keeper = (of: string) => (of === 'DE' ? Object.assign(held, log()) : undefined);
    named = new NamedStatements({ ...trustModules, keeper } as unknown as NamedStatementsModules);
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
