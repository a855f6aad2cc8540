/** Sealed keys of the root, opened where they are named for one command, and kept in its memory alone. */
import { type KeyedSigner } from '../../node/log/trust-log-work.ts';
import { isNodeError, NodeError } from '../../node/node-error.ts';
import { type KeyNames } from '../../node/region/region-keys.ts';
import { openSealedKey, readSealedKey, type SealedKey } from '../../node/region/sealed-key.ts';
import { type Cli } from '../cli.ts';
import { printable } from '../printable.ts';
import { regionModules } from '../region.ts';
import { type PassphraseOptions, readPassphrase } from './passphrase.ts';

/**
 * The keys in these files, for whose passphrases it asks one after the other; one of a file, which is read once, goes for all.
 * @throws {NodeError} KEY_FILE_INVALID for a key of another region, PASSPHRASE_WRONG, and as `readSealedKey` and `readPassphrase`.
 */
export async function openRootKeys(
  cli: Cli,
  files: readonly string[],
  { region, network }: KeyNames,
  options: PassphraseOptions,
): Promise<KeyedSigner[]> {
  const sealed: [string, SealedKey][] = [];
  for (const file of files) {
    const key = await readSealedKey(file);
    if (key.region !== region || key.network !== network)
      throw new NodeError(
        'KEY_FILE_INVALID',
        `${file} is a key of ${key.region}.${key.network}, not of ${region}.${network}`,
        { hint: 'Nothing was signed. Name the keys of this region.' },
      );
    sealed.push([file, key]);
  }
  const modules = await regionModules(cli);
  const signers: KeyedSigner[] = [];
  let passphrase: string | undefined;
  for (const [file, key] of sealed) {
    if (passphrase === undefined || options.passphraseFile === undefined)
      passphrase = await readPassphrase(cli, printable(file), options);
    try {
      signers.push(openSealedKey(key, passphrase, modules));
    } catch (error) {
      if (!isNodeError(error, 'PASSPHRASE_WRONG')) throw error;
      throw new NodeError(error.code, `${file}: ${error.message}`, {
        hint: 'Nothing was signed. Keys with passphrases of their own are opened by typing each.',
      });
    }
  }
  return signers;
}
