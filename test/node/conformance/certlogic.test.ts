import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { certlogicSuite } from '../../../node/conformance/certlogic.ts';
import { externalVectors } from '../../support/project.ts';

async function runOver(json: unknown) {
  const dir = await mkdtemp(join(tmpdir(), 'entente-conformance-'));
  try {
    await mkdir(join(dir, 'certlogic', 'any'), { recursive: true });
    await writeFile(join(dir, 'certlogic', 'any', 'name.json'), JSON.stringify(json));
    return await certlogicSuite.run(dir);
  } finally {
    await rm(dir, { recursive: true });
  }
}

const suiteOf = (certLogicExpression: unknown, ...assertions: object[]) => ({
  name: 'x',
  cases: [{ name: 'y', certLogicExpression, assertions }],
});

describe('certlogicSuite', () => {
  it('counts each assertion, and fails those with another value', async () => {
    const suite = suiteOf({ var: 'a' }, { data: { a: 1 }, expected: 1 }, { data: {}, expected: 1 });
    const { passed, failed, reasons } = await runOver(suite);
    assert.deepEqual([passed, failed, reasons.length], [1, 1, 1]);
  });

  it('takes the expression of an assertion before that of its case', async () => {
    const suite = suiteOf(true, { certLogicExpression: false, data: null, expected: false });
    assert.equal((await runOver(suite)).passed, 1);
  });

  for (const [name, json] of [
    ['a value of another type', suiteOf({ var: '' }, { data: 1, expected: '1' })],
    ['an expression that is none', suiteOf({ '==': [1, 1] }, { data: null, expected: true })],
    ['an expression without a value', suiteOf({ '<': [{ var: '' }, 1] }, { data: 'a', expected: true })],
    ['a layout that is not known', { cases: [{ certLogicExpression: true }] }],
  ] as const) {
    it(`fails ${name}`, async () => {
      const { passed, failed } = await runOver(json);
      assert.deepEqual([passed, failed], [0, 1]);
    });
  }

  it('skips where the folder is absent', async () => {
    const { passed, failed, skipped } = await certlogicSuite.run(join(tmpdir(), 'entente-no-such-folder'));
    assert.deepEqual([passed, failed, skipped], [0, 0, 1]);
  });

  it('agrees with the cases of the language', async function () {
    const dir = externalVectors();
    if (dir === undefined) this.skip();
    const { passed, failed, reasons } = await certlogicSuite.run(dir);
    assert.equal(failed, 0, reasons.join('\n'));
    assert.ok(passed > 0, reasons.join('\n'));
  });
});
