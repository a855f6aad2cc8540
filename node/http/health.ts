/** Whether a node can be asked: for load balancers and orchestrators. */
import { type NodeStatus } from '../core/node-status.ts';

export interface Health {
  readonly ready: boolean;
  /** Why not, and what else an operator should know. */
  readonly reasons: readonly string[];
}

export interface HealthOptions {
  readonly home: string;
  /** Seconds: knowledge of the home that is older makes every verdict undetermined. */
  readonly knowledgeAgeSMax: number;
}

/** A node that cannot sign is still ready: verdicts need the logs alone. */
export function healthOf(status: NodeStatus, { home, knowledgeAgeSMax }: HealthOptions): Health {
  const reasons: string[] = [];
  const isServing = status.store === 'serving' || status.store === 'full' || status.store === 'read-only';
  if (status.store !== 'serving') reasons.push(`the store is ${status.store}`);
  const own = status.knowledge.find(({ region }) => region === home);
  const isFresh = own?.ageS !== undefined && own.ageS <= knowledgeAgeSMax;
  if (own === undefined) reasons.push('nothing is known of the home yet');
  else if (own.ageS === undefined) reasons.push('too few regions vouch for the log of the home');
  else if (!isFresh) reasons.push(`knowledge of the home is ${Math.round(own.ageS)} s old`);
  const ready = isServing && isFresh;
  if (status.writing !== 'writing') reasons.push(`it does not sign: ${status.writing}`);
  return { ready, reasons };
}
