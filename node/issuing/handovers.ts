/**
 * Batches whose codes are on their way to those they are for. A code is worth nothing until somebody has it, and a process may
 * die between the log and the hand-over: what is listed here was issued, and nobody has confirmed yet that it arrived.
 */
import { z } from 'zod';
import { decodeCbor, encodeCbor } from '../../protocol/encoding/cbor.ts';
import { type Change } from '../ports.ts';
import { logError } from '../log/log-error.ts';
import { type Place } from '../registry/place-cipher.ts';
import { type Store } from '../store/store.ts';

/** Attestations that follow each other in a log, the first at `index`. */
export interface Handover extends Place {
  readonly count: number;
}

const PREFIX = 'handover/';
const INDEX_DIGITS = 16;
const VALUE_BYTES_MAX = 16;
const counted = z.int().positive();

/** Remembers a batch; to be written together with its staging. */
export function handoverChange({ log, index, count }: Handover): Change {
  return { put: keyOf({ log, index }), value: encodeCbor(count) };
}

/** Forgets a batch: it has no codes, or they have arrived. */
export function handoverGone(place: Place): Change {
  return { del: keyOf(place) };
}

export class Handovers {
  readonly #store: Store;

  constructor({ store }: { readonly store: Store }) {
    this.#store = store;
  }

  /** By log and index. Rejects with what the store rejects with, and LOG_CORRUPT. */
  async open(): Promise<Handover[]> {
    const open: Handover[] = [];
    for await (const [key, value] of this.#store.entries(PREFIX, `${PREFIX}~`)) {
      const [, log = '', digits] = key.split('/');
      open.push({ log, index: Number(digits), count: countOf(key, value) });
    }
    return open;
  }

  /** The codes of these batches have arrived. */
  async close(handovers: readonly Place[]): Promise<void> {
    if (handovers.length > 0) await this.#store.write(handovers.map(handoverGone));
  }
}

function keyOf({ log, index }: Place): string {
  return `${PREFIX}${log}/${String(index).padStart(INDEX_DIGITS, '0')}`;
}

function countOf(key: string, value: Uint8Array): number {
  try {
    return counted.parse(decodeCbor(value, { bytesMax: VALUE_BYTES_MAX }));
  } catch (cause) {
    throw logError('LOG_CORRUPT', `${key} does not say how many codes it is about`, { cause });
  }
}
