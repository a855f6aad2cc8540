/** A planted fault: a patch of the source, and the test that has to notice it. */

export interface Mutant {
  readonly name: string;
  /** What the faulty program does. */
  readonly breaks: string;
  /** The file of the test, from the root of the project. */
  readonly test: string;
  /** A part of the title of the test that has to fail. */
  readonly caughtBy: string;
  readonly hunks: readonly Hunk[];
}

/** Lines of one file that become others. */
export interface Hunk {
  readonly file: string;
  readonly before: string;
  readonly after: string;
}

/** A text in front: what breaks, then `Tests:` and `Caught by:` lines; then a unified diff. @throws {SyntaxError} if it is none. */
export function parseMutant(name: string, text: string): Mutant {
  const [head = '', ...diff] = text.split(/^(?=--- a\/)/m);
  const [breaks = ''] = head.split('\n');
  const test = /^Tests: (test\/\S+\.test\.ts)$/m.exec(head)?.[1];
  const caughtBy = /^Caught by: (.+)$/m.exec(head)?.[1];
  const hunks = diff.flatMap(hunksOf);
  if (breaks === '' || test === undefined || caughtBy === undefined || hunks.length === 0) {
    throw new SyntaxError(`${name}: expected what breaks, Tests:, Caught by: and a diff`);
  }
  return { name, breaks, test, caughtBy, hunks };
}

function hunksOf(diff: string): Hunk[] {
  const file = /^--- a\/(\S+)\n\+\+\+ b\/\1$/m.exec(diff)?.[1];
  if (file === undefined) return [];
  return diff
    .split(/^@@ .*\n/m)
    .slice(1)
    .map((hunk) => {
      const lines = hunk.replace(/\n$/, '').split('\n');
      const kept = (marks: string): string =>
        lines
          .filter((line) => marks.includes(line[0] ?? ' '))
          .map((line) => line.slice(1))
          .join('\n');
      return { file, before: kept(' -'), after: kept(' +') };
    });
}

/**
 * The text with the hunk made, wherever it is now. @throws {RangeError} unless its lines are there exactly once: then the
 * patch does not fit the source any more and has to be made anew.
 */
export function applyHunk(text: string, { file, before, after }: Hunk): string {
  const place = text.indexOf(`\n${before}\n`);
  if (place < 0) throw new RangeError(`${file} does not have the lines of the patch`);
  if (text.includes(`\n${before}\n`, place + 1))
    throw new RangeError(`${file} has the lines of the patch twice`);
  const start = place + 1;
  return text.slice(0, start) + after + text.slice(start + before.length);
}
