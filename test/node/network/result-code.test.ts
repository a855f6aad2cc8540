import assert from 'node:assert/strict';
import { isProtocolError } from '../../../protocol/fault.ts';
import { CHUNK_BYTES_MAX } from '../../../node/network/network-limits.ts';
import { encodeFrame, parseFrame, RefusalError, RESULTS } from '../../../node/network/result-code.ts';

describe('parseFrame', () => {
  it('takes back what encodeFrame makes', () => {
    for (const result of RESULTS) assert.deepEqual(parseFrame(encodeFrame(result)).result, result);
    const longest = new Uint8Array(CHUNK_BYTES_MAX).fill(7);
    assert.deepEqual(parseFrame(encodeFrame('more', longest)), { result: 'more', payload: longest });
  });

  for (const [what, frame, code] of [
    ['no bytes', [], 'SCHEMA_INVALID'],
    ['a code that is none', [RESULTS.length], 'SCHEMA_INVALID'],
    ['a refusal with a payload', [4, 0], 'SCHEMA_INVALID'],
    ['a chunk a byte too long', new Array<number>(CHUNK_BYTES_MAX + 2).fill(1), 'TOO_LARGE'],
  ] as const) {
    it(`refuses ${what}`, () => {
      assert.throws(
        () => parseFrame(Uint8Array.from(frame)),
        (error) => isProtocolError(error, code),
      );
    });
  }

  it('encodeFrame refuses a chunk a byte too long', () => {
    assert.throws(() => encodeFrame('more', new Uint8Array(CHUNK_BYTES_MAX + 1)), RangeError);
  });
});

describe('RefusalError', () => {
  it('says whether asking again helps', () => {
    assert.deepEqual(
      (['malformed', 'not-there', 'busy', 'failed'] as const).map((refusal) => {
        const { code, retry } = new RefusalError('FR', refusal);
        return `${code} ${retry}`;
      }),
      ['REFUSED false', 'NOT_FOUND false', 'PEER_UNREACHABLE true', 'PEER_UNREACHABLE true'],
    );
  });
});
