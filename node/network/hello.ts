/** What two nodes say to each other first: which network and region they are of, and what they speak. Spec: SPEC.md 14.3. */
import { z } from 'zod';
import { decodeCbor, encodeCbor } from '../../protocol/encoding/cbor.ts';
import { ProtocolError } from '../../protocol/fault.ts';
import { isNetwork, isRegion } from '../../protocol/log/origin.ts';
import { HELLO_BYTES_MAX, HELLO_HEADS_MAX, HELLO_TEXT_CHARS_MAX } from './network-limits.ts';

export const HELLO_PROTOCOL = '/entente/hello/1.0.0';

/** The versions of the wire that this node speaks. */
export const WIRE_VERSIONS: readonly number[] = [1];

const text = z.string().max(HELLO_TEXT_CHARS_MAX);
const count = z.int().nonnegative();

const schema = z.strictObject({
  network: text.refine(isNetwork, 'expected a network'),
  region: text.refine(isRegion, 'expected a region'),
  /** Name and version, for people. From outside: escape before showing. */
  software: text,
  versions: z.array(count).min(1).max(16),
  /** Sizes of the logs that the sender holds: a hint, nothing is proven by it. */
  heads: z.array(z.strictObject({ origin: text, size: count })).max(HELLO_HEADS_MAX),
});

export type Hello = z.infer<typeof schema>;
export type HelloHead = Hello['heads'][number];

/** @throws {RangeError} for a hello that nobody takes. */
export function encodeHello(hello: Hello): Uint8Array {
  const parsed = schema.safeParse(hello);
  const encoded = encodeCbor(hello);
  if (!parsed.success || encoded.length > HELLO_BYTES_MAX)
    throw new RangeError('not a hello of this protocol');
  return encoded;
}

/** @throws {ProtocolError} TOO_LARGE, CBOR_MALFORMED, CBOR_NOT_CANONICAL, SCHEMA_INVALID. */
export function parseHello(bytes: Uint8Array): Hello {
  const parsed = schema.safeParse(decodeCbor(bytes, { bytesMax: HELLO_BYTES_MAX }));
  if (parsed.success) return parsed.data;
  const { path = [], message = '' } = parsed.error.issues[0] ?? {};
  throw new ProtocolError('SCHEMA_INVALID', `not a hello: ${path.join('.')} ${message}`);
}

export type Unwelcome = 'other-network' | 'other-version' | 'other-region';

/** Why a node does not stay connected to whoever said this; undefined if it does. `region` is that of its identity. */
export function unwelcome(
  own: Pick<Hello, 'network' | 'versions'>,
  other: Hello,
  region: string | undefined,
): Unwelcome | undefined {
  if (other.network !== own.network) return 'other-network';
  if (!other.versions.some((version) => own.versions.includes(version))) return 'other-version';
  return other.region === region ? undefined : 'other-region';
}
