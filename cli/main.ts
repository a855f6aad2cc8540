#!/usr/bin/env node
/** The command line: parses arguments, runs one command, ends with its exit code. */
import { runCli } from './program.ts';
import { processSurroundings } from './surroundings.ts';

// A reader that has seen enough, such as `head`, closes the pipe; that is no failure of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? 0 : 1);
});
process.exitCode = await runCli(process.argv.slice(2), processSurroundings());
