/** Why nobody is asked about, or updated, now. */
import { NodeError } from '../node-error.ts';

export function staysUnknown(): NodeError {
  return new NodeError('REFUSED', 'somebody told of stays, and no list says which areas are at risk', {
    hint: 'Import the areas at risk: entente lists example areas',
  });
}

/** One operator alone decides by no other rules than all updates do. */
export function otherThanOwn(own: string): NodeError {
  return new NodeError('REFUSED', `people who declared are judged by the rules ${own} here`, {
    hint: 'See what others would change with --dry-run. To judge by them, make them those of the region: life.rules in the settings.',
  });
}

export function alreadyUpdating(): NodeError {
  return new NodeError('REFUSED', 'colours are being updated already', {
    hint: 'Wait for that run to end.',
    retry: true,
  });
}
