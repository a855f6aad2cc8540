import assert from 'node:assert/strict';
import { nameForm, numberForm, parseIdentity } from '../../../node/lists/identity.ts';
import { parseDay } from '../../../protocol/rules/calendar.ts';

const LAST_DAY = parseDay('2026-11-26') as number;
const RESIDENT = '11010519491231002X';

const parse = (cells: Readonly<Record<string, string>>) => parseIdentity(cells, 7, LAST_DAY);

function faultsOf(cells: Readonly<Record<string, string>>): string[] {
  const { faults } = parse(cells);
  for (const { line, reason } of faults) {
    assert.equal(line, 7);
    for (const cell of Object.values(cells))
      assert.ok(cell.length < 4 || !reason.includes(cell), `the reason repeats a cell: ${reason}`);
  }
  return faults.map(({ column = '' }) => column);
}

describe('parseIdentity', () => {
  it('takes a document alone, a name with a day of birth, and both', () => {
    const passport = { id_type: 'passport', id_country: 'DE', id_number: 'c01x-00t47' };
    const document = { type: 'passport', country: 'DE', number: 'C01X00T47' };
    const named = { full_name: '  Person   Sample ', birth_date: '1990-05-17' };
    const known = { name: 'PERSON SAMPLE', birthDate: '1990-05-17' };
    assert.deepEqual(parse(passport).identity, { document, name: undefined, birthDate: undefined });
    assert.deepEqual(parse(named).identity, { document: undefined, ...known });
    assert.deepEqual(parse({ ...passport, ...named }), { identity: { document, ...known }, faults: [] });
  });

  it('reads the day of birth out of the number of a resident, whose country is China', () => {
    const { identity, faults } = parse({ id_type: 'resident', id_number: RESIDENT });
    assert.deepEqual(faults, []);
    assert.deepEqual(identity.document, { type: 'resident', country: 'CN', number: RESIDENT });
    assert.equal(identity.birthDate, '1949-12-31');
  });

  it('B69: takes a small x, full-width characters and blanks in the number of a resident', () => {
    for (const id_number of [
      RESIDENT.toLowerCase(),
      '１１０１０５１９４９１２３１００２Ｘ',
      ` ${RESIDENT.slice(0, 6)} ${RESIDENT.slice(6)}`,
    ])
      assert.equal(parse({ id_type: 'resident', id_number }).identity.document?.number, RESIDENT);
  });

  it('takes a number of a resident for one, whatever kind of document of China it was read from', () => {
    const document = { type: 'resident', country: 'CN', number: RESIDENT };
    for (const id_type of ['identity-card', 'passport', 'permit', 'other']) {
      const { identity, faults } = parse({ id_type, id_country: 'CN', id_number: RESIDENT.toLowerCase() });
      assert.deepEqual(
        [identity.document, identity.birthDate, faults],
        [document, '1949-12-31', []],
        id_type,
      );
      const elsewhere = { type: id_type, country: 'DE', number: RESIDENT };
      assert.deepEqual(
        parse({ id_type, id_country: 'DE', id_number: RESIDENT }).identity.document,
        elsewhere,
      );
    }
    const other = { id_type: 'identity-card', id_country: 'CN', id_number: '110105194912310021' };
    assert.equal(parse(other).identity.document?.type, 'identity-card');
  });

  const bad: readonly [string, Readonly<Record<string, string>>, readonly string[]][] = [
    ['nobody', {}, ['']],
    ['a name alone', { full_name: 'Person' }, ['']],
    ['a day of birth alone', { birth_date: '1990-05-17' }, ['']],
    [
      'a type without a number',
      { id_type: 'passport', full_name: 'P', birth_date: '1990-05-17' },
      ['id_number'],
    ],
    ['a number without a type', { id_number: 'C01X00T47', id_country: 'DE' }, ['id_type']],
    ['an unknown type', { id_type: 'library pass', id_number: 'C01X00T47', id_country: 'DE' }, ['id_type']],
    ['a passport without a country', { id_type: 'passport', id_number: 'C01X00T47' }, ['id_country']],
    [
      'a country in small letters',
      { id_type: 'passport', id_number: 'C01X00T47', id_country: 'de' },
      ['id_country'],
    ],
    ['a number of 3 characters', { id_type: 'passport', id_number: 'C01', id_country: 'DE' }, ['id_number']],
    [
      'a number of 33 characters',
      { id_type: 'other', id_number: '1'.repeat(33), id_country: 'DE' },
      ['id_number'],
    ],
    [
      'a number that a spreadsheet made',
      { id_type: 'other', id_number: '1.1E+17', id_country: 'DE' },
      ['id_number'],
    ],
    [
      'a resident of another country',
      { id_type: 'resident', id_number: RESIDENT, id_country: 'DE' },
      ['id_country'],
    ],
    ['a wrong check character', { id_type: 'resident', id_number: '110105194912310021' }, ['id_number']],
    ['30 February', { full_name: 'Person', birth_date: '1990-02-30' }, ['birth_date']],
    ['an ambiguous date', { full_name: 'Person', birth_date: '04/01/1990' }, ['birth_date']],
    ['a birth that is still to come', { full_name: 'Person', birth_date: '2026-11-27' }, ['birth_date']],
    [
      'another birth than the number says',
      { id_type: 'resident', id_number: RESIDENT, birth_date: '1949-12-30' },
      ['birth_date'],
    ],
    [
      'another birth than the number of a resident says, under another type',
      {
        id_type: 'identity-card',
        id_country: 'CN',
        id_number: RESIDENT,
        full_name: 'P',
        birth_date: '1949-12-30',
      },
      ['birth_date'],
    ],
    ['a control character', { full_name: 'Per\u0000son', birth_date: '1990-05-17' }, ['full_name']],
    ['a turned direction', { full_name: 'Per\u202eson', birth_date: '1990-05-17' }, ['full_name']],
    ['a long name', { full_name: 'x'.repeat(129), birth_date: '1990-05-17' }, ['full_name']],
  ];
  for (const [what, cells, columns] of bad)
    it(`B69: refuses ${what}, and repeats nothing of it`, () => assert.deepEqual(faultsOf(cells), columns));

  it('takes a birth of the last day', () => {
    assert.deepEqual(faultsOf({ full_name: 'Person', birth_date: '2026-11-26' }), []);
  });
});

describe('nameForm', () => {
  const same: readonly (readonly string[])[] = [
    ['Person Sample', ' PERSON  sample\u00a0', 'Ｐerson Sample'],
    ['张三', '张 三', ' 张　三 '],
    ['买买提·艾力', '买买提・艾力', '买买提 • 艾力', '买买提･艾力'],
    [
      "Ann O'Sample",
      'Ann O\u2019Sample',
      'Ann O\u2018Sample',
      'Ann O\u02bcSample',
      'Ann O\u00b4Sample',
      'Ann O`Sample',
    ],
    ['Ann-Mary Sample', 'Ann\u2010Mary Sample', 'Ann\u2011Mary Sample', 'Ann\u2013Mary Sample'],
    ['J\u00fcrgen', 'Ju\u0308rgen', 'JÜRGEN'],
  ];
  for (const [first = '', ...others] of same)
    it(`makes one of the ways of writing ${first}`, () => {
      for (const other of others) assert.equal(nameForm(other), nameForm(first), other);
    });

  it('keeps apart what differs', () => {
    const names = [
      '张三',
      '张叁',
      '張三',
      'Anna Maria',
      'Annamaria',
      'Anna-Maria',
      "O'Sample",
      'OSample',
      'Jürgen',
      'Jurgen',
      'Maria Anna',
    ];
    assert.equal(new Set(names.map(nameForm)).size, names.length);
  });
});

describe('numberForm', () => {
  it('is the same for what is already in that form', () => {
    for (const text of ['c 01-x.00/t47', RESIDENT, 'ＡＢ１２３４'])
      assert.equal(numberForm(numberForm(text)), numberForm(text));
  });
});
