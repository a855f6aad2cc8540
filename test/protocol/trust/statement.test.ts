import assert from 'node:assert/strict';
import fc from 'fast-check';
import { asciiBytes, concatBytes } from '../../../protocol/bytes.ts';
import { encodeCbor } from '../../../protocol/encoding/cbor.ts';
import { isProtocolError } from '../../../protocol/fault.ts';
import { ENTRY_BYTES_MAX } from '../../../protocol/limits.ts';
import {
  encodeEntry,
  encodeStatement,
  fingerprintOf,
  parseEntry,
  statementMessage,
} from '../../../protocol/trust/statement.ts';
import { sha256 } from '../../support/primitives.ts';
import { START_S } from '../../support/region-fixture.ts';
import {
  badEntries,
  entryWith,
  goodEntries,
  goodStatements,
} from '../../vectors/generate/trust-statements.ts';

const isMalformed = (error: unknown) => isProtocolError(error, 'STATEMENT_MALFORMED');

describe('parseEntry', () => {
  for (const [name, members] of goodStatements) {
    it(`gives the statement of an entry: ${name}`, () => {
      const entry = parseEntry(entryWith(members));
      assert.deepEqual(entry.statement, members);
      assert.deepEqual(entry.body, encodeCbor(members));
    });
  }

  for (const [name, bytes] of goodEntries) {
    it(`takes, and encodeEntry gives back: ${name}`, () => {
      const { body, signatures } = parseEntry(bytes);
      assert.deepEqual(encodeEntry(body, signatures), bytes);
    });
  }

  for (const [name, bytes] of badEntries) {
    it(`refuses ${name}`, () => {
      assert.throws(() => parseEntry(bytes), isMalformed);
    });
  }

  it('throws nothing but STATEMENT_MALFORMED, whatever the bytes', () => {
    const short = goodEntries.map(([, bytes]) => bytes).filter(({ length }) => length < 1_000);
    const bytes = fc.oneof(fc.uint8Array({ maxLength: 300 }), fc.constantFrom(...short).chain(mutated));
    fc.assert(
      fc.property(bytes, (candidate) => {
        try {
          const entry = parseEntry(candidate);
          assert.deepEqual(encodeEntry(entry.body, entry.signatures), candidate);
        } catch (error) {
          assert(isMalformed(error), String(error));
        }
      }),
      { numRuns: 500 },
    );
  });
});

/** `bytes` with one byte replaced, left out or put in. */
function mutated(bytes: Uint8Array): fc.Arbitrary<Uint8Array> {
  return fc
    .tuple(fc.nat(bytes.length - 1), fc.nat(255), fc.constantFrom(0, 1, 2))
    .map(([place, byte, how]) => {
      const inserted = how === 0 ? [] : [byte];
      return concatBytes(
        bytes.subarray(0, place),
        Uint8Array.from(inserted),
        bytes.subarray(how === 2 ? place : place + 1),
      );
    });
}

describe('encodeStatement', () => {
  it('throws a TypeError on a statement that parseEntry would refuse', () => {
    assert.throws(
      () =>
        encodeStatement({ kind: 'state', at: START_S, format: 2 as 1, items: 1, root: new Uint8Array(32) }),
      TypeError,
    );
  });
});

describe('encodeEntry', () => {
  it('throws a RangeError on no signature, one key twice, and an entry that is too long', () => {
    const signature = { keyId: '00'.repeat(8), signature: new Uint8Array(64) };
    const body = new Uint8Array(1);
    assert.throws(() => encodeEntry(body, []), RangeError);
    assert.throws(() => encodeEntry(body, [signature, signature]), RangeError);
    assert.throws(() => encodeEntry(new Uint8Array(ENTRY_BYTES_MAX), [signature]), RangeError);
  });
});

describe('statementMessage', () => {
  it('is the label, the origin, a newline and the body', () => {
    const body = new Uint8Array([1, 2]);
    const expected = concatBytes(asciiBytes('entente/statement/v1\nDE.test/trust\n'), body);
    assert.deepEqual(statementMessage('DE.test/trust', body), expected);
  });
});

describe('fingerprintOf', () => {
  it('is H("entente/root/v1\\n" || body)', () => {
    const body = new Uint8Array([1, 2]);
    assert.deepEqual(fingerprintOf(sha256, body), sha256(concatBytes(asciiBytes('entente/root/v1\n'), body)));
  });
});
