/** Rows of SPEC 11 about the code itself, its key and log, its holder and its status. */
import { RevocationSet } from '../../protocol/revocation/revocation-set.ts';
import { DAY_S, HOUR_S } from './code-fixture.ts';
import { codeOf, CONTEXT, LOG, NOW_S } from './verdict-fixture.ts';
import {
  aged,
  atPlace,
  backdated,
  CHALLENGE,
  compromisedAt,
  DOCUMENT,
  firstCode,
  firstProof,
  flipped,
  HOUR_START_S,
  OTHER_KEY,
  type Row,
  shown,
  withKey,
} from './verdict-rows.ts';

export const ROWS_OF_CODES: readonly Row[] = [
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
];
