/** Folders that go when the tests of a file are over. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Call it within `describe`; the returned function gives a fresh, empty folder each time. They go after every other hook of the
 * suite, wherever it stands in the file: what writes into them has been stopped by then.
 */
export function temporaryFolders(): () => string {
  const made: string[] = [];
  before(function () {
    this.test?.parent?.afterAll('removes its folders', () => {
      for (const path of made) rmSync(path, { recursive: true, force: true });
    });
  });
  return () => {
    const path = mkdtempSync(join(tmpdir(), 'entente-test-'));
    made.push(path);
    return path;
  };
}
