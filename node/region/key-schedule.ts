/** Which keys and logs a region announces ahead, so that a rotation needs no ceremony. */
import { logMonth } from '../../protocol/trust/log-month.ts';
import { type KeyRole, type TrustState } from '../../protocol/trust/trust-state.ts';
import { logIdAt } from '../issuing/issuer.ts';

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
  const keys = state
    .keysWithRole(role)
    .filter(({ compromise }) => compromise === undefined)
    .sort((a, b) => a.fromS - b.fromS);
  let untilS = fromS;
  for (const key of keys) if (key.fromS <= untilS && key.untilS > untilS) untilS = key.untilS;
  return untilS;
}
