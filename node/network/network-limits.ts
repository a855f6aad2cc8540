/** Every bound of the network of a node, with its unit and its reason. Spec: SPEC.md 14.7. */

/** Bytes of one frame of an answer, the result code not counted: two of the longest entries. */
export const CHUNK_BYTES_MAX = 1 << 17;

/** Bytes of a hello: 64 heads and a few names. */
export const HELLO_BYTES_MAX = 8_192;
export const HELLO_HEADS_MAX = 64;
export const HELLO_TEXT_CHARS_MAX = 64;

/** Milliseconds from the opening of a connection to its hello: three round trips at a second each, and some. */
export const HELLO_MS_MAX = 10_000;

/** Milliseconds for which a connection that was refused stays, so that the answer that says why arrives. */
export const FAREWELL_MS = 1_000;

/** Bytes of a message on a topic, and of a frame of gossipsub around it: two topics' names, control and prefixes. */
export const GOSSIP_FRAME_BYTES_MAX = (1 << 16) + 4_096;

/** Bytes of a stream that wait for their reader before its sender has to. */
export const READ_AHEAD_BYTES = 1 << 18;

/** Bytes of the window of a stream, and of what may wait to be sent on it: above them the stream is reset. */
export const STREAM_WINDOW_BYTES = 1 << 20;
export const STREAM_WRITE_BYTES_MAX = 8 << 20;

/** Milliseconds between two measurements of the round trip by which a window grows; the first is made at once. */
export const ROUND_TRIP_MS = 600_000;

/** Streams of one protocol that a peer may have open on one connection. */
export const STREAMS_OF_PEER = 16;

/** Milliseconds within which a stream must get on: the next piece of a frame that has begun, a batch that is to be taken. */
export const STALL_MS_MAX = 20_000;

/** Milliseconds from the first byte of a request until it is whole, however it gets on: the longest has 1 MiB. */
export const REQUEST_MS_MAX = 60_000;

/** Milliseconds for which a stream without a request is kept for the next: of many peers each is asked every few minutes. */
export const IDLE_STREAM_MS = 600_000;

/** Streams that a node keeps to one peer for one protocol, and requests that wait for one of them. */
export const STREAMS_KEPT = 8;
export const REQUESTS_WAITING = 64;

/**
 * Node identities of a region that are let in: one that writes, its standby, and one more of each while keys are changed. Those that
 * the operator names go first, and all of them are let in; then those that the trust log named last. More would take connections,
 * and each would be dialled.
 */
export const NODES_OF_REGION = 4;

/**
 * Requests in hand at the same time: of one peer, of all peers of a region, of all invited peers together, of all. The difference of
 * the last two is the share that recognised peers keep.
 */
export const IN_HAND = { ofPeer: 16, ofRegion: 32, ofInvited: 64, ofAll: 128 } as const;

/** Connections: of one peer (both sides dial at once, and one that is dead may not be known so), of all. */
export const CONNECTIONS_OF_PEER = 4;
export const CONNECTIONS_MAX = 600;

/**
 * Connections that have not proven who they are, of one address (by default: `p2p.pendingPerAddressMax`) and of all, and new ones in a
 * second from one address: a building full of nodes restarts.
 */
export const CONNECTIONS_PENDING = { ofAddress: 32, ofAll: 256 } as const;
export const CONNECTIONS_PER_S = 64;

/**
 * Milliseconds between two looks at a connection, and until one is given up that does not answer a ping. Pinged is where nothing was
 * heard for one and a half looks, since a stream for each ping would be most of what an idle node does; and at every sixth look, to
 * know how far the other end is.
 */
export const PING = { everyMs: 10_000, deadlineMs: 20_000 } as const;
export const PING_LOOKS = { silent: 1.5, echo: 6 } as const;

/**
 * Milliseconds between attempts to reach a peer: the first, and the longest. Each is spread over its upper half. A peer that answers
 * and does not know this node yet is dialled again later: it dials by itself once it does, and each attempt in vain takes both a
 * whole handshake.
 */
export const REDIAL = { firstMs: 250, unwelcomeMs: 2_000, lastMs: 30_000 } as const;

/** Milliseconds by which, of two that dial each other, the one whose name comes later lets the other go first. */
export const DIAL_COURTESY_MS = 500;

/** Attempts under way at the same time: more would only make each of them late on a machine that is busy with them. */
export const DIALS_AT_ONCE = 8;

/** Breaches within `withinMs` after which a peer is shut out, and for how many milliseconds. */
export const BREACHES = { max: 3, withinMs: 600_000, shutOutMs: 600_000 } as const;

/** Peers of which something is remembered, and reasons counted for each. */
export const PEERS_REMEMBERED = 1_024;
export const REASONS_MAX = 32;

/**
 * Gossip waiting to be looked at, by topic, of all, of all invited peers, of all peers of a region and of one peer; what comes on top is
 * dropped and counted, and recognised peers keep the difference of the first two. First topic first.
 * What is passed on reaches everybody several times, and those whom its sender cannot reach: heads of each come every few seconds and
 * are asked for besides, so they go from their sender to its peers and no further.
 */
export const GOSSIP_QUEUES = [
  { topic: 'trust', ofAll: 256, ofInvited: 128, ofRegion: 64, ofPeer: 64, isPassedOn: true },
  { topic: 'evidence', ofAll: 64, ofInvited: 32, ofRegion: 16, ofPeer: 8, isPassedOn: true },
  { topic: 'head', ofAll: 256, ofInvited: 128, ofRegion: 64, ofPeer: 32, isPassedOn: false },
] as const;

/** Milliseconds between two looks at whom messages are passed on to. */
export const GOSSIP_HEARTBEAT_MS = 3_000;

/** Messages looked at, at the same time, and milliseconds for which one is. */
export const GOSSIP_AT_ONCE = 32;
export const GOSSIP_MS_MAX = 5_000;

/** What may be under way between the network's thread and the node's: calls of each side, chunks of each that wait to be taken. */
export const CALLS_AT_ONCE = 1_024;
export const CHUNKS_AHEAD = 4;

/** Messages to be published that are handed over and not yet sent. */
export const PUBLISHED_AT_ONCE = 16;

/**
 * Megabytes of the heap of the network's thread: ten times what it needs with 34 peers; and of its young part, small, because each
 * object in it may hold on to a piece of a stream that is long sent.
 */
export const HEAP_MB = { maxOldGenerationSizeMb: 512, maxYoungGenerationSizeMb: 4 } as const;

/**
 * Milliseconds between signs of life of the network's thread, and without one until it is ended; until the first one, for which it
 * loads its code: on a machine that starts much at the same time, a while.
 */
export const BEAT = { everyMs: 500, missedMs: 10_000, firstMs: 60_000 } as const;

/** Signs of life until the thread says how all its connections are, if nobody has come or gone. */
export const BEATS_PER_STATUS = 6;

/** Starts of the network's thread in a window of time; the pause before one that follows a thread that did not live long. */
export const RESTARTS = { max: 60, withinMs: 60_000, pauseMs: 500, shortLifeMs: 1_000 } as const;

/** Milliseconds between two looks at whom the trust admits. */
export const ADMISSIONS_MS = 1_000;
