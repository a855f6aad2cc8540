/** What a writer that takes over is bound to by what witnesses have permitted before. Spec: SPEC.md 19.3. */
import { type Permit } from '../../protocol/writer/word.ts';
import { mayHavePassed } from './electorate.ts';

/** A tree that may have been signed: whatever is signed from now on has to continue it. */
export type Pledge = Pick<Permit, 'origin' | 'epoch' | 'size' | 'root'>;

/**
 * The latest tree of each log that may have had its quorum. `reports`: of each witness that has taken the new claim, what it had
 * permitted last of each log; `witnesses`: how many there are.
 */
export function pledgesOf(reports: readonly (readonly Permit[])[], witnesses: number): Pledge[] {
  const answered = reports.length;
  const byLog = new Map<string, Permit[]>();
  for (const permit of reports.flat())
    byLog.set(permit.origin, [...(byLog.get(permit.origin) ?? []), permit]);
  return [...byLog].flatMap(([origin, permits]) => {
    const latestFirst = [...permits].sort((one, other) => compareAge(other, one));
    // Whoever permitted a later tree may have permitted this one before, and tells of the later one alone.
    const found = latestFirst.find((permit) => {
      const holders = latestFirst.filter((other) => compareAge(other, permit) >= 0).length;
      return mayHavePassed({ witnesses, answered, holders });
    });
    return found === undefined ? [] : [{ origin, epoch: found.epoch, size: found.size, root: found.root }];
  });
}

/** Of the trees of one log, above 0 if the first is the later: it was permitted in a later epoch, or in the same one and is larger. */
export function compareAge(
  one: Pick<Pledge, 'epoch' | 'size'>,
  other: Pick<Pledge, 'epoch' | 'size'>,
): number {
  return one.epoch - other.epoch || one.size - other.size;
}

/** Of two, where one may be missing, the later. */
export function laterOf(one: Pledge | undefined, other: Pledge | undefined): Pledge | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return compareAge(one, other) >= 0 ? one : other;
}
