/** What reading codes of others needs from its surroundings. Every answer may be a promise, as WebCrypto's are. */
import { type Sha256 } from '../primitives.ts';
import { type VerifyForeign } from './signature-check.ts';

/** Deflate with the header and sum of zlib (RFC 1950), or bare (RFC 1951). */
export type Wrapping = 'zlib' | 'raw';

/**
 * The bytes that `bytes` were deflated from.
 * Refuses with a `ProtocolError`: COMPRESSION_INVALID unless they are one whole stream with nothing behind it and no dictionary;
 * TOO_LARGE above `bytesMax`, without holding more than that.
 */
export type Inflate = (
  bytes: Uint8Array,
  wrapping: Wrapping,
  bytesMax: number,
) => Uint8Array | Promise<Uint8Array>;

export interface ForeignPrimitives {
  readonly sha256: Sha256;
  readonly inflate: Inflate;
  readonly verifyForeign: VerifyForeign;
}
