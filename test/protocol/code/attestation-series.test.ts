import assert from 'node:assert/strict';
import fc from 'fast-check';
import { encodeAttestation } from '../../../protocol/code/attestation-draft.ts';
import { AttestationSeries } from '../../../protocol/code/attestation-series.ts';
import { type AttestationClaims, parseAttestation } from '../../../protocol/code/attestation.ts';
import { isProtocolError } from '../../../protocol/fault.ts';

const HOUR = Date.UTC(2026, 10, 5, 12) / 3_600_000;
const CLAIMS: AttestationClaims = {
  region: 'CN-33',
  log: '2026-11',
  index: 7,
  hour: HOUR,
  commitment: new Uint8Array(32).fill(0xcc),
};

function encode(claims: Partial<AttestationClaims>, keyId = '0123456789abcdef', fill = 1): Uint8Array {
  return encodeAttestation({ ...CLAIMS, ...claims }, keyId, 'demo', () => new Uint8Array(64).fill(fill));
}

/** What reading gives: the attestation, or the fault. */
function resultOf(read: () => unknown): unknown {
  try {
    return read();
  } catch (error) {
    if (!isProtocolError(error)) throw error;
    return error.fault;
  }
}

function assertAsAlone(series: AttestationSeries, bytes: Uint8Array, what: string): void {
  const expected = resultOf(() => parseAttestation(bytes));
  const read = resultOf(() => series.read(bytes));
  assert.deepEqual(read, expected, what);
}

describe('AttestationSeries', () => {
  it('gives what parseAttestation gives, whatever came before', () => {
    const { constantFrom, record, nat, uint8Array } = fc;
    const claims = record({
      region: constantFrom('DE', 'CN-33', 'FR'),
      log: constantFrom('2026-11', '2026-11.9', '2026-11.1'),
      hour: constantFrom(HOUR, HOUR + 1),
      index: nat().map((index) => index * 256),
      commitment: uint8Array({ minLength: 32, maxLength: 32 }),
    });
    const one = fc.tuple(claims, constantFrom('0123456789abcdef', '0123456789abcdee'), nat(255));
    fc.assert(
      fc.property(fc.array(one, { maxLength: 12 }), (all) => {
        const series = new AttestationSeries();
        for (const [about, keyId, fill] of all)
          assertAsAlone(series, encode(about, keyId, fill), JSON.stringify(about));
      }),
    );
  });

  it('finds each flipped bit that parseAttestation finds, and reads on as if that had not come', () => {
    const good = encode({});
    const next = encode({ index: 2 ** 40 - 1 }, undefined, 2);
    for (let bit = 0; bit < 8 * good.length; bit++) {
      const series = new AttestationSeries();
      series.read(next);
      const flipped = good.slice();
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      assertAsAlone(series, flipped, `bit ${bit}`);
      assertAsAlone(series, good, `after bit ${bit}`);
    }
  });

  it('refuses one that is cut, goes on, or is no attestation, after a good one', () => {
    const good = encode({});
    for (const bytes of [new Uint8Array(0), good.subarray(0, -1), good.subarray(1), new Uint8Array(145)]) {
      const series = new AttestationSeries();
      series.read(good);
      assert.throws(
        () => series.read(bytes),
        (error) => isProtocolError(error, 'ATTESTATION_MALFORMED'),
      );
      assertAsAlone(series, new Uint8Array([...good, 0]), 'one byte more');
    }
  });
});
