/** What numbers come to on one day: 32 bytes each, found by a digest of the number, and kept as 48 bytes each. */
import { type Sha256 } from '../../protocol/primitives.ts';

const TAG_BYTES = 16;
const SECRET_BYTES = 32;

export class NumberSecretsOfDay {
  readonly #sha256: Sha256;
  readonly #byTag = new Map<string, Uint8Array>();

  constructor({ sha256 }: { readonly sha256: Sha256 }, kept: Uint8Array = new Uint8Array()) {
    this.#sha256 = sha256;
    for (let at = 0; at + TAG_BYTES + SECRET_BYTES <= kept.length; at += TAG_BYTES + SECRET_BYTES) {
      const secret = kept.slice(at + TAG_BYTES, at + TAG_BYTES + SECRET_BYTES);
      this.#byTag.set(tagOf(kept.subarray(at, at + TAG_BYTES)), secret);
    }
  }

  get size(): number {
    return this.#byTag.size;
  }

  get(number: string): Uint8Array | undefined {
    return this.#byTag.get(this.#tag(number));
  }

  set(number: string, secret: Uint8Array): void {
    this.#byTag.set(this.#tag(number), secret);
  }

  /** Forgets all numbers but these, which are different ones and all known. */
  retain(numbers: readonly string[]): void {
    if (this.size === numbers.length) return;
    const tags = new Set(numbers.map((number) => this.#tag(number)));
    for (const tag of this.#byTag.keys()) if (!tags.has(tag)) this.#byTag.delete(tag);
  }

  /** As the constructor takes it. */
  encode(): Uint8Array {
    const bytes = new Uint8Array(this.size * (TAG_BYTES + SECRET_BYTES));
    let at = 0;
    for (const [tag, secret] of this.#byTag) {
      bytes.set(Buffer.from(tag, 'latin1'), at);
      bytes.set(secret, at + TAG_BYTES);
      at += TAG_BYTES + SECRET_BYTES;
    }
    return bytes;
  }

  destroy(): void {
    for (const secret of this.#byTag.values()) secret.fill(0);
    this.#byTag.clear();
  }

  #tag(number: string): string {
    return tagOf(this.#sha256(Buffer.from(number)).subarray(0, TAG_BYTES));
  }
}

function tagOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}
