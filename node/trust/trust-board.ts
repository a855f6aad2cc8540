/**
 * The trust of a node at each moment: an immutable value made of what the keepers of all regions hold. A state becomes what
 * verdicts lean on once its quorum vouches for it; until then its revocations count beside the state before. One that is ahead of
 * its time waits until that has come.
 */
import { CLOCK_AHEAD_S_MAX } from '../../protocol/limits.ts';
import { type Primitives } from '../../protocol/primitives.ts';
import { RevocationSet } from '../../protocol/revocation/revocation-set.ts';
import { type TrustState } from '../../protocol/trust/trust-state.ts';
import { isAhead } from '../../protocol/trust/vouching.ts';
import { assess } from '../../protocol/verdict/ages.ts';
import { type RegionKnowledge, Trust } from '../../protocol/verdict/knowledge.ts';
import { type WitnessPolicy } from '../../protocol/verdict/witness-policy.ts';
import { type Clock } from '../ports.ts';
import { SideReader } from './side-reader.ts';
import { type HeldState, knowledgeOf } from './held-state.ts';
import { type TrustKeeper } from './trust-keeper.ts';
import { WitnessKeys } from './witness-keys.ts';

export interface TrustBoardOptions {
  readonly home: string;
  readonly network: string;
  /** Whom verdicts go by, in the place of the table. */
  readonly policy?: WitnessPolicy | undefined;
}

export interface TrustBoardModules extends Primitives {
  readonly clock: Clock;
}

export class TrustBoard {
  readonly #options: TrustBoardOptions;
  readonly #modules: TrustBoardModules;
  readonly #sides: SideReader;
  /** The newest state of each whose revocations have counted. */
  readonly #counted = new Map<TrustKeeper, { readonly state: TrustState; readonly branches: number }>();
  readonly #keepers = new Map<string, TrustKeeper>();
  /** What is held of regions that are followed no more. */
  readonly #before = new Map<string, TrustState>();
  #trust: Trust;
  #isStale = false;
  /** When the next state that is ahead comes into its time. */
  #dueS = Infinity;
  #witnessKeys: { readonly states: readonly TrustState[]; readonly keys: WitnessKeys } | undefined;

  constructor(options: TrustBoardOptions, modules: TrustBoardModules) {
    this.#options = options;
    this.#modules = modules;
    this.#sides = new SideReader(modules, options.policy?.outside);
    this.#trust = new Trust({ ...options, regions: [] }, modules);
  }

  add(keeper: TrustKeeper): void {
    this.#keepers.set(keeper.region, keeper);
    this.#before.delete(keeper.region);
    this.changed();
  }

  /** Keeps what is held of a region whose recognition is withdrawn: no verdict leans on it, and one can say whose code it is. */
  remember(state: TrustState): void {
    this.#before.set(state.region, state);
    this.changed();
  }

  remembers(region: string): boolean {
    return this.#before.has(region);
  }

  get keepers(): ReadonlyMap<string, TrustKeeper> {
    return this.#keepers;
  }

  /** Something that a keeper holds is new: the trust is made anew when it is next asked for. */
  readonly changed = (): void => {
    this.#isStale = true;
  };

  /** A keeper is about to forget a state: if that has its quorum by now, it is published before. */
  readonly settle = (): void => void this.trust;

  /** What verdicts lean on now. The same value until something changes. */
  get trust(): Trust {
    if (this.#isStale || (this.#dueS < Infinity && this.#nowS() >= this.#dueS)) {
      this.#isStale = false;
      this.#trust = this.#make();
    }
    return this.#trust;
  }

  /** The witness keys of all regions, and of the witnesses outside that the policy names. */
  readonly witnessKeys = (): WitnessKeys => {
    const states = [...this.#keepers.values()].map(({ state }) => state);
    const known = this.#witnessKeys;
    if (known?.states.length === states.length && known.states.every((state, i) => state === states[i])) {
      return known.keys;
    }
    const keys = new WitnessKeys(states, this.#modules.sha256, this.#options.policy);
    this.#witnessKeys = { states, keys };
    return keys;
  };

  #make(): Trust {
    const nowS = this.#nowS();
    const keepers = [...this.#keepers.values()];
    const keys = this.witnessKeys();
    for (const { published, pending } of keepers)
      for (const held of [published, ...pending]) held?.pool.leaveGivenUp(keys);
    this.#dueS = Math.min(
      ...keepers
        .flatMap(({ state, pending }) => [state, ...pending.map((held) => held.state)])
        .filter((state) => isAhead(state, nowS))
        .map(({ lastAtS }) => lastAtS - CLOCK_AHEAD_S_MAX),
    );
    const latest = this.#settle(keepers, nowS);
    const regions = keepers.flatMap((keeper) => {
      const { published } = keeper;
      if (published === undefined) return [];
      return [
        knowledgeOf(published, this.#standingOf(keeper, latest, nowS), {
          revokedBeside: this.#revokedBeside(keeper, nowS),
          foreignRevokedBeside: keeper.left.foreignRevokedBeside(published.state),
        }),
      ];
    });
    return this.#trustOf(regions);
  }

  #trustOf(regions: readonly RegionKnowledge[]): Trust {
    return new Trust({ ...this.#options, regions, before: this.#before.values() }, this.#modules);
  }

  /**
   * Publishes of each region the newest state that has its quorum, and gives the trust by which that was counted. A witness key
   * counts by what is then held of its region: where a state falls short, the others are counted again without it.
   */
  #settle(keepers: readonly TrustKeeper[], nowS: number): () => Trust {
    const chosen = new Map(keepers.map((keeper) => [keeper, newestDue(keeper, nowS)]));
    for (;;) {
      let proposal: Trust | undefined;
      const proposed = () => {
        const held = [...chosen.values()].filter((one) => one !== undefined);
        return (proposal ??= this.#trustOf(held.map((one) => knowledgeOf(one, 'good'))));
      };
      let isSettled = true;
      for (const [keeper, held] of chosen) {
        const { pending, published } = keeper;
        if (held === undefined || held === published || published === undefined) continue;
        if (this.#isTakingBack(keeper.region, published, held)) continue;
        const upTo = pending.slice(0, pending.indexOf(held) + 1).filter(({ state }) => !isAhead(state, nowS));
        const vouched = upTo.findLast((candidate) => hasQuorum(proposed(), candidate, nowS)) ?? published;
        if (vouched !== held) isSettled = false;
        chosen.set(keeper, vouched);
      }
      if (!isSettled) continue;
      for (const [keeper, held] of chosen) if (held && held !== keeper.published) keeper.publish(held);
      return proposed;
    }
  }

  /** What the home takes back it takes back at once: its own node needs nobody to vouch for that. */
  #isTakingBack(region: string, published: HeldState, held: HeldState): boolean {
    return region === this.#options.home && takesBack(published.state, held.state);
  }

  #nowS(): number {
    return Math.floor(this.#modules.clock.nowMs() / 1000);
  }

  /**
   * What the newest state revokes that nobody vouches for yet: a revocation counts at once, but not before its time; and for good,
   * also where the clock is set back.
   */
  #revokedBeside(keeper: TrustKeeper, nowS: number): RegionKnowledge['revokedBeside'] {
    const due = isAhead(keeper.state, nowS) ? newestDue(keeper, nowS)?.state : keeper.state;
    const { count: branches } = keeper.left;
    const known = this.#counted.get(keeper);
    // Of a branch that was left its keeper tells what counts on.
    const before = known?.branches === branches ? known.state : undefined;
    const state = before !== undefined && before.size > (due?.size ?? 0) ? before : due;
    if (state !== undefined) this.#counted.set(keeper, { state, branches });
    return revokedBeside(keeper, state);
  }

  /** Only if both branches have a quorum is the region quarantined, or if its root has named both. */
  #standingOf(
    { standingForks, state, left }: TrustKeeper,
    trust: () => Trust,
    nowS: number,
  ): RegionKnowledge['standing'] {
    if (left.isContradicted) return 'quarantined';
    if (standingForks.length === 0) return 'good';
    const states = [...this.#keepers.values()].map((keeper) => keeper.state);
    const hasQuorum = (note: Uint8Array): boolean => {
      const knowledge = this.#sides.knowledgeOf(states, state, note);
      if (knowledge === undefined) return false;
      const { counted, needed } = assess(trust(), knowledge, nowS).witnesses;
      return needed > 0 && counted >= needed;
    };
    const isDivided = standingForks.some(({ sides }) => sides.every(({ note }) => hasQuorum(note)));
    return isDivided ? 'quarantined' : 'forked';
  }
}

/** The newest that is not ahead; what verdicts lean on already stays. */
function newestDue({ pending, published }: TrustKeeper, nowS: number): HeldState | undefined {
  return pending.findLast(({ state }) => !isAhead(state, nowS)) ?? published;
}

function hasQuorum(trust: Trust, held: HeldState, nowS: number): boolean {
  const { counted, needed } = assess(trust, knowledgeOf(held, 'good'), nowS).witnesses;
  return counted >= needed;
}

/** Whether a recognition that was in force is not any more. */
function takesBack(before: TrustState, after: TrustState): boolean {
  for (const { region, standing, version } of before.recognitions()) {
    const now = after.recognition(region);
    if (standing === 'recognised' && (now?.standing !== 'recognised' || now.version !== version)) return true;
  }
  return false;
}

/** What a state revokes that is newer than the one that is published, and what was revoked on a branch that was left. */
function revokedBeside(
  { published, left }: TrustKeeper,
  state?: TrustState,
): RegionKnowledge['revokedBeside'] {
  if (published === undefined) return undefined;
  const ofLeft = left.revokedBeside(published.state);
  if (state === undefined || state.size <= published.state.size) return ofLeft;
  const beside = ofLeft ?? new Map<string, RevocationSet>();
  for (const [log, revoked] of state.revocations()) {
    const before = beside.get(log) ?? RevocationSet.empty;
    beside.set(log, before.union(revoked).union(published.state.revoked(log) ?? RevocationSet.empty));
  }
  return beside;
}
