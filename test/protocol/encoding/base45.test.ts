import assert from 'node:assert/strict';
import fc from 'fast-check';
import { decodeBase45, encodeBase45 } from '../../../protocol/encoding/base45.ts';
import { isProtocolError } from '../../../protocol/fault.ts';

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:';
const CHARS_MAX = 20_000;

const utf8 = (text: string) => new Uint8Array(Buffer.from(text));

function refuses(text: string, offset: number): void {
  assert.throws(
    () => decodeBase45(text, CHARS_MAX),
    (error) => isProtocolError(error, 'BASE45_MALFORMED') && error.fault.details['offset'] === offset,
    JSON.stringify(text),
  );
}

describe('base45', () => {
  it('encodeBase45 and decodeBase45 hold the examples of RFC 9285 4.3 and 4.4', () => {
    for (const [plain, text] of [
      ['AB', 'BB8'],
      ['Hello!!', '%69 VD92EX0'],
      ['base-45', 'UJCLQE7W581'],
      ['ietf!', 'QED8WEX0'],
    ] as const) {
      assert.equal(encodeBase45(utf8(plain)), text);
      assert.deepEqual(decodeBase45(text, CHARS_MAX), utf8(plain));
    }
  });

  it('decodeBase45 B1: the empty text is the empty byte string', () => {
    assert.deepEqual(decodeBase45('', 0), new Uint8Array());
    assert.equal(encodeBase45(new Uint8Array()), '');
  });

  it('decodeBase45 B5: refuses a lone last character', () => {
    refuses('A', 0);
    refuses('BB8A', 3);
    refuses(' ', 0);
  });

  it('decodeBase45 B6: takes 65535 and 255 and refuses one more', () => {
    assert.deepEqual(decodeBase45('FGW', CHARS_MAX), Uint8Array.of(0xff, 0xff));
    refuses('GGW', 0);
    refuses(':::', 0);
    refuses('BB8GGW', 3);
    assert.deepEqual(decodeBase45('U5', CHARS_MAX), Uint8Array.of(0xff));
    refuses('V5', 0);
    refuses('::', 0);
    refuses('BB8V5', 3);
  });

  it('decodeBase45 B3 B7 B17: refuses lower case and everything else outside the alphabet, at its place', () => {
    refuses('!é', 0);
    for (let unit = 0; unit < 0x180; unit++) {
      const character = String.fromCharCode(unit);
      if (ALPHABET.includes(character)) continue;
      refuses(`00${character}`, 2);
      refuses(`0${character}0`, 1);
      refuses(`${character}00`, 0);
      refuses(`0000${character}`, 4);
    }
    for (const text of ['00\ud83d', '00\u0130', '00\uff21', '00\u202e', '00\u1b5d']) refuses(text, 2);
    refuses('bb8', 0);
    refuses('BB8bb8', 3);
  });

  it('decodeBase45 B8: trims nothing, for a space is a digit', () => {
    refuses('BB8\r\n', 3);
    refuses('BB8 ', 3);
    refuses('\u00a0B8', 0);
    refuses(' BB8', 3);
    assert.deepEqual(decodeBase45('  0BB8', CHARS_MAX), Uint8Array.of(0x06, 0x78, 0x41, 0x42));
    assert.deepEqual(decodeBase45('BB8  0', CHARS_MAX), Uint8Array.of(0x41, 0x42, 0x06, 0x78));
  });

  it('decodeBase45 B9: takes charsMax characters and refuses one more', () => {
    assert.equal(decodeBase45('0'.repeat(4_296), 4_296).length, 2_864);
    assert.throws(
      () => decodeBase45('0'.repeat(4_297), 4_296),
      (e) => isProtocolError(e, 'TOO_LARGE'),
    );
    assert.throws(
      () => decodeBase45('0'.repeat(5_000_000), 4_296),
      (e) => isProtocolError(e, 'TOO_LARGE'),
    );
  });

  it('gives back every byte string, also long ones (property)', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 9_000, size: 'max' }), (bytes) => {
        const text = encodeBase45(bytes);
        assert.equal(text.length, Math.ceil(bytes.length * 1.5));
        assert.deepEqual(decodeBase45(text, CHARS_MAX), bytes);
      }),
    );
  });

  it('decodeBase45 takes a text only if it is the one that encodeBase45 gives (property)', () => {
    const texts = fc.string({ unit: fc.constantFrom(...ALPHABET, 'a', 'é'), maxLength: 12 });
    let taken = 0;
    fc.assert(
      fc.property(texts, (text) => {
        let bytes: Uint8Array;
        try {
          bytes = decodeBase45(text, CHARS_MAX);
        } catch (error) {
          assert.ok(isProtocolError(error, 'BASE45_MALFORMED'));
          return;
        }
        taken++;
        assert.equal(encodeBase45(bytes), text);
      }),
      { numRuns: 3_000 },
    );
    assert.ok(taken > 100, `${taken} of 3,000 taken`);
  });
});
