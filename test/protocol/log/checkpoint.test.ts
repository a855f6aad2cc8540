import assert from 'node:assert/strict';
import fc from 'fast-check';
import { utf8Bytes } from '../../../protocol/encoding/utf8.ts';
import { isProtocolError, type FaultCode } from '../../../protocol/fault.ts';
import {
  encodeCheckpoint,
  openCheckpoint,
  parseCheckpoint,
  signCheckpoint,
} from '../../../protocol/log/checkpoint.ts';
import { signCosignature } from '../../../protocol/log/cosignature.ts';
import { emptyRoot } from '../../../protocol/log/merkle.ts';
import { encodeNote, signNote } from '../../../protocol/log/note.ts';
import { type NoteSignature } from '../../../protocol/log/signature-line.ts';
import { type VerifierKey } from '../../../protocol/log/verifier-key.ts';
import { logKey, verifySignature, witnessKey } from '../../support/keys.ts';
import { sha256 } from '../../support/primitives.ts';

const ORIGIN = 'CN-33.demo/trust';
const ROOT = '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=';
const faults = (code: FaultCode) => (error: unknown) => isProtocolError(error, code);
const refuses = (text: string) =>
  assert.throws(() => parseCheckpoint(text), faults('CHECKPOINT_MALFORMED'), JSON.stringify(text));

describe('parseCheckpoint', () => {
  it('takes origin, size and root, here those of the empty tree', () => {
    const text = `${ORIGIN}\n0\n${ROOT}\n`;
    assert.deepEqual(parseCheckpoint(text), { origin: ORIGIN, size: 0, root: emptyRoot(sha256) });
    assert.equal(encodeCheckpoint(parseCheckpoint(text)), text);
  });

  it('B57, A21: refuses every other way to write a size, and sizes beyond 2^53-1', () => {
    assert.equal(parseCheckpoint(`${ORIGIN}\n9007199254740991\n${ROOT}\n`).size, Number.MAX_SAFE_INTEGER);
    for (const size of [
      '01', '00', '-1', '-0', '+5', '1e3', '0x10', '1.0', '1_000', '', ' 1', '1 ', '\u0661', 'NaN', 'Infinity',
      '9007199254740992', '9007199254740993', '18446744073709551615', '18446744073709551616', '9'.repeat(400),
    ]) refuses(`${ORIGIN}\n${size}\n${ROOT}\n`); // prettier-ignore
  });

  it('B57, A21: refuses extension lines, missing lines, another line end and no last newline', () => {
    for (const text of [
      `${ORIGIN}\n5\n${ROOT}\nextension\n`, `${ORIGIN}\n5\n${ROOT}\n\n`, `${ORIGIN}\n5\n${ROOT}`, `${ORIGIN}\n5\n`, `5\n${ROOT}\n`,
      `\n5\n${ROOT}\n`, `${ORIGIN}\r\n5\r\n${ROOT}\r\n`, `${ORIGIN}\n\n5\n${ROOT}\n`, `\n${ORIGIN}\n5\n${ROOT}\n`, '', '\n\n\n',
    ]) refuses(text); // prettier-ignore
  });

  it('A21: refuses roots of another length and base64 that is not canonical', () => {
    for (const root of [
      ROOT.replace('U=', 'V='), ROOT.replace('+', '-'), ROOT.slice(0, -1), `${ROOT}=`, `${ROOT} `, '', 'AAAA', `${'A'.repeat(42)}==`,
      'A'.repeat(44), `${'A'.repeat(40)}====`, 'zz',
    ]) refuses(`${ORIGIN}\n5\n${root}\n`); // prettier-ignore
  });

  it('A19: refuses origins that no key can be named', () => {
    for (const origin of ['', ' ', 'a b', 'a+b', 'a\u00a0b', '\t']) refuses(`${origin}\n5\n${ROOT}\n`);
  });

  it('property: round trip', () => {
    const root = fc.uint8Array({ minLength: 32, maxLength: 32 });
    fc.assert(
      fc.property(fc.maxSafeNat(), root, (size, bytes) => {
        const checkpoint = { origin: ORIGIN, size, root: bytes };
        assert.deepEqual(parseCheckpoint(encodeCheckpoint(checkpoint)), checkpoint);
      }),
    );
  });

  it('encodeCheckpoint refuses what would not come back: a mistake of the caller', () => {
    const good = { origin: ORIGIN, size: 5, root: new Uint8Array(32) };
    for (const origin of ['', 'a b', 'a+b', 'a\nb'])
      assert.throws(() => encodeCheckpoint({ ...good, origin }), RangeError);
    for (const size of [-1, 0.5, 2 ** 53])
      assert.throws(() => encodeCheckpoint({ ...good, size }), RangeError);
    for (const length of [31, 33]) {
      assert.throws(() => encodeCheckpoint({ ...good, root: new Uint8Array(length) }), RangeError);
    }
  });
});

describe('openCheckpoint', () => {
  const log = logKey(ORIGIN, 1);
  const next = logKey(ORIGIN, 2);
  const witnesses = [witnessKey('DE.demo/witness', 3), witnessKey('FR.demo/witness', 4)];
  const checkpoint = { origin: ORIGIN, size: 5, root: new Uint8Array(32).fill(7) };
  const { text, signatures } = signCheckpoint(checkpoint, log.key, log.sign);
  const cosignatures = witnesses.map(({ key, sign }, i) => signCosignature(key, text, 1000 + i, sign));
  const keys = [log.key, ...witnesses.map(({ key }) => key)];

  const open = (lines: readonly NoteSignature[], known: readonly VerifierKey[] = keys) =>
    openCheckpoint(encodeNote({ text, signatures: lines }), known, verifySignature);

  it('says what the log signed, by which keys, and who cosigned it when', () => {
    const opened = open([...signatures, ...cosignatures]);
    assert.deepEqual({ origin: opened.origin, size: opened.size, root: opened.root }, checkpoint);
    assert.equal(opened.text, text);
    assert.deepEqual(opened.signers, [log.key]);
    assert.deepEqual(opened.cosignatures.map(({ name, timestampS }) => [name, timestampS]), [
      ['DE.demo/witness', 1000],
      ['FR.demo/witness', 1001],
    ]); // prettier-ignore
  });

  it('takes the keys of a rotation side by side', () => {
    const second = signNote(next.key, text, next.sign);
    assert.deepEqual(open([...signatures, second], [...keys, next.key]).signers, [log.key, next.key]);
    assert.deepEqual(open([...signatures, second]).signers, [log.key]);
  });

  it('A12: cosignatures alone are NOTE_UNSIGNED, however many', () => {
    assert.throws(() => open(cosignatures), faults('NOTE_UNSIGNED'));
    assert.throws(() => open([...signatures, ...cosignatures], keys.slice(1)), faults('NOTE_UNSIGNED'));
    assert.throws(() => open(signatures, []), faults('NOTE_UNSIGNED'));
  });

  it('A20: one bad cosignature by a known witness makes the whole note bad, one by an unknown does not', () => {
    const [first] = cosignatures;
    assert.ok(first);
    const bad = { ...first, bytes: first.bytes.map((b, i) => (i === 70 ? b ^ 1 : b)) };
    assert.throws(() => open([...signatures, bad]), faults('SIGNATURE_INVALID'));
    assert.deepEqual(open([...signatures, bad], [log.key]).cosignatures, []);
  });

  it('B57, A19: refuses the origin of another region, though the key that signed is known', () => {
    const other = logKey('CN-32.demo/trust', 5);
    const forged = encodeNote({ text, signatures: [signNote(other.key, text, other.sign)] });
    assert.throws(() => openCheckpoint(forged, [log.key], verifySignature), faults('NOTE_UNSIGNED'));
    assert.throws(() => openCheckpoint(forged, [other.key], verifySignature), faults('ORIGIN_INVALID'));
    const both = encodeNote({ text, signatures: [...signatures, signNote(other.key, text, other.sign)] });
    assert.throws(
      () => openCheckpoint(both, [log.key, other.key], verifySignature),
      faults('ORIGIN_INVALID'),
    );
    assert.throws(() => signCheckpoint(checkpoint, other.key, other.sign), RangeError);
  });

  it('A22: a log key under the algorithm of witnesses signs no checkpoint', () => {
    const asWitness = witnessKey(ORIGIN, 1);
    assert.throws(
      () => open([signCosignature(asWitness.key, text, 1, asWitness.sign)], [asWitness.key]),
      faults('NOTE_UNSIGNED'),
    );
    assert.throws(() => signCheckpoint(checkpoint, asWitness.key, asWitness.sign), RangeError);
  });

  it('A13: keeps every cosignature of a key, under its one public key', () => {
    const [first] = witnesses;
    assert.ok(first);
    const later = signCosignature(first.key, text, 2000, first.sign);
    const opened = open([...signatures, ...cosignatures.slice(0, 1), later]);
    assert.deepEqual(
      opened.cosignatures.map(({ timestampS }) => timestampS),
      [1000, 2000],
    );
    assert.equal(new Set(opened.cosignatures.map(({ publicKey }) => publicKey)).size, 1);
  });

  it('refuses a signed text that is no checkpoint, and bytes that are no note', () => {
    const wrong = `${text}extension\n`;
    const note = encodeNote({ text: wrong, signatures: [signNote(log.key, wrong, log.sign)] });
    assert.throws(() => openCheckpoint(note, keys, verifySignature), faults('CHECKPOINT_MALFORMED'));
    assert.throws(() => openCheckpoint(utf8Bytes(text), keys, verifySignature), faults('NOTE_MALFORMED'));
  });
});
