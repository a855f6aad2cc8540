/** Nodes on loopback in one process: what connecting, revoking and catching up take, with the crypto of the product. */
import { connect, createServer } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { signCheckpoint } from '../../protocol/log/checkpoint.ts';
import { Frontier } from '../../protocol/log/frontier.ts';
import { leafHash } from '../../protocol/log/merkle.ts';
import { encodeNote } from '../../protocol/log/note.ts';
import { Replica } from '../../node/log/replica.ts';
import { type Admission } from '../../node/network/admissions.ts';
import { Libp2pHost } from '../../node/network/host/libp2p-host.ts';
import { Mirror } from '../../node/sync/mirror.ts';
import { PeerBook } from '../../node/sync/peer-book.ts';
import { Puller } from '../../node/sync/puller.ts';
import { SyncClient } from '../../node/sync/sync-client.ts';
import { SyncServer } from '../../node/sync/sync-server.ts';
import { NODE_DEFAULTS } from '../../node/core/node-options.ts';
import { systemClock } from '../../node/system-clock.ts';
import { hostOptions, peerOf } from '../support/host-fixture.ts';
import { LiveWorld } from '../support/live-world.ts';
import { logKey } from '../support/keys.ts';
import { Machine } from '../support/log-fixture.ts';
import { until } from '../support/until.ts';
import { type Bench, perSecond, type Row } from './bench.ts';
import { nativeModules } from './federation.ts';

const CONNECTIONS = 100;
const REVOCATIONS = 100;
const PAUSE_MS = 100;
const CATCH_UPS = 3;
const CATCH_UP = 100_000;
const BATCH = 10_000;
const ORIGIN = 'DE.test/attest/2026-11';

const { sha256, verifySignature, admitPublicKey } = await nativeModules();

export const networkBench: Bench = {
  name: 'network',
  about:
    'nodes on loopback, all in one process: setting up connections, a revocation to the last node, catching up',
  async run(progress) {
    progress('connections');
    const rows = await connecting();
    for (const nodes of [3, 10]) {
      progress(`revocations among ${nodes}`);
      rows.push(await revoking(nodes));
    }
    progress('catching up');
    rows.push(...(await catchingUp()));
    return rows;
  },
};

function startHost(region: string): Promise<Libp2pHost> {
  return Libp2pHost.start(hostOptions(region), { clock: systemClock, random: Math.random });
}

function addressOf(host: Libp2pHost): string {
  return (host.status.addresses[0] ?? '').replace(/\/p2p\/.*$/, '');
}

function admission(region: string, address?: string): readonly [string, Admission] {
  const addresses = address === undefined ? [] : [address];
  return [peerOf(region), { region, standing: 'recognised', addresses }];
}

/** Hosts that all know each other, each dialling those before it. */
async function meshOf(regions: readonly string[]): Promise<Libp2pHost[]> {
  const hosts: Libp2pHost[] = [];
  for (const region of regions) hosts.push(await startHost(region));
  for (const [i, host] of hosts.entries()) {
    host.admit(
      new Map(
        regions.flatMap((other, j) => {
          return i === j ? [] : [admission(other, j < i ? addressOf(hosts[j] as Libp2pHost) : undefined)];
        }),
      ),
    );
  }
  await until(() => hosts.every((host) => host.peers().length === regions.length - 1), 'meshed', 60_000);
  return hosts;
}

/** From the first byte of TCP to the hello of both, in which the identities and regions are proven; without the dialler's pauses. */
async function connecting(): Promise<Row[]> {
  const hub = await startHost('DE');
  const caller = await startHost('FR');
  const times: number[] = [];
  let acceptedMs = 0;
  const port = Number(/\/tcp\/(\d+)/.exec(addressOf(hub))?.[1]);
  const between = createServer((socket) => {
    acceptedMs = performance.now();
    const onward = connect(port, '127.0.0.1');
    for (const [one, other] of [
      [socket, onward],
      [onward, socket],
    ] as const) {
      one.pipe(other);
      one.on('error', () => other.destroy()).on('close', () => other.destroy());
    }
  });
  await new Promise<void>((resolve) => between.listen(0, '127.0.0.1', resolve));
  const { port: through } = between.address() as { port: number };
  let cpuMs = 0;
  hub.admit(new Map([admission('FR')]));
  for (let i = 0; i < CONNECTIONS; i++) {
    const before = process.cpuUsage();
    const connected = new Promise<void>((resolve) => caller.onConnect(() => resolve()));
    caller.admit(new Map([admission('DE', `/ip4/127.0.0.1/tcp/${through}`)]));
    await connected;
    times.push(performance.now() - acceptedMs);
    const { user, system } = process.cpuUsage(before);
    cpuMs += (user + system) / 1_000;
    caller.admit(new Map());
    await until(() => hub.peers().length === 0 && caller.peers().length === 0, 'gone');
  }
  between.close();
  await Promise.all([hub.stop(), caller.stop()]);
  return [
    { name: 'a connection: TCP, Noise, yamux, hello', value: spread(times) },
    { name: '  on a processor, both ends', value: `${(cpuMs / CONNECTIONS).toFixed(1)} ms` },
  ];
}

async function revoking(nodes: number): Promise<Row> {
  const regions = Array.from({ length: nodes }, (_, i) => `A${String.fromCharCode(65 + i)}`);
  const hosts = await meshOf(regions);
  const world = new LiveWorld({ verifySignature, admitPublicKey });
  try {
    for (const [i, region] of regions.entries())
      await world.found(region, hosts[i] as Libp2pHost, NODE_DEFAULTS);
    await world.befriendAll();
    const issuer = regions[0] as string;
    const times: number[] = [];
    for (let i = 0; i < REVOCATIONS; i++) {
      const { log, index } = await world.issue(issuer, `p${i}`);
      const knows = ({ node }: (typeof world.nodes)[number]) =>
        node.keeper(issuer)?.state.revoked(log)?.has(index) === true;
      const startMs = performance.now();
      await world.of(issuer).node.revoke({ log, indexes: [index] });
      while (!world.nodes.every(knows)) await setTimeout(1);
      times.push(performance.now() - startMs);
      await setTimeout(PAUSE_MS);
    }
    return {
      name: `revocation to the last of ${nodes} nodes`,
      value: spread(times),
      goal: '34 nodes: p99 < 1 s',
    };
  } finally {
    await world.stop();
  }
}

async function catchingUp(): Promise<Row[]> {
  const [server, reader] = await meshOf(['DE', 'FR']);
  if (server === undefined || reader === undefined) throw new TypeError('two hosts');
  const key = logKey(ORIGIN, 5);
  const frontier = Frontier.empty(sha256);
  const from = new Machine();
  const source = await from.openTree(await from.openStore(), ORIGIN);
  let note = new Uint8Array(0);
  for (let at = 0; at < CATCH_UP; at += BATCH) {
    const entries = Array.from({ length: BATCH }, (_, i) => Buffer.alloc(145, `entry ${at + i} `));
    for (const entry of entries) frontier.append(leafHash(sha256, entry));
    const checkpoint = { origin: ORIGIN, size: at + BATCH, root: frontier.root() };
    note = Uint8Array.from(encodeNote(signCheckpoint(checkpoint, key.key, key.sign)));
    await new Replica({ tree: source, sha256, verifySignature }).apply({ from: at, entries, note }, [
      key.key,
    ]);
  }
  const book = new PeerBook({ clock: systemClock });
  const logs = () => new Map([[ORIGIN, { tree: source, note, forks: [] }]]);
  new SyncServer({ sha256, network: server, clock: systemClock, book, logs }).start();
  const client = new SyncClient({
    network: reader,
    clock: systemClock,
    book: new PeerBook({ clock: systemClock }),
  });
  const rates: number[] = [];
  const before = process.cpuUsage();
  for (let i = 0; i < CATCH_UPS; i++) {
    const to = new Machine();
    const store = await to.openStore();
    const tree = await to.openTree(store, ORIGIN);
    const mirror = await Mirror.open({
      clock: systemClock,
      store,
      sha256,
      verifySignature,
      tree,
      keys: () => [key.key],
    });
    const puller = new Puller({
      client,
      clock: systemClock,
      random: (length) => new Uint8Array(length),
    });
    const startMs = performance.now();
    await puller.pull(mirror);
    rates.push((1_000 * CATCH_UP) / (performance.now() - startMs));
    if (mirror.tree.size !== CATCH_UP) throw new TypeError(`caught up to ${mirror.tree.size}`);
  }
  const { user, system } = process.cpuUsage(before);
  await Promise.all([server.stop(), reader.stop()]);
  rates.sort((one, other) => one - other);
  const [worst = NaN] = rates;
  const middle = rates[Math.floor(rates.length / 2)] ?? NaN;
  return [
    {
      name: 'catching up with 100,000 entries of 145 bytes',
      value: `${perSecond(middle, 1)}, at worst ${perSecond(worst, 1)}`,
    },
    {
      name: '  on a processor, both ends, store in memory',
      value: `${((user + system) / 1e6 / CATCH_UPS).toFixed(2)} s`,
    },
  ];
}

function spread(times: readonly number[]): string {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (share: number) =>
    Math.round(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0);
  return `p50 ${at(0.5)}, p99 ${at(0.99)}, worst ${at(1)} ms`;
}
