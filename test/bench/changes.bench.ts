/** What a new list costs: everybody on it turns red at once, what they held is revoked, and the network hears of it. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type UpdateFigures } from '../../node/life/update-figures.ts';
import { foundRegion } from '../../node/region/found.ts';
import { publishedNetwork } from '../../node/region/published-network.ts';
import { openRegion, type Region } from '../../node/region/region.ts';
import { readRuleFile } from '../../node/rules/rule-file.ts';
import { profileText } from '../../node/rules/profiles.ts';
import { realModules } from '../support/issuing-child.ts';
import { bareSignatures, bareStore, STORED_BYTES, type Taken, taken } from './bare.ts';
import { type Bench, microseconds, perSecond, type Row } from './bench.ts';

/** Smaller by the environment, for a look at whether it works. */
const PEOPLE = Number(process.env['BENCH_PEOPLE'] ?? 300_000);
const STORED = Math.min(100_000, PEOPLE);
const STORED_TOGETHER = 4_096;
const GOAL_S = 60;
const MESSAGES_MAX = 300;
/** Rows that are handed on together. */
const ROWS_PER_PART = 1_000;
const { file: BASELINE = assert.fail() } = readRuleFile(profileText('baseline') ?? '', () => undefined);
const DECLARATIONS = {
  head: 'subject,full_name,birth_date,id_type,id_country,id_number,declared_at,consent,symptoms\n',
  row: (i: number, now: string) => `P-${i},${papersOf(i)},${now},true,false\n`,
};
const CONTACTS = {
  head: 'full_name,birth_date,id_type,id_country,id_number,contact,day\n',
  row: (i: number, now: string) => `${papersOf(i)},close,${now.slice(0, 10)}\n`,
};

export const changesBench: Bench = {
  name: 'changes',
  about: `${PEOPLE.toLocaleString('en-US')} people who declared get their first codes, and then all turn red by one new list of contacts; against bare signatures and the bare store`,
  async run(progress) {
    const directory = await mkdtemp(join(tmpdir(), 'entente-bench-'));
    try {
      return await rowsIn(directory, progress);
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  },
};

async function rowsIn(directory: string, progress: (text: string) => void): Promise<Row[]> {
  const signing = await bareSignatures();
  const storing = await bareStore(join(directory, 'bare'), { count: STORED, together: STORED_TOGETHER });
  progress('bare rates taken');
  const { region, messages } = await openCounted(join(directory, 'ZZ'));
  try {
    const { life, lists } = region.node;
    const now = `${new Date().toISOString().slice(0, 19)}Z`;
    const csv = { format: 'csv', encoding: 'utf-8', source: 'bench' } as const;
    const declaring = await taken(async () => {
      const report = await life.declare(csv, fileOf(DECLARATIONS, now));
      assert.deepEqual(report.outcome === 'taken' && report.added, PEOPLE);
    });
    progress('all have declared');
    const first = await updated(region, 'first', progress);
    const importing = await taken(async () => {
      const order = { ...csv, kind: 'contacts', asOfS: Math.floor(Date.now() / 1_000) } as const;
      assert.equal((await lists.import(order, fileOf(CONTACTS, now))).outcome, 'imported');
    });
    progress('the list is in force');
    const before = messages();
    const worse = await updated(region, 'worse', progress);
    const told = messages() - before;
    const looking = await updated(region, 'unchanged', progress);
    requireRevoked(region);
    const perSignature = signing.cpuS / signing.count;
    const perStored = storing.cpuS / STORED;
    return [
      { name: 'signature only, on a processor', value: microseconds(perSignature) },
      { name: `store only, ${STORED_BYTES} bytes, on a processor`, value: microseconds(perStored) },
      ...rowsOf('declared from CSV', declaring, perSignature),
      ...rowsOf('first codes', first, perSignature),
      ...rowsOf('list of contacts imported', importing, perSignature),
      ...rowsOf('turned red, and the green ones revoked', worse, perSignature, `${GOAL_S} s for 300,000`),
      ...rowsOf('looked at again, unchanged', looking, perSignature),
      { name: 'gossip messages while all turned', value: String(told), floor: `${MESSAGES_MAX} for 300,000` },
      { name: 'memory at its most', value: `${Math.round(process.resourceUsage().maxRSS / 1_024)} MiB` },
    ];
  } finally {
    await region.close();
  }
}

/** By the clock, and on a processor for each person. */
function rowsOf(name: string, { seconds, cpuS }: Taken, perSignature: number, floor?: string): Row[] {
  const rate = `${seconds.toFixed(1)} s, ${perSecond(PEOPLE, seconds)}`;
  return [
    { name, value: rate, ...(floor !== undefined && { floor }) },
    {
      name: '  on processors, for each',
      value: microseconds(cpuS / PEOPLE),
      ratio: perSignature / (cpuS / PEOPLE),
      of: 'signature only',
    },
  ];
}

/** A region whose rules are the baseline and whose root lets it revoke them all in an hour; its messages are counted. */
async function openCounted(path: string): Promise<{ region: Region; messages: () => number }> {
  const modules = await realModules();
  await foundRegion(path, { region: 'ZZ', network: 'bench', name: 'Bench', roots: 1, threshold: 1 }, modules);
  let messages = 0;
  const region = await openRegion(
    path,
    { withoutPeers: true },
    {
      ...modules,
      networkFor: (ground) => {
        const published = publishedNetwork(ground, modules);
        published.network.publish = () => void messages++;
        return published;
      },
    },
  );
  await region.node.whenWriting();
  const { id, version, fromS: from, data } = BASELINE.ruleSet;
  await region.append(
    [
      { kind: 'rules', id, version, from, data: data as never },
      { kind: 'limits', version: 1, revocationsPerHour: 2 * PEOPLE },
    ],
    'root',
  );
  return { region, messages: () => messages };
}

/** All people come out the same way. */
async function updated(
  { node }: Region,
  outcome: keyof UpdateFigures,
  progress: (text: string) => void,
): Promise<Taken> {
  let figures: Partial<UpdateFigures> = {};
  const time = await taken(async () => {
    for await (const news of node.life.update()) if ('figures' in news) ({ figures } = news);
  });
  assert.equal(figures[outcome], PEOPLE, JSON.stringify(figures));
  progress(`${outcome}: done`);
  return time;
}

/** Every first code, and none of the others. */
function requireRevoked(region: Region): void {
  const [log = assert.fail()] = [...region.state.logs()].map((one) => one.log).sort();
  const revoked = region.state.revoked(log);
  const size = region.node.log(region.originOf(log))?.size ?? 0;
  assert.ok(size >= 2 * PEOPLE);
  for (let index = 0; index < size; index++) assert.equal(revoked?.has(index), index < PEOPLE, `${index}`);
}

async function* fileOf({ head, row }: typeof DECLARATIONS, now: string): AsyncGenerator<Uint8Array> {
  await Promise.resolve();
  yield Buffer.from(head);
  for (let from = 0; from < PEOPLE; from += ROWS_PER_PART) {
    const count = Math.min(ROWS_PER_PART, PEOPLE - from);
    yield Buffer.from(Array.from({ length: count }, (_, i) => row(from + i, now)).join(''));
  }
}

/** Of nobody. */
function papersOf(i: number): string {
  return `Person ${i},1990-05-17,passport,DE,C${String(i).padStart(8, '0')}`;
}
