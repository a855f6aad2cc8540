/** A region directory that a node in this process holds open, and serves to commands on a real socket. */
import { RunningDesk } from '../../cli/desk/running-desk.ts';
import { AdminServer } from '../../node/http/admin-server.ts';
import { openLog } from '../../node/logging/log.ts';
import { type RegionModules } from '../../node/region/modules.ts';
import { type Region } from '../../node/region/region.ts';
import { joiningFor } from '../../node/service/joining.ts';
import { openNodeIdentity } from '../../node/service/node-identity.ts';
import { REPORT } from './admin-fixture.ts';
import { inRegion } from './regions.ts';

/** Lets a command use it as it does where a node runs. */
export function servedRegion<T>(
  path: string,
  modules: RegionModules,
  use: (desk: RunningDesk, region: Region) => Promise<T>,
): Promise<T> {
  return inRegion(path, modules, async (region) => {
    const { config, layout } = region;
    const { listen, secretFile, deskSecretFile } = config.admin;
    const server = new AdminServer(
      {
        region: config.region,
        listen: layout.resolve(listen),
        secretFile: layout.resolve(secretFile),
        deskSecretFile: layout.resolve(deskSecretFile),
      },
      {
        ...modules,
        node: region.node,
        operators: region.operators,
        trail: region.trail,
        verifiers: region.verifiers,
        report: () => REPORT,
        desk: {
          publish: () => region.publish(),
          leave: () => undefined,
          reload: () => Promise.resolve({ peers: 0, keys: 0 }),
          witness: () => Promise.resolve({ witnessed: [], faults: [] }),
        },
        joining: joiningFor(config, {
          ...modules,
          region,
          identity: await openNodeIdentity(layout.keys, config, modules),
          peers: () => config.peers,
          listens: () => ({ p2p: [], http: '' }),
        }),
        log: openLog({ level: 'warn', format: 'json' }, () => undefined),
      },
    );
    await server.start();
    try {
      return await use(await RunningDesk.open(path, {}, modules), region);
    } finally {
      await server.stop();
    }
  });
}
