/** A command line as a process that kills itself as soon as it says a word on standard error: `<word> <seconds since 1970> <argument>...`. */
import { randomFillSync } from 'node:crypto';
import { runCli } from '../../cli/program.ts';

/** This file, to be started as a process. */
export const DYING_CLI = import.meta.filename;

async function main([word = '', nowS, ...args]: readonly string[]): Promise<void> {
  process.exitCode = await runCli(args, {
    writeOut: () => undefined,
    writeErr: (text) => {
      if (text.includes(word)) process.kill(process.pid, 'SIGKILL');
    },
    stdin: (async function* () {})(),
    colour: false,
    errorIsTerminal: false,
    nowS: () => Number(nowS),
    random: (length) => randomFillSync(new Uint8Array(length)),
  });
}

if (process.argv[1] === DYING_CLI) await main(process.argv.slice(2));
