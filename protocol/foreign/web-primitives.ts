/** What reading codes of others needs, by what browsers have: WebCrypto and the Compression Streams. */
import { sha256 } from '@noble/hashes/sha2.js';
import { concatBytes } from '../bytes.ts';
import { ProtocolError } from '../fault.ts';
import { type ForeignPrimitives, type Wrapping } from './foreign-primitives.ts';
import { verifyWithWebCrypto } from './web-signatures.ts';

// The part of the streams that is used here.
declare const DecompressionStream: new (format: 'deflate' | 'deflate-raw') => {
  readonly writable: { getWriter(): { write(bytes: Uint8Array): Promise<void>; close(): Promise<void> } };
  readonly readable: {
    getReader(): {
      read(): Promise<{ readonly done: boolean; readonly value?: Uint8Array }>;
      cancel(): Promise<void>;
    };
  };
};

/** Gives the answers of the native ones. */
export const webForeignPrimitives: ForeignPrimitives = {
  sha256: (data) => sha256(data),
  inflate: inflateWhole,
  verifyForeign: verifyWithWebCrypto,
};

/** Some surroundings let bytes behind a stream pass, against the Compression Standard: where there are none, the stream is cut without its last byte. */
async function inflateWhole(bytes: Uint8Array, wrapping: Wrapping, bytesMax: number): Promise<Uint8Array> {
  const inflated = await inflateByStream(bytes, wrapping, bytesMax);
  const isCutWithoutLast = await inflateByStream(bytes.subarray(0, -1), wrapping, bytesMax).then(
    () => false,
    () => true,
  );
  if (isCutWithoutLast) return inflated;
  throw new ProtocolError('COMPRESSION_INVALID', 'expected the end, got more bytes');
}

async function inflateByStream(bytes: Uint8Array, wrapping: Wrapping, bytesMax: number): Promise<Uint8Array> {
  const stream = new DecompressionStream(wrapping === 'zlib' ? 'deflate' : 'deflate-raw');
  const writer = stream.writable.getWriter();
  // What goes wrong here shows itself to the reader too.
  const written = Promise.allSettled([writer.write(bytes), writer.close()]);
  const reader = stream.readable.getReader();
  const parts: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read().catch((cause: unknown) => {
      throw new ProtocolError('COMPRESSION_INVALID', 'expected deflated bytes', {}, { cause });
    });
    if (done || value === undefined) break;
    length += value.length;
    if (length > bytesMax) {
      await reader.cancel();
      throw new ProtocolError('TOO_LARGE', `expected at most ${bytesMax} bytes once inflated`, { bytesMax });
    }
    parts.push(value);
  }
  await written;
  return concatBytes(...parts);
}
