/**
 * For which minutes heads were signed. A region signs one table of a day for a minute at most, or convicts itself: so the last minute is noted before
 * anything is signed for it, and neither a restart nor a clock that is set back signs for it again. One writer. Row:
 *
 *   signed/minute    the last minute that was taken; it stays with the machine, and so does not lie among what is private
 */
import { z } from 'zod';
import { LOOKUP_HEAD_S } from '../../protocol/limits.ts';
import { type Change } from '../ports.ts';

export interface SignedMinutesModules {
  readonly store: {
    get(key: string): Promise<Uint8Array | undefined>;
    write(changes: readonly Change[]): Promise<void>;
  };
}

const ROW = 'signed/minute';
const rowSchema = z.strictObject({ minute: z.int() });

export class SignedMinutes {
  readonly #modules: SignedMinutesModules;
  #last: number | undefined;

  constructor(modules: SignedMinutesModules) {
    this.#modules = modules;
  }

  /** Whether the minute of a moment may be signed for: once, by whoever asks first. Rejects as the store, and then it may not. */
  async take(nowS: number): Promise<boolean> {
    const minute = Math.floor(nowS / LOOKUP_HEAD_S);
    this.#last ??= await this.#read();
    if (minute <= this.#last) return false;
    this.#last = minute;
    const value = new Uint8Array(Buffer.from(JSON.stringify({ minute })));
    await this.#modules.store.write([{ put: ROW, value }]);
    return true;
  }

  async #read(): Promise<number> {
    const bytes = await this.#modules.store.get(ROW);
    const { minute } =
      bytes === undefined ? { minute: -1 } : rowSchema.parse(JSON.parse(Buffer.from(bytes).toString('utf8')));
    return minute;
  }
}
