/** Everything that a command touches outside its arguments and the file system, so that tests and the demo can stand in for it. */
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { type ReadStream, type WriteStream } from 'node:tty';
import { type Clock } from '../node/ports.ts';
import { systemRandom } from '../node/system-random.ts';

export interface Surroundings {
  readonly writeOut: (text: string) => void;
  readonly writeErr: (text: string) => void;
  readonly stdin: AsyncIterable<Uint8Array>;
  /** Whether standard output shows colours. */
  readonly colour: boolean;
  /** Whether standard error is a terminal, on which a line can be written over. */
  readonly errorIsTerminal: boolean;
  /** Seconds since 1970. */
  readonly nowS: () => number;
  readonly random: (length: number) => Uint8Array;
  /** What a node that runs goes by; the clock of this machine by default. */
  readonly clock?: Clock;
  /** Variables that stand over the config of a region; none by default. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Hears a signal of the process, instead of ending by it. */
  readonly onSignal?: (name: 'SIGINT' | 'SIGTERM' | 'SIGHUP', listener: () => void) => void;
  /** Asks a person at the terminal for a line that is not shown; absent where nobody sits at one. */
  readonly askSecret?: (prompt: string) => Promise<string>;
  /** Ends the process at once, with what it has open. */
  readonly endNow?: (exitCode: number) => void;
}

/** Whoever ends the input instead, by Ctrl-C or Ctrl-D, has typed nothing. */
async function askSecret(prompt: string, stdin: ReadStream, stderr: WriteStream): Promise<string> {
  const unheard = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: stdin, output: unheard, terminal: true });
  // By now the terminal shows nothing of what is typed.
  stderr.write(prompt);
  try {
    for await (const line of lines) return line;
    return '';
  } finally {
    lines.close();
    stderr.write('\n');
  }
}

/** Those of this process. */
export function processSurroundings(): Surroundings {
  const { stdout, stderr, stdin, env } = process;
  const plain = (env['NO_COLOR'] ?? '') !== '' || env['TERM'] === 'dumb';
  // A stream that is no terminal has no `isTTY` at all.
  const isTerminal = (stream: { readonly isTTY?: boolean }) => stream.isTTY === true && !plain;
  return {
    writeOut: (text) => void stdout.write(text),
    writeErr: (text) => void stderr.write(text),
    stdin,
    colour: isTerminal(stdout),
    errorIsTerminal: isTerminal(stderr),
    nowS: () => Math.floor(Date.now() / 1000),
    random: systemRandom(),
    environment: env,
    onSignal: (name, listener) => void process.on(name, listener),
    ...(stdin.isTTY && { askSecret: (prompt: string) => askSecret(prompt, stdin, stderr) }),
    endNow: (exitCode) => process.exit(exitCode),
  };
}
