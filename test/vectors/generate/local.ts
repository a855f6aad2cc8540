/**
 * Makes `test/vectors/local.json`: local codes by announced profiles, good and bad, and profiles that are none.
 * Deterministic. Run from the project root: `npx tsx test/vectors/generate/local.ts`.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hexOf } from '../../../protocol/bytes.ts';
import { LOCAL_SIGNER } from '../../support/local-fixture.ts';
import { type LocalVectors, replayCode, replayProfile } from '../../support/local-vectors.ts';
import { projectRoot } from '../../support/project.ts';
import { BAD_CODES, GOOD_CODES } from './local-codes.ts';
import { BAD_PROFILES, GOOD_PROFILES } from './local-profiles.ts';

export const LOCAL_VECTOR_FILE = join(projectRoot, 'test/vectors/local.json');

const ABOUT = [
  'SPEC.md 17.11. profiles: profile is data.profile of an adapter statement as JSON; isProfile says whether it announces anything.',
  'codes: text is what was scanned, profile how it is read. expect is what it says: keyId, algorithm, message and signature (hexadecimal), issuer, issuedAtS, expiresAtS, content, flaw, and hashes, the names by which it can be revoked, in ascending order; or the fault of SPEC.md 12 with which it is refused. Members that have no value are null.',
  'isGood: whether the signature is good under publicKey, an Ed25519 key in hexadecimal.',
];

export async function localVectors(): Promise<LocalVectors> {
  if (LOCAL_SIGNER.publicKey.kind !== 'ed25519') throw new TypeError('expected an Ed25519 key');
  const publicKey = hexOf(LOCAL_SIGNER.publicKey.bytes);
  const codes = [];
  for (const { name, profile, text } of [...GOOD_CODES, ...BAD_CODES])
    codes.push(await replayCode({ name, profile, text, publicKey }));
  const profiles = [...GOOD_PROFILES, ...BAD_PROFILES].map(replayProfile);
  return { about: ABOUT, profiles, codes };
}

export async function localVectorText(): Promise<string> {
  const { about, profiles, codes } = await localVectors();
  const lines = (list: readonly object[]) => list.map((one) => `    ${JSON.stringify(one)}`).join(',\n');
  return `{\n  "about": ${JSON.stringify(about)},\n  "profiles": [\n${lines(profiles)}\n  ],\n  "codes": [\n${lines(codes)}\n  ]\n}\n`;
}

if (process.argv[1] === import.meta.filename) writeFileSync(LOCAL_VECTOR_FILE, await localVectorText());
