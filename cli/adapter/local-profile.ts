/** The profile of a local code and the keys that sign it, out of files. */
import { readLocalKeys } from '../../node/foreign/local-keys.ts';
import { KEY_LIST_BYTES_MAX } from '../../node/foreign/key-list.ts';
import { readFileIfPresent } from '../../node/region/files.ts';
import { isProtocolError } from '../../protocol/fault.ts';
import { type ForeignKey } from '../../protocol/foreign/foreign-keys.ts';
import { parseJsonObject } from '../../protocol/foreign/foreign-json.ts';
import { type LocalProfile, localProfileSchema } from '../../protocol/foreign/local-profile.ts';
import { type Cli } from '../cli.ts';
import { CliError, EXIT, usageError } from '../exit.ts';
import { printable } from '../printable.ts';

/** Bytes of a profile: a table of 32 values and 32 paths have room. */
const PROFILE_BYTES_MAX = 32_768;

const HINT = 'docs/codes-of-others.md has an example.';

export interface LocalFiles {
  readonly profile: LocalProfile;
  readonly keys: readonly ForeignKey[];
}

/** @throws {CliError} USAGE for a file that is not there, PROFILE_INVALID for what is no profile, KEY_INVALID where no key can be taken. */
export async function readLocalFiles(
  cli: Cli,
  region: string,
  { profile: path, keys: sources }: { readonly profile: string; readonly keys: readonly string[] },
): Promise<LocalFiles> {
  const profile = await readProfile(path);
  const keys: ForeignKey[] = [];
  for (const source of sources) {
    const read = readLocalKeys(await fileOf(source, KEY_LIST_BYTES_MAX), { profile, region });
    for (const reason of read.leftOut) cli.output.note(`${printable(source)}: ${printable(reason)}`);
    keys.push(...read.keys);
  }
  if (keys.length === 0)
    throw new CliError(EXIT.failure, 'KEY_INVALID', 'there is no key that can be announced', {
      hint: 'Keys of local codes come as a JWK set: {"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "...", "x": "..."}]}.',
    });
  return { profile, keys };
}

/** @throws {CliError} USAGE for a file that is not there, PROFILE_INVALID for what is no profile. */
export async function readProfile(path: string): Promise<LocalProfile> {
  const bytes = await fileOf(path, PROFILE_BYTES_MAX);
  let json: unknown;
  try {
    json = parseJsonObject(bytes);
  } catch (error) {
    if (!isProtocolError(error)) throw error;
    throw invalid(`${printable(path)} is no JSON object: ${printable(error.message)}`);
  }
  const read = localProfileSchema.safeParse(json);
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  const place = issue?.path.join('.') ?? '';
  throw invalid(
    `${printable(path)}: ${printable(place === '' ? '' : `${place}: `)}${printable(issue?.message ?? '')}`,
  );
}

async function fileOf(path: string, bytesMax: number): Promise<Uint8Array> {
  const bytes = await readFileIfPresent(path, bytesMax);
  if (bytes === undefined) throw usageError(`there is no file ${printable(path)}`);
  return bytes;
}

function invalid(what: string): CliError {
  return new CliError(EXIT.failure, 'PROFILE_INVALID', what, { hint: HINT });
}
