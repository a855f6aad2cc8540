import assert from 'node:assert/strict';
import { evidenceOfTables } from '../../../node/lookup/table-evidence.ts';
import { type LogTree } from '../../../node/log/log-tree.ts';
import { type EvidenceBook } from '../../../node/evidence/evidence-book.ts';
import { encodeEvidence } from '../../../protocol/evidence/evidence.ts';
import { accused, headOf, NETWORK, tables } from '../../support/evidence-fixture.ts';
import { RegionFixture, START_S, testKey, trustModules } from '../../support/region-fixture.ts';

const HEADS = [headOf(1), headOf(2)] as const;

describe('evidenceOfTables', () => {
  /** How often a trust log was read. */
  let reads: number;
  let asked: Parameters<EvidenceBook['hasRoomFor']>[0][];
  let hasRoom: boolean;

  beforeEach(() => {
    reads = 0;
    asked = [];
    hasRoom = true;
  });

  function made(
    { origin, entries }: RegionFixture,
    heads: readonly [Uint8Array, Uint8Array] = HEADS,
    minimum = 0,
  ): Promise<Uint8Array | undefined> {
    const read = () => {
      reads++;
      return entries;
    };
    const tree = { head: { minimum }, size: entries.length, reader: { entries: read } } as unknown as LogTree;
    const hasRoomFor: EvidenceBook['hasRoomFor'] = (about) => {
      asked.push(about);
      return hasRoom;
    };
    const logs = () => new Map([[origin, { tree }]]);
    return evidenceOfTables({ region: 'DE', network: NETWORK }, heads, {
      ...trustModules,
      logs,
      evidence: { hasRoomFor },
    });
  }

  it('makes what anybody verifies, and asks the book for room before it reads', async () => {
    assert.deepEqual(await made(accused), encodeEvidence(tables()));
    assert.deepEqual(asked[0], {
      kind: 'tables',
      region: 'DE',
      origin: accused.origin,
      at: Math.floor(START_S / 60),
    });
    assert.equal(reads, 1);
    hasRoom = false;
    assert.equal(await made(accused), undefined);
    assert.equal(reads, 1);
  });

  it('makes nothing of a trust log whose beginning is pruned here, without reading it', async () => {
    assert.equal(await made(accused, HEADS, 1), undefined);
    assert.equal(reads, 0);
  });

  it('makes nothing where the key is named behind more roots than evidence takes, and does where they come later', async () => {
    const region = new RegionFixture({ region: 'DE', network: NETWORK });
    for (let version = 2; version <= 70; version++) region.add(region.rootStatement({ version }));
    assert.deepEqual(await made(region), encodeEvidence(tables()));
    const key = testKey('a later trust-log key');
    region.admit([{ key, role: 'trust-log' }]);
    assert.equal(await made(region, [headOf(1, {}, key), headOf(2, {}, key)]), undefined);
  });
});
