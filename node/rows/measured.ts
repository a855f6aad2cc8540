/** A file that is hashed and counted as it is read. */
import * as crypto from 'node:crypto';

export class Measured {
  readonly #file: AsyncIterable<Uint8Array>;
  readonly #hash = crypto.createHash('sha256');
  #bytes = 0;

  constructor(file: AsyncIterable<Uint8Array>) {
    this.#file = file;
  }

  async *parts(): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const part of this.#file) {
      this.#hash.update(part);
      this.#bytes += part.length;
      yield part;
    }
  }

  /** Once it is read, and once only; the digest is the SHA-256 in hexadecimal. */
  sum(): { readonly bytes: number; readonly digest: string } {
    return { bytes: this.#bytes, digest: this.#hash.digest('hex') };
  }
}
