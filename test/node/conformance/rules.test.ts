import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { rulesSuite } from '../../../node/conformance/rules.ts';
import { externalVectors } from '../../support/project.ts';

async function runOver(files: Readonly<Record<string, unknown>>) {
  const dir = await mkdtemp(join(tmpdir(), 'entente-conformance-'));
  try {
    for (const [name, json] of Object.entries(files)) {
      const file = join(dir, 'rules', name);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, JSON.stringify(json));
    }
    return await rulesSuite.run(dir);
  } finally {
    await rm(dir, { recursive: true });
  }
}

const isListed = { in: [{ var: 'payload.a' }, { var: 'external.valueSets.letters' }] };
const caseOf = (a: string, expected: unknown, external?: object) => ({
  payload: { a },
  ...(external && { external }),
  expected,
});

describe('rulesSuite', () => {
  it('holds each case against the nearest rule above it, whatever the files are called', async () => {
    const { passed, failed, reasons } = await runOver({
      'A/one/r.json': { Logic: isListed },
      'A/one/cases/deep/1.json': caseOf('x', true, { valueSets: { letters: ['x'] } }),
      'A/one/cases/2.json': caseOf('y', false, { valueSets: { letters: ['x'] } }),
      'A/one/3.json': caseOf('x', true, { valueSets: { letters: ['x'] } }),
      'A/one/other/r.json': { Logic: true },
      'A/one/other/4.json': caseOf('y', true),
    });
    assert.deepEqual(reasons, []);
    assert.deepEqual([passed, failed], [4, 0]);
  });

  it('uses the value sets of the folder where a case brings none', async () => {
    const { passed, failed } = await runOver({
      'sets.json': { letters: ['x'] },
      'A/r.json': { Logic: isListed },
      'A/1.json': caseOf('x', true, { validationClock: '2021-06-01' }),
      'A/2.json': caseOf('x', false, { valueSets: { letters: [] } }),
    });
    assert.deepEqual([passed, failed], [2, 0]);
  });

  it('fails another result, a rule that is none, a case without a rule, two rules in one place and unknown layouts', async () => {
    const { passed, failed } = await runOver({
      'A/r.json': { Logic: false },
      'A/1.json': caseOf('x', true),
      'B/r.json': { Logic: { '==': [1, 1] } },
      'B/1.json': caseOf('x', true),
      'C/1.json': caseOf('x', true),
      'D/r.json': { Logic: true },
      'D/s.json': { Logic: true },
      'D/1.json': caseOf('x', true),
      'E.json': { what: 1 },
    });
    assert.deepEqual([passed, failed], [1, 5]);
  });

  it('skips a rule without cases, and where the folder is absent', async () => {
    assert.equal((await runOver({ 'A/r.json': { Logic: true } })).skipped, 1);
    assert.equal((await rulesSuite.run(join(tmpdir(), 'entente-no-such-folder'))).skipped, 1);
  });

  it('agrees with the rules of member states', async function () {
    const dir = externalVectors();
    if (dir === undefined) this.skip();
    const { passed, failed, reasons } = await rulesSuite.run(dir);
    assert.equal(failed, 0, reasons.join('\n'));
    assert.ok(passed > 0, reasons.join('\n'));
  });
});
