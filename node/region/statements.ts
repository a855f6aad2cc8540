/** The statements that a region's keys are kept up with. Each list belongs together and is logged in one batch. */
import { hexBytes } from '../../protocol/bytes.ts';
import { type KeyRole, type TrustKey, type TrustState } from '../../protocol/trust/trust-state.ts';
import { type StatementDraft } from '../log/trust-log-work.ts';
import { missingLogs, missingWindows } from './key-schedule.ts';
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
  const admitted: { key: Uint8Array; role: KeyRole; from: number; until: number }[] = [];
  for (const window of missingWindows(state, atS)) {
    const { role, fromS, untilS } = window;
    const { publicKey } = await keys.create(role, window);
    admitted.push({ key: publicKey, role, from: fromS, until: untilS });
  }
  const logs = missingLogs(state, atS).map((log) => ({ kind: 'log', log, minimum: 0 }) as const);
  const ofKeys = admitted.length > 0 ? [{ kind: 'keys', keys: admitted } as const] : [];
  return { statements: [...ofKeys, ...logs], keys: admitted.length, logs: logs.length };
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
  if (untilS <= atS || compromise !== undefined) return { statements: [statement], replacement: undefined };
  const from = Math.max(fromS, atS - (atS % HOUR_S));
  const fresh = await keys.create(role, { role, fromS: from, untilS });
  const admission: StatementDraft = {
    kind: 'keys',
    keys: [{ key: fresh.publicKey, role, from, until: untilS }],
  };
  return { statements: [admission, statement], replacement: fresh.keyId };
}
