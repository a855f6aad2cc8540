/** Networks in threads of their own, on loopback, that can be killed. */
import assert from 'node:assert/strict';
import { Worker } from 'node:worker_threads';
import { type Admission, type Admissions } from '../../node/network/admissions.ts';
import { type HostOptions } from '../../node/network/host/libp2p-host.ts';
import { type IsolatedNetwork } from '../../node/network/isolation/isolated-network.ts';
import { openNetwork } from '../../node/network/open-network.ts';
import { hostOptions, peerOf } from './host-fixture.ts';
import { until } from './until.ts';

interface Member {
  readonly network: IsolatedNetwork;
  readonly worker: () => Worker;
  readonly troubles: unknown[];
}

/** Call it within `describe`; everything stops after each test. */
export class IsolatedWorld {
  readonly #members = new Map<string, Member>();
  readonly #regions: string[] = [];

  constructor() {
    afterEach(() => this.stop());
  }

  /** Opens a network that admits all regions of this world; it dials those that were opened before. */
  async open(region: string, options: Partial<HostOptions> = {}): Promise<IsolatedNetwork> {
    let worker: Worker | undefined;
    const troubles: unknown[] = [];
    const earlier = this.#regions.map((other) => [other, this.addressOf(other)] as const);
    this.#regions.push(region);
    const network = await openNetwork(hostOptions(region, options), {
      admissions: () => this.#admissions(region, new Map(earlier)),
      onTrouble: (error) => troubles.push(error),
      spawn: (workerData) => {
        worker = new Worker(new URL('./dying-worker.js', import.meta.url), { workerData });
        return worker;
      },
    });
    this.#members.set(region, { network, troubles, worker: () => worker ?? assert.fail('no thread') });
    return network;
  }

  /** Opens all and resolves once each is connected to each. */
  async openAll(regions: readonly string[]): Promise<IsolatedNetwork[]> {
    const networks: IsolatedNetwork[] = [];
    for (const region of regions) networks.push(await this.open(region));
    const isMeshed = () => networks.every((network) => network.peers().length === regions.length - 1);
    await until(isMeshed, 'all are connected');
    return networks;
  }

  addressOf(region: string): string {
    const [address] = this.member(region).network.status.host?.addresses ?? [];
    return address?.replace(/\/p2p\/.*$/, '') ?? assert.fail(`${region} does not listen`);
  }

  member(region: string): Member {
    return this.#members.get(region) ?? assert.fail(`no network of ${region}`);
  }

  /** Ends the thread from without. */
  kill(region: string): void {
    void this.member(region).worker().terminate();
  }

  /** Makes the thread throw where nobody catches. */
  poison(region: string): void {
    this.member(region).worker().postMessage('throw');
  }

  async stop(): Promise<void> {
    const members = [...this.#members.values()];
    this.#members.clear();
    this.#regions.length = 0;
    await Promise.all(members.map(({ network }) => network.stop()));
  }

  #admissions(region: string, addresses: ReadonlyMap<string, string>): Admissions {
    const admission = (other: string): Admission => {
      const address = addresses.get(other);
      return { region: other, standing: 'recognised', addresses: address === undefined ? [] : [address] };
    };
    return new Map(
      this.#regions.filter((other) => other !== region).map((other) => [peerOf(other), admission(other)]),
    );
  }
}
