/** Whole nodes, each a process of this machine: what they take, alone and together, when nothing happens and when something does. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { AdminProblem } from '../../node/http/admin-client.ts';
import { type IssuedCode } from '../../node/http/admin-schemas.ts';
import { VerdictClient } from '../../node/http/verdict-client.ts';
import { isNodeError } from '../../node/node-error.ts';
import { ProcessFederation } from '../support/process-federation.ts';
import { type ProcessFigures, processFigures } from '../support/process-figures.ts';
import { type Bench, type Row } from './bench.ts';
import { regionNames } from './federation.ts';

const SIZES = [3, 10, 34];
const STARTS = 5;
/** Nodes that start at the same time, where all of them are started. */
const AT_ONCE = 4;
const REVOCATIONS = 30;
const MEET_MS_MAX = 600_000;
/**
 * Milliseconds between two questions to one node, for each of them: all together are asked some 700 times a second, so that the
 * asking takes a quarter of a core and not what the revocation needs.
 */
const ASK_MS_PER_NODE = 1.5;
/** A node that has no time says so, and is asked again as it says: so often, and after so many milliseconds. */
const TURNED_AWAY_MAX = 60;
const RETRY_MS = 1_000;
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

/** All, or those of `--nodes 3,10` or BENCH_NODES. */
function sizes(): number[] {
  const { argv, env } = process;
  const at = argv.indexOf('--nodes');
  const asked = at < 0 ? env['BENCH_NODES'] : argv[at + 1];
  if (asked === undefined) return SIZES;
  const counts = asked.split(',').map(Number);
  if (counts.every((count) => count >= 2 && count <= regionNames.length)) return counts;
  throw new RangeError(`--nodes takes numbers from 2 to ${regionNames.length}, such as 3,10`);
}

async function measured(federation: ProcessFederation, progress: (text: string) => void): Promise<Row[]> {
  const { regions } = federation;
  const count = regions.length;
  const startMs = performance.now();
  for (let i = 0; i < count; i += AT_ONCE)
    await Promise.all(regions.slice(i, i + AT_ONCE).map((region) => federation.begin(region)));
  const missing = await met(federation);
  if (missing > 0) {
    const value = `${missing} of ${(count * (count - 1)) / 2} connections missing after ${MEET_MS_MAX / 1_000} s`;
    return [{ name: `${count} nodes have not all met`, value }];
  }
  const metS = ((performance.now() - startMs) / 1_000).toFixed(0);
  const startCpu = figuresOf(federation).map(({ cpuS }) => cpuS);
  progress(`${count} nodes have met, ${metS} s after the first`);
  await setTimeout(SETTLE_S * 1_000);
  const before = figuresOf(federation);
  await setTimeout(IDLE_S * 1_000);
  const after = figuresOf(federation);
  progress('idle measured');
  const revoked = await revoking(federation);
  const revokedCpu = figuresOf(federation).reduce((sum, { cpuS }) => sum + cpuS, 0);
  progress('revocations done');
  const starts = await starting(federation);
  const { times, turnedAway } = revoked;
  const perRevocation = (revokedCpu - after.reduce((sum, { cpuS }) => sum + cpuS, 0)) / REVOCATIONS / count;
  const rss = after.map(({ rssBytes }) => rssBytes / 2 ** 20);
  const perS = (figure: (figures: ProcessFigures) => number) =>
    after.map((now, i) => (figure(now) - figure(before[i] ?? now)) / IDLE_S);
  const cpu = perS(({ cpuS }) => 100 * cpuS);
  const written = perS(({ writtenBytes }) => writtenBytes / 1_000);
  return [
    {
      name: `${count} nodes: a revocation, from the order to the last`,
      value: spread(times, 'ms'),
      ...(count === 34 && { goal: 'worst < 1 s' }),
    },
    {
      name: '  each asked every',
      value: `${(ASK_MS_PER_NODE * count).toFixed(0)} ms, ${turnedAway} turned away and asked again`,
    },
    {
      name: '  on a processor of each node for that, verdicts included',
      value: `${(1_000 * perRevocation).toFixed(0)} ms`,
    },
    { name: '  start, from spawning to ready', value: spread(starts, 'ms'), goal: '2 s' },
    { name: '  from the first start until all have met', value: `${metS} s` },
    { name: '  on a processor until all have met', value: spread(startCpu, 's', 1) },
    { name: '  resident memory of a node', value: spread(rss, 'MB'), goal: '200 MB' },
    { name: '  of a core, of a node that idles', value: spread(cpu, '%', 1) },
    { name: '  sent and stored by a node that idles', value: spread(written, 'kB/s') },
  ];
}

function figuresOf({ running }: ProcessFederation): ProcessFigures[] {
  return [...running.values()].map(({ pid }) => processFigures(pid));
}

/** Waits until everybody is connected to everybody, and signs. Resolves with the connections that are missing in the end. */
async function met(federation: ProcessFederation): Promise<number> {
  const endMs = performance.now() + MEET_MS_MAX;
  let missing = 0;
  for (const region of federation.regions) {
    await federation.running.get(region)?.ready(MEET_MS_MAX);
    for (;;) {
      const { peers } = (await patiently(() =>
        federation.admin(region).ask({ method: 'GET', path: '/v1/peers' }),
      )) as { readonly peers: readonly { readonly region: string }[] };
      const lacks = federation.regions.length - 1 - new Set(peers.map((peer) => peer.region)).size;
      if (lacks > 0 && performance.now() < endMs) await setTimeout(250);
      else {
        missing += lacks / 2;
        break;
      }
    }
  }
  return missing;
}

interface Revoking {
  /** Milliseconds from each order until the last node stops the code. */
  readonly times: readonly number[];
  readonly turnedAway: number;
}

/** All nodes that do not stop the code yet are asked again and again, each at its own pace. */
async function revoking(federation: ProcessFederation): Promise<Revoking> {
  const [issuer = ''] = federation.regions;
  const admin = federation.admin(issuer);
  const expiresAtS = Math.floor(Date.now() / 1_000) + CODE_S;
  let turnedAway = 0;
  const order = (path: string, body: object) =>
    patiently(
      () => admin.ask({ method: 'POST', path, body }),
      () => turnedAway++,
    );
  const clients = [...federation.running.values()].map(({ url }) => new VerdictClient({ urls: [url] }));
  const outcomeOf = async (client: VerdictClient, code: string) => {
    const { verdict } = await patiently(
      () => client.verify(code),
      () => turnedAway++,
    );
    return verdict.outcome;
  };
  const times: number[] = [];
  for (let i = 0; i < REVOCATIONS; i++) {
    const status = { colour: 'green', expiresAtS };
    const issued = (await order('/v1/issue', { subject: `Person ${i}`, status })) as IssuedCode;
    const { code, log, index } = issued;
    const outcomes = await Promise.all(clients.map((client) => outcomeOf(client, code)));
    if (outcomes.includes('stop')) throw new Error('stopped too early');
    const startMs = performance.now();
    const revoked = order('/v1/revoke', { log, indexes: [index] });
    await Promise.all(
      clients.map(async (client) => {
        while ((await outcomeOf(client, code)) !== 'stop') await setTimeout(ASK_MS_PER_NODE * clients.length);
      }),
    );
    times.push(performance.now() - startMs);
    await revoked;
    await setTimeout(500);
  }
  return { times, turnedAway };
}

/** Asks again where a node has no time, as 503 says; what it says at last counts. */
async function patiently<T>(ask: () => Promise<T>, onTurnedAway: () => void = () => undefined): Promise<T> {
  for (let left = TURNED_AWAY_MAX; ; left--) {
    try {
      return await ask();
    } catch (error) {
      if (left === 0 || !hasNoTime(error)) throw error;
      onTurnedAway();
      await setTimeout(RETRY_MS);
    }
  }
}

function hasNoTime(error: unknown): boolean {
  if (error instanceof AdminProblem) return error.problem.status === 503;
  return isNodeError(error) && error.retry;
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
