/**
 * Keys of a local code as the region announces them in its trust log: the data of an `adapter` statement. The code keeps its format, its keys and its
 * issuer; whoever recognises the region checks it as it is. Spec: SPEC.md 17.8.
 */
import * as z from 'zod';
import { type CborValue } from '../encoding/cbor.ts';
import { ProtocolError } from '../fault.ts';
import { type LoggedAdapter } from '../trust/trust-state.ts';
import { type ForeignKey } from './foreign-keys.ts';
import { ANNOUNCED_KEYS_MAX, NAME_CHARS_MAX } from './foreign-limits.ts';
import { type ForeignPublicKey, isSound } from './signature-check.ts';

const bytes = z.custom<Uint8Array>((value) => value instanceof Uint8Array, 'expected bytes');
const timeS = z.int().nonnegative();

const publicKey = z
  .discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('ec'), curve: z.enum(['P-256', 'P-384']), x: bytes, y: bytes }),
    z.strictObject({ kind: z.literal('rsa'), modulus: bytes, exponent: bytes }),
  ])
  .refine((key): key is ForeignPublicKey => isSound(key), 'expected a key of a size that is taken');

const key = z.strictObject({
  id: z.string().min(1).max(NAME_CHARS_MAX),
  issuer: z.string().max(NAME_CHARS_MAX),
  key: publicKey,
  usages: z
    .array(z.enum(['test', 'vaccination', 'recovery']))
    .max(3)
    .exactOptional(),
  from: timeS.exactOptional(),
  until: timeS.exactOptional(),
});

const dataSchema = z.strictObject({
  format: z.enum(['hcert', 'shc', 'vdsnc']),
  keys: z.array(key).min(1).max(ANNOUNCED_KEYS_MAX),
});

/**
 * The keys of an adapter, each confined to the adapter's own window too: what a region announces until a day signs nothing issued after it.
 * @throws {ProtocolError} STATEMENT_MALFORMED for data in another form: such an adapter announces nothing.
 */
export function announcedKeys({ fromS, untilS, data }: LoggedAdapter): ForeignKey[] {
  const read = dataSchema.safeParse(data);
  if (!read.success)
    throw new ProtocolError('STATEMENT_MALFORMED', 'expected the data of an adapter: a format and its keys');
  const { format, keys } = read.data;
  return keys.map(({ id, issuer, key: publicKey, usages, from, until }) => ({
    format,
    keyId: id,
    issuer,
    publicKey,
    ...(usages !== undefined && { usages }),
    fromS: Math.max(fromS, from ?? 0),
    // Windows of statements end before their last second, those of keys with it.
    untilS: Math.min(untilS - 1, until ?? Infinity),
  }));
}

/**
 * The data that announces keys, all of one format.
 * @throws {RangeError} for no key, more than 200, or keys of several formats.
 */
export function adapterData(keys: readonly ForeignKey[]): { readonly [name: string]: CborValue } {
  const [first] = keys;
  if (first === undefined || keys.length > ANNOUNCED_KEYS_MAX)
    throw new RangeError(`an adapter announces 1 to ${ANNOUNCED_KEYS_MAX} keys`);
  if (keys.some(({ format }) => format !== first.format))
    throw new RangeError('an adapter announces keys of one format');
  return {
    format: first.format,
    keys: keys.map(({ keyId, issuer, publicKey, usages, fromS, untilS }) => ({
      id: keyId,
      issuer,
      key: { ...publicKey },
      ...(usages !== undefined && { usages: [...usages] }),
      ...(fromS !== undefined && { from: fromS }),
      ...(untilS !== undefined && { until: untilS }),
    })),
  };
}
