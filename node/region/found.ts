/** Setting up a region: root keys, trust keys for 90 days, the logs of the coming months, its first entries. */
import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import { createConfig, parseConfig } from '../config/config-file.ts';
import { firstConfigFile } from '../config/first-file.ts';
import { type ConfigInput } from '../config/schema.ts';
import { type StatementDraft } from '../log/trust-log-work.ts';
import { NodeError } from '../node-error.ts';
import { makeDirectory, moveFile, namesIn, removeTree } from './files.ts';
import { RegionLayout } from './layout.ts';
import { type RegionModules } from './modules.ts';
import { type NodePorts } from './ports-beside.ts';
import { publishedNetwork } from './published-network.ts';
import { startRegion } from './region.ts';
import { RegionKeys } from './region-keys.ts';
import { upkeep } from './statements.ts';

export interface FoundingOptions {
  readonly region: string;
  readonly network: string;
  /** What the region calls itself: 1 to 64 bytes. */
  readonly name: string;
  /** Root keys, 1 to 16, of which `threshold` sign together. */
  readonly roots: number;
  readonly threshold: number;
  /** Where its node will listen on loopback, if not at the default ports. */
  readonly ports?: NodePorts;
}

/**
 * Sets a region up and gives the fingerprint of its root. The directory appears whole or not at all.
 * @throws {NodeError} DIRECTORY_EXISTS unless there is nothing at `path` or an empty directory.
 */
export async function foundRegion(
  path: string,
  options: FoundingOptions,
  modules: RegionModules,
): Promise<Uint8Array> {
  const target = resolve(path);
  if ((await namesIn(target)).length > 0) {
    throw new NodeError('DIRECTORY_EXISTS', `${path} is not empty`, {
      hint: 'Nothing was changed. Name another directory, or remove this one if you are sure.',
    });
  }
  const making = `${target}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    const fingerprint = await fill(new RegionLayout(making), options, modules);
    await moveFile(making, target);
    return fingerprint;
  } catch (error) {
    await removeTree(making);
    throw error;
  }
}

async function fill(
  layout: RegionLayout,
  options: FoundingOptions,
  modules: RegionModules,
): Promise<Uint8Array> {
  const { region, network, name, roots, threshold, ports } = options;
  const values = { format: 1, region, network, name, ...(ports && listening(ports)) } as const;
  await makeDirectory(layout.keys, 0o700);
  const keys = await RegionKeys.create(layout.keys, { region, network }, modules);
  const rootKeys: Uint8Array[] = [];
  for (let i = 0; i < roots; i++) rootKeys.push((await keys.create('root')).publicKey);
  rootKeys.sort((a, b) => Buffer.compare(a, b));
  const root: StatementDraft = { kind: 'root', region, network, name, version: 1, threshold, keys: rootKeys };
  const founded = await startRegion(
    { layout, config: parseConfig(layout.config, firstConfigFile(values)), keys },
    {},
    { ...modules, networkFor: (ground) => publishedNetwork(ground, modules) },
  );
  try {
    await founded.node.whenWriting();
    const { statements } = await upkeep(founded.state, keys, modules.nowS());
    await founded.appendSigned([root, ...statements], await keys.rootsAmong(rootKeys, threshold));
    await founded.publish();
    const { fingerprint } = founded.state;
    if (fingerprint === undefined) throw new TypeError('a trust log begins with a root');
    await createConfig(layout.config, { ...values, fingerprint: Buffer.from(fingerprint).toString('hex') });
    return fingerprint;
  } finally {
    await founded.close();
  }
}

function listening({ http, p2p }: NodePorts): Pick<ConfigInput, 'http' | 'p2p'> {
  return { p2p: { listen: [`/ip4/127.0.0.1/tcp/${p2p}`] }, http: { port: http } };
}
