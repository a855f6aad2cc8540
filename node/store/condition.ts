/** The conditions of a store, and what a caller hears in each. */
import { type NodeError } from '../node-error.ts';
import { storeError } from './store-error.ts';

/**
 * `serving` all; `recovering`: calls wait; `full`: reads only, until there is space again; `read-only`: until started
 * anew; `down`: nothing, tried again if the reason says `retry`; `closed`: not started, or stopped.
 */
export type StoreState = 'serving' | 'recovering' | 'full' | 'read-only' | 'down' | 'closed';

export interface StoreCondition {
  readonly state: StoreState;
  /** Why it is not serving, where there is more to say than the state. */
  readonly reason: NodeError | undefined;
}

/** What refuses a call in this condition; undefined where it is served, now or after a wait. */
export function refusalOf({ state, reason }: StoreCondition, call: 'read' | 'write'): NodeError | undefined {
  const cause = reason === undefined ? {} : { cause: reason };
  const why = reason === undefined ? '' : ` (${reason.message})`;
  switch (state) {
    case 'serving':
    case 'recovering':
      return undefined;
    case 'full':
      if (call === 'read') return undefined;
      return storeError('STORE_FULL', 'nothing was written: free space on the disk, then it goes on', cause);
    case 'read-only':
      if (call === 'read') return undefined;
      return storeError('STORE_READ_ONLY', `nothing was written${why}: mend the cause and restart`, cause);
    case 'down':
      return storeError('STORE_DOWN', `the store cannot be opened${why}`, cause);
    case 'closed':
      return storeError('STORE_CLOSED', 'the store is not started, or was stopped', cause);
  }
}
