import assert from 'node:assert/strict';
import fc from 'fast-check';
import { concatBytes, equalBytes, hexBytes } from '../../../protocol/bytes.ts';
import { draftAttestation, encodeAttestation } from '../../../protocol/code/attestation-draft.ts';
import { attestationMessage } from '../../../protocol/code/attestation.ts';
import { codeText } from '../../../protocol/code/code-text.ts';
import { encodeCode, parseCode, parseCodeBytes } from '../../../protocol/code/code.ts';
import { FIELD_NAMES, type FieldName, type Fields } from '../../../protocol/code/field.ts';
import { commitFields } from '../../../protocol/code/openings.ts';
import { type CborValue, encodeCbor } from '../../../protocol/encoding/cbor.ts';
import { type FaultCode, isProtocolError } from '../../../protocol/fault.ts';
import { CODE_CHARS_MAX } from '../../../protocol/limits.ts';
import { verifyWithNoble } from '../../../protocol/signature/noble.ts';
import { issueCode, keyNamed, presentCode } from '../../support/code-fixture.ts';
import { sha256 } from '../../support/primitives.ts';

const AT_S = Date.UTC(2026, 10, 23, 12) / 1000;
const ISSUER = keyNamed('issuer');
const FIELDS: Fields = {
  status: {
    colour: 'red',
    measure: 'isolate',
    untilS: AT_S + 9,
    expiresAtS: AT_S + 99,
    ruleId: 'r',
    ruleVersion: 2,
  },
  holderKey: keyNamed('device').publicKey,
  document: { salt: new Uint8Array(16).fill(1), hash: new Uint8Array(32).fill(2) },
  evidence: new Uint8Array(32).fill(3),
};
const { commitment, openings } = commitFields(sha256, FIELDS, (length) =>
  Uint8Array.from({ length }, (_, i) => i),
);
const CLAIMS = { region: 'CN-33', log: '2026-11', index: 7, hour: AT_S / 3600, commitment };
const ATTESTATION = encodeAttestation(CLAIMS, ISSUER.keyId, 'demo', ISSUER.sign);
const NOTHING = { holderKey: undefined, document: undefined, evidence: undefined, presentation: undefined };

function codeOf(...names: readonly FieldName[]): Uint8Array {
  return encodeCode(sha256, ATTESTATION, openings, names);
}

function refuses(bytes: Uint8Array, code: FaultCode, why: string): void {
  const isExpected = (error: unknown) => isProtocolError(error, code);
  assert.throws(() => parseCodeBytes(sha256, bytes), isExpected, why);
}

const opening = (field: number) => openings.opened[field] as Uint8Array;

describe('code', () => {
  it('parseCode gives exactly the opened fields, for all 8 sets that have the status', () => {
    const { status, holderKey, document, evidence } = FIELDS;
    const lengths = new Map<number, number>();
    for (let set = 1; set < 16; set += 2) {
      const names = FIELD_NAMES.filter((_, field) => (set >> field) & 1);
      const bytes = codeOf(...names);
      const { attestation, ...said } = parseCode(sha256, codeText(bytes));
      assert.deepEqual(attestation.bytes, ATTESTATION);
      assert.deepEqual(
        said,
        {
          ...NOTHING,
          status,
          ...(names.includes('holder') && { holderKey }),
          ...(names.includes('document') && { document }),
          ...(names.includes('evidence') && { evidence }),
        },
        names.join(),
      );
      assert.deepEqual(encodeCode(sha256, ATTESTATION, openings, names.toReversed()), bytes);
      const opened = names.reduce((sum, name) => sum + opening(FIELD_NAMES.indexOf(name)).length, 0);
      lengths.set(set, bytes.length - opened);
    }
    // SPEC.md 5.3: a hash for each pair of which not both are opened.
    for (const [set, length] of lengths) {
      const pairs = ((set & 3) === 3 ? 0 : 1) + ((set & 12) === 12 ? 0 : 1);
      const count = FIELD_NAMES.filter((_, field) => (set >> field) & 1).length;
      assert.equal(length, 1 + 2 + 145 + 1 + 3 * count + (pairs === 0 ? 1 : 2) + 32 * pairs, `set ${set}`);
    }
  });

  it('a plain green code has 257 bytes and 391 characters', () => {
    const { bytes, text } = issueCode({
      region: 'CN-33',
      key: ISSUER,
      index: 1,
      issuedAtS: AT_S,
      fields: { holderKey: keyNamed('device').publicKey },
      opened: ['status'],
    });
    assert.deepEqual([bytes.length, text.length], [257, 391]);
  });

  it('encodeCode throws TypeError without the status, or with a field that is not used', () => {
    assert.throws(() => codeOf('holder'), TypeError);
    assert.throws(() => codeOf(), TypeError);
    const plain = commitFields(sha256, { status: FIELDS.status }, (length) => new Uint8Array(length));
    for (const name of ['holder', 'document', 'evidence'] as const) {
      assert.throws(() => encodeCode(sha256, ATTESTATION, plain.openings, ['status', name]), TypeError);
    }
  });

  it('parseCode rejects every cut, every byte behind, and another number of elements', () => {
    const bytes = codeOf('status', 'holder');
    for (let length = 0; length < bytes.length; length++) {
      refuses(bytes.subarray(0, length), 'CODE_MALFORMED', `${length} bytes`);
    }
    refuses(concatBytes(bytes, Uint8Array.of(0)), 'CODE_MALFORMED', 'a byte behind');
    for (const head of [0x80, 0x82, 0x84, 0x85]) {
      refuses(bytes.with(0, head), 'CODE_MALFORMED', `three elements that say ${head & 15}`);
    }
    const opened = new Map([[0, opening(0)]]);
    const path = codeOf('status').subarray(-64);
    parseCodeBytes(sha256, encodeCbor([ATTESTATION, opened, path]));
    for (const elements of [[], [ATTESTATION, opened], [ATTESTATION, opened, path, 0, 0]]) {
      refuses(encodeCbor(elements), 'CODE_MALFORMED', `${elements.length} elements`);
    }
  });

  it('parseCode rejects elements of other kinds, other field numbers, their wrong order, and no status', () => {
    const path = codeOf('status').subarray(-64);
    const opened = new Map([[0, opening(0)]]);
    const good: CborValue[] = [ATTESTATION, opened, path];
    for (let i = 0; i < 3; i++) {
      for (const other of [null, 0, 'text', [], i === 1 ? path : opened]) {
        refuses(encodeCbor(good.with(i, other)), 'CODE_MALFORMED', `element ${i}`);
      }
    }
    const map = (...entries: [string, Uint8Array][]) =>
      concatBytes(
        Uint8Array.of(0xa0 + entries.length),
        ...entries.flatMap(([key, value]) => [hexBytes(key), encodeCbor(value)]),
      );
    const code = (openedMap: Uint8Array) =>
      concatBytes(hexBytes('83'), encodeCbor(ATTESTATION), openedMap, encodeCbor(path));
    parseCodeBytes(sha256, code(map(['00', opening(0)])));
    for (const [openedMap, why] of [
      [map(), 'no field'],
      [map(['01', opening(1)]), 'no status'],
      [map(['02', opening(2)], ['03', opening(3)]), 'no status, but a pair'],
      [map(['00', opening(0)], ['04', opening(1)]), 'field 4'],
      [map(['00', opening(0)], ['20', opening(1)]), 'field -1'],
      [map(['00', opening(0)], ['6130', opening(1)]), 'a text key'],
      [map(['00', opening(0)], ['1801', opening(1)]), 'a long key'],
      [map(['00', opening(0)], ['00', opening(0)]), 'B22: a doubled key'],
      [map(['01', opening(1)], ['00', opening(0)]), 'another order'],
      [
        map(
          ['00', opening(0)],
          ['01', opening(1)],
          ['02', opening(2)],
          ['03', opening(3)],
          ['04', opening(3)],
        ),
        'five',
      ],
      [map(['00', opening(0).subarray(0, 16)]), 'an opening of 16 bytes'],
      [map(['00', new Uint8Array(273)]), 'an opening of 273 bytes'],
    ] as const) {
      refuses(code(openedMap), 'CODE_MALFORMED', why);
    }
    refuses(code(map(['00', new Uint8Array(272)])), 'FIELD_MALFORMED', 'an opening of 272 bytes');
    refuses(code(map(['00', new Uint8Array(17)])), 'FIELD_MALFORMED', 'an opening of 17 bytes');
  });

  it('parseCode rejects a path of any other length than SPEC.md 5.3 gives', () => {
    for (const names of [
      ['status'],
      ['status', 'holder'],
      ['status', 'holder', 'document', 'evidence'],
    ] as const) {
      const bytes = codeOf(...names);
      const { attestation } = parseCodeBytes(sha256, bytes);
      const opened = new Map(names.map((_, field) => [field, opening(field)]));
      const right = names.length === 1 ? 64 : names.length === 2 ? 32 : 0;
      for (const length of [0, 31, 32, 33, 63, 64, 65, 96, 128]) {
        if (length === right) continue;
        const code = encodeCbor([attestation.bytes, opened, new Uint8Array(length)]);
        refuses(code, 'CODE_MALFORMED', `${length} bytes beside ${names.length}`);
      }
    }
  });

  it('parseCode rejects a value that is no holder key, document hash or digest', () => {
    const salt = new Uint8Array(16);
    for (let field = 1; field < 4; field++) {
      for (const [value, why] of [
        [encodeCbor(new Uint8Array(31)), '31 bytes'],
        [encodeCbor(new Uint8Array(33)), '33 bytes'],
        [encodeCbor('x'.repeat(32)), 'text'],
        [new Uint8Array(32), 'no head'],
        [concatBytes(hexBytes('590020'), new Uint8Array(32)), 'a long head'],
        [concatBytes(hexBytes('581f'), new Uint8Array(32)), 'a head that says 31'],
        [concatBytes(hexBytes('5821'), new Uint8Array(32)), 'a head that says 33'],
        [concatBytes(encodeCbor(new Uint8Array(32)), Uint8Array.of(0)), 'a byte behind'],
        [encodeCbor(null), 'null'],
      ] as const) {
        const opened = new Map([
          [0, opening(0)],
          [field, concatBytes(salt, value)],
        ]);
        const path = new Uint8Array(field === 1 ? 32 : 64);
        const code = encodeCbor([ATTESTATION, opened, path]);
        refuses(code, 'FIELD_MALFORMED', `${why} as field ${field}`);
        assert.throws(
          () => parseCodeBytes(sha256, code),
          (error) => isProtocolError(error) && error.fault.details['field'] === FIELD_NAMES[field],
        );
      }
    }
  });

  it('parseCode rejects a good status, salt or path of another attestation as COMMITMENT_MISMATCH', () => {
    const path = codeOf('status').subarray(-64);
    const mixed = (openingBytes: Uint8Array, pathBytes: Uint8Array) =>
      encodeCbor([ATTESTATION, new Map([[0, openingBytes]]), pathBytes]);
    parseCodeBytes(sha256, mixed(opening(0), path));
    const green = commitFields(
      sha256,
      { status: { colour: 'green', measure: 'none', expiresAtS: AT_S + 99, ruleId: 'r', ruleVersion: 2 } },
      (length) => Uint8Array.from({ length }, (_, i) => i),
    ).openings.opened[0] as Uint8Array;
    refuses(mixed(green, path), 'COMMITMENT_MISMATCH', 'another status');
    refuses(mixed(opening(0).with(0, 0xff), path), 'COMMITMENT_MISMATCH', 'another salt');
    refuses(mixed(opening(0), path.with(0, 0xff)), 'COMMITMENT_MISMATCH', 'another path');
    const swapped = concatBytes(path.subarray(32), path.subarray(0, 32));
    refuses(mixed(opening(0), swapped), 'COMMITMENT_MISMATCH', 'a path in the other order');
    const moved = encodeCbor([
      ATTESTATION,
      new Map([
        [0, opening(0)],
        [3, opening(2)],
      ]),
      codeOf('status', 'document').subarray(-64),
    ]);
    refuses(moved, 'COMMITMENT_MISMATCH', 'the document as evidence');
  });

  it('parseCode reports the outermost fault first', () => {
    const bad = { attestation: new Uint8Array(3), opening: new Uint8Array(20), path: new Uint8Array(3) };
    const code = (attestation: Uint8Array, openingBytes: Uint8Array, path: Uint8Array) =>
      encodeCbor([attestation, new Map([[0, openingBytes]]), path]);
    refuses(code(bad.attestation, bad.opening, bad.path), 'CODE_MALFORMED', 'all three');
    refuses(
      code(bad.attestation, bad.opening, new Uint8Array(64)),
      'ATTESTATION_MALFORMED',
      'attestation and field',
    );
    refuses(code(ATTESTATION, bad.opening, new Uint8Array(64)), 'FIELD_MALFORMED', 'field and commitment');
  });

  it('T1: every flipped bit of a code is refused, or leaves a signature that is not good', () => {
    const bytes = codeOf('status', 'holder');
    const good = (changed: Uint8Array) => {
      const { attestation } = parseCode(sha256, codeText(changed));
      const message = attestationMessage(attestation, 'demo');
      return verifyWithNoble({ publicKey: ISSUER.publicKey, message, signature: attestation.signature });
    };
    assert.ok(good(bytes));
    let unsigned = 0;
    for (let at = 0; at < bytes.length; at++) {
      for (let bit = 0; bit < 8; bit++) {
        const changed = bytes.with(at, (bytes[at] as number) ^ (1 << bit));
        try {
          assert.ok(!good(changed), `byte ${at}, bit ${bit}`);
          unsigned++;
        } catch (error) {
          assert.ok(isProtocolError(error), `byte ${at}, bit ${bit}: ${String(error)}`);
        }
      }
    }
    assert.ok(unsigned >= 8 * (5 + 64), 'index and signature take any value');
  });

  it('T1: every changed character of a text is refused, or leaves a signature that is not good', () => {
    const text = codeText(codeOf('status'));
    for (let at = 0; at < text.length; at++) {
      for (const character of ['0', '7', 'A', 'Z', ' ', ':', 'a', '\u0130']) {
        if (text[at] === character) continue;
        const changed = text.slice(0, at) + character + text.slice(at + 1);
        try {
          const { attestation } = parseCode(sha256, changed);
          const message = attestationMessage(attestation, 'demo');
          const { signature } = attestation;
          assert.ok(!verifyWithNoble({ publicKey: ISSUER.publicKey, message, signature }), `character ${at}`);
        } catch (error) {
          assert.ok(isProtocolError(error), `character ${at}: ${String(error)}`);
        }
      }
    }
  });

  it('parseCode keeps to the bytes it was given: a second parse does not change the first', () => {
    const texts = [codeText(codeOf('status', 'holder')), codeText(codeOf('status', 'document'))] as const;
    const first = parseCode(sha256, texts[0]);
    const before = structuredClone(first);
    parseCode(sha256, texts[1]);
    assert.deepEqual(first, before);
  });

  it('property: parseCode throws nothing but ProtocolError, whatever the text', () => {
    const device = keyNamed('device');
    const issued = issueCode({
      region: 'CN-33',
      key: ISSUER,
      index: 3,
      issuedAtS: AT_S,
      fields: { holderKey: device.publicKey, evidence: new Uint8Array(32) },
    });
    const plain = issued.bytes;
    const shown = presentCode(issued, device, AT_S, new Uint8Array(8));
    const survives = (text: string) => {
      try {
        parseCode(sha256, text);
      } catch (error) {
        assert.ok(isProtocolError(error), String(error));
        assert.ok(!Object.values(error.fault.details).some(Number.isNaN), JSON.stringify(error.fault));
      }
    };
    const edit = fc.record({
      at: fc.nat(plain.length),
      cut: fc.nat(9),
      put: fc.uint8Array({ maxLength: 9 }),
    });
    const edited = fc.array(edit, { minLength: 1, maxLength: 4 }).map((edits) => {
      let bytes = plain;
      for (const { at, cut, put } of edits)
        bytes = concatBytes(bytes.subarray(0, at), put, bytes.subarray(at + cut));
      return codeText(bytes);
    });
    const spliced = fc
      .record({ at: fc.nat(shown.length), cut: fc.nat(6), put: fc.string({ unit: 'binary', maxLength: 6 }) })
      .map(({ at, cut, put }) => shown.slice(0, at) + put + shown.slice(at + cut));
    const wrapped = fc.uint8Array({ maxLength: 400 }).map((bytes) => codeText(bytes));
    const started = fc
      .tuple(fc.constantFrom(0x83, 0x84, 0xd2), fc.uint8Array({ maxLength: 200 }))
      .map(([first, rest]) => codeText(Uint8Array.of(first, ...rest)));
    const anyText = fc.string({ unit: 'binary', maxLength: CODE_CHARS_MAX });
    for (const texts of [edited, spliced, wrapped, started, anyText]) {
      fc.assert(fc.property(texts, survives), { numRuns: 4_000 });
    }
  });

  it('encodeAttestation, encodeCode and parseCode agree for every region, index and set of fields', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('DE', 'CN-33', 'GB-ENG'),
        fc.nat(2 ** 31 - 1),
        fc.uint8Array({ minLength: 128, maxLength: 128 }),
        fc.subarray([...FIELD_NAMES.slice(1)]),
        (region, index, entropy, names) => {
          const { status, holderKey, document, evidence } = FIELDS;
          const fields: Fields = {
            status,
            holderKey: names.includes('holder') ? holderKey : undefined,
            document: names.includes('document') ? document : undefined,
            evidence: names.includes('evidence') ? evidence : undefined,
          };
          const committed = commitFields(sha256, fields, () => entropy);
          const claims = { ...CLAIMS, region, index, commitment: committed.commitment };
          const { bytes } = draftAttestation(claims, ISSUER.keyId, 'demo');
          const code = encodeCode(sha256, bytes, committed.openings, ['status', ...names]);
          const { attestation, ...said } = parseCode(sha256, codeText(code));
          assert.deepEqual(said, { ...NOTHING, ...fields });
          assert.ok(equalBytes(attestation.commitment, committed.commitment));
          assert.deepEqual([attestation.region, attestation.index], [region, index]);
        },
      ),
      { numRuns: 200 },
    );
  });
});
