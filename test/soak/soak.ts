/**
 * Three nodes as three processes under a moderate load for as long as is asked: codes issued and revoked, verdicts asked of all
 * of them, readers that are slow, and a peer that is restarted again and again. The two that run through are judged: does what
 * they hold stay flat, and is every verdict right?
 */
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { type IssuedCode } from '../../node/http/admin-schemas.ts';
import { VerdictClient } from '../../node/http/verdict-client.ts';
import { type Verdict } from '../../protocol/verdict/verdict.ts';
import { ProcessFederation } from '../support/process-federation.ts';
import { type Sample } from './flatness.ts';
import { processFigures, type ProcessFigures } from '../support/process-figures.ts';
import { SlowReader } from './slow-reader.ts';

export interface SoakOptions {
  /** An empty folder. */
  readonly dir: string;
  readonly seconds: number;
  /** Between two restarts of the third node. */
  readonly restartS: number;
  /** How many times slower the load is; 1 by default. */
  readonly slowness?: number;
  /** MB that each node shall leak in a minute, to see that it is seen. */
  readonly plantMb?: number;
  /** Called every minute. */
  readonly onMinute?: (minute: number, figures: ReadonlyMap<string, ProcessFigures>) => void;
}

export interface Soaked {
  /** Bytes, by region. */
  readonly rss: ReadonlyMap<string, readonly Sample[]>;
  /** Bytes that a thread holds when its garbage is collected, by region and thread. */
  readonly held: ReadonlyMap<string, readonly Sample[]>;
  readonly fds: ReadonlyMap<string, readonly Sample[]>;
  /** Seconds on a processor, by region, of those that ran through. */
  readonly cpuS: ReadonlyMap<string, number>;
  readonly issued: number;
  readonly revoked: number;
  readonly restarts: number;
  readonly slowBytes: number;
  readonly slowCuts: number;
  /** Questions that a node had no time for, as on a machine that is busy with something else. */
  readonly turnedAway: number;
  /** Verdicts that were neither right nor wrong: `undetermined` of what others know. */
  readonly undetermined: number;
  /** Verdicts by outcome. */
  readonly verdicts: Readonly<Record<string, number>>;
  /** What should not have been: at most a hundred are kept. */
  readonly faults: readonly string[];
}

export const THROUGH = ['CN-33', 'DE'] as const;
const RESTARTED = 'FR';
const REGIONS = [...THROUGH, RESTARTED];

const SAMPLE_MS = 2_000;
const COLLECT_MS = 5_000;
const ISSUE_MS = 700;
const REVOKE_MS = 2_500;
const VERIFY_MS = 150;
/** Milliseconds until everybody must know of a code or a revocation. */
const SETTLED_MS = 5_000;
/** Codes that are asked about: the newest. */
const CODES_MAX = 500;
const FAULTS_MAX = 100;
const LIFE_S = 7 * 86_400;

interface Known extends IssuedCode {
  readonly region: string;
  readonly sinceMs: number;
}

export async function soak(options: SoakOptions): Promise<Soaked> {
  const run = new Soak(options, await ProcessFederation.found(options.dir, REGIONS));
  return run.soaked();
}

class Soak {
  readonly #options: SoakOptions;
  readonly #federation: ProcessFederation;
  readonly #env: NodeJS.ProcessEnv;
  readonly #kept: Known[] = [];
  readonly #gone: Known[] = [];
  readonly #rss = new Map<string, Sample[]>(THROUGH.map((region) => [region, []]));
  readonly #fds = new Map<string, Sample[]>(THROUGH.map((region) => [region, []]));
  readonly #readers: SlowReader[] = [];
  readonly #verdicts: Record<string, number> = { pass: 0, stop: 0, act: 0, undetermined: 0 };
  readonly #faults: string[] = [];
  readonly #counts = { issued: 0, revoked: 0, restarts: 0, turnedAway: 0, undetermined: 0, minutes: 0 };
  #startMs = 0;
  /** The third node is trusted again from here on. */
  #backAtMs = 0;

  readonly #slowness: number;
  readonly #figuresDir: string;

  constructor(options: SoakOptions, federation: ProcessFederation) {
    this.#options = options;
    this.#slowness = options.slowness ?? 1;
    this.#figuresDir = join(options.dir, 'figures');
    mkdirSync(this.#figuresDir);
    this.#federation = federation;
    const collector = new URL(`./collector${import.meta.filename.slice(-3)}`, import.meta.url);
    this.#env = {
      NODE_OPTIONS: `--import ${collector.href}`,
      SOAK_PLANT: String(options.plantMb ?? 0),
      SOAK_FIGURES: this.#figuresDir,
      SOAK_COLLECT_MS: String(COLLECT_MS * this.#slowness),
    };
  }

  async soaked(): Promise<Soaked> {
    const { seconds, restartS } = this.#options;
    try {
      await Promise.all(REGIONS.map((region) => this.#federation.start(region, this.#env)));
      this.#startMs = performance.now();
      this.#backAtMs = performance.now() + SETTLED_MS;
      this.#readSlowly();
      const over = AbortSignal.timeout(seconds * 1_000);
      await Promise.all([
        this.#every(SAMPLE_MS, over, () => this.#sample()),
        this.#every(ISSUE_MS * this.#slowness, over, () => this.#issue()),
        this.#every(REVOKE_MS * this.#slowness, over, () => this.#revoke()),
        this.#every(VERIFY_MS * this.#slowness, over, () => this.#verify()),
        this.#every(restartS * 1_000, over, () => this.#restart()),
        this.#every(60_000, over, () => this.#minute()),
      ]);
      return this.#report();
    } finally {
      for (const reader of this.#readers) reader.stop();
      await this.#federation.stop();
    }
  }

  /** One at a time, so that nothing piles up; what fails is a fault, and the next follows. */
  async #every(ms: number, signal: AbortSignal, work: () => void | Promise<void>): Promise<void> {
    for (;;) {
      await setTimeout(ms, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
      try {
        await work();
      } catch (error) {
        this.#fault(String(error));
      }
    }
  }

  #sample(): void {
    for (const region of THROUGH) {
      const { rssBytes, fds } = this.#figures(region);
      const atMs = performance.now();
      this.#rss.get(region)?.push({ atMs, value: rssBytes });
      this.#fds.get(region)?.push({ atMs, value: fds });
    }
  }

  async #issue(): Promise<void> {
    const region = this.#turn(THROUGH);
    const expiresAtS = Math.floor(Date.now() / 1_000) + LIFE_S;
    const issued = (await this.#federation.admin(region).ask({
      method: 'POST',
      path: '/v1/issue',
      body: { subject: `Person ${this.#counts.issued}`, status: { colour: 'green', expiresAtS } },
    })) as IssuedCode;
    this.#counts.issued++;
    keep(this.#kept, { ...issued, region, sinceMs: performance.now() });
  }

  async #revoke(): Promise<void> {
    const code = this.#kept.shift();
    if (code === undefined) return;
    const body = { log: code.log, indexes: [code.index] };
    await this.#federation.admin(code.region).ask({ method: 'POST', path: '/v1/revoke', body });
    this.#counts.revoked++;
    keep(this.#gone, { ...code, sinceMs: performance.now() });
  }

  async #verify(): Promise<void> {
    const nowMs = performance.now();
    const [codes, right] = Math.random() < 0.5 ? [this.#kept, 'pass'] : [this.#gone, 'stop'];
    const settled = codes.filter(({ sinceMs }) => sinceMs < nowMs - SETTLED_MS);
    const code = settled[Math.floor(Math.random() * settled.length)];
    if (code === undefined) return;
    for (const [region, { url }] of this.#federation.running) {
      if (url === '' || (region === RESTARTED && nowMs < this.#backAtMs)) continue;
      const verdict = await this.#ask(url, code.code);
      if (verdict === undefined) continue;
      this.#verdicts[verdict.outcome] = (this.#verdicts[verdict.outcome] ?? 0) + 1;
      // It was revoked in between, or the third node went down.
      const isOld = right === 'pass' && !this.#kept.includes(code);
      if (verdict.outcome === right || isOld) continue;
      if (verdict.outcome === 'undetermined') this.#counts.undetermined++;
      else {
        const reasons = verdict.reasons.map((reason) => reason.code).join(' ');
        this.#fault(
          `${region} said ${verdict.outcome} (${reasons}) of a code of ${code.region}, not ${right}`,
        );
      }
    }
  }

  /** Undefined: it had no time. */
  async #ask(url: string, code: string): Promise<Verdict | undefined> {
    try {
      return (await new VerdictClient({ urls: [url] }).verify(code)).verdict;
    } catch (error) {
      if (!String(error).endsWith('it answered 503')) throw error;
      this.#counts.turnedAway++;
      return undefined;
    }
  }

  /** In turn as an operator stops it and as a machine does that loses its power. */
  async #restart(): Promise<void> {
    this.#backAtMs = Infinity;
    await this.#federation.end(RESTARTED, this.#counts.restarts++ % 2 === 0 ? 'SIGTERM' : 'SIGKILL');
    await this.#federation.start(RESTARTED, this.#env);
    this.#backAtMs = performance.now() + SETTLED_MS;
  }

  #readSlowly(): void {
    for (const region of THROUGH) {
      const url = this.#federation.running.get(region)?.url ?? '';
      for (const path of ['/v1/snapshot', '/metrics', `/${region}.demo/trust/checkpoint`])
        this.#readers.push(new SlowReader(url, path));
    }
    for (const reader of this.#readers) reader.start();
  }

  #minute(): void {
    const figures = new Map(THROUGH.map((region) => [region, this.#figures(region)]));
    this.#options.onMinute?.(++this.#counts.minutes, figures);
  }

  #figures(region: string): ProcessFigures {
    return processFigures(this.#federation.running.get(region)?.pid ?? 0);
  }

  /** What the collectors noted. */
  #held(): Map<string, Sample[]> {
    const files = readdirSync(this.#figuresDir);
    const held = new Map<string, Sample[]>();
    for (const region of THROUGH) {
      const own = `${this.#federation.running.get(region)?.pid}-`;
      for (const file of files.filter((name) => name.startsWith(own))) {
        const lines = readFileSync(join(this.#figuresDir, file), 'utf8').trimEnd().split('\n');
        const thread = file.slice(own.length).replace('.jsonl', '');
        held.set(
          `${region} thread ${thread}`,
          lines.map((line) => JSON.parse(line) as Sample),
        );
      }
    }
    return held;
  }

  #turn<T>(all: readonly T[]): T {
    return all[this.#counts.issued % all.length] as T;
  }

  #fault(text: string): void {
    const atS = Math.round((performance.now() - this.#startMs) / 1_000);
    if (this.#faults.length < FAULTS_MAX) this.#faults.push(`after ${atS} s: ${text}`);
  }

  #report(): Soaked {
    const { issued, revoked, restarts, turnedAway, undetermined } = this.#counts;
    const sum = (figure: (reader: SlowReader) => number) =>
      this.#readers.reduce((total, reader) => total + figure(reader), 0);
    return {
      rss: this.#rss,
      held: this.#held(),
      fds: this.#fds,
      cpuS: new Map(THROUGH.map((region) => [region, this.#figures(region).cpuS])),
      issued,
      revoked,
      restarts,
      turnedAway,
      undetermined,
      slowBytes: sum(({ bytes }) => bytes),
      slowCuts: sum(({ cuts }) => cuts),
      verdicts: this.#verdicts,
      faults: this.#faults,
    };
  }
}

function keep(codes: Known[], code: Known): void {
  codes.push(code);
  if (codes.length > CODES_MAX) codes.shift();
}
