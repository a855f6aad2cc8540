/** Beginning to sign, once nothing is in the way: the own logs are settled, and the part of the node that signs is put together. */
import { type GrownTree } from '../log/log-writer.ts';
import { type Retention } from '../log/retention.ts';
import { type NodeError } from '../node-error.ts';
import { type Signer } from '../ports.ts';
import { type SharedBatch } from '../writer/batch-share.ts';
import { type Writership } from '../writer/writership.ts';
import { type RegionNodeOptions } from './node-options.ts';
import { OwnNews } from './own-news.ts';
import { type SigningModules } from './signing.ts';
import { enterOwnLog, settleOwnLogs } from './taking-over.ts';
import { WritingSide } from './writing-side.ts';

export interface WritingStartModules extends SigningModules {
  readonly writership: Writership | undefined;
  /** Where there is a `writership`: see `LogWriterModules`. */
  readonly permit: (tree: GrownTree) => Promise<Signer | undefined>;
  readonly share: (batch: SharedBatch) => Promise<void>;
  /** See `IssuerModules`. */
  readonly onTaken: (error: NodeError) => void;
  readonly retention: Retention;
}

/** From the moment of the call nothing may be taken of the own logs. Rejects as `settleOwnLogs` and `WritingSide.start`. */
export async function startWriting(
  options: RegionNodeOptions,
  { writership, permit, share, retention, ...modules }: WritingStartModules,
): Promise<WritingSide> {
  await settleOwnLogs(modules);
  const { shelf, herald, background, onTrouble } = modules;
  const news = new OwnNews({ home: shelf.home, herald });
  return WritingSide.start(options, {
    ...modules,
    ...(writership && {
      permit,
      pledged: (origin: string) => writership.pledges.find((one) => one.origin === origin)?.size,
      share,
    }),
    registry: modules.registry(),
    home: shelf.home,
    openTree: (origin) => shelf.openTree(origin),
    enter: (origin) => enterOwnLog(origin, modules),
    timeBounds: modules.clocks.bounds,
    onTrustCheckpoint: () => background.run(() => news.tell()),
    giveUp: (ownLastAtS) => retention.tend(ownLastAtS).catch((error: unknown) => onTrouble?.(error)),
  });
}
