/**
 * The adapter of a local code that is a mere number or link, as the region announces it in its trust log: how such numbers begin, and the
 * public keys of the days on which they can be looked up. Spec: SPEC.md 21.6.
 */
import * as z from 'zod';
import { type CborValue } from '../encoding/cbor.ts';
import { ProtocolError } from '../fault.ts';
import { isSelfNamed } from '../foreign/self-named.ts';
import { LOOKUP_DAYS_MAX, LOOKUP_PREFIX_CHARS_MAX } from '../limits.ts';
import { type LoggedAdapter } from '../trust/trust-state.ts';
import { ELEMENT_BYTES } from './oblivious.ts';

export const OPAQUE = 'opaque';
export const DAY_S = 86_400;

/** What a region announces for one day. */
export interface DayKey {
  /** Days since 1970, UTC. */
  readonly day: number;
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
}

export interface OpaqueAdapter {
  readonly id: string;
  readonly version: number;
  /** Numbers of the region begin so: 1 to 64 characters. */
  readonly prefix: string;
  /** By day: those that lie within the window of the statement. */
  readonly keys: ReadonlyMap<number, Uint8Array>;
}

const dataSchema = z.strictObject({
  format: z.literal(OPAQUE),
  prefix: z.string().refine(isNumberPrefix, 'expected 1 to 64 printable ASCII characters'),
  keys: z
    .array(
      z.strictObject({
        day: z.int().nonnegative(),
        key: z.custom<Uint8Array>(
          (value) => value instanceof Uint8Array && value.length === ELEMENT_BYTES,
          'expected a key of 32 bytes',
        ),
      }),
    )
    .min(1)
    .max(LOOKUP_DAYS_MAX)
    .refine(
      (keys) => keys.every(({ day }, i) => i === 0 || day > (keys[i - 1]?.day ?? day)),
      'expected days in ascending order',
    ),
});

/** Total: whether numbers may be announced by this beginning. It is no beginning of codes that say themselves whose they are. */
export function isNumberPrefix(text: string): boolean {
  return text.length <= LOOKUP_PREFIX_CHARS_MAX && /^[!-~]+$/.test(text) && !isSelfNamed(text);
}

/** Total: whether a text may be a number of somebody, by its beginning alone. */
export function isNumberText(text: string): boolean {
  return !isSelfNamed(text);
}

/** Total: whether a statement announces numbers, well or badly. */
export function isOpaque({ data }: Pick<LoggedAdapter, 'data'>): boolean {
  return data['format'] === OPAQUE;
}

/**
 * The adapter that a statement announces.
 * @throws {ProtocolError} STATEMENT_MALFORMED for data in another form.
 */
export function readOpaqueAdapter({ id, version, fromS, untilS, data }: LoggedAdapter): OpaqueAdapter {
  const read = dataSchema.safeParse(data);
  if (!read.success) {
    const [issue] = read.error.issues;
    const what = `${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`;
    throw new ProtocolError('STATEMENT_MALFORMED', `expected the data of an adapter of numbers: ${what}`);
  }
  const { prefix, keys } = read.data;
  const isWithin = ({ day }: { readonly day: number }) => day * DAY_S < untilS && (day + 1) * DAY_S > fromS;
  return {
    id,
    version,
    prefix,
    keys: new Map(keys.filter(isWithin).map(({ day, key }) => [day, key])),
  };
}

/** The data of a statement that announces these days, in ascending order. Whether it is well-formed `readOpaqueAdapter` finds. */
export function opaqueAdapterData(
  prefix: string,
  keys: readonly DayKey[],
): { readonly [name: string]: CborValue } {
  return { format: OPAQUE, prefix, keys: keys.map(({ day, publicKey }) => ({ day, key: publicKey })) };
}

/** The day of a moment. */
export function dayOf(timeS: number): number {
  return Math.floor(timeS / DAY_S);
}
