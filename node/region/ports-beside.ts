/** Ports of regions whose directories lie side by side, as on a machine where somebody tries things out. */
import { dirname, join, resolve } from 'node:path';
import { type Config } from '../config/schema.ts';
import { namesIn } from './files.ts';
import { readRegionConfig, RegionLayout } from './layout.ts';

export interface NodePorts {
  readonly http: number;
  readonly p2p: number;
}

const FIRST: NodePorts = { http: 8_600, p2p: 4_600 };
/** Directories that are looked at; with more of them nobody types each. */
const LOOKED_AT_MAX = 1_024;

/** The first pair, counted up together from 8600 and 4600, of which no region beside `path` has either. */
export async function portsBeside(path: string): Promise<NodePorts> {
  const folder = dirname(resolve(path));
  const taken = new Set<number>();
  for (const name of (await namesIn(folder)).slice(0, LOOKED_AT_MAX)) {
    // What cannot be read has no ports that anybody could use.
    const config = await readRegionConfig(new RegionLayout(join(folder, name))).catch(() => undefined);
    for (const port of config === undefined ? [] : portsOf(config)) taken.add(port);
  }
  for (let step = 0; ; step++) {
    const ports = { http: FIRST.http + step, p2p: FIRST.p2p + step };
    if (!taken.has(ports.http) && !taken.has(ports.p2p)) return ports;
  }
}

/** All TCP ports that the node of a region listens on by its config, the operator's not counted; 0 takes any. */
export function portsOf({ http, p2p }: Pick<Config, 'http' | 'p2p'>): number[] {
  return [http.port, ...p2p.listen.map(portOf)].filter((port) => port > 0);
}

/** The port of a multiaddr as the config takes it. */
export function portOf(address: string): number {
  return Number(/\/tcp\/(\d+)/.exec(address)?.[1] ?? 0);
}
