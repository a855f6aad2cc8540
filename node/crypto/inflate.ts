/** Inflating by zlib, bounded and without leniency. */
import { type InputType, inflateRawSync, inflateSync, type ZlibOptions } from 'node:zlib';
import { type Wrapping } from '../../protocol/foreign/foreign-primitives.ts';
import { ProtocolError } from '../../protocol/fault.ts';

/** With `info` zlib tells how much of the input it used, which the types of Node leave out. */
type InflateWithInfo = (
  input: InputType,
  options: ZlibOptions & { readonly info: true },
) => { readonly buffer: Buffer; readonly engine: { readonly bytesWritten: number } };

/** What zlib allocates at a time: Node's 16 KiB take twice as long for the 1 KB of a code. */
const CHUNK_BYTES = 2_048;

const INFLATE: Readonly<Record<Wrapping, InflateWithInfo>> = {
  zlib: inflateSync as unknown as InflateWithInfo,
  raw: inflateRawSync as unknown as InflateWithInfo,
};

/** @throws {ProtocolError} COMPRESSION_INVALID, TOO_LARGE: see `Inflate`. */
export function inflateBounded(bytes: Uint8Array, wrapping: Wrapping, bytesMax: number): Uint8Array {
  let inflated: ReturnType<InflateWithInfo>;
  try {
    inflated = INFLATE[wrapping](bytes, {
      info: true,
      maxOutputLength: bytesMax,
      chunkSize: CHUNK_BYTES,
    });
  } catch (cause) {
    if (cause instanceof RangeError && 'code' in cause && cause.code === 'ERR_BUFFER_TOO_LARGE')
      throw new ProtocolError('TOO_LARGE', `expected at most ${bytesMax} bytes once inflated`, { bytesMax });
    throw new ProtocolError('COMPRESSION_INVALID', 'expected deflated bytes', {}, { cause });
  }
  const { buffer, engine } = inflated;
  const behind = bytes.length - engine.bytesWritten;
  if (behind !== 0)
    throw new ProtocolError('COMPRESSION_INVALID', `expected the end, got ${behind} more bytes`);
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length);
}
