/** What an office does: a file of a million people goes to `entente issue`, which is killed half-way and run again. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout } from 'node:timers/promises';
import { foundRegion } from '../../node/region/found.ts';
import { statIfPresent } from '../../node/region/files.ts';
import { openAlone, realModules } from '../support/issuing-child.ts';
import { hasProcessFigures, processFigures } from '../support/process-figures.ts';
import { projectRoot } from '../support/project.ts';
import { bareSignatures, bareStore, STORED_BYTES } from './bare.ts';
import { type Bench, microseconds, perSecond, type Row } from './bench.ts';

/** Smaller by the environment, for a look at whether it works: more than two batches of 20,000. */
const PEOPLE = Number(process.env['BENCH_PEOPLE'] ?? 1_000_000);
const STORED = Math.min(100_000, PEOPLE);
const STORED_TOGETHER = 4_096;
const MAIN = join(projectRoot, 'dist/cli/main.js');
/** Milliseconds between two looks at the process. */
const LOOK_MS = 50;
const ROWS_PER_PART = 1_000;
/** About what a row of the file of codes has. */
const CODE_BYTES = 300;

export const issueFileBench: Bench = {
  name: 'issue-file',
  about: `\`entente issue\` of ${PEOPLE.toLocaleString('en-US')} people from a CSV file, durable, killed half-way and run again, its file of codes held against the log; against bare signatures and the bare store`,
  async run(progress) {
    const directory = await mkdtemp(join(tmpdir(), 'entente-bench-'));
    try {
      return await rowsIn(directory, progress);
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  },
};

/** One run of the command: how long, on processors too, and how much memory it had. */
interface Run {
  readonly seconds: number;
  readonly cpuS: number;
  readonly rssBytes: number;
}

async function rowsIn(directory: string, progress: (text: string) => void): Promise<Row[]> {
  if (!hasProcessFigures)
    throw new Error('this benchmark reads the figures of processes, which Linux alone has');
  const signing = await bareSignatures();
  const storing = await bareStore(join(directory, 'bare'), { count: STORED, together: STORED_TOGETHER });
  const perSignature = signing.cpuS / signing.count;
  progress('bare rates taken');
  const [region, people, codes] = ['ZZ', 'people.csv', 'codes.csv'].map((name) => join(directory, name));
  assert.ok(region && people && codes);
  const about = { region: 'ZZ', network: 'bench', name: 'Bench', roots: 1, threshold: 1 };
  await foundRegion(region, about, await realModules());
  await pipeline(Readable.from(rowsOfPeople()), createWriteStream(people));
  const args = ['issue', region, people, '--out', codes, '--without-peers'];
  const half = (PEOPLE / 2) * CODE_BYTES;
  const killed = await run(args, async () => ((await statIfPresent(`${codes}.part`))?.size ?? 0) > half);
  progress('killed half-way');
  const resumed = await run(args);
  progress('resumed, and done');
  await requireEachOnce(region, codes);
  const runs = [killed, resumed];
  const sum = (figure: 'seconds' | 'cpuS') => runs.reduce((total, one) => total + one[figure], 0);
  const perPerson = sum('cpuS') / PEOPLE;
  return [
    { name: 'signature only, on a processor', value: microseconds(perSignature) },
    { name: `store only, ${STORED_BYTES} bytes, on a processor`, value: microseconds(storing.cpuS / STORED) },
    {
      name: 'issued from the file, both runs',
      value: perSecond(PEOPLE, sum('seconds')),
      floor: '20,000/s',
    },
    {
      name: '  on processors, for each',
      value: microseconds(perPerson),
      ratio: perSignature / perPerson,
      of: 'signature only',
    },
    {
      name: 'memory of the command at its most',
      value: `${Math.round(Math.max(...runs.map(({ rssBytes }) => rssBytes)) / 2 ** 20)} MiB`,
      floor: '1,024 MiB',
    },
  ];
}

/** Runs the command to its end, or kills it as soon as `isEnough`. */
async function run(args: readonly string[], isEnough?: () => Promise<boolean>): Promise<Run> {
  const start = performance.now();
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-2_000)));
  const ended = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  let [cpuS, rssBytes] = [0, 0];
  while (child.exitCode === null && child.signalCode === null) {
    try {
      const figures = processFigures(child.pid ?? 0);
      cpuS = Math.max(cpuS, figures.cpuS);
      // One that is ending has none any more.
      if (figures.rssBytes > rssBytes) rssBytes = figures.rssBytes;
    } catch {
      break; // it has just ended
    }
    if ((await isEnough?.()) === true) child.kill('SIGKILL');
    await setTimeout(LOOK_MS);
  }
  const [exit, signal] = await ended;
  if (exit !== 0 && signal !== 'SIGKILL') throw new Error(`entente issue ended with ${exit}: ${said}`);
  if (isEnough !== undefined) assert.equal(signal, 'SIGKILL', 'it was done before it could be killed');
  return { seconds: (performance.now() - start) / 1_000, cpuS, rssBytes };
}

/** Everybody has one code, no two have the same leaf, and the log has no leaf besides. */
async function requireEachOnce(path: string, codes: string): Promise<void> {
  const subjects = new Set<string>();
  const places = new Set<string>();
  let rows = -1;
  for await (const line of createInterface(createReadStream(codes))) {
    const [subject = '', log = '', index = ''] = line.split(',');
    if (rows++ < 0) continue;
    subjects.add(subject);
    places.add(`${log}/${index}`);
  }
  assert.deepEqual([rows, subjects.size, places.size], [PEOPLE, PEOPLE, PEOPLE]);
  const region = await openAlone(path);
  try {
    let size = 0;
    for (const { log } of region.state.logs()) size += region.node.log(region.originOf(log))?.size ?? 0;
    assert.equal(size, PEOPLE);
  } finally {
    await region.close();
  }
}

function* rowsOfPeople(): Generator<string> {
  yield 'subject,colour\n';
  for (let from = 0; from < PEOPLE; from += ROWS_PER_PART) {
    const count = Math.min(ROWS_PER_PART, PEOPLE - from);
    yield Array.from({ length: count }, (_, i) => `P-${from + i},green\n`).join('');
  }
}
