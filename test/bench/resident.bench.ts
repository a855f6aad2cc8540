/** What the trust logs of other regions add to the memory of a node: the sets of revoked codes most of all. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { editConfig } from '../../node/config/config-file.ts';
import { foundRegion } from '../../node/region/found.ts';
import { type RegionModules } from '../../node/region/modules.ts';
import { encodeIndexSet } from '../../protocol/revocation/index-set-code.ts';
import { DAY_S, inRegion } from '../support/regions.ts';
import { realModules } from '../support/issuing-child.ts';
import { processFigures } from '../support/process-figures.ts';
import { RunningNode } from '../support/running-node.ts';
import { seeded } from '../support/seeded.ts';
import { type Bench, type Row } from './bench.ts';
import { REGIONS, regionNames } from './federation.ts';

const REVOKED = 10_000;
/** Indexes among which the revoked ones lie. */
const ISSUED = 1_000_000;
const READINGS = 10;
const READING_MS = 500;
const ALONE = { withoutPeers: true } as const;
const FREE = [
  ...['--set', 'http.port=0', '--set', 'p2p.listen=/ip4/127.0.0.1/tcp/0', '--set', 'log.level=warn'],
  '--without-peers',
];

export const residentBench: Bench = {
  name: 'resident',
  about: `resident memory of \`entente run\`, alone and with the trust logs of ${REGIONS} regions, in each of which ${REVOKED.toLocaleString('en-US')} of ${ISSUED.toLocaleString('en-US')} codes are revoked; no peer is connected`,
  async run(progress) {
    const directory = await mkdtemp(join(tmpdir(), 'entente-bench-'));
    try {
      return await rowsIn(directory, progress);
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  },
};

interface Peer {
  readonly region: string;
  readonly fingerprint: Uint8Array;
  readonly path: string;
}

async function rowsIn(directory: string, progress: (text: string) => void): Promise<Row[]> {
  const modules = await realModules();
  const peers: Peer[] = [];
  for (const region of regionNames) {
    const path = join(directory, region);
    const about = { region, network: 'bench', name: region, roots: 1, threshold: 1 };
    peers.push({ region, path, fingerprint: await foundRegion(path, about, modules) });
  }
  const [home, ...others] = peers;
  if (home === undefined) throw new RangeError('a bench of at least one region');
  progress('regions founded');
  const alone = await residentBytes(home.path);
  const random = seeded(34);
  for (const { path } of peers) await revokeMany(path, random, modules);
  progress('codes revoked');
  await knowAll(home.path, others, modules);
  progress('home follows the others');
  const full = await residentBytes(home.path);
  return [
    { name: 'resident, a region just founded', value: megabytes(alone) },
    { name: `resident, ${REGIONS} regions`, value: megabytes(full), goal: '200 MB' },
    { name: '  for each of them', value: megabytes((full - alone) / REGIONS) },
  ];
}

/** In one statement: which codes they are does not matter to what it weighs, so they need not be issued. */
async function revokeMany(path: string, random: () => number, modules: RegionModules): Promise<void> {
  const indexes = new Set<number>();
  while (indexes.size < REVOKED) indexes.add(Math.floor(random() * ISSUED));
  const set = encodeIndexSet(Float64Array.from(indexes).sort());
  await inRegion(
    path,
    modules,
    async (region) => {
      const [log] = [...region.state.logs()].map(({ log: id }) => id);
      if (log === undefined) throw new Error('the region has no log');
      await region.append([{ kind: 'revocation', log, effective: modules.nowS(), set }], 'trust-log');
    },
    ALONE,
  );
}

/** The home recognises the others, and takes their logs from where they publish them. */
async function knowAll(path: string, others: readonly Peer[], modules: RegionModules): Promise<void> {
  await inRegion(
    path,
    modules,
    async (home) => {
      const from = modules.nowS();
      await home.append(
        others.map(({ region, fingerprint }) => ({
          kind: 'recognition' as const,
          region,
          version: 1,
          fingerprint,
          way: 'direct' as const,
          rules: null,
          from,
          until: from + 365 * DAY_S,
        })),
        'root',
      );
      await editConfig(
        home.layout.config,
        others.map((peer) => ({ at: ['peers', peer.region, 'directory'], value: join(peer.path, 'public') })),
      );
    },
    ALONE,
  );
  await inRegion(
    path,
    modules,
    async (home) => {
      for (const { region } of others) await home.node.visitor.visit(region, region, () => Promise.resolve());
      const known = others.filter(({ region }) => (home.node.keeper(region)?.state.size ?? 0) > 0);
      if (known.length < others.length) throw new Error(`only ${known.length} regions are known`);
    },
    ALONE,
  );
}

/** The least memory that a node lies at once it listens. */
async function residentBytes(path: string): Promise<number> {
  const node = await RunningNode.start(path, ...FREE);
  try {
    let bytes = Infinity;
    for (let i = 0; i < READINGS; i++) {
      await setTimeout(READING_MS);
      bytes = Math.min(bytes, processFigures(node.pid).rssBytes);
    }
    return bytes;
  } finally {
    await node.end();
  }
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
