/** One person to issue a code for, as a row of a file or the flags of a command describe them. */
import { z } from 'zod';
import { SUBJECT_BYTES_MAX } from '../../node/registry/record-page.ts';
import { type ToldBasis } from '../../node/abuse/issue-gate.ts';
import { type Identity } from '../../node/lists/identity.ts';
import { type DocumentInput } from '../../protocol/code/document.ts';
import { type Status } from '../../protocol/code/status.ts';
import { type RowFault, type RowForm } from '../../node/rows/row-form.ts';

export const COLUMNS = [
  'subject',
  'colour',
  'days',
  'device',
  'document_country',
  'document_number',
] as const;
export type Column = (typeof COLUMNS)[number];
export const COLUMNS_REQUIRED: readonly Column[] = ['subject', 'colour'];

/** What each column holds, for help and for errors. */
export const COLUMN_HELP: Readonly<Record<Column, string>> = {
  subject:
    "the region's own reference to the person, 1 to 64 bytes of UTF-8 without spaces around; it never leaves the region",
  colour: 'green, yellow or red',
  days: 'how long the code counts, 1 to 30; without it 7 for green and yellow, 14 for red',
  device: "public key of the holder's device, 64 hexadecimal digits, for live presentations",
  document_country: 'for a code on paper: country of the identity document, as in DE',
  document_number: 'for a code on paper: number of the identity document, 4 to 32 letters and digits',
};

const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;
const DOCUMENT_PADDING = /[^A-Z0-9]/g;

const cell = {
  subject: z
    .string()
    .trim()
    .min(1, 'is empty')
    .refine(
      (text) => Buffer.byteLength(text) <= SUBJECT_BYTES_MAX,
      `has more than ${SUBJECT_BYTES_MAX} bytes of UTF-8`,
    )
    .refine((text) => !UNPRINTABLE.test(text), 'holds a control character'),
  colour: z.enum(['green', 'yellow', 'red'], { error: 'is none of green, yellow, red' }),
  days: z
    .string()
    .regex(/^([1-9]|[12]\d|30)$/, 'is not a whole number from 1 to 30')
    .transform(Number),
  device: z.string().regex(/^[0-9a-fA-F]{64}$/, 'is not 64 hexadecimal digits'),
  document_country: z.string().regex(/^[A-Z]{2}$/, 'is not two capital letters'),
  document_number: z.string().refine(isDocumentNumber, 'does not hold 4 to 32 letters and digits'),
};

/** Rows hold text, or in JSON lines numbers where a number is meant. An empty cell is an absent one. */
const personSchema = z
  .strictObject({
    subject: cell.subject,
    colour: cell.colour,
    days: cell.days.optional(),
    device: cell.device.optional(),
    document_country: cell.document_country.optional(),
    document_number: cell.document_number.optional(),
  })
  .refine((row) => (row.document_country === undefined) === (row.document_number === undefined), {
    path: ['document_number'],
    message: 'and document_country belong together: give both or neither',
  });

/** `status` is that of the rules, where they decided; without it colour and days make one. */
export type Person = z.infer<typeof personSchema> & {
  readonly status?: Status;
  /** What rules decided on, and when. */
  readonly told?: ToldBasis;
  /** Who it is by papers, where rules decided on what lists say of that. */
  readonly identity?: Identity;
};

const EXAMPLES: Readonly<Record<Column, string>> = {
  subject: 'P-00001',
  colour: 'green',
  days: '7',
  device: `${'0123456789abcdef'.repeat(4)}`,
  document_country: 'DE',
  document_number: 'C01X00T47',
};

/** The person of a row, or what is wrong with it. Cells are text; empty ones are left out before. */
export function parsePerson(cells: Readonly<Record<string, string>>, line: number): Person | RowFault[] {
  const parsed = personSchema.safeParse(cells);
  if (parsed.success) return parsed.data;
  return parsed.error.issues.map((issue) => {
    const column = COLUMNS.find((name) => name === issue.path[0]);
    if (column === undefined) return { line, reason: `unknown column; known are ${COLUMNS.join(', ')}` };
    const missing = cells[column] === undefined && COLUMNS_REQUIRED.includes(column);
    return { line, column, reason: missing ? 'is empty' : issue.message, example: EXAMPLES[column] };
  });
}

/** The document to which the code of a person is to be bound; undefined for a code that is not for paper. */
export function paperOf({
  document_country: country,
  document_number: number,
}: Pick<Person, 'document_country' | 'document_number'>): DocumentInput | undefined {
  return country === undefined || number === undefined ? undefined : { country, number };
}

/** Rows that give each person's colour themselves. */
export const PERSON_FORM: RowForm<Person> = {
  columns: COLUMNS,
  required: COLUMNS_REQUIRED,
  plain: new Set(['days']),
  parse: parsePerson,
};

function isDocumentNumber(text: string): boolean {
  const length = text.toUpperCase().replace(DOCUMENT_PADDING, '').length;
  return length >= 4 && length <= 32;
}
