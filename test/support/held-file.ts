/** A file of which the rest comes only once it is let go on. */
import { bytesOf } from './lists-fixture.ts';

export class HeldFile implements AsyncIterable<Uint8Array> {
  readonly #parts: readonly [string, string];
  #goOn: () => void = () => undefined;
  #reach: () => void = () => undefined;
  readonly #going = new Promise<void>((resolve) => (this.#goOn = resolve));
  /** Resolves once the first part is read. */
  readonly reached = new Promise<void>((resolve) => (this.#reach = resolve));

  constructor(...parts: readonly [string, string]) {
    this.#parts = parts;
  }

  goOn(): void {
    this.#goOn();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    yield* bytesOf(this.#parts[0]);
    this.#reach();
    await this.#going;
    yield* bytesOf(this.#parts[1]);
  }
}
