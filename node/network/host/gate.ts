/** Who may connect: the admitted, each with a few connections, and nobody who is shut out. Counts whom it turned away. */
import { type ConnectionGater, type MultiaddrConnection, type PeerId } from '@libp2p/interface';
import { type Admission, type Admissions } from '../admissions.ts';
import { type Conduct } from '../conduct.ts';
import { CONNECTIONS_OF_PEER, CONNECTIONS_PENDING } from '../network-limits.ts';
import { type Links } from './links.ts';
import { Pending } from './pending.ts';

export interface GateOptions {
  /** See `HostOptions`. */
  readonly pendingOfAddress?: number;
}

export interface GateModules {
  readonly conduct: Conduct;
  readonly links: Links;
}

export class Gate {
  readonly #modules: GateModules;
  readonly #pending: Pending;
  readonly #refused = new Map<string, number>();
  #admissions: Admissions = new Map();

  constructor({ pendingOfAddress = CONNECTIONS_PENDING.ofAddress }: GateOptions, modules: GateModules) {
    this.#pending = new Pending({ ofClient: pendingOfAddress, ofAll: CONNECTIONS_PENDING.ofAll });
    this.#modules = modules;
  }

  set admissions(admissions: Admissions) {
    this.#admissions = admissions;
  }

  get admissions(): Admissions {
    return this.#admissions;
  }

  admissionOf(peer: string): Admission | undefined {
    return this.#admissions.get(peer);
  }

  /** Connections refused or closed, by reason: a fixed set of words. */
  get refused(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#refused);
  }

  count(reason: string): void {
    this.#refused.set(reason, (this.#refused.get(reason) ?? 0) + 1);
  }

  /** Asked by libp2p when somebody connects, and once the other's identity is proven: before anything else is read from it. */
  get gater(): ConnectionGater {
    const denyInboundConnection = (connection: MultiaddrConnection): boolean => {
      const isFree = this.#pending.begin(connection);
      if (!isFree) this.count('too-many-pending');
      return !isFree;
    };
    const refuses = (peerId: PeerId): boolean => {
      const reason = this.#reasonAgainst(peerId.toString());
      if (reason !== undefined) this.count(reason);
      return reason !== undefined;
    };
    return {
      denyInboundConnection,
      denyInboundEncryptedConnection: (peerId, connection) => {
        this.#pending.end(connection);
        return refuses(peerId);
      },
      denyOutboundEncryptedConnection: refuses,
    };
  }

  #reasonAgainst(peer: string): string | undefined {
    const { conduct, links } = this.#modules;
    if (!this.#admissions.has(peer)) return 'stranger';
    if (conduct.isShutOut(peer)) return 'shut-out';
    return links.countOf(peer) >= CONNECTIONS_OF_PEER ? 'too-many-connections' : undefined;
  }
}
