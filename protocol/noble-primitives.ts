/** The primitives where there is no native code: browsers, workers, any other engine. */
import { sha256 } from '@noble/hashes/sha2.js';
import { type Primitives } from './primitives.ts';
import { verifyWithNoble } from './signature/noble.ts';

/** Gives the same answers as the native ones, with less speed. */
export const noblePrimitives: Primitives = {
  sha256: (data) => sha256(data),
  verifySignature: verifyWithNoble,
};
