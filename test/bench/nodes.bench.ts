/** Whole nodes, each a process of this machine: what they take, alone and together, when nothing happens and when something does. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { type IssuedCode } from '../../node/http/admin-schemas.ts';
import { VerdictClient } from '../../node/http/verdict-client.ts';
import { ProcessFederation } from '../support/process-federation.ts';
import { type ProcessFigures, processFigures } from '../support/process-figures.ts';
import { type Bench, type Row } from './bench.ts';
import { regionNames } from './federation.ts';

const SIZES = [3, 10, 34];
const STARTS = 5;
/** Nodes that start at the same time, where all of them are started. */
const AT_ONCE = 4;
const REVOCATIONS = 30;
const MEET_MS_MAX = 300_000;
/** Seconds until what the start has set going is over, and those that are then measured. */
const SETTLE_S = 30;
const IDLE_S = 30;
const CODE_S = 86_400;

export const nodesBench: Bench = {
  name: 'nodes',
  about:
    'regions that recognise each other, each a process (`entente run`, libp2p over loopback, its store on disk) of this machine',
  async run(progress) {
    const rows: Row[] = [];
    for (const count of sizes()) {
      const dir = mkdtempSync(join(tmpdir(), 'entente-bench-'));
      progress(`setting up ${count} regions`);
      const federation = await ProcessFederation.found(dir, regionNames.slice(0, count));
      try {
        rows.push(...(await measured(federation, progress)));
      } finally {
        await federation.stop();
        rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
      }
    }
    return rows;
  },
};

/** All, or those of BENCH_NODES, as in `3,10`. */
function sizes(): number[] {
  const asked = process.env['BENCH_NODES'];
  return asked === undefined ? SIZES : asked.split(',').map(Number);
}

async function measured(federation: ProcessFederation, progress: (text: string) => void): Promise<Row[]> {
  const { regions } = federation;
  const count = regions.length;
  const startMs = performance.now();
  for (let i = 0; i < count; i += AT_ONCE)
    await Promise.all(regions.slice(i, i + AT_ONCE).map((region) => federation.begin(region)));
  await met(federation);
  const startCpu = figuresOf(federation).map(({ cpuS }) => cpuS);
  progress(
    `${count} nodes have met, ${((performance.now() - startMs) / 1_000).toFixed(0)} s after the first`,
  );
  await setTimeout(SETTLE_S * 1_000);
  const before = figuresOf(federation);
  await setTimeout(IDLE_S * 1_000);
  const after = figuresOf(federation);
  progress('idle measured');
  const revoked = await revoking(federation);
  const revokedCpu = figuresOf(federation).reduce((sum, { cpuS }) => sum + cpuS, 0);
  progress('revocations done');
  const starts = await starting(federation);
  const perRevocation = (revokedCpu - after.reduce((sum, { cpuS }) => sum + cpuS, 0)) / REVOCATIONS / count;
  const rss = after.map(({ rssBytes }) => rssBytes / 2 ** 20);
  const perS = (figure: (figures: ProcessFigures) => number) =>
    after.map((now, i) => (figure(now) - figure(before[i] ?? now)) / IDLE_S);
  const cpu = perS(({ cpuS }) => 100 * cpuS);
  const written = perS(({ writtenBytes }) => writtenBytes / 1_000);
  return [
    {
      name: `${count} nodes: a revocation, from the order to the last`,
      value: spread(revoked, 'ms'),
      ...(count === 34 && { goal: 'worst < 1 s' }),
    },
    {
      name: '  on a processor of each node for that, verdicts included',
      value: `${(1_000 * perRevocation).toFixed(0)} ms`,
    },
    { name: '  start, from spawning to ready', value: spread(starts, 'ms'), goal: '2 s' },
    { name: '  on a processor until all have met', value: spread(startCpu, 's', 1) },
    { name: '  resident memory of a node', value: spread(rss, 'MB'), goal: '200 MB' },
    { name: '  of a core, of a node that idles', value: spread(cpu, '%', 1) },
    { name: '  sent and stored by a node that idles', value: spread(written, 'kB/s') },
  ];
}

function figuresOf({ running }: ProcessFederation): ProcessFigures[] {
  return [...running.values()].map(({ pid }) => processFigures(pid));
}

/** Resolves once everybody is connected to everybody, and signs. */
async function met(federation: ProcessFederation): Promise<void> {
  const endMs = performance.now() + MEET_MS_MAX;
  for (const region of federation.regions) {
    await federation.running.get(region)?.ready(MEET_MS_MAX);
    for (;;) {
      const { peers } = (await federation.admin(region).ask({ method: 'GET', path: '/v1/peers' })) as {
        readonly peers: readonly { readonly region: string }[];
      };
      if (new Set(peers.map((peer) => peer.region)).size >= federation.regions.length - 1) break;
      if (performance.now() > endMs) throw new Error(`${region} has met ${peers.length} peers`);
      await setTimeout(250);
    }
  }
}

/** Milliseconds from an order until the last node stops the code. All that do not yet are asked again and again at the same time. */
async function revoking(federation: ProcessFederation): Promise<number[]> {
  const [issuer = ''] = federation.regions;
  const admin = federation.admin(issuer);
  const expiresAtS = Math.floor(Date.now() / 1_000) + CODE_S;
  const issue = async (i: number): Promise<IssuedCode> =>
    (await admin.ask({
      method: 'POST',
      path: '/v1/issue',
      body: { subject: `Person ${i}`, status: { colour: 'green', expiresAtS } },
    })) as IssuedCode;
  const clients = [...federation.running.values()].map(({ url }) => new VerdictClient({ urls: [url] }));
  const times: number[] = [];
  for (let i = 0; i < REVOCATIONS; i++) {
    const { code, log, index } = await issue(i);
    const outcomes = await Promise.all(clients.map((client) => client.verify(code)));
    if (outcomes.some(({ verdict }) => verdict.outcome === 'stop')) throw new Error('stopped too early');
    const startMs = performance.now();
    const order = admin.ask({ method: 'POST', path: '/v1/revoke', body: { log, indexes: [index] } });
    let passing = clients;
    while (passing.length > 0) {
      const verdicts = await Promise.all(passing.map((client) => client.verify(code)));
      passing = passing.filter((_, at) => verdicts[at]?.verdict.outcome !== 'stop');
    }
    times.push(performance.now() - startMs);
    await order;
    await setTimeout(500);
  }
  return times;
}

/** Milliseconds from spawning a node among the others, which run, until it says that it is ready. */
async function starting(federation: ProcessFederation): Promise<number[]> {
  const region = federation.regions.at(-1) ?? '';
  const url = federation.running.get(region)?.url ?? '';
  const times: number[] = [];
  for (let i = 0; i < STARTS; i++) {
    await federation.end(region);
    const startMs = performance.now();
    const begun = federation.begin(region);
    while (!(await isReady(url))) await setTimeout(10);
    times.push(performance.now() - startMs);
    await begun;
  }
  return times;
}

async function isReady(url: string): Promise<boolean> {
  const response = await fetch(new URL('/readyz', url)).catch(() => undefined);
  await response?.arrayBuffer();
  return response?.ok === true;
}

function spread(values: readonly number[], unit: string, digits = 0): string {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number) => (sorted[Math.floor(share * (sorted.length - 1))] ?? NaN).toFixed(digits);
  return `p50 ${at(0.5)}, worst ${at(1)} ${unit}`;
}
