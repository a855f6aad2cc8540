/** Hosts of several regions on loopback, each with a node identity that follows from its region. */
import assert from 'node:assert/strict';
import { type Admission, type Admissions } from '../../node/network/admissions.ts';
import { type HostOptions, Libp2pHost } from '../../node/network/host/libp2p-host.ts';
import { peerNameOf } from '../../node/network/peer-name.ts';
import { opensslBackEnd } from '../../node/crypto/openssl.ts';
import { sha256 } from './primitives.ts';
import { until } from './until.ts';

export const LOOPBACK = '/ip4/127.0.0.1/tcp/0';
export const NETWORK = 'test';

/** The secret of the node identity of a region, for tests. */
export function identitySeed(region: string): Uint8Array {
  return sha256(Buffer.from(`node of ${region}`));
}

/** Names by region: nodes ask for them all the time, and deriving a key is a quarter of what ten of them do. */
const names = new Map<string, string>();

export function peerOf(region: string): string {
  const name = names.get(region) ?? peerNameOf(opensslBackEnd.signerOf(identitySeed(region)).publicKey);
  names.set(region, name);
  return name;
}

export function hostOptions(region: string, options: Partial<HostOptions> = {}): HostOptions {
  return {
    identitySeed: identitySeed(region),
    region,
    network: NETWORK,
    software: 'entente test',
    listen: [LOOPBACK],
    ...options,
  };
}

/** Call it within `describe`; all hosts stop after each test. */
export class HostWorld {
  readonly #hosts = new Map<string, Libp2pHost>();

  constructor() {
    afterEach(() => this.stop());
  }

  async start(region: string, options: Partial<HostOptions> = {}): Promise<Libp2pHost> {
    const host = await Libp2pHost.start(hostOptions(region, options), {
      clock: { nowMs: () => Date.now() },
      random: Math.random,
    });
    this.#hosts.set(region, host);
    return host;
  }

  host(region: string): Libp2pHost {
    return this.#hosts.get(region) ?? assert.fail(`no host of ${region}`);
  }

  /** Where a host listens, without its name. */
  addressOf(region: string): string {
    const [address] = this.host(region).status.addresses;
    assert.ok(address);
    return address.replace(/\/p2p\/.*$/, '');
  }

  admission(region: string, more: Partial<Admission> = {}): readonly [string, Admission] {
    return [peerOf(region), { region, standing: 'recognised', addresses: [], ...more }];
  }

  /** `region` admits the others and dials those that it is told to. */
  admit(region: string, others: readonly string[], dialled: readonly string[] = []): Admissions {
    const admissions = new Map(
      others.map((other) => {
        return this.admission(other, { addresses: dialled.includes(other) ? [this.addressOf(other)] : [] });
      }),
    );
    this.host(region).admit(admissions);
    return admissions;
  }

  /** Starts hosts that all know each other; each dials those before it. Resolves once all are connected. */
  async startAll(regions: readonly string[], options: Partial<HostOptions> = {}): Promise<Libp2pHost[]> {
    const hosts: Libp2pHost[] = [];
    for (const region of regions) hosts.push(await this.start(region, options));
    regions.forEach((region, i) => this.admit(region, others(regions, region), regions.slice(0, i)));
    await until(() => hosts.every((host) => host.peers().length === regions.length - 1), 'all are connected');
    return hosts;
  }

  async stop(region?: string): Promise<void> {
    const stopped = region === undefined ? [...this.#hosts] : [[region, this.host(region)] as const];
    for (const [name] of stopped) this.#hosts.delete(name);
    await Promise.all(stopped.map(([, host]) => host.stop()));
  }
}

export function others(regions: readonly string[], region: string): string[] {
  return regions.filter((other) => other !== region);
}
