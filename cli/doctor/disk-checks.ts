/** The disks under the store and the second place, and how many files a process may have open. */
import { randomBytes } from 'node:crypto';
import { open, readFile, rm, stat, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { RESERVE_BYTES } from '../../node/store/level-disk.ts';
import { FileSecondPlace } from '../../node/store/second-place.ts';
import { EXIT } from '../exit.ts';
import { figure } from '../output.ts';
import { printable } from '../printable.ts';
import { editing, type Finding, must, note, ok, quoted, warn } from './finding.ts';
import { type ReadablePatient } from './patient.ts';

const MIB = 1 << 20;
/** Twice the ballast: with less the store is full as soon as it is opened, and does not open once that is gone. */
const FREE_BYTES_MIN = 2 * RESERVE_BYTES;
/** Some weeks of a small region. */
const FREE_BYTES_WARN = 1_024 * MIB;

/** Magic numbers of statfs(2): where a lock or a sync is not what it is on a local disk. */
const FILE_SYSTEMS: ReadonlyMap<number, readonly [name: string, what: string]> = new Map([
  [0x6969, ['NFS', 'locks and syncs are as good as its server']],
  [0xff534d42, ['CIFS', 'locks and syncs are as good as its server']],
  [0xfe534d42, ['SMB', 'locks and syncs are as good as its server']],
  [0x01021997, ['9p', 'syncs may not reach the disk of the host']],
  [0x65735546, ['FUSE', 'locks and syncs are as good as its program']],
  [0x01021994, ['tmpfs', 'it is memory, and gone with the machine']],
  [0x794c7630, ['overlay', 'it is a layer of a container, and gone with it']],
]);

const WRITES = 8;
const WRITE_BYTES = 4_096;
/** Milliseconds of one write with its sync: each batch of codes waits for two. */
const LATENCY_MS = { warn: 50, must: 1_000 } as const;

export async function checkSpace({ config, layout }: ReadablePatient): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const path of [layout.resolve(config.storage.store), layout.resolve(config.storage.secondPlace)]) {
    const { bavail, bsize } = await statfs(await existing(path));
    const free = bavail * bsize;
    const text = `${figure(Math.floor(free / MIB))} MiB are free for ${printable(path)}`;
    const fix = `df -h ${quoted(path)} && du -xh -d 2 $(df --output=target ${quoted(path)} | tail -1) | sort -h | tail -20`;
    if (free < FREE_BYTES_MIN)
      findings.push(must(`${text}: the store goes read-only, and nothing is signed`, fix));
    else if (free < FREE_BYTES_WARN) findings.push(warn(text, fix));
    else findings.push(ok(text));
  }
  return findings;
}

export async function checkFileSystem({ config, layout }: ReadablePatient): Promise<Finding[]> {
  const store = await existing(layout.resolve(config.storage.store));
  const second = await existing(layout.resolve(config.storage.secondPlace));
  const findings: Finding[] = [];
  const [name, what] = FILE_SYSTEMS.get((await statfs(store)).type) ?? [];
  if (name !== undefined) {
    findings.push(
      warn(
        `the store lies on ${name}: ${what}`,
        `${editing(layout.config)}   # storage.store, on a local disk`,
      ),
    );
  }
  if ((await stat(store)).dev === (await stat(second)).dev) {
    findings.push(
      note(
        'the second place is on the disk of the store: what takes one takes both',
        `${editing(layout.config)}   # storage.secondPlace, on another disk, while the node is stopped and the directory moved there`,
      ),
    );
  }
  return findings.length > 0 ? findings : [ok('store and second place lie on different local disks')];
}

export async function checkLatency({ config, layout }: ReadablePatient): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const path of [layout.resolve(config.storage.store), layout.resolve(config.storage.secondPlace)]) {
    const ms = await medianWriteMs(await existing(path));
    const text = `${ms.toFixed(1)} ms for a write and its sync in ${printable(path)}`;
    const fix = 'iostat -x 1 5   # who keeps the disk busy';
    if (ms > LATENCY_MS.must) findings.push(must(text, fix));
    else if (ms > LATENCY_MS.warn) findings.push(warn(text, fix));
    else findings.push(ok(text));
  }
  return findings;
}

/** A mark that cannot be read keeps its log from being signed or cosigned, and marks of a kind their regions from a change of root. */
export async function checkMarks({ config, layout, path }: ReadablePatient): Promise<Finding[]> {
  const directory = layout.resolve(config.storage.secondPlace);
  const faults = await new FileSecondPlace({ directory }).faults();
  if (faults.length === 0) return [ok('every mark in the second place is as it was written')];
  return faults.map(({ message, code }) =>
    must(
      `${printable(message)} [${code}]`,
      `entente status ${quoted(path)}   # that its peers hold no more of the logs than it does; then stop it and move that file away`,
      EXIT.inconsistent,
    ),
  );
}

export async function checkOpenFiles({ config, running }: ReadablePatient): Promise<Finding[]> {
  const limits = await readFile(`/proc/${running?.process.pid ?? 'self'}/limits`, 'utf8').catch(() => '');
  const soft = /^Max open files\s+(\d+|unlimited)/m.exec(limits)?.[1];
  if (soft === undefined)
    return [note('how many files a process may open is not to be seen on this machine')];
  const needed = config.limits.connectionsMax + 1_024;
  const text = `${soft} files may be open; ${needed} are needed where all connections are in use`;
  if (soft === 'unlimited' || Number(soft) >= needed) return [ok(text)];
  return [
    warn(text, `ulimit -n ${needed}   # in the shell or unit that starts the node: LimitNOFILE=${needed}`),
  ];
}

/** The path itself, or the nearest folder above it that is there. */
async function existing(path: string): Promise<string> {
  for (let at = path; ; at = dirname(at)) {
    const isThere = await stat(at).then(
      () => true,
      () => false,
    );
    if (isThere || dirname(at) === at) return at;
  }
}

/** Rejects as the writing does: on a full disk, or one that cannot be written. */
async function medianWriteMs(folder: string): Promise<number> {
  const path = join(folder, `.doctor-${randomBytes(6).toString('hex')}.tmp`);
  const bytes = randomBytes(WRITE_BYTES);
  const spans: number[] = [];
  const file = await open(path, 'wx', 0o600);
  try {
    for (let i = 0; i < WRITES; i++) {
      const startMs = performance.now();
      await file.write(bytes);
      await file.sync();
      spans.push(performance.now() - startMs);
    }
  } finally {
    await file.close();
    await rm(path, { force: true });
  }
  return spans.sort((a, b) => a - b)[Math.floor(WRITES / 2)] ?? 0;
}
