/** What a writer that takes over is bound to by what witnesses have permitted before. Spec: SPEC.md 19.3. */
import { type Permit } from '../../protocol/writer/word.ts';
import { mayHavePassed } from './electorate.ts';

/** A tree that may have been signed: whatever is signed from now on has to continue it. */
export interface Pledge {
  readonly origin: string;
  readonly size: number;
  readonly root: Uint8Array;
}

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
    const latestFirst = [...permits].sort(isLaterFirst);
    // Whoever permitted a later tree may have permitted this one before, and tells of the later one alone.
    const found = latestFirst.find((permit) => {
      const holders = latestFirst.filter((other) => isLaterFirst(other, permit) <= 0).length;
      return mayHavePassed({ witnesses, answered, holders });
    });
    return found === undefined ? [] : [{ origin, size: found.size, root: found.root }];
  });
}

function isLaterFirst(one: Permit, other: Permit): number {
  return other.epoch - one.epoch || other.size - one.size;
}
