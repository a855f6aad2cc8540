import assert from 'node:assert/strict';
import fc from 'fast-check';
import { hexOf } from '../../../protocol/bytes.ts';
import { type Original } from '../../../protocol/code/original.ts';
import { encodeStatus, parseStatus, type Status } from '../../../protocol/code/status.ts';
import { isProtocolError } from '../../../protocol/fault.ts';
import { FIELD_VALUE_BYTES_MAX, INDEX_BOUND } from '../../../protocol/limits.ts';

const GREEN: Status = {
  colour: 'green',
  measure: 'none',
  expiresAtS: 1_795_000_000,
  ruleId: 'baseline',
  ruleVersion: 1,
};
const ATTESTED: Original = {
  region: 'ES',
  log: '2026-11',
  index: 17,
  keyId: '00112233445566ff',
  leafHash: new Uint8Array(32).fill(9),
};
const hashOf = (byte: number, length = 16) => new Uint8Array(length).fill(byte);

describe('original', () => {
  const encode = (original: unknown) => encodeStatus({ ...GREEN, original: original as Original });

  it('encodeStatus gives the bytes of SPEC.md 5.6', () => {
    const plain = hexOf(encodeStatus(GREEN)).slice(2);
    assert.equal(
      hexOf(encode(ATTESTED)),
      `a6${plain}07 85 624553 67323032362d3131 450000000011 4800112233445566ff 5820${'09'.repeat(32)}`.replaceAll(
        ' ',
        '',
      ),
    );
    assert.equal(
      hexOf(encode({ region: 'ES', hashes: [hashOf(1), hashOf(2)] })),
      `a6${plain}07 82 624553 82 50${'01'.repeat(16)} 50${'02'.repeat(16)}`.replaceAll(' ', ''),
    );
  });

  it('property: an original survives the round trip, and a status with the longest has at most 139 bytes', () => {
    const region = fc.constantFrom('ES', 'CN-33', 'GB-ENG');
    const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
    const plain = { noNullPrototype: true };
    const attested = fc.record(
      {
        region,
        log: fc.constantFrom('2026-11', '2026-11.9'),
        index: fc.integer({ min: 0, max: INDEX_BOUND - 1 }),
        keyId: bytes(8).map(hexOf),
        leafHash: bytes(32),
      },
      plain,
    );
    const foreign = fc.record(
      {
        region,
        hashes: fc
          .uniqueArray(bytes(16).map(hexOf), { minLength: 1, maxLength: 3 })
          .map((hashes) => hashes.sort().map((hash) => new Uint8Array(Buffer.from(hash, 'hex')))),
      },
      plain,
    );
    fc.assert(
      fc.property(fc.oneof(attested, foreign), fc.boolean(), (original, isLong) => {
        const long = { expiresAtS: Number.MAX_SAFE_INTEGER, ruleId: 'a'.repeat(32), ruleVersion: 2 ** 52 };
        const red = { colour: 'red', measure: 'isolate', untilS: 2 ** 52 } as const;
        const status: Status = { ...GREEN, ...(isLong && { ...red, ...long }), original };
        const encoded = encodeStatus(status);
        assert.ok(encoded.length <= 139 && encoded.length <= FIELD_VALUE_BYTES_MAX);
        assert.deepEqual(parseStatus(encoded), { untilS: undefined, ...status });
      }),
    );
  });

  it('parseStatus refuses each flipped bit, or reads another status', () => {
    for (const original of [ATTESTED, { region: 'ES', hashes: [hashOf(1), hashOf(2)] }]) {
      const good = encode(original);
      for (let bit = 0; bit < 8 * good.length; bit++) {
        const bad = good.with(bit >> 3, (good[bit >> 3] as number) ^ (1 << (bit & 7)));
        try {
          assert.deepEqual(encodeStatus(parseStatus(bad)), bad);
        } catch (error) {
          if (!isProtocolError(error, 'FIELD_MALFORMED')) throw error;
        }
      }
    }
  });

  it('encodeStatus throws on an original without an encoding', () => {
    const bad: Partial<Record<string, unknown>>[] = [
      { ...ATTESTED, region: 'es' },
      { ...ATTESTED, log: 'trust' },
      { ...ATTESTED, index: -1 },
      { ...ATTESTED, index: INDEX_BOUND },
      { ...ATTESTED, index: 0.5 },
      { ...ATTESTED, keyId: '00' },
      { ...ATTESTED, leafHash: hashOf(1, 31) },
      { region: 'ES', hashes: [] },
      { region: 'ES', hashes: [hashOf(1, 15)] },
      { region: 'ES', hashes: [hashOf(1), hashOf(1)] },
      { region: 'ES', hashes: [hashOf(2), hashOf(1)] },
      { region: 'ES', hashes: [1, 2, 3, 4].map((byte) => hashOf(byte)) },
      { region: 'Spain', hashes: [hashOf(1)] },
    ];
    bad.forEach((original, i) => assert.throws(() => encode(original), TypeError, `case ${i}`));
  });
});
