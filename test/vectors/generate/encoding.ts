/**
 * Makes `test/vectors/encoding.json`: CBOR, base45 and index sets, with what they decode to or the fault that they are.
 * Deterministic. Run from the project root: `npx tsx test/vectors/generate/encoding.ts`.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../../support/project.ts';
import { base45Vectors } from './encoding-base45.ts';
import { cborVectors } from './encoding-cbor.ts';
import { indexSetVectors } from './encoding-index-sets.ts';

const ABOUT = [
  'SPEC.md 2.1, 2.2 and 7. A case has a fault or what it decodes to. Bytes are in hexadecimal; offset counts bytes, in base45 characters.',
  'cbor: value in JSON, with {bytes}, {fields: [[text key, value]]} and {entries: [[integer key, value]]} for what JSON lacks; at most 65,535 bytes.',
  'indexSets: runs of first and last member; members below bound, 2^40 if there is none.',
];

/** The text of the file: one line a case, always the same. */
export function encodingVectorText(): string {
  const list = (cases: readonly object[]) => `[\n${cases.map((one) => `    ${JSON.stringify(one)}`).join(',\n')}\n  ]`;
  const parts = [
    `"about": ${JSON.stringify(ABOUT)}`,
    `"cbor": ${list(cborVectors())}`,
    `"base45": ${list(base45Vectors())}`,
    `"indexSets": ${list(indexSetVectors())}`,
  ];
  return `{\n  ${parts.join(',\n  ')}\n}\n`;
}

if (process.argv[1] === import.meta.filename) {
  writeFileSync(join(projectRoot, 'test/vectors/encoding.json'), encodingVectorText());
}
