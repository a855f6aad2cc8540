import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { type Bench, type Row } from './bench.ts';
import {
  type Load,
  type Loaded,
  loadServer,
  type OpenLoad,
  overloadServer,
  percentile,
} from './http-load.ts';

const CODES = 30_000;
/** Gates that ask at the same time, when all is well and when all come at once. */
const CONNECTIONS = 64;
const CROWD = 4_000;
const WARM_UP_S = 3;
const SECONDS = 8;
/** How much more comes than there is room for, and for how long; the rate without is the mean of one taken before and one after it. */
const OVERLOAD = 10;
const OVERLOAD_S = 30;
/** After that, seconds that are looked at one by one, and the share of the calm rate that is normal again. */
const AFTER_S = 6;
const NORMAL = 0.95;

interface Figures {
  readonly rssBytes: number;
  readonly cpuMicros: number;
}

interface Ready {
  readonly port: number;
  readonly statics: readonly string[];
  readonly lives: readonly string[];
}

/** A load, and the seconds on a processor that it took: of the server with all its threads, and of this process, which makes it. */
interface Timed extends Loaded {
  readonly cpuS: number;
  readonly loadCpuS: number;
}

function rate({ counts, seconds }: Loaded): number {
  return (counts.get(200) ?? 0) / seconds;
}

function rowsOf(name: string, loaded: Timed): Row[] {
  const other = [...loaded.counts]
    .filter(([status]) => status !== 200)
    .reduce((sum, [, count]) => sum + count, 0);
  if (other + loaded.broken > 0)
    throw new Error(`${name}: ${other} answers other than 200, ${loaded.broken} broken`);
  const p99 = percentile(loaded.latenciesMs, 0.99);
  return [
    { name, value: perSecond(loaded), floor: '4,000/s', goal: '5,000/s' },
    {
      name: '  p50, p99',
      value: `${percentile(loaded.latenciesMs, 0.5).toFixed(1)}, ${p99.toFixed(1)} ms`,
      goal: '50 ms',
    },
    { name: '  in a second that the server has a processor', value: perCpuS(loaded).toLocaleString('en-US') },
    coresRow(loaded),
  ];
}

function perCpuS(loaded: Timed): number {
  return Math.round((rate(loaded) * loaded.seconds) / loaded.cpuS);
}

function coresRow({ cpuS, loadCpuS, seconds }: Timed): Row {
  const [server, load] = [cpuS, loadCpuS].map((taken) => (taken / seconds).toFixed(2));
  return { name: '  cores that server and load had', value: `${server}, ${load}` };
}

function perSecond(loaded: Loaded): string {
  return `${Math.round(rate(loaded)).toLocaleString('en-US')}/s`;
}

async function overloading(
  load: Load,
  calm: Timed,
  rssMb: () => Promise<number>,
  timed: (load: Load | OpenLoad) => Promise<Timed>,
): Promise<Row[]> {
  const calmLoad = { ...load, connections: CONNECTIONS };
  const before = await rssMb();
  let most = before;
  const watch = setInterval(() => void rssMb().then((now) => (most = Math.max(most, now))), 1_000);
  const over = await timed({ ...load, perS: OVERLOAD * rate(calm) });
  clearInterval(watch);
  let backS = 0;
  for (let second = 1; second <= AFTER_S && backS === 0; second++) {
    const after = await loadServer({ ...calmLoad, seconds: 1 });
    if (rate(after) >= NORMAL * rate(calm)) backS = second;
  }
  const calmAgain = await timed({ ...calmLoad, seconds: SECONDS });
  const meanOf = (figure: (timed: Timed) => number) => (figure(calm) + figure(calmAgain)) / 2;
  const perS = (count: number) => `${Math.round(count / over.seconds).toLocaleString('en-US')}/s`;
  return [
    {
      name: `${OVERLOAD} times as many for ${load.seconds} s, from ${load.connections.toLocaleString('en-US')} gates`,
      value: perSecond(over),
      ratio: rate(over) / meanOf(rate),
      of: 'static codes before and after',
      goal: '80 %',
    },
    {
      name: '  in a second that the server has a processor',
      value: perCpuS(over).toLocaleString('en-US'),
      ratio: perCpuS(over) / meanOf(perCpuS),
      of: 'static codes before and after',
    },
    coresRow(over),
    {
      name: '  p99 of what was let in',
      value: `${percentile(over.latenciesMs, 0.99).toFixed(1)} ms`,
      goal: '200 ms',
    },
    { name: '  turned away with 503', value: perS(over.counts.get(503) ?? 0) },
    { name: '  not sent, since every gate still waited', value: perS(over.unsent) },
    { name: '  resident memory before, at most', value: `${before.toFixed(0)}, ${most.toFixed(0)} MB` },
    { name: '  as before again', value: backS > 0 ? `${backS} s` : `not in ${AFTER_S} s`, goal: '5 s' },
    { name: '  static codes once more', value: perSecond(calmAgain) },
  ];
}

/** Settings of a node, as `limits.inFlightMax=96`, that are to be compared. */
function settings(): string[] {
  return process.env['BENCH_SETTINGS']?.split(' ').filter(Boolean) ?? [];
}

export const httpBench: Bench = {
  name: 'http',
  about: `verdicts over HTTP: ${CODES.toLocaleString('en-US')} distinct codes of 33 regions, every check on and nothing remembered; server and load each a process of this machine`,
  async run(progress) {
    const child = fork(join(import.meta.dirname, 'http-server.js'), [String(CODES), ...settings()]);
    try {
      const [ready] = (await once(child, 'message')) as [Ready];
      const { port } = ready;
      const ask = async () => {
        child.send('figures');
        return ((await once(child, 'message')) as [Figures])[0];
      };
      const rssMb = async () => (await ask()).rssBytes / 2 ** 20;
      const timed = async (load: Load | OpenLoad): Promise<Timed> => {
        const [before, own] = [await ask(), process.cpuUsage()];
        const loaded = await ('perS' in load ? overloadServer(load) : loadServer(load));
        const { user, system } = process.cpuUsage(own);
        const cpuS = ((await ask()).cpuMicros - before.cpuMicros) / 1e6;
        return { ...loaded, cpuS, loadCpuS: (user + system) / 1e6 };
      };
      const bodiesOf = (texts: readonly string[]) => texts.map((code) => JSON.stringify({ code }));
      const [statics, lives] = [bodiesOf(ready.statics), bodiesOf(ready.lives)];
      await loadServer({ port, connections: CONNECTIONS, seconds: WARM_UP_S, bodies: statics });
      const calmLoad = { port, connections: CONNECTIONS, seconds: SECONDS };
      const calm = await timed({ ...calmLoad, bodies: statics });
      progress('static codes done');
      const live = await timed({ ...calmLoad, bodies: lives });
      progress('live presentations done');
      return [
        ...rowsOf('static codes', calm),
        ...rowsOf('live presentations (two signatures)', live),
        { name: 'longest answer', value: `${calm.answerBytesMax} bytes`, goal: '1,024' },
        ...(await overloading(
          { port, connections: CROWD, seconds: OVERLOAD_S, bodies: statics },
          calm,
          rssMb,
          timed,
        )),
      ];
    } finally {
      child.kill();
    }
  },
};
