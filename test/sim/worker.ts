/** A process that runs seeds, one after the other, for `runRange`. */
import { type SimOptions, termsOf } from './options.ts';
import { resultOf, type SeedResult } from './report.ts';
import { runSeed } from './run.ts';

export type Order = Pick<SimOptions, 'nodes' | 'hours' | 'twice' | 'ed25519'> & { readonly seed: number };

export async function runOrder({ seed, nodes, hours, ...terms }: Order): Promise<SeedResult> {
  const { isTwice, realSignatures } = termsOf(seed, terms);
  const options = { seed, nodes, hours, realSignatures };
  const report = await runSeed(options);
  return isTwice ? resultOf(report, await runSeed(options)) : resultOf(report);
}

process.on('disconnect', () => process.exit());

process.on('message', (order: Order) => {
  runOrder(order).then(
    (result) => process.send?.(result),
    (error: unknown) => {
      console.error(error);
      process.exit(70);
    },
  );
});
