import assert from 'node:assert/strict';
import { isNodeError } from '../../../node/node-error.ts';
import { DAY_S, GREEN, ISOLATED, LivingRegion } from '../../support/living-region.ts';
import { LOG_ID } from '../../support/region-fixture.ts';
import { describeOnAllTables } from '../../support/tables.ts';

describeOnAllTables('A stricter code of an order by rules', () => {
  const HOURS = 1 / 24;
  let region: LivingRegion;
  beforeEach(async () => (region = await LivingRegion.open()));
  afterEach(() => region.process.stop());

  const noticeOf = async (n: number) => (await region.life.holder(`P${n}`, false)).notice.join('\n');
  const kindsOf = async (n: number) =>
    (await region.life.holder(`P${n}`, false)).changes.map(({ kind }) => kind);

  it('is noted where its first update gives a stricter one, and binds once that is mended', async () => {
    await region.order(1);
    region.later(1);
    await region.declare([1]);
    await region.control([1]);
    assert.deepEqual(await region.update(), { worse: 1 });
    assert.deepEqual(await kindsOf(1), ['worse', 'found']);
    region.later(HOURS);
    await region.control([9]);
    assert.deepEqual(await region.update(), { overridden: 1 });
    assert.equal(await region.codesOf(1), 'red red');
  });

  it('binds to its end where what was told cannot be read, and keeps nobody else from a colour', async () => {
    await region.declare([1, 2]);
    await region.update();
    await region.order(1);
    await region.damageNewestBasis();
    await region.declare([3]);
    assert.deepEqual(await region.update(), { overridden: 1, unchanged: 1, first: 1 });
    assert.deepEqual(await region.update(), { overridden: 1, unchanged: 2 });
    const [trouble, ...others] = region.troubles;
    assert.ok(isNodeError(trouble, 'REGISTRY_CORRUPT'));
    assert.match(trouble.message, /^what the code \S+ \d+ rests on cannot be read/);
    assert.deepEqual(others, [], 'told once');
    assert.match(
      await noticeOf(1),
      /is RED[^]*Why: [^\n]*facts is damaged and cannot be read\.\nRule: baseline, /,
    );
    const { explained } = await region.life.holder('P1', true);
    assert.deepEqual(explained?.order, { log: LOG_ID, index: 2, missing: 'unread' });
    region.later(14);
    await region.declare([1]);
    assert.deepEqual(await region.update(), { better: 1, renewed: 2 });
  });

  it('binds to its end where nothing is kept of what was told, or until an objection to it is upheld', async () => {
    await region.declare([1, 2]);
    for (const n of [1, 2]) await region.issue(n, { ...ISOLATED, untilS: region.nowS + DAY_S }, 'baseline');
    assert.deepEqual(await region.update(), { overridden: 2 });
    assert.match(
      await noticeOf(1),
      /is RED[^]*Why: [^\n]*on what facts is not kept here\.\nRule: baseline, /,
    );
    const { number } = await region.life.object('P2', 'I met nobody.');
    await region.life.decide('P2', { number, isUpheld: true, answer: 'True.' });
    assert.deepEqual(await region.update(), { overridden: 1, better: 1 });
    assert.deepEqual([await region.codesOf(1), await region.codesOf(2)], ['red', '(red) green']);
    region.later(6);
    assert.deepEqual(await region.update(), { better: 1, renewed: 1 });
  });

  it('is what the dossier tells of, and not that the looser one was revoked by hand; why it was given is told before an update too', async () => {
    await region.declare([1]);
    await region.update();
    await region.order(1);
    const before = await region.life.holder('P1', false);
    assert.deepEqual(await region.update(), { overridden: 1 });
    assert.equal(await region.codesOf(1), '(green) red');
    assert.deepEqual(await kindsOf(1), ['found', 'first']);
    const { notice, standing } = await region.life.holder('P1', false);
    assert.equal(standing, 'running');
    assert.deepEqual([before.notice, before.standing], [notice, standing]);
    assert.deepEqual(notice.slice(1, -1), [
      `Since: ${region.today}`,
      `Until: ${region.dayAgo(-14)} 00:00 UTC`,
      'Why: The person was a close contact of somebody infected. (contact.close is known)',
      'Rule: close-contact of baseline, version 1',
      `Known from: what was told with the order of ${region.textOf(region.nowS).slice(0, 16).replace('T', ' ')} UTC`,
    ]);
    assert.deepEqual(await region.update(), { overridden: 1 });
    assert.deepEqual(await kindsOf(1), ['found', 'first'], 'once');
  });

  it('binds updates to its end, whatever is declared anew, and then the rules give what they give', async () => {
    await region.declare([1]);
    await region.update();
    await region.order(1);
    region.later(HOURS);
    await region.declare([1]);
    assert.deepEqual(await region.update(), { overridden: 1 });
    region.later(8);
    await region.declare([1]);
    assert.deepEqual(await region.update(), { overridden: 1 });
    region.later(6);
    assert.deepEqual(await region.update(), { better: 1 });
    assert.equal(await region.codesOf(1), 'green');
  });

  it('binds the first code too, and one that follows a code that was over', async () => {
    await region.order(1);
    await region.declare([1]);
    assert.deepEqual(await region.update(), { overridden: 1 });
    await region.declare([2]);
    assert.deepEqual(await region.update(), { overridden: 1, first: 1 });
    region.later(10);
    await region.order(2);
    await region.declare([2]);
    assert.deepEqual(await region.update(), { overridden: 2 });
    assert.deepEqual([await region.codesOf(1), await region.codesOf(2)], ['red', 'red']);
  });

  it('gives way to worse news at once, and to better news where the rules give it on what was told too', async () => {
    await region.declare([1, 2]);
    await region.update();
    await region.order(1, { 'declaration.symptoms': true });
    await region.order(2, { 'declaration.symptoms': true });
    assert.deepEqual(await region.update(), { overridden: 2 });
    await region.control([1]);
    await region.list(
      'tests',
      `full_name,birth_date,result,day\nPerson 2,1990-05-17,negative,${region.today}\n`,
    );
    assert.deepEqual(await region.update(), { worse: 1, better: 1 });
    assert.deepEqual(
      [await region.codesOf(1), await region.codesOf(2)],
      ['(green) (yellow) red', '(green) yellow green'],
    );
    assert.deepEqual(await region.update(), { unchanged: 2 });
  });

  it('is told of where no colour is known by then', async () => {
    await region.declare([1]);
    await region.update();
    await region.order(1);
    region.later(HOURS);
    await region.tell({ travel: `XX-1 ${region.today}` });
    assert.deepEqual(await region.update(), { open: 1 });
    assert.deepEqual(await kindsOf(1), ['found', 'first']);
  });

  it('that is revoked by hand is given up only once its holder declares anew, whether an update noted it by then or not', async () => {
    await region.declare([1, 2]);
    await region.update();
    await region.order(1);
    assert.deepEqual(await region.update(), { overridden: 1, unchanged: 1 });
    await region.order(2);
    await region.revoke(1);
    await region.revoke(2);
    assert.deepEqual(await region.update(), { withdrawn: 2 });
    assert.deepEqual(await region.update(), { withdrawn: 2 });
    assert.deepEqual(await kindsOf(1), ['revoked', 'found', 'first']);
    region.later(HOURS);
    await region.declare([1, 2]);
    assert.deepEqual(await region.update(), { better: 2 });
    for (const n of [1, 2]) assert.equal(await region.codesOf(n), '(green) (red) green');
  });

  it('that is revoked by hand gives way to worse news at once, and to better news once it would be over', async () => {
    await region.declare([1, 2]);
    await region.update();
    await region.order(1);
    await region.order(2, { 'declaration.symptoms': true });
    assert.deepEqual(await region.update(), { overridden: 2 });
    await region.revoke(2);
    await region.control([2]);
    assert.deepEqual(await region.update(), { overridden: 1, worse: 1 });
    assert.equal(await region.codesOf(2), '(green) (yellow) red');
    region.later(8);
    await region.declare([1]);
    await region.revoke(1);
    assert.deepEqual(await region.update(), { withdrawn: 1, unchanged: 1 });
    region.later(6);
    assert.deepEqual(await region.update(), { better: 2 });
    assert.equal(await region.codesOf(1), 'green');
  });

  it('that is revoked by hand keeps looser ones away behind a stricter one of an update too, and before the first update', async () => {
    await region.order(1, { 'contact.close': region.dayAgo(2) });
    region.later(HOURS);
    await region.declare([1, 2]);
    await region.control([1]);
    assert.deepEqual(await region.update(), { worse: 1, first: 1 });
    await region.order(2);
    await region.declare([3]);
    await region.order(3);
    for (const n of [2, 3]) await region.revoke(n);
    await region.revokeAll(1);
    region.later(HOURS);
    await region.control([9]);
    assert.deepEqual(await region.update(), { withdrawn: 3 });
    assert.deepEqual(await kindsOf(1), ['revoked', 'worse', 'found']);
    assert.deepEqual(await kindsOf(3), ['revoked', 'found']);
    region.later(HOURS);
    await region.control([9, 2], 'watch');
    assert.deepEqual(await region.update(), { withdrawn: 3 }, 'yellow is looser as well');
    region.later(HOURS);
    await region.declare([1, 3]);
    assert.deepEqual(await region.update(), { better: 2, withdrawn: 1 });
    assert.deepEqual(
      [await region.codesOf(1), await region.codesOf(3)],
      ['(red) (red) green', '(red) green'],
    );
  });

  it('that is revoked by hand gives way to a first declaration from after that, and to none from before', async () => {
    await region.order(1);
    await region.order(2);
    await region.revoke(1);
    await region.declare([1, 2]);
    assert.match(
      await noticeOf(1),
      /red health code of \S+ is revoked[^]*Why: The person was a close contact/,
    );
    region.later(HOURS);
    await region.revoke(2);
    assert.deepEqual(await region.update(), { better: 1, withdrawn: 1 });
  });

  it('that is revoked by hand keeps nothing stricter away than what is held', async () => {
    await region.declare([1]);
    await region.update();
    await region.order(1);
    await region.update();
    await region.revoke(1);
    await region.issue(1, GREEN);
    await region.control([1], 'watch');
    assert.deepEqual(await region.update(), { better: 1 });
    assert.equal(await region.codesOf(1), '(green) (red) (green) yellow');
  });

  it('binds until an objection to it is upheld: one to another code corrects that alone, and frees the way for the next', async () => {
    await region.declare([1]);
    await region.control([1], 'watch');
    assert.deepEqual(await region.update(), { first: 1 });
    const { number } = await region.life.object('P1', 'Another person.');
    await region.order(1, { 'contact.secondary': region.today });
    region.later(HOURS);
    await region.life.decide('P1', { number, isUpheld: true, answer: 'True.' });
    await region.control([9]);
    assert.deepEqual(await region.update(), { overridden: 1 });
    assert.deepEqual(await region.update(), { overridden: 1 });
    const states = async () => (await region.life.holder('P1', false)).objections.map(({ state }) => state);
    assert.deepEqual(await states(), ['corrected']);
    const next = await region.life.object('P1', 'I met nobody.');
    await region.life.decide('P1', { number: next.number, isUpheld: true, answer: 'True.' });
    assert.deepEqual(await region.update(), { better: 1 }, 'in the same hour');
    assert.equal(await region.codesOf(1), '(yellow) (yellow) green');
    assert.deepEqual(await states(), ['corrected', 'corrected']);
  });

  it('is revoked for a better one once an objection to it is upheld', async () => {
    await region.declare([1]);
    await region.update();
    await region.order(1);
    await region.update();
    const { number } = await region.life.object('P1', 'I met nobody.');
    assert.deepEqual(await region.update(), { overridden: 1 });
    region.later(HOURS);
    await region.life.decide('P1', { number, isUpheld: true, answer: 'True.' });
    assert.deepEqual(await region.update(), { better: 1 });
    assert.equal(await region.codesOf(1), '(green) (red) green');
    assert.equal((await region.life.holder('P1', false)).objections[0]?.state, 'corrected');
  });

  it('binds by what was told for the person alone: what lists said by then ends with the list that is mended', async () => {
    await region.declare([1, 2, 3]);
    await region.update();
    const listed = { 'control.level': 'key', 'control.since': region.today };
    await region.control([1, 2]);
    region.later(HOURS);
    await region.order(1, listed);
    await region.order(2, { ...listed, 'contact.secondary': region.today });
    await region.order(3, listed);
    assert.deepEqual(await region.update(), { unchanged: 2, overridden: 1 });
    assert.match(
      await noticeOf(1),
      /Known from: the list control, version 1, line 2, by name and day of birth/,
    );
    assert.match(
      await noticeOf(3),
      /control list of key persons\.[^]*Known from: what was told with the order/,
    );
    region.later(HOURS);
    await region.control([9]);
    assert.deepEqual(await region.update(), { better: 1, overridden: 2 });
    const codes = await Promise.all([1, 2, 3].map((n) => region.codesOf(n)));
    assert.deepEqual(codes, ['(green) red green', '(green) red', '(green) red']);
  });

  it('binds by all that was told where lists say it only since then', async () => {
    await region.declare([1]);
    await region.order(1, { 'control.level': 'key', 'control.since': region.today });
    region.later(HOURS);
    await region.control([1]);
    assert.deepEqual(await region.update(), { unchanged: 1 });
    region.later(HOURS);
    await region.control([9]);
    assert.deepEqual(await region.update(), { overridden: 1 });
  });

  it('of other rules than those of updates counts to its end', async () => {
    await region.declare([1]);
    await region.update();
    await region.order(1, undefined, 'other');
    assert.deepEqual(await region.update(), { overridden: 1 });
    assert.deepEqual(await kindsOf(1), ['found', 'first']);
    assert.match(
      await noticeOf(1),
      /is RED[^]*Why: The rules other, version 1, [^\n]*not at hand here any more/,
    );
    region.later(14);
    assert.deepEqual(await region.update(), { better: 1 });
  });

  it('is not what an update gave: a list that is mended gives better news', async () => {
    await region.declare([1]);
    await region.control([1]);
    assert.deepEqual(await region.update(), { first: 1 });
    region.later(HOURS);
    await region.control([9]);
    assert.deepEqual(await region.update(), { better: 1 });
    region.later(8);
    await region.declare([1]);
    assert.deepEqual(await region.update(), { renewed: 1 });
    assert.equal(await region.codesOf(1), 'red green');
  });
});
