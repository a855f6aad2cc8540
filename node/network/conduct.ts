/** How each peer behaves: counted by reason, shown to the operator, and whoever breaks the protocol again and again is shut out. */
import { RecentMap } from '../../protocol/recent-map.ts';
import { type Clock } from '../ports.ts';
import { BREACHES, PEERS_REMEMBERED, REASONS_MAX } from './network-limits.ts';

interface Record {
  readonly counts: Map<string, number>;
  /** Milliseconds since 1970 of the breaches that still count. */
  breachesMs: number[];
  shutOutUntilMs: number;
}

export interface ConductReport {
  readonly peer: string;
  /** By reason, since the start. */
  readonly counts: Readonly<{ [reason: string]: number }>;
  readonly isShutOut: boolean;
}

export interface ConductModules {
  readonly clock: Pick<Clock, 'nowMs'>;
  /** Told of a peer that is shut out from now on. Must not throw. */
  readonly onShutOut?: (peer: string) => void;
}

export class Conduct {
  readonly #clock: Pick<Clock, 'nowMs'>;
  readonly #onShutOut: ((peer: string) => void) | undefined;
  readonly #records = new RecentMap<Record>(PEERS_REMEMBERED);
  readonly #names = new Set<string>();

  constructor({ clock, onShutOut }: ConductModules) {
    this.#clock = clock;
    this.#onShutOut = onShutOut;
  }

  /** Something happened that is nobody's fault, or not enough of one. */
  note(peer: string, reason: string): void {
    const { counts } = this.#recordOf(peer);
    const name = counts.has(reason) || counts.size < REASONS_MAX ? reason : 'other';
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }

  /** The peer broke the protocol. */
  breach(peer: string, reason: string): void {
    this.note(peer, reason);
    const record = this.#recordOf(peer);
    const nowMs = this.#clock.nowMs();
    record.breachesMs = record.breachesMs.filter((atMs) => Math.abs(nowMs - atMs) < BREACHES.withinMs);
    record.breachesMs.push(nowMs);
    if (record.breachesMs.length < BREACHES.max) return;
    record.breachesMs = [];
    record.shutOutUntilMs = nowMs + BREACHES.shutOutMs;
    this.note(peer, 'shut-out');
    this.#onShutOut?.(peer);
  }

  isShutOut(peer: string): boolean {
    const record = this.#records.get(peer);
    if (record === undefined) return false;
    // A clock that was set back must not shut anybody out for longer.
    const leftMs = record.shutOutUntilMs - this.#clock.nowMs();
    return leftMs > 0 && leftMs <= BREACHES.shutOutMs;
  }

  get report(): ConductReport[] {
    return [...this.#names].flatMap((peer) => {
      const record = this.#records.get(peer);
      if (record === undefined) this.#names.delete(peer);
      const counts = Object.fromEntries(record?.counts ?? []);
      return record === undefined ? [] : [{ peer, counts, isShutOut: this.isShutOut(peer) }];
    });
  }

  #recordOf(peer: string): Record {
    const known = this.#records.get(peer);
    if (known !== undefined) return known;
    const record: Record = { counts: new Map(), breachesMs: [], shutOutUntilMs: 0 };
    this.#records.set(peer, record);
    this.#names.add(peer);
    return record;
  }
}
