/**
 * Makes `test/vectors/verdict.json`: checks at a gate, each beside the nearest one without its reason.
 * Deterministic. Which reason a case is for is known from how it is made; the whole verdict is asked of the library.
 * Run from the project root: `npx tsx test/vectors/generate/verdict.ts`.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hexOf } from '../../../protocol/bytes.ts';
import { type VerdictContext } from '../../../protocol/verdict/verdict.ts';
import { knowledgeVector } from '../../support/knowledge-vectors.ts';
import { projectRoot } from '../../support/project.ts';
import { type Check, codeOf, CONTEXT, HOME, knowledgeOf, NOW_S, verdictOf } from '../../support/verdict-fixture.ts';
import { ROWS_OF_BRIDGES } from '../../support/verdict-rows-of-bridges.ts';
import { ROWS_OF_CODES } from '../../support/verdict-rows-of-codes.ts';
import { ROWS_OF_REGIONS } from '../../support/verdict-rows-of-regions.ts';
import { type ContextVector, type VerdictVector, verdictVector } from '../../support/verdict-vectors.ts';

export const VERDICT_VECTOR_FILE = join(projectRoot, 'test/vectors/verdict.json');

const ABOUT = [
  'SPEC.md 9 and 11, in the network demo, with the rules of acceptance by colour. Bytes are in hexadecimal; a set of indexes is a list.',
  'regions: what the verifier is handed; whether it may use it is part of the verdict. keys are by key id, one with cutoffs is compromised; signedBy are the keys whose signature on the checkpoint is good; foreignRevoked are hashes of codes of others; adapters are what it announces of those, with the data as CBOR; cosignatures are good and [region, key id, timestamp].',
  'context: grade is the one the place demands; knowledgeAge and silence are its limits where it has any; documentHash is of the document shown; challenge is the one given.',
  'expect: reasons sorted by name, without repetition; fault is the fault of the text; knowledge is [region, knowledge age, issuer silence, [counted, needed, w]] of the home, then the region of the code and then that of its original, null where there is no time.',
];

function contextVector(context: VerdictContext): ContextVector {
  const { mode, place, challenge, documentHash, proofs } = context;
  const { knowledgeAgeS, issuerSilenceS } = place.limits ?? {};
  return {
    mode,
    grade: place.gradeNeeded,
    ...(knowledgeAgeS !== undefined && { knowledgeAge: knowledgeAgeS }),
    ...(issuerSilenceS !== undefined && { silence: issuerSilenceS }),
    ...(challenge && { challenge: hexOf(challenge) }),
    ...(documentHash && { documentHash: hexOf(documentHash) }),
    ...(proofs && {
      proofs: proofs.map(({ leafHash, path, ...place }) => ({
        ...place,
        leafHash: hexOf(leafHash),
        path: path.map(hexOf),
      })),
    }),
  };
}

function vectorOf(name: string, check: Check): VerdictVector {
  return {
    name,
    text: check.text ?? codeOf(check.code).text,
    home: HOME,
    regions: knowledgeOf(check.known).map(knowledgeVector),
    context: contextVector({ ...CONTEXT, ...check.context }),
    now: check.nowS ?? NOW_S,
    expect: verdictVector(verdictOf(check)),
  };
}

/** One line a case, always the same. */
export function verdictVectorText(): string {
  const verdicts = [vectorOf('all is well', {})];
  for (const { code, when, given, neighbour } of [...ROWS_OF_REGIONS, ...ROWS_OF_CODES, ...ROWS_OF_BRIDGES]) {
    verdicts.push(vectorOf(`${code}: ${when}`, given));
    if (neighbour) verdicts.push(vectorOf(`not ${code}: the nearest to ${when}`, neighbour));
  }
  const lines = verdicts.map((one) => `    ${JSON.stringify(one)}`).join(',\n');
  return `{\n  "about": ${JSON.stringify(ABOUT)},\n  "verdicts": [\n${lines}\n  ]\n}\n`;
}

if (process.argv[1] === import.meta.filename) writeFileSync(VERDICT_VECTOR_FILE, verdictVectorText());
