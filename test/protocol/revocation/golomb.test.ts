import assert from 'node:assert/strict';
import fc from 'fast-check';
import { isProtocolError } from '../../../protocol/fault.ts';
import { BitReader, BitWriter } from '../../../protocol/revocation/bits.ts';
import { golombBits, golombCode, readGolomb, writeGolomb } from '../../../protocol/revocation/golomb.ts';

/** The code as the literature has it: quotient in unary, remainder in truncated binary. */
function golombDigits(divisor: number, value: number): string {
  const remainder = value % divisor;
  const width = Math.ceil(Math.log2(divisor));
  const short = 2 ** width - divisor;
  const unary = '1'.repeat(Math.floor(value / divisor)) + '0';
  if (width === 0) return unary;
  if (remainder < short) return unary + (width === 1 ? '' : remainder.toString(2).padStart(width - 1, '0'));
  return unary + (remainder + short).toString(2).padStart(width, '0');
}

const codeOf = (divisor: number) => {
  const code = golombCode(3, Math.floor((3 * (5 * divisor - 1)) / 3));
  assert.equal(code.divisor, divisor);
  return code;
};

function written(divisor: number, value: number): string {
  const code = codeOf(divisor);
  const bits = golombBits(code, value);
  const bytes = new Uint8Array(Math.ceil(bits / 8));
  const out = new BitWriter(bytes, 0);
  writeGolomb(out, code, value);
  out.end();
  return [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('').slice(0, bits); // prettier-ignore
}

const DIVISORS = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128];

describe('Golomb codes', () => {
  it('golombCode takes the least divisor of 1, 2, 3, 4, 6, 8, 12, ... with 3 sum + count <= 5 count divisor', () => {
    const all = [1];
    for (let power = 2; power < 2 ** 42; power *= 2) all.push(power, 1.5 * power);
    for (const count of [1, 2, 3, 7, 1000, 2 ** 20]) {
      for (const divisor of all) {
        const sum = Math.floor((count * (5 * divisor - 1)) / 3);
        if (sum > 2 ** 40) continue;
        const next = all[all.indexOf(divisor) + 1];
        assert.equal(golombCode(count, sum).divisor, divisor, `${count} ${sum}`);
        assert.equal(golombCode(count, sum + 1).divisor, next, `${count} ${sum + 1}`);
      }
    }
    assert.equal(golombCode(5, 0).divisor, 1);
  });

  it('writeGolomb gives the codes of the literature, golombBits their length, readGolomb the value', () => {
    for (const divisor of DIVISORS) {
      for (let value = 0; value < 5 * divisor + 3; value++) {
        const digits = written(divisor, value);
        assert.equal(digits, golombDigits(divisor, value), `${divisor} ${value}`);
        const bytes = Uint8Array.from(digits.match(/.{1,8}/g) ?? [], (part) =>
          parseInt(part.padEnd(8, '0'), 2),
        );
        assert.equal(readGolomb(new BitReader(bytes, 0), codeOf(divisor), value), value);
        if (value > 0) {
          assert.throws(
            () => readGolomb(new BitReader(bytes, 0), codeOf(divisor), value - 1),
            (e) => isProtocolError(e, 'REVOCATION_MALFORMED'),
          );
        }
      }
    }
  });

  it('give back every integer below 2^40 (property)', () => {
    fc.assert(
      fc.property(fc.nat({ max: 2 ** 40 - 1 }), fc.integer({ min: 1, max: 50 }), (value, count) => {
        const code = golombCode(count, value);
        const bytes = new Uint8Array(Math.ceil(golombBits(code, value) / 8));
        const out = new BitWriter(bytes, 0);
        writeGolomb(out, code, value);
        out.end();
        assert.equal(readGolomb(new BitReader(bytes, 0), code, value), value);
      }),
    );
  });
});
