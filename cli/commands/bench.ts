/** `entente bench`: the benchmarks of the source tree, which the installed package does not carry. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Command } from 'commander';
import { type Cli, examples } from '../cli.ts';
import { CliError, EXIT } from '../exit.ts';

const MAIN = fileURLToPath(new URL('../../test/bench/main.js', import.meta.url));

export function addBench(program: Command, cli: Cli): void {
  program
    .command('bench')
    .summary('measure this machine')
    .description(
      'Runs the benchmarks: verification, issuing, revocation sets, snapshots, trees. Takes minutes.',
    )
    .argument('[names...]', 'benchmarks to run; all of them without any')
    .addHelpText('after', examples(['entente bench revocation', 'one of them']))
    .action((names: readonly string[]) => bench(cli, names));
}

async function bench(cli: Cli, names: readonly string[]): Promise<void> {
  if (!existsSync(MAIN)) {
    throw new CliError(EXIT.failure, 'BENCH_ABSENT', 'the benchmarks are not part of the installed package', {
      hint: 'Run `npm run build && npm run bench` in a clone of the source.',
    });
  }
  const flags = cli.output.json ? ['--json'] : [];
  const child = spawn(process.execPath, [MAIN, ...names, ...flags], { stdio: 'inherit' });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) cli.exit = code === EXIT.usage ? EXIT.usage : EXIT.failure;
}
