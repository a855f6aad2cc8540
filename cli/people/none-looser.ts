/** What a run of codes by rules ends with. */
import { NodeError } from '../../node/node-error.ts';
import { byPlace } from '../../node/registry/pages.ts';
import { type Desk } from '../desk/desk.ts';
import { type IssuedCode } from './codes-file.ts';

/**
 * Whoever had issued codes by rules may have ended before it had revoked what is looser.
 * @throws {NodeError} REVOCATIONS_EXCEEDED, REGISTRY_CORRUPT where looser codes of these people pass on, or may.
 */
export async function requireNoneLooser(
  issued: ReadonlyMap<string, IssuedCode>,
  desk: Pick<Desk, 'finishOrders'>,
): Promise<void> {
  const { holders, unread } = await desk.finishOrders();
  const left = [...holders].filter((subject) => issued.has(subject)).length;
  if (left > 0)
    throw new NodeError('REVOCATIONS_EXCEEDED', `looser codes of ${left} people of this run pass on`, {
      retry: true,
      hint: 'Give the order again in the next hour; `entente doctor` tells of a log in trouble.',
    });
  const damaged = [...issued.values()].filter((code) => unread.some((place) => byPlace(code, place) === 0));
  if (damaged.length > 0)
    throw new NodeError(
      'REGISTRY_CORRUPT',
      `looser codes of ${damaged.length} people of this run may pass on, since the registry cannot tell what they hold`,
      { hint: 'Restore the registry from its backup, and give the order again.' },
    );
}
