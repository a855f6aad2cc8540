/** Regions that are to run side by side: each needs ports that neither another of them nor another process has. */
import { type NamedSettings } from '../../node/config/overlay.ts';
import { type Config } from '../../node/config/schema.ts';
import { portOf } from '../../node/region/ports-beside.ts';
import { freePorts, isFreePort } from './free-port.ts';

/** Settings over a config, by which its node listens elsewhere. */
export type PortSettings = NamedSettings;

/** By region; empty where the config can stay as it is. Those named first keep their ports. */
export async function workablePorts(
  configs: readonly Pick<Config, 'region' | 'http' | 'p2p'>[],
): Promise<ReadonlyMap<string, PortSettings>> {
  const taken = new Set<number>();
  /** The port itself or, where that is taken, one that nobody has. */
  const workable = async (port: number, address?: string): Promise<number> => {
    let given = port;
    if (port !== 0 && (taken.has(port) || !(await isFreePort(port, address)))) {
      do [given = 0] = await freePorts(1);
      while (taken.has(given));
    }
    taken.add(given);
    return given;
  };
  const settings = new Map<string, PortSettings>();
  for (const { region, http, p2p } of configs) {
    const changed: [string, string][] = [];
    const port = await workable(http.port, http.address);
    if (port !== http.port) changed.push(['http.port', String(port)]);
    const listen: string[] = [];
    for (const address of p2p.listen) {
      listen.push(address.replace(/\/tcp\/\d+/, `/tcp/${await workable(portOf(address))}`));
    }
    if (listen.join() !== p2p.listen.join()) changed.push(['p2p.listen', listen.join()]);
    settings.set(region, changed);
  }
  return settings;
}
