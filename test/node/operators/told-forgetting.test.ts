import assert from 'node:assert/strict';
import { join } from 'node:path';
import { isNodeError } from '../../../node/node-error.ts';
import { readTrail } from '../../../node/operators/read-trail.ts';
import { isOperatorName } from '../../../node/operators/scopes.ts';
import { notingForgetting } from '../../../node/operators/told-forgetting.ts';
import { Trail } from '../../../node/operators/trail.ts';
import { START_S } from '../../support/start-time.ts';
import { temporaryFolders } from '../../support/temporary.ts';

describe('notingForgetting', () => {
  const folder = temporaryFolders();

  it('notes who does it, which no operator can be named, and of which log, and refuses while there is no trail', async () => {
    const path = join(folder(), 'trail.jsonl');
    const opened: { trail?: Trail } = {};
    const note = notingForgetting(() => opened.trail);
    const place = { log: '2026-11', index: 7 };
    await assert.rejects(note(place), (error) => isNodeError(error, 'STORE_BUSY') && error.retry);
    opened.trail = await Trail.open(path, { nowS: () => START_S });
    await note(place);
    const lines = [];
    for await (const { entry } of readTrail(path)) lines.push(entry);
    assert.equal(lines.length, 1);
    const [{ prev, ...line } = assert.fail()] = lines;
    assert.match(prev, /^0{64}$/);
    const expected = {
      n: 0,
      at: START_S,
      who: 'other-machine',
      action: 'forget',
      about: '2026-11',
      count: 1,
    };
    assert.deepEqual(line, expected);
    assert.ok(!isOperatorName('other-machine'));
  });
});
