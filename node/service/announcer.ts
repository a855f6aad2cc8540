/** Keeps the trust log saying where this node can be reached, and the public directory what the logs and its witness say. */
import { equalBytes, hexBytes } from '../../protocol/bytes.ts';
import { NODE_ADDRESSES_MAX } from '../../protocol/limits.ts';
import { type Config } from '../config/schema.ts';
import { type RegionNode } from '../core/region-node.ts';
import { isNodeError } from '../node-error.ts';
import { type Clock } from '../ports.ts';
import { type Region } from '../region/region.ts';

export interface AnnouncerModules {
  readonly region: Pick<Region, 'state' | 'publish' | 'publishWitnessed'> & {
    readonly node: Pick<RegionNode, 'whenWriting' | 'submit'>;
  };
  readonly publicKey: Uint8Array;
  /** libp2p addresses without the name of the peer. */
  readonly addresses: () => readonly string[];
  /** The other machine of the region, which cannot speak for itself. */
  readonly standby?: { readonly key: string; readonly addresses: readonly string[] } | undefined;
  readonly clock: Clock;
  readonly onTrouble: (error: unknown) => void;
}

const DAY_S = 86_400;
/** Peers forget a node that was gone for so long, and half of that before it is over it is announced again. */
const WINDOW_S = 30 * DAY_S;
const ROUND_MS = 30_000;
const FIRST_ROUNDS_MS = 500;
/** Until it signs there is nothing to announce, and nothing wrong with that: whoever is to sign tells of what is. */
const NOT_YET = ['PEER_UNREACHABLE', 'LOG_FENCED', 'LOG_UNSETTLED', 'LOG_BEHIND'] as const;

/** What peers are told of where this node listens: libp2p addresses without its name. */
export function announcedAddresses(
  { p2p: { announce } }: Pick<Config, 'p2p'>,
  listens: readonly string[],
): readonly string[] {
  return announce.length > 0 ? announce : listens.map((address) => address.split('/p2p/')[0] ?? address);
}

export class Announcer {
  readonly #modules: AnnouncerModules;
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;

  constructor(modules: AnnouncerModules) {
    this.#modules = modules;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Finishes the round in hand, and leaves published what the region has said by now. Safe to call twice. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { clock, onTrouble } = this.#modules;
    const { signal } = this.#stopping;
    let isAnnounced = false;
    while (!signal.aborted) {
      let waitMs = ROUND_MS;
      try {
        await this.#announce();
        isAnnounced = true;
        await this.#publish();
      } catch (error) {
        if (NOT_YET.some((code) => isNodeError(error, code))) waitMs = FIRST_ROUNDS_MS;
        else if (!signal.aborted) onTrouble(error);
      }
      await clock.wait(waitMs, signal).catch(() => undefined);
    }
    if (isAnnounced) await this.#publish().catch(onTrouble);
  }

  async #publish(): Promise<void> {
    const { region } = this.#modules;
    await region.publish();
    await region.publishWitnessed();
  }

  async #announce(): Promise<void> {
    const { region, publicKey, addresses, standby } = this.#modules;
    await region.node.whenWriting();
    const nodes = [{ key: publicKey, addresses: addresses().slice(0, NODE_ADDRESSES_MAX) }];
    if (standby !== undefined)
      nodes.push({ key: hexBytes(standby.key), addresses: standby.addresses.slice(0, NODE_ADDRESSES_MAX) });
    // Both end at the same time: in a log that is weeks old one that names its own machine alone would keep the other out.
    if (!nodes.every((node) => this.#isAnnounced(node)))
      for (const node of nodes) await this.#announceNode(node);
  }

  #isAnnounced({ key, addresses }: Announced): boolean {
    const { region, clock } = this.#modules;
    const nowS = Math.floor(clock.nowMs() / 1000);
    const known = [...region.state.nodes()].find((node) => equalBytes(node.publicKey, key));
    return (
      known !== undefined && known.untilS - nowS > WINDOW_S / 2 && known.addresses.join() === addresses.join()
    );
  }

  async #announceNode({ key, addresses }: Announced): Promise<void> {
    await this.#modules.region.node.submit({
      build: ({ atS }) => ({
        statement: { kind: 'node', key, addresses: [...addresses], from: atS, until: atS + WINDOW_S },
      }),
    });
  }
}

interface Announced {
  readonly key: Uint8Array;
  readonly addresses: readonly string[];
}
