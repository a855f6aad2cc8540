/** Rows of SPEC 11 about regions: recognition, and what the verifier knows of them. */
import { keyNamed } from './code-fixture.ts';
import { cosigned, recognised, stubFingerprint } from './stub-trust.ts';
import { ATTEST_KEY, codeOf, HOME, ISSUER, NOW_S } from './verdict-fixture.ts';
import { aged, atPlace, homeAged, offline, type Row } from './verdict-rows.ts';

export const ROWS_OF_REGIONS: readonly Row[] = [
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
  {
    code: 'RULES_NOT_EVALUATED',
    when: 'the recognition names rules that the verifier does not have',
    given: { known: { recognition: recognised(ISSUER, { rules: 'strict' }) } },
    neighbour: { known: { recognition: recognised(ISSUER, { rules: null }) } },
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
