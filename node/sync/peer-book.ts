/** What is held against each peer: those who break the protocol are left alone for a while. */
import { type ProtocolError } from '../../protocol/fault.ts';
import { RecentMap } from '../../protocol/recent-map.ts';
import { type Clock } from '../ports.ts';
import { BAN_MS, FAULTS_MAX, FAULTS_WITHIN_MS, PEERS_MAX } from './sync-limits.ts';

export interface PeerRecord {
  /** Milliseconds since 1970 of the faults that still count, since the last ban. */
  readonly faultsMs: readonly number[];
  /** Faults and failures to answer since the start. */
  readonly faultsInAll: number;
  readonly failuresInAll: number;
  /** The code of the last fault. */
  readonly lastFault: string | undefined;
  /** Milliseconds since 1970 until which nothing is asked of it or answered to it. */
  readonly bannedUntilMs: number;
}

const UNKNOWN: PeerRecord = {
  faultsMs: [],
  faultsInAll: 0,
  failuresInAll: 0,
  lastFault: undefined,
  bannedUntilMs: 0,
};

export class PeerBook {
  readonly #clock: Clock;
  readonly #records = new RecentMap<PeerRecord>(PEERS_MAX);

  constructor({ clock }: { readonly clock: Clock }) {
    this.#clock = clock;
  }

  recordOf(peer: string): PeerRecord {
    return this.#records.get(peer) ?? UNKNOWN;
  }

  isBanned(peer: string): boolean {
    const { bannedUntilMs } = this.recordOf(peer);
    // A clock that was set back must not ban anybody for longer.
    const leftMs = bannedUntilMs - this.#clock.nowMs();
    return leftMs > 0 && leftMs <= BAN_MS;
  }

  /** The peer sent what no honest node sends, whatever it knows: see SPEC.md 14.7. */
  fault(peer: string, { fault }: ProtocolError): void {
    const before = this.recordOf(peer);
    const nowMs = this.#clock.nowMs();
    const recent = before.faultsMs.filter((atMs) => Math.abs(nowMs - atMs) < FAULTS_WITHIN_MS);
    const faultsMs = [...recent, nowMs];
    const isBanned = faultsMs.length >= FAULTS_MAX;
    this.#records.set(peer, {
      ...before,
      faultsMs: isBanned ? [] : faultsMs,
      faultsInAll: before.faultsInAll + 1,
      lastFault: fault.code,
      bannedUntilMs: isBanned ? nowMs + BAN_MS : before.bannedUntilMs,
    });
  }

  /** The peer did not answer, or not in time: nobody's fault. */
  failure(peer: string): void {
    const before = this.recordOf(peer);
    this.#records.set(peer, { ...before, failuresInAll: before.failuresInAll + 1 });
  }
}
