/** Joining in a process: what it needs of the node, its identity and where that is reached. */
import { hexBytes } from '../../protocol/bytes.ts';
import { type Config } from '../config/schema.ts';
import { bringAnswer } from '../http/joining-client.ts';
import { JoiningDesk } from '../joining/joining-desk.ts';
import { type Region } from '../region/region.ts';
import { type RegionModules } from '../region/modules.ts';
import { announcedAddresses } from './announcer.ts';
import { type NodeIdentityKey } from './node-identity.ts';

export interface JoiningModules extends RegionModules {
  readonly region: Region;
  readonly identity: NodeIdentityKey;
  readonly peers: () => Config['peers'];
  readonly listens: () => { readonly p2p: readonly string[]; readonly http: string };
}

export function joiningFor(
  config: Config,
  { region, identity, peers, listens, ...modules }: JoiningModules,
): JoiningDesk {
  return new JoiningDesk(config, {
    ...modules,
    book: region.node.joinings,
    identity: modules.signerOf(identity.seed),
    trust: () => region.node.trust,
    pinOf: (of) => {
      const pin = peers()[of]?.fingerprint;
      return pin === undefined ? undefined : hexBytes(pin);
    },
    addresses: () => ({ http: listens().http, p2p: announcedAddresses(config, listens().p2p) }),
    bring: bringAnswer,
  });
}
