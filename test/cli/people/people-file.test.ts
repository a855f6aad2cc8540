import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  countPeople,
  PEOPLE_MAX,
  peopleFormatOf,
  peopleInBatches,
  readPeople,
  type PeopleFormat,
} from '../../../cli/people/people-file.ts';
import { PERSON_FORM } from '../../../cli/people/person.ts';
import { type RowFault } from '../../../node/rows/row-form.ts';

const HEADER = 'subject,colour,days,device,document_country,document_number\n';
const DEVICE = 'ab'.repeat(32);
const CSV = { format: 'csv', encoding: 'utf-8' } as const;

/** The file cut into pieces of `size` bytes, so that no parser can count on whole lines or characters. */
async function* pieces(bytes: Uint8Array, size = 7): AsyncGenerator<Uint8Array> {
  await Promise.resolve();
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

function read(content: string | Uint8Array, format: PeopleFormat = 'csv') {
  return readPeople(pieces(Buffer.from(content as string)), { format, encoding: 'utf-8' }, PERSON_FORM);
}

async function faultsOf(
  content: string | Uint8Array,
  format: PeopleFormat = 'csv',
): Promise<readonly RowFault[]> {
  const { faults } = await read(content, format);
  assert.ok(faults.length > 0, 'expected faults');
  return faults;
}

describe('readPeople (CSV)', () => {
  it('reads rows by the names of their columns in any order, quoted or not, with CRLF or LF', async () => {
    const { people, faults } = await read(
      `colour,"subject",days\r\nred,"Person ""00001""",14\r\ngreen,Person 00002,\r\n\r\nyellow,人 3,7`,
    );
    assert.deepEqual(faults, []);
    assert.deepEqual(people, [
      { subject: 'Person "00001"', colour: 'red', days: 14 },
      { subject: 'Person 00002', colour: 'green' },
      { subject: '人 3', colour: 'yellow', days: 7 },
    ]);
  });

  it('reads device keys and documents', async () => {
    const { people } = await read(`${HEADER}A,green,,${DEVICE},DE,c01-x00 t47\n`);
    assert.deepEqual(people, [
      {
        subject: 'A',
        colour: 'green',
        device: DEVICE,
        document_country: 'DE',
        document_number: 'c01-x00 t47',
      },
    ]);
  });

  it('trims the spaces around a subject, and keeps those within', async () => {
    const { people } = await read('subject,colour\n  Person  1\u00a0,green\n');
    assert.deepEqual(people, [{ subject: 'Person  1', colour: 'green' }]);
  });

  it('B69: takes a byte order mark', async () => {
    assert.equal((await read(`\ufeff${HEADER}A,green,,,,\n`)).people.length, 1);
  });

  const broken: readonly [string, string | Uint8Array, Partial<RowFault>][] = [
    ['empty file', '', { line: 0, reason: 'the file is empty, without a header too' }],
    ['header only', HEADER, { line: 0, reason: 'the file has no rows' }],
    ['missing column', 'subject,days\nA,7\n', { line: 1, reason: 'column colour is missing' }],
    ['renamed column', 'subject,color\nA,green\n', { line: 1 }],
    [
      'doubled column',
      'subject,colour,colour\nA,green,red\n',
      { line: 1, reason: 'column colour stands there twice' },
    ],
    ['extra cell', 'subject,colour\nA,green,7\n', { line: 2, reason: 'has 3 cells; the header has 2' }],
    ['missing cell', `${HEADER}A,green\n`, { line: 2, reason: 'has 2 cells; the header has 6' }],
    [
      'UTF-16',
      Buffer.from('\ufeffsubject,colour\n', 'utf16le'),
      { line: 0, reason: 'the file is UTF-16: save it as UTF-8' },
    ],
    [
      'GB18030',
      Buffer.concat([
        Buffer.from('subject,colour\n'),
        Buffer.from('d5c5c8fd', 'hex'),
        Buffer.from(',green\n'),
      ]),
      { line: 2, column: 'subject' },
    ],
    [
      'unclosed quote',
      `${HEADER}"A,green,,,,\n`,
      { line: 2, reason: 'a quotation mark is opened and not closed' },
    ],
    ['text after a quote', `${HEADER}"A"b,green,,,,\n`, { line: 2 }],
    ['long line', `${HEADER}${'A'.repeat(5_000)},green,,,,\n`, { line: 2 }],
    ['NUL', `${HEADER}A\0,green,,,,\n`, { line: 2, column: 'subject', reason: 'holds a control character' }],
    ['escape sequence', `${HEADER}A\u001b[31m,green,,,,\n`, { line: 2, column: 'subject' }],
    ['turned direction', `${HEADER}A\u202e,green,,,,\n`, { line: 2, column: 'subject' }],
    ['empty subject', `${HEADER},green,,,,\n`, { line: 2, column: 'subject', reason: 'is empty' }],
    ['long subject', `${HEADER}${'A'.repeat(65)},green,,,,\n`, { line: 2, column: 'subject' }],
    ['subject of 66 bytes', `${HEADER}${'人'.repeat(22)},green,,,,\n`, { line: 2, column: 'subject' }],
    ['subject of spaces', `${HEADER}  ,green,,,,\n`, { line: 2, column: 'subject', reason: 'is empty' }],
    [
      'semicolons',
      'subject;colour\nA;green\n',
      {
        line: 1,
        reason: 'the columns are separated by semicolons or tabs: save the file with commas between them',
      },
    ],
    [
      'same person with spaces around',
      `${HEADER}A,green,,,,\n A ,red,,,,\n`,
      { line: 3, column: 'subject', reason: 'is the same person as in line 2' },
    ],
    ['unknown colour', `${HEADER}A,Green,,,,\n`, { line: 2, column: 'colour' }],
    ['0 days', `${HEADER}A,green,0,,,\n`, { line: 2, column: 'days' }],
    ['31 days', `${HEADER}A,green,31,,,\n`, { line: 2, column: 'days' }],
    ['days with a fraction', `${HEADER}A,green,1e1,,,\n`, { line: 2, column: 'days' }],
    ['short device key', `${HEADER}A,green,,${DEVICE.slice(1)},,\n`, { line: 2, column: 'device' }],
    ['country without number', `${HEADER}A,green,,,DE,\n`, { line: 2, column: 'document_number' }],
    ['lower-case country', `${HEADER}A,green,,,de,1234\n`, { line: 2, column: 'document_country' }],
    ['number of 3 characters', `${HEADER}A,green,,,DE,1-2-3\n`, { line: 2, column: 'document_number' }],
    [
      'number of 33 characters',
      `${HEADER}A,green,,,DE,${'1'.repeat(33)}\n`,
      { line: 2, column: 'document_number' },
    ],
    [
      'same person twice',
      `${HEADER}A,green,,,,\nA,red,,,,\n`,
      { line: 3, column: 'subject', reason: 'is the same person as in line 2' },
    ],
  ];
  for (const [what, content, expected] of broken) {
    it(`B69: refuses ${what}, saying where`, async () => {
      const [fault] = await faultsOf(content);
      for (const [member, value] of Object.entries(expected))
        assert.equal(fault?.[member as keyof RowFault], value);
    });
  }

  it('B69: names the one bad row among thousands', async () => {
    const rows = Array.from({ length: 5_000 }, (_, i) => `P${i},${i === 4_998 ? 'blue' : 'green'},,,,\n`);
    assert.deepEqual(
      (await faultsOf(HEADER + rows.join(''))).map(({ line, column }) => ({ line, column })),
      [{ line: 5_000, column: 'colour' }],
    );
  });

  it('tells at most 20 faults, each without what the cell held', async () => {
    const faults = await faultsOf(HEADER + 'secret,secret,,,,\n'.repeat(100));
    assert.equal(faults.length, 20);
    assert.doesNotMatch(JSON.stringify(faults), /secret/);
  });

  it(`takes ${PEOPLE_MAX} rows and refuses one more`, async () => {
    const rows = (count: number) =>
      `subject,colour\n${Array.from({ length: count }, (_, i) => `${i},green\n`).join('')}`;
    const file = (count: number) => readPeople(pieces(Buffer.from(rows(count)), 65_536), CSV, PERSON_FORM);
    assert.deepEqual((await file(PEOPLE_MAX)).faults, []);
    assert.equal((await file(PEOPLE_MAX + 1)).faults.length, 1);
  });
});

describe('readPeople (JSON lines)', () => {
  it('reads objects with text and numbers', async () => {
    const { people, faults } = await read(
      '{"subject":"A","colour":"green","days":7}\n\n{"colour":"red","subject":"B"}',
      'jsonl',
    );
    assert.deepEqual(faults, []);
    assert.deepEqual(people, [
      { subject: 'A', colour: 'green', days: 7 },
      { subject: 'B', colour: 'red' },
    ]);
  });

  const broken: readonly [string, string | Uint8Array, number][] = [
    ['text that is not JSON', '{"subject":"A","colour":"green"}\n{', 2],
    ['an array', '[]', 1],
    ['null', 'null', 1],
    ['a nested member', '{"subject":{"a":1},"colour":"green"}', 1],
    ['an unknown member', '{"subject":"A","colour":"green","colours":"red"}', 1],
    ['__proto__', '{"subject":"A","colour":"green","__proto__":"red"}', 1],
    ['B65: a number as subject', '{"subject":330102199001011237,"colour":"green"}', 1],
    ['B65: a number beyond all', '{"subject":1e400,"colour":"green"}', 1],
    ['B65: true for days', '{"subject":"A","colour":"green","days":true}', 1],
    [
      'B64: a doubled member, one of them spelled otherwise',
      '{"colour":"green","subject":"A","\\u0063olour":"red"}',
      1,
    ],
    ['a text within which a member seems to be', '{"subject":"A \\"colour\\":","colour":"grün"}', 1],
    ['B64: a doubled member', '{"subject":"A","colour":"red","colour":"green"}', 1],
    ['bad UTF-8', Buffer.from('7bff7d', 'hex'), 1],
    ['a line of 4,097 bytes', ' '.repeat(4_097), 1],
    ['a number with a fraction', '{"subject":"A","colour":"green","days":1.5}', 1],
    ['an empty file', '', 0],
  ];
  for (const [what, content, line] of broken) {
    it(`refuses ${what}`, async () => {
      assert.equal((await faultsOf(content, 'jsonl'))[0]?.line, line);
    });
  }
});

describe('peopleFormatOf', () => {
  it('goes by the ending of the name', () => {
    assert.equal(peopleFormatOf('a.JSONL'), 'jsonl');
    assert.equal(peopleFormatOf('a.csv'), 'csv');
    assert.equal(peopleFormatOf('-'), 'csv');
  });
});

describe('countPeople and peopleInBatches', () => {
  const content = `subject,colour\n${Array.from({ length: 7 }, (_, i) => `P-${i},green`).join('\n')}\n`;
  const bytes = Buffer.from(content);

  it('counts the rows, tells the SHA-256 of the file, and how much is read', async () => {
    let read = 0;
    const { rows, faults, sha256 } = await countPeople(
      pieces(bytes),
      CSV,
      PERSON_FORM,
      (now) => (read = now),
    );
    assert.deepEqual([rows, faults, read], [7, [], bytes.length]);
    assert.equal(sha256, createHash('sha256').update(bytes).digest('hex'));
  });

  it('finds the faults that readPeople finds: a row, a person twice, no rows', async () => {
    for (const bad of ['subject,colour\nA,green\nB,blue\nA,red\n', 'subject,colour\n', 'subject\nA\n']) {
      const { faults } = await countPeople(pieces(Buffer.from(bad)), CSV, PERSON_FORM);
      assert.deepEqual(faults, await faultsOf(bad));
    }
  });

  it('gives the rows after those to be skipped, so many at a time, and a fault that came since in their place', async () => {
    const batchesOf = async (of: Uint8Array, skip: number) => {
      const batches: string[] = [];
      for await (const { people, faults } of peopleInBatches(pieces(of), CSV, PERSON_FORM, {
        size: 3,
        skip,
      }))
        batches.push(faults.length > 0 ? 'fault' : people.map(({ subject }) => subject).join(' '));
      return batches;
    };
    assert.deepEqual(await batchesOf(bytes, 0), ['P-0 P-1 P-2', 'P-3 P-4 P-5', 'P-6']);
    assert.deepEqual(await batchesOf(bytes, 6), ['P-6']);
    assert.deepEqual(await batchesOf(bytes, 7), []);
    assert.deepEqual(await batchesOf(Buffer.from(content.replace('P-4,green', 'P-4,blue')), 3), ['fault']);
  });

  describe('of a file in GB18030', () => {
    const NAMES = ['\u738b\u5c0f\u660e', '\u5f20\u4f1f'];
    // The same names in GB18030.
    const HEX = ['cdf5d0a1c3f7', 'd5c5ceb0'];
    const gb = Buffer.concat([
      Buffer.from('subject,colour\n'),
      ...HEX.flatMap((name) => [Buffer.from(name, 'hex'), Buffer.from(',green\n')]),
    ]);
    const GB = { format: 'csv', encoding: 'gb18030' } as const;

    it('reads, counts and parts it as one in UTF-8, and tells the SHA-256 of its own bytes', async () => {
      const { people, faults } = await readPeople(pieces(gb), GB, PERSON_FORM);
      assert.deepEqual([people.map(({ subject }) => subject), faults], [NAMES, []]);
      const { rows, sha256 } = await countPeople(pieces(gb), GB, PERSON_FORM);
      assert.deepEqual([rows, sha256], [2, createHash('sha256').update(gb).digest('hex')]);
      for await (const one of peopleInBatches(pieces(gb), GB, PERSON_FORM, { size: 2, skip: 1 }))
        assert.deepEqual(
          one.people.map(({ subject }) => subject),
          [NAMES[1]],
        );
    });

    it('says how to name the encoding where that is not done, and refuses the mark of UTF-8 under it', async () => {
      const { faults } = await readPeople(pieces(gb), CSV, PERSON_FORM);
      assert.match(faults[0]?.reason ?? '', /^is not UTF-8: .*--encoding gb18030/);
      const marked = Buffer.from(`\ufeffsubject,colour\n${NAMES[0]},green\n`);
      const refused = await readPeople(pieces(marked, 1), GB, PERSON_FORM);
      assert.deepEqual(refused.faults, [
        { line: 0, reason: 'the file is UTF-8, and not GB18030: leave the encoding out' },
      ]);
    });
  });
});
