/** What a writer needs, is asked and tells. */
import { type Claim } from '../../protocol/writer/word.ts';
import { type Clock, type Random, type Signer } from '../ports.ts';
import { type LatestTree } from './electorate-change.ts';
import { type HearingModules, type Voters } from './hearing.ts';

export interface WritershipOptions {
  /** The name of the region's trust log. */
  readonly origin: string;
  /** The public key by which this machine is known: 32 bytes. */
  readonly writer: Uint8Array;
}

/** An own log as it is signed here. */
export interface OwnTree extends LatestTree {
  /** Rejects as reading the log. */
  rootAt(size: number): Promise<Uint8Array>;
}

export interface WritershipModules extends HearingModules {
  readonly clock: Clock;
  readonly random: Random;
  /** The regions whose witnesses decide, by what the own trust log says now. */
  readonly witnesses: () => Voters;
  /** Of how many entries of it that is said. */
  readonly folded: () => number;
  /** The own logs: those of the latest months, at most as many as a witness keeps permits of. */
  readonly trees: () => readonly OwnTree[];
  /** The checkpoint key in force. @throws {NodeError} KEY_NOT_IN_FORCE */
  readonly checkpointKey: (atS: number) => Signer;
  /** Told of each claim before it is shown to anybody: the highest claim known that counts, and the highest epoch of all. Must not throw. */
  readonly onReign?: (before: { claim: Claim | undefined; epoch: number }) => void;
  /** Told of the session by which a quorum lets this process write; undefined once it has let go. Must not throw. */
  readonly onHeld?: (session: Uint8Array | undefined) => void;
}

/** A tree of an own log that is about to be signed. */
export interface TreeToSign {
  readonly origin: string;
  /** The size that is signed already. */
  readonly from: number;
  readonly size: number;
  readonly root: Uint8Array;
  /** Of the trust log: whom it names as witnesses after each of its new entries, where that changes. */
  readonly named?: readonly Voters[];
}

/** Who writes for the region, as far as this process knows. */
export interface WriterReport {
  readonly isSelf: boolean;
  readonly epoch: number;
  /** The public key of the machine, in hexadecimal. */
  readonly writer: string;
  /** Unix seconds, by the clock of that machine. */
  readonly sinceS: number;
  /** Witnesses in all, and how many of them have to permit a tree. */
  readonly witnesses: number;
  readonly needed: number;
  /** Milliseconds since the last permit; absent before the first. */
  readonly permitAgeMs?: number;
}
