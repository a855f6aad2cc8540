/** Whom a node lets connect: the node identities that trust logs name, and those that its operator invited. */
import { type TrustState } from '../../protocol/trust/trust-state.ts';
import { type Clock } from '../ports.ts';
import { type Admission, type Admissions } from './admissions.ts';
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
  readonly invited: readonly InvitedPeer[];
}

export interface PeerDirectoryModules {
  readonly clock: Pick<Clock, 'nowMs'>;
  /** What the trust log of a region says, as far as it is held. */
  readonly stateOf: (region: string) => TrustState | undefined;
}

export class PeerDirectory {
  readonly #options: PeerDirectoryOptions;
  readonly #modules: PeerDirectoryModules;
  /** Names of keys: deriving one costs a hash and a base58 text. */
  readonly #names = new WeakMap<Uint8Array, string>();

  constructor(options: PeerDirectoryOptions, modules: PeerDirectoryModules) {
    this.#options = options;
    this.#modules = modules;
  }

  /**
   * The nodes of the home, and of each region that it recognises. A suspended region keeps its place with the lesser share: it
   * stays a witness. Addresses of the operator go before those of the trust log.
   */
  admissions(): Admissions {
    const admissions = new Map<string, Admission>();
    for (const { peer, region, addresses } of this.#options.invited) {
      admissions.set(peer, { region, standing: 'invited', addresses });
    }
    const nowS = Math.floor(this.#modules.clock.nowMs() / 1000);
    for (const [region, standing] of this.#regions(nowS)) {
      for (const { publicKey, addresses, fromS, untilS } of this.#modules.stateOf(region)?.nodes() ?? []) {
        if (nowS < fromS || nowS >= untilS) continue;
        const peer = this.#nameOf(publicKey);
        const known = admissions.get(peer);
        if (known !== undefined && known.region !== region) continue;
        admissions.set(peer, {
          region,
          standing,
          addresses: [...new Set([...(known?.addresses ?? []), ...addresses])],
        });
      }
    }
    return admissions;
  }

  /** The region of a peer that may connect; undefined for any other. */
  regionOf(peer: string): string | undefined {
    return this.admissions().get(peer)?.region;
  }

  /** Whether a peer may connect with the lesser share. */
  isInvited(peer: string): boolean {
    return this.admissions().get(peer)?.standing === 'invited';
  }

  /** Those of all peers that may connect. */
  regionsOf(peers: readonly string[]): ReadonlySet<string> {
    const admissions = this.admissions();
    return new Set(peers.flatMap((peer) => admissions.get(peer)?.region ?? []));
  }

  #regions(nowS: number): ReadonlyMap<string, Admission['standing']> {
    const { home } = this.#options;
    const regions = new Map<string, Admission['standing']>([[home, 'recognised']]);
    for (const recognition of this.#modules.stateOf(home)?.recognitions() ?? []) {
      if (recognition.standing === 'withdrawn') continue;
      if (nowS < recognition.fromS || nowS >= recognition.untilS) continue;
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
