/** libp2p as this network needs it; each option that is not a matter of taste says what it averts. */
import '../promise-shim.ts';
import '../whole-writes.ts';
import '../window-updates.ts';
import { noise } from '@chainsafe/libp2p-noise';
import { type GossipSub } from '@libp2p/gossipsub';
import { identify, type Identify } from '@libp2p/identify';
import { type ConnectionGater, type Libp2p, type PrivateKey } from '@libp2p/interface';
import { ping, type Ping } from '@libp2p/ping';
import { tcp } from '@libp2p/tcp';
import { yamux } from '@libp2p/yamux';
import { createLibp2p } from 'libp2p';
import {
  CONNECTIONS_MAX,
  CONNECTIONS_PENDING,
  CONNECTIONS_PER_S,
  ROUND_TRIP_MS,
  STALL_MS_MAX,
  STREAM_WINDOW_BYTES,
  STREAM_WRITE_BYTES_MAX,
} from '../network-limits.ts';
import { gossipService } from './gossip.ts';

export type Libp2pNode = Libp2p<{ pubsub: GossipSub; identify: Identify; ping: Ping }>;

export interface Libp2pNodeOptions {
  readonly privateKey: PrivateKey;
  readonly listen: readonly string[];
  readonly gater: ConnectionGater;
}

/** Made, not started. */
export function makeLibp2pNode({ privateKey, listen, gater }: Libp2pNodeOptions): Promise<Libp2pNode> {
  return createLibp2p({
    start: false,
    privateKey,
    addresses: { listen: [...listen] },
    transports: [tcp({ maxConnections: CONNECTIONS_MAX })],
    connectionEncrypters: [noise()],
    streamMuxers: [
      yamux({
        keepAliveInterval: ROUND_TRIP_MS,
        streamOptions: {
          // Wider than what a paused stream may hold, and the stream is reset; unbounded, and one reader fills the memory.
          maxStreamWindowSize: STREAM_WINDOW_BYTES,
          maxWriteBufferLength: STREAM_WRITE_BYTES_MAX,
        },
      }),
    ],
    connectionGater: gater,
    connectionManager: {
      maxConnections: CONNECTIONS_MAX,
      maxIncomingPendingConnections: CONNECTIONS_PENDING.ofAll,
      inboundConnectionThreshold: CONNECTIONS_PER_S,
      // Own reconnecting, with jitter and without an end.
      reconnectRetries: 0,
    },
    // It closes a connection on one late echo; see liveness.ts.
    connectionMonitor: { enabled: false },
    services: {
      identify: identify({ timeout: STALL_MS_MAX, maxInboundStreams: 4, maxOutboundStreams: 4 }),
      ping: ping({ timeout: STALL_MS_MAX, maxInboundStreams: 4, maxOutboundStreams: 4 }),
      pubsub: gossipService(),
    },
  });
}
