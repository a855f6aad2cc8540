/** Who vouches for a region's log, and how long ago a quorum of them last did. Spec: SPEC.md 9. */
import { compareBytes } from '../bytes.ts';
import { CLOCK_AHEAD_S_MAX, WITNESSES_ALL_MAX, WITNESSES_CHOSEN } from '../limits.ts';
import { trustLogOrigin } from '../log/origin.ts';
import { neededCosignatures, witnessRank } from '../log/quorum.ts';
import { type KeyRole, type Recognition, type TrustKey, type TrustState } from '../trust/trust-state.ts';
import { type Cosigned, type RegionKnowledge, type Trust } from './knowledge.ts';
import { type KnowledgeReport, type WitnessCount } from './verdict.ts';
import { type PolicyCount } from './witness-policy.ts';

/** What is known of a region. The same for every moment of `[fromS, untilS)`, so a verdict need not count again. */
export interface Assessment {
  readonly knowledge: RegionKnowledge;
  /** The time for which a quorum vouches that nothing newer exists; undefined if there is no quorum. */
  readonly knowledgeAtS: number | undefined;
  /** The newest time by a witness key of the region itself, on this checkpoint or an earlier one. */
  readonly ownAtS: number | undefined;
  readonly witnesses: WitnessCount;
  /** Whether a key that may signed the checkpoint. Meaningless without `knowledgeAtS`. */
  readonly isCheckpointKeyFit: boolean;
  readonly fromS: number;
  readonly untilS: number;
}

/** Counts the witnesses of a region's log at `nowS`. Every region counts once, whatever its keys, and every key, whatever its regions. */
export function assess(trust: Trust, knowledge: RegionKnowledge, nowS: number): Assessment {
  const span = new Span(nowS);
  const { state, logKeyIds } = knowledge;
  const counting = countingAt(trust, knowledge, knowledge.cosignatures, nowS, span);
  const newest = newestTimes(counting);
  const ownHereS = newest.get(state.region)?.timestampS;
  const before = newestTimes(countingAt(trust, knowledge, knowledge.ownBefore ?? [], nowS, span));
  const ownTimes = [newest, before].flatMap((times) => times.get(state.region)?.timestampS ?? []);
  const ownAtS = ownTimes.length === 0 ? undefined : Math.max(...ownTimes);
  const { witnesses, atS } =
    policyFor(knowledge, trust)?.count(counting, mayVouchFor(state.region, trust)) ??
    countByTable(trust, knowledge, newest, nowS, span);
  const knowledgeAtS = witnesses.needed === 0 ? ownHereS : atS;
  return {
    knowledge,
    knowledgeAtS,
    ownAtS,
    witnesses,
    isCheckpointKeyFit:
      knowledgeAtS !== undefined &&
      logKeyIds.some((keyId) => keyForRole(state, keyId, 'checkpoint', knowledgeAtS) !== undefined),
    fromS: span.fromS,
    untilS: span.untilS,
  };
}

/** A policy is about trust logs: who vouches for other logs of a region is counted by the table. */
function policyFor({ state, checkpoint }: RegionKnowledge, { policy, network }: Trust): Trust['policy'] {
  return checkpoint.origin === trustLogOrigin(state.region, network) ? policy : undefined;
}

/** Spec: SPEC.md 9. */
function countByTable(
  trust: Trust,
  { state, checkpoint }: RegionKnowledge,
  newest: ReadonlyMap<string, Cosigned>,
  nowS: number,
  span: Span,
): PolicyCount {
  const regions = witnessRegions(trust, state.region, checkpoint.origin, nowS, span);
  const times = timesByKey(regions.flatMap((region) => newest.get(region) ?? []));
  const needed = neededCosignatures(regions.length);
  return { witnesses: { counted: times.length, needed, of: regions.length }, atS: times[needed - 1] };
}

/**
 * The regions that a policy can have vouch for a log: not its own, and those that the home's root has not withdrawn, whatever the windows of
 * their recognitions say. Those that come by another way have no operator of their own.
 */
function mayVouchFor(issuer: string, { home, regions }: Trust): (region: string) => boolean {
  const state = regions.get(home)?.state;
  const may = new Set([home, ...(state === undefined ? [] : directOnes(state)).map(({ region }) => region)]);
  may.delete(issuer);
  return (region) => may.has(region);
}

/** An assessment as figures at `nowS`. A time ahead of the clock has age 0. */
export function reportOf(assessment: Assessment, nowS: number): KnowledgeReport {
  const { knowledge, knowledgeAtS, ownAtS, witnesses } = assessment;
  return {
    region: knowledge.state.region,
    size: knowledge.checkpoint.size,
    knowledgeAtS,
    ageS: knowledgeAtS === undefined ? undefined : Math.max(0, nowS - knowledgeAtS),
    silenceS: ownAtS === undefined ? undefined : Math.max(0, nowS - ownAtS),
    witnesses,
  };
}

/**
 * The time by which a quorum of all regions that the home recognises directly, suspended ones too, has cosigned the home's trust log, whatever the windows of the
 * recognitions say at `nowS`: by a clock astray some are over that are not, and of the few that are left one could lie. The vote of a region counts if the window
 * holds its own time. Undefined where no such quorum vouches, and where the home recognises nobody. Spec: SPEC.md 9.
 */
export function surelyVouchedAtS(trust: Trust, nowS: number): number | undefined {
  const knowledge = trust.regions.get(trust.home);
  if (knowledge === undefined) return undefined;
  const span = new Span(nowS);
  const newest = newestTimes(countingAt(trust, knowledge, knowledge.cosignatures, nowS, span));
  const all = directOnes(knowledge.state).filter(({ region }) => region !== trust.home);
  const windows = new Map(all.map((one) => [one.region, one]));
  const regions = chosenOf([...windows.keys()], knowledge.checkpoint.origin, trust);
  const votes = regions.flatMap((region) => {
    const [vote, window] = [newest.get(region), windows.get(region)];
    return vote && window && window.fromS <= vote.timestampS && vote.timestampS < window.untilS ? [vote] : [];
  });
  return timesByKey(votes)[neededCosignatures(regions.length) - 1];
}

/** The regions by whose number the quorum of a log of `issuer` goes at `nowS`, whether they vouch or not. Spec: SPEC.md 9. */
export function witnessesOf(
  trust: Trust,
  { issuer, origin }: { readonly issuer: string; readonly origin: string },
  nowS: number,
): readonly string[] {
  return witnessRegions(trust, issuer, origin, nowS, new Span(nowS));
}

/** The regions that witness the log of `issuer`: by the recognitions of the home alone, so nobody can leave one out. */
function witnessRegions(trust: Trust, issuer: string, origin: string, nowS: number, span: Span): string[] {
  const regions = issuer === trust.home ? [] : [trust.home];
  const home = trust.regions.get(trust.home)?.state;
  for (const { region, fromS, untilS } of home === undefined ? [] : directOnes(home)) {
    if (region === issuer) continue;
    span.changesAt(fromS);
    span.changesAt(untilS);
    if (fromS <= nowS && nowS < untilS) regions.push(region);
  }
  return chosenOf(regions, origin, trust);
}

/** Of too many that all of them witness a log, those that do. */
function chosenOf(regions: string[], origin: string, { sha256 }: Pick<Trust, 'sha256'>): string[] {
  if (regions.length <= WITNESSES_ALL_MAX) return regions;
  return regions
    .map((region) => ({ region, rank: witnessRank(sha256, origin, region) }))
    .sort((a, b) => compareBytes(a.rank, b.rank))
    .slice(0, WITNESSES_CHOSEN)
    .map(({ region }) => region);
}

/** Whom a home recognises directly. A suspended one stays: only the root, which withdraws, may change who has to vouch. */
function directOnes(home: TrustState): readonly DirectOne[] {
  const known = DIRECT.get(home);
  if (known !== undefined) return known;
  const found = [...home.recognitions()].flatMap((one) => {
    return one.standing !== 'withdrawn' && one.way === 'direct' ? [one] : [];
  });
  DIRECT.set(home, found);
  return found;
}

type DirectOne = Pick<Exclude<Recognition, { standing: 'withdrawn' }>, 'region' | 'fromS' | 'untilS'>;

/** A state does not change, and is asked for every region in it. */
const DIRECT = new WeakMap<TrustState, readonly DirectOne[]>();

/** The newest first, one for each key: what a witness signs does not name it, so one signature can go under several names. */
function timesByKey(newest: readonly Cosigned[]): number[] {
  const times = new Map<string, number>();
  for (const { keyId, timestampS } of newest) {
    times.set(keyId, Math.max(timestampS, times.get(keyId) ?? timestampS));
  }
  return [...times.values()].sort((a, b) => b - a);
}

/** Of regions, the newest of the cosignatures of each. */
function newestTimes(counting: readonly Cosigned[]): Map<string, Cosigned> {
  const newest = new Map<string, Cosigned>();
  for (const cosigned of counting) {
    const { region, timestampS } = cosigned;
    if (region !== undefined && timestampS > (newest.get(region)?.timestampS ?? -1))
      newest.set(region, cosigned);
  }
  return newest;
}

/** The cosignatures that count at `nowS`, of whomever. */
function countingAt(
  trust: Trust,
  { state }: RegionKnowledge,
  cosignatures: readonly Cosigned[],
  nowS: number,
  span: Span,
): Cosigned[] {
  return cosignatures.filter(({ region, keyId, timestampS }) => {
    if (region !== undefined) {
      const witness = region === state.region ? state : trust.regions.get(region)?.state;
      if (witness === undefined || keyForRole(witness, keyId, 'witness', timestampS) === undefined)
        return false;
    }
    span.changesAt(timestampS - CLOCK_AHEAD_S_MAX);
    return timestampS <= nowS + CLOCK_AHEAD_S_MAX;
  });
}

/** The key if it has this role, its window holds `atS` and it is not compromised. */
export function keyForRole(
  state: TrustState,
  keyId: string,
  role: KeyRole,
  atS: number,
): TrustKey | undefined {
  const key = state.key(keyId);
  if (key === undefined || key.role !== role || key.compromise !== undefined) return undefined;
  return key.fromS <= atS && atS < key.untilS ? key : undefined;
}

/** The longest time around `nowS` in which nothing that was looked at changes. */
class Span {
  fromS = -Infinity;
  untilS = Infinity;
  readonly #nowS: number;

  constructor(nowS: number) {
    this.#nowS = nowS;
  }

  /** Something differs between the second before `atS` and `atS`. */
  changesAt(atS: number): void {
    if (atS <= this.#nowS) this.fromS = Math.max(this.fromS, atS);
    else this.untilS = Math.min(this.untilS, atS);
  }
}
