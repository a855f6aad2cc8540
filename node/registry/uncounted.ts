/**
 * What tallies are still to be told of codes whose holder was forgotten before they were counted: where, which colour, by which rule. It
 * says nothing of whom, opens nothing, and goes once a tally is logged.
 *
 *   registry/uncounted/<log>/<index>   sealed
 */
import { z } from 'zod';
import { COLOURS, isRuleId, type Status } from '../../protocol/code/status.ts';
import { decodeCbor, encodeCbor } from '../../protocol/encoding/cbor.ts';
import { type Place } from './place-cipher.ts';
import { registryCorrupt } from './registry-error.ts';
import { type PrivateName } from './whereabouts.ts';

export interface Uncounted extends Place {
  /** Of issue. */
  readonly hour: number;
  readonly status: Pick<Status, 'colour' | 'ruleId'>;
}

const PREFIX = 'registry/uncounted/' satisfies PrivateName;
const INDEX_DIGITS = 13;
const BYTES_MAX = 64;
const valueSchema = z.tuple([z.int().nonnegative(), z.enum(COLOURS), z.string().refine(isRuleId)]);

export function uncountedKey({ log, index }: Place): string {
  return `${PREFIX}${log}/${String(index).padStart(INDEX_DIGITS, '0')}`;
}

export function encodeUncounted({ hour, status }: Omit<Uncounted, keyof Place>): Uint8Array {
  return encodeCbor([hour, status.colour, status.ruleId]);
}

/** @throws {NodeError} REGISTRY_CORRUPT */
export function parseUncounted(log: string, key: string, bytes: Uint8Array): Uncounted {
  try {
    const [hour, colour, ruleId] = valueSchema.parse(decodeCbor(bytes, { bytesMax: BYTES_MAX }));
    return { log, index: Number(key.slice(-INDEX_DIGITS)), hour, status: { colour, ruleId } };
  } catch {
    throw registryCorrupt(`${key} does not say what a tally is to count`);
  }
}
