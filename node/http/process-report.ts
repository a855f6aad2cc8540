/** What a process tells its operator besides what its node says of itself: plain data, whose members may grow. */
import { type ConductReport } from '../network/conduct.ts';
import { type MissingPeer, type PeerStatus } from '../network/host-status.ts';
import { type Health } from './health.ts';

export interface ProcessReport {
  /** Whoever is connected. */
  readonly peers: readonly PeerStatus[];
  /** By name, who is dialled and not connected. */
  readonly missing: Readonly<Record<string, MissingPeer>>;
  readonly conduct: readonly ConductReport[];
  /** Where others reach it: the base URL of its public interface, libp2p addresses with its name. */
  readonly addresses: { readonly peer: string; readonly http: string; readonly p2p: readonly string[] };
  readonly health: Health;
  readonly process: {
    readonly pid: number;
    readonly node: string;
    readonly uptimeS: number;
    readonly residentBytes: number;
    readonly heapBytesMax: number;
  };
}
