/** How soon the verdict on a mere number comes: a home and a gate of another region, each a process of this machine, over libp2p and HTTP on loopback. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { editConfig } from '../../node/config/config-file.ts';
import { VerdictClient } from '../../node/http/verdict-client.ts';
import { RegionLayout } from '../../node/region/layout.ts';
import { type Verdict } from '../../protocol/verdict/verdict.ts';
import { Federation } from '../support/federation.ts';
import { type Bench, type Row } from './bench.ts';
import { spread } from './spread.ts';

const [HOME, GATE] = ['XX-01', 'XX-02'] as const;
const LISTED = 2_000;
/** Of each kind, all distinct. */
const ASKED = 1_000;
const WARM_UP = 50;
const QUOTA = 100_000;
/** So many times as long as a verdict took nothing is asked: a home gives the questions of one region a fifth of its time. */
const PAUSES = 2;
const WAIT_MS_MAX = 300_000;
const LOOK_MS = 200;

export const lookupBench: Bench = {
  name: 'lookup',
  about:
    'verdicts on numbers of another region, one after the other, known and unknown ones in turns (`entente run`, libp2p and HTTP over loopback, stores on disk)',
  async run(progress) {
    const dir = mkdtempSync(join(tmpdir(), 'entente-bench-'));
    progress('setting up two regions');
    const federation = await Federation.found(dir, [HOME, GATE]);
    try {
      return await measured(federation, progress);
    } finally {
      await federation.stop();
      rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
    }
  },
};

async function measured(federation: Federation, progress: (text: string) => void): Promise<Row[]> {
  const { cli } = federation;
  const [home, gate] = [HOME, GATE].map((region) => cli.path(region)) as [string, string];
  for (const dir of [home, gate])
    await editConfig(
      new RegionLayout(dir).config,
      ['verifierPerMinute', 'verifierPerDay', 'regionPerMinute', 'regionPerDay'].map((name) => ({
        at: ['lookup', name],
        value: QUOTA,
      })),
    );
  for (const region of [HOME, GATE]) await federation.start(region);
  for (const region of [HOME, GATE]) await federation.node(region).ready(WAIT_MS_MAX);
  await cli.json('recognise', gate, home, '--way', 'adapter');
  const numbers = Array.from({ length: LISTED }, (_, i) => `${HOME}-${10_000 + i}`);
  const rows = numbers.map((number) => `${number},green,2099-01-01T00:00:00Z\n`);
  writeFileSync(cli.path('numbers.csv'), `number,colour,until\n${rows.join('')}`);
  await cli.json('lookup', 'announce', home, 'numbers', '--prefix', `${HOME}-`, '--for', '2d');
  await cli.json('lookup', 'import', home, cli.path('numbers.csv'));
  await cli.json('verifier', 'add', gate, '--name', 'gate', '--out', cli.path('gate.token'));
  const token = readFileSync(cli.path('gate.token'), 'utf8').trim();
  const client = new VerdictClient({ urls: [federation.node(GATE).url], token });
  const ask = async (number: string) => (await client.verify(number)).verdict;
  progress(`${LISTED} numbers listed: waiting for their table`);
  const endMs = performance.now() + WAIT_MS_MAX;
  while ((await ask(numbers[0] ?? '')).colour === undefined) {
    if (performance.now() > endMs) throw new Error(`no table within ${WAIT_MS_MAX} ms`);
    await setTimeout(LOOK_MS);
  }
  const taken = { known: [] as number[], unknown: [] as number[], codes: [] as number[] };
  const timed = async (into: number[], i: number, text: string, isRight: (verdict: Verdict) => boolean) => {
    const startMs = performance.now();
    const verdict = await ask(text);
    const ms = performance.now() - startMs;
    if (!isRight(verdict)) throw new Error(`${text}: ${JSON.stringify(verdict.reasons)}`);
    if (i >= WARM_UP) into.push(ms);
    await setTimeout(PAUSES * ms);
  };
  for (let i = 0; i < ASKED + WARM_UP; i++) {
    await timed(taken.known, i, numbers[i % LISTED] ?? '', ({ outcome }) => outcome === 'pass');
    await timed(taken.unknown, i, `${HOME}-${90_000 + i}`, ({ reasons }) =>
      reasons.some(({ code }) => code === 'NUMBER_UNKNOWN'),
    );
    await timed(taken.codes, i, `HC1:${i}`, ({ outcome }) => outcome === 'stop');
    if (i % 100 === 0) progress(`${i} of ${ASKED} of each kind`);
  }
  const [known, unknown] = [meanOf(taken.known), meanOf(taken.unknown)];
  return [
    { name: 'a text that is no number, and is refused', value: spread(taken.codes) },
    { name: 'a number that is listed', value: spread(taken.known), goal: 'p99 250 ms' },
    { name: 'a number that is not', value: spread(taken.unknown), goal: 'p99 250 ms' },
    {
      name: 'unknown ones against known ones, mean',
      value: `${unknown.toFixed(1)} ms`,
      ratio: unknown / known,
      of: 'known ones',
      floor: '95 to 105 %',
    },
  ];
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
