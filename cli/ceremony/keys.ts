/** `entente root init|seal|rotate`: keys of the root, sealed on media of their own. */
import { realpathSync } from 'node:fs';
import { type Command, InvalidArgumentError } from 'commander';
import { removeFile } from '../../node/region/files.ts';
import { keyFilePath, keyNamesIn, readKeyFile } from '../../node/region/key-file.ts';
import { readRegionConfig, RegionLayout } from '../../node/region/layout.ts';
import {
  openSealedKey,
  readSealedKey,
  type SealedKey,
  sealKey,
  writeSealedKey,
} from '../../node/region/sealed-key.ts';
import { type RegionModules } from '../../node/region/modules.ts';
import { hexBytes, hexOf } from '../../protocol/bytes.ts';
import { ROOT_KEYS_MAX } from '../../protocol/limits.ts';
import { isNetwork } from '../../protocol/log/origin.ts';
import { type Cli, examples } from '../cli.ts';
import { withDesk } from '../desk/with-desk.ts';
import { CliError, EXIT, usageError } from '../exit.ts';
import { aligned, counted } from '../output.ts';
import { printable } from '../printable.ts';
import {
  namedDirectory,
  parseNewFile,
  parseRegionId,
  regionModules,
  type SigningOptions,
  withoutPeersOption,
} from '../region.ts';
import { appendByRoot } from './by-root.ts';
import { type PassphraseOptions, passphraseOption, readNewPassphrases } from './passphrase.ts';

interface MediaOptions extends PassphraseOptions {
  readonly medium: readonly string[];
}

interface InitOptions extends MediaOptions {
  readonly network?: string;
}

interface RotateOptions extends SigningOptions {
  readonly key: readonly string[];
  readonly threshold?: number;
  readonly draft: string;
}

const SECRET_BYTES = 32;
/** As of `entente init`. */
const NETWORK = 'demo';

export function addRootKeys(root: Command, cli: Cli): void {
  root
    .command('init')
    .description(
      'Makes further keys for the root of a region that is there, sealed by a passphrase, one on each medium. They count once `root rotate` names them, in the network for which they were made. The first root of a region is made by `entente init`, with the region itself, and by nothing else.',
    )
    .argument('<region>', 'id of the region')
    .option('--network <network>', `network that the region belongs to (default: ${NETWORK})`)
    .requiredOption('--medium <folder>', 'where a key is to be kept; give it once for each', collect)
    .addOption(passphraseOption())
    .addHelpText(
      'after',
      examples([
        'entente root init DE --network example --medium usb1 --medium usb2 --medium usb3 --passphrase-file pass.txt',
        'three keys, on three media',
      ]),
    )
    .action((region: string, options: InitOptions) => init(cli, region, options));
  root
    .command('seal')
    .description(
      'Moves the root keys out of a region’s directory: each is sealed by a passphrase, on a medium of its own.',
    )
    .argument('<region>', 'directory of the region')
    .requiredOption('--medium <folder>', 'where a key is to be kept; give it once for each', collect)
    .addOption(passphraseOption())
    .addHelpText(
      'after',
      examples([
        'entente root seal DE --medium usb1 --passphrase-file pass.txt',
        'right after `entente init`, before it meets a network',
      ]),
    )
    .action((region: string, options: MediaOptions) => seal(cli, region, options));
  root
    .command('rotate')
    .description(
      'Drafts that other keys are the root from now on. Enough of the old ones and of the new ones sign it; the fingerprint stays.',
    )
    .argument('<region>', 'directory of the region')
    .requiredOption('--key <hex>', 'public key of the new root; give it once for each', collect)
    .option('--threshold <k>', 'keys that sign together (default: more than half)', parseCount)
    .requiredOption('--draft <file>', 'file to write, for `entente root sign`', parseNewFile)
    .addOption(withoutPeersOption())
    .addHelpText(
      'after',
      examples([
        `entente root rotate DE --key ${'d7'.repeat(32)} --draft rotation.json`,
        'keys that stay are named too',
      ]),
    )
    .action((region: string, options: RotateOptions) => rotate(cli, region, options));
}

async function init(cli: Cli, id: string, options: InitOptions): Promise<void> {
  const { network = NETWORK, medium, passphraseFile } = options;
  const region = parseRegionId(id);
  if (!isNetwork(network)) throw usageError(`expected the name of a network, not ${printable(network)}`);
  requireMedia(medium);
  const modules = await regionModules(cli);
  const passphrases = await readNewPassphrases(cli, medium.map(keyOn), { passphraseFile });
  const sealed = passphrases.map((passphrase) =>
    sealKey(modules.random(SECRET_BYTES), { region, network, passphrase }, modules),
  );
  const files = await writeAll(sealed, medium, modules);
  const made = sealed.map(({ publicKey }, i) => ({ publicKey: hexOf(publicKey), file: files[i] as string }));
  cli.output.result({ region, network, keys: made }, () => [
    `Made ${counted(made.length, 'key')} for the root of ${region} in network ${network}. Their public keys:`,
    ...aligned(
      made.map(({ publicKey, file }) => [publicKey, printable(file)]),
      '  ',
    ),
    'They count for nothing until `entente root rotate` names them.',
  ]);
  if (options.network === undefined)
    cli.output.note(
      `No --network was told: these keys are of the network ${network} and sign in no other. If ${region} belongs to another one, make them again with --network.`,
    );
}

async function seal(cli: Cli, path: string, { medium, passphraseFile }: MediaOptions): Promise<void> {
  requireMedia(medium);
  namedDirectory(path);
  const modules = await regionModules(cli);
  const layout = new RegionLayout(path);
  const { region, network } = await readRegionConfig(layout);
  const roots = (await keyNamesIn(layout.keys)).filter(({ role }) => role === 'root');
  if (roots.length === 0)
    throw new CliError(EXIT.failure, 'NOT_FOUND', `there is no root key in ${printable(layout.keys)}`);
  if (roots.length !== medium.length)
    throw usageError(
      `there are ${counted(roots.length, 'root key')} in ${printable(layout.keys)}, and ${counted(medium.length, 'folder')} to put them`,
      'Name as many folders, each on a medium of its own.',
    );
  const passphrases = await readNewPassphrases(cli, medium.map(keyOn), { passphraseFile });
  const sealed: SealedKey[] = [];
  for (const [i, name] of roots.entries()) {
    const secretKey = await readKeyFile(layout.keys, { region, network, ...name });
    sealed.push(sealKey(secretKey, { region, network, passphrase: passphrases[i] as string }, modules));
  }
  const files = await writeAll(sealed, medium, modules);
  // Those that lie here go only once all the others can be opened.
  for (const [i, file] of files.entries())
    openSealedKey(await readSealedKey(file), passphrases[i] as string, modules);
  for (const name of roots) await removeFile(keyFilePath(layout.keys, name));
  const moved = roots.map(({ keyId }, i) => ({ keyId, file: files[i] as string }));
  cli.output.result({ region, network, keys: moved }, () => [
    `Moved ${counted(moved.length, 'root key')} out of ${printable(layout.keys)}:`,
    ...aligned(
      moved.map(({ keyId, file }) => [keyId, printable(file)]),
      '  ',
    ),
    'Deleting leaves traces on a disk: do this where the region was set up, before it meets a network.',
  ]);
}

async function rotate(cli: Cli, path: string, options: RotateOptions): Promise<void> {
  const { key } = options;
  if (key.length > ROOT_KEYS_MAX) throw usageError(`a root has at most ${ROOT_KEYS_MAX} keys`);
  const hexes = [...new Set(key.map(parseKey))].sort();
  if (hexes.length < key.length) throw usageError('--key names a key twice');
  const threshold = options.threshold ?? Math.floor(hexes.length / 2) + 1;
  if (threshold < 1 || threshold > hexes.length)
    throw usageError(`expected a threshold of 1 to ${hexes.length}, not ${threshold}`);
  await withDesk(
    cli,
    path,
    async (desk) => {
      const { region, network, root } = desk.state;
      if (root === undefined)
        throw usageError(
          'the region has no root yet',
          'Its first one is made by `entente init`, with the region.',
        );
      const { name, version } = root;
      const keys = hexes.map(hexBytes);
      const statement = {
        kind: 'root',
        region,
        network,
        name,
        version: version + 1,
        threshold,
        keys,
      } as const;
      await appendByRoot(cli, desk, [statement], options);
    },
    { ...options, reading: true },
  );
}

function requireMedia(media: readonly string[]): void {
  if (media.length > ROOT_KEYS_MAX) throw usageError(`a root has at most ${ROOT_KEYS_MAX} keys`);
  const seen = new Set<string>();
  for (const folder of media) {
    namedDirectory(folder);
    const real = realpathSync(folder);
    if (seen.has(real))
      throw usageError(
        `--medium names ${printable(folder)} twice`,
        'Who finds two keys on one medium is nearer to being the root: name a medium for each.',
      );
    seen.add(real);
  }
}

function keyOn(folder: string): string {
  return `the key on ${printable(folder)}`;
}

/** Writes each key to the medium in its place, and gives their files. */
async function writeAll(
  keys: readonly SealedKey[],
  media: readonly string[],
  modules: RegionModules,
): Promise<string[]> {
  const files: string[] = [];
  for (const [i, key] of keys.entries()) files.push(await writeSealedKey(media[i] as string, key, modules));
  return files;
}

function parseKey(text: string): string {
  if (/^[0-9a-fA-F]{64}$/.test(text)) return text.toLowerCase();
  throw usageError(`expected a public key of 64 hexadecimal digits, not ${printable(text)}`);
}

function parseCount(text: string): number {
  if (/^\d{1,2}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Expected a whole number.');
}

function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}
