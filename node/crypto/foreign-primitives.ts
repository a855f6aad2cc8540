/** What reading codes of others needs, by node:crypto and zlib: all of it answers at once. */
import { type ForeignPrimitives } from '../../protocol/foreign/foreign-primitives.ts';
import { verifyForeignSignature } from './foreign-signatures.ts';
import { inflateBounded } from './inflate.ts';
import { nativeSha256 } from './native.ts';

export const nativeForeignPrimitives = {
  sha256: nativeSha256,
  inflate: inflateBounded,
  verifyForeign: verifyForeignSignature,
} as const satisfies ForeignPrimitives;
