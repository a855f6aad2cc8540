/** Weighing what people are to get by orders where what is kept of one of them is damaged: that is a matter of this one alone, and holds up no worse news. */
import { NodeError } from '../node-error.ts';
import { answersPastDamage } from '../registry/past-damage.ts';
import { pastDamage, type Reading } from '../registry/readable.ts';
import { isRegistryDamage } from '../registry/registry-error.ts';
import { type Registry } from '../registry/registry.ts';
import { type Claim, type Weighed } from './claim.ts';
import { type ContradictionModules, contradictionsOf } from './contradictions.ts';

export interface WeighingModules extends ContradictionModules {
  readonly registry: Reading & Pick<Registry, 'manualOf' | 'runningOf' | 'papers'>;
}

/**
 * As `contradictionsOf`, in the order of the claims; REFUSED for whoever holds what cannot be read, since it may be stricter than what they are to get. Red they
 * get, but where it is told alone: nothing that is known of them gives it then. Rejects as `contradictionsOf`, but for that, and where nobody can tell which lists are in force.
 */
export async function weighedOf(
  claims: readonly Claim[],
  modules: WeighingModules,
): Promise<readonly (Weighed | NodeError)[]> {
  const weighed = await answersPastDamage(claims, (some) => contradictionsOf(some, modules));
  if (weighed.some((one) => one instanceof NodeError)) await modules.lists.inForce();
  const each = weighed.map(async (one, i) => {
    const { [i]: claim } = claims;
    return one instanceof NodeError && claim !== undefined ? weighedPast(claim, one, modules) : one;
  });
  return Promise.all(each);
}

async function weighedPast(
  claim: Claim,
  damage: NodeError,
  modules: WeighingModules,
): Promise<Weighed | NodeError> {
  if (claim.status.colour !== 'red') return unreadable(damage);
  const registry = { ...pastDamage(modules.registry, claim.atS), papers: modules.registry.papers };
  try {
    const [weighed] = await contradictionsOf([claim], { ...modules, registry, areUnread: true });
    return weighed ?? unreadable(damage);
  } catch (error) {
    if (!isRegistryDamage(error)) throw error;
    return unreadable(error);
  }
}

/** Why somebody gets nothing that might be looser than what they hold. */
export function unreadable(cause: NodeError): NodeError {
  return new NodeError('REFUSED', `what is kept of the person cannot be read: ${cause.message}`, {
    cause,
    hint: 'Restore the registry from its backup. Until then rules give this person nothing but red, and everybody else what is theirs.',
  });
}
