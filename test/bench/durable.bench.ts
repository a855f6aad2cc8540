import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { BundlePool } from '../../node/audit/bundle-pool.ts';
import { openAuditSource } from '../../node/audit/open-source.ts';
import { auditRegion } from '../../node/audit/region-audit.ts';
import { foundRegion } from '../../node/region/found.ts';
import { type Region } from '../../node/region/region.ts';
import { sha256 } from '../support/primitives.ts';
import { greenFor, ISSUING_CHILD, openAlone, realModules } from '../support/issuing-child.ts';
import { bareSignatures, bareStore, STORED_BYTES } from './bare.ts';
import { type Bench, perSecond, type Row } from './bench.ts';

/** Smaller by the environment, for a look at whether it works. */
const ENTRIES = Number(process.env['BENCH_ENTRIES'] ?? 1_000_000);
const BATCH = 10_000;
const STORED = Math.min(100_000, ENTRIES);
const SINGLES = 400;
const CORES = availableParallelism();
const REVOKED = 5_000;
const KILL_AFTER_ACKS = 5_000;

export const durableBench: Bench = {
  name: 'durable',
  about: `${ENTRIES.toLocaleString('en-US')} codes issued into the store of a node, synced before each answer, and its log audited; against bare signatures and the bare store`,
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
  const path = join(directory, 'ZZ');
  const about = { region: 'ZZ', network: 'bench', name: 'Bench', roots: 1, threshold: 1 };
  const fingerprint = await foundRegion(path, about, await realModules());
  const signatures = await bareSignatures();
  const signing = signatures.count / signatures.seconds;
  const stored = await bareStore(join(directory, 'bare'), { count: STORED, together: BATCH });
  const storing = STORED / stored.seconds;
  progress('bare rates taken');

  const region = await openAlone(path);
  await region.node.whenWriting();
  const bytesBefore = await bytesBelow(path);
  const issuing = await issueAll(region, progress);
  const single = await issueSingly(region);
  await region.close();
  const bytesAfter = await bytesBelow(path);

  const revocation = await revokeSome(path);
  const reopened = await openedAfterKill(path);
  progress('opened after a kill');
  const audits = await replays(path, fingerprint, progress);

  const ratio = (value: number, of: number) => ({ ratio: value / of });
  return [
    { name: 'signature only', value: perSecond(1, 1 / signing) },
    { name: `store only, values of ${STORED_BYTES} bytes`, value: perSecond(1, 1 / storing) },
    {
      name: `issued durable, in batches of ${BATCH.toLocaleString('en-US')}`,
      value: perSecond(1, 1 / issuing),
      ...ratio(issuing, signing),
      of: 'signature only',
      floor: '10,000/s',
      goal: '20,000/s',
    },
    {
      name: '  the same against the store',
      value: perSecond(1, 1 / issuing),
      ...ratio(issuing, storing),
      of: 'store only',
    },
    { name: 'issued one at a time, median', value: `${single.median.toFixed(1)} ms` },
    { name: '  99th of 100', value: `${single.p99.toFixed(1)} ms`, floor: '250 ms' },
    {
      name: 'bytes on disk for each entry',
      value: `${((bytesAfter - bytesBefore) / (ENTRIES + SINGLES)).toFixed(0)}`,
    },
    { name: 'bytes in the trust log for each revocation', value: revocation.toFixed(2) },
    { name: 'opened after kill -9, ready to sign', value: `${reopened.toFixed(0)} ms` },
    ...audits,
  ];
}

/** All in batches, each awaited before the next; gives codes for each second. */
async function issueAll({ node }: Region, progress: (text: string) => void): Promise<number> {
  return rateOf(ENTRIES, async () => {
    for (let from = 0; from < ENTRIES; from += BATCH) {
      const count = Math.min(BATCH, ENTRIES - from);
      await node.issueAll(Array.from({ length: count }, (_, i) => greenFor(`Person ${from + i}`)));
      if ((from / BATCH) % 20 === 19) progress(`${(from + count).toLocaleString('en-US')} codes issued`);
    }
  });
}

async function issueSingly({ node }: Region): Promise<{ median: number; p99: number }> {
  const taken: number[] = [];
  for (let i = 0; i < SINGLES; i++) {
    const start = performance.now();
    await node.issue(greenFor(`Single ${i}`));
    taken.push(performance.now() - start);
  }
  taken.sort((a, b) => a - b);
  const at = (share: number) => taken[Math.floor(share * taken.length)] ?? NaN;
  return { median: at(0.5), p99: at(0.99) };
}

/** Bytes that the trust log grows by for each of many codes revoked at once. */
async function revokeSome(path: string): Promise<number> {
  const region = await openAlone(path);
  try {
    await region.node.whenWriting();
    const [log] = [...region.state.logs()].map(({ log: id }) => id);
    const { tree } = region.node.keeper('ZZ') ?? {};
    if (log === undefined || tree === undefined) throw new Error('the region has no log');
    const from = tree.size;
    const step = Math.max(1, Math.floor(ENTRIES / REVOKED));
    // Spread as chance would have it, not evenly: even gaps would be coded better than they are worth.
    const indexes = Array.from({ length: Math.min(REVOKED, ENTRIES) }, (_, i) => {
      return i * step + ((sha256(Uint8Array.of(i >> 8, i & 255))[0] ?? 0) % step);
    });
    await region.node.revoke({ log, indexes: [...new Set(indexes)].sort((a, b) => a - b) });
    let bytes = 0;
    for await (const entry of tree.reader.entries(from, tree.size)) bytes += entry.length;
    return bytes / indexes.length;
  } finally {
    await region.close();
  }
}

/** Milliseconds from opening the directory to the first moment at which it signs, after a process that wrote there was killed. */
async function openedAfterKill(path: string): Promise<number> {
  const child = spawn(process.execPath, [ISSUING_CHILD, path, 'Killed'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let acks = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.startsWith('ack ')) acks++;
    if (acks === KILL_AFTER_ACKS) child.kill('SIGKILL');
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  const start = performance.now();
  const region = await openAlone(path);
  await region.node.whenWriting();
  const taken = performance.now() - start;
  await region.close();
  return taken;
}

/** Leaf by leaf, as `log verify` and `audit replay` do it. */
async function replays(
  path: string,
  fingerprint: Uint8Array,
  progress: (text: string) => void,
): Promise<Row[]> {
  const modules = await realModules();
  const rows: Row[] = [];
  for (const { name, signatures, threads, ...asked } of [
    { name: 'log verify, one thread', signatures: false, threads: 1 },
    {
      name: 'log verify, all cores',
      signatures: false,
      threads: CORES,
      floor: '300,000/s',
      goal: '500,000/s',
    },
    { name: 'audit replay with signatures, all cores', signatures: true, threads: CORES },
  ]) {
    const source = await openAuditSource(path);
    const pool = new BundlePool({ threads });
    try {
      const options = { ...source.owner, fingerprint, signatures, nowS: modules.nowS() };
      let entries = 0;
      const start = performance.now();
      const { logs, faults } = await auditRegion(options, { ...modules, source, pool });
      const seconds = (performance.now() - start) / 1_000;
      if (faults.length > 0) throw new Error(`the log has faults: ${faults[0]?.message ?? ''}`);
      for (const { size } of logs) entries += size;
      rows.push({ name, value: perSecond(entries, seconds), ...asked });
      progress(`${name}: done`);
    } finally {
      await pool.close();
      await source.close();
    }
  }
  return rows;
}

async function rateOf(count: number, work: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return count / ((performance.now() - start) / 1_000);
}

async function bytesBelow(path: string): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(path, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) bytes += (await stat(join(entry.parentPath, entry.name))).size;
  }
  return bytes;
}
