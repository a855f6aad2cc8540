/** Keeps connections to the peers that were configured: whoever is not connected is dialled, ever more seldom, never in step. */
import { DIAL_COURTESY_MS, DIALS_AT_ONCE, REDIAL } from '../network-limits.ts';
import { type DialTrouble, dialTroubleOf } from './dial-trouble.ts';

export interface RedialerOptions {
  /** The name of this node. */
  readonly self: string;
}

export interface RedialerModules {
  /** Peers that are not connected and may be dialled now, by name, with their addresses. */
  readonly missing: () => ReadonlyMap<string, readonly string[]>;
  /** Resolves once both have said hello. */
  readonly dial: (peer: string, addresses: readonly string[], signal: AbortSignal) => Promise<void>;
  /** Draws from [0, 1). */
  readonly random: () => number;
}

interface Attempt {
  failures: number;
  trouble: DialTrouble | undefined;
  dueMs: number;
  /** Of the attempt that is under way: one for each, since libp2p leaves listeners on it. */
  running: AbortController | undefined;
}

/** Milliseconds between two looks while somebody is missing, and else. */
const LOOK_MS = { missing: 100, else: 1_000 } as const;

export class Redialer {
  readonly #options: RedialerOptions;
  readonly #modules: RedialerModules;
  readonly #attempts = new Map<string, Attempt>();
  #underWay = 0;
  #isRunning = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: RedialerOptions, modules: RedialerModules) {
    this.#options = options;
    this.#modules = modules;
  }

  start(): void {
    this.#isRunning = true;
    this.look();
  }

  stop(): void {
    this.#isRunning = false;
    clearTimeout(this.#timer);
    for (const { running } of this.#attempts.values()) running?.abort();
  }

  /** By peer, failures in a row and what the last one was. */
  get failures(): ReadonlyMap<string, Readonly<Pick<Attempt, 'failures' | 'trouble'>>> {
    return new Map([...this.#attempts].map(([peer, { failures, trouble }]) => [peer, { failures, trouble }]));
  }

  /** Looks at once who is missing: somebody may have left, or been admitted. */
  look(): void {
    if (!this.#isRunning) return;
    clearTimeout(this.#timer);
    const missing = this.#modules.missing();
    this.#dialAll(missing);
    this.#timer = setTimeout(() => this.look(), missing.size > 0 ? LOOK_MS.missing : LOOK_MS.else);
  }

  #dialAll(missing: ReadonlyMap<string, readonly string[]>): void {
    const nowMs = performance.now();
    for (const [peer, { running }] of this.#attempts) {
      if (running === undefined && !missing.has(peer)) this.#attempts.delete(peer);
    }
    for (const peer of missing.keys()) {
      // The first attempt waits a little too: a peer that has just lost us is dialling already.
      const courtesyMs = this.#options.self > peer ? DIAL_COURTESY_MS : 0;
      const attempt = this.#attempts.get(peer) ?? {
        failures: 0,
        trouble: undefined,
        dueMs: nowMs + pauseMs(0, this.#modules.random()) / 2 + courtesyMs,
        running: undefined,
      };
      this.#attempts.set(peer, attempt);
    }
    const due = [...this.#attempts].filter(
      ([peer, { running, dueMs }]) => running === undefined && missing.has(peer) && dueMs <= nowMs,
    );
    // Those that answer go before those that have not for a while.
    due.sort(([, one], [, other]) => one.failures - other.failures);
    for (const [peer, attempt] of due.slice(0, Math.max(0, DIALS_AT_ONCE - this.#underWay)))
      void this.#dial(peer, missing.get(peer) ?? [], attempt);
  }

  async #dial(peer: string, addresses: readonly string[], attempt: Attempt): Promise<void> {
    attempt.running = new AbortController();
    this.#underWay++;
    try {
      await this.#modules.dial(peer, addresses, attempt.running.signal);
      attempt.failures = 0;
      attempt.trouble = undefined;
    } catch (error) {
      attempt.failures++;
      attempt.trouble = dialTroubleOf(error);
    } finally {
      this.#underWay--;
      attempt.running = undefined;
      const { failures, trouble } = attempt;
      attempt.dueMs = performance.now() + pauseMs(failures, this.#modules.random(), trouble);
    }
  }
}

/** Doubled with each failure, and somewhere in its upper half; `random` is drawn from [0, 1). */
function pauseMs(failures: number, random: number, trouble?: DialTrouble): number {
  const firstMs = trouble === 'not-welcome' ? REDIAL.unwelcomeMs : REDIAL.firstMs;
  const fullMs = Math.min(REDIAL.lastMs, firstMs * 2 ** Math.min(failures, 20));
  return fullMs * (0.5 + random / 2);
}
