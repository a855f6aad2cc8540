/** Who may stay connected: a list that the node makes of its trust and its configuration, and the host acts on. */

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
