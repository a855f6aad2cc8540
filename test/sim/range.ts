/** Many seeds on several processes. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { getPriority, setPriority } from 'node:os';
import { fileURLToPath } from 'node:url';
import { type SimOptions } from './options.ts';
import { RangeReport, type SeedResult } from './report.ts';
import { type Order } from './worker.ts';

const WORKER = fileURLToPath(new URL('worker.js', import.meta.url));

/**
 * Runs all seeds of a range, each worker one at a time and by `niceness` behind the priority of this process. Rejects with what
 * `onResult` throws, and if a worker ends by itself, as where a node throws what nobody catches. Once it settles no worker runs any
 * more, and `onResult` is not called again.
 */
export async function runRange(
  options: Omit<SimOptions, 'trace' | 'json'>,
  onResult: (result: SeedResult, done: number) => void = () => undefined,
  niceness = 0,
): Promise<RangeReport> {
  const { from, to, workers, nodes, hours, twice, ed25519 } = options;
  const range = new RangeReport();
  let next = from;
  let isOver = false;
  const work = (child: ChildProcess): Promise<void> =>
    new Promise((resolve, reject) => {
      let seed = next;
      const order = (): void => {
        if (next > to) return resolve();
        seed = next++;
        child.send({ seed, nodes, hours, twice, ed25519 } satisfies Order);
      };
      const take = (result: SeedResult): void => {
        if (isOver) return;
        range.add(result);
        onResult(result, range.seeds);
        order();
      };
      child.on('message', (result: SeedResult) => {
        Promise.resolve(result).then(take).catch(reject);
      });
      child.once('exit', (code, signal) => {
        const again = `npm run sim -- --seed ${seed} --nodes ${nodes} --hours ${hours}`;
        reject(new Error(`a worker ended with ${code ?? signal} at seed ${seed}: ${again}`));
      });
      child.once('error', reject);
      order();
    });
  const children = Array.from({ length: Math.min(workers, to - from + 1) }, () =>
    fork(WORKER, { execArgv: ['--single-threaded', '--min-semi-space-size=64', '--max-semi-space-size=64'] }),
  );
  try {
    for (const { pid } of children)
      if (pid !== undefined) setPriority(pid, Math.min(19, getPriority() + niceness));
    await Promise.all(children.map(work));
    return range;
  } finally {
    isOver = true;
    await Promise.all(children.map(end));
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  child.kill();
  await once(child, 'exit');
}
