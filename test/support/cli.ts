/** Runs command lines: in this process, with a clock and streams of the test, or as a process of its own. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { randomFillSync } from 'node:crypto';
import { join } from 'node:path';
import { Cli } from '../../cli/cli.ts';
import { runCli } from '../../cli/program.ts';
import { type ExitCode } from '../../cli/exit.ts';
import { START_S } from './start-time.ts';
import { projectRoot } from './project.ts';

export interface Outcome {
  readonly exit: ExitCode;
  readonly out: string;
  readonly err: string;
}

/** Commands that run below `dir` at `nowS`. */
export class TestCli {
  readonly dir: string;
  nowS = START_S;
  /** Commands run at the time that it is, as nodes do beside them. */
  isLive = false;
  /** What a person at the terminal types when asked, one after the other; nobody sits there unless given. */
  typed: string[] | undefined;
  /** The variables that the commands see. */
  environment: Readonly<Record<string, string>> = {};

  constructor(dir: string) {
    this.dir = dir;
  }

  /** A path below the folder of this test. */
  path(...names: readonly string[]): string {
    return join(this.dir, ...names);
  }

  run(...args: readonly string[]): Promise<Outcome> {
    return this.runWith('', ...args);
  }

  /** The same with `stdin` to read. */
  async runWith(stdin: string | Uint8Array, ...args: readonly string[]): Promise<Outcome> {
    let out = '';
    let err = '';
    const exit = await runCli(args, {
      writeOut: (text) => (out += text),
      writeErr: (text) => (err += text),
      stdin: streamOf(stdin),
      colour: false,
      errorIsTerminal: false,
      environment: this.environment,
      nowS: () => (this.isLive ? Math.floor(Date.now() / 1_000) : this.nowS),
      random: (length) => randomFillSync(new Uint8Array(length)),
      ...(this.typed && { askSecret: () => Promise.resolve(this.typed?.shift() ?? '') }),
    });
    return { exit, out, err };
  }

  /** Runs a command that must do its work, with --json, and gives what it printed. */
  async json<T>(...args: readonly string[]): Promise<T> {
    const { exit, out, err } = await this.run(...args, '--json');
    if (exit === 1 || exit === 2 || exit === 5)
      throw new Error(`${args.join(' ')} ended with ${exit}: ${err}`);
    return JSON.parse(out) as T;
  }
}

/** What a command of `cli` has at hand, for what no command does. */
export function cliOf(cli: TestCli): Cli {
  return new Cli(
    { json: true },
    {
      writeOut: () => undefined,
      writeErr: () => undefined,
      stdin: streamOf(''),
      colour: false,
      errorIsTerminal: false,
      nowS: () => cli.nowS,
      random: (length) => randomFillSync(new Uint8Array(length)),
    },
  );
}

async function* streamOf(content: string | Uint8Array): AsyncGenerator<Uint8Array> {
  await Promise.resolve();
  if (content.length > 0) yield Buffer.from(content as string);
}

const isCompiled = import.meta.filename.endsWith('.js');

/** Starts `entente` as a process: the compiled one from compiled tests, the source through tsx from source. */
export function spawnCli(
  args: readonly string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): ChildProcessWithoutNullStreams {
  const main = isCompiled ? ['dist/cli/main.js'] : ['cli/main.ts'];
  const loader = isCompiled ? [] : ['--import', join(projectRoot, 'node_modules/tsx/dist/loader.mjs')];
  const cwd = options.cwd ?? projectRoot;
  const [file = ''] = main;
  return spawn(process.execPath, [...loader, join(projectRoot, file), ...args], {
    cwd,
    env: { ...process.env, NODE_OPTIONS: '', ...options.env },
  });
}

/** Waits for a process to end and gives what it printed. */
export async function outcomeOf(
  child: ChildProcessWithoutNullStreams,
  stdin = '',
): Promise<{ exit: number | null; out: string; err: string }> {
  let out = '';
  let err = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
  child.stdin.on('error', () => undefined).end(stdin);
  const exit = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { exit, out, err };
}
