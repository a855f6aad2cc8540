/** Who vouches for whom, between the home and each region that it follows: whether others hear us, and whether we hear them. */
import { type TrustKeeper } from './trust-keeper.ts';

export interface MutualVouching {
  readonly region: string;
  /** Seconds since 1970 of the newest cosignature by that region for the home's trust log; undefined if none is known. */
  readonly vouchesForUsAtS: number | undefined;
  /** The entries of the home's trust log under it. */
  readonly vouchesForSize: number | undefined;
  /** Of the home's newest cosignature for that region's trust log. */
  readonly vouchedByUsAtS: number | undefined;
  /** As `witnessesOf` that region. */
  readonly witnessedBy: readonly string[];
}

/** Whose cosignatures are known on the newest checkpoint of a trust log that is held, of all regions that are followed, recognised or not, each once. */
function witnessesOf({ latest }: TrustKeeper): string[] {
  return [...new Set(latest?.pool.cosignatures.map(({ region }) => region))];
}

/** By region, the home left out. What an operator is told; verdicts count cosignatures themselves. */
export function mutualVouching(home: TrustKeeper, keepers: Iterable<TrustKeeper>): MutualVouching[] {
  return [...keepers]
    .filter((keeper) => keeper !== home)
    .map((keeper) => {
      const theirs = newestBy(keeper.region, home);
      return {
        region: keeper.region,
        vouchesForUsAtS: theirs?.atS,
        vouchesForSize: theirs?.size,
        vouchedByUsAtS: newestBy(home.region, keeper)?.atS,
        witnessedBy: witnessesOf(keeper),
      };
    });
}

/** The newest cosignature by a region among all that is held of a trust log. */
function newestBy(
  region: string,
  { published, pending }: TrustKeeper,
): { readonly atS: number; readonly size: number } | undefined {
  const held = published === undefined ? pending : [published, ...pending];
  return held
    .flatMap(({ pool, checkpoint: { size } }) =>
      pool.cosignatures
        .filter((cosigned) => cosigned.region === region)
        .map(({ timestampS }) => ({ atS: timestampS, size })),
    )
    .reduce<ReturnType<typeof newestBy>>(
      (best, one) => (best && best.atS >= one.atS ? best : one),
      undefined,
    );
}
