/** Who somebody is by papers: an identity document, a name and a day of birth, in the one form in which two of them are compared. */
import { z } from 'zod';
import { parseDay } from '../../protocol/rules/calendar.ts';
import { type RowFault } from '../rows/row-form.ts';
import { birthDateOf, residentNumberFault } from './resident-number.ts';

/** `resident`: the identity number of a resident of China. */
export const DOCUMENT_TYPES = ['resident', 'passport', 'identity-card', 'permit', 'other'] as const;
export type DocumentType = (typeof DOCUMENT_TYPES)[number];

export interface IdentityDocument {
  readonly type: DocumentType;
  /** Two capital letters. */
  readonly country: string;
  /** Capital letters and digits. */
  readonly number: string;
}

/** A document, or a name and a day of birth, or all of it. */
export interface Identity {
  readonly document?: IdentityDocument | undefined;
  readonly name?: string | undefined;
  /** `1990-05-17` */
  readonly birthDate?: string | undefined;
}

export const IDENTITY_COLUMNS = ['id_type', 'id_country', 'id_number', 'full_name', 'birth_date'] as const;
type IdentityColumn = (typeof IDENTITY_COLUMNS)[number];
type Cells = Readonly<Record<string, string>>;

/** Whatever a column takes, as it may be written. The number is that of nobody. */
export const IDENTITY_EXAMPLES: Readonly<Record<IdentityColumn, string>> = {
  id_type: 'passport',
  id_country: 'DE',
  id_number: 'C01X00T47',
  full_name: 'Person Sample',
  birth_date: '1990-05-17',
};
const RESIDENT_EXAMPLE = '11010519491231002X';

const RESIDENT_COUNTRY = 'CN';
const NAME_CHARS_MAX = 128;
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;
/** What stands between the parts of names, written in many ways. */
const MIDDLE_DOTS = /[·•‧∙⋅・･]/g;
const APOSTROPHES = /[`\u00b4\u2018\u2019\u201b\u02b9\u02bb\u02bc\u02bd\u2032]/gu;
const HYPHENS = /[\u2010-\u2015\u2212]/gu;
const HAN_GAP = /(?<=\p{Script=Han})\s+(?=\p{Script=Han})/gu;

/** In the form that `parseIdentity` gives, as it comes from another part of this program. */
export const identitySchema = z.strictObject({
  document: z
    .strictObject({ type: z.enum(DOCUMENT_TYPES), country: z.string().max(2), number: z.string().max(32) })
    .optional(),
  name: z.string().max(NAME_CHARS_MAX).optional(),
  birthDate: z.string().max(10).optional(),
});

/** Of a row of a file, whose cells are not empty. `lastDay`: the last on which anybody it speaks of can be born, since 1970. */
export function parseIdentity(
  cells: Cells,
  line: number,
  lastDay: number,
): { readonly identity: Identity; readonly faults: readonly RowFault[] } {
  const faults: RowFault[] = [];
  const fault = (column: IdentityColumn, reason: string, example = IDENTITY_EXAMPLES[column]) =>
    void faults.push({ line, column, reason, example });
  const document = documentOf(cells, fault);
  const { full_name: nameCell, birth_date: birthCell } = cells;
  const name = nameCell === undefined ? undefined : nameForm(nameCell);
  if (nameCell !== undefined && (UNPRINTABLE.test(nameCell) || name === ''))
    fault('full_name', 'holds a control character, or nothing that can be read');
  if (name !== undefined && name.length > NAME_CHARS_MAX)
    fault('full_name', `has more than ${NAME_CHARS_MAX} characters`);
  const day = birthCell === undefined ? undefined : parseDay(birthCell);
  if (birthCell !== undefined && day === undefined)
    fault('birth_date', 'is not a day of the calendar, written as year, month and day');
  const inNumber = document?.type === 'resident' ? birthDateOf(document.number) : undefined;
  const birthDate = birthCell ?? inNumber;
  if ((day ?? parseDay(inNumber ?? '') ?? lastDay) > lastDay)
    fault(birthCell === undefined ? 'id_number' : 'birth_date', 'is of a day that is still to come');
  else if (birthCell !== undefined && inNumber !== undefined && birthCell !== inNumber)
    fault('birth_date', 'is another day than the one within id_number');
  const isNobody = document === undefined && (name === undefined || birthDate === undefined);
  if (isNobody && faults.length === 0)
    faults.push({ line, reason: 'tells nobody: give an identity document, or full_name and birth_date' });
  return { identity: { document, name, birthDate }, faults };
}

/** The same of what comes in another shape than a row, and may be written otherwise. */
export function reread(
  { document, name, birthDate }: Identity,
  lastDay: number,
): ReturnType<typeof parseIdentity> {
  const told: Record<IdentityColumn, string | undefined> = {
    id_type: document?.type,
    id_country: document?.country,
    id_number: document?.number,
    full_name: name,
    birth_date: birthDate,
  };
  const cells = Object.entries(told).filter((cell): cell is [string, string] => (cell[1] ?? '') !== '');
  return parseIdentity(Object.fromEntries(cells), 0, lastDay);
}

function documentOf(
  { id_type: type, id_country: country, id_number: numberCell }: Cells,
  fault: (column: IdentityColumn, reason: string, example?: string) => void,
): IdentityDocument | undefined {
  if (numberCell === undefined) {
    if (type !== undefined || country !== undefined)
      fault('id_number', 'is empty, although the row tells a document');
    return undefined;
  }
  if (!isDocumentType(type)) {
    fault('id_type', type === undefined ? 'is empty' : `is none of ${DOCUMENT_TYPES.join(', ')}`);
    return undefined;
  }
  const number = numberForm(numberCell);
  if (type === 'resident') {
    if (country !== undefined && country !== RESIDENT_COUNTRY)
      fault('id_country', 'is not the country of such a number', RESIDENT_COUNTRY);
    const reason = residentNumberFault(number);
    if (reason !== undefined) fault('id_number', reason, RESIDENT_EXAMPLE);
    return reason === undefined ? { type, country: RESIDENT_COUNTRY, number } : undefined;
  }
  if (country === undefined || !/^[A-Z]{2}$/.test(country)) fault('id_country', 'is not two capital letters');
  if (!/^[A-Z0-9]{4,32}$/.test(number)) fault('id_number', 'does not hold 4 to 32 letters and digits');
  return documentForm({ type, country: country ?? '', number });
}

/** As it is compared: a number of a resident of China is that of one person, whatever kind of document it was read from. */
export function documentForm(document: IdentityDocument): IdentityDocument {
  const { country, number } = document;
  const isResident = country === RESIDENT_COUNTRY && residentNumberFault(number) === undefined;
  return isResident ? { type: 'resident', country, number } : document;
}

/** As it is compared: full-width characters and blanks, hyphens and small letters are ways of writing. */
export function numberForm(text: string): string {
  return text
    .normalize('NFKC')
    .replace(/[\s\-./]/g, '')
    .toUpperCase();
}

/** As it is compared: one blank between words, none within Chinese names, one kind of dot, apostrophe and hyphen, no difference of capitals. */
export function nameForm(text: string): string {
  return text
    .replace(APOSTROPHES, "'") // one of them would fall apart below
    .normalize('NFKC')
    .replace(MIDDLE_DOTS, '·')
    .replace(HYPHENS, '-')
    .replace(/\s*·\s*/g, '·')
    .replace(/\s+/g, ' ')
    .trim()
    .replace(HAN_GAP, '')
    .toUpperCase();
}

function isDocumentType(text: string | undefined): text is DocumentType {
  return DOCUMENT_TYPES.some((type) => type === text);
}
