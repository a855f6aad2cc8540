/** `entente run` as a child of this process, and what it says of itself. Whoever starts one stops it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { extname } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { type NamedSettings } from '../../node/config/overlay.ts';
import { CliError, EXIT } from '../exit.ts';

interface NodeEvent {
  readonly event: string;
  /** Of `listens`, and of all where the process hosts several regions. */
  readonly region?: string;
  readonly writing?: string;
  readonly http?: string;
  readonly admin?: string;
}

/** Milliseconds from the start of a process until it is ready: where its store is large, a while. */
const READY_MS_MAX = 60_000;
/** Milliseconds to finish what is in hand, before it is killed. */
const STOP_MS_MAX = 15_000;
/** What it said last, for a message. */
const LOG_CHARS_MAX = 2_000;

export class NodeProcess {
  readonly region: string;
  /** Resolves with its exit code once it is gone; null if a signal ended it. */
  readonly ended: Promise<number | null>;
  readonly #child: ChildProcess;
  readonly #ready: Promise<void>;
  #log = '';
  #admin = '';
  /** Base URLs by region. */
  readonly #http = new Map<string, string>();
  readonly #hosted: readonly string[];

  private constructor(region: string, hosted: readonly string[], child: ChildProcess) {
    this.region = region;
    this.#hosted = hosted;
    this.#child = child;
    this.ended = new Promise((resolve) => child.once('close', resolve));
    child.once('error', () => undefined);
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#log = (this.#log + text).slice(-LOG_CHARS_MAX);
    });
    this.#ready = this.#becomesReady();
    this.#ready.catch(() => undefined);
  }

  /** Starts the node of the region in `dir`, with settings over its config, and in the same process those of the regions it hosts. */
  static start(
    region: string,
    dir: string,
    settings: NamedSettings = [],
    hosted: readonly { readonly region: string; readonly dir: string }[] = [],
  ): NodeProcess {
    const main = fileURLToPath(new URL(`../main${extname(import.meta.url)}`, import.meta.url));
    const sets = settings.flatMap(([name, value]) => ['--set', `${name}=${value}`]);
    const args = [...process.execArgv, main, 'run', dir, ...hosted.map((one) => one.dir), '--json', ...sets];
    return new NodeProcess(
      region,
      hosted.map((one) => one.region),
      spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'], detached: true }),
    );
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Base URL of its public interface, once it is ready. */
  get http(): string {
    return this.httpOf(this.region);
  }

  /** The same of a region that it hosts. */
  httpOf(region: string): string {
    return this.#http.get(region) ?? '';
  }

  /** Where its operator asks it, once it is ready. */
  get admin(): string {
    return this.#admin;
  }

  /** Resolves once it gives verdicts and signs. @throws {CliError} NODE_FAILED if it ends before, or takes more than a minute. */
  ready(): Promise<void> {
    return this.#ready;
  }

  /** Ends it at once, as a machine does that loses its power. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.ended;
  }

  /** Lets it finish what is in hand. Safe to call twice, and for one that is gone. */
  async stop(): Promise<void> {
    this.#child.kill('SIGTERM');
    const late = setTimeout(() => this.#child.kill('SIGKILL'), STOP_MS_MAX);
    await this.ended;
    clearTimeout(late);
  }

  #all(): Set<string> {
    return new Set([this.region, ...this.#hosted]);
  }

  async #becomesReady(): Promise<void> {
    const heard = new Promise<'ready'>((resolve) => {
      const [toBeReady, toWrite] = [this.#all(), this.#all()];
      if (this.#child.stdout === null) return;
      createInterface(this.#child.stdout).on('line', (line) => {
        const { event, region = this.region, http = '', admin = '', writing } = JSON.parse(line) as NodeEvent;
        if (event === 'listens') this.#http.set(region, http);
        if (event === 'listens' && region === this.region) this.#admin = admin;
        if (event === 'ready') toBeReady.delete(region);
        if (writing === 'writing') toWrite.delete(region);
        if (toBeReady.size + toWrite.size === 0) resolve('ready');
      });
    });
    let late: NodeJS.Timeout | undefined;
    const tooLate = new Promise<'late'>((resolve) => {
      late = setTimeout(() => resolve('late'), READY_MS_MAX);
    });
    const which = await Promise.race([heard, tooLate, this.ended]);
    clearTimeout(late);
    if (which === 'ready') return;
    const what = which === 'late' ? 'is not ready after a minute' : 'ended';
    throw new CliError(
      EXIT.failure,
      'NODE_FAILED',
      `the node of ${this.region} ${what}: ${this.#log.trim()}`,
    );
  }
}
