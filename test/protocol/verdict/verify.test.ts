import assert from 'node:assert/strict';
import fc from 'fast-check';
import { codeText, decodeCodeText } from '../../../protocol/code/code-text.ts';
import { encodeCbor } from '../../../protocol/encoding/cbor.ts';
import { verify } from '../../../protocol/verdict/verify.ts';
import { keyNamed, presentCode } from '../../support/code-fixture.ts';
import {
  codeOf,
  codesOf,
  CONTEXT,
  NOW_S,
  primitives,
  trustOf,
  verdictOf,
} from '../../support/verdict-fixture.ts';

const trust = trustOf();
const OUTCOMES = ['pass', 'act', 'stop', 'undetermined'];

describe('verify', () => {
  const faultOf = (text: string) => {
    const [reason] = verdictOf({ text, trust }).reasons;
    return [reason?.code, reason?.details?.['fault']];
  };

  it('tells by the fault code what is wrong with a text that is no code', () => {
    const good = codeOf().text;
    assert.deepEqual(faultOf(''), ['MALFORMED', 'CODE_EMPTY']);
    assert.deepEqual(faultOf('HC1:6BF'), ['MALFORMED', 'CODE_UNKNOWN']);
    assert.deepEqual(faultOf(good.toLowerCase()), ['MALFORMED', 'CODE_UNKNOWN']);
    assert.deepEqual(faultOf('ENT9:6BF'), ['VERSION_UNKNOWN', undefined]);
    assert.deepEqual(faultOf('ENT1:::::'), ['MALFORMED', 'BASE45_MALFORMED']);
    assert.deepEqual(faultOf(` ${good}`), ['MALFORMED', 'CODE_UNKNOWN']);
    assert.equal(faultOf(`${good} `)[0], 'MALFORMED', 'B8: nothing is trimmed');
    assert.deepEqual(faultOf(`ENT1:${'0'.repeat(4_300)}`), ['MALFORMED', 'TOO_LARGE']);
    assert.deepEqual(faultOf(codeText(encodeCbor([1, 2, 3]))), ['MALFORMED', 'CODE_MALFORMED']);
  });

  it('gives a refused text the form of every verdict', () => {
    const refused = verdictOf({ text: 'x', trust });
    assert.deepEqual(Object.keys(refused), Object.keys(verdictOf({ trust })));
    assert.deepEqual([refused.outcome, refused.atS, refused.knowledge], ['stop', NOW_S, []]);
  });

  it('lets a fault of its own surroundings through', () => {
    const broken = {
      ...primitives,
      sha256: () => {
        throw new TypeError('no hash');
      },
    };
    assert.throws(() => verify(broken, codeOf().text, trust, CONTEXT, NOW_S), TypeError);
  });

  const code = codeOf({ fields: { holderKey: keyNamed('device').publicKey } });
  const texts = [codeOf().text, code.text, presentCode(code, keyNamed('device'), NOW_S)];
  const anyText = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({ unit: 'grapheme' }).map((text) => `ENT1:${text}`),
    fc.uint8Array({ minLength: 1, maxLength: 400 }).map(codeText),
    cborText(),
    fc.tuple(fc.constantFrom(...texts), fc.nat(), fc.string({ minLength: 0, maxLength: 3 })).map(splice),
    fc.tuple(fc.constantFrom(...texts), fc.nat(), fc.uint8Array({ maxLength: 4 })).map(spliceBytes),
  );

  it('T1: is total over 20,000 texts, and none of them passes', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const verdict = verify(primitives, text, trust, CONTEXT, NOW_S);
        assert.ok(OUTCOMES.includes(verdict.outcome));
        assert.ok(verdict.reasons.length > 0 || texts.includes(text));
        if (!texts.includes(text)) assert.notEqual(verdict.outcome, 'pass', codesOf(verdict).join());
      }),
      { numRuns: 20_000 },
    );
  });
});

/** CBOR that is well-formed and mostly no code. */
function cborText(): fc.Arbitrary<string> {
  const { value } = fc.letrec<{ value: CborLike }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.nat(),
      fc.uint8Array({ maxLength: 160 }),
      fc.string({ maxLength: 8 }),
      fc.array(tie('value'), { maxLength: 4 }),
    ),
  }));
  return value.map((item) => codeText(encodeCbor(item)));
}

type CborLike = number | string | Uint8Array | CborLike[];

/** Replaces as many characters at some place as are given, or cuts the text there. */
function splice([text, place, by]: [string, number, string]): string {
  const at = place % text.length;
  return by === '' ? text.slice(0, at) : text.slice(0, at) + by + text.slice(at + by.length);
}

function spliceBytes([text, place, by]: [string, number, Uint8Array]): string {
  const bytes = decodeCodeText(text).slice();
  bytes.set(by.subarray(0, bytes.length - (place % bytes.length)), place % bytes.length);
  return codeText(bytes);
}
