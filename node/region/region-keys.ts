/** The secret keys of a region, held open, and found by what its trust state says of them. */
import { equalBytes } from '../../protocol/bytes.ts';
import { keyIdOf } from '../../protocol/signature/key-id.ts';
import { type KeyRole, type TrustState } from '../../protocol/trust/trust-state.ts';
import { type NodeKeys } from '../core/writing-side.ts';
import { SigningThread } from '../crypto/signing-thread.ts';
import { type AttestKeys } from '../issuing/attestation-work.ts';
import { type KeyedSigner } from '../log/trust-log-work.ts';
import { NodeError } from '../node-error.ts';
import { removeFile } from './files.ts';
import {
  hasKeyFile,
  type KeyName,
  keyFilePath,
  keyNamesIn,
  openKeyFile,
  readKeyFile,
  writeKeyFile,
} from './key-file.ts';
import { type KeyWindow } from './key-schedule.ts';
import { type RegionModules } from './modules.ts';

/** `region` and `network` as the key files name them. */
export type KeyNames = Pick<KeyName, 'region' | 'network'>;

interface Window {
  readonly keyId: string;
  readonly fromS: number;
  readonly untilS: number;
  readonly publicKey?: Uint8Array;
}

/**
 * What the registry of a region is sealed with: 32 bytes.
 * @throws {NodeError} KEY_FILE_MISSING, and as `readKeyFile`.
 */
export async function readRegistryKey(path: string, { region, network }: KeyNames): Promise<Uint8Array> {
  const registry = (await keyNamesIn(path)).find(({ role }) => role === 'registry');
  if (registry === undefined) {
    throw new NodeError('KEY_FILE_MISSING', `there is no file registry-*.json in ${path}`, {
      hint: 'Restore it from a backup: without it nobody can read who holds which code.',
    });
  }
  return readKeyFile(path, { region, network, ...registry });
}

export interface RegionKeysModules extends RegionModules {
  /** Told what breaks beside the work, as a thread of its own. Must not throw. */
  readonly onTrouble?: ((error: unknown) => void) | undefined;
}

export class RegionKeys implements NodeKeys {
  /** 32 bytes: what the registry is sealed with. */
  readonly registryKey: Uint8Array;
  readonly #path: string;
  readonly #names: KeyNames;
  readonly #modules: RegionKeysModules;
  /** Keys that this process may sign with, by id. Roots are opened when they are asked for, and not kept. */
  readonly #open = new Map<string, KeyedSigner>();
  /** Keys of the root that lie elsewhere, by id. */
  readonly #lent = new Map<string, KeyedSigner>();
  /** What a region that has no state yet will say of its keys. */
  readonly #planned: (KeyWindow & { readonly keyId: string })[] = [];
  #state: () => TrustState | undefined = () => undefined;
  readonly #thread: SigningThread;

  private constructor(path: string, names: KeyNames, modules: RegionKeysModules, registryKey: Uint8Array) {
    this.#path = path;
    this.#names = { region: names.region, network: names.network };
    this.#modules = modules;
    this.registryKey = registryKey;
    this.#thread = new SigningThread({ onTrouble: modules.onTrouble });
  }

  /** Opens the keys of a new region, in a folder that holds none: makes the key of its registry. */
  static async create(path: string, names: KeyNames, modules: RegionKeysModules): Promise<RegionKeys> {
    const registryKey = modules.random(32);
    const keyId = Buffer.from(modules.random(8)).toString('hex');
    await writeKeyFile(path, { ...names, role: 'registry', keyId, secretKey: hexOfSecret(registryKey) });
    return new RegionKeys(path, names, modules, registryKey);
  }

  /**
   * Opens all keys in a folder but those of the root.
   * @throws {NodeError} KEY_FILE_MISSING without a key of the registry, and as `openKeyFile`.
   */
  static async open(path: string, names: KeyNames, modules: RegionKeysModules): Promise<RegionKeys> {
    const registryKey = await readRegistryKey(path, names);
    const keys = new RegionKeys(path, names, modules, registryKey);
    await keys.refresh();
    return keys;
  }

  /** Opens keys whose files have come since; gives how many are open. Rejects as `openKeyFile`. */
  async refresh(): Promise<number> {
    for (const { role, keyId } of await keyNamesIn(this.#path)) {
      if (role === 'registry' || role === 'root' || role === 'node' || this.#open.has(keyId)) continue;
      const secretKey = await readKeyFile(this.#path, { ...this.#names, role, keyId });
      this.#open.set(keyId, this.#opened(role, keyId, secretKey));
    }
    return this.#open.size;
  }

  /** Takes the windows of the keys from this state, as soon as it has a root. */
  follow(state: () => TrustState | undefined): void {
    this.#state = state;
  }

  readonly attest: AttestKeys = {
    inForce: (atS) => this.#inForce('attest', atS),
    withId: (keyId) => this.#open.get(keyId),
  };

  readonly checkpoint = (atS: number): KeyedSigner => this.#inForce('checkpoint', atS);

  readonly checkpointBy = (state: TrustState | undefined, atS: number): KeyedSigner =>
    this.#inForce('checkpoint', atS, admitted('checkpoint', state));

  readonly trustLog = (atS: number): KeyedSigner => this.#inForce('trust-log', atS);

  readonly trustLogBy = (state: TrustState | undefined, atS: number): KeyedSigner =>
    this.#inForce('trust-log', atS, admitted('trust-log', state));

  readonly witness = (atS: number): KeyedSigner => this.#inForce('witness', atS);

  /**
   * Destroys the secrets of attest keys whose windows ended at `endedS` or before, but those that are needed: with them codes could only be dated
   * back. Gives their ids. Rejects as the files do.
   */
  async destroySpent(endedS: number, isNeeded: (keyId: string) => boolean): Promise<string[]> {
    const destroyed: string[] = [];
    for (const { role, keyId } of await keyNamesIn(this.#path)) {
      const key = role === 'attest' ? this.#state()?.key(keyId) : undefined;
      if (key === undefined || key.untilS > endedS || isNeeded(keyId)) continue;
      this.#open.delete(keyId);
      this.#thread.forget(keyId);
      await removeFile(keyFilePath(this.#path, { role, keyId }));
      destroyed.push(keyId);
    }
    return destroyed;
  }

  /** Makes a key and stores it. It counts for nothing until a statement admits it; a new region plans with its window. */
  async create(role: KeyRole | 'root', window?: KeyWindow): Promise<KeyedSigner> {
    const secretKey = this.#modules.random(32);
    const keyId = keyIdOf(this.#modules.sha256, this.#modules.signerOf(secretKey).publicKey);
    await writeKeyFile(this.#path, { ...this.#names, role, keyId, secretKey: hexOfSecret(secretKey) });
    const key = this.#opened(role, keyId, secretKey);
    if (role !== 'root') this.#open.set(keyId, key);
    if (window !== undefined) this.#planned.push({ ...window, keyId });
    return key;
  }

  /** Lets keys of the root sign whose files are elsewhere, as long as this object is there. */
  lendRoots(signers: readonly KeyedSigner[]): void {
    for (const signer of signers) this.#lent.set(signer.keyId, signer);
  }

  /** Ends what signs on another thread. Safe to call twice; keys sign all the same. */
  close(): Promise<void> {
    return this.#thread.stop();
  }

  /** Of attest keys alone there is much to sign at a time. */
  #opened(role: KeyName['role'], keyId: string, secretKey: Uint8Array): KeyedSigner {
    const signer = this.#modules.signerOf(secretKey);
    if (role !== 'attest') return { ...signer, keyId };
    return { ...signer, keyId, signerOfMany: this.#thread.signerOfMany(keyId, secretKey, signer) };
  }

  /** As many root keys as the threshold asks for. @throws {NodeError} KEY_FILE_MISSING if fewer are here. */
  roots(): Promise<KeyedSigner[]> {
    const { threshold = 1, keys = [] } = this.#state()?.root ?? {};
    return this.rootsAmong(
      keys.map(({ publicKey }) => publicKey),
      threshold,
    );
  }

  /** `count` of the root keys with these public keys, those that are lent or whose files are here. @throws {NodeError} KEY_FILE_MISSING */
  async rootsAmong(publicKeys: readonly Uint8Array[], count: number): Promise<KeyedSigner[]> {
    const signers: KeyedSigner[] = [];
    for (const publicKey of publicKeys) {
      if (signers.length === count) break;
      const keyId = keyIdOf(this.#modules.sha256, publicKey);
      const name = { ...this.#names, role: 'root', keyId } as const;
      const lent = this.#lent.get(keyId);
      if (lent !== undefined) {
        signers.push(this.#requireSame(lent, name.role, publicKey));
        continue;
      }
      if (!(await hasKeyFile(this.#path, name))) continue;
      const signer = await openKeyFile(this.#path, name, this.#modules);
      signers.push(this.#requireSame({ ...signer, keyId }, name.role, publicKey));
    }
    if (signers.length === count) return signers;
    throw new NodeError(
      'KEY_FILE_MISSING',
      `${signers.length} of ${count} needed root keys are ${this.#lent.size > 0 ? 'named, or ' : ''}in ${this.#path}`,
      {
        hint: 'Sealed keys sign elsewhere where the command takes --draft, with `entente root sign`, or are named to it where it takes --key. Key files that are not sealed count once they are copied here.',
      },
    );
  }

  /** The key whose window holds `atS` and that is not compromised; of several, the one that ends last of those that are here. */
  #inForce(role: KeyRole, atS: number, windows: readonly Window[] = this.#windows(role)): KeyedSigner {
    const keys = windows
      .filter(({ fromS, untilS }) => fromS <= atS && atS < untilS)
      .sort((a, b) => b.untilS - a.untilS);
    const key = keys.find(({ keyId }) => this.#open.has(keyId)) ?? keys[0];
    if (key === undefined) {
      throw new NodeError('KEY_NOT_IN_FORCE', `the region has no ${role} key for now`, {
        hint: 'Run `entente key extend` with enough root keys at hand, and check the clock.',
      });
    }
    const signer = this.#open.get(key.keyId);
    if (signer !== undefined) return this.#requireSame(signer, role, key.publicKey ?? signer.publicKey);
    const path = keyFilePath(this.#path, { role, keyId: key.keyId });
    throw new NodeError('KEY_FILE_MISSING', `there is no key file ${path}`, {
      hint: 'Restore it from a backup, or give the key up with `entente key compromise`.',
    });
  }

  #windows(role: KeyRole): Window[] {
    const state = this.#state();
    const planned = this.#planned.filter((window) => window.role === role);
    if (state?.root === undefined) return planned;
    const known = admitted(role, state);
    // The checkpoint over the statement that admits a key is the first that this key may have to sign.
    return role === 'checkpoint'
      ? [...known, ...planned.filter(({ keyId }) => state.key(keyId) === undefined)]
      : known;
  }

  #requireSame(signer: KeyedSigner, role: KeyName['role'], publicKey: Uint8Array): KeyedSigner {
    if (equalBytes(signer.publicKey, publicKey)) return signer;
    const path = keyFilePath(this.#path, { role, keyId: signer.keyId });
    throw new NodeError('KEY_FILE_INVALID', `${path} holds another key than its name says`, {
      hint: 'Restore it from a backup, or remove it and give the key up with `entente key compromise`.',
    });
  }
}

function admitted(role: KeyRole, state: TrustState | undefined): Window[] {
  return [...(state?.keysWithRole(role) ?? [])].filter(({ compromise }) => compromise === undefined);
}

function hexOfSecret(secretKey: Uint8Array): string {
  return Buffer.from(secretKey).toString('hex');
}
