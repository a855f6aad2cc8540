/** All that the checks of a region look at, collected once: its files, its node if one runs, and what its peers say. */
import { type Config } from '../../node/config/schema.ts';
import { type NodeError } from '../../node/node-error.ts';
import { type RegionLayout } from '../../node/region/layout.ts';
import { type TrustState } from '../../protocol/trust/trust-state.ts';
import { type LifeSeen, type RunningStatus } from '../desk/node-status.ts';

/** A region that is recognised, as its nodes could be reached. */
export interface PeerView {
  readonly region: string;
  /** A connection with a proven identity. */
  readonly connected: { readonly address: string; readonly rttMs?: number | undefined } | undefined;
  /** One of `DIAL_TROUBLES`, or undefined where nobody was dialled. */
  readonly trouble: string | undefined;
  /** Where it is dialled. */
  readonly addresses: readonly string[];
  /** Seconds by which our clock is ahead of its clock, where that was heard. */
  readonly aheadS: number | undefined;
  /** Entries by which it knows more of one of our logs than we do, with our own signature. */
  readonly knowsMore: { readonly origin: string; readonly size: number; readonly held: number } | undefined;
}

export interface Patient {
  /** As the operator named it. */
  readonly path: string;
  readonly layout: RegionLayout;
  readonly nowS: number;
  /** Undefined where it cannot be read: then the error says why, and there is nothing else. */
  readonly config: Config | undefined;
  readonly configError: NodeError | undefined;
  /** Of the node that runs on it, if one does. */
  readonly running: RunningStatus | undefined;
  /** Of a store that could not be opened, while no node runs. */
  readonly storeError: NodeError | undefined;
  /** Entries of each log in the store, where it could be opened. */
  readonly sizes: Readonly<Record<string, number>> | undefined;
  /** What the region's own trust log says. */
  readonly state: TrustState | undefined;
  /** How the colours of people who declared go on; undefined where that cannot be read. */
  readonly life: LifeSeen | undefined;
  readonly peers: readonly PeerView[];
  /** Milliseconds by which the wall time stepped against running time while all of this was collected. */
  readonly steppedMs: number;
}

/** A patient whose config can be read. */
export type ReadablePatient = Patient & { readonly config: Config };
