import assert from 'node:assert/strict';
import fc from 'fast-check';
import { codeText, decodeCodeText } from '../../../protocol/code/code-text.ts';
import { parseCode } from '../../../protocol/code/code.ts';
import { leafHash } from '../../../protocol/log/merkle.ts';
import { RevocationSet } from '../../../protocol/revocation/revocation-set.ts';
import { checksOf, judge } from '../../../protocol/verdict/judge.ts';
import { type ReasonCode, reasonOf, REASONS } from '../../../protocol/verdict/reasons.ts';
import { DAY_S, HOUR_S, keyNamed, presentCode } from '../../support/code-fixture.ts';
import { sha256 } from '../../support/primitives.ts';
import { cosigned, recognised, stubFingerprint } from '../../support/stub-trust.ts';
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

const HOUR_START_S = Math.floor(ISSUED_AT_S / HOUR_S) * HOUR_S;
const OTHER_KEY = keyNamed('somebody');
const DEVICE = keyNamed('device of the holder');
const CHALLENGE = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
const DOCUMENT = { salt: new Uint8Array(16).fill(3), hash: new Uint8Array(32).fill(4) };

const heldCode = codeOf({ fields: { holderKey: DEVICE.publicKey } });
const shown = (atS: number, challenge?: Uint8Array, key = DEVICE) =>
  presentCode(heldCode, key, atS, challenge);

/** All cosignatures on the issuer's checkpoint have this age; its own, if given, another. */
const aged = (ageS: number, silenceS = ageS, by = [HOME, 'FR', 'IT']) => ({
  cosignatures: [...by.map((region) => cosigned(region, NOW_S - ageS)), cosigned(ISSUER, NOW_S - silenceS)],
});
const homeAged = (ageS: number) => ({
  cosignatures: [ISSUER, 'FR', 'IT'].map((region) => cosigned(region, NOW_S - ageS)),
});
const atPlace = (place: Partial<typeof CONTEXT.place>) => ({
  context: { place: { ...CONTEXT.place, ...place } },
});
const offline = (check: Check): Check => ({ ...check, context: { ...check.context, mode: 'offline' } });

/** The attest key with these properties, in a state that also knows the key as before. */
const withKey = (changes: object) => ({
  issuer: { keys: [{ key: ATTEST_KEY, role: 'attest' as const, ...changes }] },
});

/** A log of one entry is its own proof: the root is the leaf. */
const firstCode = codeOf({ index: 0 });
const compromisedAt = (size: number, root = leafHash(sha256, firstCode.attestation), log = LOG) =>
  withKey({ compromise: { version: 1, cutOffs: new Map([[log, { size, root }]]) } });
const firstProof = {
  log: LOG,
  index: 0,
  size: 1,
  leafHash: leafHash(sha256, firstCode.attestation),
  path: [],
};
const backdated = codeOf({ index: 0, status: { ruleVersion: 2 } });

/** How the text is altered: the last byte of the status's opening stands before the path of 64 bytes and its head. */
function flipped(text: string, at: (length: number) => number): string {
  const bytes = decodeCodeText(text).slice();
  const place = at(bytes.length);
  bytes[place] = (bytes[place] ?? 0) ^ 1;
  return codeText(bytes);
}

interface Row {
  readonly code: ReasonCode;
  readonly when: string;
  readonly given: Check;
  /** The nearest check without the reason. */
  readonly neighbour?: Check;
  /** What the outcome is besides what the table says of the reason alone. */
  readonly outcome?: string;
}

const ROWS: readonly Row[] = [
  { code: 'MALFORMED', when: 'the text is no code', given: { text: 'hello' } },
  { code: 'MALFORMED', when: 'there is no text', given: { text: '' } },
  {
    code: 'VERSION_UNKNOWN',
    when: 'the prefix is ENT2:',
    given: { text: codeOf().text.replace('ENT1', 'ENT2') },
  },
  {
    code: 'COMMITMENT_MISMATCH',
    when: 'a bit of the path is flipped',
    given: { text: flipped(codeOf().text, (length) => length - 1) },
  },
  {
    code: 'NOT_RECOGNISED',
    when: 'the home says nothing of the region',
    given: { known: { recognition: undefined } },
  },
  {
    code: 'RECOGNITION_WITHDRAWN',
    when: 'the home has withdrawn',
    given: { known: { recognition: { standing: 'withdrawn', region: ISSUER, version: 2 } } },
  },
  {
    code: 'RECOGNITION_WITHDRAWN',
    when: 'the home has withdrawn, however old that knowledge',
    given: {
      known: {
        recognition: { standing: 'withdrawn', region: ISSUER, version: 2 },
        homeKnowledge: homeAged(9e6),
      },
    },
  },
  {
    code: 'RECOGNITION_SUSPENDED',
    when: 'the home has suspended, however old that knowledge',
    given: {
      known: { recognition: recognised(ISSUER, { standing: 'suspended' }), homeKnowledge: homeAged(9e6) },
    },
  },
  {
    code: 'RECOGNITION_NOT_IN_FORCE',
    when: 'the recognition ends now',
    given: { known: { recognition: recognised(ISSUER, { untilS: NOW_S }) } },
    neighbour: { known: { recognition: recognised(ISSUER, { untilS: NOW_S + 1 }) } },
  },
  {
    code: 'RECOGNITION_NOT_IN_FORCE',
    when: 'the recognition begins in a second',
    given: { known: { recognition: recognised(ISSUER, { fromS: NOW_S + 1 }) } },
    neighbour: { known: { recognition: recognised(ISSUER, { fromS: NOW_S }) } },
  },
  {
    code: 'WAY_UNSUPPORTED',
    when: 'the region is recognised through a bridge',
    given: { known: { recognition: recognised(ISSUER, { way: 'bridge', via: 'FR' }) } },
    neighbour: { known: { recognition: recognised(ISSUER, { way: 'hosted' }) } },
  },
  {
    code: 'WAY_UNSUPPORTED',
    when: 'the region is recognised by an adapter',
    given: { known: { recognition: recognised(ISSUER, { way: 'adapter' }) } },
  },
  { code: 'TRUST_MISSING', when: 'the region is unknown', given: { known: { without: [ISSUER] } } },
  { code: 'TRUST_MISSING', when: 'the home is unknown', given: { known: { without: [HOME] } } },
  {
    code: 'TRUST_MISSING',
    when: 'the state held is under another root than the recognition pins',
    given: { known: { recognition: recognised(ISSUER, { fingerprint: stubFingerprint('new root') }) } },
  },
  {
    code: 'KNOWLEDGE_STALE',
    when: 'T10 freeze: the knowledge of the region is a second too old online',
    given: { known: { issuerKnowledge: aged(601, 0) } },
    neighbour: { known: { issuerKnowledge: aged(600, 0) } },
  },
  {
    code: 'KNOWLEDGE_STALE',
    when: 'T10 freeze: the knowledge of the region is a second too old offline',
    given: offline({ known: { issuerKnowledge: aged(86_401, 0) } }),
    neighbour: offline({ known: { issuerKnowledge: aged(86_400, 0) } }),
  },
  {
    code: 'KNOWLEDGE_STALE',
    when: 'T10 freeze: the knowledge of the home is a second too old',
    given: { known: { homeKnowledge: homeAged(601) } },
    neighbour: { known: { homeKnowledge: homeAged(600) } },
  },
  {
    code: 'KNOWLEDGE_STALE',
    when: 'the place is stricter than the mode',
    given: { known: { issuerKnowledge: aged(61, 0) }, ...atPlace({ limits: { knowledgeAgeS: 60 } }) },
    neighbour: { known: { issuerKnowledge: aged(60, 0) }, ...atPlace({ limits: { knowledgeAgeS: 60 } }) },
  },
  {
    code: 'UNWITNESSED',
    when: 'one cosignature is missing',
    given: { known: { issuerKnowledge: aged(5, 5, ['FR']) } },
    neighbour: { known: { issuerKnowledge: aged(5, 5, ['FR', 'IT']) } },
  },
  {
    code: 'UNWITNESSED',
    when: 'the home alone vouches for itself and gave no time',
    given: {
      text: codeOf({ region: HOME, key: keyNamed('DE attest') }).text,
      known: {
        home: { recognitions: [] },
        homeKnowledge: { cosignatures: [] },
      },
    },
    neighbour: {
      text: codeOf({ region: HOME, key: keyNamed('DE attest') }).text,
      known: { home: { recognitions: [] }, homeKnowledge: { cosignatures: [cosigned(HOME, NOW_S)] } },
    },
  },
  {
    code: 'CHECKPOINT_KEY_UNFIT',
    when: 'no key that may signed the checkpoint',
    given: { known: { issuerKnowledge: { ...aged(5), logKeyIds: [ATTEST_KEY.keyId] } } },
    neighbour: {
      known: {
        issuerKnowledge: { ...aged(5), logKeyIds: [ATTEST_KEY.keyId, keyNamed('CN-33 checkpoint').keyId] },
      },
    },
  },
  {
    code: 'ISSUER_SILENT_TOO_LONG',
    when: 'the region itself was silent for a second longer than a day',
    given: { known: { issuerKnowledge: aged(5, 86_401) } },
    neighbour: { known: { issuerKnowledge: aged(5, 86_400) } },
  },
  {
    code: 'ISSUER_SILENT_TOO_LONG',
    when: 'the place is stricter',
    given: { known: { issuerKnowledge: aged(5, 61) }, ...atPlace({ limits: { issuerSilenceS: 60 } }) },
    neighbour: { known: { issuerKnowledge: aged(5, 60) }, ...atPlace({ limits: { issuerSilenceS: 60 } }) },
  },
  {
    code: 'ISSUER_SILENT_TOO_LONG',
    when: 'the region itself gave no time',
    given: {
      known: {
        issuerKnowledge: { cosignatures: [HOME, 'FR', 'IT'].map((region) => cosigned(region, NOW_S)) },
      },
    },
  },
  {
    code: 'ISSUER_SILENT',
    when: 'the region itself was silent for a second longer than ten minutes',
    given: { known: { issuerKnowledge: aged(5, 601) } },
    neighbour: { known: { issuerKnowledge: aged(5, 600) } },
  },
  {
    code: 'FORKED',
    when: 'there is evidence',
    given: { known: { issuerKnowledge: { standing: 'forked' } } },
  },
  { code: 'FORKED', when: 'the home is forked', given: { known: { homeKnowledge: { standing: 'forked' } } } },
  {
    code: 'QUARANTINED',
    when: 'both branches have a quorum',
    given: { known: { issuerKnowledge: { standing: 'quarantined' } } },
  },
  { code: 'KEY_UNKNOWN', when: 'nobody announced the key', given: { code: { key: OTHER_KEY } } },
  {
    code: 'KEY_UNKNOWN',
    when: 'the knowledge reaches to the end of the hour of issue',
    given: {
      code: { key: OTHER_KEY },
      known: { issuerKnowledge: aged(NOW_S - HOUR_START_S - HOUR_S, 5) },
      ...atPlace({ limits: { knowledgeAgeS: 1e6 } }),
    },
    neighbour: {
      code: { key: OTHER_KEY },
      known: { issuerKnowledge: aged(NOW_S - HOUR_START_S - HOUR_S + 1, 5) },
      ...atPlace({ limits: { knowledgeAgeS: 1e6 } }),
    },
  },
  {
    code: 'KEY_NOT_YET_KNOWN',
    when: 'the key is unknown and the knowledge too old',
    given: { code: { key: OTHER_KEY }, known: { issuerKnowledge: aged(601, 0) } },
    neighbour: { code: { key: OTHER_KEY } },
  },
  {
    code: 'KEY_NOT_YET_KNOWN',
    when: 'the key is unknown and the code of this hour',
    given: { code: { key: OTHER_KEY, issuedAtS: NOW_S } },
  },
  {
    code: 'KEY_NOT_YET_KNOWN',
    when: 'the log is unknown and the knowledge too old',
    given: { known: { issuer: { logs: [] }, issuerKnowledge: aged(601, 0) } },
  },
  {
    code: 'KEY_NOT_FOR_THIS',
    when: 'the key is one for witnessing',
    given: { known: withKey({ role: 'witness' }) },
  },
  {
    code: 'KEY_NOT_FOR_THIS',
    when: 'the window of the key begins after the hour of issue',
    given: { known: withKey({ fromS: HOUR_START_S + 1 }) },
    neighbour: { known: withKey({ fromS: HOUR_START_S }) },
  },
  {
    code: 'KEY_NOT_FOR_THIS',
    when: 'the window of the key ended at the hour of issue',
    given: { known: withKey({ untilS: HOUR_START_S }) },
    neighbour: { known: withKey({ untilS: HOUR_START_S + 1 }) },
  },
  {
    code: 'SIGNATURE_INVALID',
    when: 'T1: a bit of the signature is flipped',
    // The signature's last byte stands before the opened map.
    given: { text: flipped(codeOf().text, () => 2 + codeOf().attestation.length - 1) },
  },
  {
    code: 'SIGNATURE_INVALID',
    when: 'the code is of another network',
    given: { code: { network: 'other' } },
  },
  {
    code: 'LOG_UNKNOWN',
    when: 'nobody announced the log',
    given: { known: { issuer: { logs: ['2026-10'] } } },
  },
  {
    code: 'BEYOND_CUT_OFF',
    when: 'T3: the index is the size of the cut-off',
    given: { code: { index: 1 }, known: compromisedAt(1) },
    neighbour: { text: firstCode.text, known: compromisedAt(1), context: { proofs: [firstProof] } },
  },
  {
    code: 'BEYOND_CUT_OFF',
    when: 'T3: no cut-off names the log',
    given: { text: firstCode.text, known: compromisedAt(1, undefined, '2026-10') },
  },
  {
    code: 'PROOF_NEEDED',
    when: 'T3: the index is below the cut-off and nobody proves the leaf',
    given: { text: firstCode.text, known: compromisedAt(1) },
    neighbour: { text: firstCode.text, known: compromisedAt(1), context: { proofs: [firstProof] } },
  },
  {
    code: 'LEAF_MISMATCH',
    when: 'T3: the log holds another leaf there',
    given: { text: backdated.text, known: compromisedAt(1), context: { proofs: [firstProof] } },
    neighbour: { text: firstCode.text, known: compromisedAt(1), context: { proofs: [firstProof] } },
  },
  {
    code: 'PROVEN_IN_LOG',
    when: 'the leaf is proven',
    given: { text: firstCode.text, known: compromisedAt(1), context: { proofs: [firstProof] } },
  },
  {
    code: 'REVOKED',
    when: 'the index is in the set',
    given: { known: { issuer: { revoked: { [LOG]: [69_999, 70_000] } } } },
    neighbour: { known: { issuer: { revoked: { [LOG]: [69_999, 70_001], '2026-10': [70_000] } } } },
  },
  {
    code: 'REVOKED',
    when: 'the index is in the set, however old the knowledge',
    given: { known: { issuer: { revoked: { [LOG]: [70_000] } }, issuerKnowledge: aged(9e6) } },
  },
  {
    code: 'REVOKED',
    when: 'the revocation is held beside the fold',
    given: { known: { issuerKnowledge: { revokedBeside: new Map([[LOG, RevocationSet.of([70_000])]]) } } },
    neighbour: {
      known: { issuerKnowledge: { revokedBeside: new Map([[LOG, RevocationSet.of([70_001])]]) } },
    },
  },
  {
    code: 'NOT_YET_ISSUED',
    when: 'the hour of issue begins 121 s from now',
    given: { nowS: HOUR_START_S - 121 },
    neighbour: { nowS: HOUR_START_S - 120 },
    outcome: 'stop',
  },
  {
    code: 'EXPIRED',
    when: 'the code expires now',
    given: { code: { status: { expiresAtS: NOW_S } } },
    neighbour: { code: { status: { expiresAtS: NOW_S + 1 } } },
  },
  {
    code: 'LIFE_TOO_LONG',
    when: 'the code lives a second longer than 30 days from the end of its hour',
    given: { code: { status: { expiresAtS: HOUR_START_S + HOUR_S + 30 * DAY_S + 1 } } },
    neighbour: { code: { status: { expiresAtS: HOUR_START_S + HOUR_S + 30 * DAY_S } } },
  },
  {
    code: 'PRESENTATION_INVALID',
    when: 'T7: another device signed',
    given: { text: shown(NOW_S, undefined, OTHER_KEY) },
    neighbour: { text: shown(NOW_S) },
  },
  {
    code: 'DOCUMENT_MISMATCH',
    when: 'another document is shown',
    given: { code: { fields: { document: DOCUMENT } }, context: { documentHash: new Uint8Array(32) } },
    neighbour: { code: { fields: { document: DOCUMENT } }, context: { documentHash: DOCUMENT.hash } },
  },
  {
    code: 'DOCUMENT_MATCHED',
    when: 'the document is that of the code',
    given: { code: { fields: { document: DOCUMENT } }, context: { documentHash: DOCUMENT.hash } },
    neighbour: { code: { fields: { document: DOCUMENT } } },
  },
  {
    code: 'STATUS_RED',
    when: 'the code is red',
    given: { code: { status: { colour: 'red', measure: 'isolate', untilS: NOW_S + DAY_S } } },
  },
  {
    code: 'STATUS_YELLOW',
    when: 'the code is yellow',
    given: { code: { status: { colour: 'yellow', measure: 'home', untilS: NOW_S + DAY_S } } },
  },
  {
    code: 'GRADE_TOO_LOW',
    when: 'the place wants a live code and gets a static one',
    given: atPlace({ gradeNeeded: 'live' }),
    neighbour: { text: shown(NOW_S), ...atPlace({ gradeNeeded: 'live' }) },
  },
  {
    code: 'GRADE_TOO_LOW',
    when: 'the place wants a challenged code and gets a live one',
    given: { text: shown(NOW_S), ...atPlace({ gradeNeeded: 'challenged' }) },
    neighbour: {
      text: shown(NOW_S, CHALLENGE),
      context: { place: { ...CONTEXT.place, gradeNeeded: 'challenged' }, challenge: CHALLENGE },
    },
  },
  {
    code: 'IDENTITY_CHECK',
    when: 'a plain code is shown',
    given: {},
    neighbour: { text: shown(NOW_S) },
  },
  {
    code: 'IDENTITY_CHECK',
    when: 'a code made for paper is shown without its document',
    given: { code: { fields: { document: DOCUMENT } } },
    neighbour: { code: { fields: { document: DOCUMENT } }, context: { documentHash: DOCUMENT.hash } },
  },
  {
    code: 'PRESENTATION_NOT_CURRENT',
    when: 'T7: the presentation is 61 s old',
    given: { text: shown(NOW_S - 61) },
    neighbour: { text: shown(NOW_S - 30) },
  },
  {
    code: 'CHALLENGE_MISMATCH',
    when: 'T7: the presentation answers the challenge of another verifier',
    given: { text: shown(NOW_S, CHALLENGE), context: { challenge: CHALLENGE.toReversed() } },
    neighbour: { text: shown(NOW_S, CHALLENGE), context: { challenge: CHALLENGE } },
  },
  {
    code: 'CHALLENGE_MISMATCH',
    when: 'T7: this verifier gave no challenge',
    given: { text: shown(NOW_S, CHALLENGE) },
    neighbour: { text: shown(NOW_S), context: { challenge: CHALLENGE } },
  },
  {
    code: 'NO_WITNESSES',
    when: 'nobody but the home vouches for its log',
    given: {
      text: codeOf({ region: HOME, key: keyNamed('DE attest') }).text,
      known: { home: { recognitions: [] } },
    },
    neighbour: { text: codeOf({ region: HOME, key: keyNamed('DE attest') }).text },
  },
];

describe('judge: every reason of SPEC 11', () => {
  it('passes a green code of a recognised region, with an identity check', () => {
    const verdict = verdictOf();
    assert.equal(verdict.outcome, 'pass');
    assert.deepEqual(codesOf(verdict), ['IDENTITY_CHECK']);
  });

  for (const { code, when, given, neighbour = {}, outcome } of ROWS) {
    it(`${code}: ${when}`, () => {
      const verdict = verdictOf(given);
      assert.ok(codesOf(verdict).includes(code), `got ${codesOf(verdict).join(', ')}`);
      const alone = REASONS[code].outcome;
      if (code === 'STATUS_YELLOW' || code === 'GRADE_TOO_LOW') assert.equal(verdict.outcome, 'act');
      else if (alone !== 'note') assert.equal(verdict.outcome, outcome ?? alone);
      const nearest = codesOf(verdictOf(neighbour));
      assert.ok(!nearest.includes(code), `the neighbour gives ${nearest.join(', ')}`);
    });
  }

  it('covers the whole table', () => {
    const covered = new Set(ROWS.map(({ code }) => code));
    assert.deepEqual(
      Object.keys(REASONS).filter((code) => !covered.has(code as ReasonCode)),
      [],
    );
  });

  it('gives each neighbour a pass where its row stops or leaves open, unless another rule holds', () => {
    const open = new Set<ReasonCode>(['KEY_UNKNOWN', 'KEY_NOT_YET_KNOWN', 'NOT_YET_ISSUED', 'GRADE_TOO_LOW']);
    for (const { code, when, neighbour = {} } of ROWS) {
      if (REASONS[code].outcome === 'note' || open.has(code)) continue;
      assert.equal(verdictOf(neighbour).outcome, 'pass', `${code}: ${when}`);
    }
  });
});

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
    assert.deepEqual(codes([true, false]), ['PRESENTATION_INVALID', 'IDENTITY_CHECK']);
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
