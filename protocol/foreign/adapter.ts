/**
 * The adapter of a local code as the region announces it in its trust log: the keys, and how what the code says becomes facts that the region's
 * rules decide on. The code keeps its format, its keys and its issuer; whoever recognises the region checks it as it is. Spec: SPEC.md 17.8.
 */
import * as z from 'zod';
import { compareBytes } from '../bytes.ts';
import { isRuleId } from '../code/status.ts';
import { type CborValue } from '../encoding/cbor.ts';
import { ProtocolError } from '../fault.ts';
import { RULE_EXPRESSION_DEPTH_MAX, RULES_PER_LIST_MAX } from '../limits.ts';
import { type Expression, readExpression } from '../rules/expression.ts';
import { isFactName } from '../rules/rule-set-schema.ts';
import { type LoggedAdapter } from '../trust/trust-state.ts';
import { type ForeignKey } from './foreign-keys.ts';
import { ANNOUNCED_KEYS_MAX, NAME_CHARS_MAX } from './foreign-limits.ts';
import { type LocalProfile, localProfileSchema } from './local-profile.ts';
import {
  authoritiesData,
  authoritiesSchema,
  type Authority,
  readAuthorities,
  refusedSchema,
} from './seal-authority.ts';
import { isSound } from './signature-check.ts';

export const ADAPTER_FORMATS = ['hcert', 'shc', 'vdsnc', 'local'] as const;
export type AdapterFormat = (typeof ADAPTER_FORMATS)[number];

export interface Adapter {
  readonly id: string;
  readonly version: number;
  readonly format: AdapterFormat;
  /** How codes are read; given if and only if the format is `local`. */
  readonly profile?: LocalProfile;
  /** Id of the rules of the region's own trust log by which facts become a colour. */
  readonly rules: string;
  /** By the name that the rules give the fact: how it is read from the code (`factsOfCode`). */
  readonly facts: ReadonlyMap<string, Expression>;
  /** Each confined to the adapter's own window too: what a region announces until a day signs nothing issued after it. */
  readonly keys: readonly ForeignKey[];
  /** Of signers of seals, each confined likewise. */
  readonly authorities: readonly Authority[];
  /** Names of keys of signers (`sealSignerName`) that no authority of the region vouches for. */
  readonly refused: readonly Uint8Array[];
}

/** What `adapterData` announces: expressions as they are written. */
export interface AdapterDraft {
  readonly rules: string;
  readonly facts: Readonly<Record<string, unknown>>;
  /** For keys of the format `local` alone. */
  readonly profile?: LocalProfile | undefined;
  /** At most 200, all of one format; none only beside authorities. */
  readonly keys: readonly ForeignKey[];
  /** At most 256, and the format is then `vdsnc`. */
  readonly authorities?: readonly Authority[] | undefined;
  /** At most 1,024, in any order: who is named twice is refused once. */
  readonly refused?: readonly Uint8Array[] | undefined;
}

const bytes = z.custom<Uint8Array>((value) => value instanceof Uint8Array, 'expected bytes');
const timeS = z.int().nonnegative();

const publicKey = z
  .discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('ec'), curve: z.enum(['P-256', 'P-384']), x: bytes, y: bytes }),
    z.strictObject({ kind: z.literal('rsa'), modulus: bytes, exponent: bytes }),
    z.strictObject({ kind: z.literal('ed25519'), bytes }),
  ])
  .refine((key) => isSound(key), 'expected a key of a size that is taken');

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

const dataSchema = z
  .strictObject({
    format: z.enum(ADAPTER_FORMATS),
    profile: localProfileSchema.exactOptional(),
    rules: z.string().refine(isRuleId, 'expected the id of rules'),
    facts: z
      .record(z.string().refine(isFactName, 'expected the name of a fact'), z.unknown())
      .refine((facts) => Object.keys(facts).length <= RULES_PER_LIST_MAX, 'expected fewer facts'),
    keys: z.array(key).max(ANNOUNCED_KEYS_MAX),
    authorities: authoritiesSchema.exactOptional(),
    refused: refusedSchema.exactOptional(),
  })
  .refine(
    ({ keys, authorities = [] }) => keys.length + authorities.length > 0,
    'expected a key or an authority',
  )
  .refine(
    ({ format, authorities, refused }) => format === 'vdsnc' || (authorities ?? refused) === undefined,
    'expected authorities, and signers that are refused, for the format vdsnc alone',
  )
  .refine(
    ({ format, profile }) => (format === 'local') === (profile !== undefined),
    'expected a profile for the format local, and for no other',
  )
  .refine(
    ({ format, keys }) => format === 'local' || keys.every((one) => one.key.kind !== 'ed25519'),
    'expected keys of a kind that codes of this format are signed with',
  );

/**
 * The adapter that a statement announces.
 * @throws {ProtocolError} STATEMENT_MALFORMED for data in another form, an empty map too: such a statement announces nothing.
 */
export function readAdapter({ id, version, fromS, untilS, data }: LoggedAdapter): Adapter {
  const read = dataSchema.safeParse(data);
  if (!read.success) {
    const [issue] = read.error.issues;
    throw malformed(`${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`);
  }
  const { format, profile, rules, keys, authorities = [], refused = [] } = read.data;
  const facts = new Map(
    Object.entries(read.data.facts).map(([name, json]) => {
      const { expression, faults } = readExpression(json, { depthMax: RULE_EXPRESSION_DEPTH_MAX });
      if (expression === undefined) throw malformed(`facts.${name} ${faults[0]?.reason ?? ''}`);
      return [name, expression];
    }),
  );
  return {
    id,
    version,
    format,
    ...(profile !== undefined && { profile }),
    rules,
    facts,
    keys: keys.map((one) => ({
      format,
      keyId: one.id,
      issuer: one.issuer,
      publicKey: one.key,
      ...(one.usages !== undefined && { usages: one.usages }),
      fromS: Math.max(fromS, one.from ?? 0),
      // Windows of statements end before their last second, those of keys with it.
      untilS: Math.min(untilS - 1, one.until ?? Infinity),
    })),
    authorities: readAuthorities(authorities, { fromS, untilS }),
    refused,
  };
}

/**
 * The data of a statement that announces keys or authorities. Whether all of it is well-formed `readAdapter` finds.
 * @throws {RangeError} for neither, more keys than 200, or keys of several formats.
 */
export function adapterData(draft: AdapterDraft): { readonly [name: string]: CborValue } {
  const { profile, rules, facts, keys, authorities = [], refused = [] } = draft;
  const format = keys[0]?.format ?? (authorities.length > 0 ? 'vdsnc' : undefined);
  if (format === undefined || keys.length > ANNOUNCED_KEYS_MAX)
    throw new RangeError(`an adapter announces 1 to ${ANNOUNCED_KEYS_MAX} keys, or authorities`);
  if (keys.some((one) => one.format !== format))
    throw new RangeError('an adapter announces keys of one format');
  return {
    format,
    ...(profile !== undefined && { profile: profile }),
    rules,
    facts: facts as { readonly [name: string]: CborValue },
    keys: keys.map(({ keyId, issuer, publicKey, usages, fromS, untilS }) => ({
      id: keyId,
      issuer,
      key: { ...publicKey },
      ...(usages !== undefined && { usages: [...usages] }),
      ...(fromS !== undefined && { from: fromS }),
      ...(untilS !== undefined && { until: untilS }),
    })),
    ...(authorities.length > 0 && { authorities: authoritiesData(authorities) }),
    ...(refused.length > 0 && {
      refused: refused
        .toSorted(compareBytes)
        .filter((one, i, all) => i === 0 || compareBytes(all[i - 1] ?? one, one) !== 0),
    }),
  };
}

function malformed(what: string): ProtocolError {
  return new ProtocolError('STATEMENT_MALFORMED', `expected the data of an adapter: ${what}`);
}
