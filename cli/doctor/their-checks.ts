/** What the regions that are followed say of this one, by their trust logs: a recognition is of both sides only where both have said it. */
import { type RunningStatus } from '../desk/node-status.ts';
import { timeText } from '../times.ts';
import { type Finding, note, ok, warn } from './finding.ts';
import { type ReadablePatient } from './patient.ts';

type Word = RunningStatus['vouching'][number]['recognisesUs'];

/** How a region takes the codes of this one, in a word or two. */
export function theirText(word: Word, nowS: number): string {
  if (word === undefined) return 'no';
  const { standing, way = '', fromS = 0, untilS = Infinity, isOurRoot = true } = word;
  if (standing !== 'recognised') return standing;
  if (!isOurRoot) return 'another root';
  if (fromS > nowS) return `from ${timeText(fromS)}`;
  return untilS <= nowS ? 'over' : way;
}

export function checkTheirs({ running, nowS }: ReadablePatient): Finding[] {
  if (running === undefined) return [];
  const { home, regions, vouching } = running;
  const { fingerprint = '' } = regions.find(({ region }) => region === home) ?? {};
  return vouching.map(({ region, recognisesUs: word }) => {
    const how = theirText(word, nowS);
    const fix = `${recognising(region, home, fingerprint)}   # by the people of ${region}: call them`;
    const lost = `codes of ${home} do not count there`;
    if (how === 'no') return note(`${region} does not recognise this region, by what is known: ${lost}`, fix);
    if (how.startsWith('from '))
      return note(`${region} recognises this region ${how} on: until then ${lost}`);
    const trouble = TROUBLES[how]?.(region);
    if (trouble !== undefined) return warn(`${trouble}: ${lost}`, fix);
    return ok(`${region} recognises this region (${how}), until ${timeText(word?.untilS ?? 0)}`);
  });
}

/** What another region types to recognise this one. */
export function recognising(other: string, home: string, fingerprint: string): string {
  return `entente recognise ${other} --region ${home} --fingerprint ${fingerprint}`;
}

const TROUBLES: Readonly<Record<string, (region: string) => string>> = {
  suspended: (region) => `${region} has suspended its recognition of this region`,
  withdrawn: (region) => `${region} has withdrawn its recognition of this region`,
  over: (region) => `the recognition of this region by ${region} is over`,
  'another root': (region) => `${region} recognises another root under the id of this region`,
};
