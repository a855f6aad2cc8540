/** What the host shows of itself, for status pages and metrics. Plain data: it crosses threads. */
import { type ConductReport } from './conduct.ts';
import { type DialTrouble } from './host/dial-trouble.ts';
import { type ServerCounters } from './host/exchange-server.ts';
import { type TopicCounters } from './host/gossip.ts';

export interface PeerStatus {
  readonly peer: string;
  readonly region: string;
  readonly standing: 'recognised' | 'invited';
  /** What it runs, in its own words: escape before showing. */
  readonly software: string;
  readonly connections: number;
  /** Who dialled. */
  readonly direction: 'inbound' | 'outbound';
  readonly address: string;
  /** Milliseconds of the last echo; undefined before the first. */
  readonly rttMs: number | undefined;
  /** Milliseconds since 1970. */
  readonly sinceMs: number;
}

export interface MissingPeer {
  readonly region: string;
  /** Where it is dialled. */
  readonly addresses: readonly string[];
  /** In a row. */
  readonly failures: number;
  /** Of the last attempt; undefined while the first is under way. */
  readonly trouble: DialTrouble | undefined;
}

export interface HostStatus {
  readonly peer: string;
  /** Where it listens, with its name. */
  readonly addresses: readonly string[];
  readonly peers: readonly PeerStatus[];
  /** By name, admitted peers that are dialled and not connected. */
  readonly missing: Readonly<Record<string, MissingPeer>>;
  /** Connections that were refused or closed, by reason. */
  readonly refused: Readonly<Record<string, number>>;
  readonly conduct: readonly ConductReport[];
  readonly gossip: Readonly<Record<string, TopicCounters>>;
  readonly requests: ServerCounters;
}
