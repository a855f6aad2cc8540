/** The statements that a region's keys are kept up with. Each list belongs together and is logged in one batch. */
import { hexBytes } from '../../protocol/bytes.ts';
import { TRUST_KEPT_S } from '../../protocol/limits.ts';
import { logMonth } from '../../protocol/trust/log-month.ts';
import { type KeyRole, type TrustKey, type TrustState } from '../../protocol/trust/trust-state.ts';
import { type StatementDraft } from '../log/trust-log-work.ts';
import { isNodeError } from '../node-error.ts';
import { type KeyWindow, missingLogs, missingWindows, successionOf } from './key-schedule.ts';
import { type RegionKeys } from './region-keys.ts';

const HOUR_S = 3_600;

/** A checkpoint up to which what a stolen key signed is genuine. `log`: an attestation log's id, or `trust`. */
export interface CutOff {
  readonly log: string;
  readonly size: number;
  readonly root: Uint8Array;
}

/** What the root still has to sign for the next 90 days: fresh keys in one statement, and the logs of the months. */
export async function upkeep(
  state: TrustState,
  keys: RegionKeys,
  atS: number,
): Promise<{ statements: StatementDraft[]; keys: number; logs: number }> {
  const windows = missingWindows(state, atS);
  const ofKeys = windows.length > 0 ? [(await admitting(windows, keys)).statement] : [];
  const logs = missingLogs(state, atS).map((log) => ({ kind: 'log', log, minimum: 0 }) as const);
  return { statements: [...ofKeys, ...logs], keys: windows.length, logs: logs.length };
}

/** Admits a fresh key for each of these windows, by one statement. Gives the ids in their order. */
export async function admitting(
  windows: readonly KeyWindow[],
  keys: Pick<RegionKeys, 'create'>,
): Promise<{ statement: StatementDraft; keyIds: string[] }> {
  const admitted: { key: Uint8Array; role: KeyRole; from: number; until: number }[] = [];
  const keyIds: string[] = [];
  for (const { role, fromS, untilS } of windows) {
    const { publicKey, keyId } = await keys.create(role, { role, fromS, untilS });
    admitted.push({ key: publicKey, role, from: fromS, until: untilS });
    keyIds.push(keyId);
  }
  return { statement: { kind: 'keys', keys: admitted }, keyIds };
}

/**
 * Gives up a key: of what it signed, only what stands below the cut-offs counts on. If its window is open or to come, a fresh key
 * takes its place in the same breath, once; `replacement` is its id.
 */
export async function givingUp(
  { keyId, role, fromS, untilS, compromise }: TrustKey,
  cutOffs: readonly CutOff[],
  keys: RegionKeys,
  atS: number,
): Promise<{ statements: StatementDraft[]; replacement: string | undefined }> {
  const version = (compromise?.version ?? 0) + 1;
  const cutoffs = cutOffs.toSorted((a, b) => (a.log < b.log ? -1 : 1));
  const statement: StatementDraft = { kind: 'compromise', key: hexBytes(keyId), version, cutoffs };
  if (untilS <= Math.max(atS, fromS) || compromise !== undefined)
    return { statements: [statement], replacement: undefined };
  const from = Math.max(fromS, atS - (atS % HOUR_S));
  const fresh = await keys.create(role, { role, fromS: from, untilS });
  const admission: StatementDraft = {
    kind: 'keys',
    keys: [{ key: fresh.publicKey, role, from, until: untilS }],
  };
  return { statements: [admission, statement], replacement: fresh.keyId };
}

/**
 * The same for several keys, each with its own cut-offs; what takes their places is admitted by one statement. `replacements` follow the order of
 * the keys.
 */
export async function givingUpAll(
  stolen: readonly { readonly key: TrustKey; readonly cutOffs: readonly CutOff[] }[],
  keys: RegionKeys,
  atS: number,
): Promise<{ statements: StatementDraft[]; replacements: (string | undefined)[] }> {
  const statements: StatementDraft[] = [];
  const fresh: Extract<StatementDraft, { kind: 'keys' }>['keys'] = [];
  const replacements: (string | undefined)[] = [];
  for (const { key, cutOffs } of stolen) {
    const givenUp = await givingUp(key, cutOffs, keys, atS);
    replacements.push(givenUp.replacement);
    for (const statement of givenUp.statements) {
      if (statement.kind === 'keys') fresh.push(...statement.keys);
      else statements.push(statement);
    }
  }
  if (fresh.length > 0) statements.unshift({ kind: 'keys', keys: fresh });
  return { statements, replacements };
}

/**
 * With a fresh trust-log key in front where none is here that can sign: a node that signs nothing announces by it the log that takes the place of the one in use as it logs
 * that a checkpoint key is given up (SPEC.md 5.1). Rejects as `RegionKeys.create`, and as `RegionKeys.trustLogBy` for a file that cannot be used.
 */
export async function withTrustLogKey(
  statements: readonly StatementDraft[],
  state: TrustState,
  keys: Pick<RegionKeys, 'trustLogBy' | 'create'>,
  atS: number,
): Promise<StatementDraft[]> {
  try {
    keys.trustLogBy(state, atS);
    return [...statements];
  } catch (error) {
    if (!isNodeError(error, 'KEY_FILE_MISSING') && !isNodeError(error, 'KEY_NOT_IN_FORCE')) throw error;
  }
  const { statement } = await admitting([successionOf(state, 'trust-log', atS - (atS % HOUR_S))], keys);
  return [statement, ...statements];
}

/** Lets a key that nobody has stolen end before its announced time. What it signed until then stays good. */
export function retiring({ keyId, retirement }: TrustKey, untilS: number): StatementDraft {
  const version = (retirement?.version ?? 0) + 1;
  return { kind: 'retirement', key: hexBytes(keyId), version, until: untilS };
}

/**
 * Whether what somebody signs now by a key may hurt the region, so that the key is to be given up with all that lay beside it. One that is over signs what
 * is dated back to its window, and a code of that may be in force for as long as the trust state keeps the key. By its window as announced: a retirement
 * stops what counts, and no evidence against the region. A checkpoint key contradicts a log whatever its window says.
 */
export function mayStillSign({ role, untilS, retirement, compromise }: TrustKey, atS: number): boolean {
  if (compromise !== undefined) return false;
  return role === 'checkpoint' || atS < (retirement?.announcedUntilS ?? untilS) + TRUST_KEPT_S;
}

/** Of cut-offs of attestation logs, those of logs in which a key can have signed anything by now: the month meets its window, which has begun. */
export function cutOffsWithin(
  cutOffs: readonly CutOff[],
  key: Pick<TrustKey, 'fromS' | 'untilS'>,
  atS: number,
): CutOff[] {
  return key.fromS > atS ? [] : cutOffs.filter(({ log }) => meetsWindow(log, key));
}

/** Whether the month of an attestation log meets the window of a key. */
export function meetsWindow(log: string, { fromS, untilS }: Pick<TrustKey, 'fromS' | 'untilS'>): boolean {
  const month = logMonth(log);
  return month.fromS < untilS && fromS < month.untilS;
}
