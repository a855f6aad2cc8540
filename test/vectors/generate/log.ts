/**
 * Makes `test/vectors/log.json`: names, proofs, tiles, signed notes, policies and proof files, with what they prove or
 * the fault that they are. Deterministic. Run from the project root: `npx tsx test/vectors/generate/log.ts`.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../../support/project.ts';
import { checkpointVectors } from './log-checkpoints.ts';
import { originVectors, tilePathVectors } from './log-names.ts';
import { policyVectors, proofVectors, verifierKeyVectors } from './log-policies.ts';
import { bundleVectors, consistencyVectors, inclusionVectors } from './log-trees.ts';

const ABOUT = [
  'SPEC.md 4. A case has a fault or what it proves. Bytes are in hexadecimal, paths of proofs begin at the leaf.',
  'checkpoints: keys are the verifier keys that the reader knows; of signers and cosigners the names are given.',
  'policies: cosigners are public keys that cosigned. proofs: whole files of tlog-proof, with the entry and the policy.',
  'Ed25519 secret keys are 32 equal bytes.',
];

/** The text of the file: one line a case, always the same. */
export function logVectorText(): string {
  const sections = {
    origins: originVectors(),
    tilePaths: tilePathVectors(),
    inclusion: inclusionVectors(),
    consistency: consistencyVectors(),
    bundles: bundleVectors(),
    verifierKeys: verifierKeyVectors(),
    checkpoints: checkpointVectors(),
    policies: policyVectors(),
    proofs: proofVectors(),
  };
  const parts = Object.entries(sections).map(([name, cases]) => {
    const lines = cases.map((one: object) => `    ${JSON.stringify(one)}`);
    return `  "${name}": [\n${lines.join(',\n')}\n  ]`;
  });
  return `{\n  "about": ${JSON.stringify(ABOUT)},\n${parts.join(',\n')}\n}\n`;
}

if (process.argv[1] === import.meta.filename) {
  writeFileSync(join(projectRoot, 'test/vectors/log.json'), logVectorText());
}
