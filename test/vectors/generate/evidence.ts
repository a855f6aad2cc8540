/**
 * Makes `test/vectors/evidence.json`: evidence that proves, and attempts to frame a region that did not do it. Deterministic. What is
 * proven is known from how a case is made. Run from the project root: `npx tsx test/vectors/generate/evidence.ts`.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hexOf } from '../../../protocol/bytes.ts';
import { type Evidence, encodeEvidence } from '../../../protocol/evidence/evidence.ts';
import { type FaultCode } from '../../../protocol/fault.ts';
import { type ReferenceTree } from '../../support/reference-tree.ts';
import { accused, NETWORK, ORIGIN, PINS, story, otherStory, trustStory, otherTrustStory, backdated, disordered, witness } from '../../support/evidence-fixture.ts';
import { START_S } from '../../support/region-fixture.ts';
import { projectRoot } from '../../support/project.ts';
import { framed } from './evidence-framed.ts';
import { malformed } from './evidence-malformed.ts';
import * as made from './evidence-proven.ts';

export const EVIDENCE_VECTOR_FILE = join(projectRoot, 'test/vectors/evidence.json');

const ABOUT = [
  'SPEC.md 18. A case has a fault or what it proves: whose words, of which log, where they part, the ids of the keys behind each, and size and root of each checkpoint. Bytes are in hexadecimal.',
  'shared: the fingerprints of the roots that the reader knows.',
];

export interface EvidenceVector {
  readonly name: string;
  readonly evidence: string;
  readonly fault?: FaultCode;
  readonly proven?: ProvenVector;
}

export interface ProvenVector {
  readonly kind: Evidence['kind'];
  readonly region: string;
  readonly origin: string;
  readonly at: number;
  readonly words: readonly (readonly string[])[];
  readonly checkpoints: readonly (readonly [size: number, root: string])[];
}

export interface EvidenceVectors {
  readonly shared: { readonly pins: Readonly<Record<string, string>> };
  readonly evidence: readonly EvidenceVector[];
}

const sized = (tree: ReferenceTree, size = tree.entries.length) => [size, hexOf(tree.root(size))] as const;
const checkpointKey = accused.keys.checkpoint.keyId;
const attestKey = accused.keys.attest.keyId;
const witnessKey = witness.keys.witness.keyId;
const tableKey = accused.keys['trust-log'].keyId;
const twoTableWords = [[tableKey], [tableKey]];
const own = { region: 'DE', origin: ORIGIN } as const;
const ownTrust = { region: 'DE', origin: `DE.${NETWORK}/trust` } as const;

const proven: readonly (readonly [name: string, evidence: Evidence, proven: ProvenVector])[] = [
  [
    'A1 B58 two roots of one size',
    made.sameSize,
    { kind: 'fork', ...own, at: 5, words: [[checkpointKey], [checkpointKey]], checkpoints: [sized(story, 5), sized(otherStory, 5)] },
  ],
  [
    'A2 B56 two sizes of which neither goes on from the other',
    made.twoSizes,
    { kind: 'fork', ...own, at: 4, words: [[checkpointKey], [checkpointKey]], checkpoints: [sized(story, 7), sized(otherStory)] },
  ],
  [
    'A18 two writers with keys of their own, the second admitted by a later root',
    made.twoWriters,
    {
      kind: 'fork',
      ...own,
      at: 5,
      words: [[checkpointKey], [made.secondWriter.keyId]],
      checkpoints: [sized(story, 5), sized(otherStory, 5)],
    },
  ],
  [
    'T4 a trust log',
    made.trustLog,
    {
      kind: 'fork',
      ...ownTrust,
      at: 5,
      words: [[checkpointKey], [checkpointKey]],
      checkpoints: [sized(trustStory, 5), sized(otherTrustStory)],
    },
  ],
  [
    'A13 A14 A15 a witness that vouched for both',
    made.witnessed,
    {
      kind: 'cosignatures',
      ...ownTrust,
      region: 'FR',
      at: 5,
      words: [[witnessKey], [witnessKey]],
      checkpoints: [sized(trustStory), sized(otherTrustStory, 5)],
    },
  ],
  [
    'A13 the own witness of the log that vouched for both',
    made.witnessedByOwn,
    {
      kind: 'cosignatures',
      ...ownTrust,
      at: 5,
      words: [[accused.keys.witness.keyId], [accused.keys.witness.keyId]],
      checkpoints: [sized(trustStory, 5), sized(otherTrustStory, 5)],
    },
  ],
  [
    'A9 A10 another leaf than the attestation at its index',
    made.swapped,
    { kind: 'leaf', ...own, at: 4, words: [[attestKey], [checkpointKey]], checkpoints: [sized(story)] },
  ],
  [
    'A10 two attestations for one index',
    made.twice,
    { kind: 'index', ...own, at: 4, words: [[attestKey], [attestKey]], checkpoints: [] },
  ],
  [
    'A11 an entry of an earlier hour behind a later one',
    made.backdatedEntry,
    { kind: 'hours', ...own, at: 5, words: [[checkpointKey]], checkpoints: [sized(backdated)] },
  ],
  [
    'A9 an attestation at the index of another',
    made.reordered,
    { kind: 'entry', ...own, at: 3, words: [[checkpointKey]], checkpoints: [sized(disordered)] },
  ],
  [
    'A9 A19 an attestation of another log',
    made.ofAnotherLog,
    { kind: 'entry', ...own, at: 4, words: [[checkpointKey]], checkpoints: [sized(disordered)] },
  ],
  [
    'A6 A9 an entry that is no attestation',
    made.noAttestation,
    { kind: 'entry', ...own, at: 5, words: [[checkpointKey]], checkpoints: [sized(disordered)] },
  ],
  ['two tables of numbers for one minute', made.twoTables, { kind: 'tables', ...ownTrust, at: START_S / 60, words: twoTableWords, checkpoints: [] }],
  ['two tables of numbers within one minute', made.tablesOfAMinute, { kind: 'tables', ...ownTrust, at: START_S / 60, words: twoTableWords, checkpoints: [] }],
];

function evidenceVectors(): EvidenceVector[] {
  return [
    ...proven.map(([name, evidence, found]) => ({ name, evidence: hexOf(encodeEvidence(evidence)), proven: found })),
    ...malformed.map(([name, bytes, fault = 'EVIDENCE_MALFORMED']) => ({ name, evidence: hexOf(bytes), fault })),
    ...framed.map(([name, fault, evidence]) => ({ name, evidence: hexOf(encodeEvidence(evidence)), fault })),
  ];
}

/** The text of the file: one line a case, always the same. */
export function evidenceVectorText(): string {
  const pins = Object.fromEntries(Object.entries(PINS).map(([region, pin]) => [region, hexOf(pin)]));
  const cases = evidenceVectors().map((one) => `    ${JSON.stringify(one)}`);
  const parts = [
    `"about": ${JSON.stringify(ABOUT)}`,
    `"shared": ${JSON.stringify({ pins })}`,
    `"evidence": [\n${cases.join(',\n')}\n  ]`,
  ];
  return `{\n  ${parts.join(',\n  ')}\n}\n`;
}

if (process.argv[1] === import.meta.filename) writeFileSync(EVIDENCE_VECTOR_FILE, evidenceVectorText());
