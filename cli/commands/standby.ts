/** `entente standby make`: a second machine for a region, which can take over. */
import { resolve } from 'node:path';
import { type Command } from 'commander';
import { editConfig } from '../../node/config/config-file.ts';
import { NodeError } from '../../node/node-error.ts';
import { OPERATORS_BYTES_MAX } from '../../node/operators/operators.ts';
import { makeDirectory, modeOf, readFileIfPresent, writeFileAtomically } from '../../node/region/files.ts';
import { keyNamesIn, readKeyFile, writeKeyFile } from '../../node/region/key-file.ts';
import { readRegionConfig, RegionLayout } from '../../node/region/layout.ts';
import { type RegionModules } from '../../node/region/modules.ts';
import { openNodeIdentity } from '../../node/service/node-identity.ts';
import { hexOf } from '../../protocol/bytes.ts';
import { type Cli, examples } from '../cli.ts';
import { quoted } from '../doctor/finding.ts';
import { usageError } from '../exit.ts';
import { printable } from '../printable.ts';
import { regionModules } from '../region.ts';

const CONFIG_BYTES_MAX = 1_048_576;

export function addStandby(program: Command, cli: Cli): void {
  const standby = program
    .command('standby')
    .summary('make a second machine that can take over')
    .description(
      'A second machine of a region: it follows, gives verdicts, and signs nothing until it is promoted.',
    );
  standby
    .command('make')
    .description(
      'Makes the directory of a standby beside that of a region: its config, its operators and its keys but those of the root, and a node identity of its own. Both say of each other in writer.standby, and that witnesses fence who writes.',
    )
    .argument('<region>', 'directory of the region')
    .argument('<new>', 'directory of the standby, which does not exist yet; bring it to the other machine')
    .requiredOption('--address <multiaddr>', 'where the standby will listen; give it once for each', collect)
    .addHelpText(
      'after',
      examples(['entente standby make DE DE-2 --address /ip4/192.0.2.9/tcp/4600', 'then start DE again']),
    )
    .action((path: string, other: string, options: { readonly address: readonly string[] }) =>
      make(cli, path, other, options.address),
    );
}

function collect(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text];
}

async function make(cli: Cli, path: string, other: string, addresses: readonly string[]): Promise<void> {
  const from = new RegionLayout(resolve(path));
  const to = new RegionLayout(resolve(other));
  const config = await readRegionConfig(from);
  if (config.writer.standby !== undefined)
    throw usageError(`${path} has a standby already: writer.standby names it`);
  if ((await modeOf(to.path)) !== undefined) throw usageError(`${other} exists already`);
  const modules = await regionModules(cli);
  const text = await readFileIfPresent(from.config, CONFIG_BYTES_MAX);
  if (text === undefined) throw new NodeError('DIRECTORY_MISSING', `there is no region in ${path}`);
  await makeDirectory(to.path, 0o700);
  await makeDirectory(to.keys, 0o700);
  const copied = await copyKeys(from, to, config);
  const operators = await readFileIfPresent(from.operators, OPERATORS_BYTES_MAX);
  if (operators !== undefined)
    await writeFileAtomically(to.operators, new TextDecoder().decode(operators), { mode: 0o600 });
  const identity = await openNodeIdentity(to.keys, config, modules);
  const first = await firstOf(from, config, modules);
  await writeFileAtomically(to.config, new TextDecoder().decode(text));
  await editConfig(to.config, [
    { at: ['writer', 'fenced'], value: true },
    { at: ['writer', 'standby'], value: first },
    { at: ['p2p', 'listen'], value: [...addresses] },
    { at: ['p2p', 'announce'], value: undefined },
    ...(operators === undefined ? [] : [{ at: ['admin', 'requireOperators'], value: true }]),
  ]);
  const key = hexOf(identity.publicKey);
  await editConfig(from.config, [
    { at: ['writer', 'fenced'], value: true },
    { at: ['writer', 'standby'], value: { key, addresses: [...addresses] } },
  ]);
  cli.output.result({ region: config.region, directory: to.path, key, keys: copied }, () => [
    `${printable(to.path)} is the directory of a standby of ${config.region}: ${copied} keys, and a node identity of its own.`,
    'What comes next:',
    `  1. Start the node of ${printable(path)} again: it announces the standby, and witnesses fence it from then on.`,
    `  2. Bring ${printable(other)} to the other machine by a safe way: it holds secret keys.`,
    `  3. There: entente run ${quoted(other)} --standby`,
    operators === undefined
      ? 'No operators are named yet: name them on both machines later, or copy operators.json.'
      : 'It has the same operators. Later changes go to both machines; each has a trail of its own.',
  ]);
}

type Names = Parameters<typeof openNodeIdentity>[1];

/** All but those of the root, which lie on no machine that runs, and the identity, of which each machine has its own. */
async function copyKeys(from: RegionLayout, to: RegionLayout, names: Names): Promise<number> {
  const { region, network } = names;
  let copied = 0;
  for (const { role, keyId } of await keyNamesIn(from.keys)) {
    if (role === 'root' || role === 'node') continue;
    const name = { region, network, role, keyId };
    const secret = await readKeyFile(from.keys, name);
    await writeKeyFile(to.keys, { ...name, secretKey: Buffer.from(secret).toString('hex') });
    copied++;
  }
  return copied;
}

/** The machine that there is already, as the standby is told of it. */
async function firstOf(
  layout: RegionLayout,
  config: Awaited<ReturnType<typeof readRegionConfig>>,
  modules: RegionModules,
): Promise<{ readonly key: string; readonly addresses: string[] }> {
  const { publicKey } = await openNodeIdentity(layout.keys, config, modules);
  const { announce, listen } = config.p2p;
  return { key: hexOf(publicKey), addresses: [...(announce.length > 0 ? announce : listen)] };
}
