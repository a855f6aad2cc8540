/** The project's own Ed25519 vectors, as checks. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type SignatureCheck } from '../../protocol/primitives.ts';
import { type Ed25519Vector } from '../vectors/generate/ed25519-craft.ts';
import { projectRoot } from './project.ts';

export const ED25519_VECTOR_FILE = join(projectRoot, 'test/vectors/ed25519.json');

export const ed25519Vectors = (
  JSON.parse(readFileSync(ED25519_VECTOR_FILE, 'utf8')) as { cases: Ed25519Vector[] }
).cases;

export function checkOf({ publicKey, message, signature }: Ed25519Vector): SignatureCheck {
  return { publicKey: fromHex(publicKey), message: fromHex(message), signature: fromHex(signature) };
}

export function fromHex(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'hex'));
}
