/** Reads LevelDB's varints and strings one after the other. Past the end everything is 0 and `overrun` is set. */
export class Cursor {
  readonly #bytes: Uint8Array;
  #at: number;
  overrun = false;

  constructor(bytes: Uint8Array, at = 0) {
    this.#bytes = bytes;
    this.#at = at;
  }

  get atEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  /** Exact up to 2^53-1; file numbers, sizes and offsets are far below. */
  varint(): number {
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) break;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    this.overrun = true;
    this.#at = this.#bytes.length;
    return 0;
  }

  skipString(): void {
    this.take(this.varint());
  }

  /** The next `length` bytes, as a view. */
  take(length: number): Uint8Array {
    const start = this.#at;
    this.#at += length;
    if (this.#at > this.#bytes.length) this.overrun = true;
    return this.#bytes.subarray(start, this.#at);
  }
}
