import assert from 'node:assert/strict';
import { withRegion } from '../../../cli/region.ts';
import { IssueGate, type GateOrder } from '../../../node/abuse/issue-gate.ts';
import { isNodeError } from '../../../node/node-error.ts';
import { parseBasis } from '../../../protocol/disclosure/basis.ts';
import { type RuleValue } from '../../../protocol/rules/evaluate.ts';
import { decide } from '../../../protocol/rules/issuing.ts';
import { readFacts } from '../../../protocol/rules/facts.ts';
import { readRuleSet } from '../../../protocol/rules/rule-set.ts';
import { cliOf } from '../../support/cli.ts';
import { PeopleWorld } from '../../support/people-world.ts';
import { temporaryFolders } from '../../support/temporary.ts';

const TOLD = /only what is told with the order/;

/** An operator who sends orders past the command, which would add what lists say. */
describe('IssueGate, with what a region knows itself', function () {
  this.timeout(60_000);
  const folder = temporaryFolders();
  let world: PeopleWorld;
  before(async () => {
    world = await PeopleWorld.found(folder());
    await world.cli.json('declare', world.region, world.declarations('Sick:symptoms', 'Well', 'Listed'));
  });

  const papers = (subject: string) => ({ name: `Person  ${subject}`, birthDate: '1990-05-17' });

  /** What becomes of a code that the rules give on these facts; `told` where it rests on them alone. */
  async function outcomeOf(
    orders: readonly (Pick<GateOrder, 'subject' | 'identity' | 'document'> & {
      facts?: Record<string, RuleValue>;
    })[],
    { rules = 'de', declared = true, areNamed = true } = {},
  ): Promise<readonly string[]> {
    return withRegion(
      cliOf(world.cli),
      world.region,
      async ({ node, state }) => {
        const { nowS } = world.cli;
        const logged = state.rules(rules);
        const ruleSet = logged && readRuleSet(logged).ruleSet;
        assert.ok(ruleSet);
        const gate = new IssueGate({
          state: () => state,
          areNamed: () => areNamed,
          nowS: () => nowS,
          weigh: (...asked) => node.life.weigh(...asked),
        });
        return Promise.all(
          orders.map(async ({ subject, identity, document, facts: more = {} }) => {
            const told = {
              ...(declared && { 'declaration.day': world.today, 'declaration.consent': true }),
              ...more,
            };
            const { facts } = readFacts(ruleSet.data.facts, told);
            assert.ok(facts);
            const { status } = decide(ruleSet, facts, nowS);
            assert.ok(status);
            const order = { subject, status, identity, document, told: { atS: nowS, facts: told } };
            return gate.basisOf(order).then(
              ({ basis = assert.fail(), isTold }) => {
                assert.deepEqual(parseBasis(basis), {
                  ...{
                    kind: 'rules',
                    atS: nowS,
                    rule: status.ruleId,
                    version: status.ruleVersion,
                    facts: told,
                  },
                  ...(isTold === true && { isTold }),
                });
                return isTold === true ? `${status.colour}, told` : status.colour;
              },
              (error: unknown) =>
                isNodeError(error, 'REFUSED') ? error.message : assert.fail(String(error)),
            );
          }),
        );
      },
      { reading: true },
    );
  }

  it('refuses who leaves out what the person declared, and takes what is as strict', async () => {
    const [sick, well, asSick, stranger, sickStranger, redWell] = await outcomeOf([
      { subject: 'Sick' },
      { subject: 'Well' },
      { subject: 'Sick', facts: { 'declaration.symptoms': true } },
      { subject: 'Stranger' },
      { subject: 'Stranger', facts: { 'declaration.symptoms': true } },
      { subject: 'Well', facts: { 'contact.close': world.today } },
    ]);
    assert.match(sick ?? '', /stricter colour/);
    assert.deepEqual([well, asSick, stranger], ['green', 'yellow', 'green']);
    assert.equal(sickStranger, 'yellow, told');
    assert.match(redWell ?? '', TOLD);
    const red = { subject: 'Well', facts: { 'contact.close': world.today } };
    assert.deepEqual(await outcomeOf([red], { areNamed: false }), ['red, told']);
  });

  it('refuses what only the order tells of who holds a code, unless it demands as much for as long', async () => {
    const issue = async (subject: string, more: string) => {
      const facts = `{"declaration":{"day":"${world.today}","consent":true}${more}}`;
      const order = ['--subject', subject, '--rules', 'de', '--facts', world.file('facts.json', facts)];
      return world.cli.json<{ log: string; index: number }>('issue', world.region, ...order);
    };
    await issue('Green', '');
    await issue('Red', `,"contact":{"close":"${world.today}"}`);
    const met = { 'contact.close': world.today };
    const [green, red, none] = await outcomeOf([
      { subject: 'Green', facts: met },
      { subject: 'Red', facts: met },
      { subject: 'None', facts: met },
    ]);
    assert.match(green ?? '', TOLD);
    assert.deepEqual([red, none], ['red, told', 'red, told']);
  });

  it('refuses papers under which the person did not declare', async () => {
    const document = { type: 'passport', country: 'DE', number: 'C01X00T47' } as const;
    const [same, named, born, more] = await outcomeOf([
      { subject: 'Well', identity: papers('Well') },
      { subject: 'Well', identity: papers('Other') },
      { subject: 'Well', identity: { ...papers('Well'), birthDate: '1990-05-18' } },
      { subject: 'Well', identity: { ...papers('Well'), document } },
    ]);
    assert.deepEqual([same, more], ['green', 'green']);
    for (const one of [named, born]) assert.match(one ?? '', /not those of this reference/);
  });

  it('refuses who leaves out what a list says, of people who declared and of those who are told by papers', async () => {
    await world.control('Listed', 'Guest');
    const onList = { 'control.level': 'key', 'control.since': world.today };
    const [listed, guest, asGuest, other, stranger, red, notListed, well, sick] = await outcomeOf([
      { subject: 'Listed' },
      { subject: 'Guest', identity: papers('Guest') },
      {
        subject: 'Guest',
        identity: papers('Guest'),
        facts: onList,
      },
      { subject: 'Other', identity: papers('Other') },
      { subject: 'Stranger' },
      {
        subject: 'Listed',
        identity: papers('Listed'),
        facts: onList,
      },
      { subject: 'Other', identity: papers('Other'), facts: onList },
      { subject: 'Well', facts: onList },
      { subject: 'Other', identity: papers('Other'), facts: { 'declaration.symptoms': true } },
    ]);
    assert.match(listed ?? '', /stricter colour/);
    assert.match(guest ?? '', /stricter colour/);
    assert.match(stranger ?? '', /nothing says who this person is by papers/);
    assert.deepEqual([asGuest, other, red, sick], ['red', 'green', 'red', 'yellow, told']);
    for (const one of [notListed, well]) assert.match(one ?? '', TOLD);
  });

  it('refuses a colour but red where an entry may be about somebody else', async () => {
    const [shared] = await outcomeOf([{ subject: 'Twin', identity: papers('Listed') }]);
    assert.match(shared ?? '', /may be about the person, or about another/);
  });

  it('refuses who names rules that ask for nothing of what is known here', async () => {
    await world.cli.json('rules', 'activate', world.region, 'local');
    const facts = { 'local.colour': 'green', 'local.issued': world.today };
    const [sick, well, guest, other] = await outcomeOf(
      [
        { subject: 'Sick', facts },
        { subject: 'Well', facts },
        { subject: 'Guest', identity: papers('Guest'), facts },
        { subject: 'Other', identity: papers('Other'), facts },
      ],
      { rules: 'local', declared: false },
    );
    assert.match(sick ?? '', /stricter colour/);
    assert.match(guest ?? '', /stricter colour/);
    assert.deepEqual([well, other], ['green', 'green']);
  });

  it('refuses who turns somebody by rules that are not for people who declare, where those for people give less', async () => {
    await world.control('Listed', 'Guest');
    await world.activateHard();
    const facts = { 'declaration.symptoms': true, 'declaration.day': world.today };
    const orders = ['Sick', 'Listed', 'Other'].map((subject) => ({
      subject,
      identity: papers(subject),
      facts,
    }));
    const options = { rules: 'hard', declared: false };
    const [sick, listed, other] = await outcomeOf(orders, options);
    assert.match(sick ?? '', TOLD);
    // Of whom nothing is known here what is told counts, and is watched.
    assert.deepEqual([listed, other], ['red', 'red, told']);
    assert.deepEqual(await outcomeOf(orders.slice(0, 1), { ...options, areNamed: false }), ['red, told']);
  });

  it('refuses what any rules that know of declarations contradict, where nobody said which people are judged by', async () => {
    await world.activateLax();
    const facts = { 'declaration.consent': true };
    const [sick, well] = await outcomeOf(
      [
        { subject: 'Sick', facts },
        { subject: 'Well', facts },
      ],
      { rules: 'lax', declared: false },
    );
    assert.match(sick ?? '', /stricter colour/);
    assert.equal(well, 'green');
  });

  it('half of what says who somebody is says nothing', async () => {
    const [none, named] = await outcomeOf([
      { subject: 'Nobody', identity: {} },
      { subject: 'Nobody', identity: { name: 'Person Guest' } },
    ]);
    assert.match(none ?? '', /nothing says who this person is by papers/);
    assert.match(named ?? '', /nothing says who this person is by papers/);
  });

  it('refuses a code on paper for another document than that of the person, and asks lists for it whatever kind it is of', async () => {
    const document = { country: 'DE', number: 'c01-x00 t47' };
    const told = (type: 'passport' | 'other', number: string) =>
      ({ name: 'Paper', birthDate: '1991-01-01', document: { type, country: 'DE', number } }) as const;
    const orders = [
      { subject: 'Elsewhere', identity: told('passport', 'C77777777'), document },
      { subject: 'Wide', identity: told('passport', 'C01X00T47É'), document },
      { subject: 'Well', identity: papers('Well'), document },
      { subject: 'Bare', document },
      { subject: 'Kind', identity: told('other', 'C01X00T47'), document },
      { subject: 'Named', identity: { name: 'Paper', birthDate: '1991-01-01' }, document },
    ];
    const outcomes = async (areNamed: boolean) => {
      const all = await outcomeOf(orders, { areNamed });
      for (const one of all.slice(0, 3)) assert.match(one, /another document than that of the person/);
      return all.slice(3);
    };
    world.cli.nowS += 60;
    const row = `passport,DE,C01X00T47,key,${world.today}`;
    await world.list('control', `id_type,id_country,id_number,level,since\n${row}\n`);
    for (const areNamed of [true, false])
      for (const one of await outcomes(areNamed)) assert.match(one, /stricter colour/);
    world.cli.nowS += 60;
    await world.control('Listed');
    const [bare, ...later] = await outcomes(true);
    assert.equal(bare, 'green');
    // It is that of another reference by now, be it told as of another kind.
    for (const one of later) assert.match(one, /not those of this reference/);
    const declaredRow = `Papers,passport,DE,C01X00T55,Person Papers,1990-05-17,${world.timeText},true,false`;
    const head = 'subject,id_type,id_country,id_number,full_name,birth_date,declared_at,consent,symptoms';
    await world.cli.json('declare', world.region, world.file('paper.csv', `${head}\n${declaredRow}\n`));
    const own = { country: 'DE', number: 'C01X00T55' };
    const [declared, other] = await outcomeOf([
      { subject: 'Papers', document: own },
      { subject: 'Papers', document },
    ]);
    assert.equal(declared, 'green');
    assert.match(other ?? '', /another document than that of the person/);
  });
});
