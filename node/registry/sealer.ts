/**
 * Sealing what is private at rest: AES-256-GCM under keys that are derived, one for each purpose, from a key that lies apart
 * from the store. A sealed value opens only at the place it was sealed for.
 */
import * as crypto from 'node:crypto';
import { registryCorrupt } from './registry-error.ts';

export const REGISTRY_KEY_BYTES = 32;
export const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const ALGORITHM = 'aes-256-gcm';

/** The key of one purpose. @throws {RangeError} unless `key` has 32 bytes; the message holds none of them. */
export function derivedKey(key: Uint8Array, purpose: string): crypto.KeyObject {
  if (key.length !== REGISTRY_KEY_BYTES) {
    throw new RangeError(`a registry key has ${REGISTRY_KEY_BYTES} bytes, not ${key.length}`);
  }
  const derived = crypto.hkdfSync('sha256', key, '', `entente/registry/${purpose}/v1`, REGISTRY_KEY_BYTES);
  return crypto.createSecretKey(Buffer.from(derived));
}

export class Sealer {
  readonly #key: crypto.KeyObject;

  constructor(key: crypto.KeyObject) {
    this.#key = key;
  }

  /** `nonce || ciphertext || tag`. `nonce`: 12 random bytes, for at most 2^32 values under one key. */
  seal(place: string, plain: Uint8Array, nonce: Uint8Array): Uint8Array {
    const cipher = crypto.createCipheriv(ALGORITHM, this.#key, nonce);
    cipher.setAAD(Buffer.from(place, 'latin1'));
    return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
  }

  /** @throws {NodeError} REGISTRY_CORRUPT naming the place, unless the value was sealed for it under this key. */
  open(place: string, sealed: Uint8Array): Uint8Array {
    try {
      const end = sealed.length - TAG_BYTES;
      const decipher = crypto.createDecipheriv(ALGORITHM, this.#key, sealed.subarray(0, NONCE_BYTES));
      decipher.setAAD(Buffer.from(place, 'latin1'));
      decipher.setAuthTag(sealed.subarray(end));
      return Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES, end)), decipher.final()]);
    } catch {
      throw registryCorrupt(`${place} was not sealed there with the registry key`);
    }
  }
}
