/** Where an audit reads logs: static files that a region publishes, or the store of a node. Nothing that comes from it is believed. */
import { type NodeError } from '../node-error.ts';
import { type Tile, type TileResource } from '../../protocol/log/tile.ts';
import { type Sha256 } from '../../protocol/primitives.ts';
import { type FoldBase } from '../../protocol/trust/boot.ts';

/**
 * The bytes of a tile or an entry bundle. `width` is how many hashes or entries their name promises: of a bundle of which the end is
 * not there fewer than were asked for.
 */
export interface SourcePart {
  readonly bytes: Uint8Array;
  readonly width: number;
}

export type BundleName = Pick<TileResource, 'index' | 'width'>;

/**
 * One log. Undefined stands for what is not there; what is there and cannot be read rejects with a `NodeError`. Calls may
 * overlap.
 */
export interface LogSource {
  readonly origin: string;
  /** The signed note of the newest checkpoint whose tree is there. */
  checkpoint(): Promise<Uint8Array | undefined>;
  /** The first index that the source itself says it holds. */
  minimum(): Promise<number>;
  /** Entry bundles that follow each other, in their order. */
  bundles(parts: readonly BundleName[]): Promise<(SourcePart | undefined)[]>;
  /** In the order of `tiles`, which may be any. */
  tiles(tiles: readonly Tile[]): Promise<(SourcePart | undefined)[]>;
}

export interface AuditSource {
  /** For people: a path. */
  readonly where: string;
  /** `<region>.<network>` of whose logs these are, as they say themselves. */
  readonly owner: { readonly region: string; readonly network: string };
  /** What is wrong with the files of a store below its values: a fault whatever the logs say. */
  readonly damage?: NodeError | undefined;
  /** The origins of all logs that are there, sorted. */
  origins(): Promise<readonly string[]>;
  log(origin: string): LogSource;
  /** Where the trust log can be folded from although its beginning was pruned. What it says is proven by whoever folds. */
  base(sha256: Sha256): Promise<FoldBase | undefined>;
  close(): Promise<void>;
}
