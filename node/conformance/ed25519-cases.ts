/** Reads Ed25519 vectors in four layouts, which are told apart by what the JSON holds. */
import { z } from 'zod';
import { type SignatureCheck } from '../../protocol/primitives.ts';

export interface Ed25519Case {
  readonly name: string;
  readonly check: SignatureCheck;
  /** What the source says of the signature under RFC 8032, which leaves points of small order and spellings open. */
  readonly goodByRfc8032?: boolean;
  /** What the source says, or lets one conclude, of the signature under the strict rule. */
  readonly goodByRule?: boolean;
  /** What the source says of the key as a trust key. */
  readonly isAdmissible?: boolean;
}

/** CCTV's flags for what the strict rule refuses, and those for what it does not look at. */
const REFUSED_FLAGS = [
  'low_order_A',
  'low_order_R',
  'non_canonical_A',
  'non_canonical_R',
  'low_order_residue',
  'reencoded_k',
];
const HARMLESS_FLAGS = ['low_order_component_A', 'low_order_component_R'];

const hexSchema = z
  .string()
  .regex(/^(?:[0-9a-fA-F]{2})*$/)
  .transform((text) => new Uint8Array(Buffer.from(text, 'hex')));

const wycheproofSchema = z
  .object({ tcId: z.number(), pk: hexSchema, msg: hexSchema, sig: hexSchema, result: z.string() })
  .transform(({ tcId, pk, msg, sig, result }): Ed25519Case => ({
    name: `test ${tcId}`,
    check: { publicKey: pk, message: msg, signature: sig },
    ...(result === 'acceptable' ? {} : { goodByRfc8032: result === 'valid' }),
  }));

const cctvSchema = z
  .object({
    number: z.number(),
    key: hexSchema,
    sig: hexSchema,
    msg: z.string().transform((text) => new Uint8Array(Buffer.from(text, 'utf8'))),
    flags: z.array(z.string()).nullable(),
  })
  .transform(({ number, key, sig, msg, flags }): Ed25519Case => ({
    name: `case ${number}`,
    check: { publicKey: key, message: msg, signature: sig },
    ...conclusionOf(flags ?? []),
  }));

const speccheckSchema = z
  .object({ message: hexSchema, pub_key: hexSchema, signature: hexSchema })
  .transform(({ message, pub_key, signature }): Ed25519Case => ({
    name: 'case',
    check: { publicKey: pub_key, message, signature },
  }));

const ownSchema = z
  .object({
    name: z.string(),
    publicKey: hexSchema,
    message: hexSchema,
    signature: hexSchema,
    good: z.boolean(),
    admissible: z.boolean(),
  })
  .transform(({ name, publicKey, message, signature, good, admissible }): Ed25519Case => ({
    name,
    check: { publicKey, message, signature },
    goodByRule: good,
    isAdmissible: admissible,
  }));

const caseSchema = z.union([wycheproofSchema, cctvSchema, speccheckSchema, ownSchema]);

/** A group of Wycheproof: the key stands beside its tests, under `key` in older editions. */
const groupSchema = z
  .object({
    publicKey: z.object({ pk: z.string() }).optional(),
    key: z.object({ pk: z.string() }).optional(),
    tests: z.array(z.looseObject({})),
  })
  .transform(({ publicKey, key, tests }) =>
    tests.map((test): unknown => ({ ...test, pk: (publicKey ?? key)?.pk })),
  );

/** Where a file keeps its cases: in groups, in a list under a heading, or in a bare list. */
const fileSchema = z.union([
  z.object({ testGroups: z.array(groupSchema) }).transform(({ testGroups }) => testGroups.flat()),
  z.object({ cases: z.array(z.unknown()) }).transform(({ cases }) => cases),
  z.array(z.unknown()),
]);

/** The cases of a file, with undefined in the place of one that is in none of the layouts; undefined for no list. */
export function readEd25519Cases(json: unknown): (Ed25519Case | undefined)[] | undefined {
  return fileSchema.safeParse(json).data?.map((value) => caseSchema.safeParse(value).data);
}

/** Nothing can be concluded from a flag that is not known here. */
function conclusionOf(flags: readonly string[]): { goodByRule?: boolean } {
  if (flags.some((flag) => REFUSED_FLAGS.includes(flag))) return { goodByRule: false };
  return flags.every((flag) => HARMLESS_FLAGS.includes(flag)) ? { goodByRule: true } : {};
}
