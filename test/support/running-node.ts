/** `entente run` as a process of its own, and what it says of itself. Whoever starts one stops or kills it. */
import { type ChildProcessWithoutNullStreams } from 'node:child_process';
import { createInterface } from 'node:readline';
import { spawnCli } from './cli.ts';

export interface NodeEvent {
  readonly event: string;
  readonly writing?: string;
  readonly http?: string;
  readonly admin?: string;
  readonly p2p?: readonly string[];
}

const EVENT_MS_MAX = 45_000;

export class RunningNode {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #events: NodeEvent[] = [];
  readonly #ended: Promise<number | null>;
  #heard: () => void = () => undefined;
  /** What it logged. */
  log = '';

  private constructor(child: ChildProcessWithoutNullStreams) {
    this.#child = child;
    createInterface(child.stdout).on('line', (line) => {
      this.#events.push(JSON.parse(line) as NodeEvent);
      this.#heard();
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => (this.log += text));
    this.#ended = new Promise((resolve) => child.on('close', (exit) => resolve(exit)));
  }

  /** Resolves once it listens. */
  static async start(dir: string, ...args: readonly string[]): Promise<RunningNode> {
    const node = new RunningNode(spawnCli(['run', dir, '--json', ...args]));
    await node.event('listens');
    return node;
  }

  /** The first event of a kind that `isIt`, by now or later. */
  async event(kind: string, isIt: (event: NodeEvent) => boolean = () => true): Promise<NodeEvent> {
    const deadline = AbortSignal.timeout(EVENT_MS_MAX);
    for (;;) {
      const found = this.#events.find((event) => event.event === kind && isIt(event));
      if (found !== undefined) return found;
      deadline.throwIfAborted();
      const heard = new Promise<'heard'>((resolve) => (this.#heard = () => resolve('heard')));
      const late = new Promise<'late'>((resolve) =>
        deadline.addEventListener('abort', () => resolve('late')),
      );
      const which = await Promise.race([heard, late, this.#ended]);
      if (which !== 'heard') throw new Error(`no event ${kind}, but ${String(which)}: ${this.log}`);
    }
  }

  /** It can be asked, and it signs. */
  async ready(): Promise<void> {
    await this.event('ready');
    await this.event('writing', ({ writing }) => writing === 'writing');
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
