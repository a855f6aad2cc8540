/**
 * What tallies are still to be told of codes whose holder was forgotten before they were counted: where, which colour, by which rule, and whether
 * they are bridged. It says nothing of whom, opens nothing, and goes once a tally is logged.
 *
 *   registry/uncounted/<log>/<index>   sealed
 */
import { z } from 'zod';
import { COLOURS, isRuleId } from '../../protocol/code/status.ts';
import { decodeCbor, encodeCbor } from '../../protocol/encoding/cbor.ts';
import { type CountedStatus } from '../../protocol/trust/tally.ts';
import { type Change } from '../ports.ts';
import { type LogSealers } from './log-sealers.ts';
import { type Place } from './place-cipher.ts';
import { type PrivateTables } from './private-tables.ts';
import { registryCorrupt } from './registry-error.ts';
import { type PrivateName } from './whereabouts.ts';

export interface Uncounted extends Place {
  /** Of issue. */
  readonly hour: number;
  readonly status: CountedStatus;
}

/** Leaves of a log from `from` to before `until`. */
export interface Stretch {
  readonly log: string;
  readonly from: number;
  readonly until: number;
}

export interface UncountedModules {
  readonly tables: PrivateTables;
  readonly sealers: LogSealers;
}

const PREFIX = 'registry/uncounted/' satisfies PrivateName;
const INDEX_DIGITS = 13;
const BYTES_MAX = 64;
const valueSchema = z
  .tuple([z.int().nonnegative(), z.enum(COLOURS), z.string().refine(isRuleId)])
  .rest(z.literal('bridged'));

export function uncountedKey({ log, index }: Place): string {
  return `${PREFIX}${log}/${String(index).padStart(INDEX_DIGITS, '0')}`;
}

export function encodeUncounted({ hour, status }: Omit<Uncounted, keyof Place>): Uint8Array {
  const { colour, ruleId, original } = status;
  return encodeCbor([hour, colour, ruleId, ...(original === undefined ? [] : ['bridged'])]);
}

/** Those of a stretch of a log, by index. @throws {NodeError} REGISTRY_CORRUPT, and as the tables. */
export async function* uncountedIn(
  { log, from, until }: Stretch,
  { tables, sealers }: UncountedModules,
): AsyncGenerator<Uncounted, void, undefined> {
  const range = [uncountedKey({ log, index: from }), uncountedKey({ log, index: until })] as const;
  for await (const [key, sealed] of tables.entries(...range))
    yield parseUncounted(log, key, sealers.open(log, key, sealed));
}

/** Takes them away, out of the files of the disk too. Rejects as `uncountedIn`. */
export async function dropUncounted(stretch: Stretch, modules: UncountedModules): Promise<void> {
  const dels: Change[] = [];
  for await (const place of uncountedIn(stretch, modules)) dels.push({ del: uncountedKey(place) });
  if (dels.length === 0) return;
  await modules.tables.write(dels);
  const { log, from, until } = stretch;
  await modules.tables.compact(uncountedKey({ log, index: from }), uncountedKey({ log, index: until }));
}

/** @throws {NodeError} REGISTRY_CORRUPT */
function parseUncounted(log: string, key: string, bytes: Uint8Array): Uncounted {
  try {
    const [hour, colour, ruleId, original] = valueSchema.parse(decodeCbor(bytes, { bytesMax: BYTES_MAX }));
    return { log, index: Number(key.slice(-INDEX_DIGITS)), hour, status: { colour, ruleId, original } };
  } catch {
    throw registryCorrupt(`${key} does not say what a tally is to count`);
  }
}
