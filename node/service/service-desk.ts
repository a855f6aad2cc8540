/** What the operator of a running node does with its directory: publishing, taking up what has changed there, witnessing. */
import { hexOf } from '../../protocol/bytes.ts';
import { isProtocolError } from '../../protocol/fault.ts';
import { type Overlay } from '../config/overlay.ts';
import { type Config } from '../config/schema.ts';
import { type OperatorDesk } from '../http/desk-routes.ts';
import { type WitnessedReport } from '../http/admin-schemas.ts';
import { isNodeError } from '../node-error.ts';
import { readRegionConfig } from '../region/layout.ts';
import { type Region } from '../region/region.ts';
import { type Vouched } from '../witness/log-visit.ts';

export interface ServiceDeskOptions {
  /** What stands over the config's file. */
  readonly over: Overlay;
}

export interface ServiceDeskModules {
  readonly region: Region;
  /** Who can be asked now, and of what region each is. */
  readonly peers: () => readonly string[];
  readonly regionOf: (peer: string) => string | undefined;
  readonly takePeers: (peers: Config['peers']) => void;
  readonly leave: () => void;
}

export class ServiceDesk implements OperatorDesk {
  readonly #options: ServiceDeskOptions;
  readonly #modules: ServiceDeskModules;

  constructor(options: ServiceDeskOptions, modules: ServiceDeskModules) {
    this.#options = options;
    this.#modules = modules;
  }

  publish(): Promise<void> {
    return this.#modules.region.publish();
  }

  leave(): void {
    this.#modules.leave();
  }

  /** Whom it mirrors is taken up at the next start only. */
  async reload(): Promise<{ peers: number; keys: number }> {
    const { region, takePeers } = this.#modules;
    const { peers } = await readRegionConfig(region.layout, this.#options.over);
    takePeers(peers);
    return { peers: Object.keys(peers).length, keys: await region.keys.refresh() };
  }

  /** A peer that lies or is gone must not keep the others from being vouched for. */
  async witness(wanted?: readonly string[]): Promise<WitnessedReport> {
    const { region: home, peers, regionOf } = this.#modules;
    const byRegion = new Map<string, string[]>((wanted ?? []).map((region) => [region, []]));
    for (const peer of peers()) {
      const region = regionOf(peer);
      if (region === undefined || region === home.config.region) continue;
      if (wanted === undefined || byRegion.has(region))
        byRegion.set(region, [...(byRegion.get(region) ?? []), peer]);
    }
    const report: WitnessedReport = { witnessed: [], faults: [] };
    for (const [region, askable] of byRegion) {
      try {
        for (const { origin, size, root, sizeBefore } of await this.#visit(region, askable)) {
          report.witnessed.push({ origin, size, root: hexOf(root), sizeBefore });
        }
      } catch (error) {
        report.faults.push({ region, ...faultOf(error) });
      }
    }
    return report;
  }

  /** The first of a region's peers that can be asked is enough; one that shows a wrong log is not passed over. */
  async #visit(region: string, peers: readonly string[]): Promise<readonly Vouched[]> {
    const { region: home } = this.#modules;
    let unreachable: unknown = new Error('no node and no directory of it is known here');
    for (const peer of peers) {
      const vouched: Vouched[] = [];
      try {
        await home.node.visitor.visit(peer, region, async (one) => {
          await home.publishCosignature(one);
          vouched.push(one);
        });
        return vouched;
      } catch (error) {
        if (!isNodeError(error, 'PEER_UNREACHABLE')) throw error;
        unreachable = error;
      }
    }
    throw unreachable;
  }
}

function faultOf(error: unknown): { code: string; message: string } {
  if (isProtocolError(error)) return { code: error.fault.code, message: error.message };
  if (isNodeError(error)) return { code: error.code, message: error.message };
  return { code: 'PEER_UNREACHABLE', message: error instanceof Error ? error.message : String(error) };
}
