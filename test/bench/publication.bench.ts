/** How soon a statement is witnessed: five regions, each a process of this machine, of which four can vouch for the fifth and three have to. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { type IssuedCode } from '../../node/http/admin-schemas.ts';
import { trustLogOrigin } from '../../protocol/log/origin.ts';
import { type KnowledgeReport } from '../../protocol/verdict/verdict.ts';
import { ProcessFederation } from '../support/process-federation.ts';
import { type Bench, type Row } from './bench.ts';
import { regionNames } from './federation.ts';
import { spread } from './spread.ts';

const REGIONS = 5;
const SUBMISSIONS = 200;
const WARM_UP = 10;
/** Milliseconds between two submissions, so that each is a batch of its own, and between two questions. */
const APART_MS = 100;
const ASK_MS = 5;
const WAIT_MS_MAX = 120_000;
const CODE_S = 86_400;

interface Status {
  readonly sizes: Readonly<Record<string, number>>;
  readonly knowledge: readonly KnowledgeReport[];
}

export const publicationBench: Bench = {
  name: 'publication',
  about:
    'a revocation, from its order to the checkpoint that three of four other regions have cosigned, as its own node knows it (`entente run`, libp2p over loopback, stores on disk)',
  async run(progress) {
    const dir = mkdtempSync(join(tmpdir(), 'entente-bench-'));
    progress(`setting up ${REGIONS} regions`);
    const federation = await ProcessFederation.found(dir, regionNames.slice(0, REGIONS));
    try {
      return await measured(federation, progress);
    } finally {
      await federation.stop();
      rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
    }
  },
};

async function measured(federation: ProcessFederation, progress: (text: string) => void): Promise<Row[]> {
  const { regions } = federation;
  // None signs before enough of the others answer.
  for (const region of regions) await federation.begin(region);
  for (const node of federation.running.values()) await node.ready(WAIT_MS_MAX);
  progress('all sign');
  const [issuer = ''] = regions;
  const admin = federation.admin(issuer);
  const origin = trustLogOrigin(issuer, 'demo');
  const status = async () => (await admin.ask({ method: 'GET', path: '/v1/status' })) as Status;
  const home = ({ knowledge }: Status) => knowledge.find(({ region }) => region === issuer);
  await until(async () => {
    const { size, witnesses } = home(await status()) ?? {};
    return size !== undefined && witnesses?.counted === REGIONS - 1;
  });
  progress('all vouch');
  const expiresAtS = Math.floor(Date.now() / 1_000) + CODE_S;
  const issue = (i: number) => {
    const body = { subject: `Person ${i}`, status: { colour: 'green', expiresAtS } };
    return admin.ask({ method: 'POST', path: '/v1/issue', body }) as Promise<IssuedCode>;
  };
  const sequenced: number[] = [];
  const witnessed: number[] = [];
  for (let i = -WARM_UP; i < SUBMISSIONS; i++) {
    const { log, index } = await issue(i);
    const before = (await status()).sizes[origin] ?? 0;
    const startMs = performance.now();
    await admin.ask({ method: 'POST', path: '/v1/revoke', body: { log, indexes: [index] } });
    const loggedMs = performance.now() - startMs;
    await until(async () => {
      const { size = 0, witnesses } = home(await status()) ?? {};
      return size > before && witnesses !== undefined && witnesses.counted >= witnesses.needed;
    });
    if (i >= 0) {
      sequenced.push(loggedMs);
      witnessed.push(performance.now() - startMs);
    }
    await setTimeout(APART_MS);
  }
  const { needed, counted } = home(await status())?.witnesses ?? {};
  return [
    { name: 'sequenced: durable and signed', value: spread(sequenced) },
    {
      name: `witnessed by ${needed ?? '?'} of ${REGIONS - 1} (${counted ?? '?'} at the end)`,
      value: spread(witnessed),
      goal: 'p50 300, p99 600 ms',
    },
  ];
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  const endMs = performance.now() + WAIT_MS_MAX;
  while (!(await isSo())) {
    if (performance.now() > endMs) throw new Error(`not within ${WAIT_MS_MAX} ms`);
    await setTimeout(ASK_MS);
  }
}
