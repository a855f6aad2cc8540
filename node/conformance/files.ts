/** Reading the folder of vectors. */
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

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

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
