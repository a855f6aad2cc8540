/** Which logs' codes can still be revoked. */
import { isLogOver } from '../../protocol/trust/pruning.ts';
import { type TrustState } from '../../protocol/trust/trust-state.ts';
import { logError } from '../log/log-error.ts';
import { type NodeError } from '../node-error.ts';

/** Whether a revocation in the log that is signed at `nowS` has an effect: not more than 31 days after its month, when no code of it passes. */
export function isRevocable(log: string, { lastAtS }: Pick<TrustState, 'lastAtS'>, nowS: number): boolean {
  return !isLogOver(log, Math.max(lastAtS, nowS));
}

/** What whoever wants to revoke in logs that are over is told; `what` names codes of these. */
export function logOver(what: string): NodeError {
  return logError('LOG_OVER', `${what}: more than 31 days after the month no code can pass or be revoked`);
}
