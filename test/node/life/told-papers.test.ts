import assert from 'node:assert/strict';
import { type Identity } from '../../../node/lists/identity.ts';
import { PaperRows } from '../../../node/registry/paper-rows.ts';
import { pseudonymsOfPeople } from '../../../node/registry/pseudonyms.ts';
import { systemRandom } from '../../../node/system-random.ts';
import { REGISTRY_KEY } from '../../support/issuing-fixture.ts';
import { bytesOf } from '../../support/lists-fixture.ts';
import { DAY_S, GREEN, ISOLATED, LivingRegion } from '../../support/living-region.ts';
import { describeOnAllTables, describeOnPostgres } from '../../support/tables.ts';

const papers = (n: number): Identity => ({ name: `PERSON ${n}`, birthDate: '1990-05-17' });
const passport = (number: string) => ({ document: { type: 'passport', country: 'DE', number } }) as const;
const pseudonymOf = pseudonymsOfPeople(REGISTRY_KEY);
const ROWS = ['registry/papers/', 'registry/bearer/'] as const;

describeOnAllTables('Whose papers an order tells', () => {
  let region: LivingRegion;
  beforeEach(async () => {
    region = await LivingRegion.open();
    await puts(9);
  });
  afterEach(() => region.process.stop());

  /** Puts a list in force of these people alone. */
  const puts = (...numbers: readonly number[]) => {
    region.later(1 / 1_440);
    return region.control(numbers);
  };
  const listed = () => ({ 'control.level': 'key', 'control.since': region.today });
  /** As green, or as red by the list that somebody of these papers is on. */
  const green = (n: number, identity: Identity) => ({ n, identity });
  const red = (n: number, identity: Identity) => ({ n, identity, told: listed() });
  const one = async (...asked: Parameters<LivingRegion['weighed']>) => (await region.weighed(...asked))[0];
  /** Somebody who never declared gets a code under these papers. */
  const holds = async (n: number, identity: Identity) => {
    assert.equal(await one([green(n, identity)]), 'green');
    await region.issue(n, GREEN, 'baseline');
  };
  const rows = async () => {
    const { tables } = region.process;
    const pages = ROWS.map((from) => tables.page(from, `${from}~`, { limit: 4_096 }));
    return (await Promise.all(pages)).map((page) => page.map(([name]) => name));
  };
  const counts = async () => (await rows()).map(({ length }) => length);

  it('turns nobody to whom those of somebody on a list were not told before, alone', async () => {
    await holds(1, papers(1));
    await region.issue(2, GREEN, 'baseline');
    assert.equal(await one([green(2, papers(9))]), 'stricter');
    const orders = [red(1, papers(9)), red(2, papers(9)), red(3, papers(9))];
    assert.deepEqual(await region.weighed(orders), ['papers', 'told', 'red']);
    assert.equal(await one([green(4, papers(9))]), 'papers');
    await puts(1, 2, 9);
    const turned = [red(1, papers(1)), red(2, papers(2)), { n: 1, told: listed() }];
    assert.deepEqual(await region.weighed(turned), ['red', 'told', 'unknown']);
    // Where nobody is named one person gives any colour, and an alarm tells of that.
    assert.equal(await one([red(2, papers(2))], { areNamed: false }), 'red, told');
  });

  it('counts for the codes that were given under them alone', async () => {
    await region.issue(1, GREEN, 'baseline');
    assert.equal(await one([green(1, papers(8))]), 'green');
    await region.issue(1, GREEN, 'baseline');
    await puts(8);
    assert.equal(await one([red(1, papers(8))]), 'told');
    // Also once the older one is revoked: not before it is over.
    const [older = assert.fail()] = await region.process.registry.ofSubject('P1');
    await region.process.revoker.revoke({ log: older.log, indexes: [older.index] });
    assert.equal(await one([red(1, papers(8))]), 'told');
    region.later(5.9);
    await region.issue(1, GREEN, 'baseline');
    region.later(0.3);
    await puts(8);
    assert.equal(await one([red(1, papers(8))]), 'red');
  });

  it('counts for no codes that were given under none of them, be they by rules or by hand', async () => {
    assert.equal(await one([green(1, papers(1))]), 'green');
    assert.equal(await one([green(1, passport('C01X00T47'))]), 'green');
    await region.issue(1, GREEN, 'baseline');
    await puts(1);
    assert.equal(await one([red(1, papers(1))]), 'told');
    await puts(9);
    assert.equal(await one([green(1, papers(1))]), 'green');
    region.later(5.9);
    await region.issue(1, GREEN, 'baseline');
    region.later(0.3);
    await puts(1);
    assert.equal(await one([red(1, papers(1))]), 'red');
    await region.issue(1, GREEN);
    assert.equal(await one([red(1, papers(1))]), 'told');
  });

  it('counts for no codes that were given under less than all of them, or after red alone', async () => {
    const [mine, other] = [passport('C01X00T47'), passport('C01X00T55')];
    region.later(1 / 1_440);
    await region.list(
      'control',
      `id_type,id_country,id_number,level,since\npassport,DE,C01X00T47,key,${region.today}\n`,
    );
    // A stranger is red by the document of somebody on the list, until that is revoked, and green by what the list does not say.
    assert.equal(await one([red(1, { ...papers(9), ...mine })]), 'red');
    await region.issue(1, { ...ISOLATED, untilS: region.nowS + DAY_S }, 'baseline');
    await region.revoke(1);
    await holds(1, papers(9));
    assert.equal(await one([red(1, { ...papers(9), ...mine })]), 'told');
    // Whoever others issue to by a document is given the name and day of birth of somebody who will be on it.
    const both = { ...papers(8), ...other };
    await holds(2, both);
    assert.equal(await one([green(2, other)]), 'green');
    await region.issue(2, GREEN, 'baseline');
    await puts(8);
    assert.equal(await one([red(2, both)]), 'told');
    assert.equal(await one([red(3, papers(8))]), 'red');
    await region.issue(3, GREEN, 'baseline');
    assert.equal(await one([red(3, papers(8))]), 'told');
  });

  it('turns nobody whose declaration cannot be read, nor does a list under papers that anybody tells', async () => {
    await region.declare([1]);
    await region.issue(1, GREEN, 'baseline');
    await region.process.tables.write([{ put: `life/person/${pseudonymOf('P1')}`, value: Buffer.of(1) }]);
    assert.equal(await one([red(1, papers(9))]), 'told');
    assert.equal(await one([red(1, papers(9))], { areNamed: false }), 'red, told');
  });

  it('counts for nobody who was forgotten lately, whatever they were given since', async () => {
    for (const n of [1, 2]) await holds(n, papers(n));
    region.forgotten.add('P1');
    await puts(1, 2);
    assert.deepEqual(await region.weighed([red(1, papers(1)), red(2, papers(2))]), ['told', 'red']);
  });

  it('is the document of somebody whom a list knows by name alone', async () => {
    const numbers = Array.from({ length: 20 }, (_, i) => i + 1);
    const made = numbers.map((n) => red(n, { ...papers(9), ...passport(`FAKE1${n}`) }));
    assert.deepEqual(new Set(await region.weighed(made)), new Set(['red, told']));
    assert.equal(await one([red(21, papers(9))]), 'red');
    region.later(1 / 1_440);
    const row = `passport,DE,FAKE122,PERSON 9,1990-05-17,key,${region.today}\n`;
    await region.list('control', `id_type,id_country,id_number,full_name,birth_date,level,since\n${row}`);
    assert.equal(await one([red(22, { ...papers(9), ...passport('FAKE122') })]), 'red');
  });

  it('is all that was told before: halves and more of them say nothing, and are put together by nobody', async () => {
    const { name, birthDate } = papers(9);
    await region.issue(1, GREEN, 'baseline');
    const halves = [{ name }, { birthDate }, {}].map((half) =>
      green(1, { ...half, ...passport('C01X00T47') }),
    );
    assert.deepEqual(await region.weighed(halves), ['green', 'green', 'green']);
    region.later(7);
    await region.issue(1, GREEN, 'baseline');
    await puts(9);
    assert.equal(await one([red(1, papers(9))]), 'told');
    // A namesake of somebody on the list, who told a document by which it says nothing of them.
    await holds(2, { ...papers(7), ...passport('C01X00T55') });
    await puts(7);
    assert.equal(await one([red(2, papers(7))]), 'told');
    assert.equal(await one([{ ...red(2, papers(7)), told: {} }]), 'stricter');
  });

  it('is one form of them, however they are written, and all that is told beside that is added', async () => {
    await holds(1, papers(1));
    await puts(1);
    const written = { name: ' person\u00a0 1', birthDate: '1990-05-17' };
    assert.equal(await one([red(1, written)]), 'red');
    await puts(77);
    const more = { ...written, ...passport('c01-x00 t47') };
    assert.deepEqual(await region.weighed([green(1, more), green(2, passport('C01X00T47'))]), [
      'green',
      'papers',
    ]);
    assert.equal(await one([green(1, { ...papers(1), ...passport('C01X00T55') })]), 'papers');
    assert.deepEqual(await counts(), [1, 2]);
  });

  it('is those of one reference alone, whoever asks at the same time, of however many', async () => {
    const document = passport('C01X00T47');
    const many = Array.from({ length: 1_317 }, (_, i) => green(i + 1, { ...papers(i + 1), ...document }));
    const [first, second] = await Promise.all([
      region.weighed(many.slice(0, 1_024)),
      region.weighed(many.slice(1_024)),
    ]);
    const all = [...first, ...second];
    assert.deepEqual(
      [all.filter((what) => what === 'green').length, all.filter((what) => what === 'papers').length],
      [1, 1_316],
    );
    assert.deepEqual(await counts(), [1, 1]);
    // Two of one name and day of birth are told apart by a document.
    assert.equal(await one([green(2_001, papers(5))]), 'green');
    assert.equal(await one([green(2_002, papers(5))]), 'papers');
    assert.equal(await one([green(2_002, { ...papers(5), ...passport('C01X00T55') })]), 'green');
    assert.deepEqual(await region.weighed([green(3_000, papers(6)), green(3_000, papers(4))]), [
      'green',
      'papers',
    ]);
  });

  it('is kept of what goes on alone, once, and over a restart', async () => {
    assert.deepEqual(await region.weighed([green(1, papers(9)), { n: 2, told: listed() }, green(3, {})]), [
      'stricter',
      'unknown',
      'unknown',
    ]);
    region.forgetting.add('P4');
    const ordered = { counter: '0'.repeat(16), count: 0, atS: region.nowS };
    assert.equal(await one([{ ...green(4, papers(4)), ordered }]), 'green');
    assert.deepEqual(await counts(), [0, 0]);
    await holds(5, papers(5));
    const { tables } = region.process;
    const before = await tables.page(ROWS[0], `${ROWS[0]}~`, { limit: 1 });
    assert.equal(await one([green(5, papers(5))]), 'green');
    assert.deepEqual(await tables.page(ROWS[0], `${ROWS[0]}~`, { limit: 1 }), before);
    await region.process.stop();
    region = await LivingRegion.open(region.machine);
    assert.deepEqual(await region.weighed([green(5, papers(6)), green(6, papers(5))]), ['papers', 'papers']);
  });

  it('is of no account for who declared, which is the way out of what was told wrong', async () => {
    await holds(1, papers(2));
    assert.deepEqual(await region.weighed([green(1, papers(1)), green(2, papers(2))]), ['papers', 'papers']);
    await region.declare([1, 2]);
    assert.deepEqual(await region.weighed([green(1, papers(1)), green(2, papers(2))]), ['green', 'green']);
  });

  const DOCUMENT = { document: { type: 'passport', country: 'DE', number: 'C88888888' } } as const;
  /** What declarations of a file, each with its number and that of its passport, come to: `taken`, or whose reference has the document. */
  const declaring = async (...rows: readonly (readonly [n: number, number: string])[]) => {
    const at = region.textOf(region.nowS);
    const lines = rows.map(
      ([n, number]) => `P${n},passport,DE,${number},Person ${n},1990-05-17,${at},true,false\n`,
    );
    const head = 'subject,id_type,id_country,id_number,full_name,birth_date,declared_at,consent,symptoms\n';
    const order = { source: 'office', format: 'csv', encoding: 'utf-8' } as const;
    const report = await region.life.declare(order, bytesOf(head + lines.join('')));
    return report.outcome === 'taken' ? ['taken'] : report.faults.map(({ bearer = 'the file' }) => bearer);
  };

  it('is for nobody else where somebody declared it: neither by an order nor by a declaration, so that red stays red', async () => {
    assert.deepEqual(await declaring([8, 'C88888888']), ['taken']);
    await region.update();
    await region.override(8, 'red', 10);
    for (const areNamed of [true, false])
      assert.equal(await one([green(20, { ...papers(8), ...DOCUMENT })], { areNamed }), 'papers');
    assert.deepEqual(await declaring([21, 'C88888888']), ['P8']);
    assert.deepEqual(await declaring([21, 'C88888889'], [22, 'C88888889']), ['the file', 'the file']);
    const many = Array.from({ length: 1_317 }, (_, i) => [i + 30, 'C88888888'] as const);
    assert.deepEqual(new Set(await declaring(...many)), new Set(['P8']));
    await region.update();
    assert.deepEqual(await Promise.all([8, 20, 21, 22].map((n) => region.codesOf(n))), [
      '(green) red',
      '',
      '',
      '',
    ]);
    // Whom orders told of as well.
    assert.equal(await one([green(3, { ...papers(3), ...passport('C01X00T47') })]), 'green');
    assert.deepEqual(await declaring([4, 'C01X00T47']), ['P3']);
    assert.deepEqual(await declaring([3, 'C01X00T47']), ['taken']);
  });

  it('is theirs too who declared to software that kept it nowhere, once colours are updated', async () => {
    assert.deepEqual(await declaring([1, 'C88888881'], [2, 'C88888882']), ['taken']);
    const { tables } = region.process;
    const unkeep = async () => {
      const page = await tables.page('registry/bearer/', 'registry/bearer0', { limit: 4_096 });
      await tables.write(page.map(([del]) => ({ del })));
    };
    await unkeep();
    assert.deepEqual(await region.update({ dry: { atS: region.nowS } }), { first: 2 });
    assert.equal(await one([green(3, { ...papers(3), ...passport('C88888881') })]), 'green');
    await region.update();
    assert.deepEqual(await declaring([4, 'C88888882']), ['P2']);
    assert.deepEqual(await declaring([5, 'C88888881']), ['P3']);
    // All are kept by now, and are not looked through again.
    await unkeep();
    await region.update();
    assert.equal((await counts())[1], 0);
  });

  it('is free again once the wrong reference is forgotten, or declares its own after an objection was upheld', async () => {
    const free = async (n: number) => {
      await region.life.forget(`P${n}`, {
        require: () => Promise.resolve(),
        onFound: () => Promise.resolve(),
      });
      await region.process.registry.forget(`P${n}`);
    };
    assert.deepEqual(await declaring([1, 'C88888888']), ['taken']);
    region.later(0.01);
    assert.deepEqual(await declaring([1, 'C88888881']), ['taken']);
    assert.deepEqual(await declaring([2, 'C88888888']), ['P1']);
    await region.update();
    await region.life.object('P1', 'mistyped');
    await region.life.decide('P1', { number: 1, isUpheld: true, answer: 'it was' });
    region.later(0.01);
    assert.deepEqual(await declaring([1, 'C88888881']), ['taken']);
    assert.deepEqual(await declaring([2, 'C88888888']), ['taken']);
    assert.deepEqual(await declaring([3, 'C88888888']), ['P2']);
    await free(2);
    assert.deepEqual(await declaring([3, 'C88888888']), ['taken']);
    await free(3);
    await free(1);
    assert.deepEqual(await counts(), [0, 0]);
  });

  it('is forgotten with the person, where no code is left too, and read by nobody where it is damaged', async () => {
    const { registry, tables } = region.process;
    for (const n of [1, 2, 3]) assert.equal(await one([green(n, papers(n))]), 'green');
    await region.issue(2, GREEN, 'baseline');
    await registry.forget('P1');
    assert.deepEqual(await counts(), [2, 2]);
    assert.deepEqual(await region.weighed([green(4, papers(1)), green(5, papers(2))]), ['green', 'papers']);
    await registry.forget('P4');
    // What is damaged is a matter of its person alone, and nothing takes its place.
    const [mine, other] = [2, 3].map((n) => ROWS[0] + pseudonymOf(`P${n}`)) as [string, string];
    for (const value of [(await tables.get(other)) ?? assert.fail(), Buffer.of(1)]) {
      await tables.write([{ put: mine, value }]);
      assert.deepEqual(await region.weighed([2, 3].map((n) => green(n, papers(9 + n)))), ['green', 'papers']);
      await puts(2, 3, 9);
      assert.deepEqual(await region.weighed([red(2, papers(2)), red(3, papers(3))]), ['told', 'red']);
      await puts(9);
      assert.deepEqual([...((await tables.get(mine)) ?? [])], [...value]);
    }
    const [, [bearer = assert.fail()] = []] = await rows();
    await tables.write([{ put: bearer, value: Buffer.of(1) }]);
    assert.deepEqual((await region.weighed([2, 3].map((n) => green(10 + n, papers(n))))).toSorted(), [
      'papers',
      'papers',
    ]);
    await tables.write([{ del: bearer }]);
    for (const n of [2, 3]) await registry.forget(`P${n}`);
    assert.deepEqual(await counts(), [0, 0]);
  });
});

describeOnPostgres('Whose papers an order tells, of two processes', () => {
  it('is those of whoever another process kept them for meanwhile', async () => {
    const region = await LivingRegion.open();
    const { tables, registry } = region.process;
    const other = new PaperRows(REGISTRY_KEY, { tables, random: systemRandom() });
    const bearersOf = registry.papers.bearersOf.bind(registry.papers);
    let isFirst = true;
    registry.papers.bearersOf = async (names) => {
      const found = await bearersOf(names);
      const theirs = other.namesOf(papers(1));
      const theirPseudonym = pseudonymOf('P9');
      const kept = new Map([[theirPseudonym, { ...theirs, sinceHour: 0 }]]);
      const borne = new Map([[theirs.person ?? '', theirPseudonym]]);
      assert.equal(await other.keep(kept, borne, new Set(kept.keys())), isFirst);
      isFirst = false;
      return found;
    };
    const orders = [1, 2].map((n) => ({ n, identity: papers(n) }));
    assert.deepEqual(await region.weighed(orders), ['papers', 'green']);
    await region.process.stop();
  });
});

describeOnAllTables('What is told alone', () => {
  let region: LivingRegion;
  beforeEach(async () => (region = await LivingRegion.open()));
  afterEach(() => region.process.stop());

  const met = async (n: number) =>
    (await region.weighed([{ n, told: { 'contact.close': region.today } }]))[0];
  const isolated = () => ({ ...ISOLATED, untilS: region.nowS + 15 * DAY_S });

  it('turns nobody whose code somebody revoked first, and gives again what rules gave', async () => {
    assert.equal(await met(1), 'red, told');
    await region.issue(1, GREEN, 'baseline');
    assert.equal(await met(1), 'told');
    await region.revoke(1);
    assert.equal(await met(1), 'told');
    await region.issue(2, isolated(), 'baseline');
    assert.equal(await met(2), 'red, told');
    await region.revoke(2);
    assert.equal(await met(2), 'red, told');
    // A colour that came since, and is revoked too.
    await region.issue(2, GREEN, 'baseline');
    await region.revoke(2);
    assert.equal(await met(2), 'told');
    await region.issue(3, isolated());
    await region.revoke(3);
    assert.equal(await met(3), 'told');
    region.later(7);
    assert.equal(await met(1), 'red, told');
  });

  it('turns nobody who was forgotten lately, nor does a list', async () => {
    const identity = { name: 'Person 2', birthDate: '1990-05-17' };
    for (const n of [1, 2]) region.forgotten.add(`P${n}`);
    assert.equal(await met(1), 'told');
    await region.control([2]);
    const told = { 'control.level': 'key', 'control.since': region.today };
    const orders = [
      { n: 2, identity, told },
      { n: 3, identity, told },
      { n: 2, identity: { ...identity, name: 'Person 3' } },
    ];
    assert.deepEqual(await region.weighed(orders), ['told', 'red', 'green']);
  });

  it('turns nobody back whom better news turned, while the stricter code is left to end', async () => {
    await region.issue(1, isolated(), 'baseline');
    await region.issue(1, GREEN, 'baseline');
    assert.equal(await met(1), 'told');
    await region.revoke(1);
    assert.equal(await met(1), 'told');
    await region.declare([2]);
    await region.issue(2, isolated(), 'baseline');
    assert.equal(await met(2), 'red, told');
    await region.revoke(2);
    assert.equal(await met(2), 'told');
  });
});
