/** `entente.yaml`: reading it with what stands over it, making the first one, and changing it without touching its comments. */
import { isNode } from 'yaml';
import { NodeError } from '../node-error.ts';
import { readFileIfPresent, writeFileAtomically } from '../region/files.ts';
import { withKeepLock } from '../store/keep-lock.ts';
import { type ConfigEdit, edited } from './edit.ts';
import { firstConfigFile } from './first-file.ts';
import { type Overlaid, type Overlay, overlay, overlaysOf } from './overlay.ts';
import { configError, problemsOf } from './problems.ts';
import { type Config, type ConfigInput, configSchema } from './schema.ts';
import { parseYaml, type YamlText } from './yaml-text.ts';

const FILE_BYTES_MAX = 1_048_576;

/**
 * The configuration: the file, over it the environment, over that the settings.
 * @throws {NodeError} DIRECTORY_MISSING where there is no such file, CONFIG_INVALID naming line and key otherwise.
 */
export async function readConfig(path: string, over: Overlay = {}): Promise<Config> {
  return parseConfig(path, await textOf(path), over);
}

/** The configuration that `text` is. @throws {NodeError} CONFIG_INVALID; `path` is for its message alone. */
export function parseConfig(path: string, text: string, over: Overlay = {}): Config {
  const yaml = parseYaml(path, text);
  const { overlaid, problems } = overlaysOf(over);
  const parsed = configSchema.safeParse(overlay(withoutEmpty(yaml.document.toJS()), overlaid));
  const locate = (at: readonly string[]) => sourceOf(at, overlaid) ?? `line ${lineOf(yaml, at)}`;
  const all = [...problems, ...(parsed.success ? [] : problemsOf(parsed.error.issues, locate))];
  if (all.length > 0 || !parsed.success) throw configError(path, all);
  return parsed.data;
}

/** Writes the commented file of a new region. @throws {NodeError} CONFIG_INVALID, and nothing is written. */
export async function createConfig(path: string, values: ConfigInput): Promise<void> {
  const text = firstConfigFile(values);
  parseConfig(path, text);
  await writeFileAtomically(path, text);
}

/**
 * Changes single keys of the file, one caller after the other; comments and all else stay. Returns what the file says then.
 * @throws {NodeError} KEEP_BUSY, and as `readConfig`; nothing is changed then, nor if the result would be refused.
 */
export async function editConfig(path: string, edits: readonly ConfigEdit[]): Promise<Config> {
  // A lock makes the folder that it lies in.
  await textOf(path);
  return withKeepLock(path, async () => {
    const text = edits.reduce((before, edit) => edited(path, before, edit), await textOf(path));
    const config = parseConfig(path, text);
    await writeFileAtomically(path, text);
    return config;
  });
}

async function textOf(path: string): Promise<string> {
  const bytes = await readFileIfPresent(path, FILE_BYTES_MAX);
  if (bytes === undefined) {
    throw new NodeError('DIRECTORY_MISSING', `there is no region here: ${path} does not exist`, {
      hint: 'Name a directory that `entente init` made.',
    });
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw configError(path, ['the file is not UTF-8'], error);
  }
}

/** A key without a value is a key that was not set, as when all below it is commented out. */
function withoutEmpty(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const members = Object.entries(value).filter(([, member]) => member !== null);
  return Object.fromEntries(members.map(([key, member]) => [key, withoutEmpty(member)]));
}

/** The variable or flag that set what `at` names, or something below it. */
function sourceOf(at: readonly string[], overlaid: readonly Overlaid[]): string | undefined {
  return overlaid.findLast((one) => at.length > 0 && at.every((key, i) => one.at[i] === key))?.source;
}

/** Where a key stands, or the nearest one above it that is there. */
function lineOf(yaml: YamlText, at: readonly string[]): number {
  const { key } = yaml.pairsTo(at).at(-1) ?? {};
  return isNode(key) ? yaml.lineAt(key) : 1;
}
