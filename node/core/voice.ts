/**
 * Whether this machine is sure that it alone speaks for its region, for what no witness permits one by one and no two machines may say differently: tables of
 * numbers (SPEC.md 21.5). In doubt it is silent.
 */
import { LOOKUP_HEAD_S } from '../../protocol/limits.ts';
import { type Clock } from '../ports.ts';
import { type Assent } from '../writer/assent.ts';

/** A writer asks every ten seconds whether it still is the one. */
const ASSENT_MS_MAX = 30_000;
/** Left to the writer before, which speaks for as long as its assent is good, by a clock of its own: the minute in which this one begins, and two more. */
const MINUTES_LEFT = 3;

export interface VoiceModules {
  readonly clock: Pick<Clock, 'nowMs'>;
  /** What signs here; another one each time that it begins, undefined while nothing does. */
  readonly side: () => object | undefined;
  /** That of the witnesses, where they fence whoever writes. */
  readonly assent?: Pick<Assent, 'ageMs'> | undefined;
  /** Whether the writer before was an earlier process of this machine, which is known to have ended. */
  readonly isNext?: () => boolean;
  /** Told whenever it speaks. Must not throw. */
  readonly onSpeak?: () => void;
}

export class Voice {
  readonly #modules: VoiceModules;
  /** As it was when last asked. */
  #side: object | undefined;
  #hasSpoken = false;
  #fromMinute = 0;

  constructor(modules: VoiceModules) {
    this.#modules = modules;
  }

  /** Whether it says nothing now. */
  get isSilent(): boolean {
    const { clock, side: sideOf, assent, isNext, onSpeak } = this.#modules;
    const minute = Math.floor(clock.nowMs() / (1_000 * LOOKUP_HEAD_S));
    const side = sideOf();
    if (side !== this.#side) {
      this.#side = side;
      // Where nobody fences there is no writer before.
      const isAlone = assent === undefined || isNext?.() === true;
      this.#fromMinute = isAlone && !this.#hasSpoken ? 0 : minute + MINUTES_LEFT;
      this.#hasSpoken ||= side !== undefined;
    }
    if (side === undefined || minute < this.#fromMinute) return true;
    if (assent !== undefined && assent.ageMs > ASSENT_MS_MAX) return true;
    onSpeak?.();
    return false;
  }
}
