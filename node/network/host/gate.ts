/** Who may connect: the admitted, each with a few connections, and nobody who is shut out. Counts whom it turned away. */
import { type ConnectionGater, type PeerId } from '@libp2p/interface';
import { type Admission, type Admissions } from '../admissions.ts';
import { type Conduct } from '../conduct.ts';
import { CONNECTIONS_OF_PEER } from '../network-limits.ts';
import { type Links } from './links.ts';

export interface GateModules {
  readonly conduct: Conduct;
  readonly links: Links;
}

export class Gate {
  readonly #modules: GateModules;
  readonly #refused = new Map<string, number>();
  #admissions: Admissions = new Map();

  constructor(modules: GateModules) {
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

  /** Asked by libp2p once the other's identity is proven, and before anything else is read from it. */
  get gater(): ConnectionGater {
    const refuses = (peerId: PeerId): boolean => {
      const reason = this.#reasonAgainst(peerId.toString());
      if (reason !== undefined) this.count(reason);
      return reason !== undefined;
    };
    return { denyInboundEncryptedConnection: refuses, denyOutboundEncryptedConnection: refuses };
  }

  #reasonAgainst(peer: string): string | undefined {
    const { conduct, links } = this.#modules;
    if (!this.#admissions.has(peer)) return 'stranger';
    if (conduct.isShutOut(peer)) return 'shut-out';
    return links.countOf(peer) >= CONNECTIONS_OF_PEER ? 'too-many-connections' : undefined;
  }
}
