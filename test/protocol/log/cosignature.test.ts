import assert from 'node:assert/strict';
import { isProtocolError, type FaultCode } from '../../../protocol/fault.ts';
import { encodeCheckpoint } from '../../../protocol/log/checkpoint.ts';
import {
  cosignatureMessage,
  encodeCosignature,
  signCosignature,
  verifyCosignature,
} from '../../../protocol/log/cosignature.ts';
import { signNote } from '../../../protocol/log/note.ts';
import { type NoteSignature } from '../../../protocol/log/signature-line.ts';
import { logKey, verifySignature, witnessKey } from '../../support/keys.ts';

const NOW_S = 1_793_606_400;
const checkpoint = (origin: string) =>
  encodeCheckpoint({ origin, size: 5, root: new Uint8Array(32).fill(7) });
const TEXT = checkpoint('CN-33.demo/trust');
const witness = witnessKey('DE.demo/witness', 1);
const good = signCosignature(witness.key, TEXT, NOW_S, witness.sign);

const faults = (code: FaultCode) => (error: unknown) => isProtocolError(error, code);
const verify = (signature: NoteSignature, text = TEXT, key = witness.key) =>
  verifyCosignature(key, text, signature, verifySignature);
const withTime = (time: bigint): NoteSignature => {
  const bytes = new Uint8Array(good.bytes);
  new DataView(bytes.buffer).setBigUint64(0, time);
  return { ...good, bytes };
};

describe('cosignature', () => {
  it('cosignatureMessage is the header, the time and the whole checkpoint', () => {
    assert.equal(Buffer.from(cosignatureMessage(TEXT, 42)).toString(), `cosignature/v1\ntime 42\n${TEXT}`);
  });

  it('signCosignature gives a time of 8 bytes and a signature of 64, and verifyCosignature says whose and when', () => {
    assert.equal(good.bytes.length, 72);
    assert.equal(Buffer.from(good.bytes).readBigUInt64BE(), BigInt(NOW_S));
    const { name, keyId, publicKey } = witness.key;
    assert.deepEqual(verify(good), { name, keyId, publicKey, timestampS: NOW_S });
  });

  it('verifyCosignature reads bytes that are a view into a larger buffer', () => {
    const padded = new Uint8Array([9, 9, 9, ...good.bytes]);
    assert.equal(verify({ ...good, bytes: padded.subarray(3) }).timestampS, NOW_S);
  });

  it('verifyCosignature A22: refuses a cosignature replayed for another origin', () => {
    assert.throws(() => verify(good, checkpoint('CN-32.demo/trust')), faults('SIGNATURE_INVALID'));
    assert.throws(() => verify(good, TEXT.trimEnd()), faults('SIGNATURE_INVALID'));
  });

  it('verifyCosignature A22: refuses an edited time', () => {
    for (const time of [0n, BigInt(NOW_S) - 1n, BigInt(NOW_S) + 1n, BigInt(NOW_S) + 2n ** 32n]) {
      assert.throws(() => verify(withTime(time)), faults('SIGNATURE_INVALID'), String(time));
    }
  });

  it('verifyCosignature T11: takes a time of 2^53-1 and refuses 2^53 and 2^64-1', () => {
    const last = signCosignature(witness.key, TEXT, Number.MAX_SAFE_INTEGER, witness.sign);
    assert.equal(verify(last).timestampS, Number.MAX_SAFE_INTEGER);
    for (const time of [2n ** 53n, 2n ** 64n - 1n]) {
      const signature = witness.sign(Buffer.from(`cosignature/v1\ntime ${time}\n${TEXT}`));
      const { bytes } = withTime(time);
      bytes.set(signature, 8);
      assert.throws(() => verify({ ...good, bytes }), faults('SIGNATURE_INVALID'), String(time));
    }
  });

  it('verifyCosignature A22: refuses a signature of the log in the place of a cosignature', () => {
    const log = logKey('CN-33.demo/trust', 1);
    const { bytes } = signNote(log.key, TEXT, log.sign);
    const time = good.bytes.subarray(0, 8);
    assert.throws(() => verify({ ...good, bytes }), faults('SIGNATURE_INVALID'));
    assert.throws(
      () => verify({ ...good, bytes: new Uint8Array([...time, ...bytes]) }),
      faults('SIGNATURE_INVALID'),
    );
  });

  it('verifyCosignature A22: refuses a key of algorithm 1, which cannot encode one either', () => {
    const log = logKey('DE.demo/witness', 1);
    assert.throws(() => verify(good, TEXT, log.key), faults('KEY_INVALID'));
    assert.throws(() => signCosignature(log.key, TEXT, NOW_S, log.sign), RangeError);
  });

  it('verifyCosignature refuses another name, key id, key and length', () => {
    assert.throws(() => verify({ ...good, name: 'FR.demo/witness' }), faults('SIGNATURE_INVALID'));
    assert.throws(() => verify({ ...good, keyId: good.keyId ^ 1 }), faults('SIGNATURE_INVALID'));
    const other = { ...witness.key, publicKey: witnessKey('DE.demo/witness', 2).key.publicKey };
    assert.throws(() => verify(good, TEXT, other), faults('SIGNATURE_INVALID'));
    for (const bytes of [
      good.bytes.subarray(0, 71),
      new Uint8Array([...good.bytes, 0]),
      new Uint8Array(0),
      new Uint8Array(5),
    ]) {
      assert.throws(() => verify({ ...good, bytes }), faults('SIGNATURE_INVALID'), String(bytes.length));
    }
  });

  it('verifyCosignature A22: refuses any flipped bit', () => {
    for (let bit = 0; bit < 72 * 8; bit++) {
      const bytes = good.bytes.map((byte, i) => (i === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte));
      assert.throws(() => verify({ ...good, bytes }), faults('SIGNATURE_INVALID'), `bit ${bit}`);
    }
  });

  it('encodeCosignature refuses other lengths and times: a mistake of the caller', () => {
    for (const length of [0, 63, 65]) {
      assert.throws(() => encodeCosignature(witness.key, NOW_S, new Uint8Array(length)), RangeError);
    }
    for (const time of [-1, 0.5, 2 ** 53, NaN]) {
      assert.throws(() => encodeCosignature(witness.key, time, new Uint8Array(64)), RangeError);
    }
  });
});
