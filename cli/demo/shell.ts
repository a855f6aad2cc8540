/** Runs the commands of the demo as a person would type them, each in the demo's directory, and keeps what they print. */
import { type Cli } from '../cli.ts';
import { CliError, EXIT, type ExitCode } from '../exit.ts';
import { shortened } from '../printable.ts';
import { runCli } from '../program.ts';

/** Characters of an argument that are shown: codes and fingerprints are long. */
const SHOWN_MAX = 24;

export interface Ran {
  readonly exit: ExitCode;
  /** The JSON that the command printed. */
  readonly result: unknown;
}

export class DemoShell {
  readonly #cli: Cli;

  constructor(cli: Cli) {
    this.#cli = cli;
  }

  /** Prints the command line and runs it with --json. @throws {CliError} if it ends in a failure, with what it said. */
  async run(...args: readonly string[]): Promise<Ran> {
    this.show(args);
    return this.runSilently(...args);
  }

  /** The same without printing the command line. `onProgress` hears what goes to stderr besides errors. */
  async runSilently(...args: readonly string[]): Promise<Ran> {
    let out = '';
    let err = '';
    const exit = await runCli([...args, '--json'], {
      ...this.#cli.surroundings,
      writeOut: (text) => (out += text),
      writeErr: (text) => (err += text),
    });
    if (exit === EXIT.failure || exit === EXIT.usage || exit === EXIT.inconsistent) {
      throw new CliError(exit, 'DEMO_FAILED', `${commandLine(args)}: ${err}`);
    }
    return { exit, result: JSON.parse(out) as unknown };
  }

  /** Runs a command for its progress, which goes to stderr as it would by itself. */
  async runAloud(...args: readonly string[]): Promise<void> {
    this.show(args);
    if (this.#cli.output.json) {
      await this.runSilently(...args);
      return;
    }
    const exit = await runCli(args, { ...this.#cli.surroundings, writeOut: () => undefined });
    if (exit !== EXIT.ok) throw new CliError(exit, 'DEMO_FAILED', commandLine(args));
  }

  show(args: readonly string[]): void {
    this.#cli.output.text(`   ${this.#cli.output.colours.dim(`$ ${commandLine(args)}`)}`);
  }
}

function commandLine(args: readonly string[]): string {
  return ['entente', ...args.map((arg) => quoted(shortened(arg, SHOWN_MAX)))].join(' ');
}

function quoted(arg: string): string {
  return /^[\w./:=,-]+$/.test(arg) || arg.endsWith('…') ? arg : `'${arg}'`;
}
