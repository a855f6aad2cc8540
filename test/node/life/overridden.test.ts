import assert from 'node:assert/strict';
import { describeOnAllTables } from '../../support/tables.ts';
import { DAY_S, GREEN, ISOLATED, LivingRegion } from '../../support/living-region.ts';

describeOnAllTables('A colour that no rule gave', () => {
  const HOURS = 1 / 24;
  let region: LivingRegion;
  beforeEach(async () => (region = await LivingRegion.open()));
  afterEach(() => region.process.stop());

  it('binds updates: neither declaring again nor other news gives a looser code while it runs', async () => {
    await region.declare([1]);
    await region.update();
    region.later(HOURS);
    await region.declare([1]);
    assert.deepEqual(await region.update(), { unchanged: 1 });
    await region.override(1, 'red', 5);
    assert.deepEqual(await region.update(), { overridden: 1 });
    region.later(HOURS);
    await region.declare([1]);
    assert.deepEqual(await region.update(), { overridden: 1 });
    assert.equal((await region.life.holder('P1', true)).explained?.outcome, 'overridden');
    assert.equal(await region.codesOf(1), '(green) red');
    region.later(5);
    assert.deepEqual(await region.update(), { renewed: 1 }, 'its holder declared since');
    assert.equal(await region.codesOf(1), '(green) green');
  });

  it('leaves nobody told that the code which it revoked lets them pass, before an update and after its end', async () => {
    await region.declare([1]);
    await region.update();
    await region.override(1, 'red', 5);
    const revoked = await region.life.holder('P1', false);
    assert.equal(revoked.standing, 'revoked');
    assert.match(revoked.notice[0] ?? '', /^The green health code of \S+ is revoked: it counts no more\.$/);
    assert.doesNotMatch(revoked.notice.join('\n'), /may pass|renewed by itself/);
    await region.update();
    assert.match((await region.life.holder('P1', false)).notice[0] ?? '', /is RED\. You are isolated/);
    region.later(6);
    const over = await region.life.holder('P1', false);
    assert.equal(over.standing, 'over');
    assert.match(over.notice[0] ?? '', /^The red health code of \S+ is over: it counts no more\.$/);
  });

  it('binds the first code, and one that follows a yellow that ends', async () => {
    await region.override(1, 'red', 14);
    await region.declare([1]);
    await region.declare([2], { symptoms: true });
    assert.deepEqual(await region.update(), { first: 1, overridden: 1 });
    await region.override(2, 'red', 14);
    assert.deepEqual(await region.update(), { overridden: 2 });
    region.later(8);
    assert.deepEqual(await region.update(), { overridden: 2 });
    assert.deepEqual([await region.codesOf(1), await region.codesOf(2)], ['red', 'red']);
  });

  it('tells the holder as every change does; an objection that is upheld is corrected by revoking it', async () => {
    await region.declare([1]);
    await region.update();
    await region.override(1, 'red', 5);
    await region.update();
    await region.update();
    const notices = [];
    for await (const notice of region.life.untold()) notices.push(notice);
    const [{ text, change } = assert.fail(), ...others] = notices;
    assert.deepEqual([others.length, change.kind], [0, 'override']);
    assert.match(
      text.join('\n'),
      /is RED[^]*Since: [^]*Until: [^]*Two operators .* of an outbreak[^]*Rule: none[^]*To object: the office/,
    );
    const { number, about } = await region.life.object('P1', 'I was away.');
    assert.deepEqual(about, { log: change.log, index: change.index });
    await region.life.decide('P1', { number, isUpheld: true, answer: 'You were.' });
    assert.deepEqual(await region.update(), { overridden: 1 }, 'nobody sets a colour alone');
    await region.revoke(1);
    assert.deepEqual(await region.update(), { renewed: 1 });
    assert.equal(await region.codesOf(1), '(green) (red) green');
    const { objections, changes } = await region.life.holder('P1', false);
    assert.equal(objections[0]?.state, 'corrected');
    assert.deepEqual(
      changes.map(({ kind }) => kind),
      ['renewed', 'override', 'first'],
    );
    assert.deepEqual(await region.update(), { unchanged: 1 });
  });

  it('gives way to what an order gave and demands more, whichever came first', async () => {
    await region.declare([1]);
    await region.order(1);
    assert.deepEqual(await region.update(), { overridden: 1 });
    await region.override(1, 'yellow', 5);
    assert.deepEqual(await region.update(), { overridden: 1 });
    assert.equal(await region.codesOf(1), 'red (yellow)');
  });

  it('gives way to what is stricter, and to nothing once it is revoked', async () => {
    await region.declare([1, 2]);
    await region.override(1, 'yellow', 5);
    await region.override(2, 'yellow', 5);
    await region.control([1]);
    await region.revoke(2);
    assert.deepEqual(await region.update(), { first: 2 });
    assert.deepEqual([await region.codesOf(1), await region.codesOf(2)], ['(yellow) red', '(yellow) green']);
  });

  it('revokes what is looser and came about otherwise meanwhile', async () => {
    await region.declare([1]);
    await region.override(1, 'red', 14);
    await region.issue(1, GREEN);
    assert.deepEqual(await region.update(), { overridden: 1 });
    assert.equal(await region.codesOf(1), 'red (green)');
  });

  it('revokes nothing that is in no log yet: its place may become that of somebody else', async () => {
    await region.declare([1]);
    await region.override(1, 'red', 14);
    const index = await region.record(1, GREEN);
    assert.deepEqual(await region.update(), { unlogged: 1 }, 'somebody is to look again');
    assert.equal(region.isRevoked(index), false);
    await region.issue(2, GREEN);
    assert.equal(await region.codesOf(2), 'green');
    assert.deepEqual(await region.update(), { overridden: 1 });
  });

  it('revokes what the rules would give too and came about otherwise meanwhile', async () => {
    await region.declare([1]);
    await region.override(1, 'red', 14);
    await region.issue(1, GREEN, 'baseline');
    assert.deepEqual(await region.update(), { overridden: 1 });
    assert.equal(await region.codesOf(1), 'red (green)');
    assert.deepEqual(await region.update(), { overridden: 1 });
  });

  it('binds one operator who issues by rules', async () => {
    await region.override(1, 'red', 3);
    assert.deepEqual(await region.claims([1, 2], GREEN), ['overridden', undefined]);
    assert.deepEqual(await region.claims([1], { ...ISOLATED, untilS: region.nowS + DAY_S }), ['overridden']);
    region.later(3);
    assert.deepEqual(await region.claims([1], GREEN), [undefined]);
  });
});

describeOnAllTables('A stricter code that rules gave', () => {
  let region: LivingRegion;
  beforeEach(async () => (region = await LivingRegion.open()));
  afterEach(() => region.process.stop());

  const isolated = () => ({ ...ISOLATED, untilS: region.nowS + DAY_S });

  it('lets nobody who did not declare get a looser one, until it is over or revoked', async () => {
    await region.issue(1, isolated(), 'baseline');
    await region.issue(2, isolated(), 'baseline');
    assert.deepEqual(await region.claims([1, 2, 3], GREEN), ['beside', 'beside', undefined]);
    assert.deepEqual(await region.claims([1], isolated()), [undefined]);
    await region.revoke(2);
    assert.deepEqual(await region.claims([2], GREEN), [undefined]);
    region.later(7);
    assert.deepEqual(await region.claims([1], GREEN), [undefined]);
  });

  it('lets who declared get what an update gave them since, unless worse news revoked that', async () => {
    await region.declare([1]);
    await region.order(1, { 'declaration.symptoms': true });
    assert.deepEqual(await region.claims([1], GREEN), ['beside']);
    await region.list(
      'tests',
      `full_name,birth_date,result,day\nPerson 1,1990-05-17,negative,${region.today}\n`,
    );
    assert.deepEqual(await region.update(), { better: 1 });
    assert.deepEqual(await region.claims([1], GREEN), [undefined]);
    await region.revoke(1);
    assert.deepEqual(await region.claims([1], GREEN), ['beside']);
  });

  it('stays the one that counts where an update found a looser one', async () => {
    await region.declare([1]);
    await region.issue(1, isolated(), 'baseline');
    await region.issue(1, GREEN, 'baseline');
    assert.deepEqual(await region.update(), { overridden: 1 });
    assert.deepEqual(await region.claims([1], GREEN), ['beside']);
  });
});

describeOnAllTables('A code that was revoked by hand', () => {
  let region: LivingRegion;
  beforeEach(async () => (region = await LivingRegion.open()));
  afterEach(() => region.process.stop());

  it('is not given again for a declaration from before it was revoked, also once it is over', async () => {
    await region.declare([1]);
    await region.update();
    region.later(1);
    await region.declare([1]);
    assert.deepEqual(await region.update(), { unchanged: 1 });
    await region.revoke(1);
    assert.deepEqual(await region.update(), { withdrawn: 1 });
    region.later(8);
    region.isRevokedForgotten = true;
    assert.deepEqual(await region.update(), { withdrawn: 1 });
    await region.declare([1]);
    assert.deepEqual(await region.update(), { renewed: 1 });
    assert.deepEqual(await region.update(), { unchanged: 1 });
  });

  const untold = async () => {
    const notices = [];
    for await (const notice of region.life.untold()) notices.push(notice);
    return notices;
  };

  it('is told of, once, with why and how to object; handing out the code before does not count for it', async () => {
    await region.declare([1, 2]);
    await region.update();
    const handed = (await untold()).map((notice) => ({ ...notice, kind: notice.change.kind }));
    await region.revoke(1);
    assert.deepEqual(await region.update(), { withdrawn: 1, unchanged: 1 });
    assert.deepEqual(await region.update(), { withdrawn: 1, unchanged: 1 });
    await region.life.told(handed);
    const [{ subject, log, index, code, change, text } = assert.fail(), ...others] = await untold();
    const first = handed.find((one) => one.subject === 'P1');
    assert.deepEqual([others, subject, change.kind], [[], 'P1', 'revoked']);
    assert.deepEqual([log, index, code], [first?.log, first?.index, first?.code]);
    assert.match(
      text.join('\n'),
      /is revoked[^]*Since: [^]*Why: It was revoked by hand[^]*To object: the office/,
    );
    assert.equal((await region.life.holder('P1', false)).standing, 'revoked');
    await region.life.told([{ subject, log, index, kind: 'revoked' }]);
    assert.deepEqual(await untold(), []);
    await region.update();
    assert.deepEqual(await untold(), []);
    region.later(0.1);
    await region.declare([1]);
    assert.deepEqual(await region.update(), { renewed: 1, unchanged: 1 });
    assert.equal((await untold())[0]?.change.kind, 'renewed');
  });

  it('is told with the reason that was given, whether an update saw it before or not', async () => {
    await region.declare([1, 2, 4]);
    await region.update();
    const { registry } = region.process;
    const placeOf = async (n: number) => (await registry.ofSubject(`P${n}`)).at(-1) ?? assert.fail();
    await region.revoke(1);
    await region.update();
    await region.revoke(2);
    await region.issue(3, GREEN);
    // What an order gave, and no update has seen.
    await region.order(4);
    await region.revoke(4);
    const places = await Promise.all([1, 2, 3, 4].map(placeOf));
    await region.life.revokedBecause(places, 'The phone was lost.');
    await region.life.revokedBecause(places, 'Another reason.');
    assert.deepEqual(await region.update(), { withdrawn: 3 });
    const notices = await untold();
    assert.deepEqual(notices.map(({ subject, change }) => [subject, change.kind]).sort(), [
      ['P1', 'revoked'],
      ['P2', 'revoked'],
      ['P4', 'revoked'],
    ]);
    for (const { text } of notices)
      assert.match(text.join('\n'), /Why: It was revoked by hand\. \(The phone was lost\.\)/);
    const { changes } = await region.life.holder('P1', false);
    assert.deepEqual(
      changes.map(({ kind }) => kind),
      ['revoked', 'first'],
    );
  });

  it('is told of also where no colour is known by then', async () => {
    await region.declare([1]);
    await region.update();
    await region.life.told(await untold());
    region.later(1);
    await region.revoke(1);
    await region.tell({ travel: `XX-1 ${region.today}` });
    assert.deepEqual(await region.update(), { open: 1 });
    assert.deepEqual(
      (await untold()).map(({ change }) => change.kind),
      ['revoked'],
    );
  });

  it('is told of also where another one, looser than what is sure, is revoked in the same update', async () => {
    await region.declare([1, 2], { symptoms: true, name: () => 'Person 1' });
    await region.update();
    await region.revoke(1);
    await region.control([1]);
    await region.issue(1, GREEN, 'other');
    assert.deepEqual(await region.update(), { ambiguous: 2 });
    assert.equal(await region.codesOf(1), '(yellow) (green)');
    assert.equal((await region.life.holder('P1', false)).changes[0]?.kind, 'revoked');
  });

  it('is told of where two operators gave it, and is no news where another code comes at once', async () => {
    await region.declare([1, 2]);
    await region.update();
    await region.override(1, 'red', 5);
    await region.update();
    await region.revoke(1);
    await region.revoke(2);
    await region.control([2]);
    assert.deepEqual(await region.update(), { withdrawn: 1, worse: 1 });
    const kinds = new Map((await untold()).map(({ subject, change }) => [subject, change.kind]));
    assert.deepEqual(
      kinds,
      new Map([
        ['P1', 'revoked'],
        ['P2', 'worse'],
      ]),
    );
  });

  it('is given again for the device of a newer declaration, which changes nothing of a code that runs', async () => {
    const devices = ['11', '22'].map((byte) => byte.repeat(32));
    await region.tell({ device: devices[0] ?? '' });
    await region.update();
    region.later(0.1);
    await region.tell({ device: devices[1] ?? '' });
    assert.deepEqual(await region.update(), { unchanged: 1 });
    await region.revoke(1);
    region.later(0.1);
    await region.tell({ device: devices[1] ?? '' });
    assert.deepEqual(await region.update(), { renewed: 1 });
    const records = await region.process.registry.ofSubject('P1');
    assert.deepEqual(
      records.map(({ fields }) => Buffer.from(fields.holderKey ?? []).toString('hex')),
      devices,
    );
  });

  it('is given again after an objection that was upheld, by the rules', async () => {
    await region.declare([1]);
    await region.update();
    await region.revoke(1);
    await region.update();
    const { number } = await region.life.object('P1', 'Why?');
    assert.deepEqual(await region.update(), { withdrawn: 1 });
    await region.life.decide('P1', { number, isUpheld: true, answer: 'It was a mistake.' });
    assert.deepEqual(await region.update(), { renewed: 1 });
    assert.equal(await region.codesOf(1), '(green) green');
    assert.equal((await region.life.holder('P1', false)).objections[0]?.state, 'corrected');
    const { log, index } = (await region.process.registry.ofSubject('P1')).at(-1) ?? assert.fail();
    await region.life.takeBack({ log, index, count: 1 }, ['P1']);
    assert.deepEqual(await region.update(), { renewed: 1 }, 'what came of it was in no log');
  });

  for (const how of ['noted', 'not noted', 'not noted, after a new start,'] as const)
    it(`is not given again for a declaration that is older and comes later, ${how} by then`, async () => {
      await region.declare([1]);
      await region.update();
      region.later(0.1);
      const beforeRevoking = region.textOf(region.nowS);
      region.later(0.1);
      assert.deepEqual(await region.update(), { unchanged: 1 });
      await region.revoke(1);
      if (how === 'noted') assert.deepEqual(await region.update(), { withdrawn: 1 });
      region.later(0.1);
      if (how === 'not noted, after a new start,') {
        await region.process.stop();
        region = await LivingRegion.open(region.machine);
      }
      await region.tell({ declared_at: beforeRevoking });
      assert.deepEqual(await region.update(), { withdrawn: 1 });
      await region.declare([1]);
      assert.deepEqual(await region.update(), { renewed: 1 });
    });
});
