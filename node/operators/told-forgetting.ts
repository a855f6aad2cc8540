/** The trail of a machine that forgets codes because the other machine of its region says so, where the trail names who ordered it. */
import { NodeError } from '../node-error.ts';
import { type Place } from '../registry/place-cipher.ts';
import { type Trail } from './trail.ts';

/** Notes that a code of a log is about to be forgotten; the trail tells of nobody whose it was. Rejects as `Trail.append`, and before there is a trail. */
export function notingForgetting(trail: () => Pick<Trail, 'append'> | undefined) {
  return async ({ log }: Place): Promise<void> => {
    const open = trail();
    if (open === undefined)
      throw new NodeError('STORE_BUSY', 'the trail is not open yet', { retry: true, hint: 'Ask again.' });
    await open.append({ who: 'other-machine', action: 'forget', about: log, count: 1 });
  };
}
