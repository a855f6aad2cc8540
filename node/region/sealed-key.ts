/**
 * A root key at rest, away from the machine that runs the region: sealed by a passphrase, so that the medium alone is no key.
 * scrypt (RFC 7914) makes a key of the passphrase, AES-256-GCM seals the secret together with all else that the file says.
 */
import * as crypto from 'node:crypto';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { equalBytes, hexBytes, hexOf } from '../../protocol/bytes.ts';
import { isNetwork, isRegion } from '../../protocol/log/origin.ts';
import { keyIdOf } from '../../protocol/signature/key-id.ts';
import { scrypt } from '../crypto/scrypt.ts';
import { type KeyedSigner } from '../log/trust-log-work.ts';
import { NodeError } from '../node-error.ts';
import { readFileIfPresent, writeFileAtomically } from './files.ts';
import { type RegionModules } from './modules.ts';

/** Characters of a passphrase: with fewer, who finds the medium tries them all. */
export const PASSPHRASE_CHARS_MIN = 12;
const FILE_BYTES_MAX = 4_096;
const NONCE_BYTES = 12;
const SALT_BYTES = 16;
const TAG_BYTES = 16;
const SECRET_BYTES = 32;
/** 128 MiB and some 0.4 s a try. */
const SCRYPT = { cost: 2 ** 17, blockSize: 8, parallelization: 1, length: 32 };

const hex = (bytes: number) => z.string().regex(new RegExp(`^[0-9a-f]{${2 * bytes}}$`));
const sealedSchema = z.strictObject({
  format: z.literal(1),
  kind: z.literal('entente sealed root key'),
  region: z.string().refine(isRegion),
  network: z.string().refine(isNetwork),
  publicKey: hex(32),
  salt: hex(SALT_BYTES),
  nonce: hex(NONCE_BYTES),
  sealed: hex(SECRET_BYTES + TAG_BYTES),
});

export interface SealedKey {
  readonly region: string;
  readonly network: string;
  readonly publicKey: Uint8Array;
  readonly salt: Uint8Array;
  readonly nonce: Uint8Array;
  readonly sealed: Uint8Array;
}

/** `<folder>/root-<key id>.sealed.json` */
export function sealedKeyPath(folder: string, keyId: string): string {
  return join(folder, `root-${keyId}.sealed.json`);
}

/** @throws {NodeError} PASSPHRASE_WEAK for one that is too short. */
export function sealKey(
  secretKey: Uint8Array,
  {
    region,
    network,
    passphrase,
  }: { readonly region: string; readonly network: string; readonly passphrase: string },
  { signerOf, random }: Pick<RegionModules, 'signerOf' | 'random'>,
): SealedKey {
  if ([...passphrase].length < PASSPHRASE_CHARS_MIN)
    throw new NodeError('PASSPHRASE_WEAK', `a passphrase has at least ${PASSPHRASE_CHARS_MIN} characters`, {
      hint: 'Take five or six words that have nothing to do with each other.',
    });
  const { publicKey } = signerOf(secretKey);
  const salt = random(SALT_BYTES);
  const nonce = random(NONCE_BYTES);
  const cipher = crypto.createCipheriv('aes-256-gcm', keyOf(passphrase, salt), nonce);
  cipher.setAAD(boundTo({ region, network, publicKey }));
  const sealed = Buffer.concat([cipher.update(secretKey), cipher.final(), cipher.getAuthTag()]);
  return { region, network, publicKey, salt, nonce, sealed: new Uint8Array(sealed) };
}

/** @throws {NodeError} PASSPHRASE_WRONG unless it is the one, and the file is as it was written. */
export function openSealedKey(
  key: SealedKey,
  passphrase: string,
  { signerOf, sha256 }: Pick<RegionModules, 'signerOf' | 'sha256'>,
): KeyedSigner {
  const { salt, nonce, sealed, publicKey } = key;
  const end = sealed.length - TAG_BYTES;
  const decipher = crypto.createDecipheriv('aes-256-gcm', keyOf(passphrase, salt), nonce);
  decipher.setAAD(boundTo(key));
  decipher.setAuthTag(sealed.subarray(end));
  let secretKey: Uint8Array;
  try {
    secretKey = Buffer.concat([decipher.update(sealed.subarray(0, end)), decipher.final()]);
  } catch {
    throw wrong();
  }
  const signer = signerOf(secretKey);
  if (!equalBytes(signer.publicKey, publicKey)) throw wrong();
  return { ...signer, keyId: keyIdOf(sha256, publicKey) };
}

/** Writes a sealed key into a folder, with mode 0600, and gives its path; one of the same key is replaced. Rejects as `writeFileAtomically`. */
export async function writeSealedKey(
  folder: string,
  key: SealedKey,
  { sha256 }: Pick<RegionModules, 'sha256'>,
): Promise<string> {
  const { region, network, publicKey, salt, nonce, sealed } = key;
  const path = sealedKeyPath(folder, keyIdOf(sha256, publicKey));
  const told = {
    format: 1,
    kind: 'entente sealed root key',
    region,
    network,
    publicKey: hexOf(publicKey),
    salt: hexOf(salt),
    nonce: hexOf(nonce),
    sealed: hexOf(sealed),
  };
  await writeFileAtomically(path, `${JSON.stringify(told, undefined, 2)}\n`, { mode: 0o600 });
  return path;
}

/** @throws {NodeError} KEY_FILE_MISSING, KEY_FILE_INVALID for what `writeSealedKey` does not write. */
export async function readSealedKey(path: string): Promise<SealedKey> {
  const bytes = await readFileIfPresent(path, FILE_BYTES_MAX);
  if (bytes === undefined)
    throw new NodeError('KEY_FILE_MISSING', `there is no key file ${path}`, {
      hint: 'Bring the medium on which this key is kept.',
    });
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    value = undefined;
  }
  const parsed = sealedSchema.safeParse(value);
  if (!parsed.success)
    throw new NodeError('KEY_FILE_INVALID', `${basename(path)} is no sealed root key`, {
      hint: 'Take the file that `entente root init` or `entente root seal` has written.',
    });
  const { region, network, publicKey, salt, nonce, sealed } = parsed.data;
  return {
    region,
    network,
    publicKey: hexBytes(publicKey),
    salt: hexBytes(salt),
    nonce: hexBytes(nonce),
    sealed: hexBytes(sealed),
  };
}

function keyOf(passphrase: string, salt: Uint8Array): Uint8Array {
  // One passphrase has one form, whatever keyboard it was typed on.
  return scrypt(new TextEncoder().encode(passphrase.normalize('NFC')), salt, SCRYPT);
}

function boundTo({
  region,
  network,
  publicKey,
}: Pick<SealedKey, 'region' | 'network' | 'publicKey'>): Buffer {
  return Buffer.from(`entente/sealed-root-key/v1\n${region}\n${network}\n${hexOf(publicKey)}\n`, 'latin1');
}

function wrong(): NodeError {
  return new NodeError(
    'PASSPHRASE_WRONG',
    'the passphrase is not that of this key, or its file is not whole',
    {
      hint: 'Type it again; nothing was signed.',
    },
  );
}
