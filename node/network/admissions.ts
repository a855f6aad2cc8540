/** Who may stay connected: a list that the node makes of its trust and its configuration, and the host acts on. */
import { type Share } from '../peer-places.ts';

export interface Admission {
  /** What the peer must call itself in its hello. */
  readonly region: string;
  /** `recognised`: named by a trust log that this node's region stands by; `invited`: by the operator alone, with a lesser share. */
  readonly standing: 'recognised' | 'invited';
  /** libp2p addresses without the peer's name; where there are any, this node dials. */
  readonly addresses: readonly string[];
}

/** By peer name. */
export type Admissions = ReadonlyMap<string, Admission>;

/** The share of a peer. Who is unknown has the lesser one, and all of them together are one region. */
export function shareIn(admissions: Admissions, peer: string): Share {
  const admission = admissions.get(peer);
  return { region: admission?.region ?? '', isInvited: admission?.standing !== 'recognised' };
}
