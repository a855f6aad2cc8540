/**
 * Asks peers for proofs that a log has forked, as long as none that stands is held. What a peer shows costs it nothing, and each proof costs
 * two signatures to look at: so each is asked for each log once in an interval, and seldom where its last answer brought none that stands.
 */
import { type ForkEvidence } from '../../protocol/evidence/fork.ts';
import { isProtocolError } from '../../protocol/fault.ts';
import { RecentMap } from '../../protocol/recent-map.ts';
import { type Clock } from '../ports.ts';
import { FORKS_KEPT_MAX } from '../trust/fork-book.ts';
import { type Followed, standingForksOf } from './followed.ts';
import { type SyncClient } from './sync-client.ts';

export interface ForkSeekerModules {
  readonly client: Pick<SyncClient, 'ask'>;
  readonly clock: Pick<Clock, 'runMs'>;
}

/** Intervals for which a peer whose answer brought none that stands is not asked again, unless it shows more proofs than before. */
export const IN_VAIN_INTERVALS = 10;
/** 256 logs shown by 64 peers. */
const ASKED_REMEMBERED = 16_384;

interface Asked {
  readonly untilMs: number;
  /** The same, while it shows no more proofs than `shown`. */
  readonly quietUntilMs: number;
  readonly shown: number;
}

export class ForkSeeker {
  readonly #intervalMs: number;
  readonly #modules: ForkSeekerModules;
  /** By log and peer. */
  readonly #asked = new RecentMap<Asked>(ASKED_REMEMBERED);

  constructor(intervalMs: number, modules: ForkSeekerModules) {
    this.#intervalMs = intervalMs;
    this.#modules = modules;
  }

  /** Asks a peer that shows so many proofs, if it is its turn, and takes what is proven. Rejects as `SyncClient.ask`, and with `NodeError` for our own disk. */
  async seek(peer: string, log: Followed, forks: number): Promise<void> {
    if (forks === 0 || standingForksOf(log).length > 0) return;
    const { client, clock } = this.#modules;
    const name = `${log.origin} ${peer}`;
    const nowMs = clock.runMs();
    const before = this.#asked.get(name) ?? { untilMs: 0, quietUntilMs: 0, shown: 0 };
    // Nobody keeps more: so a peer that shows one more each time comes to an end.
    const shown = Math.max(before.shown, Math.min(FORKS_KEPT_MAX, forks));
    const isQuiet = nowMs < before.quietUntilMs && shown === before.shown;
    if (nowMs < before.untilMs || isQuiet) return;
    const untilMs = nowMs + this.#intervalMs;
    this.#asked.set(name, { untilMs, quietUntilMs: untilMs, shown });
    const { forks: proofs } = await client.ask(peer, { kind: 'forks', origin: log.origin });
    let isNew = false;
    for (const proof of proofs) isNew = (await accuse(log, proof)) || isNew;
    const quietUntilMs = nowMs + IN_VAIN_INTERVALS * this.#intervalMs;
    if (!isNew) this.#asked.set(name, { untilMs, quietUntilMs, shown });
  }
}

/**
 * Whether the log has more proofs that stand by this one. One by keys that are not known here proves nothing here, is nobody's fault, and
 * says nothing of the others that come with it. Rejects with `NodeError` for our own disk.
 */
export async function accuse(log: Followed, evidence: ForkEvidence): Promise<boolean> {
  const before = standingForksOf(log).length;
  try {
    await log.accuse(evidence);
  } catch (error) {
    if (!isProtocolError(error)) throw error;
  }
  return standingForksOf(log).length > before;
}
