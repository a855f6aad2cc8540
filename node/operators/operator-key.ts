/** The secret key of one operator, in a file of their own that nobody else can read. */
import { z } from 'zod';
import { type Signer } from '../crypto/back-end.ts';
import { NodeError } from '../node-error.ts';
import { modeOf, readFileIfPresent, writeFileAtomically } from '../region/files.ts';
import { isOperatorName } from './scopes.ts';

const FILE_BYTES_MAX = 4_096;

const fileSchema = z.strictObject({
  format: z.literal(1),
  region: z.string(),
  operator: z.string().refine(isOperatorName),
  secretKey: z.string().regex(/^[0-9a-f]{64}$/),
});

/** An operator who can sign. */
export interface OperatorKey extends Signer {
  readonly region: string;
  readonly name: string;
}

export interface OperatorKeyModules {
  readonly signerOf: (secretKey: Uint8Array) => Signer;
}

/** Makes a key and writes its file, mode 0600. `random(n)` gives n unpredictable bytes. */
export async function makeOperatorKey(
  path: string,
  { region, name }: { readonly region: string; readonly name: string },
  { signerOf, random }: OperatorKeyModules & { readonly random: (bytes: number) => Uint8Array },
): Promise<OperatorKey> {
  const secretKey = random(32);
  const file = { format: 1, region, operator: name, secretKey: Buffer.from(secretKey).toString('hex') };
  await writeFileAtomically(path, `${JSON.stringify(file, undefined, 2)}\n`, { mode: 0o600 });
  return { ...bound(signerOf(secretKey)), region, name };
}

/**
 * Opens the file of an operator of this region.
 * @throws {NodeError} KEY_FILE_MISSING; KEY_FILE_MODE if others may read it; KEY_FILE_INVALID for what is none, or of another region.
 */
export async function openOperatorKey(
  path: string,
  region: string,
  { signerOf }: OperatorKeyModules,
): Promise<OperatorKey> {
  const bytes = await readFileIfPresent(path, FILE_BYTES_MAX);
  if (bytes === undefined)
    throw new NodeError('KEY_FILE_MISSING', `there is no operator's key file ${path}`, {
      hint: 'Name the file that `entente operator add` wrote: --operator FILE, or admin.operatorFile.',
    });
  if (((await modeOf(path)) ?? 0) & 0o077)
    throw new NodeError('KEY_FILE_MODE', `${path} can be read by others`, {
      hint: `Run chmod 600 ${path}, and have the operator named anew if somebody may have read it.`,
    });
  const file = parseFile(path, bytes);
  if (file.region !== region)
    throw new NodeError('KEY_FILE_INVALID', `${path} is of an operator of ${file.region}, not of ${region}`, {
      hint: `Use the file of an operator of ${region}.`,
    });
  const secretKey = Uint8Array.from(Buffer.from(file.secretKey, 'hex'));
  return { ...bound(signerOf(secretKey)), region, name: file.operator };
}

function bound(signer: Signer): Signer {
  return { publicKey: signer.publicKey, sign: (message) => signer.sign(message) };
}

function parseFile(path: string, bytes: Uint8Array): z.infer<typeof fileSchema> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    // The parser's own message quotes text around the fault, which is a secret.
  }
  const parsed = fileSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new NodeError('KEY_FILE_INVALID', `${path} is no operator's key file`, {
    hint: 'Name the file that `entente operator add` wrote, or restore it.',
  });
}
