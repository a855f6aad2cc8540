/** `entente run` as a process of its own, and what it says of itself. Whoever starts one stops or kills it. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { AHEAD_VARIABLE, CLOCKED_MAIN } from './clocked-main.ts';
import { spawnCli } from './cli.ts';

export interface NodeEvent {
  readonly event: string;
  /** Of `listens`, and of all where a process hosts several. */
  readonly region?: string;
  readonly writing?: string;
  readonly http?: string;
  readonly admin?: string;
  readonly p2p?: readonly string[];
}

const EVENT_MS_MAX = 45_000;

export class RunningNode {
  readonly #child: ChildProcess;
  readonly #events: NodeEvent[] = [];
  readonly #ended: Promise<number | null>;
  readonly #waiting = new Set<() => void>();
  /** What it logged. */
  log = '';

  private constructor(child: ChildProcess) {
    const { stdout, stderr } = child;
    if (stdout === null || stderr === null) throw new TypeError('expected a process with pipes');
    this.#child = child;
    createInterface(stdout).on('line', (line) => {
      this.#events.push(JSON.parse(line) as NodeEvent);
      for (const heard of this.#waiting) heard();
      this.#waiting.clear();
    });
    stderr.setEncoding('utf8').on('data', (text: string) => (this.log += text));
    this.#ended = new Promise((resolve) => child.on('close', (exit) => resolve(exit)));
  }

  /** Resolves once it listens. */
  static async start(dir: string, ...args: readonly string[]): Promise<RunningNode> {
    const node = RunningNode.spawn({}, dir, ...args);
    await node.event('listens');
    return node;
  }

  /** Starts it with more in its environment. It need not listen yet. */
  static spawn(env: NodeJS.ProcessEnv, dir: string, ...args: readonly string[]): RunningNode {
    return new RunningNode(spawnCli(['run', dir, '--json', ...args], { env }));
  }

  /** The same with a clock that is ahead of the machine's. It need not listen yet. */
  static startAhead(aheadMs: number, dir: string, ...args: readonly string[]): RunningNode {
    return new RunningNode(
      fork(CLOCKED_MAIN, ['run', dir, '--json', ...args], {
        execArgv: process.execArgv,
        stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
        env: { ...process.env, NODE_OPTIONS: '', [AHEAD_VARIABLE]: String(aheadMs) },
      }),
    );
  }

  /** Puts the clock of one that was started ahead. */
  async setAhead(aheadMs: number): Promise<void> {
    const set = once(this.#child, 'message', { signal: AbortSignal.timeout(EVENT_MS_MAX) });
    this.#child.send(aheadMs);
    await set;
  }

  /** The first event of a kind that `isIt`, by now or within so many milliseconds. */
  async event(
    kind: string,
    isIt: (event: NodeEvent) => boolean = () => true,
    msMax = EVENT_MS_MAX,
  ): Promise<NodeEvent> {
    const deadline = AbortSignal.timeout(msMax);
    for (;;) {
      const found = this.#events.find((event) => event.event === kind && isIt(event));
      if (found !== undefined) return found;
      deadline.throwIfAborted();
      const heard = new Promise<'heard'>((resolve) => this.#waiting.add(() => resolve('heard')));
      const late = new Promise<'late'>((resolve) =>
        deadline.addEventListener('abort', () => resolve('late')),
      );
      const which = await Promise.race([heard, late, this.#ended]);
      if (which !== 'heard') throw new Error(`no event ${kind}, but ${String(which)}: ${this.log}`);
    }
  }

  /** It can be asked, and it signs. */
  async ready(msMax?: number): Promise<void> {
    await this.event('ready', undefined, msMax);
    await this.event('writing', ({ writing }) => writing === 'writing', msMax);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get url(): string {
    return this.#events.find(({ event }) => event === 'listens')?.http ?? '';
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** Ends it, and gives its exit code; null if it was killed. */
  async end(name: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    this.signal(name);
    return this.#ended;
  }
}
