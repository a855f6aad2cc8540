/** A tree of an own log that somebody else has seen and that a key signed which was given up, in words. */
import { type RunningStatus } from './desk/node-status.ts';
import { figure } from './output.ts';
import { printable } from './printable.ts';

export function leftText({
  origin,
  size,
  keyIds,
  isLarger,
}: NonNullable<RunningStatus['left']>[number]): string {
  const tree = isLarger ? 'a larger tree' : 'another tree';
  const keys = keyIds.length === 0 ? '' : `, key ${keyIds.map(printable).join(', ')}`;
  return `a witness left ${tree} of ${printable(origin)}, signed by a key that was given up: ${figure(size)} entries${keys}`;
}
