/** What the operator of a region decided when setting it up, and where its peers publish. */
import { z } from 'zod';
import { isNetwork, isRegion } from '../../protocol/log/origin.ts';
import { NodeError } from '../node-error.ts';
import { readFileIfPresent, writeFileAtomically } from './files.ts';

const CONFIG_BYTES_MAX = 1_048_576;
const path = z.string().min(1).max(4_096);
const region = z.string().refine(isRegion, 'expected an ISO 3166 code in ASCII such as CN-33 or DE');

const configSchema = z.strictObject({
  format: z.literal(1),
  region,
  network: z.string().refine(isNetwork, 'expected 1 to 32 of a-z, 0-9 and hyphens'),
  name: z.string().min(1).max(64),
  fingerprint: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .optional(),
  peers: z.record(region, z.strictObject({ directory: path.optional() })).default({}),
  storage: z
    .strictObject({ store: path.default('store'), secondPlace: path.default('second-place') })
    .prefault({}),
});

export type Config = z.infer<typeof configSchema>;
export type ConfigInput = z.input<typeof configSchema>;

/** @throws {NodeError} DIRECTORY_MISSING where there is no such file, CONFIG_INVALID naming the member otherwise. */
export async function readConfig(file: string): Promise<Config> {
  const bytes = await readFileIfPresent(file, CONFIG_BYTES_MAX);
  if (bytes === undefined) {
    throw new NodeError('DIRECTORY_MISSING', `there is no region here: ${file} does not exist`, {
      hint: 'Name a directory that `entente init` made.',
    });
  }
  return parseConfig(file, new TextDecoder().decode(bytes));
}

export async function createConfig(file: string, values: ConfigInput): Promise<void> {
  await writeFileAtomically(file, `${JSON.stringify(values, undefined, 2)}\n`);
}

/** One change of the file. */
export interface ConfigEdit {
  readonly at: readonly string[];
  readonly value: unknown;
}

export async function editConfig(file: string, edits: readonly ConfigEdit[]): Promise<Config> {
  const value = structuredClone(await readConfig(file)) as Record<string, unknown>;
  for (const { at, value: member } of edits) {
    let inner = value;
    for (const key of at.slice(0, -1)) inner = (inner[key] ??= {}) as Record<string, unknown>;
    inner[at.at(-1) ?? ''] = member;
  }
  const text = JSON.stringify(value, undefined, 2);
  const config = parseConfig(file, text);
  await writeFileAtomically(file, `${text}\n`);
  return config;
}

export function parseConfig(file: string, text: string): Config {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new NodeError('CONFIG_INVALID', `${file} is not JSON`, { cause: error });
  }
  const parsed = configSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const at = issue?.path.join('.') || 'the whole';
  throw new NodeError('CONFIG_INVALID', `${file}: ${at}: ${issue?.message ?? 'not as expected'}`);
}
