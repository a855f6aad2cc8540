import assert from 'node:assert/strict';
import { type Colour, type Status } from '../../../protocol/code/status.ts';
import { type Basis, encodeBasis, parseBasis } from '../../../protocol/disclosure/basis.ts';
import { type CborValue, decodeCbor, encodeCbor } from '../../../protocol/encoding/cbor.ts';
import { isProtocolError } from '../../../protocol/fault.ts';
import { TALLY_CELLS_MAX } from '../../../protocol/limits.ts';
import { reasonOf, TALLY_COLOURS, TallyCounter } from '../../../protocol/trust/tally.ts';
import { signedBasis } from '../../support/operators.ts';
import { LOG_ID, RegionFixture } from '../../support/region-fixture.ts';

const status = (ruleId: string, colour: Colour): Status => ({
  colour,
  measure: 'none',
  untilS: undefined,
  expiresAtS: 1,
  ruleId,
  ruleVersion: 1,
});
const OVERRIDE = signedBasis({ region: 'DE', network: 'test' }, { atS: 100, reason: 'court-order' });

function counted(
  ...cells: readonly (readonly [rule: string, colour: Colour, count: number, basis?: Basis])[]
) {
  const counter = new TallyCounter();
  for (const [rule, colour, count, basis] of cells)
    for (let i = 0; i < count; i++) counter.add(status(rule, colour), basis);
  return counter;
}

describe('TallyCounter', () => {
  it('tells cells of ten, in order, and adds up those of nine', () => {
    const { cells, merged } = counted(
      ['b', 'red', 9],
      ['b', 'green', 10],
      ['a', 'red', 9],
      ['a', 'green', 11],
    ).counts;
    assert.deepEqual(cells, [
      { rule: 'a', colour: 0, count: 11 },
      { rule: 'b', colour: 0, count: 10 },
    ]);
    assert.equal(merged, 18);
  });

  it('counts as an override only what the region gave itself, and not what it bridges', () => {
    const counter = counted(['manual', 'red', 1]);
    const original = { region: 'FR', hashes: [new Uint8Array(16)] };
    for (let i = 0; i < 10; i++) counter.add({ ...status('manual', 'red'), original }, undefined);
    assert.deepEqual(counter.counts, {
      cells: [{ rule: 'manual', colour: 2, count: 10 }],
      merged: 0,
      overrides: [{ reason: 0, colour: 2, count: 1 }],
    });
  });

  it('where what is added up is under ten, the smallest other cell goes with it', () => {
    const { cells, merged } = counted(['a', 'green', 30], ['a', 'red', 12], ['a', 'yellow', 1]).counts;
    assert.deepEqual(cells, [{ rule: 'a', colour: 0, count: 30 }]);
    assert.equal(merged, 13);
    assert.equal(counted(['a', 'green', 3]).counts.merged, 3);
    assert.equal(counted(['a', 'green', 30]).counts.merged, 0);
  });

  it('of more cells than a tally has room for, the smallest are added up', () => {
    const cells = Array.from({ length: 33 }, (_, i) =>
      TALLY_COLOURS.map((colour) => [`r${i}`, colour, i === 7 ? 11 : 12] as const),
    ).flat();
    const { cells: told, merged } = counted(...cells).counts;
    assert.deepEqual([told.length, merged], [TALLY_CELLS_MAX, 33]);
    assert.ok(told.every(({ rule }) => rule !== 'r7'));
    const range = { log: LOG_ID, from: 0, until: 2_000 };
    new RegionFixture().add({ kind: 'tally', ...range, cells: [...told], merged, overrides: [] });
  });

  it('tells codes without a rule exactly, however few', () => {
    const counter = counted(['manual', 'green', 1], ['manual', 'red', 2, OVERRIDE], ['a', 'green', 10]);
    assert.deepEqual(counter.counts, {
      cells: [{ rule: 'a', colour: 0, count: 10 }],
      merged: 0,
      overrides: [
        { reason: 0, colour: 0, count: 1 },
        { reason: 4, colour: 2, count: 2 },
      ],
    });
    assert.equal(counter.total, 13);
  });
});

const isMalformed = (error: unknown) => isProtocolError(error, 'FIELD_MALFORMED');

describe('parseBasis', () => {
  const rules: Basis = {
    kind: 'rules',
    atS: 1_800_000_000,
    rule: 'de',
    version: 3,
    facts: {
      'contact.close': '2026-11-20',
      'declaration.consent': true,
      travel: ['CN-11'],
      none: null,
      n: 4,
    },
  };

  const told: Basis = { ...rules, isTold: true };

  it('gives back what was encoded', () => {
    for (const basis of [rules, told, OVERRIDE]) assert.deepEqual(parseBasis(encodeBasis(basis)), basis);
  });

  it('refuses what is cut, longer or of another form', () => {
    const bytes = encodeBasis(OVERRIDE);
    for (const bad of [
      bytes.subarray(0, -1),
      new Uint8Array([...bytes, 0]),
      new Uint8Array([0x80]),
      new Uint8Array(0),
    ])
      assert.throws(() => parseBasis(bad));
  });

  it('gives one of two key ids, as it was kept once, as an override that nobody signed', () => {
    const id = '0'.repeat(32);
    const old = parseBasis(encodeCbor([1, 100, id, 3, ['0'.repeat(16), 'f'.repeat(16)]]));
    assert.deepEqual(old, { kind: 'override', isUnsigned: true, atS: 100, id, reason: 'outbreak' });
    assert.equal(reasonOf({ ruleId: 'manual' }, old), 'outbreak');
    assert.equal(reasonOf({ ruleId: 'manual' }, 'malformed'), 'one-person');
    assert.equal(reasonOf({ ruleId: 'de' }, 'malformed'), undefined);
  });

  it('refuses an override in which anything is not as two operators sign it', () => {
    const { proposed: by, confirmed: also, digest } = OVERRIDE;
    const proposed = ['anna', 40, by.publicKey, by.signature];
    const confirmed = ['bert', also.publicKey, also.signature];
    const of = (signed: CborValue, at: CborValue = 100, reason: CborValue = 4) =>
      encodeCbor([1, at, '0'.repeat(32), reason, signed]);
    const good = [2, 14, 1, digest, proposed, confirmed];
    assert.deepEqual(of(good), encodeBasis(OVERRIDE));
    const withAt = (all: readonly CborValue[], index: number, value: CborValue) => all.with(index, value);
    for (const bad of [
      of(good, 100, 0),
      of(good, 100, 6),
      of(good, null),
      of(['0'.repeat(16)]),
      of(['0'.repeat(16), '1'.repeat(15)]),
      of(['0'.repeat(16), '1'.repeat(16), '2'.repeat(16)]),
      of(['0'.repeat(16), '1'.repeat(16)], 100, 0),
      of(good.slice(0, -1)),
      of([...good, null]),
      of(withAt(good, 0, 3)),
      of(withAt(good, 1, 15)),
      of(withAt(good, 1, 0)),
      of(withAt(good, 2, 0)),
      of(withAt(good, 2, 2_001)),
      of(withAt(good, 3, digest.subarray(1))),
      ...['Anna', '', 'an\nna', 7].map((name) => of(withAt(good, 4, withAt(proposed, 0, name)))),
      of(withAt(good, 4, withAt(proposed, 2, by.publicKey.subarray(1)))),
      of(withAt(good, 4, withAt(proposed, 3, by.signature.subarray(1)))),
      of(withAt(good, 5, withAt(confirmed, 0, 'B'))),
      of(withAt(good, 5, proposed)),
    ])
      assert.throws(() => parseBasis(bad), isMalformed);
  });

  it('says by its first element alone that the facts were told alone, and takes no other', () => {
    const bytes = encodeBasis(told);
    assert.deepEqual(bytes, encodeBasis(rules).with(1, 2));
    assert.deepEqual(parseBasis(bytes.with(1, 0)), rules);
    for (const first of [1, 3, 0x20, 0xf6])
      assert.throws(() => parseBasis(bytes.with(1, first)), isMalformed);
    for (const first of [0, 2])
      assert.throws(() => parseBasis(encodeBasis(OVERRIDE).with(1, first)), isMalformed);
    const [, ...members] = decodeCbor(bytes, { bytesMax: bytes.length }) as CborValue[];
    const ofMembers = (all: readonly CborValue[]) => () => parseBasis(encodeCbor([2, ...all]));
    assert.doesNotThrow(ofMembers(members));
    assert.throws(ofMembers([...members, true]), isMalformed);
    assert.throws(ofMembers([...members.slice(0, 3), null]), isMalformed);
    assert.throws(ofMembers([...members.slice(0, 3), []]), isMalformed);
  });

  it('is at most 4,096 bytes', () => {
    const facts = Object.fromEntries(Array.from({ length: 64 }, (_, i) => [`f${i}`, 'x'.repeat(64)]));
    assert.throws(() => encodeBasis({ ...rules, facts }), RangeError);
  });
});
