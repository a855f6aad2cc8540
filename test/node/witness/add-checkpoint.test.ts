import assert from 'node:assert/strict';
import fc from 'fast-check';
import { isProtocolError } from '../../../protocol/fault.ts';
import {
  ADD_CHECKPOINT_BYTES_MAX,
  encodeAddCheckpoint,
  parseAddCheckpoint,
} from '../../../node/witness/add-checkpoint.ts';

const HASH = new Uint8Array(32).fill(7);
const hash = fc.uint8Array({ minLength: 32, maxLength: 32 });

function faultOf(text: string | Uint8Array): string {
  try {
    parseAddCheckpoint(typeof text === 'string' ? Uint8Array.from(Buffer.from(text)) : text);
    return 'none';
  } catch (error) {
    return isProtocolError(error) ? error.fault.code : assert.fail(String(error));
  }
}

describe('parseAddCheckpoint', () => {
  it('takes back what encodeAddCheckpoint makes', () => {
    const requests = fc.record({
      oldSize: fc.maxSafeNat(),
      path: fc.array(hash, { maxLength: 54 }),
      note: fc.uint8Array(),
    });
    fc.assert(
      fc.property(requests, (request) => {
        const parsed = parseAddCheckpoint(encodeAddCheckpoint(request));
        assert.deepEqual({ ...parsed, note: Uint8Array.from(parsed.note) }, { ...request });
      }),
    );
  });

  const line = `${Buffer.from(HASH).toString('base64')}\n`;
  const bad: [title: string, text: string, code: string][] = [
    ['no bytes', '', 'NOTE_MALFORMED'],
    ['no empty line', 'old 3\n', 'NOTE_MALFORMED'],
    ['another first line', 'size 3\n\nnote', 'NOTE_MALFORMED'],
    ['B57 a leading zero', 'old 03\n\nnote', 'NOTE_MALFORMED'],
    ['B57 a sign', 'old +3\n\nnote', 'NOTE_MALFORMED'],
    ['B57 CRLF', 'old 3\r\n\r\nnote', 'NOTE_MALFORMED'],
    ['an old size of 2^53', 'old 9007199254740992\n\nnote', 'SIZE_INVALID'],
    ['B60 a hash of 31 bytes', `old 3\n${Buffer.alloc(31).toString('base64')}\n\nnote`, 'PROOF_INVALID'],
    ['B60 55 hashes', `old 3\n${line.repeat(55)}\nnote`, 'PROOF_INVALID'],
    ['base64 that is not canonical', `old 3\n${line.replace('=', '')}\nnote`, 'PROOF_INVALID'],
  ];
  for (const [title, text, code] of bad) {
    it(`refuses ${title}`, () => assert.equal(faultOf(text), code));
  }

  it('takes 54 hashes and the longest request, and refuses a byte more', () => {
    assert.equal(faultOf(`old 3\n${line.repeat(54)}\nnote`), 'none');
    const longest = new Uint8Array(ADD_CHECKPOINT_BYTES_MAX).fill(0x61);
    longest.set(Buffer.from('old 3\n\n'));
    assert.equal(faultOf(longest), 'none');
    assert.equal(faultOf(new Uint8Array(ADD_CHECKPOINT_BYTES_MAX + 1)), 'TOO_LARGE');
  });
});

describe('encodeAddCheckpoint', () => {
  it('refuses what has no form', () => {
    const note = new Uint8Array(0);
    assert.throws(() => encodeAddCheckpoint({ oldSize: -1, path: [], note }), RangeError);
    assert.throws(() => encodeAddCheckpoint({ oldSize: 1, path: [new Uint8Array(31)], note }), RangeError);
    assert.throws(
      () => encodeAddCheckpoint({ oldSize: 1, path: new Array(55).fill(HASH), note }),
      RangeError,
    );
  });
});
