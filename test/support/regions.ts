/** Region directories for tests: real files, keys and stores, and a clock that the test sets. */
import { randomFillSync } from 'node:crypto';
import { join } from 'node:path';
import { opensslBackEnd } from '../../node/crypto/openssl.ts';
import { type IssueRequest } from '../../node/issuing/issuer.ts';
import { editConfig } from '../../node/config/config-file.ts';
import { type FoundingOptions, foundRegion } from '../../node/region/found.ts';
import { type RegionModules } from '../../node/region/modules.ts';
import { publishedNetwork } from '../../node/region/published-network.ts';
import { readPublicRegion } from '../../node/region/public-region.ts';
import { openRegion, type OpenRegionModules, type Region } from '../../node/region/region.ts';
import { type Vouched } from '../../node/witness/log-visit.ts';
import { systemClock } from '../../node/system-clock.ts';
import { admitPublicKey } from '../../protocol/signature/noble.ts';
import { type Colour } from '../../protocol/code/status.ts';
import { sha256 } from './primitives.ts';
import { START_S } from './start-time.ts';

export { START_S };
export const DAY_S = 86_400;

/** Modules whose clock is `clock.nowS`. */
export class Clock {
  nowS = START_S;
  readonly modules: RegionModules = {
    ...opensslBackEnd,
    sha256,
    admitPublicKey,
    nowS: () => this.nowS,
    clock: { ...systemClock, nowMs: () => 1_000 * this.nowS },
    random: (bytes) => randomFillSync(new Uint8Array(bytes)),
  };
}

/** Sets a region up below `folder` and gives its path. */
export async function makeRegion(
  folder: string,
  region: string,
  modules: RegionModules,
  options: Partial<FoundingOptions> = {},
): Promise<string> {
  const path = join(folder, region);
  const defaults = { region, network: 'demo', name: region, roots: 1, threshold: 1 };
  await foundRegion(path, { ...defaults, ...options }, modules);
  return path;
}

export interface InRegionOptions {
  /** Public directories that stand in for those of the config, by region. */
  readonly instead?: ReadonlyMap<string, string>;
  readonly withoutPeers?: boolean;
  /** Does not wait until it signs. */
  readonly reading?: boolean;
  readonly modules?: Partial<OpenRegionModules>;
  readonly named?: readonly { readonly region: string; readonly fingerprint: Uint8Array }[];
}

/** Opens a region, uses it, publishes what came of it and closes it. */
export async function inRegion<T>(
  path: string,
  modules: RegionModules,
  use: (region: Region) => Promise<T>,
  { instead, withoutPeers = false, reading = false, named = [], modules: more }: InRegionOptions = {},
): Promise<T> {
  const region = await openRegion(
    path,
    { withoutPeers, node: { onDemand: true, gatherMs: 1, named } },
    { ...modules, networkFor: (ground) => publishedNetwork(ground, modules, instead), ...more },
  );
  try {
    if (!reading) await region.node.whenWriting();
    const result = await use(region);
    if (!reading) await region.publish();
    return result;
  } finally {
    await region.close();
  }
}

/** Lets one region recognise another by its directory, as `entente recognise` does. */
export async function recognise(path: string, peer: string, modules: RegionModules): Promise<void> {
  const { region, fingerprint } = await readPublicRegion(join(peer, 'public'), {}, modules);
  await inRegion(path, modules, async (home) => {
    const from = modules.nowS();
    const version = (home.state.recognition(region)?.version ?? 0) + 1;
    const until = from + 365 * DAY_S;
    const way = 'direct';
    await home.append(
      [{ kind: 'recognition', region, version, fingerprint, way, rules: null, from, until }],
      'root',
    );
    await editConfig(home.layout.config, [
      { at: ['peers', region, 'directory'], value: join(peer, 'public') },
    ]);
  });
}

/** Lets the witness of one region cosign what another publishes at `publicPath`, as `entente witness` does. */
export async function visit(path: string, publicPath: string, modules: RegionModules): Promise<Vouched[]> {
  const { region, fingerprint } = await readPublicRegion(publicPath, {}, modules);
  const vouched: Vouched[] = [];
  await inRegion(
    path,
    modules,
    (home) =>
      home.node.visitor.visit(region, region, async (one) => {
        await home.publishCosignature(one);
        vouched.push(one);
      }),
    { instead: new Map([[region, publicPath]]), named: [{ region, fingerprint }] },
  );
  return vouched;
}

/** `count` requests for green codes that count for a week. */
export function requests(count: number, nowS: number, colour: Colour = 'green'): IssueRequest[] {
  const expiresAtS = nowS + 7 * DAY_S;
  const measure = colour === 'green' ? 'none' : 'isolate';
  const status = {
    colour,
    measure,
    untilS: measure === 'none' ? undefined : expiresAtS,
    expiresAtS,
    ruleId: 'manual',
    ruleVersion: 1,
  } as const;
  return Array.from({ length: count }, (_, i) => ({ subject: `Person ${i + 1}`, fields: { status } }));
}
