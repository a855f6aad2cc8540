import assert from 'node:assert/strict';
import fc from 'fast-check';
import { codeText, decodeCodeText } from '../../../protocol/code/code-text.ts';
import { parseCode } from '../../../protocol/code/code.ts';
import { checksOf, judge } from '../../../protocol/verdict/judge.ts';
import { reasonOf } from '../../../protocol/verdict/reasons.ts';
import { DAY_S, HOUR_S, keyNamed, presentCode } from '../../support/code-fixture.ts';
import { sha256 } from '../../support/primitives.ts';
import { recognised } from '../../support/stub-trust.ts';
import {
  ATTEST_KEY,
  type Check,
  codeOf,
  codesOf,
  CONTEXT,
  HOME,
  ISSUED_AT_S,
  ISSUER,
  LOG,
  NOW_S,
  trustOf,
  verdictOf,
} from '../../support/verdict-fixture.ts';
import {
  aged,
  DEVICE,
  heldCode,
  homeAged,
  HOUR_START_S,
  OTHER_KEY,
  shown,
} from '../../support/verdict-rows.ts';
import { ROWS_OF_BRIDGES } from '../../support/verdict-rows-of-bridges.ts';
import { ROWS_OF_CODES } from '../../support/verdict-rows-of-codes.ts';
import { ROWS_OF_REGIONS } from '../../support/verdict-rows-of-regions.ts';

const ROWS = [...ROWS_OF_REGIONS, ...ROWS_OF_CODES, ...ROWS_OF_BRIDGES];

describe('judge: what outweighs what', () => {
  it('stops rather than leaves open, leaves open rather than acts', () => {
    const yellow = { status: { colour: 'yellow', measure: 'home', untilS: NOW_S + DAY_S } } as const;
    const stale = { issuerKnowledge: aged(601, 0) };
    assert.equal(verdictOf({ code: yellow, known: stale }).outcome, 'undetermined');
    const revoked = { ...stale, issuer: { revoked: { [LOG]: [70_000] } } };
    assert.equal(verdictOf({ code: yellow, known: revoked }).outcome, 'stop');
  });

  it('never passes and never stops a good code for what the verifier lacks', () => {
    const lacks: Check[] = [
      { known: { without: [ISSUER] } },
      { known: { without: [HOME] } },
      { known: { issuerKnowledge: aged(601) } },
      { known: { homeKnowledge: homeAged(601) } },
      { known: { issuerKnowledge: aged(5, 5, []) } },
      { known: { recognition: undefined, homeKnowledge: homeAged(601) } },
      { known: { recognition: undefined, homeKnowledge: { standing: 'forked' } } },
      { known: { recognition: recognised(ISSUER, { untilS: NOW_S }), homeKnowledge: homeAged(601) } },
      { code: { key: OTHER_KEY }, known: { issuerKnowledge: { standing: 'quarantined' } } },
      { code: { key: OTHER_KEY }, known: { issuerKnowledge: aged(5, 5, []) } },
    ];
    lacks.forEach((check, i) => assert.equal(verdictOf(check).outcome, 'undetermined', `case ${i}`));
  });

  it('gives colour, measure, rule, expiry and grade of a genuine code only', () => {
    const status = { colour: 'yellow', measure: 'home', untilS: NOW_S + DAY_S } as const;
    const genuine = verdictOf({ code: { status } });
    assert.equal(genuine.colour, 'yellow');
    assert.deepEqual(genuine.measure, { kind: 'home', untilS: NOW_S + DAY_S });
    assert.deepEqual(genuine.rule, { id: 'baseline', version: 1 });
    assert.equal(genuine.expiresAtS, ISSUED_AT_S + 7 * DAY_S);
    assert.equal(genuine.grade, 'static');
    const unproven: Check[] = [
      { known: { without: [ISSUER] } },
      { code: { key: OTHER_KEY } },
      { code: { network: 'x' } },
    ];
    for (const check of unproven) {
      const verdict = verdictOf({ ...check, code: { status, ...check.code } });
      const { colour, measure, rule, expiresAtS, grade } = verdict;
      assert.deepEqual(
        { colour, measure, rule, expiresAtS, grade },
        {
          colour: undefined,
          measure: undefined,
          rule: undefined,
          expiresAtS: undefined,
          grade: undefined,
        },
      );
      assert.ok(!codesOf(verdict).includes('STATUS_YELLOW'));
    }
  });

  it('asks acceptance rules of the place instead of the baseline', () => {
    const acceptance = () => [reasonOf('STATUS_YELLOW', undefined, { rule: 'own' })];
    assert.equal(verdictOf({ context: { acceptance } }).outcome, 'act');
    assert.equal(verdictOf({ context: { acceptance }, code: { key: OTHER_KEY } }).outcome, 'stop');
  });

  it('leans on the home and the issuing region, and on the home alone for its own codes', () => {
    assert.deepEqual(
      verdictOf().knowledge.map(({ region, ageS, size }) => ({ region, ageS, size })),
      [HOME, ISSUER].map((region) => ({ region, ageS: 5, size: 7 })),
    );
    const own = verdictOf({ text: codeOf({ region: HOME, key: keyNamed('DE attest') }).text });
    assert.deepEqual(
      own.knowledge.map(({ region }) => region),
      [HOME],
    );
    assert.equal(own.outcome, 'pass');
  });

  it('is plain JSON', () => {
    for (const { given } of ROWS) {
      const verdict = verdictOf(given);
      assert.ok(isPlain(verdict), JSON.stringify(verdict));
    }
  });
});

function isPlain(value: unknown): boolean {
  if (value === undefined || typeof value === 'string' || typeof value === 'boolean') return true;
  if (typeof value === 'number') return Number.isSafeInteger(value);
  if (typeof value !== 'object' || value === null) return false;
  if (!Array.isArray(value) && Object.getPrototypeOf(value) !== Object.prototype) return false;
  return Object.values(value).every(isPlain);
}

describe('judge: T5 a region speaks for its own codes only', () => {
  const french = keyNamed('FR attest');

  it('takes no code of CN-33 by a key of another recognised region', () => {
    const trust = trustOf({ home: { keys: [{ key: french, role: 'attest' }] } });
    assert.equal(trust.regions.get(HOME)?.state.key(french.keyId)?.role, 'attest');
    const verdict = verdictOf({
      code: { key: french },
      known: { home: { keys: [{ key: french, role: 'attest' }] } },
    });
    assert.deepEqual([verdict.outcome, ...codesOf(verdict)], ['stop', 'KEY_UNKNOWN']);
  });

  it('is not helped by a key with the same id and other bytes', () => {
    const twin = { ...french, keyId: ATTEST_KEY.keyId };
    assert.ok(codesOf(verdictOf({ code: { key: twin } })).includes('SIGNATURE_INVALID'));
  });

  it('does not recognise what a recognised region recognises', () => {
    const verdict = verdictOf({
      code: { region: 'PT' },
      known: { issuer: { recognitions: [recognised('PT')] } },
    });
    assert.deepEqual([verdict.outcome, ...codesOf(verdict)], ['stop', 'NOT_RECOGNISED']);
  });

  it('takes revocations and logs of the issuing region only', () => {
    const elsewhere = { home: { revoked: { [LOG]: [70_000] } } };
    assert.equal(verdictOf({ known: elsewhere }).outcome, 'pass');
    const announced = { home: { logs: [LOG] }, issuer: { logs: [] } };
    assert.ok(codesOf(verdictOf({ known: announced })).includes('LOG_UNKNOWN'));
  });
});

describe('judge: T7 stolen screens', () => {
  const trust = trustOf();

  it('is never live 61 s after the device showed the code, whatever the second', () => {
    for (let second = 0; second < 60; second++) {
      const text = shown(NOW_S + second);
      const gradeAt = (ageS: number) => verdictOf({ text, trust, nowS: NOW_S + second + ageS }).grade;
      assert.equal(gradeAt(0), 'live');
      assert.equal(gradeAt(30), 'live', 'the step before still counts');
      assert.equal(gradeAt(61), 'static');
    }
  });

  it('takes a device at most 5 s ahead', () => {
    const stepStartS = Math.ceil(NOW_S / 30) * 30;
    const gradeAt = (nowS: number) => verdictOf({ text: shown(stepStartS), nowS }).grade;
    assert.equal(gradeAt(stepStartS - 5), 'live');
    assert.equal(gradeAt(stepStartS - 6), 'static');
  });

  it('takes none of 1,000 captured presentations as live or challenged', () => {
    const gave = (i: number) => sha256(Uint8Array.of(i & 255, i >> 8));
    for (let i = 0; i < 1_000; i++) {
      // Every other capture answered the challenge of the verifier who was robbed of it.
      const text = shown(NOW_S - 61 - i, i % 2 === 0 ? undefined : gave(i));
      const verdict = verdictOf({ text, trust, context: { challenge: gave(i + 1) } });
      assert.equal(verdict.grade, 'static');
      assert.ok(codesOf(verdict).includes('IDENTITY_CHECK'));
    }
  });

  it('does not carry a presentation over to another code of the same device', () => {
    const other = codeOf({ index: 70_001, fields: { holderKey: DEVICE.publicKey } });
    const signed = presentCode({ ...other, attestation: heldCode.attestation }, DEVICE, NOW_S);
    assert.ok(codesOf(verdictOf({ text: signed })).includes('PRESENTATION_INVALID'));
  });

  it('gives no grade to a presentation whose signature fails', () => {
    const verdict = verdictOf({ text: shown(NOW_S, undefined, OTHER_KEY) });
    assert.equal(verdict.grade, undefined);
    assert.equal(verdict.colour, 'green');
  });
});

describe('checksOf and judge', () => {
  it('asks for the issuer and then the holder', () => {
    const trust = trustOf();
    const checks = (text: string) =>
      checksOf(parseCode(sha256, text), trust).map(({ publicKey }) => publicKey);
    assert.deepEqual(checks(codeOf().text), [ATTEST_KEY.publicKey]);
    assert.deepEqual(checks(shown(NOW_S)), [ATTEST_KEY.publicKey, DEVICE.publicKey]);
    assert.deepEqual(checks(codeOf({ key: OTHER_KEY }).text), []);
  });

  it('takes a plain code that opens the holder field as static', () => {
    const verdict = verdictOf({ text: heldCode.text });
    assert.deepEqual(
      [verdict.outcome, verdict.grade, ...codesOf(verdict)],
      ['pass', 'static', 'IDENTITY_CHECK'],
    );
  });

  it('refuses another number of results', () => {
    const parsed = parseCode(sha256, codeOf().text);
    for (const results of [[], [true, true]]) {
      assert.throws(() => judge(parsed, results, trustOf(), CONTEXT, NOW_S), RangeError);
    }
  });

  it('takes no answer but true', () => {
    const held = parseCode(sha256, shown(NOW_S));
    const codes = (results: boolean[]) => codesOf(judge(held, results, trustOf(), CONTEXT, NOW_S));
    assert.deepEqual(codes([true, true]), []);
    assert.deepEqual(codes([false, true]), ['SIGNATURE_INVALID']);
    assert.deepEqual(codes([true, false]), ['PRESENTATION_INVALID']);
  });

  it('judges a code by its key at the time of issue, not of the check', () => {
    const ended = {
      issuer: { keys: [{ key: ATTEST_KEY, role: 'attest' as const, untilS: HOUR_START_S + HOUR_S }] },
    };
    assert.equal(verdictOf({ known: ended }).outcome, 'pass');
  });

  it('T1: no altered code passes', () => {
    const bytes = decodeCodeText(codeOf().text);
    const trust = trustOf();
    assert.equal(verdictOf({ text: codeText(bytes), trust }).outcome, 'pass');
    fc.assert(
      fc.property(fc.nat(bytes.length * 8 - 1), (bit) => {
        const altered = bytes.slice();
        altered[bit >> 3] = (altered[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        assert.notEqual(verdictOf({ text: codeText(altered), trust }).outcome, 'pass');
      }),
      { numRuns: 1_000 },
    );
  });
});
