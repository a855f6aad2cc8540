import assert from 'node:assert/strict';
import { isNodeError } from '../../../node/node-error.ts';
import { GREEN, ISOLATED, LivingRegion } from '../../support/living-region.ts';
import { ANNA } from '../../support/operators.ts';
import { describeOnAllTables } from '../../support/tables.ts';

const UNREAD = /^what is kept of the person cannot be read: registry\/page\/\S+ /;

/** P2 holds a green code that can be read, and one that cannot. */
describeOnAllTables('What is ordered beside a damaged page of the registry', () => {
  let region: LivingRegion;
  let mend: () => Promise<void>;
  beforeEach(async () => {
    region = await LivingRegion.open();
    await region.declare([1, 2, 3]);
    await region.update();
    await region.issue(2, GREEN);
    mend = await region.damageNewestPage();
  });
  afterEach(() => region.process.stop());

  const red = () => ({ ...ISOLATED, untilS: region.nowS + 86_400 });
  const holders = async () => [...(await region.overrides.beside.finish()).holders];

  it('is refused to its person alone, by its row: whoever is asked for together gets theirs', async () => {
    const [one, two, three, ...others] = await region.claims([1, 2, 3, 4], GREEN);
    assert.deepEqual([one, three, ...others], [undefined, undefined, undefined]);
    assert.match(two ?? '', UNREAD);
  });

  it('is given where it is red and known here, and where it is told alone to nobody of whom something is known', async () => {
    assert.deepEqual(await region.claims([1, 2], red()), ['told', 'told']);
    const { registry } = region.process;
    // Of whom nothing else is known they hold a code all the same.
    await region.issue(4, GREEN);
    const mendOther = await region.damageNewestPage();
    await assert.rejects(registry.ofSubject('P4'), (error) => isNodeError(error, 'REGISTRY_CORRUPT'));
    assert.equal((await region.claims([4], red()))[0], 'told');
    await mendOther();
    await region.control([2, 3]);
    const listed = { 'control.level': 'key', 'control.since': region.today };
    assert.deepEqual(await Promise.all([2, 3].map((n) => region.mayOrder(n, listed))), [true, true]);
  });

  it('revokes what is looser and can be read, tells of the rest once, and sees to that once it is mended', async () => {
    await region.order(2);
    for (let times = 0; times < 2; times++) assert.deepEqual(await holders(), ['P2']);
    const [trouble, ...others] = region.troubles;
    assert.ok(isNodeError(trouble, 'REGISTRY_CORRUPT'));
    assert.doesNotMatch(trouble.message, /P2/);
    assert.deepEqual(others, []);
    await mend();
    assert.equal(await region.codesOf(2), '(green) green red');
    assert.deepEqual(await holders(), []);
    assert.equal(await region.codesOf(2), '(green) (green) red');
  });

  it('comes by two operators to all, who are told of what may pass on, and is done once that is mended', async () => {
    const subjects = ['P1', 'P2', 'P3'];
    const { id } = await region.propose({ reason: 'outbreak', colour: 'red', days: 2, subjects }, ANNA);
    await assert.rejects(region.confirm(id), /may pass on, since what they hold cannot be read/);
    assert.deepEqual([await region.codesOf(1), await region.codesOf(3)], ['(green) red', '(green) red']);
    await mend();
    assert.equal(await region.codesOf(2), '(green) green red');
    assert.deepEqual(await region.confirm(id), { issued: 3 });
    assert.equal(await region.codesOf(2), '(green) (green) red');
  });
});
