/** Secret keys at rest: one JSON file per key, readable by its owner alone. */
import { join } from 'node:path';
import { z } from 'zod';
import { type SignatureBackEnd, type Signer } from '../crypto/back-end.ts';
import { NodeError } from '../node-error.ts';
import { modeOf, namesIn, readFileIfPresent, writeFileAtomically } from './files.ts';

/** A key file has about 250 bytes. */
const KEY_FILE_BYTES_MAX = 4_096;

export const KEY_ROLES = [
  'root',
  'attest',
  'checkpoint',
  'trust-log',
  'witness',
  'registry',
  'node',
] as const;

const RESTORE = {
  hint: 'Restore it from a backup, or remove it and give the key up with `entente key compromise`.',
};

const FILE_NAME = new RegExp(`^(${KEY_ROLES.join('|')})-([0-9a-f]{16})\\.json$`);

const keyFileSchema = z.strictObject({
  format: z.literal(1),
  region: z.string(),
  network: z.string(),
  role: z.enum(KEY_ROLES),
  keyId: z.string().regex(/^[0-9a-f]{16}$/),
  secretKey: z.string().regex(/^[0-9a-f]{64}$/, 'expected 64 hexadecimal digits'),
});

/** A secret key and what it is for. Windows are not here: the trust state says when a key counts. */
export type KeyFile = z.infer<typeof keyFileSchema>;
export type KeyName = Omit<KeyFile, 'format' | 'secretKey'>;

export interface KeyFileModules {
  readonly signerOf: SignatureBackEnd['signerOf'];
}

/** `keys/<role>-<key id>.json` */
export function keyFilePath(directory: string, { role, keyId }: Pick<KeyName, 'role' | 'keyId'>): string {
  return join(directory, `${role}-${keyId}.json`);
}

/** The keys whose files are in a folder; other files are passed over. */
export async function keyNamesIn(directory: string): Promise<Pick<KeyName, 'role' | 'keyId'>[]> {
  return (await namesIn(directory)).flatMap((file) => {
    const [, role, keyId] = FILE_NAME.exec(file) ?? [];
    return role === undefined || keyId === undefined ? [] : [{ role: role as KeyName['role'], keyId }];
  });
}

/** Writes a key that no file holds yet, with mode 0600. */
export async function writeKeyFile(directory: string, key: Omit<KeyFile, 'format'>): Promise<void> {
  const text = `${JSON.stringify({ format: 1, ...key }, undefined, 2)}\n`;
  await writeFileAtomically(keyFilePath(directory, key), text, { mode: 0o600 });
}

/** Tells whether the key's file is here; roots are kept elsewhere once a region is set up. */
export async function hasKeyFile(directory: string, name: Pick<KeyName, 'role' | 'keyId'>): Promise<boolean> {
  return (await modeOf(keyFilePath(directory, name))) !== undefined;
}

/** Opens the key that `name` describes, for signing. The caller compares its public key. @throws {NodeError} as `readKeyFile`. */
export async function openKeyFile(
  directory: string,
  name: KeyName,
  { signerOf }: KeyFileModules,
): Promise<Signer> {
  return signerOf(await readKeyFile(directory, name));
}

/**
 * The 32 bytes of the key that `name` describes.
 * @throws {NodeError} KEY_FILE_MISSING; KEY_FILE_MODE if group or others may read it; KEY_FILE_INVALID if it is
 * truncated, altered or of another region, network, role or key id.
 */
export async function readKeyFile(directory: string, name: KeyName): Promise<Uint8Array> {
  const path = keyFilePath(directory, name);
  const bytes = await readFileIfPresent(path, KEY_FILE_BYTES_MAX);
  const mode = await modeOf(path);
  if (bytes === undefined || mode === undefined) {
    throw new NodeError('KEY_FILE_MISSING', `there is no key file ${path}`, {
      hint: 'Restore it from a backup, or bring the medium on which this key is kept.',
    });
  }
  if ((mode & 0o077) !== 0) {
    throw new NodeError(
      'KEY_FILE_MODE',
      `${path} has mode 0${mode.toString(8)}: others may read this secret key`,
      {
        hint: `Run: chmod 600 ${path}`,
      },
    );
  }
  const key = parseKeyFile(path, bytes);
  for (const member of ['region', 'network', 'role', 'keyId'] as const) {
    if (key[member] === name[member]) continue;
    throw new NodeError(
      'KEY_FILE_INVALID',
      `${path} is a key of another ${member}: ${key[member]}, not ${name[member]}`,
      { hint: 'Put the files of this region’s keys here, or mend what entente.yaml says of the region.' },
    );
  }
  return Uint8Array.from(Buffer.from(key.secretKey, 'hex'));
}

/** The secret of the node identity in a folder of keys; undefined where no node of the region has run. Rejects as `readKeyFile`. */
export async function nodeSeedIn(
  directory: string,
  { region, network }: Pick<KeyName, 'region' | 'network'>,
): Promise<Uint8Array | undefined> {
  const name = (await keyNamesIn(directory)).find(({ role }) => role === 'node');
  return name && (await readKeyFile(directory, { region, network, ...name }));
}

function parseKeyFile(path: string, bytes: Uint8Array): KeyFile {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    // The parser's own message quotes the text around the fault, and that text is a secret.
    throw new NodeError('KEY_FILE_INVALID', `${path} is not whole: it is no JSON text`, RESTORE);
  }
  const parsed = keyFileSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new NodeError(
    'KEY_FILE_INVALID',
    `${path} is no key file: ${issue?.path.join('.')} is not as expected`,
    RESTORE,
  );
}
