/** Reading the folder of vectors. */
import { existsSync } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';

/** What is larger is no text to be judged. */
const TEXT_BYTES_MAX = 4 * 1024 * 1024;

export interface JsonFile {
  /** The path below the folder, for messages only. */
  readonly name: string;
  /** Undefined if the file is not JSON, which no JSON text means. */
  readonly json: unknown;
}

/** The .json files below a folder, one at a time and ordered by path; undefined where there is no such folder. */
export function jsonFilesOf(folder: string): AsyncIterable<JsonFile> | undefined {
  return existsSync(folder) ? readJsonFiles(folder) : undefined;
}

async function* readJsonFiles(folder: string): AsyncIterable<JsonFile> {
  const names = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.json')).sort();
  for (const name of names) yield { name, json: parseJson(await readFile(join(folder, name), 'utf8')) };
}

export interface TextFile {
  readonly name: string;
  readonly text: string;
}

/** All files below a folder whatever they are called, those of hidden folders too; undefined where there is no such folder. */
export function textFilesOf(folder: string): AsyncIterable<TextFile> | undefined {
  return existsSync(folder) ? readTextFiles(folder) : undefined;
}

async function* readTextFiles(folder: string): AsyncIterable<TextFile> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  for (const path of paths.sort()) {
    if ((await stat(path)).size > TEXT_BYTES_MAX) continue;
    yield { name: relative(folder, path), text: await readFile(path, 'utf8') };
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
