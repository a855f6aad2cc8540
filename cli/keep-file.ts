/**
 * What a verifier keeps between runs: whom it trusts, and all that it holds. With it an older snapshot is refused, a delta is enough
 * to go on, and no revocation that was seen is forgotten.
 */
import { z } from 'zod';
import { readFileIfPresent, writeFileAtomically } from '../node/region/files.ts';
import { readPolicyFile } from '../node/region/policy-file.ts';
import { type ReadModules } from '../node/region/modules.ts';
import { hexBytes, hexOf } from '../protocol/bytes.ts';
import { isProtocolError } from '../protocol/fault.ts';
import { SNAPSHOT_BYTES_MAX } from '../protocol/limits.ts';
import { isNetwork, isRegion } from '../protocol/log/origin.ts';
import { type Holdings, type SnapshotReader } from '../protocol/snapshot/apply.ts';
import { restoreHoldings, saveHoldings } from '../protocol/snapshot/saved-holdings.ts';
import { CliError, EXIT } from './exit.ts';

/** A snapshot in base64, and as much again for the rest. */
const KEEP_BYTES_MAX = 3 * SNAPSHOT_BYTES_MAX;

const bytes = z.base64().transform((text) => Uint8Array.from(Buffer.from(text, 'base64')));
const count = z.int().nonnegative();
const region = z.string().refine(isRegion);
const fingerprint = z
  .string()
  .regex(/^[0-9a-f]{64}$/)
  .transform(hexBytes);
const keyId = z.string().regex(/^[0-9a-f]{16}$/);
/** Without a region those of witnesses that are none. */
const cosignatures = z.array(
  z
    .strictObject({ region: region.optional(), keyId, timestampS: count })
    .transform(({ region: by, ...rest }) => ({ region: by, ...rest })),
);
const revocations = z.array(z.tuple([z.string(), z.array(z.strictObject({ number: count, bytes }))]));

const keepSchema = z.strictObject({
  format: z.literal(3),
  home: region,
  network: z.string().refine(isNetwork),
  pin: fingerprint,
  snapshot: bytes,
  regions: z.array(
    z.strictObject({
      region,
      logKeyIds: z.array(keyId),
      cosignatures,
      standing: z.enum(['good', 'forked', 'quarantined']),
      ownBefore: cosignatures.optional(),
      revokedBeside: revocations.optional(),
      besideSize: count.optional(),
    }),
  ),
  unheld: z.array(z.strictObject({ region, fingerprint, revokedBeside: revocations, besideSize: count })),
});

export interface Kept {
  readonly reader: SnapshotReader;
  readonly holdings: Holdings;
}

/**
 * Undefined where there is no file yet. The policy is that of the caller: it is not kept.
 * @throws {CliError} KEEP_INVALID if it is not what was written; {NodeError} as `readPolicyFile`.
 */
export async function readKeepFile(
  path: string,
  modules: ReadModules,
  policyFile?: string,
): Promise<Kept | undefined> {
  const text = await readFileIfPresent(path, KEEP_BYTES_MAX);
  if (text === undefined) return undefined;
  const { sha256, ...document } = parseJson(text) ?? {};
  const parsed = keepSchema.safeParse(document);
  if (sha256 !== digestOf(document, modules) || !parsed.success) throw invalid(path);
  const { home, network, pin, snapshot, regions, unheld } = parsed.data;
  const policy = policyFile === undefined ? undefined : await readPolicyFile(policyFile, network, modules);
  const reader = { home, network, pin, policy };
  try {
    const saved = {
      snapshot,
      unheld,
      regions: regions.map(({ ownBefore, revokedBeside, besideSize, ...rest }) => ({
        ...rest,
        ...{ ownBefore, revokedBeside, besideSize },
      })),
    };
    return { reader, holdings: restoreHoldings(saved, reader, modules) };
  } catch (error) {
    if (isProtocolError(error)) throw invalid(path, error);
    throw error;
  }
}

/** Rejects as `writeFileAtomically`; what was kept before stays then. */
export async function writeKeepFile(
  path: string,
  { reader, holdings }: Kept,
  modules: ReadModules,
): Promise<void> {
  const { home, network, pin } = reader;
  const saved = await saveHoldings(holdings);
  const told = { format: 3, home, network, pin: hexOf(pin), ...saved };
  const document = JSON.parse(JSON.stringify(told, asText)) as object;
  await writeFileAtomically(
    path,
    `${JSON.stringify({ ...document, sha256: digestOf(document, modules) })}\n`,
  );
}

/** Over all that the file says: no bit of it may be another, since not all of it proves itself. */
function digestOf(document: object, { sha256 }: ReadModules): string {
  return hexOf(sha256(new TextEncoder().encode(JSON.stringify(document))));
}

/** Fingerprints in hexadecimal, other byte strings in base64. */
function asText(name: string, value: unknown): unknown {
  if (!(value instanceof Uint8Array)) return value;
  return name === 'fingerprint' ? hexOf(value) : Buffer.from(value).toString('base64');
}

function parseJson(bytes: Uint8Array): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    return typeof value === 'object' && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

function invalid(path: string, cause?: Error): CliError {
  const detail = cause === undefined ? '' : `: ${cause.message}`;
  return new CliError(EXIT.inconsistent, 'KEEP_INVALID', `${path} is not what a verifier keeps${detail}`, {
    hint: 'Restore it. Without it, name --home and --pin again: older snapshots can then no longer be told.',
  });
}
