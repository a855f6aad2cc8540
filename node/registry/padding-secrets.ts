/**
 * The secrets of leaves that are nobody's, made from the key of the registry and the place: so there is nothing to keep, and a machine that
 * takes over has them too.
 */
import * as crypto from 'node:crypto';
import { type Place } from './place-cipher.ts';

export class PaddingSecrets {
  readonly #key: crypto.KeyObject;

  constructor(key: crypto.KeyObject) {
    this.#key = key;
  }

  /** 32 bytes: HMAC-SHA256 of the place. That of one place tells nothing of another's. */
  of({ log, index }: Place): Uint8Array {
    return crypto.createHmac('sha256', this.#key).update(`${log}\n${index}`).digest();
  }
}
