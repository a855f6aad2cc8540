/** The peers that an operator names in the config, before any log does. */
import { hexBytes } from '../../protocol/bytes.ts';
import { type Config } from '../config/schema.ts';
import { type InvitedPeer } from './peer-directory.ts';
import { peerNameOf } from './peer-name.ts';

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

/** The other machine of the region, where it has one: a standby that holds no log yet knows nobody else. */
export function otherMachine({ region, writer }: Pick<Config, 'region' | 'writer'>): InvitedPeer | undefined {
  const { standby } = writer;
  if (standby === undefined) return undefined;
  const addresses = standby.addresses.map((address) => address.split('/p2p/')[0] ?? address);
  return { peer: peerNameOf(hexBytes(standby.key)), region, addresses };
}
