import assert from 'node:assert/strict';
import { type BackgroundList, decideAll, declarationForm, listForm } from '../../../cli/people/by-rules.ts';
import { type PeopleFormat, readPeople } from '../../../cli/people/people-file.ts';
import { type RowForm } from '../../../node/rows/row-form.ts';
import { ruleSetWith, secondsOf } from '../../support/rule-fixture.ts';

const rules = ruleSetWith();
const NOW_S = secondsOf('2026-03-05T12:00:00Z');

async function* once(text: string): AsyncGenerator<Uint8Array> {
  await Promise.resolve();
  yield Buffer.from(text);
}

const read = <T extends { readonly subject: string }>(
  text: string,
  form: RowForm<T>,
  format: PeopleFormat = 'csv',
) => readPeople(once(text), { format, encoding: 'utf-8' }, form);

async function rowsOf(text: string, format?: PeopleFormat) {
  const { people, faults } = await read(text, declarationForm(rules, NOW_S), format);
  assert.deepEqual(faults, []);
  return people;
}

async function faultsOf(text: string, format?: PeopleFormat) {
  const { faults } = await read(text, declarationForm(rules, NOW_S), format);
  return faults.map(({ line, column, example }) =>
    [line, column, example].filter((part) => part !== undefined).join(' '),
  );
}

async function list(name: string, text: string): Promise<BackgroundList> {
  const { people: told, faults } = await read(text, listForm(rules, NOW_S));
  assert.deepEqual(faults, []);
  return { name, told };
}

describe('declarationForm', () => {
  it('reads persons and facts of every type by column', async () => {
    const [row] = await rowsOf(
      'subject,declaration.day,test.positive,test.time,doses,areas,name,list.level\nA,2026-03-01,true,2026-03-01T08:00:00Z,2,CN-11; CN-42,谢,key\n',
    );
    assert.deepEqual([row?.person.subject, row?.line], ['A', 2]);
    assert.deepEqual(Object.fromEntries(row?.facts ?? []), {
      'declaration.day': '2026-03-01',
      'test.positive': true,
      'test.time': '2026-03-01T08:00:00Z',
      doses: 2,
      areas: ['CN-11', 'CN-42'],
      name: '谢',
      'list.level': 'key',
    });
  });

  it('reads the same from JSON lines, where numbers and booleans may stand', async () => {
    const csv = await rowsOf('subject,doses,test.positive\nA,2,true\nB,,\n');
    const json = await rowsOf(
      '{"subject":"A","doses":2,"test.positive":true}\n{"subject":"B","doses":""}\n',
      'jsonl',
    );
    assert.deepEqual(
      json.map(({ facts }) => facts),
      csv.map(({ facts }) => facts),
    );
  });

  for (const [name, text, ...faults] of [
    ['a column that the rules do not know', 'subject,test.result\nA,positive\n', '1'],
    ['a colour, which is for the rules to say', 'subject,colour\nA,green\n', '1'],
    ['a missing subject', 'doses\n2\n', '1'],
    ['a day that there is not', 'subject,declaration.day\nA,2021-02-30\n', '2 declaration.day 2026-11-26'],
    [
      'a day that can be read in two ways',
      'subject,declaration.day\nA,04/01/2022\n',
      '2 declaration.day 2026-11-26',
    ],
    ['a flag in other words', 'subject,test.positive\nA,yes\n', '2 test.positive true'],
    ['a count with a sign', 'subject,doses\nA,+2\n', '2 doses 2'],
    ['a count beyond 2^53-1', 'subject,doses\nA,9007199254740993\n', '2 doses 2'],
    ['a word to choose that is none', 'subject,list.level\nA,Key\n', '2 list.level key'],
    ['an empty text in a list', 'subject,areas\nA,CN-11;\n', '2 areas CN-11;CN-42'],
    ['contradictory rows', 'subject,doses\nA,1\nA,2\n', '3 subject'],
    [
      'faults of the person and of facts',
      'subject,device,doses\nA,xy,x\n',
      `2 device ${'0123456789abcdef'.repeat(4)}`,
      '2 doses 2',
    ],
  ] as const) {
    it(`B69: refuses ${name}, with line, column and the right form`, async () => {
      assert.deepEqual(await faultsOf(text), faults);
    });
  }

  it('B69: quotes no cell in a fault', async () => {
    const { faults } = await read(
      'subject,doses,list.level\nA,SECRET,SECRET\n',
      declarationForm(rules, NOW_S),
    );
    assert.equal(faults.length, 2);
    assert.ok(!JSON.stringify(faults).includes('SECRET'));
  });
});

describe('listForm', () => {
  it('takes subjects and facts alone', async () => {
    assert.equal((await read('subject,list.level\nA,key\n', listForm(rules, NOW_S))).people.length, 1);
    assert.equal((await read('subject,device\nA,x\n', listForm(rules, NOW_S))).faults.length, 1);
  });
});

describe('decideAll', () => {
  const declared = 'subject,declaration.day\nA,2026-03-01\nB,2026-03-01\nC,\n';

  it('compares declarations with lists: who stands on one gets its colour, with id and version of the rules', async () => {
    const control = await list(
      'control.csv',
      'subject,list.level,list.since\nB,key,2026-03-04\nX,key,2026-03-04\n',
    );
    const { people, undecided, faults, unmatched } = decideAll(
      rules,
      await rowsOf(declared),
      { files: [control] },
      NOW_S,
    );
    assert.deepEqual(faults, []);
    assert.deepEqual(
      people.map(({ subject, colour, status }) => [subject, colour, status?.ruleId, status?.ruleVersion]),
      [
        ['A', 'green', 'test', 3],
        ['B', 'red', 'test', 3],
      ],
    );
    assert.equal(people[1]?.status?.untilS, secondsOf('2026-03-18T00:00:00+01:00'));
    assert.deepEqual(undecided, [
      { subject: 'C', line: 4, open: [{ code: 'NOT_MET', rule: 'declared' }], doubts: [] },
    ]);
    assert.equal(unmatched, 1);
  });

  describe('with a declaration that is stored', () => {
    const TODAY = '2026-03-05';
    const sinceOf = async (said: string, listed: string, file = 'subject\nA\n') => {
      const stored = new Map([...facts(said), ['list.level', 'watch']] as const);
      const rows = (await rowsOf(file)).map((row) => ({ ...row, stored }));
      const control = await list('control.csv', `subject,list.level,list.since\nA,key,${listed}\n`);
      const { people, faults } = decideAll(rules, rows, { files: [control] }, NOW_S);
      return { faults, told: people[0]?.told?.facts };
    };
    const facts = (since: string) =>
      new Map([
        ['declaration.day', TODAY],
        ['list.since', since],
      ]);

    it('the newest day of that and of lists counts, and of all else what lists say', async () => {
      for (const [said, listed, counts] of [
        ['2026-03-01', '2026-03-04', '2026-03-04'],
        ['2026-03-04', '2026-03-01', '2026-03-04'],
        // A day that is still to come hides none that has come.
        ['2026-03-20', '2026-03-01', '2026-03-01'],
        ['2026-03-01', '2026-03-20', '2026-03-01'],
      ] as const) {
        const { faults, told } = await sinceOf(said, listed);
        assert.deepEqual(faults, []);
        assert.deepEqual([told?.['list.since'], told?.['list.level']], [counts, 'key']);
      }
    });

    it('what the row itself says is held against lists as ever, and counts before that', async () => {
      const row = `subject,list.since\nA,2026-03-02\n`;
      const { faults } = await sinceOf('2026-03-04', '2026-03-01', row);
      assert.deepEqual(faults, [
        { line: 2, column: 'list.since', reason: 'is another value than in control.csv, line 2' },
      ]);
      const { told } = await sinceOf('2026-03-04', '2026-03-02', row);
      assert.equal(told?.['list.since'], '2026-03-02');
    });
  });

  it('B69: two lists that say different things of one person are told, and nothing is guessed', async () => {
    const one = await list('one.csv', 'subject,list.level,list.since\nA,key,2026-03-04\n');
    const other = await list('other.csv', 'subject,list.level\nA,watch\n');
    const { faults } = decideAll(rules, await rowsOf(declared), { files: [one, other] }, NOW_S);
    assert.deepEqual(faults, [
      { line: 2, column: 'list.level', reason: 'is another value than in other.csv, line 2' },
    ]);
    assert.deepEqual(decideAll(rules, await rowsOf(declared), { files: [one, one] }, NOW_S).faults, []);
  });
});
