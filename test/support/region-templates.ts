/** Regions that are made once for all tests of a run and copied, since making one syncs two dozen files. */
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type FoundingOptions } from '../../node/region/found.ts';
import { Clock, makeRegion } from './regions.ts';

const templates = new Map<string, Promise<string>>();
const folders: string[] = [];

/** The same region as before for the same arguments, made at START_S and copied below `folder`. Two copies have the same keys. */
export async function copyRegion(
  folder: string,
  region: string,
  options: Partial<FoundingOptions> = {},
): Promise<string> {
  const name = JSON.stringify([region, options]);
  let template = templates.get(name);
  if (template === undefined) {
    const dir = mkdtempSync(join(tmpdir(), 'entente-test-'));
    template = makeRegion(dir, region, new Clock().modules, options);
    folders.push(dir);
    templates.set(name, template);
  }
  const path = join(folder, region);
  cpSync(await template, path, { recursive: true });
  return path;
}

// The process of a test runner serves several files.
process.once('exit', () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});
