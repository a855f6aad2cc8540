import assert from 'node:assert/strict';
import { decodeCbor, encodeCbor } from '../../../protocol/encoding/cbor.ts';
import { isProtocolError, type FaultCode } from '../../../protocol/fault.ts';
import { parseClaim, parsePermit, parseWord, signWord, verifyWord } from '../../../protocol/writer/word.ts';
import { testKey, verifySignature } from '../../support/keys.ts';
import { ATTEST, CHECKPOINT_KEY, claimOf, permitOf, TRUST } from '../../support/writer-words.ts';

const claim = claimOf({ epoch: 3 });
const permit = permitOf({ epoch: 3 }, { from: 4, size: 9, origin: ATTEST });

function faultOf(bytes: Uint8Array): FaultCode | undefined {
  try {
    parseWord(bytes);
    return undefined;
  } catch (error) {
    assert.ok(isProtocolError(error), String(error));
    return error.fault.code;
  }
}

/** The bytes of a word with another body, signed as it should be. */
function withBody(changes: Record<string, unknown>, of = claim): Uint8Array {
  const body = encodeCbor({ ...(decodeCbor(of.body, { bytesMax: 1_024 }) as object), ...changes } as never);
  return encodeCbor([body, of.publicKey, of.signature]);
}

describe('parseWord', () => {
  it('takes what signWord made, and the same bytes come out of it again', () => {
    for (const made of [claim, permit]) {
      const read = parseWord(made.bytes);
      assert.deepEqual(read.word, made.word);
      assert.deepEqual(encodeCbor([read.body, read.publicKey, read.signature]), made.bytes);
      assert.ok(verifyWord(read, [CHECKPOINT_KEY], verifySignature));
    }
  });

  it('refuses members just outside their bounds, unknown ones and names of other kinds', () => {
    for (const changes of [
      { epoch: 0 },
      { epoch: -1 },
      { writer: new Uint8Array(31) },
      { session: new Uint8Array(17) },
      { at: -1 },
      { origin: ATTEST },
      { origin: 'CN-33.test/witness' },
      { more: 1 },
      { kind: 'permit' },
    ]) {
      assert.equal(faultOf(withBody(changes)), 'SCHEMA_INVALID', JSON.stringify(changes));
    }
    assert.equal(faultOf(withBody({ origin: 'CN-33.test' })), 'ORIGIN_INVALID');
    for (const changes of [
      { from: 9 },
      { size: 4 },
      { root: new Uint8Array(33) },
      { origin: 'CN-33.test/witness' },
    ]) {
      assert.equal(faultOf(withBody(changes, permit as never)), 'SCHEMA_INVALID', JSON.stringify(changes));
    }
  });

  it('B24, B25: refuses bytes behind it, another form, and more than its bound', () => {
    assert.equal(faultOf(Uint8Array.of(...claim.bytes, 0)), 'CBOR_MALFORMED');
    assert.equal(faultOf(encodeCbor([claim.body, claim.publicKey])), 'SCHEMA_INVALID');
    assert.equal(faultOf(encodeCbor([claim.body, claim.publicKey, new Uint8Array(63)])), 'SCHEMA_INVALID');
    assert.equal(faultOf(encodeCbor([new Uint8Array(1_100), claim.publicKey, claim.signature])), 'TOO_LARGE');
  });

  it('parseClaim and parsePermit refuse each other’s', () => {
    assert.throws(() => parseClaim(permit.bytes), { name: 'ProtocolError' });
    assert.throws(() => parsePermit(claim.bytes), { name: 'ProtocolError' });
  });
});

describe('verifyWord', () => {
  it('takes none but the keys it is given, and no bit of word or signature may be another', () => {
    assert.equal(verifyWord(claim, [testKey(9)], verifySignature), false);
    assert.equal(verifyWord(claim, [], verifySignature), false);
    for (let at = 0; at < claim.body.length; at++) {
      const body = Uint8Array.from(claim.body, (byte, i) => (i === at ? byte ^ 1 : byte));
      assert.equal(verifyWord({ ...claim, body }, [CHECKPOINT_KEY], verifySignature), false);
    }
  });
});

describe('signWord', () => {
  it('signs no word that nobody would take', () => {
    assert.throws(() => signWord({ ...claim.word, epoch: 0 }, CHECKPOINT_KEY), TypeError);
    assert.throws(() => signWord({ ...permit.word, origin: TRUST, from: 9 }, CHECKPOINT_KEY), TypeError);
  });
});
