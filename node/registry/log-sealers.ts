/** Sealing what the registry has of a log: a key of its own for each month keeps the number of values under one key in bounds. */
import { type Change, type Random } from '../ports.ts';
import { derivedKey, NONCE_BYTES, Sealer } from './sealer.ts';

export class LogSealers {
  readonly #key: Uint8Array;
  readonly #random: Random;
  readonly #byLog = new Map<string, Sealer>();

  /** `key`: that of the registry, 32 bytes. */
  constructor(key: Uint8Array, random: Random) {
    this.#key = key;
    this.#random = random;
  }

  /** @throws {NodeError} REGISTRY_CORRUPT where it was sealed for another place or log. */
  open(log: string, name: string, sealed: Uint8Array): Uint8Array {
    return this.#of(log).open(name, sealed);
  }

  /** What puts a value in its place, sealed for it. */
  change(log: string, name: string, plain: Uint8Array): Change {
    return { put: name, value: this.#of(log).seal(name, plain, this.#random(NONCE_BYTES)) };
  }

  #of(log: string): Sealer {
    let sealer = this.#byLog.get(log);
    if (sealer === undefined) {
      sealer = new Sealer(derivedKey(this.#key, `page/${log}`));
      this.#byLog.set(log, sealer);
    }
    return sealer;
  }
}
