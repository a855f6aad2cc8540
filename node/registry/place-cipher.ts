/**
 * Places in logs as names that only the registry can read. A place is one block of AES-256: every place is there once, so
 * that what is seen of them is distinct blocks that look random, and neither nonce nor tag is needed.
 */
import * as crypto from 'node:crypto';
import { isAttestationLogId } from '../../protocol/log/origin.ts';
import { registryCorrupt } from './registry-error.ts';

/** An attestation: the id of its log and its index there. */
export interface Place {
  readonly log: string;
  readonly index: number;
}

const ALGORITHM = 'aes-256-ecb';
const BLOCK_BYTES = 16;
/** Year (2), month (1), replacement (1), index (6); the rest is zeros, which another key does not give. */
const INDEX_AT = 4;
const INDEX_BYTES = 6;
const ZEROS_AT = INDEX_AT + INDEX_BYTES;

export class PlaceCipher {
  readonly #key: crypto.KeyObject;

  constructor(key: crypto.KeyObject) {
    this.#key = key;
  }

  /** The names of `count` places from one on: 32 hexadecimal digits each. */
  namesFrom({ log, index }: Place, count: number): string[] {
    const plain = Buffer.alloc(count * BLOCK_BYTES);
    for (let i = 0; i < count; i++) {
      const at = i * BLOCK_BYTES;
      plain.writeUInt16BE(Number(log.slice(0, 4)), at);
      plain[at + 2] = Number(log.slice(5, 7));
      plain[at + 3] = Number(log.slice(8));
      plain.writeUIntBE(index + i, at + INDEX_AT, INDEX_BYTES);
    }
    const cipher = crypto.createCipheriv(ALGORITHM, this.#key, null).setAutoPadding(false);
    const names = cipher.update(plain, undefined, 'hex') + cipher.final('hex');
    return Array.from({ length: count }, (_, i) =>
      names.slice(2 * i * BLOCK_BYTES, 2 * (i + 1) * BLOCK_BYTES),
    );
  }

  /** The places of these names, in their order. @throws {NodeError} REGISTRY_CORRUPT for what `namesFrom` did not make under this key. */
  placesOf(names: readonly string[]): Place[] {
    const blocks = Buffer.from(names.join(''), 'hex');
    const isWhole = names.every(({ length }) => length === 2 * BLOCK_BYTES);
    if (!isWhole || blocks.length !== names.length * BLOCK_BYTES)
      throw registryCorrupt('a place has a name of another length');
    // One for all of them: it costs as much as some hundred blocks.
    const decipher = crypto.createDecipheriv(ALGORITHM, this.#key, null).setAutoPadding(false);
    const plain = Buffer.concat([decipher.update(blocks), decipher.final()]);
    return names.map((_, i) => placeIn(plain.subarray(i * BLOCK_BYTES, (i + 1) * BLOCK_BYTES)));
  }
}

function placeIn(block: Buffer): Place {
  const [month = 0, replacement = 0] = block.subarray(2, INDEX_AT);
  const suffix = replacement === 0 ? '' : `.${replacement}`;
  const log = `${block.readUInt16BE(0)}-${String(month).padStart(2, '0')}${suffix}`;
  if (!isAttestationLogId(log) || block.subarray(ZEROS_AT).some((byte) => byte !== 0))
    throw registryCorrupt('a place was not named with the registry key');
  return { log, index: block.readUIntBE(INDEX_AT, INDEX_BYTES) };
}
