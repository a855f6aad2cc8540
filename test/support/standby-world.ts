/** A region whose writer witnesses fence, and a second machine of it that follows. */
import { type RegionNode } from '../../node/core/region-node.ts';
import { testKey } from './keys.ts';
import { NodeWorld } from './node-fixture.ts';

export const FIRST = testKey(101).publicKey;
export const SECOND = testKey(102).publicKey;
export const SPARE = 'DE#2';
export const TRUST = 'DE.test/trust';

/** DE writes where FR and IT, and more if they are named, fence it; a second machine of it follows. */
export async function withStandby(others: readonly string[] = ['FR', 'IT']): Promise<NodeWorld> {
  const world = new NodeWorld();
  const regions = ['DE', ...others];
  for (const region of regions) await world.found(region);
  for (const [i, one] of regions.entries())
    for (const other of regions.slice(i + 1)) await world.befriend(one, other);
  await world.pass(15);
  await world.kill('DE', { inOrder: true });
  world.replace('DE', { fenced: { identity: FIRST } });
  await world.boot('DE');
  world.addMachine(SPARE, { fenced: { identity: SECOND, isStandby: true } });
  await world.boot(SPARE, follows(world));
  return world;
}

export function follows(world: NodeWorld): (node: RegionNode) => boolean {
  const size = () => world.node('FR').status.sizes[TRUST];
  return (node) => node.status.writing === 'standby' && node.status.sizes[TRUST] === size();
}
