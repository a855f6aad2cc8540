/** The peers that an operator names in the config, before any log does. */
import { type Config } from '../config/schema.ts';
import { type InvitedPeer } from './peer-directory.ts';

/** Peers whose nodes the config names: `/p2p/` and a name at the end of an address. */
export function namedPeers(peers: Config['peers']): InvitedPeer[] {
  return Object.entries(peers).flatMap(([region, { addresses = [] }]) => {
    const byName = new Map<string, string[]>();
    for (const address of addresses) {
      const [bare = '', peer] = address.split('/p2p/');
      if (peer !== undefined) byName.set(peer, [...(byName.get(peer) ?? []), bare]);
    }
    return [...byName].map(([peer, bare]) => ({ peer, region, addresses: bare }));
  });
}
