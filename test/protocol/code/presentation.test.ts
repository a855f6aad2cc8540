import assert from 'node:assert/strict';
import { asciiBytes, concatBytes, hexBytes, hexOf } from '../../../protocol/bytes.ts';
import { parseCode } from '../../../protocol/code/code.ts';
import { codeText } from '../../../protocol/code/code-text.ts';
import {
  encodePresentation,
  gradeOf,
  isCurrentStep,
  isPresentation,
  parseOuterPresentation,
  presentationMessage,
  stepAt,
} from '../../../protocol/code/presentation.ts';
import { type CborValue, encodeCbor } from '../../../protocol/encoding/cbor.ts';
import { isProtocolError } from '../../../protocol/fault.ts';
import { verifyWithNoble } from '../../../protocol/signature/noble.ts';
import { issueCode, keyNamed, presentCode } from '../../support/code-fixture.ts';
import { sha256 } from '../../support/primitives.ts';

const AT_S = Date.UTC(2026, 10, 23, 12) / 1000;
const ISSUER = keyNamed('issuer');
const DEVICE = keyNamed('device');
const CHALLENGE = new Uint8Array(16).fill(7);
const NONE = new Uint8Array(0);
const ISSUED = issueCode({
  region: 'CN-33',
  key: ISSUER,
  index: 1,
  issuedAtS: AT_S,
  fields: { holderKey: DEVICE.publicKey },
});
const SIGNATURE = new Uint8Array(64).fill(9);
const PARTS = { code: ISSUED.bytes, step: 59_000_000, challenge: CHALLENGE, signature: SIGNATURE };

function refuses(bytes: Uint8Array, why: string): void {
  const isExpected = (error: unknown) => isProtocolError(error, 'PRESENTATION_MALFORMED');
  assert.throws(() => parseOuterPresentation(bytes), isExpected, why);
  if (isPresentation(bytes)) assert.throws(() => parseCode(sha256, codeText(bytes)), isExpected, why);
}

/** The good presentation with one of its four parts replaced. */
function withPart(i: number, part: CborValue): Uint8Array {
  const { code, step, challenge, signature } = PARTS;
  return encodeCbor([code, step, challenge, signature].with(i, part as number));
}

describe('presentation', () => {
  it('presentationMessage is that of SPEC.md 6', () => {
    for (const challenge of [NONE, CHALLENGE]) {
      assert.deepEqual(
        presentationMessage(sha256, ISSUED.attestation, { step: 0x01_0203_0405, challenge }),
        concatBytes(
          asciiBytes('entente/presentation/v1\n'),
          sha256(ISSUED.attestation),
          hexBytes('0000000102030405'),
          Uint8Array.of(challenge.length),
          challenge,
        ),
      );
    }
  });

  it('parseCode gives code and presentation, whose signature the holder key verifies', () => {
    const parsed = parseCode(sha256, presentCode(ISSUED, DEVICE, AT_S, CHALLENGE));
    const { presentation, ...rest } = parsed;
    assert.ok(presentation);
    assert.deepEqual({ ...rest, presentation: undefined }, parseCode(sha256, ISSUED.text));
    assert.equal(presentation.step, stepAt(AT_S));
    assert.deepEqual(presentation.challenge, CHALLENGE);
    const { message, signature } = presentation;
    assert.ok(verifyWithNoble({ publicKey: DEVICE.publicKey, message, signature }));
    assert.ok(!verifyWithNoble({ publicKey: ISSUER.publicKey, message, signature }));
  });

  it('parseOuterPresentation gives back what encodePresentation took', () => {
    for (const length of [0, 8, 32]) {
      for (const step of [0, Number.MAX_SAFE_INTEGER]) {
        const parts = { ...PARTS, step, challenge: CHALLENGE.slice(0, length) };
        if (length === 32) parts.challenge = new Uint8Array(32).fill(1);
        const bytes = encodePresentation(parts);
        assert.ok(isPresentation(bytes));
        assert.deepEqual(parseOuterPresentation(bytes), parts);
      }
    }
  });

  it('parseCode rejects a challenge of 1 to 7 or of 33 bytes, other lengths of signature, and other kinds', () => {
    for (let length = 1; length < 8; length++)
      refuses(withPart(2, new Uint8Array(length)), `challenge of ${length}`);
    refuses(withPart(2, new Uint8Array(33)), 'challenge of 33');
    for (const length of [0, 63, 65]) refuses(withPart(3, new Uint8Array(length)), `signature of ${length}`);
    for (let i = 0; i < 4; i++) {
      for (const other of [null, -1, 'text', [], {}]) refuses(withPart(i, other), `part ${i}`);
    }
    const { code, challenge, signature } = PARTS;
    const huge = hexBytes('1b0020000000000000');
    const heads = [encodeCbor(code), encodeCbor(challenge), encodeCbor(signature)] as const;
    refuses(concatBytes(Uint8Array.of(0x84), heads[0], huge, heads[1], heads[2]), 'step 2^53');
    refuses(concatBytes(Uint8Array.of(0x84), heads[0], hexBytes('1801'), heads[1], heads[2]), 'a long step');
  });

  it('parseCode rejects every cut and every byte behind', () => {
    const bytes = encodePresentation(PARTS);
    for (let length = 1; length < bytes.length; length++)
      refuses(bytes.subarray(0, length), `${length} bytes`);
    refuses(concatBytes(bytes, Uint8Array.of(0)), 'a byte behind');
    for (const head of [0x83, 0x85]) refuses(bytes.with(0, head), `four elements that say ${head & 15}`);
  });

  it('parseCode rejects a presentation in a presentation, and one of a code that does not open the holder field', () => {
    const inner = encodePresentation(PARTS);
    assert.throws(
      () => parseCode(sha256, codeText(encodePresentation({ ...PARTS, code: inner }))),
      (error) => isProtocolError(error, 'CODE_MALFORMED'),
    );
    const hidden = issueCode({
      region: 'CN-33',
      key: ISSUER,
      index: 2,
      issuedAtS: AT_S,
      fields: { holderKey: DEVICE.publicKey },
      opened: ['status'],
    });
    assert.throws(
      () => parseCode(sha256, presentCode(hidden, DEVICE, AT_S)),
      (error) => isProtocolError(error, 'PRESENTATION_MALFORMED'),
    );
  });

  it('encodePresentation throws TypeError on what no reader takes', () => {
    for (const parts of [
      { step: -1 },
      { step: 0.5 },
      { step: 2 ** 53 },
      { challenge: new Uint8Array(7) },
      { challenge: new Uint8Array(33) },
      { signature: new Uint8Array(63) },
    ]) {
      assert.throws(() => encodePresentation({ ...PARTS, ...parts }), TypeError);
    }
  });

  it('every changed byte of a presentation is refused or leaves a signature that is not good', () => {
    const bytes = hexOf(encodePresentation({ ...PARTS, signature: signatureOf(PARTS.step, CHALLENGE) }));
    const start = ISSUED.bytes.length + 3;
    let checked = 0;
    for (let at = 0; at < bytes.length / 2; at++) {
      if (at >= 3 && at < start) continue; // the code: code.test.ts
      const changed = hexBytes(bytes);
      changed[at] = (changed[at] as number) ^ (1 << (at % 8));
      try {
        const { presentation, holderKey } = parseCode(sha256, codeText(changed));
        assert.ok(presentation && holderKey, `byte ${at}`);
        const { message, signature } = presentation;
        assert.ok(!verifyWithNoble({ publicKey: holderKey, message, signature }), `byte ${at}`);
        checked++;
      } catch (error) {
        assert.ok(isProtocolError(error), `byte ${at}: ${String(error)}`);
      }
    }
    assert.ok(checked >= 4 + 16 + 64);
  });
});

function signatureOf(step: number, challenge: Uint8Array): Uint8Array {
  return DEVICE.sign(presentationMessage(sha256, ISSUED.attestation, { step, challenge }));
}

describe('grade', () => {
  /** The first second of a step. */
  const START_S = 30 * stepAt(AT_S);
  const STEP = stepAt(AT_S);

  it('T7: isCurrentStep holds from 5 s before a step to 60 s after its start', () => {
    for (const [sinceStart, expected] of [
      [-36, false],
      [-30, false],
      [-6, false],
      [-5, true],
      [-1, true],
      [0, true],
      [5, true],
      [29, true],
      [30, true],
      [31, true],
      [59, true],
      [60, false],
      [61, false],
      [90, false],
    ] as const) {
      assert.equal(isCurrentStep(STEP, START_S + sinceStart), expected, `${sinceStart} s`);
    }
  });

  it('T7: isCurrentStep takes one step ahead at most, and no step from far away', () => {
    for (let nowS = START_S - 30; nowS < START_S; nowS++) {
      assert.ok(!isCurrentStep(STEP + 1, nowS));
      assert.ok(!isCurrentStep(STEP - 3, nowS));
    }
    assert.ok(!isCurrentStep(Number.MAX_SAFE_INTEGER, START_S));
    assert.ok(!isCurrentStep(0, START_S));
    assert.ok(isCurrentStep(0, 0));
  });

  it('stepAt changes at the full 30 seconds', () => {
    assert.deepEqual([0, 29, 30, 59, 60].map(stepAt), [0, 0, 1, 1, 2]);
  });

  it('T7: gradeOf tells an answer to this challenge, a live code, and what is worth no more than a plain one', () => {
    const other = CHALLENGE.with(15, 0);
    const live = { step: STEP, challenge: NONE };
    const challenged = { step: STEP, challenge: CHALLENGE };
    assert.deepEqual(gradeOf(challenged, CHALLENGE, AT_S), { grade: 'challenged' });
    assert.deepEqual(gradeOf(live, undefined, AT_S), { grade: 'live' });
    assert.deepEqual(gradeOf(live, CHALLENGE, AT_S), { grade: 'live' });
    assert.deepEqual(gradeOf(live, NONE, AT_S), { grade: 'live' });
    for (const given of [undefined, NONE, other, CHALLENGE.subarray(0, 15)]) {
      assert.deepEqual(gradeOf(challenged, given, AT_S), { grade: 'static', why: 'CHALLENGE_MISMATCH' });
    }
    for (const claims of [live, challenged]) {
      for (const nowS of [START_S - 6, START_S + 60, START_S + 61]) {
        assert.deepEqual(gradeOf(claims, CHALLENGE, nowS), {
          grade: 'static',
          why: 'PRESENTATION_NOT_CURRENT',
        });
      }
    }
  });
});
