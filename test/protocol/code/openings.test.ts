import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { equalBytes } from '../../../protocol/bytes.ts';
import {
  commitmentOf,
  commitmentOfOpened,
  type Openings,
  pathBytesOf,
  pathOf,
} from '../../../protocol/code/commitment.ts';
import { FIELD_NAMES, type Fields } from '../../../protocol/code/field.ts';
import { commitFields, encodeOpenings, parseOpenings } from '../../../protocol/code/openings.ts';
import { encodeStatus } from '../../../protocol/code/status.ts';
import { type CborValue, encodeCbor } from '../../../protocol/encoding/cbor.ts';
import { isProtocolError } from '../../../protocol/fault.ts';
import { sha256 } from '../../support/primitives.ts';

const bytesOf = (length: number, value: number) => new Uint8Array(length).fill(value);
const FIELDS: Fields = {
  status: { colour: 'yellow', measure: 'home', untilS: 5, expiresAtS: 6, ruleId: 'r', ruleVersion: 7 },
  holderKey: bytesOf(32, 0x11),
  document: { salt: bytesOf(16, 0x22), hash: bytesOf(32, 0x33) },
  evidence: bytesOf(32, 0x44),
};
/** Byte i of the draw is i: no two salts or leaves are alike. */
const counting = (length: number) => Uint8Array.from({ length }, (_, i) => i);

/** SPEC.md 5.2 written a second time. */
function fieldHash(name: string, salt: Uint8Array, value: Uint8Array): Buffer {
  return createHash('sha256').update(`\0entente/field/${name}/v1\n`).update(salt).update(value).digest();
}
function pairHash(left: Uint8Array, right: Uint8Array): Buffer {
  return createHash('sha256').update('\x01entente/commitment/v1\n').update(left).update(right).digest();
}

function withUsed(...names: readonly string[]): Fields {
  const { status, holderKey, document, evidence } = FIELDS;
  return {
    status,
    ...(names.includes('holder') && { holderKey }),
    ...(names.includes('document') && { document }),
    ...(names.includes('evidence') && { evidence }),
  };
}

describe('openings', () => {
  it('commitFields gives the commitment of SPEC.md 5.2', () => {
    const draw = counting(128);
    const leaves = [
      fieldHash('status', draw.subarray(0, 16), encodeStatus(FIELDS.status)),
      fieldHash('holder', draw.subarray(32, 48), encodeCbor(bytesOf(32, 0x11))),
      fieldHash('document', bytesOf(16, 0x22), encodeCbor(bytesOf(32, 0x33))),
      fieldHash('evidence', draw.subarray(96, 112), encodeCbor(bytesOf(32, 0x44))),
    ] as const;
    const expected = pairHash(pairHash(leaves[0], leaves[1]), pairHash(leaves[2], leaves[3]));
    assert.deepEqual(Buffer.from(commitFields(sha256, FIELDS, counting).commitment), expected);
  });

  it('commitFields puts 32 random bytes for a field that is not used', () => {
    const draw = counting(128);
    const status = fieldHash('status', draw.subarray(0, 16), encodeStatus(FIELDS.status));
    const expected = pairHash(
      pairHash(status, draw.subarray(32, 64)),
      pairHash(draw.subarray(64, 96), draw.subarray(96, 128)),
    );
    assert.deepEqual(Buffer.from(commitFields(sha256, withUsed(), counting).commitment), expected);
  });

  it('T25: commitFields draws every salt and leaf from bytes of its own, the same number whatever is used', () => {
    for (const names of [[], ['holder'], ['document'], ['holder', 'document', 'evidence']]) {
      const drawn: number[] = [];
      const { openings } = commitFields(sha256, withUsed(...names), (length) => {
        drawn.push(length);
        return counting(length);
      });
      assert.deepEqual(drawn, [128]);
      const secrets = FIELD_NAMES.map((_, i) => openings.opened[i]?.subarray(0, 16) ?? openings.unused[i]);
      const own = secrets.filter((_, i) => !(names.includes('document') && FIELD_NAMES[i] === 'document'));
      const bytes = own.flatMap((secret) => [...(secret as Uint8Array)]);
      assert.equal(new Set(bytes).size, bytes.length);
    }
  });

  it('T25: another salt of a field changes the commitment and the leaf of that field alone', () => {
    const { commitment, openings } = commitFields(sha256, FIELDS, counting);
    FIELD_NAMES.forEach((name, field) => {
      const opening = openings.opened[field] as Uint8Array;
      const changed = { ...openings, opened: openings.opened.with(field, opening.with(0, 0xff)) };
      assert.notDeepEqual(commitmentOf(sha256, changed), commitment, name);
      FIELD_NAMES.forEach((_, other) => {
        // The path beside all fields but one is the leaf of that one.
        const leafOf = (all: Openings) => pathOf(sha256, all, all.opened.with(other, undefined));
        assert.equal(equalBytes(leafOf(changed), leafOf(openings)), other !== field);
      });
    });
  });

  it('commitFields keeps no hold on the random bytes', () => {
    const entropy = counting(128);
    const { commitment, openings } = commitFields(sha256, withUsed('holder'), () => entropy);
    entropy.fill(0);
    assert.deepEqual(commitmentOf(sha256, openings), commitment);
  });

  it('pathOf and commitmentOfOpened agree for all 16 sets of opened fields', () => {
    const { commitment, openings } = commitFields(sha256, FIELDS, counting);
    for (let set = 0; set < 16; set++) {
      const opened = openings.opened.map((opening, field) => ((set >> field) & 1 ? opening : undefined));
      const path = pathOf(sha256, openings, opened);
      assert.equal(path.length, pathBytesOf(opened), `set ${set}`);
      assert.deepEqual(commitmentOfOpened(sha256, opened, path), commitment, `set ${set}`);
    }
  });

  it('parseOpenings gives back openings and fields for all 8 sets of used fields', () => {
    for (let set = 0; set < 8; set++) {
      const fields = withUsed(...FIELD_NAMES.filter((_, field) => field > 0 && (set >> (field - 1)) & 1));
      const { openings } = commitFields(sha256, fields, counting);
      const bytes = encodeOpenings(openings);
      const parsed = parseOpenings(bytes);
      assert.deepEqual(parsed.openings, openings);
      assert.deepEqual(parsed.fields, {
        holderKey: undefined,
        document: undefined,
        evidence: undefined,
        ...fields,
      });
      assert.deepEqual(encodeOpenings(parsed.openings), bytes);
    }
  });

  it('parseOpenings rejects everything else', () => {
    const { openings } = commitFields(sha256, withUsed('holder'), counting);
    const status = openings.opened[0] as Uint8Array;
    const holder = openings.opened[1] as Uint8Array;
    const leaves = bytesOf(64, 0);
    const used = (...entries: [number, Uint8Array][]) => new Map(entries);
    const good = encodeCbor([used([0, status], [1, holder]), leaves]);
    assert.equal(parseOpenings(good).openings.unused[3]?.length, 32);
    const bad: [CborValue, string][] = [
      [[used([0, status], [1, holder])], 'one element'],
      [[used([0, status], [1, holder]), leaves, 0], 'three elements'],
      [[used([1, holder]), bytesOf(96, 0)], 'no status'],
      [[{}, bytesOf(128, 0)], 'no field'],
      [[used([0, status], [1, holder]), bytesOf(63, 0)], '63 bytes of leaves'],
      [[used([0, status], [1, holder]), bytesOf(65, 0)], '65 bytes of leaves'],
      [[used([0, status], [1, holder]), bytesOf(96, 0)], 'a leaf too many'],
      [[used([0, status], [1, holder]), bytesOf(32, 0)], 'a leaf too few'],
      [[used([0, status], [4, holder]), bytesOf(96, 0)], 'field 4'],
      [[used([0, status], [1, status]), leaves], 'a status as holder'],
      [[used([0, holder], [1, holder]), leaves], 'a holder as status'],
      [[used([0, status], [1, holder.subarray(0, 16)]), leaves], 'no value'],
    ];
    for (const [value, why] of bad) refusesOpenings(encodeCbor(value), why);
    refusesOpenings(Uint8Array.of(...good, 0), 'a byte behind');
    for (let length = 0; length < good.length; length++)
      refusesOpenings(good.subarray(0, length), `${length} bytes`);
  });

  it('commitFields throws TypeError on fields and randomness of a wrong length', () => {
    for (const fields of [
      { ...FIELDS, holderKey: bytesOf(31, 0) },
      { ...FIELDS, evidence: bytesOf(33, 0) },
      { ...FIELDS, document: { salt: bytesOf(15, 0), hash: bytesOf(32, 0) } },
      { ...FIELDS, document: { salt: bytesOf(16, 0), hash: bytesOf(31, 0) } },
      { ...FIELDS, status: { ...FIELDS.status, ruleId: '' } },
    ]) {
      assert.throws(() => commitFields(sha256, fields, counting), TypeError);
    }
    assert.throws(() => commitFields(sha256, FIELDS, () => new Uint8Array(127)), TypeError);
  });
});

function refusesOpenings(bytes: Uint8Array, why: string): void {
  assert.throws(
    () => parseOpenings(bytes),
    (error) => isProtocolError(error, 'FIELD_MALFORMED'),
    why,
  );
}
