/** What the operator of a region decided when setting it up, and where its peers publish. */
import { z } from 'zod';
import { NodeError } from '../node-error.ts';
import { readFileIfPresent, writeFileAtomically } from './files.ts';

const CONFIG_BYTES_MAX = 1_048_576;

export const REGION_PATTERN = /^[A-Z]{2}(-[A-Z0-9]{1,3})?$/;
export const NETWORK_PATTERN = /^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$/;

const configSchema = z.strictObject({
  format: z.literal(1),
  region: z.string().regex(REGION_PATTERN, 'expected an ISO 3166 code in ASCII such as CN-33 or DE'),
  network: z.string().regex(NETWORK_PATTERN, 'expected lower-case letters, digits and hyphens, at most 32'),
  name: z.string().min(1).max(64),
  /** Public directories of peers by region. A path is relative to the region directory. */
  peers: z.record(z.string().regex(REGION_PATTERN), z.string().min(1).max(4_096)),
});

export type Config = z.infer<typeof configSchema>;

/** @throws {NodeError} DIRECTORY_MISSING where there is no such file, CONFIG_INVALID naming the member otherwise. */
export async function readConfig(path: string): Promise<Config> {
  const bytes = await readFileIfPresent(path, CONFIG_BYTES_MAX);
  if (bytes === undefined) {
    throw new NodeError('DIRECTORY_MISSING', `there is no region here: ${path} does not exist`, {
      hint: 'Name a directory that `entente init` made.',
    });
  }
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw new NodeError('CONFIG_INVALID', `${path} is not JSON`, { cause: error });
  }
  return parseConfig(path, value);
}

export async function writeConfig(path: string, config: Config): Promise<void> {
  await writeFileAtomically(path, `${JSON.stringify(config, undefined, 2)}\n`);
}

function parseConfig(path: string, value: unknown): Config {
  const parsed = configSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  if (issue?.code === 'unrecognized_keys') {
    const known = Object.keys(configSchema.shape).join(', ');
    throw new NodeError('CONFIG_INVALID', `${path}: unknown member ${issue.keys.join(', ')}`, {
      hint: `Known members: ${known}.`,
    });
  }
  throw new NodeError(
    'CONFIG_INVALID',
    `${path}: ${issue?.path.join('.') || 'the whole'}: ${issue?.message ?? 'not as expected'}`,
  );
}
