/** Which faults befall a run and when, drawn from its seed. A run has some kinds only, so that each also meets the others' absence. */
import { Chance } from './chance.ts';
import { FAULT_KINDS, type FaultKind, type Lie, LIES, type Scheme, SCHEMES } from './fault-kinds.ts';

export interface PlannedEvent {
  /** Milliseconds from the start of the phase. */
  readonly atMs: number;
  readonly kind: FaultKind;
}

export interface Plan {
  /** What each liar tells. */
  readonly lies: readonly (readonly Lie[])[];
  /** What they do together; nothing where they are fewer than two, or each has a plan of his own. */
  readonly schemes: readonly Scheme[];
  readonly events: readonly PlannedEvent[];
  /** Milliseconds between two messages of a node about all it knows, and between two rounds with all peers. */
  readonly cadence: { readonly beatMs: number; readonly intervalMs: number };
  /** Issues of a region per minute, and the share of codes that are revoked sooner or later. */
  readonly issuesPerMinute: number;
  readonly revokedShare: number;
}

/** Drawn apart, in these shares of the liars: what else befalls a seed is drawn as without them. Few answers have entries that can be in another order. */
const SPOILING = { reorder: 0.8, oversize: 0.6 } as const satisfies Partial<Record<Lie, number>>;
const SPOILT = Object.keys(SPOILING) as (keyof typeof SPOILING)[];
const LYING = (Object.keys(LIES) as Lie[]).filter((lie) => !(lie in SPOILING));
/** Once in a run at most, early enough to be seen to their ends, in these shares of the seeds. */
const ONCE = { 'old disk': 0.5, 'key rotation': 0.5, failover: 0.25 } as const;
const ONCE_UNTIL_SHARE = 0.8;
/** Of seeds with at least two liars. */
const COLLUDING_SHARE = 0.9;
const KINDS = (Object.keys(FAULT_KINDS) as FaultKind[]).filter((kind) => !(kind in ONCE));
/**
 * The usual one for a thirty-second of the seeds: it says the same again and again, five times as often as the others, which leave more to
 * chance between two looks. With all of them knowledge is a third as old as verdicts allow at most, and votes on the time do not run out.
 */
const USUAL = { beatMs: 10_000, intervalMs: 30_000 } as const;
const CALMER = [
  { beatMs: 60_000, intervalMs: 120_000 },
  { beatMs: 120_000, intervalMs: 150_000 },
  { beatMs: 180_000, intervalMs: 150_000 },
] as const;
const USUAL_SHARE = 1 / 32;
/** Busy federations cost the most: a sixth of the seeds has one. */
const ISSUES_PER_MINUTE = [0.15, 0.15, 0.15, 0.3, 0.3, 0.7] as const;
/** Times that a kind which is drawn befalls a run of an hour. */
const TIMES = { from: 1, to: 5 } as const;

/** How many regions of a federation may lie: fewer than a third. */
export function liarsMaxOf(nodes: number): number {
  return Math.floor((nodes - 1) / 3);
}

/**
 * A standby does not know which trees the lost machine has cosigned: where a log has two stories, it may cosign the other, and the region has
 * contradicted itself (ARCHITECTURE.md, not defended against).
 */
function isFitForStandby(lies: Plan['lies']): boolean {
  return lies.length < 2 && !lies.flat().includes('equivocation');
}

export function drawPlan(seed: number, { nodes, ms }: { nodes: number; ms: number }): Plan {
  const chance = new Chance(seed, 'plan');
  const liars = chance.whole(0, liarsMaxOf(nodes) + 1);
  const lies = Array.from({ length: liars }, () => chance.some(LYING, chance.whole(1, 4)));
  const kinds = chance.some(KINDS, chance.whole(3, KINDS.length + 1));
  const hours = Math.max(1, Math.round(ms / 3_600_000));
  const events: PlannedEvent[] = kinds.flatMap((kind) =>
    Array.from({ length: chance.whole(TIMES.from, TIMES.to) * hours }, () => ({
      atMs: chance.whole(0, ms),
      kind,
    })),
  );
  for (const [kind, share] of Object.entries(ONCE) as [keyof typeof ONCE, number][]) {
    // Drawn apart: what else befalls a seed stays as it is.
    const apart = new Chance(seed, kind);
    if (apart.hits(share) && (kind !== 'failover' || isFitForStandby(lies)))
      events.push({ atMs: apart.whole(0, ONCE_UNTIL_SHARE * ms), kind });
  }
  events.sort((a, b) => a.atMs - b.atMs);
  const spoiling = new Chance(seed, 'spoiling');
  const together = new Chance(seed, 'schemes');
  const isColluding = liars >= 2 && together.hits(COLLUDING_SHARE);
  return {
    lies: lies.map((told) => [...told, ...SPOILT.filter((lie) => spoiling.hits(SPOILING[lie]))]),
    schemes: isColluding ? (Object.keys(SCHEMES) as Scheme[]) : [],
    events,
    cadence: chance.hits(USUAL_SHARE) ? USUAL : chance.pick(CALMER),
    issuesPerMinute: chance.pick(ISSUES_PER_MINUTE),
    revokedShare: chance.pick([0.1, 0.3, 0.6]),
  };
}
