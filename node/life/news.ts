/**
 * What has come into force since people were last looked at, and whom it is about: whoever updates by itself takes it soon. In memory alone, since the next
 * round of updates is of everybody.
 */
import { DECLARED_MAX } from './updater.ts';

/** Whom something new is about: these people, or any. */
export type NewsOf = readonly string[] | 'anybody';

/** Whoever looks at people soon after news. Must not throw; gives the seconds within which it begins. */
export type NewsListener = (of: NewsOf) => number;

export class News {
  #listener: NewsListener | undefined;
  #subjects = new Set<string>();
  #isOfAnybody = false;

  /** Until `close` is called there is one who takes what is told; there is at most one. */
  listen(listener: NewsListener): { readonly close: () => void } {
    this.#listener = listener;
    return {
      close: () => {
        if (this.#listener !== listener) return;
        this.#listener = undefined;
        this.take();
      },
    };
  }

  /** Seconds within which those whom it is about are looked at, where nothing else goes on; undefined where nobody does that by itself. */
  tell(of: NewsOf): number | undefined {
    if (this.#listener === undefined || of.length === 0) return undefined;
    if (of === 'anybody') this.#isOfAnybody = true;
    else for (const subject of of) this.#subjects.add(subject);
    // More than are looked at together: then everybody is.
    if (this.#subjects.size > DECLARED_MAX) this.#isOfAnybody = true;
    if (this.#isOfAnybody) this.#subjects.clear();
    return this.#listener(this.#isOfAnybody ? 'anybody' : of);
  }

  /** Whom all that was told and not taken yet is about; nobody where nothing was. */
  take(): NewsOf {
    const of = this.#isOfAnybody ? 'anybody' : [...this.#subjects];
    this.#isOfAnybody = false;
    this.#subjects = new Set();
    return of;
  }
}
