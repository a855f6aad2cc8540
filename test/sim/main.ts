/** `npm run sim`: see `HELP`. */
import { HELP, OptionError, parseOptions, type SimOptions, termsOf } from './options.ts';
import { runRange } from './range.ts';
import { isGood, type RangeReport, resultOf, type SeedResult, textOf } from './report.ts';
import { runSeed } from './run.ts';

async function one({ from: seed, nodes, hours, trace, json, ...terms }: SimOptions): Promise<boolean> {
  const { isTwice, realSignatures } = termsOf(seed, terms);
  const onTrace = trace ? (line: string) => void process.stdout.write(line) : undefined;
  const options = { seed, nodes, hours, realSignatures };
  const report = await runSeed({ ...options, onTrace });
  const result = resultOf(report, isTwice && !trace ? await runSeed(options) : undefined);
  console.log(json ? JSON.stringify(result) : textOf(result));
  return isGood(result);
}

async function many(options: SimOptions): Promise<boolean> {
  const { from, to, json } = options;
  const started = Date.now();
  const tell = (result: SeedResult, done: number): void => {
    if (json) console.log(JSON.stringify(result));
    else if (!isGood(result)) console.log(textOf(result));
    if (done % 10 !== 0 && done !== to - from + 1) return;
    const seconds = (Date.now() - started) / 1000;
    process.stderr.write(`${done} of ${to - from + 1} seeds in ${seconds.toFixed(0)} s\n`);
  };
  const range = await runRange(options, tell);
  console.log(json ? JSON.stringify(summaryOf(range)) : range.text());
  return range.failed.length === 0 && range.shortfalls.length === 0;
}

function summaryOf({ failed, shortfalls, ...totals }: RangeReport): object {
  return { ...totals, failed: failed.map(({ report }) => report.seed), shortfalls };
}

async function main(args: readonly string[]): Promise<number> {
  let options;
  try {
    options = parseOptions(args);
  } catch (error) {
    if (!(error instanceof OptionError)) throw error;
    console.error(`${error.message}\nTry: npm run sim -- --help`);
    return 2;
  }
  if (options === undefined) {
    console.log(HELP);
    return 0;
  }
  return (await (options.from === options.to ? one(options) : many(options))) ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2));
