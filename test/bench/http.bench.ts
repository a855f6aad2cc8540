import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { type Bench, type Row } from './bench.ts';
import { type Loaded, loadServer, percentile } from './http-load.ts';

const CODES = 30_000;
/** Gates that ask at the same time, when all is well and when all come at once. */
const CONNECTIONS = 64;
const CROWD = 1_000;
const WARM_UP_S = 3;
const SECONDS = 8;

interface Ready {
  readonly port: number;
  readonly statics: readonly string[];
  readonly lives: readonly string[];
}

function rate({ counts, seconds }: Loaded): number {
  return (counts.get(200) ?? 0) / seconds;
}

function rowOf(name: string, loaded: Loaded): Row[] {
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
  ];
}

function perSecond(loaded: Loaded): string {
  return `${Math.round(rate(loaded)).toLocaleString('en-US')}/s`;
}

export const httpBench: Bench = {
  name: 'http',
  about: `verdicts over HTTP: ${CODES.toLocaleString('en-US')} distinct codes of 33 regions, every check on and nothing remembered; server and load each a process of this machine`,
  async run(progress) {
    const child = fork(join(import.meta.dirname, 'http-server.js'), [
      String(CODES),
      'limits.connectionsPerAddressMax=4096',
    ]);
    try {
      const [ready] = (await once(child, 'message')) as [Ready];
      const { port } = ready;
      const ask = async () => {
        child.send('figures');
        return ((await once(child, 'message')) as [{ rssBytes: number }])[0];
      };
      const bodiesOf = (texts: readonly string[]) => texts.map((code) => JSON.stringify({ code }));
      const [statics, lives] = [bodiesOf(ready.statics), bodiesOf(ready.lives)];
      await loadServer({ port, connections: CONNECTIONS, seconds: WARM_UP_S, bodies: statics });
      const calm = await loadServer({ port, connections: CONNECTIONS, seconds: SECONDS, bodies: statics });
      progress('static codes done');
      const live = await loadServer({ port, connections: CONNECTIONS, seconds: SECONDS, bodies: lives });
      progress('live presentations done');
      const before = await ask();
      const crowd = await loadServer({ port, connections: CROWD, seconds: SECONDS, bodies: statics });
      const during = await ask();
      const after = await loadServer({
        port,
        connections: CONNECTIONS,
        seconds: SECONDS / 2,
        bodies: statics,
      });
      const turnedAway = crowd.counts.get(503) ?? 0;
      return [
        ...rowOf('static codes', calm),
        ...rowOf('live presentations (two signatures)', live),
        { name: 'longest answer', value: `${calm.answerBytesMax} bytes`, goal: '1,024' },
        {
          name: `a crowd: ${CROWD} connections that never wait`,
          value: perSecond(crowd),
          ratio: rate(crowd) / rate(calm),
          of: 'static codes',
          goal: '80 %',
        },
        {
          name: '  p99 of what was let in',
          value: `${percentile(crowd.latenciesMs, 0.99).toFixed(1)} ms`,
          goal: '200 ms',
        },
        {
          name: '  turned away with 503',
          value: `${Math.round(turnedAway / crowd.seconds).toLocaleString('en-US')}/s`,
        },
        {
          name: '  resident memory before and after',
          value: `${Math.round(before.rssBytes / 2 ** 20)}, ${Math.round(during.rssBytes / 2 ** 20)} MB`,
        },
        {
          name: '  right after it',
          value: perSecond(after),
          ratio: rate(after) / rate(calm),
          of: 'static codes',
        },
      ];
    } finally {
      child.kill();
    }
  },
};
