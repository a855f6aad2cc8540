/**
 * `npm run mutants`: plants faults in copies of the source, one at a time, and has the suite find them.
 * `-- --only NAME` (repeatable), `--json`, `--parallel N` (1 by default). Fails if one survives or does not fit any more.
 */
import { parseArgs } from 'node:util';
import { type Outcome, readMutants, tryMutant } from './workshop.ts';

const PARALLEL_MAX = 8;

async function main(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string', multiple: true },
      all: { type: 'boolean' },
      json: { type: 'boolean' },
      parallel: { type: 'string', default: '1' },
    },
  });
  const parallel = Number(values.parallel);
  const all = readMutants();
  const unknown = (values.only ?? []).filter((name) => !all.some((mutant) => mutant.name === name));
  if (unknown.length > 0 || !Number.isInteger(parallel) || parallel < 1 || parallel > PARALLEL_MAX) {
    console.error(
      `expected --parallel 1 to ${PARALLEL_MAX}, --only ${all.map(({ name }) => name).join(' | ')}`,
    );
    return 2;
  }
  const chosen = all.filter(({ name }) => values.only === undefined || values.only.includes(name));
  const waiting = [...chosen];
  const outcomes: Outcome[] = [];
  const work = async (): Promise<void> => {
    for (let mutant = waiting.shift(); mutant !== undefined; mutant = waiting.shift()) {
      const outcome = await tryMutant(mutant);
      outcomes.push(outcome);
      const verdict = outcome.isCaught ? 'caught  ' : 'SURVIVED';
      const line = `${verdict} ${outcome.name.padEnd(26)} ${outcome.seconds.toFixed(0).padStart(3)} s  ${outcome.why}`;
      if (values.json !== true) console.log(line);
    }
  };
  await Promise.all(Array.from({ length: parallel }, work));
  const caught = outcomes.filter(({ isCaught }) => isCaught).length;
  if (values.json === true)
    console.log(JSON.stringify({ caught, of: chosen.length, outcomes }, undefined, 2));
  else console.log(`${caught} of ${chosen.length} mutants caught`);
  return caught === chosen.length ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2));
