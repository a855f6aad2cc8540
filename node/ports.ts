/**
 * What the core of a node needs from the machine it runs on. A running node has one adapter of each; the simulator has
 * another, driven by one seed.
 */

export { type Signer } from './crypto/back-end.ts';

/** Wall time and waiting. */
export interface Clock {
  /** Milliseconds since 1970 as this machine believes; may step either way. */
  nowMs(): number;
  /** Milliseconds of running time since some moment: never steps, whatever becomes of the wall time. */
  runMs(): number;
  /** Resolves after `ms` of running time, with 0 once others have had a turn. Rejects with the signal's reason once that is aborted. */
  wait(ms: number, signal?: AbortSignal): Promise<void>;
}

/** `length` unpredictable bytes, freshly allocated. */
export type Random = (length: number) => Uint8Array;

/** One change of a `Disk`. Keys are printable ASCII. */
export type Change = { readonly put: string; readonly value: Uint8Array } | { readonly del: string };

export type Entry = readonly [key: string, value: Uint8Array];

export interface RangeOptions {
  /** Entries of one page, at least 1. */
  readonly limit: number;
  /** From the end of the range backwards. */
  readonly reverse?: boolean;
}

/** Progress of a `Disk` that checks itself: bytes read since the last report, and damage found in them. */
export interface DiskCheck {
  readonly bytes: number;
  readonly damage?: string;
}

/**
 * A sorted map on stable storage, owned by one process at a time. Rejections are `NodeError`s of the codes named here;
 * any call but `open` on a closed disk rejects with DISK_CLOSED.
 */
export interface Disk {
  /**
   * Opens or creates the disk and checks all it holds at rest.
   * Rejects with STORE_LOCKED, STORE_CORRUPT, DISK_FULL, DISK_IO or DISK_UNWRITABLE; then it is closed.
   */
  open(): Promise<void>;
  /** Closes after the calls in progress; does nothing on a closed disk. It is closed afterwards even if this rejects. */
  close(): Promise<void>;
  /** The values in the order of `keys`, undefined where there is none. Rejects with STORE_CORRUPT or DISK_IO. */
  getMany(keys: readonly string[]): Promise<(Uint8Array | undefined)[]>;
  /**
   * A page of the entries with `from <= key < to`, in order. It holds fewer than `limit` where the range is exhausted, or where its
   * values come to 64 KiB and more; an empty one says that the range is exhausted.
   */
  range(from: string, to: string, options: RangeOptions): Promise<Entry[]>;
  /**
   * Makes all changes, in order, or none; they survive a crash once it resolves. When it rejects (DISK_FULL, DISK_IO)
   * they may or may not have been made, and later writes cannot be relied on until the disk is closed and opened again.
   */
  write(changes: readonly Change[]): Promise<void>;
  /** Rewrites all files that hold something of `from <= key < to`, so that nothing of what was removed or replaced there is left in any. */
  compact(from: string, to: string): Promise<void>;
  /** Gives up space kept back for a full disk. Open or closed; does nothing if there is none. */
  freeReserve(): Promise<void>;
  /**
   * Keeps space back again. Open or closed; rejects with DISK_FULL unless as much again stays free, so that a disk that
   * is just full is not tried over and over; then none is kept.
   */
  fillReserve(): Promise<void>;
  /** Checks what lies at rest, in steps of at most some MiB, while the disk is in use. */
  check(): AsyncIterable<DiskCheck>;
}

/**
 * How many batches a store has acknowledged, kept beside its disk, so that a disk that lost its newest ones is found
 * out. A lower bound: after a loss of power it may be older than what was acknowledged.
 */
export interface CommitMark {
  /** 0 where nothing was ever noted. Rejects with STORE_CORRUPT if it cannot be read back. */
  read(): Promise<number>;
  /** Notes a higher count. Calls must not overlap. */
  note(commits: number): Promise<void>;
  close(): Promise<void>;
}

/** The furthest state of one log that this node has signed or accepted. */
export interface HighWater {
  /** Leaves of the tree. */
  readonly size: number;
  /** 32 bytes. */
  readonly root: Uint8Array;
  /** The signed note, verbatim; empty for the empty tree. */
  readonly note: Uint8Array;
}

/** High-water marks by name, on another disk than the store's. One writer per name. */
export interface SecondPlace {
  /** Rejects with SECOND_PLACE_CORRUPT if the mark is there but not as it was written. */
  read(name: string): Promise<HighWater | undefined>;
  /**
   * Replaces the mark durably. Rejects with SECOND_PLACE_BEHIND for a smaller size or for the same size with another
   * root, with DISK_FULL or DISK_IO if it could not be written: then the old or the new mark is in place.
   */
  raise(name: string, mark: HighWater): Promise<void>;
  /** There is no mark then. Rejects with DISK_IO if it may still be in place. */
  forget(name: string): Promise<void>;
  /** The names of marks that begin so. Rejects with DISK_IO, and with SECOND_PLACE_CORRUPT where it cannot be told which there are. */
  names(prefix: string): Promise<readonly string[]>;
}

/** Messages between nodes. `peer` is the other's node identity, proven by the transport. */
export interface Network {
  /** One request, one answer. Rejects when the peer cannot be reached or `signal` is aborted. */
  request(peer: string, protocol: string, request: Uint8Array, signal: AbortSignal): Promise<Uint8Array>;
  /** Sends to all subscribed peers, without a promise that any receives it. */
  publish(topic: string, message: Uint8Array): void;
  /** Answers requests of one protocol; the later handler replaces the earlier. */
  handle(protocol: string, handler: RequestHandler): void;
  /** Hears one topic; the later listener replaces the earlier. What it returns decides whether the message is passed on. */
  subscribe(topic: string, handler: GossipHandler): void;
  /** Who is connected now. */
  peers(): readonly string[];
  /** Told of everybody who connects from now on; the later listener replaces the earlier. */
  onConnect(listener: (peer: string) => void): void;
}

export type RequestHandler = (peer: string, request: Uint8Array, signal: AbortSignal) => Promise<Uint8Array>;

/**
 * What became of a message of a topic. `accept`: it was new and true, others should have it. `ignore`: early, late or repeated.
 * `reject`: its sender broke the protocol. Nothing at all counts as `ignore`.
 */
export type GossipVerdict = 'accept' | 'ignore' | 'reject';
export type GossipHandler = (
  peer: string,
  message: Uint8Array,
) => GossipVerdict | Promise<GossipVerdict> | undefined | void;

/**
 * Brings a request to somebody outside the network by HTTP POST, following no redirect. Gives any answer that comes, of its body at most `bytesMax` bytes and
 * one more, which says that it is longer. Rejects when there is none, and when `signal` is aborted.
 */
export type HttpPost = (
  url: string,
  body: Uint8Array,
  options: { readonly bytesMax: number; readonly signal: AbortSignal },
) => Promise<HttpAnswer>;

export interface HttpAnswer {
  readonly status: number;
  /** The content type, without parameters and in lower case; empty where none is said. */
  readonly type: string;
  readonly body: Uint8Array;
}

/**
 * A network that also carries answers of many chunks, each at most 128 KiB; whoever reads slowly slows the sender down. A chunk is
 * given away with its memory: whoever made it must not touch it again.
 */
export interface StreamingNetwork extends Network {
  /** One request, an answer of chunks in order. Rejects as `request`, also in the middle. */
  stream(
    peer: string,
    protocol: string,
    request: Uint8Array,
    signal: AbortSignal,
  ): AsyncIterable<Uint8Array, void>;
  /** Answers requests of one protocol by chunks, which are asked for as the peer takes them. */
  handleStream(protocol: string, handler: StreamHandler): void;
}

export type StreamHandler = (
  peer: string,
  request: Uint8Array,
  signal: AbortSignal,
) => AsyncIterable<Uint8Array, void>;
