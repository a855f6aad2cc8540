/** Nodes of several regions on real sockets and the real clock, shifted to where the keys of the fixtures are in force. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { hexOf } from '../../protocol/bytes.ts';
import { type Status } from '../../protocol/code/status.ts';
import { admitPublicKey } from '../../protocol/signature/noble.ts';
import { type TrustModules } from '../../protocol/trust/verify-statement.ts';
import { ANY_PLACE } from '../../protocol/verdict/verdict.ts';
import { RegionNode, type RegionNodeOptions } from '../../node/core/region-node.ts';
import { codeTextOf } from '../../node/issuing/held-codes.ts';
import { type Issued } from '../../node/issuing/issuer.ts';
import { type Admissions } from '../../node/network/admissions.ts';
import { type Clock, type StreamingNetwork } from '../../node/ports.ts';
import { systemClock } from '../../node/system-clock.ts';
import { FaultyMedium } from './faulty-disk.ts';
import { NETWORK, peerOf } from './host-fixture.ts';
import { MemorySecondPlace } from './memory-second-place.ts';
import { sha256 } from './primitives.ts';
import { DAY_S, RegionFixture, START_S, trustModules } from './region-fixture.ts';
import { until } from './until.ts';

/** Time goes on from `START_S`. */
export const liveClock: Clock = {
  nowMs: () => START_S * 1000 + Math.floor(performance.now()),
  runMs: () => performance.now(),
  wait: (ms, signal) => systemClock.wait(ms, signal),
};

const admitted = new Set<string>();
const modules = {
  ...trustModules,
  admitPublicKey: (publicKey: Uint8Array): void => {
    const name = hexOf(publicKey);
    if (admitted.has(name)) return;
    admitPublicKey(publicKey);
    admitted.add(name);
  },
};

export interface LiveNode {
  readonly region: string;
  readonly node: RegionNode;
  readonly fixture: RegionFixture;
  readonly troubles: unknown[];
  readonly medium: FaultyMedium;
}

/** How a region gets its network. */
export type OpenLive = (
  region: string,
  admissions: () => Admissions,
) => Promise<StreamingNetwork & { stop(): Promise<void> }>;

export interface LiveNetwork extends StreamingNetwork {
  stop(): Promise<void>;
}

/** Fast heartbeats, so that tests need not wait. */
const OPTIONS = { beatMs: 500, intervalMs: 1_000, bootRetryMs: 200, tendMs: 60_000 } as const;

/** Each node has its store in memory. Stop it at the end of the test. */
export class LiveWorld {
  readonly #nodes = new Map<string, LiveNode>();
  readonly #networks: LiveNetwork[] = [];
  readonly #random: () => number = Math.random;
  readonly #modules: typeof modules;

  /** `crypto` instead of that of the tests, which is OpenSSL's. */
  constructor(crypto: Partial<TrustModules> = {}) {
    this.#modules = { ...modules, ...crypto };
  }

  /** Starts the node of a region on a network that is open. Its root and keys are logged once this resolves. */
  async found(
    region: string,
    network: LiveNetwork,
    options: Partial<RegionNodeOptions> = {},
  ): Promise<LiveNode> {
    const fixture = new RegionFixture({ region, network: NETWORK, modules: this.#modules });
    const medium = new FaultyMedium({ random: this.#random });
    const live = this.#make({ region, fixture, medium }, network, options);
    const { node } = live;
    await node.start();
    await until(() => node.status.writing === 'writing', `${region} writes`);
    for (const entry of fixture.entries.slice(0, 2)) await node.submit({ entry });
    return live;
  }

  /** A new process on what the node of a region has stored, on another network. It is started, and need not write. */
  async restart(region: string, network: LiveNetwork): Promise<LiveNode> {
    const before = this.of(region);
    await before.node.stop();
    const live = this.#make(before, network, {});
    await live.node.start();
    return live;
  }

  #make(
    { region, fixture, medium }: Pick<LiveNode, 'region' | 'fixture' | 'medium'>,
    network: LiveNetwork,
    options: Partial<RegionNodeOptions>,
  ): LiveNode {
    const troubles: unknown[] = [];
    const { attest, checkpoint, witness } = fixture.keys;
    const node = new RegionNode(
      { region, network: NETWORK, registryKey: sha256(Buffer.from(region)), ...OPTIONS, ...options },
      {
        ...this.#modules,
        disk: medium.disk(),
        mark: medium.mark(),
        secondPlace: new MemorySecondPlace(),
        clock: liveClock,
        random: (length) => Uint8Array.from(randomBytes(length)),
        network,
        keys: {
          attest: { inForce: () => attest, withId: (keyId) => (keyId === attest.keyId ? attest : undefined) },
          checkpoint: () => checkpoint,
          checkpointBy: () => checkpoint,
          trustLog: () => fixture.keys['trust-log'],
          trustLogBy: () => fixture.keys['trust-log'],
          witness: () => witness,
        },
        regionOf: (peer) => [...this.#nodes.keys()].find((name) => peerOf(name) === peer),
        onTrouble: (error) => troubles.push(error),
      },
    );
    const live = { region, node, fixture, troubles, medium };
    this.#nodes.set(region, live);
    this.#networks.push(network);
    return live;
  }

  of(region: string): LiveNode {
    return this.#nodes.get(region) ?? assert.fail(`no node of ${region}`);
  }

  get nodes(): readonly LiveNode[] {
    return [...this.#nodes.values()];
  }

  /** Every region recognises every other. */
  async befriendAll(): Promise<void> {
    await Promise.all(
      this.nodes.map(async ({ region, node, fixture }) => {
        fixture.nowS = nowS();
        for (const other of this.nodes) {
          if (other.region === region) continue;
          await node.submit({ entry: fixture.entryOf(fixture.recognitionOf(other.fixture)) });
        }
      }),
    );
  }

  async issue(region: string, subject: string): Promise<Issued & { readonly text: string }> {
    const status: Status = {
      colour: 'green',
      measure: 'none',
      expiresAtS: nowS() + 7 * DAY_S,
      ruleId: 'base',
      ruleVersion: 1,
    };
    const issued = await this.of(region).node.issue({ subject, fields: { status } });
    return { ...issued, text: codeTextOf(sha256, issued, ['status']) };
  }

  /** Outcome and reasons in one line. */
  async outcome(region: string, text: string): Promise<string> {
    const verdict = await this.of(region).node.verify(text, { place: ANY_PLACE, mode: 'online' });
    return [verdict.outcome, ...verdict.reasons.map(({ code }) => code)].join(' ');
  }

  /** The trust log sizes of all regions, as each node holds them, in one text: equal for two nodes that agree. */
  sizesAt(region: string): string {
    const { sizes } = this.of(region).node.status;
    return Object.entries(sizes)
      .filter(([origin]) => origin.endsWith('/trust'))
      .map(([origin, size]) => `${origin} ${size}`)
      .sort()
      .join('\n');
  }

  async stop(): Promise<void> {
    await Promise.all(this.nodes.map(({ node }) => node.stop()));
    await Promise.all(this.#networks.splice(0).map((network) => network.stop()));
    this.#nodes.clear();
  }
}

export function nowS(): number {
  return Math.floor(liveClock.nowMs() / 1000);
}
