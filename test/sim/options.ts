/** What the simulator is asked for on its command line. */
import { parseArgs } from 'node:util';

export interface SimOptions {
  readonly from: number;
  readonly to: number;
  readonly nodes: number;
  readonly hours: number;
  readonly trace: boolean;
  readonly json: boolean;
  /** Every so manieth seed is run twice, to see that it comes to the same. */
  readonly twice: number;
  /** Every so manieth seed is run with real Ed25519; 0 for none. */
  readonly ed25519: number;
  readonly workers: number;
}

export const HELP = `Runs the nodes of a whole federation in one process: virtual time, a network in memory, disks that fail, peers that lie.
Everything that happens follows from the seed. Ends with 1 if an invariant is broken or a run saw too little.

  npm run sim -- [options]

  --seed N         one seed (default 1)
  --seeds A..B     all seeds from A to B, on all workers
  --nodes K        regions, one node each, 4 to 16 (default 7); up to a third of them lie
  --hours H        simulated hours, 0.25 to 24 (default 1)
  --twice N        run every Nth seed twice and compare the traces (default 1: every seed; 0: none)
  --ed25519 N      run every Nth seed with real signatures (default 0: none, a fake but sound scheme)
  --workers N      processes for a range (default 2)
  --trace          print every event of one seed
  --json           one JSON object per seed on a line, and for a range one about all of it
  --help

Examples
  npm run sim -- --seed 42                     what seed 42 does
  npm run sim -- --seed 42 --trace | less      and everything that happens in it
  npm run sim -- --seeds 1..200                200 seeds, each twice
  npm run sim -- --seeds 1..10000 --json > all.jsonl
`;

/** Of a command line that is none; the message says what is wrong with it. */
export class OptionError extends Error {
  override readonly name = 'OptionError';
}

/** Undefined where help is asked for. @throws {OptionError} */
export function parseOptions(args: readonly string[]): SimOptions | undefined {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean', default: false } as const;
  let values;
  try {
    ({ values } = parseArgs({
      args: [...args],
      options: {
        ...{ seed: text, seeds: text, nodes: text, hours: text, twice: text, ed25519: text, workers: text },
        ...{ trace: flag, json: flag, help: flag },
      },
    }));
  } catch (error) {
    throw new OptionError((error as Error).message);
  }
  if (values.help) return undefined;
  const [from, to] = rangeOf(values.seed, values.seeds);
  const number = (
    name: 'nodes' | 'hours' | 'twice' | 'ed25519' | 'workers',
    least: number,
    most: number,
    usual: number,
  ) => numberOf(`--${name}`, values[name], { least, most, usual, whole: name !== 'hours' });
  const options = {
    ...{ from, to, trace: values.trace, json: values.json },
    nodes: number('nodes', 4, 16, 7),
    hours: number('hours', 0.25, 24, 1),
    twice: number('twice', 0, 1_000_000, 1),
    ed25519: number('ed25519', 0, 1_000_000, 0),
    workers: number('workers', 1, 64, 2),
  };
  if (options.trace && from !== to) throw new OptionError('--trace is for one seed: give it with --seed');
  return options;
}

function rangeOf(seed: string | undefined, seeds: string | undefined): [number, number] {
  if (seed !== undefined && seeds !== undefined) throw new OptionError('give --seed or --seeds, not both');
  const whole = { least: 0, most: 2 ** 32 - 1, usual: 1, whole: true };
  if (seeds === undefined) {
    const one = numberOf('--seed', seed, whole);
    return [one, one];
  }
  const ends = seeds.split('..');
  const [from, to] = [numberOf('--seeds', ends[0], whole), numberOf('--seeds', ends[1], whole)];
  if (ends.length !== 2 || to < from)
    throw new OptionError(`--seeds takes a range such as 1..200, not ${seeds}`);
  return [from, to];
}

function numberOf(
  name: string,
  text: string | undefined,
  { least, most, usual, whole }: { least: number; most: number; usual: number; whole: boolean },
): number {
  if (text === undefined) return usual;
  const value = Number(text);
  const isFit = text.trim() !== '' && value >= least && value <= most && (!whole || Number.isInteger(value));
  if (!isFit) throw new OptionError(`${name} takes a number from ${least} to ${most}, not ${text}`);
  return value;
}

/** How often a seed is to be run, and how. */
export function termsOf(seed: number, { twice, ed25519 }: Pick<SimOptions, 'twice' | 'ed25519'>) {
  const falls = (every: number): boolean => every > 0 && seed % every === 0;
  return { isTwice: falls(twice), realSignatures: falls(ed25519) };
}
