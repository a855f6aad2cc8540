import assert from 'node:assert/strict';
import fc from 'fast-check';
import { utf8Bytes } from '../../../protocol/encoding/utf8.ts';
import { isProtocolError, type FaultCode } from '../../../protocol/fault.ts';
import { encodeNote, parseNote, signNote, verifyNote } from '../../../protocol/log/note.ts';
import {
  encodeSignatureLine,
  parseSignatureLines,
  type NoteSignature,
} from '../../../protocol/log/signature-line.ts';
import { type VerifierKey } from '../../../protocol/log/verifier-key.ts';
import { logKey, verifySignature, witnessKey } from '../../support/keys.ts';

const TEXT = 'first line\nsecond line\n';
const alice = logKey('alice', 1);
const bob = logKey('bob', 2);
const line = encodeSignatureLine(signNote(alice.key, TEXT, alice.sign));
const faults = (code: FaultCode) => (error: unknown) => isProtocolError(error, code);

const refuses = (note: string | Uint8Array, code: FaultCode = 'NOTE_MALFORMED') =>
  assert.throws(
    () => parseNote(typeof note === 'string' ? utf8Bytes(note) : note),
    faults(code),
    JSON.stringify(note),
  );

const verify = (note: string, ...keys: readonly VerifierKey[]) =>
  verifyNote(parseNote(utf8Bytes(note)), keys, verifySignature);

describe('parseNote', () => {
  it('parts text and signatures, and encodeNote puts them together', () => {
    const note = parseNote(utf8Bytes(`${TEXT}\n${line}`));
    assert.equal(note.text, TEXT);
    assert.deepEqual(note.signatures, [signNote(alice.key, TEXT, alice.sign)]);
    assert.deepEqual(encodeNote(note), utf8Bytes(`${TEXT}\n${line}`));
  });

  it('A21: splits at the last empty line', () => {
    for (const text of ['a\n\nb\n', 'a\n\n', '\n', '\n\n\n', `${TEXT}\n${line}`]) {
      assert.equal(parseNote(utf8Bytes(`${text}\n${line}`)).text, text);
    }
  });

  it('B57: refuses CRLF and every control character but the newline', () => {
    refuses(`${TEXT}\n${line}`.replaceAll('\n', '\r\n'));
    refuses(`${TEXT}\r\n${line}`);
    for (let code = 0; code < 0x20; code++) {
      if (code !== 0x0a) refuses(`a${String.fromCharCode(code)}b\n\n${line}`);
    }
    assert.equal(parseNote(utf8Bytes(`a b\x7f\n\n${line}`)).text, 'a b\x7f\n');
  });

  it('B57: refuses a note without its final newline, its empty line, its text or its signatures', () => {
    for (const note of [
      '',
      '\n',
      '\n\n',
      TEXT,
      `${TEXT}\n`,
      `${TEXT}\n${line}`.slice(0, -1),
      TEXT + line,
      line,
      `\n${line}`,
      `${TEXT}\n${line}\n`,
    ]) {
      refuses(note);
    }
  });

  it('B57: refuses a hyphen and other dashes in the place of U+2014', () => {
    for (const dash of ['-', '--', '\u2010', '\u2013', '\u2015', '\u2212', '']) {
      refuses(`${TEXT}\n${line.replace('\u2014', dash)}`);
    }
  });

  it('A21: refuses lines with other spacing, without name or signature, and base64 that is not canonical', () => {
    const [, name = '', base64 = ''] = line.trimEnd().split(' ');
    for (const bad of [
      `\u2014  ${name} ${base64}`, `\u2014 ${name}  ${base64}`, `\u2014 ${name} ${base64} `, ` \u2014 ${name} ${base64}`,
      `\u2014\u00a0${name} ${base64}`, `\u2014 ${name}\u00a0${base64}`, `\u2014 ${base64}`, `\u2014 ${name}`, `\u2014 ${name} `, '\u2014', '\u2014 ',
      `\u2014 ${name}+x ${base64}`, `\u2014 ${name} ${base64} x`, `\u2014 ${name} AAAA`, `\u2014 ${name} AAAAAA==`,
      `\u2014 ${name} ${base64.slice(0, -1)}`, `\u2014 ${name} ${base64}=`, `\u2014 ${name} ${base64.slice(0, -4)}-_AA`, `\u2014 ${name} AAAAAAF=`, 'text',
    ]) refuses(`${TEXT}\n${bad}\n`); // prettier-ignore
    assert.equal(parseNote(utf8Bytes(`${TEXT}\n\u2014 ${name} AAAAAAA=\n`)).signatures[0]?.bytes.length, 1);
  });

  it('B27: refuses bytes that are not UTF-8, in the text and in a name', () => {
    for (const at of [2, TEXT.length + 6]) {
      const note = utf8Bytes(`${TEXT}\n${line}`);
      note[at] = 0xff;
      refuses(note);
    }
  });

  it('B57, A20: takes 128 signature lines and refuses 129 and 1,000', () => {
    const short = '\u2014 x AAAAAAA=\n';
    assert.equal(parseNote(utf8Bytes(`${TEXT}\n${short.repeat(128)}`)).signatures.length, 128);
    for (const count of [129, 1000]) refuses(`${TEXT}\n${short.repeat(count)}`, 'TOO_LARGE');
  });

  it('A28: takes 65,536 bytes and refuses 65,537', () => {
    const note = (bytes: number) => `${'x'.repeat(bytes - line.length - 2 - 2)}\n\n${line}`;
    assert.equal(utf8Bytes(note(65_536)).length, 65_536);
    parseNote(utf8Bytes(note(65_536)));
    refuses(note(65_537), 'TOO_LARGE');
  });

  it('property: random bytes throw nothing but faults, and what parses encodes to the same bytes', () => {
    const piece = fc.constantFrom('\n', '\n\n', 'a', '\u2014 ', ' ', 'x', 'AAAAAAA=', line, TEXT, '\r', '+');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const bytes = utf8Bytes(pieces.join(''));
        try {
          assert.deepEqual(encodeNote(parseNote(bytes)), bytes);
        } catch (error) {
          assert.ok(isProtocolError(error, 'NOTE_MALFORMED'), String(error));
        }
      }),
      { numRuns: 5000 },
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) =>
        assert.throws(() => parseNote(bytes), faults('NOTE_MALFORMED')),
      ),
    );
  });
});

describe('encodeNote', () => {
  it('refuses what would not come back: a mistake of the caller', () => {
    const signatures = [signNote(alice.key, TEXT, alice.sign)];
    for (const text of ['', 'a', 'a\r\n', 'a\n\0'])
      assert.throws(() => encodeNote({ text, signatures }), RangeError);
    assert.throws(() => encodeNote({ text: TEXT, signatures: [] }), RangeError);
    const bad = (change: Partial<NoteSignature>) => ({
      text: TEXT,
      signatures: signatures.map((s) => ({ ...s, ...change })),
    });
    for (const change of [{ name: '' }, { name: 'a b' }, { name: 'a+b' }, { bytes: new Uint8Array(0) }]) {
      assert.throws(() => encodeNote(bad(change)), RangeError);
    }
  });
});

describe('parseSignatureLines', () => {
  it('takes lines alone, as witnesses send them', () => {
    const lines = [alice, bob].map(({ key, sign }) => signNote(key, TEXT, sign));
    assert.deepEqual(parseSignatureLines(lines.map(encodeSignatureLine).join('')), lines);
    for (const bad of ['', line.trimEnd(), `${line}\n`, `\n${line}`]) {
      assert.throws(() => parseSignatureLines(bad), faults('NOTE_MALFORMED'));
    }
  });
});

describe('verifyNote', () => {
  const both = `${TEXT}\n${line}${encodeSignatureLine(signNote(bob.key, TEXT, bob.sign))}`;

  it('names the known keys whose signatures are good', () => {
    assert.deepEqual(verify(both, alice.key, bob.key).signers, [alice.key, bob.key]);
    assert.deepEqual(verify(both, bob.key).signers, [bob.key]);
  });

  it('gives one line of each, also where that is repeated, or two keys have one key id', () => {
    const [first, second] = parseNote(utf8Bytes(both)).signatures;
    const twice = verify(`${TEXT}\n${line}${line}`, alice.key);
    assert.deepEqual([twice.signers, twice.lines], [[alice.key], [first]]);
    assert.deepEqual(verify(both, bob.key).lines, [second]);
    const twin = { ...bob.key, name: alice.key.name, keyId: alice.key.keyId };
    const twins = encodeSignatureLine(signNote(twin, TEXT, bob.sign));
    const { signers, lines } = verify(`${TEXT}\n${line}${line}${twins}`, twin, alice.key);
    assert.deepEqual(signers, [alice.key, twin]);
    assert.deepEqual(lines.map(encodeSignatureLine), [line, twins]);
  });

  it('A20: ignores unknown names and key ids, whatever their signatures are', () => {
    const mlDsa = encodeSignatureLine({ name: 'pq', keyId: 7, bytes: new Uint8Array(5000) });
    const otherId = encodeSignatureLine({
      name: 'alice',
      keyId: alice.key.keyId ^ 1,
      bytes: new Uint8Array(64),
    });
    const otherName = encodeSignatureLine({
      name: 'Alice',
      keyId: alice.key.keyId,
      bytes: new Uint8Array(64),
    });
    assert.deepEqual(verify(`${TEXT}\n${mlDsa}${otherId}${otherName}${line}`, alice.key).signers, [
      alice.key,
    ]);
  });

  it('B57: a note with no known signature is NOTE_UNSIGNED, also with the right name and another key id', () => {
    assert.throws(() => verify(both), faults('NOTE_UNSIGNED'));
    assert.throws(() => verify(both, logKey('carol', 3).key), faults('NOTE_UNSIGNED'));
    assert.throws(() => verify(both, logKey('alice', 3).key), faults('NOTE_UNSIGNED'));
  });

  it('A20: a known key with a bad signature makes the whole note SIGNATURE_INVALID', () => {
    const good = signNote(alice.key, TEXT, alice.sign);
    const { bytes } = good;
    for (const bad of [
      new Uint8Array(64),
      bytes.subarray(1),
      new Uint8Array([...bytes, 0]),
      bytes.map((b, i) => (i === 63 ? b ^ 1 : b)),
    ]) {
      const badLine = encodeSignatureLine({ ...good, bytes: bad });
      const bobs = encodeSignatureLine(signNote(bob.key, TEXT, bob.sign));
      assert.throws(() => verify(`${TEXT}\n${badLine}`, alice.key), faults('SIGNATURE_INVALID'));
      assert.throws(
        () => verify(`${TEXT}\n${bobs}${line}${badLine}`, alice.key, bob.key),
        faults('SIGNATURE_INVALID'),
      );
    }
    assert.throws(() => verify(`other\n\n${line}`, alice.key), faults('SIGNATURE_INVALID'));
  });

  it('A20: tries all known keys that share a name and key id', () => {
    const twin = { ...bob.key, name: alice.key.name, keyId: alice.key.keyId };
    assert.deepEqual(verify(`${TEXT}\n${line}`, twin, alice.key).signers, [alice.key]);
    assert.throws(() => verify(`${TEXT}\n${line}`, twin), faults('SIGNATURE_INVALID'));
  });

  it('A22: takes no Ed25519 signature for a cosignature, nor the reverse', () => {
    const witness = witnessKey('alice', 1);
    const asCosignature = { ...signNote(alice.key, TEXT, alice.sign), keyId: witness.key.keyId };
    assert.throws(
      () => verify(`${TEXT}\n${encodeSignatureLine(asCosignature)}`, witness.key),
      faults('SIGNATURE_INVALID'),
    );
    assert.throws(() => signNote(witness.key, TEXT, witness.sign), RangeError);
  });

  it('lets exceptions of the verifier through', () => {
    const broken = () => {
      throw new TypeError('broken');
    };
    assert.throws(() => verifyNote(parseNote(utf8Bytes(both)), [alice.key], broken), TypeError);
  });

  it('property A20: any flipped bit is refused', () => {
    const note = utf8Bytes(`${TEXT}\n${line}`);
    for (let bit = 0; bit < note.length * 8; bit++) {
      const changed = note.map((byte, i) => (i === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte));
      assert.throws(
        () => verifyNote(parseNote(changed), [alice.key], verifySignature),
        (error) => isProtocolError(error),
        `bit ${bit}`,
      );
    }
  });
});
