/** Who vouches for whom, between the home and each region that it follows: whether others hear us, and whether we hear them. */
import { equalBytes } from '../../protocol/bytes.ts';
import { type Recognition, type RecognitionWay } from '../../protocol/trust/trust-state.ts';
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
  /** What that region's trust log says of the home, as far as it is held; undefined where it never said anything. */
  readonly recognisesUs: TheirWord | undefined;
}

/** All but `standing` is absent of a recognition that is withdrawn. The caller holds `[fromS, untilS)` against its clock. */
export interface TheirWord {
  readonly standing: Recognition['standing'];
  readonly way?: RecognitionWay;
  readonly fromS?: number;
  readonly untilS?: number;
  /** Whether it names the root of the home, and not another one under its id. */
  readonly isOurRoot?: boolean;
}

/** Whose cosignatures are known on the newest checkpoint of a trust log that is held, of all regions that are followed, recognised or not, each once. */
function witnessesOf({ latest }: TrustKeeper): string[] {
  return [...new Set(latest?.pool.cosignatures.flatMap(({ region }) => region ?? []))];
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
        recognisesUs: wordOn(home.state, keeper.state.recognition(home.region)),
      };
    });
}

function wordOn(
  { fingerprint: own }: TrustKeeper['state'],
  said: Recognition | undefined,
): TheirWord | undefined {
  if (said === undefined || said.standing === 'withdrawn') return said && { standing: said.standing };
  const { standing, way, fromS, untilS, fingerprint } = said;
  return { standing, way, fromS, untilS, isOurRoot: own !== undefined && equalBytes(own, fingerprint) };
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
