import assert from 'node:assert/strict';
import { concatBytes, hexBytes, hexOf, asciiBytes } from '../../../protocol/bytes.ts';
import {
  draftAttestation,
  encodeAttestation,
  signAttestation,
} from '../../../protocol/code/attestation-draft.ts';
import {
  type AttestationClaims,
  attestationMessage,
  isHourOfLog,
  parseAttestation,
} from '../../../protocol/code/attestation.ts';
import { type CborValue, encodeCbor } from '../../../protocol/encoding/cbor.ts';
import { isProtocolError } from '../../../protocol/fault.ts';

const KEY_ID = '0123456789abcdef';
const NOVEMBER = Date.UTC(2026, 10) / 3_600_000;
const DECEMBER = Date.UTC(2026, 11) / 3_600_000;
const CLAIMS: AttestationClaims = {
  region: 'CN-33',
  log: '2026-11',
  index: 0x01_0203_0405,
  hour: NOVEMBER + 500,
  commitment: new Uint8Array(32).fill(0xcc),
};
const SIGNATURE = new Uint8Array(64).fill(0x55);
const PROTECTED = hexBytes(`a201270448${KEY_ID}`);
const GOOD = encode(CLAIMS);

function encode(claims: AttestationClaims): Uint8Array {
  return encodeAttestation(claims, KEY_ID, 'demo', () => SIGNATURE);
}

/** A COSE_Sign1 with any parts. */
function sign1(parts: readonly CborValue[], tag = 'd2'): Uint8Array {
  return concatBytes(hexBytes(tag), encodeCbor(parts));
}

const { region, log, hour, commitment } = CLAIMS;
const INDEX = Uint8Array.of(1, 2, 3, 4, 5);

function withPayload(...elements: readonly CborValue[]): Uint8Array {
  return sign1([PROTECTED, {}, encodeCbor(elements), SIGNATURE]);
}

function refuses(bytes: Uint8Array, why: string, offset?: number): void {
  assert.throws(
    () => parseAttestation(bytes),
    (error) =>
      isProtocolError(error, 'ATTESTATION_MALFORMED') &&
      (offset === undefined || error.fault.details['offset'] === offset),
    why,
  );
}

describe('attestation', () => {
  it('encodeAttestation gives the 145 bytes of SPEC.md 5.1, and parseAttestation what they say', () => {
    assert.equal(
      hexOf(GOOD),
      `d2844da201270448${KEY_ID}a0583c85` +
        '65434e2d3333' +
        '67323032362d3131' +
        '450102030405' +
        `1a${hour.toString(16).padStart(8, '0')}` +
        `5820${'cc'.repeat(32)}5840${'55'.repeat(64)}`,
    );
    assert.equal(GOOD.length, 145);
    assert.deepEqual(parseAttestation(GOOD), { ...CLAIMS, keyId: KEY_ID, signature: SIGNATURE, bytes: GOOD });
    assert.deepEqual(withPayload(region, log, INDEX, hour, commitment), GOOD);
  });

  it('T23: all attestations of a log have one length', () => {
    const lengths = new Set<number>();
    for (const index of [0, 23, 255, 2 ** 32, 2 ** 40 - 1]) {
      for (const at of [NOVEMBER, DECEMBER - 1]) lengths.add(encode({ ...CLAIMS, index, hour: at }).length);
    }
    assert.deepEqual([...lengths], [145]);
  });

  it('attestationMessage is the Sig_structure of RFC 9052 4.4 with the origin as external data', () => {
    const attestation = parseAttestation(GOOD);
    const payload = encodeCbor([region, log, INDEX, hour, commitment]);
    const origin = 'CN-33.demo/attest/2026-11';
    assert.deepEqual(
      attestationMessage(attestation, 'demo'),
      encodeCbor(['Signature1', PROTECTED, asciiBytes(`entente/attestation/v1\n${origin}`), payload]),
    );
    assert.notDeepEqual(attestationMessage(attestation, 'demo'), attestationMessage(attestation, 'demp'));
  });

  it('attestationMessage is deterministic CBOR for the shortest and longest names', () => {
    for (const [shortRegion, log2, network] of [
      ['DE', '2026-11', 'a'],
      ['CN-ABC', '2026-11.9', 'a'.repeat(32)],
    ] as const) {
      const bytes = encodeAttestation(
        { ...CLAIMS, region: shortRegion, log: log2 },
        KEY_ID,
        network,
        () => SIGNATURE,
      );
      const label = asciiBytes(`entente/attestation/v1\n${shortRegion}.${network}/attest/${log2}`);
      const payload = encodeCbor([shortRegion, log2, INDEX, hour, commitment]);
      const attestation = parseAttestation(bytes);
      assert.equal(attestation.region, shortRegion);
      assert.deepEqual(
        attestationMessage(attestation, network),
        encodeCbor(['Signature1', PROTECTED, label, payload]),
      );
    }
  });

  it('encodeAttestation signs the message of what it encodes', () => {
    const seen: Uint8Array[] = [];
    const bytes = encodeAttestation(CLAIMS, KEY_ID, 'demo', (message) => {
      seen.push(message);
      return SIGNATURE;
    });
    assert.deepEqual(seen, [attestationMessage(parseAttestation(bytes), 'demo')]);
  });

  it('draftAttestation and signAttestation together are encodeAttestation, and leave the draft as it was', () => {
    const draft = draftAttestation(CLAIMS, KEY_ID, 'demo');
    const before = draft.bytes.slice();
    assert.deepEqual(signAttestation(draft.bytes, SIGNATURE), GOOD);
    assert.deepEqual(draft.bytes, before);
    assert.deepEqual(draft.message, attestationMessage(parseAttestation(draft.bytes), 'demo'));
    assert.deepEqual(draftAttestation(CLAIMS, KEY_ID, 'demo'), draft);
    for (const length of [63, 65])
      assert.throws(() => signAttestation(before, new Uint8Array(length)), TypeError);
  });

  it('parseAttestation takes the first and last index, hour and each form of region and log', () => {
    for (const claims of [
      { index: 0 },
      { index: 2 ** 40 - 1 },
      { hour: NOVEMBER },
      { hour: DECEMBER - 1 },
      { region: 'DE' },
      { region: 'GB-E' },
      { region: 'FR-ABC' },
      { log: '2026-11.1' },
      { log: '2026-11.9' },
      { log: '2000-01', hour: Date.UTC(2000, 0) / 3_600_000 },
      { log: '2999-12', hour: Date.UTC(3000, 0) / 3_600_000 - 1 },
    ]) {
      const expected = { ...CLAIMS, ...claims };
      const bytes = encode(expected);
      assert.deepEqual(parseAttestation(bytes), { ...expected, keyId: KEY_ID, signature: SIGNATURE, bytes });
    }
  });

  it('isHourOfLog holds from the first to the last hour of the month', () => {
    for (const log2 of ['2026-11', '2026-11.3']) {
      assert.deepEqual(
        [NOVEMBER - 1, NOVEMBER, DECEMBER - 1, DECEMBER].map((at) => isHourOfLog(at, log2)),
        [false, true, true, false],
      );
    }
  });

  it('parseAttestation rejects an hour outside the month of the log, or of another width', () => {
    for (const at of [NOVEMBER - 1, DECEMBER, 0, 65_535, 65_536, 2 ** 32 - 1, 2 ** 32]) {
      refuses(withPayload(region, log, INDEX, at, commitment), `hour ${at}`);
    }
    refuses(withPayload(region, log, INDEX, -1, commitment), 'negative hour');
    refuses(withPayload(region, log, INDEX, `${hour}`, commitment), 'hour as text');
  });

  it('parseAttestation B30: rejects a missing, wrong, wide or nested tag', () => {
    refuses(GOOD.subarray(1), 'no tag', 0);
    for (const tag of ['d1', 'd3', 'd812', 'd83dd2', 'd2d2', 'd9d9f7d2', 'd2'.repeat(10)]) {
      refuses(concatBytes(hexBytes(tag), GOOD.subarray(1)), tag, 0 + (tag.startsWith('d2') ? 1 : 0));
    }
  });

  it('parseAttestation B31: rejects three or five elements', () => {
    const payload = encodeCbor([region, log, INDEX, hour, commitment]);
    refuses(sign1([PROTECTED, {}, payload]), 'three', 1);
    refuses(sign1([PROTECTED, {}, payload, SIGNATURE, SIGNATURE]), 'five', 1);
    refuses(concatBytes(hexBytes('d2'), encodeCbor({ a: 1 })), 'map', 1);
  });

  it('parseAttestation B32 B33 B34: rejects any other header than EdDSA and a key id, protected', () => {
    const payload = encodeCbor([region, log, INDEX, hour, commitment]);
    const kid = hexBytes(KEY_ID);
    const header = (entries: [number, CborValue][]) => encodeCbor(new Map(entries));
    for (const [value, why] of [
      [
        new Map<number, CborValue>([
          [1, -8],
          [4, kid],
        ]),
        'a map',
      ],
      [new Uint8Array(0), 'empty'],
      [header([[1, -8]]), 'no key id'],
      [header([[4, kid]]), 'no algorithm'],
      [
        header([
          [1, -7],
          [4, kid],
        ]),
        'ES256',
      ],
      [
        header([
          [1, 0],
          [4, kid],
        ]),
        'algorithm 0',
      ],
      [
        header([
          [1, -8],
          [4, new Uint8Array(0)],
        ]),
        'key id of 0 bytes',
      ],
      [
        header([
          [1, -8],
          [4, kid.subarray(1)],
        ]),
        'key id of 7 bytes',
      ],
      [
        header([
          [1, -8],
          [4, Uint8Array.of(...kid, 0)],
        ]),
        'key id of 9 bytes',
      ],
      [
        header([
          [1, -8],
          [2, [1]],
          [4, kid],
        ]),
        'a critical header',
      ],
      [
        header([
          [1, -8],
          [4, kid],
          [5, 0],
        ]),
        'one header more',
      ],
      [concatBytes(hexBytes('a20448'), kid, hexBytes('0127')), 'another order'],
      [concatBytes(hexBytes('a2013807'), PROTECTED.subarray(3)), 'the algorithm in two bytes'],
    ] as const) {
      refuses(sign1([value, {}, payload, SIGNATURE]), why, 2);
    }
    for (const unprotected of [
      new Map<number, CborValue>([[4, kid]]),
      new Map([[1, -8]]),
      { a: 1 },
      [],
      null,
    ]) {
      refuses(sign1([PROTECTED, unprotected, payload, SIGNATURE]), 'unprotected header', 16);
    }
  });

  it('parseAttestation B35: rejects a signature of 63 or 65 bytes, in DER or absent', () => {
    const payload = encodeCbor([region, log, INDEX, hour, commitment]);
    for (const signature of [
      new Uint8Array(63),
      new Uint8Array(65),
      hexBytes(`3045022100${'11'.repeat(32)}0220${'11'.repeat(32)}`),
      new Uint8Array(0),
      null,
      'x'.repeat(64),
    ]) {
      refuses(sign1([PROTECTED, {}, payload, signature]), 'signature', 79);
    }
  });

  it('parseAttestation B38: rejects a missing or further element of the payload, and any of another kind', () => {
    const elements: CborValue[] = [region, log, INDEX, hour, commitment];
    for (let i = 0; i < 5; i++) {
      refuses(withPayload(...elements.toSpliced(i, 1)), `without element ${i}`, 19);
      refuses(withPayload(...elements.toSpliced(i, 0, 0)), `a further element at ${i}`, 19);
      for (const other of [null, true, [], {}, -1, i === 0 || i === 1 ? INDEX : 'text']) {
        refuses(withPayload(...elements.with(i, other)), `element ${i} of another kind`);
      }
    }
    refuses(sign1([PROTECTED, {}, elements, SIGNATURE]), 'a payload outside a byte string', 17);
    refuses(sign1([PROTECTED, {}, null, SIGNATURE]), 'a detached payload', 17);
    refuses(withPayload(region, log, INDEX, hour, new Uint8Array(31)), 'commitment of 31 bytes');
    refuses(withPayload(region, log, INDEX, hour, new Uint8Array(33)), 'commitment of 33 bytes');
    for (const length of [4, 6]) {
      refuses(
        withPayload(region, log, new Uint8Array(length), hour, commitment),
        `index of ${length} bytes`,
        34,
      );
    }
  });

  it('parseAttestation T19: rejects a region or log id of any other form', () => {
    for (const other of [
      '',
      'C',
      'CHN',
      'cn-33',
      'CN-',
      'CN-3333',
      'CN_33',
      'CN-3a',
      'CN-33\n',
      'CN-\u0421',
      ' CN',
    ]) {
      refuses(withPayload(other, log, INDEX, hour, commitment), JSON.stringify(other), 20);
    }
    for (const other of [
      '2026-1',
      '2026-00',
      '2026-13',
      '2026-11.',
      '2026-11.0',
      '2026-11.10',
      '1999-12',
      '3000-01',
      '2026/11',
      '',
    ]) {
      refuses(withPayload(region, other, INDEX, hour, commitment), JSON.stringify(other), 26);
    }
  });

  it('parseAttestation rejects every cut, every byte behind, and CBOR that is not the shortest', () => {
    for (let length = 0; length < GOOD.length; length++) refuses(GOOD.subarray(0, length), `${length} bytes`);
    refuses(Uint8Array.of(...GOOD, 0), 'one byte more', 145);
    refuses(hexBytes(hexOf(GOOD).replace('d284', 'd29804')), 'a long array head', 1);
    refuses(hexBytes(hexOf(GOOD).replace('a0583c', 'a059003c')), 'a long payload head', 17);
    refuses(hexBytes(hexOf(GOOD).replace('a0583c85', 'a0583d85')), 'a payload one byte longer');
    refuses(hexBytes(hexOf(GOOD).replace('5840', '5f5840') + 'ff'), 'a signature in parts', 79);
  });

  it('every changed byte changes the signed message or the signature, or is refused', () => {
    const meaning = (bytes: Uint8Array) => {
      const attestation = parseAttestation(bytes);
      return hexOf(attestationMessage(attestation, 'demo')) + hexOf(attestation.signature);
    };
    const meanings = new Set([meaning(GOOD)]);
    let accepted = 0;
    for (let at = 0; at < GOOD.length; at++) {
      for (let bit = 0; bit < 8; bit++) {
        const bytes = GOOD.with(at, (GOOD[at] as number) ^ (1 << bit));
        try {
          meanings.add(meaning(bytes));
          accepted++;
        } catch (error) {
          assert.ok(isProtocolError(error, 'ATTESTATION_MALFORMED'), `byte ${at}`);
        }
      }
    }
    assert.ok(accepted > 8 * (8 + 5 + 32 + 64), 'key id, index, commitment and signature take any value');
    assert.equal(meanings.size, accepted + 1);
  });

  it('draftAttestation throws TypeError on what has no encoding', () => {
    for (const claims of [
      { region: 'cn' },
      { log: '2026-13' },
      { index: -1 },
      { index: 2 ** 40 },
      { index: 0.5 },
      { hour: NOVEMBER - 1 },
      { hour: DECEMBER },
      { hour: NOVEMBER + 0.5 },
      { commitment: new Uint8Array(31) },
    ]) {
      assert.throws(() => encode({ ...CLAIMS, ...claims }), TypeError, JSON.stringify(claims));
    }
    for (const keyId of ['', KEY_ID.slice(1), KEY_ID.toUpperCase(), `${KEY_ID}0`]) {
      assert.throws(() => draftAttestation(CLAIMS, keyId, 'demo'), TypeError, keyId);
    }
    for (const network of ['', 'Demo', 'a'.repeat(33)]) {
      assert.throws(() => draftAttestation(CLAIMS, KEY_ID, network), TypeError, network);
    }
  });
});
