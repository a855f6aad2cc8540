/** What each kind of statement says: the body of a trust log entry once decoded. Spec: SPEC.md 8.2. */
import * as z from 'zod';
import { type CborValue } from '../encoding/cbor.ts';
import { utf8Bytes } from '../encoding/utf8.ts';
import {
  COMPROMISE_CUT_OFFS_MAX,
  FOREIGN_REVOCATION_BYTES,
  FOREIGN_REVOCATION_S_MAX,
  FOREIGN_REVOCATIONS_MAX,
  KEYS_PER_STATEMENT_MAX,
  KEY_UNTIL_AHEAD_S_MAX,
  KEY_WINDOW_S_MAX,
  LOG_AHEAD_S_MAX,
  NODE_ADDRESSES_MAX,
  NODE_ADDRESS_BYTES_MAX,
  REGION_NAME_BYTES_MAX,
  ROOT_KEYS_MAX,
  TALLY_CELL_MIN,
  TALLY_CELLS_MAX,
} from '../limits.ts';
import { compareBytes } from '../bytes.ts';
import { isAttestationLogId, isNetwork, isRegion } from '../log/origin.ts';
import { logMonth } from './log-month.ts';

const HOUR_S = 3600;
const RULE_ID = /^[a-z0-9][a-z0-9-]{0,31}$/;

const uint = z.int().nonnegative();
const timeS = uint;
const region = z.string().refine(isRegion, 'expected a region');
const ruleId = z.string().regex(RULE_ID);
const attestationLog = z.string().refine(isAttestationLogId, 'expected an attestation log id');

function bytes(length: number) {
  return z.custom<Uint8Array>(
    (value) => value instanceof Uint8Array && value.length === length,
    `expected ${length} bytes`,
  );
}

function textOf(bytesMax: number) {
  const hasFit = (text: string) => text.length > 0 && utf8Bytes(text).length <= bytesMax;
  return z.string().refine(hasFit, `expected 1 to ${bytesMax} bytes of text`);
}

const hash = bytes(32);
const publicKey = bytes(32);

/** Strictly ascending, so that no element is there twice. */
function isAscending<T>(list: readonly T[], compare: (a: T, b: T) => number): boolean {
  return list.every((element, i) => i === 0 || compare(list[i - 1] as T, element) < 0);
}

const isWindow = ({ from, until }: { from: number; until: number }) => from < until;
const WINDOW_EXPECTED = 'expected from below until';

const root = z
  .strictObject({
    kind: z.literal('root'),
    at: timeS,
    region,
    network: z.string().refine(isNetwork, 'expected a network'),
    name: textOf(REGION_NAME_BYTES_MAX),
    version: z.int().positive(),
    threshold: z.int().positive(),
    keys: z
      .array(publicKey)
      .min(1)
      .max(ROOT_KEYS_MAX)
      .refine((keys) => isAscending(keys, compareBytes), 'expected ascending keys'),
  })
  .refine(({ threshold, keys }) => threshold <= keys.length, 'expected a threshold that the keys can reach');

const hourS = timeS.multipleOf(HOUR_S);

const trustKey = z
  .strictObject({
    key: publicKey,
    role: z.enum(['attest', 'checkpoint', 'trust-log', 'witness']),
    from: hourS,
    until: hourS,
  })
  .refine(isWindow, WINDOW_EXPECTED)
  .refine(({ from, until }) => until - from <= KEY_WINDOW_S_MAX, 'expected a window of at most 31 days');

const keys = z
  .strictObject({
    kind: z.literal('keys'),
    at: timeS,
    keys: z.array(trustKey).min(1).max(KEYS_PER_STATEMENT_MAX),
  })
  .refine(
    (statement) => statement.keys.every(({ until }) => until <= statement.at + KEY_UNTIL_AHEAD_S_MAX),
    'expected windows that end at most 100 days after at',
  );

const limits = z.strictObject({
  kind: z.literal('limits'),
  at: timeS,
  version: uint,
  revocationsPerHour: uint,
});

const recognition = z
  .strictObject({
    kind: z.literal('recognition'),
    at: timeS,
    region,
    version: uint,
    fingerprint: hash,
    way: z.enum(['direct', 'adapter', 'bridge', 'hosted']),
    via: region.exactOptional(),
    rules: ruleId.nullable(),
    from: timeS,
    until: timeS,
  })
  .refine(isWindow, WINDOW_EXPECTED)
  .refine(({ way, via }) => (way === 'bridge') === (via !== undefined), 'expected via with bridge only');

const withdrawal = z.strictObject({ kind: z.literal('withdrawal'), at: timeS, region, version: uint });

const suspension = z.strictObject({ kind: z.literal('suspension'), at: timeS, region, version: uint });

const cutOff = z.strictObject({
  log: z.union([z.literal('trust'), attestationLog]),
  size: uint,
  root: hash,
});

const compromise = z.strictObject({
  kind: z.literal('compromise'),
  at: timeS,
  key: bytes(8),
  version: uint,
  cutoffs: z
    .array(cutOff)
    .max(COMPROMISE_CUT_OFFS_MAX)
    .refine(
      (cutOffs) => isAscending(cutOffs, (a, b) => (a.log < b.log ? -1 : a.log > b.log ? 1 : 0)),
      'expected ascending logs',
    ),
});

const retirement = z
  .strictObject({ kind: z.literal('retirement'), at: timeS, key: bytes(8), version: uint, until: hourS })
  .refine(({ at, until }) => at < until, 'expected until above at');

function isTextMap(value: unknown): value is Readonly<Record<string, CborValue>> {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof Uint8Array) &&
    !(value instanceof Map)
  );
}

const rules = z.strictObject({
  kind: z.literal('rules'),
  at: timeS,
  id: ruleId,
  version: uint,
  from: timeS,
  data: z.custom<Readonly<Record<string, CborValue>>>(isTextMap, 'expected a map with text keys'),
});

const adapter = z
  .strictObject({
    kind: z.literal('adapter'),
    at: timeS,
    id: ruleId,
    version: uint,
    from: timeS,
    until: timeS,
    data: z.custom<Readonly<Record<string, CborValue>>>(isTextMap, 'expected a map with text keys'),
  })
  .refine(isWindow, WINDOW_EXPECTED);

const isNearMonth = ({ log, at }: { log: string; at: number }) => logMonth(log).fromS <= at + LOG_AHEAD_S_MAX;
const NEAR_MONTH_EXPECTED = 'expected a log whose month begins at most 100 days after at';

const log = z
  .strictObject({ kind: z.literal('log'), at: timeS, log: attestationLog, minimum: uint })
  .refine(isNearMonth, NEAR_MONTH_EXPECTED);

const node = z
  .strictObject({
    kind: z.literal('node'),
    at: timeS,
    key: publicKey,
    addresses: z.array(textOf(NODE_ADDRESS_BYTES_MAX)).max(NODE_ADDRESSES_MAX),
    from: timeS,
    until: timeS,
  })
  .refine(isWindow, WINDOW_EXPECTED);

const revocation = z
  .strictObject({
    kind: z.literal('revocation'),
    at: timeS,
    log: attestationLog,
    effective: timeS,
    // Decoded only once its signature is found good: a few bytes can stand for a million indexes.
    set: z.custom<Uint8Array>((value) => value instanceof Uint8Array, 'expected bytes'),
  })
  .refine(({ effective, at }) => effective <= at, 'expected an effective time of at most at')
  .refine(isNearMonth, NEAR_MONTH_EXPECTED);

const foreignRevocation = z
  .strictObject({
    kind: z.literal('foreign-revocation'),
    at: timeS,
    until: timeS,
    hashes: z
      .array(bytes(FOREIGN_REVOCATION_BYTES))
      .min(1)
      .max(FOREIGN_REVOCATIONS_MAX)
      .refine((hashes) => isAscending(hashes, compareBytes), 'expected ascending hashes'),
  })
  .refine(({ at, until }) => at < until, 'expected until above at')
  .refine(
    ({ at, until }) => until - at <= FOREIGN_REVOCATION_S_MAX,
    'expected until at most ten years after at',
  );

const tallyCount = z.int().positive();
const colour = z.int().min(0).max(2);
const tally = z
  .strictObject({
    kind: z.literal('tally'),
    at: timeS,
    log: attestationLog,
    from: uint,
    until: uint,
    cells: z
      .array(z.strictObject({ rule: ruleId, colour, count: z.int().min(TALLY_CELL_MIN) }))
      .max(TALLY_CELLS_MAX)
      .refine(
        (cells) =>
          isAscending(cells, (a, b) => (a.rule < b.rule ? -1 : a.rule > b.rule ? 1 : a.colour - b.colour)),
        'expected ascending cells',
      ),
    merged: uint,
    overrides: z
      .array(z.strictObject({ reason: z.int().min(0).max(15), colour, count: tallyCount }))
      .max(TALLY_CELLS_MAX)
      .refine(
        (cells) => isAscending(cells, (a, b) => a.reason - b.reason || a.colour - b.colour),
        'expected ascending overrides',
      ),
  })
  .refine(isWindow, WINDOW_EXPECTED)
  .refine(
    ({ from, until, merged, cells, overrides }) =>
      [...cells, ...overrides].reduce((sum, { count }) => sum + count, merged) <= until - from,
    'expected no more codes than leaves',
  )
  .refine(isNearMonth, NEAR_MONTH_EXPECTED);

const state = z.strictObject({
  kind: z.literal('state'),
  at: timeS,
  format: z.literal(1),
  items: uint,
  root: hash,
});

export const statementSchema = z.discriminatedUnion('kind', [
  root,
  keys,
  limits,
  recognition,
  withdrawal,
  suspension,
  compromise,
  retirement,
  rules,
  adapter,
  log,
  node,
  revocation,
  foreignRevocation,
  tally,
  state,
]);
/** A statement within the bounds of SPEC.md 8.2. Member names are those on the wire; times are in seconds. */
export type Statement = z.infer<typeof statementSchema>;

export type StatementKind = Statement['kind'];
export type StatementOf<K extends StatementKind> = Extract<Statement, { kind: K }>;
