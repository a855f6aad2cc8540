import assert from 'node:assert/strict';
import fc from 'fast-check';
import { hexOf } from '../../../protocol/bytes.ts';
import { isProtocolError } from '../../../protocol/fault.ts';
import { BitReader, BitWriter } from '../../../protocol/revocation/bits.ts';
import { fromHex } from '../../support/hex.ts';

const malformed = (error: unknown) => isProtocolError(error, 'REVOCATION_MALFORMED');

/** `text` is the bits as digits: what the writer must have made, by other means. */
const bytesOfBits = (text: string) =>
  Uint8Array.from({ length: Math.ceil(text.length / 8) }, (_, i) =>
    parseInt(text.slice(8 * i, 8 * i + 8).padEnd(8, '0'), 2),
  );

type Step = { bits: number; width: number } | { unary: number } | { zeros: number };

const steps = fc.array(
  fc.oneof(
    fc
      .integer({ min: 0, max: 48 })
      .chain((width) => fc.record({ bits: fc.nat({ max: 2 ** width - 1 }), width: fc.constant(width) })),
    fc.record({ unary: fc.nat({ max: 90 }) }),
    fc.record({ zeros: fc.nat({ max: 90 }) }),
  ),
  { maxLength: 12 },
);

const digitsOf = (step: Step): string => {
  if ('unary' in step) return '1'.repeat(step.unary) + '0';
  if ('zeros' in step) return '0'.repeat(step.zeros);
  return step.width === 0 ? '' : step.bits.toString(2).padStart(step.width, '0');
};

describe('BitWriter and BitReader', () => {
  it('put the high bit first, after whole bytes, and zeros after the last', () => {
    const bytes = fromHex('ab000000');
    const out = new BitWriter(bytes, 1);
    out.bits(0b101, 3);
    out.unary(4);
    out.bits(0b1111, 4);
    out.end();
    assert.equal(hexOf(bytes), 'abbef000');
  });

  it('hold every sequence of numbers, at every alignment (property)', () => {
    fc.assert(
      fc.property(steps, fc.nat({ max: 3 }), (sequence: Step[], start) => {
        const expected = bytesOfBits(sequence.map(digitsOf).join(''));
        const bytes = new Uint8Array(start + expected.length);
        const out = new BitWriter(bytes, start);
        for (const step of sequence) {
          if ('unary' in step) out.unary(step.unary);
          else if ('zeros' in step) out.zeros(step.zeros);
          else out.bits(step.bits, step.width);
        }
        out.end();
        assert.equal(hexOf(bytes.subarray(start)), hexOf(expected));
        const input = new BitReader(bytes, start);
        for (const step of sequence) {
          if ('unary' in step) assert.equal(input.unary(step.unary), step.unary);
          else if ('zeros' in step) for (let i = 0; i < step.zeros; i++) assert.equal(input.bits(1), 0);
          else assert.equal(input.bits(step.width), step.bits);
        }
        input.end();
      }),
    );
  });

  it('BitReader.bits takes 53 bits', () => {
    assert.equal(new BitReader(fromHex('fffffffffffff8'), 0).bits(53), Number.MAX_SAFE_INTEGER);
  });

  it('BitReader.unary takes max ones and refuses one more, also across the end', () => {
    assert.equal(new BitReader(fromHex('fffffffffffffffe'), 0).unary(63), 63);
    assert.throws(() => new BitReader(fromHex('fffffffffffffffe'), 0).unary(62), malformed);
    assert.throws(() => new BitReader(fromHex('ffffffff'), 0).unary(31), malformed);
    assert.throws(() => new BitReader(fromHex('80'), 0).unary(0), malformed);
    assert.equal(new BitReader(fromHex('00'), 0).unary(0), 0);
  });

  it('BitReader.end takes up to seven zeros and refuses a one, a byte more and a bit less', () => {
    for (const width of [1, 7, 8]) {
      const input = new BitReader(fromHex('80'), 0);
      input.bits(width);
      input.end();
    }
    for (let width = 1; width < 8; width++) {
      const input = new BitReader(fromHex('01'), 0);
      input.bits(width);
      assert.throws(() => input.end(), malformed);
    }
    assert.throws(() => new BitReader(fromHex('00'), 0).end(), malformed);
    const past = new BitReader(fromHex('00'), 0);
    assert.equal(past.bits(9), 0);
    assert.equal(past.left, -1);
    assert.throws(() => past.end(), malformed);
  });
});
