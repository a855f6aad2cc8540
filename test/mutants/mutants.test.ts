import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../support/project.ts';
import { applyHunk, parseMutant } from './mutant.ts';
import { readMutants } from './workshop.ts';

const PATCH = `Something goes wrong.

Tests: test/a.test.ts
Caught by: a test

--- a/node/a.ts
+++ b/node/a.ts
@@ -1,4 +1,3 @@
 one
-two
 three
`;

describe('mutants', () => {
  for (const mutant of readMutants()) {
    it(`${mutant.name} fits the source, and its test is there`, () => {
      for (const hunk of mutant.hunks) {
        const source = readFileSync(join(projectRoot, hunk.file), 'utf8');
        assert.notEqual(applyHunk(source, hunk), source);
      }
      assert.ok(existsSync(join(projectRoot, mutant.test)), mutant.test);
    });
  }

  it('there are at least twelve', () => {
    assert.ok(readMutants().length >= 12);
  });

  it('parseMutant reads what breaks, the test and the hunks, and refuses a patch without them', () => {
    const { breaks, test, caughtBy, hunks } = parseMutant('x', PATCH);
    assert.deepEqual([breaks, test, caughtBy], ['Something goes wrong.', 'test/a.test.ts', 'a test']);
    assert.deepEqual(hunks, [{ file: 'node/a.ts', before: 'one\ntwo\nthree', after: 'one\nthree' }]);
    for (const part of [
      'Something goes wrong.',
      'Tests: ',
      'Caught by: ',
      '@@ -1,4 +1,3 @@\n',
      '+++ b/node/a.ts',
    ]) {
      assert.throws(() => parseMutant('x', PATCH.replace(part, '')), SyntaxError, part);
    }
  });

  it('applyHunk makes the change once, wherever its lines are, and refuses none or two places', () => {
    const [hunk] = parseMutant('x', PATCH).hunks;
    assert.ok(hunk);
    assert.equal(applyHunk('zero\none\ntwo\nthree\nfour\n', hunk), 'zero\none\nthree\nfour\n');
    assert.throws(() => applyHunk('zero\none\nthree\n', hunk), RangeError);
    assert.throws(() => applyHunk('\none\ntwo\nthree\none\ntwo\nthree\n', hunk), RangeError);
  });
});
