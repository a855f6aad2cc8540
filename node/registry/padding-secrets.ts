/**
 * The secrets of leaves that are nobody's, made from the key of the registry, the place, and a code of the same batch: so there is nothing to
 * keep, and a machine that takes over has them too. Where a log was signed in two trees, codes have other salts in each, and so what stands
 * at one place of both does not tell that it is nobody's.
 */
import * as crypto from 'node:crypto';
import { type Place } from './place-cipher.ts';

export class PaddingSecrets {
  readonly #key: crypto.KeyObject;

  constructor(key: crypto.KeyObject) {
    this.#key = key;
  }

  /** 32 bytes: HMAC-SHA256 of the place and a commitment. That of one place tells nothing of another's. */
  of({ log, index }: Place, beside: Uint8Array): Uint8Array {
    return crypto.createHmac('sha256', this.#key).update(`${log}\n${index}\n`).update(beside).digest();
  }

  /** As they were made at first, of the place alone. */
  ofPlace({ log, index }: Place): Uint8Array {
    return crypto.createHmac('sha256', this.#key).update(`${log}\n${index}`).digest();
  }
}
