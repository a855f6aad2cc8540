/** Which keys and logs a region announces ahead, so that a rotation needs no ceremony. */
import { logMonth } from '../../protocol/trust/log-month.ts';
import { type KeyRole, type TrustKey, type TrustState } from '../../protocol/trust/trust-state.ts';
import { logIdAt } from '../issuing/month-logs.ts';

const HOUR_S = 3_600;
const DAY_S = 86_400;

/** How far ahead the root signs. */
export const AHEAD_S = 90 * DAY_S;

/**
 * Days of a key's window. What a thief of an attest key can spoil is what that key signed, so those are short;
 * a checkpoint or witness key that changes makes every verifier learn a new one.
 */
const WINDOW_DAYS: Readonly<Record<KeyRole, number>> = {
  attest: 6,
  checkpoint: 30,
  'trust-log': 30,
  witness: 30,
};

export interface KeyWindow {
  readonly role: KeyRole;
  readonly fromS: number;
  readonly untilS: number;
}

/**
 * The windows that are missing until `AHEAD_S` from `atS`, consecutive per role and following on those that the state has.
 * No window is longer than that of its role; the last may be shorter.
 */
export function missingWindows(state: TrustState, atS: number): KeyWindow[] {
  const hourS = atS - (atS % HOUR_S);
  const windows: KeyWindow[] = [];
  for (const [role, days] of Object.entries(WINDOW_DAYS) as [KeyRole, number][]) {
    const untilS = coveredUntil(state, role, hourS);
    for (let fromS = untilS; fromS < hourS + AHEAD_S; fromS += days * DAY_S) {
      windows.push({ role, fromS, untilS: Math.min(fromS + days * DAY_S, hourS + AHEAD_S) });
    }
  }
  return windows;
}

/** A window that begins in the place of others. */
export interface Succession extends KeyWindow {
  /** Ids of the keys in force when it begins. They stay admitted until their own windows end. */
  readonly inPlaceOf: readonly string[];
  /** The first key that ends later and so signs after it, if one is scheduled by the time when it ends. */
  readonly next: Pick<TrustKey, 'keyId' | 'fromS'> | undefined;
}

/**
 * The window of a fresh key that signs from the whole hour `fromS` on: of those whose windows hold a time, the one that ends last signs
 * (`RegionKeys`). So it ends an hour after all that are in force by then, at least; it may be longer than a statement can say.
 */
export function successionOf(state: TrustState, role: KeyRole, fromS: number): Succession {
  const keys = state.keysWithRole(role).filter(({ compromise }) => compromise === undefined);
  const inForce = keys.filter((key) => key.fromS <= fromS && fromS < key.untilS);
  const ends = inForce.map((key) => key.untilS + HOUR_S);
  const untilS = Math.max(fromS + WINDOW_DAYS[role] * DAY_S, ...ends);
  const [next] = keys
    .filter((key) => key.fromS > fromS && key.fromS <= untilS && key.untilS > untilS)
    .sort((a, b) => a.fromS - b.fromS)
    .map(({ keyId, ...key }) => ({ keyId, fromS: key.fromS }));
  return { role, fromS, untilS, inPlaceOf: inForce.map(({ keyId }) => keyId), next };
}

/** The first moment of a window at which none of `others` is in force; undefined if there is always one. */
export function firstGap(
  { fromS, untilS }: Pick<KeyWindow, 'fromS' | 'untilS'>,
  others: readonly Pick<KeyWindow, 'fromS' | 'untilS'>[],
): number | undefined {
  const coveredS = coveredFrom(fromS, others);
  return coveredS < untilS ? coveredS : undefined;
}

/** The attestation logs of this month and of those within `AHEAD_S` that are not announced yet. */
export function missingLogs(state: TrustState, atS: number): string[] {
  const logs: string[] = [];
  for (let monthS = atS; monthS < atS + AHEAD_S; monthS = logMonth(logIdAt(monthS)).untilS) {
    const log = logIdAt(monthS);
    if (state.log(log) === undefined) logs.push(log);
  }
  return logs;
}

/** Up to when keys that are not compromised follow on each other from `fromS` on. */
function coveredUntil(state: TrustState, role: KeyRole, fromS: number): number {
  return coveredFrom(
    fromS,
    state.keysWithRole(role).filter(({ compromise }) => compromise === undefined),
  );
}

/** Up to when windows follow on each other from `fromS` on; `fromS` if none holds that. */
function coveredFrom(fromS: number, windows: readonly Pick<KeyWindow, 'fromS' | 'untilS'>[]): number {
  let untilS = fromS;
  for (const window of windows.toSorted((a, b) => a.fromS - b.fromS))
    if (window.fromS <= untilS && window.untilS > untilS) ({ untilS } = window);
  return untilS;
}
