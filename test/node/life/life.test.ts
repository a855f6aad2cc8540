import assert from 'node:assert/strict';
import { Forgetting, type ForgettingModules } from '../../../node/issuing/forgetting.ts';
import { isNodeError } from '../../../node/node-error.ts';
import { RegionMachine } from '../../support/issuing-fixture.ts';
import { bytesOf } from '../../support/lists-fixture.ts';
import { DAY_S, GREEN, LivingRegion } from '../../support/living-region.ts';
import { ANNA, BERT } from '../../support/operators.ts';
import { sha256 } from '../../support/primitives.ts';
import { describeOnAllTables } from '../../support/tables.ts';

describeOnAllTables('Life.update', () => {
  let region: LivingRegion;
  beforeEach(async () => (region = await LivingRegion.open()));
  afterEach(() => region.process.stop());

  it('gives a first code to everybody who declared, and the second time changes nothing', async () => {
    await region.declare([1, 2]);
    await region.declare([3], { symptoms: true });
    assert.deepEqual(await region.update(), { first: 3 });
    assert.deepEqual([await region.codesOf(1), await region.codesOf(3)], ['green', 'yellow']);
    assert.deepEqual(await region.update(), { unchanged: 3 });
    assert.equal(await region.codesOf(1), 'green');
  });

  it('worse news revokes what passes, issues anew among others, and says why; nobody else changes', async () => {
    await region.declare([1, 2]);
    await region.update();
    await region.control([2]);
    assert.deepEqual(await region.update(), { unchanged: 1, worse: 1 });
    assert.deepEqual([await region.codesOf(1), await region.codesOf(2)], ['green', '(green) red']);
    const { changes, notice, standing } = await region.life.holder('P2', false);
    assert.deepEqual([standing, changes.map(({ kind }) => kind)], ['running', ['worse', 'first']]);
    const [{ rule, since, sources } = assert.fail()] = changes;
    assert.deepEqual([rule, since], ['control-list', region.today]);
    assert.deepEqual(
      sources.map(
        (source) => source.from === 'list' && [source.list, source.version, source.line, source.by],
      ),
      [['control', 1, 2, 'name']],
    );
    assert.match(
      notice.join('\n'),
      /is RED.*isolated[^]*control-list of baseline, version 1[^]*line 2, by name/,
    );
    assert.match(notice.join('\n'), /To object: the office\. It is decided within 7 days/);
    const tree = await region.process.treeOf('2026-11');
    assert.ok(tree.size >= 2 + 32, 'the replacement is hidden among others');
  });

  it('of some people looks at these alone, and is no update of all', async () => {
    await region.declare([1, 2]);
    await region.update();
    const { lastAtS } = await region.life.updates();
    region.later(0.1);
    await region.declare([1, 2], { symptoms: true });
    assert.deepEqual(await region.update({ of: ['P1', 'P9'] }), { worse: 1 });
    assert.deepEqual([await region.codesOf(1), await region.codesOf(2)], ['(green) yellow', 'green']);
    assert.equal((await region.life.updates()).lastAtS, lastAtS);
    assert.deepEqual(await region.update({ of: ['P9'] }), {});
    assert.deepEqual(await region.update(), { worse: 1, unchanged: 1 });
  });

  it('red ends by its rule after fourteen days, to the second, and green comes of the same declaration', async () => {
    await region.declare([1]);
    await region.control([1]);
    assert.deepEqual(await region.update(), { first: 1 });
    const [{ status } = assert.fail()] = (await region.life.holder('P1', false)).changes;
    assert.equal(status.untilS, Date.parse(`${region.today}T00:00:00Z`) / 1_000 + 14 * DAY_S);
    region.machine.clock.nowAtMs = (status.untilS - 1) * 1_000;
    assert.deepEqual(await region.update(), { unchanged: 1 });
    region.machine.clock.nowAtMs = status.untilS * 1_000;
    assert.deepEqual(await region.update(), { better: 1 });
    assert.equal(await region.codesOf(1), 'green');
  });

  it('better news issues anew, and leaves the stricter code to end', async () => {
    await region.declare([1], { symptoms: true });
    await region.update();
    await region.list(
      'tests',
      `full_name,birth_date,result,day\nPerson 1,1990-05-17,negative,${region.today}\n`,
    );
    assert.deepEqual(await region.update(), { better: 1 });
    assert.equal(await region.codesOf(1), 'yellow green');
    const { notice } = await region.life.holder('P1', false);
    assert.match(notice.join('\n'), /Known from: [^\n]*declar[^]*Known from: [^\n]*tests/);
  });

  it('a green code is renewed less than two days before its end, and not before; of renewals one is remembered', async () => {
    await region.declare([1]);
    await region.update();
    region.later(4.9);
    assert.deepEqual(await region.update(), { unchanged: 1 });
    region.later(0.3);
    assert.deepEqual(await region.update(), { renewed: 1 });
    assert.deepEqual(await region.update(), { unchanged: 1 });
    region.later(5.3);
    assert.deepEqual(await region.update(), { renewed: 1 });
    const { changes } = await region.life.holder('P1', false);
    assert.deepEqual(
      changes.map(({ kind }) => kind),
      ['renewed', 'first'],
    );
  });

  it('a declaration that is too old renews nothing: open, and a new one gives the code again', async () => {
    await region.declare([1]);
    await region.update();
    region.later(31);
    assert.deepEqual(await region.update(), { open: 1 });
    await region.declare([1]);
    assert.deepEqual(await region.update(), { renewed: 1 });
  });

  it('B69 nobody is guessed: who shares a name with an entry and with somebody else gets no other colour', async () => {
    await region.declare([1, 2], { name: () => 'Person 1' });
    await region.update();
    await region.control([1]);
    const unsettled: string[] = [];
    for await (const news of region.life.update())
      if ('unsettled' in news) unsettled.push(`${news.unsettled.subject} ${news.unsettled.doubts[0]?.doubt}`);
    assert.deepEqual(unsettled.sort(), ['P1 NAME_SHARED', 'P2 NAME_SHARED']);
    assert.equal(await region.codesOf(1), 'green');
  });

  it('stays that somebody tells mean nothing without a list of areas, and count with one', async () => {
    const file = `subject,full_name,birth_date,declared_at,consent,symptoms,travel\nP1,Person 1,1990-05-17,${region.textOf(region.nowS)},true,false,XX-1 ${region.today}\n`;
    await region.life.declare({ source: 'office', format: 'csv', encoding: 'utf-8' }, bytesOf(file));
    assert.deepEqual(await region.update(), { open: 1 });
    await region.list('areas', `area,risk,since\nXX-1,medium,${region.today}\n`);
    assert.deepEqual(await region.update(), { first: 1 });
    assert.equal(await region.codesOf(1), 'yellow');
  });

  it('what a declaration says is told with who handed it in, and its holder hears of no operator', async () => {
    const operator = { name: 'anna', keyId: '00112233445566aa' };
    const file = `subject,full_name,birth_date,declared_at,consent,symptoms\nP1,Person 1,1990-05-17,${region.textOf(region.nowS)},true,true\n`;
    const order = { source: 'office', operator, format: 'csv', encoding: 'utf-8' } as const;
    await region.life.declare(order, bytesOf(file));
    await region.update();
    const { explained, notice, changes } = await region.life.holder('P1', true);
    const told = { from: 'declaration', source: 'office', operator, atS: region.nowS };
    const known = explained?.facts.find(({ name }) => name === 'declaration.symptoms');
    assert.deepEqual([known?.source, changes[0]?.sources], [told, [told]]);
    assert.match(notice.join('\n'), /taken by office/);
    assert.doesNotMatch(notice.join('\n'), /anna/);
  });

  it('a code that was revoked by hand is not given again until its holder declares anew', async () => {
    await region.declare([1]);
    await region.update();
    const [{ log, index } = assert.fail()] = await region.process.registry.ofSubject('P1');
    await region.process.revoker.revoke({ log, indexes: [index] });
    assert.deepEqual(await region.update(), { withdrawn: 1 });
    region.later(1);
    await region.declare([1]);
    assert.deepEqual(await region.update(), { renewed: 1 });
    assert.equal(await region.codesOf(1), '(green) green');
  });

  it('a code that was issued by these rules otherwise counts, and is revoked by worse news', async () => {
    await region.issue(1, GREEN, 'baseline');
    await region.declare([1]);
    assert.deepEqual(await region.update(), { unchanged: 1 });
    await region.control([1]);
    assert.deepEqual(await region.update(), { worse: 1 });
    assert.equal(await region.codesOf(1), '(green) red');
  });

  it('a first red revokes a green that other rules gave, and one that comes later by file as well', async () => {
    await region.issue(1, GREEN);
    await region.declare([1]);
    await region.control([1]);
    assert.deepEqual(await region.update(), { first: 1 });
    assert.equal(await region.codesOf(1), '(green) red');
    await region.issue(1, GREEN, 'baseline');
    await region.issue(1, GREEN);
    region.isHourUsedUp = true;
    assert.deepEqual(await region.update(), { waiting: 1 });
    region.isHourUsedUp = false;
    assert.deepEqual(await region.update(), { unchanged: 1 });
    assert.equal(await region.codesOf(1), '(green) red (green) (green)');
    assert.deepEqual(await region.update(), { unchanged: 1 });
    const { changes } = await region.life.holder('P1', false);
    assert.equal(changes.length, 1, 'no code takes the place of what was looser');
  });

  it('a code of the same colour that demands less is revoked, one that demands more is left to end', async () => {
    await region.issue(1, { colour: 'red', measure: 'home', untilS: region.nowS + 20 * DAY_S }, 'baseline');
    await region.issue(2, { colour: 'yellow', measure: 'isolate', untilS: region.nowS + DAY_S }, 'other');
    await region.declare([1]);
    await region.declare([2], { symptoms: true });
    await region.control([1]);
    assert.deepEqual(await region.update(), { overridden: 1, worse: 1 });
    assert.deepEqual([await region.codesOf(1), await region.codesOf(2)], ['(red) red', 'yellow']);
  });

  it('worse news of more people than an hour has revocations for goes through, hour by hour', async () => {
    const limited = new RegionMachine();
    limited.region.add({ kind: 'limits', version: 1, revocationsPerHour: 5 });
    const narrow = await LivingRegion.open(limited);
    const people = Array.from({ length: 13 }, (_, i) => i + 1);
    await narrow.declare(people);
    await narrow.update();
    await narrow.control(people);
    assert.deepEqual(await narrow.update(), { worse: 5, waiting: 8 });
    assert.deepEqual(await narrow.update(), { unchanged: 5, waiting: 8 });
    narrow.later(1 / 24);
    assert.deepEqual(await narrow.update(), { unchanged: 5, worse: 5, waiting: 3 });
    narrow.later(1 / 24);
    assert.deepEqual(await narrow.update(), { unchanged: 10, worse: 3 });
    for (const n of people) assert.equal(await narrow.codesOf(n), '(green) red', `person ${n}`);
    await narrow.process.stop();
  });

  it('worse news waits where the hour has no revocation left; nobody passes with two colours, and it is taken up later', async () => {
    await region.declare([1, 2]);
    await region.update();
    await region.control([1]);
    await region.declare([3]);
    region.isHourUsedUp = true;
    assert.deepEqual(await region.update(), { unchanged: 1, first: 1, waiting: 1 });
    assert.equal(await region.codesOf(1), 'green');
    region.isHourUsedUp = false;
    assert.deepEqual(await region.update(), { unchanged: 2, worse: 1 });
    assert.equal(await region.codesOf(1), '(green) red');
  });

  it('worse news that waited and was wrong is forgotten: a revocation by hand stays one', async () => {
    await region.declare([1]);
    await region.update();
    await region.control([1]);
    region.isHourUsedUp = true;
    assert.deepEqual(await region.update(), { waiting: 1 });
    region.isHourUsedUp = false;
    region.later(0.1);
    await region.control([9]);
    assert.deepEqual(await region.update(), { unchanged: 1 });
    const [{ log, index } = assert.fail()] = await region.process.registry.ofSubject('P1');
    await region.process.revoker.revoke({ log, indexes: [index] });
    assert.deepEqual(await region.update(), { withdrawn: 1 });
  });

  it('a dry run changes nothing, and may be of another time', async () => {
    await region.declare([1]);
    await region.control([1]);
    assert.deepEqual(await region.update({ dry: { atS: region.nowS } }), { first: 1 });
    assert.equal(await region.codesOf(1), '');
    await region.update();
    assert.deepEqual(await region.update({ dry: { atS: region.nowS + 15 * DAY_S } }), { better: 1 });
    assert.equal(await region.codesOf(1), 'red');
  });

  it('a code that no log will have is taken back, and given anew: of what was to be stricter, among others', async () => {
    await region.declare([1, 2]);
    await region.update();
    await region.control([2]);
    await region.update();
    // The batch of what is stricter: one code among others.
    const codes = { log: '2026-11', index: 2, count: 32 };
    const subjects = await region.process.registry.subjectsIn({ ...codes, index: 0, count: 1_000 });
    assert.deepEqual(subjects.sort(), ['P1', 'P2']);
    // Whoever writes it with all else may leave it as it is.
    let told = 0;
    await region.life.takeBack(codes, subjects, (changes) => Promise.resolve(void (told = changes.length)));
    assert.ok(told > 0);
    assert.equal((await region.life.holder('P2', false)).changes.length, 2);
    await region.takeBack(codes, subjects);
    await region.life.takeBack(codes, ['nobody', ...subjects]);
    assert.equal((await region.life.holder('P1', false)).changes.length, 1);
    const { changes, isRevoking, standing } = await region.life.holder('P2', false);
    assert.deepEqual([changes.map(({ kind }) => kind), isRevoking, standing], [['first'], true, 'revoked']);
    assert.deepEqual(await region.update(), { unchanged: 1, worse: 1 });
    assert.equal(await region.codesOf(2), '(green) red');
  });

  it('a first code that is taken back leaves nothing to tell', async () => {
    await region.declare([1]);
    await region.update();
    await region.takeBack({ log: '2026-11', index: 0, count: 1 }, ['P1']);
    for await (const notice of region.life.untold()) assert.fail(notice.subject);
    assert.equal((await region.life.holder('P1', false)).standing, 'none');
  });

  it('refuses a second run while one goes on', async () => {
    await region.declare([1]);
    const first = region.life.update();
    await first.next();
    await assert.rejects(region.life.update().next(), /being updated already/);
    await first.return();
    assert.deepEqual(await region.update(), { unchanged: 1 });
  });

  it('hands out each change once with its notice, and one that came meanwhile the next time', async () => {
    await region.declare([1, 2]);
    await region.update();
    const told = async () => {
      const notices = [];
      for await (const notice of region.life.untold()) notices.push(notice);
      return notices;
    };
    const notices = await told();
    assert.deepEqual(notices.map(({ subject }) => subject).sort(), ['P1', 'P2']);
    assert.ok(notices.every(({ code, text }) => code.startsWith('ENT1:') && /GREEN/.test(text[0] ?? '')));
    await region.control([2]);
    await region.update();
    await region.life.told(notices.map(({ subject, log, index }) => ({ subject, log, index })));
    assert.deepEqual(
      (await told()).map(({ subject, change }) => `${subject} ${change.status.colour}`),
      ['P2 red'],
    );
  });
});

describeOnAllTables('Life.forget', () => {
  function forgettingIn(
    { machine, process, life }: LivingRegion,
    given: Partial<Pick<ForgettingModules, 'forgetDeclared' | 'mark'>> = {},
  ): Forgetting {
    return new Forgetting(machine.region, {
      registry: process.registry,
      forgetDeclared: (subject, forgetting) => life.forget(subject, forgetting),
      mark: () => Promise.resolve(),
      gate: process.gate,
      hasOther: false,
      isStandby: false,
      clock: machine.clock,
      trust: () => machine.region.state,
      tend: () => Promise.resolve(),
      openTree: process.openTree,
      sha256,
      ...given,
    });
  }

  it('T25 marks who is forgotten before anything of theirs is destroyed, and nobody who is refused or is not known', async () => {
    const region = await LivingRegion.open();
    const { registry } = region.process;
    const marked: string[] = [];
    const isDeclared = (subject: string) =>
      region.life.holder(subject, false).then(
        () => true,
        () => false,
      );
    const mark = async (subject: string) => {
      const codes = (await registry.ofSubject(subject)).length;
      marked.push(`${subject} ${codes}${(await isDeclared(subject)) ? ' declared' : ''}`);
    };
    const forget = (n: number, given = {}) =>
      forgettingIn(region, { mark, ...given }).forget({ subject: `P${n}`, lettingPass: true });
    await assert.rejects(forget(9), (error) => isNodeError(error, 'NOT_FOUND'));
    const forgetDeclared: ForgettingModules['forgetDeclared'] = async (_subject, { require }) => {
      await require();
      await region.override(2, 'red', 2);
      return true;
    };
    await assert.rejects(forget(2, { forgetDeclared }), /not counted in public/);
    assert.deepEqual(marked, []);
    // Of an order that was not carried out there may be papers, and no code.
    const identity = { name: 'Person 7', birthDate: '1990-05-17' };
    assert.deepEqual(await region.weighed([{ n: 7, identity }]), ['green']);
    assert.deepEqual(await forget(7), []);
    assert.equal(await registry.papers.isThere('P7'), false);
    assert.deepEqual(marked.splice(0), ['P7 0']);
    await region.declare([1]);
    await region.issue(1, GREEN);
    await forget(1);
    await region.issue(3, GREEN);
    await forget(3);
    assert.deepEqual(marked, ['P1 1 declared', 'P1 1', 'P3 1']);
    await region.process.stop();
  });

  it('T25 forgets nobody to whom an update gives a code meanwhile', async () => {
    const region = await LivingRegion.open();
    await region.declare([1]);
    const forgetting = forgettingIn(region);
    const { issuer } = region.process;
    const issueAll = issuer.issueAll.bind(issuer);
    const refused = new Promise<void>((resolve, reject) => {
      issuer.issueAll = (requests) => {
        const forgotten = forgetting.forget({ subject: 'P1', lettingPass: false });
        assert.rejects(forgotten, /still passes/).then(resolve, reject);
        return issueAll(requests);
      };
    });
    assert.deepEqual(await region.update(), { first: 1 });
    await refused;
    assert.equal(await region.codesOf(1), 'green');
    await region.process.stop();
  });
});

describeOnAllTables('Declaring again', () => {
  const HOURS = 1 / 24;
  const PASSPORT = { id_type: 'passport', id_country: 'DE', id_number: 'C01X00T47' };
  let region: LivingRegion;
  beforeEach(async () => (region = await LivingRegion.open()));
  afterEach(() => region.process.stop());

  it('B69 takes back no contact: red lasts as long as without it, and a declaration that comes late counts too', async () => {
    const contact = region.today;
    const before = region.textOf(region.nowS);
    await region.tell({ contact });
    assert.deepEqual(await region.update(), { first: 1 });
    region.later(HOURS);
    await region.tell({});
    assert.deepEqual(await region.update(), { unchanged: 1 });
    const { explained } = await region.life.holder('P1', true);
    const known = explained?.facts.find(({ name }) => name === 'contact.close');
    assert.deepEqual(known?.source, { from: 'declaration', source: 'office', atS: region.nowS - 3_600 });
    region.later(14);
    assert.deepEqual(await region.update(), { better: 1 });
    assert.equal(await region.codesOf(1), 'green');

    const late = await LivingRegion.open();
    late.later(HOURS);
    await late.tell({});
    await late.tell({ contact, declared_at: before });
    await late.update();
    assert.equal(await late.codesOf(1), 'red');
    await late.process.stop();
  });

  it('B69 takes back no stay and no symptoms: these count from the day on which they were told', async () => {
    await region.list('areas', `area,risk,since\nXX-1,high,${region.today}\n`);
    await region.tell({ travel: `XX-1 ${region.today}`, symptoms: 'true' });
    await region.update();
    region.later(HOURS);
    await region.tell({ travel: `XX-2 ${region.today}` });
    assert.deepEqual(await region.update(), { unchanged: 1 });
    await region.list('areas', `area,risk,since\nXX-1,low,${region.today}\n`);
    assert.deepEqual(await region.update(), { better: 1 });
    assert.equal(await region.codesOf(1), 'red yellow');
    region.later(5);
    await region.tell({});
    assert.deepEqual(await region.update(), { unchanged: 1 });
    region.later(2);
    assert.deepEqual(await region.update(), { better: 1 });
    region.later(25);
    assert.deepEqual(await region.update(), { renewed: 1 }, 'the newest declaration is 27 days old');
  });

  it('B69 under another name, or without the document, leaves no list', async () => {
    const list = `id_type,id_country,id_number,level,since\npassport,DE,C01X00T47,key,${region.today}\n`;
    await region.tell(PASSPORT);
    await region.list('control', list);
    await region.update();
    for (const cells of [{}, { full_name: 'Another 1' }, { ...PASSPORT, id_number: 'C02X00T48' }]) {
      region.later(HOURS);
      await region.tell(cells);
      assert.deepEqual(await region.update(), { unchanged: 1 }, JSON.stringify(cells));
    }
    await region.control([1]);
    assert.deepEqual(await region.update(), { unchanged: 1 }, 'by the name of before');
    assert.equal(await region.codesOf(1), 'red');
  });

  it('B69 refuses a sixth name of one person', async () => {
    for (const name of ['A', 'B', 'C', 'D', 'E', 'A']) {
      region.later(HOURS);
      await region.tell({ full_name: name });
    }
    region.later(HOURS);
    await assert.rejects(region.tell({ full_name: 'F' }), /full_name.*forget the person/);
  });

  it('after an objection that was upheld nothing counts that was told before', async () => {
    await region.tell({ ...PASSPORT, contact: region.today });
    const list = `id_type,id_country,id_number,level,since\npassport,DE,C01X00T47,key,${region.today}\n`;
    await region.list('control', list);
    await region.update();
    const { number } = await region.life.object('P1', 'Neither the contact nor the passport is mine.');
    await region.life.decide('P1', { number, isUpheld: true, answer: 'A slip.' });
    region.later(HOURS);
    await region.tell({});
    assert.deepEqual(await region.update(), { better: 1 });
    assert.equal(await region.codesOf(1), '(red) green');
  });
});

describeOnAllTables('objections', () => {
  let region: LivingRegion;
  beforeEach(async () => (region = await LivingRegion.open()));
  afterEach(() => region.process.stop());

  const open = async () => {
    const found: string[] = [];
    for await (const { subject, objection, isOverdue } of region.life.objections())
      found.push(`${subject} ${objection.number} ${objection.state}${isOverdue ? ' overdue' : ''}`);
    return found;
  };

  it('are upheld by another operator than the one who opened them, who may reject them', async () => {
    await region.declare([1, 2, 3]);
    await region.control([1, 2, 3]);
    await region.update();
    const uphold = { number: 1, isUpheld: true, answer: 'Yes.' };
    const isRefused = (error: unknown) =>
      isNodeError(error, 'REFUSED') && /cannot uphold/.test(error.message);
    for (const subject of ['P1', 'P2']) await region.life.object(subject, 'Not me.', ANNA);
    await assert.rejects(region.life.decide('P1', uphold, ANNA), isRefused);
    const renamed = { ...ANNA, keyId: 'c'.repeat(16) };
    await assert.rejects(region.life.decide('P1', uphold, renamed), isRefused);
    assert.equal((await region.life.decide('P1', uphold, BERT)).state, 'upheld');
    assert.equal((await region.life.decide('P2', { ...uphold, isUpheld: false }, ANNA)).state, 'rejected');
    await region.life.object('P3', 'Not me.', { name: 'directory' });
    assert.equal((await region.life.decide('P3', uphold, { name: 'directory' })).state, 'upheld');
  });

  it('have a clock, are decided once, and one that is upheld is corrected by the next better colour, everywhere', async () => {
    await assert.rejects(region.life.object('P1', 'No.'), /nobody of that reference/);
    await region.declare([1]);
    await assert.rejects(region.life.object('P1', 'No.'), /no colour yet/);
    await region.control([1]);
    await region.update();
    const { number, dueAtS } = await region.life.object('P1', 'It was another person.');
    assert.equal(dueAtS, region.nowS + 7 * DAY_S);
    await assert.rejects(region.life.object('P1', 'Again.'), /not settled/);
    region.later(7.5);
    assert.deepEqual(await open(), ['P1 1 open overdue']);
    await assert.rejects(
      region.life.decide('P1', { number: 2, isUpheld: true, answer: 'Yes.' }),
      /no objection 2/,
    );
    await region.life.decide('P1', { number, isUpheld: true, answer: 'It was.' });
    await assert.rejects(region.life.decide('P1', { number, isUpheld: false, answer: 'No.' }), /is decided/);
    assert.deepEqual(await open(), ['P1 1 upheld']);
    await region.control([9]);
    assert.deepEqual(await region.update(), { better: 1 });
    assert.equal(await region.codesOf(1), '(red) green');
    const { objections, changes, notice } = await region.life.holder('P1', false);
    assert.deepEqual([objections[0]?.state, changes[0]?.corrects], ['corrected', 1]);
    assert.match(notice.join('\n'), /This corrects your objection 1/);
    assert.deepEqual(await open(), []);
  });

  it('one that is upheld when what it is about is over corrects nothing, and the next colour is another matter', async () => {
    await region.declare([1], { symptoms: true });
    await region.update();
    const { number } = await region.life.object('P1', 'I was well.');
    region.later(6);
    await region.life.decide('P1', { number, isUpheld: true, answer: 'You were.' });
    region.later(2);
    await region.declare([1]);
    assert.deepEqual(await region.update(), { better: 1 });
    const { objections, changes, notice } = await region.life.holder('P1', false);
    assert.deepEqual([objections[0]?.state, changes[0]?.corrects], ['ended', undefined]);
    assert.doesNotMatch(notice.join('\n'), /corrects/);
    assert.deepEqual(await open(), []);
    await region.control([1]);
    assert.deepEqual(await region.update(), { worse: 1 });
    assert.equal((await region.life.object('P1', 'Not me.')).number, 2);
  });

  it('one against a yellow corrects no red that comes of something else', async () => {
    await region.declare([1], { symptoms: true });
    await region.update();
    const { number } = await region.life.object('P1', 'I am well.');
    await region.life.decide('P1', { number, isUpheld: true, answer: 'You are.' });
    await region.control([1]);
    assert.deepEqual(await region.update(), { worse: 1 });
    assert.deepEqual(await open(), ['P1 1 upheld']);
    assert.deepEqual(await region.update(), { unchanged: 1 });
    assert.deepEqual(await open(), []);
    region.later(14);
    await region.declare([1]);
    assert.deepEqual(await region.update(), { better: 1 });
    assert.equal((await region.life.holder('P1', false)).changes[0]?.corrects, undefined);
  });

  it('one against how long a red is revokes it for the shorter one', async () => {
    const since = region.today;
    region.later(5);
    await region.declare([1]);
    await region.control([1]);
    await region.update();
    const { number } = await region.life.object('P1', 'It was five days ago.');
    await region.life.decide('P1', { number, isUpheld: true, answer: 'It was.' });
    region.later(1 / 24);
    await region.list('control', `full_name,birth_date,level,since\nPerson 1,1990-05-17,key,${since}\n`);
    assert.deepEqual(await region.update(), { better: 1 });
    assert.equal(await region.codesOf(1), '(red) red');
    assert.deepEqual(await open(), []);
  });

  it('one that is upheld after the better colour came revokes the stricter code, and gives no other', async () => {
    await region.declare([1]);
    await region.control([1]);
    await region.update();
    const { number } = await region.life.object('P1', 'Not me.');
    region.later(1 / 24);
    await region.control([9]);
    assert.deepEqual(await region.update(), { better: 1 });
    assert.equal(await region.codesOf(1), 'red green');
    await region.life.decide('P1', { number, isUpheld: true, answer: 'No.' });
    region.isHourUsedUp = true;
    assert.deepEqual(await region.update(), { waiting: 1 });
    assert.deepEqual(await open(), ['P1 1 upheld']);
    region.isHourUsedUp = false;
    assert.deepEqual(await region.update(), { unchanged: 1 });
    assert.equal(await region.codesOf(1), '(red) green');
    assert.equal((await region.life.holder('P1', false)).objections[0]?.state, 'corrected');
    assert.deepEqual(await open(), []);
  });

  it('one that is rejected is settled', async () => {
    await region.declare([1]);
    await region.update();
    const { number } = await region.life.object('P1', 'I want red.');
    await region.life.decide('P1', { number, isUpheld: false, answer: 'No.' });
    assert.deepEqual(await open(), []);
    assert.equal((await region.life.object('P1', 'Really.')).number, 2);
  });
});

describe('Life.update on a disk that fails', () => {
  const PEOPLE = [1, 2, 3, 4, 5, 6];
  const WORSE = [2, 5];

  for (const what of ['crash', 'DISK_IO'] as const)
    it(`${what} at every write, and run again: everybody has the colour that is due, and nobody two of them`, async function () {
      this.timeout(120_000);
      for (let nth = 1; ; nth++) {
        const machine = new RegionMachine();
        const region = await LivingRegion.open(machine);
        await region.declare(PEOPLE);
        await region.update();
        await region.control(WORSE);
        const { medium } = machine;
        const from = medium.counters.writes;
        medium.plan({ write: from + nth, when: nth % 2 === 0 ? 'after' : 'before', what });
        machine.watch();
        const updating = region.update().then(
          () => 'done' as const,
          () => 'failed' as const,
        );
        const end = await Promise.race([updating, machine.crashed.then(() => 'crashed' as const)]);
        const isThrough = end === 'done' && medium.counters.writes < from + nth;
        if (end !== 'crashed') await region.process.stop();
        if (isThrough) {
          assert.ok(nth > 5, `an update of ${PEOPLE.length} people has ${nth - 1} writes`);
          break;
        }
        const next = await LivingRegion.open(machine);
        await next.update();
        const { unchanged } = await next.update();
        assert.equal(unchanged, PEOPLE.length, `write ${nth}`);
        for (const n of PEOPLE) {
          const due = WORSE.includes(n) ? '(green) red' : 'green';
          assert.equal(await next.codesOf(n), due, `person ${n}, write ${nth}`);
        }
        await next.process.stop();
      }
    });
});
