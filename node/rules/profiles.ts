/** The profiles that come with this program. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Bases, readRuleFile } from './rule-file.ts';

const FOLDER = join(import.meta.dirname, 'profiles');
const ENDING = '.yaml';

/** By name, which is the id of its rules. */
export function profileNames(): string[] {
  return readdirSync(FOLDER)
    .filter((name) => name.endsWith(ENDING))
    .map((name) => name.slice(0, -ENDING.length))
    .sort();
}

/** The text of a profile; undefined if there is none of this name. */
export function profileText(name: string): string | undefined {
  return profileNames().includes(name) ? readFileSync(join(FOLDER, name + ENDING), 'utf8') : undefined;
}

/** What overlays can be written over: the profiles here, in the version that they have. */
export const profileBases: Bases = ({ id, version }) => {
  const text = profileText(id);
  const file = text === undefined ? undefined : readRuleFile(text, profileBases).file;
  return file?.ruleSet.version === version ? file.source : undefined;
};
