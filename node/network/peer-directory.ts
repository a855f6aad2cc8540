/** Whom a node lets connect: the node identities that trust logs name, and those that its operator invited. */
import { type NodeIdentity, type TrustState } from '../../protocol/trust/trust-state.ts';
import { type Share } from '../peer-places.ts';
import { type Clock } from '../ports.ts';
import { type Admission, type Admissions, shareIn } from './admissions.ts';
import { NODES_OF_REGION } from './network-limits.ts';
import { peerNameOf } from './peer-name.ts';

/** A node that the operator names: the first contact with a region, or a hint where to find one. */
export interface InvitedPeer {
  readonly peer: string;
  readonly region: string;
  /** libp2p addresses without the peer's name. */
  readonly addresses: readonly string[];
}

export interface PeerDirectoryOptions {
  readonly home: string;
  /** Another array once there are others. */
  readonly invited: readonly InvitedPeer[];
  /** The other machine of the home, by the config: let in as long as the trust log of the home does not know better. */
  readonly other?: InvitedPeer | undefined;
}

export interface PeerDirectoryModules {
  readonly clock: Pick<Clock, 'nowMs'>;
  /** What the trust log of a region says, as far as it is held: the same value until that changes. */
  readonly stateOf: (region: string) => TrustState | undefined;
}

/** What was found out, and what it holds by. */
interface Known {
  readonly admissions: Admissions;
  readonly invited: readonly InvitedPeer[];
  readonly states: ReadonlyMap<string, TrustState | undefined>;
  /** Until a window begins or ends; and not after the clock was set back. */
  readonly fromS: number;
  readonly untilS: number;
}

export class PeerDirectory {
  readonly #options: PeerDirectoryOptions;
  readonly #modules: PeerDirectoryModules;
  /** Names of keys: deriving one costs a hash and a base58 text. */
  readonly #names = new WeakMap<Uint8Array, string>();
  #known: Known | undefined;

  constructor(options: PeerDirectoryOptions, modules: PeerDirectoryModules) {
    this.#options = options;
    this.#modules = modules;
  }

  /**
   * The nodes of the home, and of each region that it recognises: at most `NODES_OF_REGION` of each, those first that the operator
   * names. A suspended region keeps its place with the lesser share: it stays a witness. Addresses of the operator go before those
   * of the trust log. The same value until something changes.
   */
  admissions(): Admissions {
    const nowS = Math.floor(this.#modules.clock.nowMs() / 1000);
    if (this.#known === undefined || !this.#holds(this.#known, nowS)) this.#known = this.#find(nowS);
    return this.#known.admissions;
  }

  /** The region of a peer that may connect; undefined for any other. */
  regionOf(peer: string): string | undefined {
    return this.admissions().get(peer)?.region;
  }

  /** With which share a peer is answered. */
  shareOf(peer: string): Share {
    return shareIn(this.admissions(), peer);
  }

  /** Those of all peers that may connect. */
  regionsOf(peers: readonly string[]): ReadonlySet<string> {
    const admissions = this.admissions();
    return new Set(peers.flatMap((peer) => admissions.get(peer)?.region ?? []));
  }

  #holds({ invited, states, fromS, untilS }: Known, nowS: number): boolean {
    if (invited !== this.#options.invited || nowS < fromS || nowS >= untilS) return false;
    for (const [region, state] of states) if (this.#modules.stateOf(region) !== state) return false;
    return true;
  }

  #find(nowS: number): Known {
    const { home, invited, other } = this.#options;
    const { stateOf } = this.#modules;
    const admissions = new Map<string, Admission>();
    const states = new Map([[home, stateOf(home)]]);
    const bounds = new Bounds(nowS);
    const named = other && this.#isOfHome(other, states.get(home), bounds) ? [...invited, other] : invited;
    for (const { peer, region, addresses } of named) {
      admissions.set(peer, { region, standing: 'invited', addresses });
    }
    for (const [region, standing] of this.#regions(states.get(home), bounds)) {
      const state = stateOf(region);
      states.set(region, state);
      for (const { publicKey, addresses } of this.#nodesOf(region, state, admissions, bounds)) {
        const peer = this.#nameOf(publicKey);
        const known = admissions.get(peer)?.addresses ?? [];
        admissions.set(peer, { region, standing, addresses: [...new Set([...known, ...addresses])] });
      }
    }
    return { admissions, invited, states, fromS: nowS, untilS: bounds.untilS };
  }

  /**
   * Whether the trust log of the home names the other machine, or names nobody who may connect now: as long as nothing of it is held, and where what is held
   * is so old that its windows are over.
   */
  #isOfHome({ peer }: InvitedPeer, home: TrustState | undefined, bounds: Bounds): boolean {
    const nodes = [...(home?.nodes() ?? [])].filter((node) => bounds.isWithin(node));
    return nodes.length === 0 || nodes.some(({ publicKey }) => this.#nameOf(publicKey) === peer);
  }

  /** Those that the operator names as this region's, and then those that the trust log named last. */
  #nodesOf(
    region: string,
    state: TrustState | undefined,
    admissions: Admissions,
    bounds: Bounds,
  ): readonly NodeIdentity[] {
    const isNamed = ({ publicKey }: NodeIdentity) => admissions.has(this.#nameOf(publicKey));
    const isOthers = ({ publicKey }: NodeIdentity) =>
      (admissions.get(this.#nameOf(publicKey))?.region ?? region) !== region;
    const nodes = [...(state?.nodes() ?? [])].filter((node) => bounds.isWithin(node) && !isOthers(node));
    const rest = nodes
      .filter((node) => !isNamed(node))
      .toSorted(
        (a, b) => b.fromS - a.fromS || (this.#nameOf(a.publicKey) < this.#nameOf(b.publicKey) ? -1 : 1),
      );
    const taken = [...admissions.values()].filter((admission) => admission.region === region).length;
    return [...nodes.filter(isNamed), ...rest.slice(0, Math.max(0, NODES_OF_REGION - taken))];
  }

  #regions(home: TrustState | undefined, bounds: Bounds): ReadonlyMap<string, Admission['standing']> {
    const regions = new Map<string, Admission['standing']>([[this.#options.home, 'recognised']]);
    for (const recognition of home?.recognitions() ?? []) {
      if (recognition.standing === 'withdrawn' || !bounds.isWithin(recognition)) continue;
      regions.set(recognition.region, recognition.standing === 'recognised' ? 'recognised' : 'invited');
    }
    return regions;
  }

  #nameOf(publicKey: Uint8Array): string {
    const known = this.#names.get(publicKey) ?? peerNameOf(publicKey);
    this.#names.set(publicKey, known);
    return known;
  }
}

/** Remembers until when what it says of windows holds. */
class Bounds {
  readonly #nowS: number;
  untilS = Infinity;

  constructor(nowS: number) {
    this.#nowS = nowS;
  }

  isWithin({ fromS, untilS }: { readonly fromS: number; readonly untilS: number }): boolean {
    for (const edgeS of [fromS, untilS]) if (edgeS > this.#nowS) this.untilS = Math.min(this.untilS, edgeS);
    return fromS <= this.#nowS && this.#nowS < untilS;
  }
}
