/**
 * How much of something a node gives to peers. Each region has what a region may have or, where that is less, an equal part of what there is for all who
 * have not paid yet for what they had; so whoever had little has his part, however many others ask without end.
 */
import { type Share } from '../peer-places.ts';
import { type Clock } from '../ports.ts';
import { PEERS_MAX } from './sync-limits.ts';

interface Rate {
  readonly perS: number;
  /** At once after a rest. */
  readonly burst: number;
}

export interface BudgetRates {
  readonly ofRegion: Rate;
  /** Of all invited peers together: the recognised ones have the rest, however many invited ones there are. */
  readonly ofInvited: Rate;
  readonly ofAll: Rate;
}

/** Of a region that has not paid for all it had. */
interface Account {
  owed: number;
  /** So much of what is owed keeps it from nothing: its part at the time when it owed nothing. */
  burst: number;
  isInvited: boolean;
}

export class PeerBudget {
  readonly #rates: BudgetRates;
  readonly #clock: Pick<Clock, 'nowMs'>;
  /** By region; the oldest is forgotten first. Whoever is not here owes nothing. */
  readonly #accounts = new Map<string, Account>();
  #atMs: number;

  constructor(rates: BudgetRates, { clock }: { readonly clock: Pick<Clock, 'nowMs'> }) {
    this.#rates = rates;
    this.#clock = clock;
    this.#atMs = clock.nowMs();
  }

  /** Milliseconds until anything may be given to a peer with this share again; 0 if that is now. */
  waitMs({ region }: Share): number {
    this.#pay();
    const account = this.#accounts.get(region);
    if (account === undefined || account.owed <= account.burst) return 0;
    return Math.ceil((1_000 * (account.owed - account.burst)) / this.#partOf(account.isInvited, 'perS'));
  }

  /** So much was given to a peer with this share. */
  spend({ region, isInvited }: Share, amount: number): void {
    this.#pay();
    const known = this.#accounts.get(region);
    if (known !== undefined) {
      known.owed += amount;
      known.isInvited = isInvited;
      return;
    }
    for (const oldest of this.#accounts.keys()) {
      if (this.#accounts.size < PEERS_MAX) break;
      this.#accounts.delete(oldest);
    }
    const account = { owed: amount, burst: 0, isInvited };
    this.#accounts.set(region, account);
    account.burst = this.#partOf(isInvited, 'burst');
  }

  /** Time pays what is owed. A clock that steps back pays nothing, and one that leaps no more than what is owed. */
  #pay(): void {
    const nowMs = this.#clock.nowMs();
    const passedS = Math.max(0, nowMs - this.#atMs) / 1_000;
    this.#atMs = nowMs;
    if (passedS === 0 || this.#accounts.size === 0) return;
    const paid = passedS * this.#partOf(false, 'perS');
    const paidByInvited = passedS * this.#partOf(true, 'perS');
    for (const [region, account] of this.#accounts) {
      account.owed -= account.isInvited ? paidByInvited : paid;
      if (account.owed <= 0) this.#accounts.delete(region);
    }
  }

  /** What a region has that owes anything, an invited one or another, of which there must be one. */
  #partOf(isInvited: boolean, of: keyof Rate): number {
    const { ofRegion, ofInvited, ofAll } = this.#rates;
    const all = this.#accounts.size;
    let invited = 0;
    for (const account of this.#accounts.values()) if (account.isInvited) invited++;
    const ofOneInvited = Math.min(ofAll[of] / all, ofInvited[of] / invited);
    const part = isInvited ? ofOneInvited : (ofAll[of] - invited * ofOneInvited) / (all - invited);
    return Math.min(ofRegion[of], part);
  }
}
