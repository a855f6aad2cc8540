/** What a machine does while another one writes: it gives up what that has outrun, and learns who it is. */
import { logError } from '../log/log-error.ts';
import { isNodeError, type NodeError } from '../node-error.ts';
import { type Fence } from './fencing.ts';
import { dropOutrun } from './outrun.ts';
import { type TakingOverModules } from './taking-over.ts';

export interface FollowingModules extends Omit<TakingOverModules, 'writership'> {
  readonly fence?: Fence | undefined;
}

/** Gives why this machine does not sign, where `before` is what was known of that. Rejects as the store. */
export async function follow(modules: FollowingModules, before: NodeError | undefined): Promise<NodeError> {
  const { shelf, fence } = modules;
  for (const { tree } of shelf.ownLogs) await dropOutrun(tree, modules, false);
  try {
    await fence?.writership.look();
    if (fence !== undefined && (await fence.giving.unfinished(shelf.home.tree)).length > 0)
      return logError('LOG_FENCED', BROKEN_OFF);
    const isKnown = before?.code === 'LOG_FENCED' && before.message !== BROKEN_OFF;
    return isKnown ? before : logError('LOG_FENCED', 'this machine was started as the standby');
  } catch (error) {
    if (isNodeError(error)) return error;
    throw error;
  }
}

const BROKEN_OFF =
  'this machine follows, and an order of the root that gives a checkpoint key up broke off here: witnesses may take no word by that key. Give the order once more, or promote this machine';
