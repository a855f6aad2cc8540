/** The secret keys of a region, found by what its trust state says of them. */
import { equalBytes } from '../../protocol/bytes.ts';
import { keyIdOf } from '../../protocol/signature/key-id.ts';
import { type KeyRole, type TrustState } from '../../protocol/trust/trust-state.ts';
import { type Signer } from '../crypto/back-end.ts';
import { NodeError } from '../node-error.ts';
import { hasKeyFile, type KeyName, keyFilePath, openKeyFile, writeKeyFile } from './key-file.ts';
import { type RegionModules } from './modules.ts';

/** A key that may sign for the region now. */
export interface RegionSigner extends Signer {
  /** 16 lower-case hexadecimal digits. */
  readonly keyId: string;
}

export class Keyring {
  readonly #path: string;
  readonly #names: { readonly region: string; readonly network: string };
  readonly #modules: RegionModules;

  /** `path`: the folder of key files. */
  constructor(path: string, names: { region: string; network: string }, modules: RegionModules) {
    this.#path = path;
    this.#names = names;
    this.#modules = modules;
  }

  /** Makes a key and stores it. It counts for nothing until a statement admits it. */
  async create(role: KeyName['role']): Promise<RegionSigner> {
    const secretKey = this.#modules.random(32);
    const signer = this.#modules.signerOf(secretKey);
    const keyId = keyIdOf(this.#modules.sha256, signer.publicKey);
    const { region, network } = this.#names;
    const secret = Buffer.from(secretKey).toString('hex');
    await writeKeyFile(this.#path, { region, network, role, keyId, secretKey: secret });
    return { ...signer, keyId };
  }

  /**
   * The key of `role` whose window holds `atS` and that is not compromised; of several, the one that ends last.
   * @throws {NodeError} KEY_NOT_IN_FORCE if there is none, and what `openKeyFile` throws.
   */
  async inForce(state: TrustState, role: KeyRole, atS: number): Promise<RegionSigner> {
    const [key] = state
      .keysWithRole(role)
      .filter(({ fromS, untilS, compromise }) => compromise === undefined && fromS <= atS && atS < untilS)
      .sort((a, b) => b.untilS - a.untilS);
    if (key === undefined) {
      throw new NodeError('KEY_NOT_IN_FORCE', `the region has no ${role} key for now`, {
        hint: 'Run `entente key extend` with enough root keys at hand, and check the clock.',
      });
    }
    return this.open(role, key);
  }

  /** The named key, whether or not its window is open. */
  async open(role: KeyName['role'], key: { keyId: string; publicKey: Uint8Array }): Promise<RegionSigner> {
    const signer = await openKeyFile(this.#path, { ...this.#names, role, keyId: key.keyId }, this.#modules);
    if (equalBytes(signer.publicKey, key.publicKey)) return { ...signer, keyId: key.keyId };
    const path = keyFilePath(this.#path, { role, keyId: key.keyId });
    throw new NodeError('KEY_FILE_INVALID', `${path} holds another key than its name says`);
  }

  /** As many root keys as the threshold asks for. @throws {NodeError} KEY_FILE_MISSING if fewer are here. */
  roots(state: TrustState): Promise<RegionSigner[]> {
    const { threshold = 1, keys = [] } = state.root ?? {};
    return this.rootsAmong(
      keys.map(({ publicKey }) => publicKey),
      threshold,
    );
  }

  /** `count` of the root keys with these public keys, those whose files are here. @throws {NodeError} KEY_FILE_MISSING */
  async rootsAmong(publicKeys: readonly Uint8Array[], count: number): Promise<RegionSigner[]> {
    const signers: RegionSigner[] = [];
    for (const publicKey of publicKeys) {
      if (signers.length === count) break;
      const keyId = keyIdOf(this.#modules.sha256, publicKey);
      if (await hasKeyFile(this.#path, { role: 'root', keyId })) {
        signers.push(await this.open('root', { keyId, publicKey }));
      }
    }
    if (signers.length === count) return signers;
    throw new NodeError(
      'KEY_FILE_MISSING',
      `${signers.length} of ${count} needed root keys are in ${this.#path}`,
      {
        hint: 'Bring the media on which the root keys are kept, and copy enough of the files here while this runs.',
      },
    );
  }
}
