/** What a person declares, as rows of files and forms bring it. Nothing is taken of somebody who does not agree to it. */
import { z } from 'zod';
import { dayText, parseDay } from '../../protocol/rules/calendar.ts';
import { DateTime } from '../../protocol/rules/date-time.ts';
import { isTime } from '../../protocol/rules/facts.ts';
import { localDay, type Zone } from '../../protocol/rules/zone.ts';
import {
  type Identity,
  IDENTITY_COLUMNS,
  IDENTITY_EXAMPLES,
  identitySchema,
  parseIdentity,
} from '../lists/identity.ts';
import { AREA_CHARS_MAX, isArea } from '../lists/kinds.ts';
import { SUBJECT_BYTES_MAX } from '../registry/record-page.ts';
import { type RowFault, type RowForm } from '../rows/row-form.ts';

const DAY_S = 86_400;
const HOUR_S = 3_600;
/** Seconds that the clock of whoever took a declaration may be ahead. */
const AHEAD_S_MAX = 120;
/** The day of a declaration in the zone that is furthest ahead of UTC. */
const ZONE_S_MAX = 14 * HOUR_S;
const STAYS_MAX = 16;
const ADDRESS_CHARS_MAX = 200;
const DAY_CHARS = 10;
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;

export const saidSchema = z.strictObject({
  /** When the person said it. */
  declaredAtS: z.int().nonnegative(),
  symptoms: z.boolean(),
  /** The day of the last contact with somebody infected. */
  contact: z.string().max(DAY_CHARS).optional(),
  stays: z
    .array(z.strictObject({ area: z.string().max(AREA_CHARS_MAX), day: z.string().max(DAY_CHARS) }))
    .max(STAYS_MAX),
  address: z.string().max(ADDRESS_CHARS_MAX).optional(),
});
export type Said = Readonly<z.infer<typeof saidSchema>>;

export const declarationSchema = z.strictObject({
  /** The region's own reference to the person. */
  subject: z.string().max(SUBJECT_BYTES_MAX),
  /** With a name and a day of birth: who cannot be held against lists is never green. */
  identity: identitySchema,
  said: saidSchema,
  /** Public key of the holder's device in hexadecimal, for live presentations. */
  device: z.string().length(64).optional(),
});
export type Declaration = Readonly<z.infer<typeof declarationSchema>>;

export interface DeclarationRow {
  readonly line: number;
  readonly declaration: Declaration;
}

const OWN_COLUMNS = [
  'subject',
  'declared_at',
  'consent',
  'symptoms',
  'contact',
  'travel',
  'address',
  'device',
] as const;
type OwnColumn = (typeof OWN_COLUMNS)[number];

/** All columns, in the order in which files are best written. */
export const DECLARATION_COLUMNS = ['subject', ...IDENTITY_COLUMNS, ...OWN_COLUMNS.slice(1)] as const;
export type DeclarationColumn = (typeof DECLARATION_COLUMNS)[number];

/** What each column holds, for help and forms. */
export const DECLARATION_HELP: Readonly<Record<OwnColumn, string>> = {
  subject: "the region's own reference to the person, 1 to 64 bytes",
  declared_at: 'when the person declared it, with a zone',
  consent: 'true: the person agrees that this is stored and compared with background data',
  symptoms: 'true or false',
  contact: 'day of the last contact with somebody infected; empty if there was none',
  travel: 'areas and days of the last weeks, separated by semicolons; empty if there were none',
  address: 'where the person stays',
  device: "public key of the holder's device, 64 hexadecimal digits, for live presentations",
};

const EXAMPLES: Readonly<Record<DeclarationColumn, string>> = {
  ...IDENTITY_EXAMPLES,
  subject: 'P-00001',
  declared_at: '2026-11-26T08:00:00Z',
  consent: 'true',
  symptoms: 'false',
  contact: '2026-11-20',
  travel: 'CN-42 2026-11-19; CN-11 2026-11-21',
  address: '1 Sample Street',
  device: '0123456789abcdef'.repeat(4),
};

/** A header and two rows of the right form: all that can be said, and as little as may be. */
export function declarationsExample(): string {
  const columns = DECLARATION_COLUMNS.filter((name) => name !== 'device');
  const least: Partial<Record<DeclarationColumn, string>> = {
    subject: 'P-00002',
    full_name: 'Person Example',
    birth_date: '1985-02-03',
    declared_at: EXAMPLES.declared_at,
    consent: 'true',
    symptoms: 'false',
  };
  const rows = [EXAMPLES, least].map((row) => columns.map((name) => row[name] ?? '').join(','));
  return `${columns.join(',')}\n${rows.join('\n')}\n`;
}

/** Rows of declarations that come at `nowS`. `zone`: that of the rules, by which days are held; without one any day on earth will do. */
export function declarationForm(nowS: number, zone?: Zone): RowForm<DeclarationRow> {
  return {
    columns: DECLARATION_COLUMNS,
    required: ['subject', 'full_name', 'birth_date', 'declared_at', 'consent', 'symptoms'],
    plain: new Set(['consent', 'symptoms']),
    parse: (cells, line) => new RowReader(cells, line, nowS, zone).read(),
  };
}

class RowReader {
  readonly #cells: Readonly<Record<string, string>>;
  readonly #line: number;
  readonly #nowS: number;
  readonly #zone: Zone | undefined;
  readonly #faults: RowFault[] = [];

  constructor(cells: Readonly<Record<string, string>>, line: number, nowS: number, zone: Zone | undefined) {
    this.#zone = zone;
    this.#cells = Object.fromEntries(Object.entries(cells).map(([name, text]) => [name, text.trim()]));
    this.#line = line;
    this.#nowS = nowS;
  }

  read(): DeclarationRow | RowFault[] {
    for (const name of Object.keys(this.#cells))
      if (!DECLARATION_COLUMNS.some((column) => column === name))
        this.#faults.push({
          line: this.#line,
          reason: `unknown column; known are ${DECLARATION_COLUMNS.join(', ')}`,
        });
    const subject = this.#subject();
    const identity = this.#identity();
    if (this.#flag('consent') === false)
      this.#fault('consent', 'is not true: nothing is stored of somebody who does not agree');
    const symptoms = this.#flag('symptoms');
    const declaredAtS = this.#declaredAt();
    const lastDay = lastDayAt(Math.min(declaredAtS, this.#nowS), this.#zone);
    const contact = this.#contact(lastDay);
    const stays = this.#stays(lastDay);
    const address = this.#cell('address');
    if (address !== undefined && (address.length > ADDRESS_CHARS_MAX || UNPRINTABLE.test(address)))
      this.#fault('address', `has more than ${ADDRESS_CHARS_MAX} characters, or one that cannot be read`);
    const device = this.#cell('device')?.toLowerCase();
    if (device !== undefined && !/^[0-9a-f]{64}$/.test(device))
      this.#fault('device', 'is not 64 hexadecimal digits');
    if (this.#faults.length > 0) return this.#faults;
    const said = {
      declaredAtS,
      symptoms: symptoms === true,
      stays,
      ...(contact !== undefined && { contact }),
      ...(address !== undefined && { address }),
    };
    return {
      line: this.#line,
      declaration: { subject, identity: { ...identity }, said, ...(device !== undefined && { device }) },
    };
  }

  #cell(column: DeclarationColumn): string | undefined {
    const text = this.#cells[column];
    return text === '' ? undefined : text;
  }

  #fault(column: DeclarationColumn, reason: string): void {
    this.#faults.push({ line: this.#line, column, reason, example: EXAMPLES[column] });
  }

  #subject(): string {
    const subject = this.#cell('subject') ?? '';
    if (subject === '') this.#fault('subject', 'is empty');
    else if (Buffer.byteLength(subject) > SUBJECT_BYTES_MAX)
      this.#fault('subject', `has more than ${SUBJECT_BYTES_MAX} bytes of UTF-8`);
    else if (UNPRINTABLE.test(subject)) this.#fault('subject', 'holds a control character');
    return subject;
  }

  #identity(): Identity {
    const cells = Object.fromEntries(
      Object.entries(this.#cells).filter(
        ([name, text]) => text !== '' && IDENTITY_COLUMNS.some((column) => column === name),
      ),
    );
    const { identity, faults } = parseIdentity(cells, this.#line, Math.floor(this.#nowS / DAY_S));
    this.#faults.push(...faults);
    if (faults.length > 0) return identity;
    const reason = 'is empty, and is needed to hold the person against lists';
    if (identity.name === undefined) this.#fault('full_name', reason);
    if (identity.birthDate === undefined) this.#fault('birth_date', reason);
    return identity;
  }

  #flag(column: 'consent' | 'symptoms'): boolean | undefined {
    const text = this.#cell(column);
    if (text === 'true' || text === 'false') return text === 'true';
    this.#fault(column, text === undefined ? 'is empty' : 'is neither true nor false');
    return undefined;
  }

  #declaredAt(): number {
    const text = this.#cell('declared_at');
    const moment = text !== undefined && isTime(text) ? DateTime.parse(text) : undefined;
    const atS = Math.floor((moment?.ms ?? 0) / 1_000);
    if (moment === undefined || atS < 0)
      this.#fault('declared_at', text === undefined ? 'is empty' : 'is no time with its zone');
    else if (atS > this.#nowS + AHEAD_S_MAX) this.#fault('declared_at', 'is still to come');
    return Math.max(0, atS);
  }

  #contact(lastDay: string): string | undefined {
    const contact = this.#cell('contact');
    if (contact !== undefined) this.#requireDay('contact', contact, lastDay);
    return contact;
  }

  #stays(lastDay: string): Said['stays'] {
    const parts = (this.#cell('travel') ?? '').split(';').map((part) => part.trim());
    const stays = parts
      .filter((part) => part !== '')
      .map((part) => {
        const day = part.slice(-DAY_CHARS);
        return { area: part.slice(0, -DAY_CHARS).trim(), day };
      });
    if (stays.length > STAYS_MAX) this.#fault('travel', `tells more than ${STAYS_MAX} stays`);
    for (const { area, day } of stays) {
      if (!isArea(area)) this.#fault('travel', 'does not name an area and a day each');
      else this.#requireDay('travel', day, lastDay);
    }
    return stays;
  }

  #requireDay(column: DeclarationColumn, text: string, lastDay: string): void {
    if (parseDay(text) === undefined)
      this.#fault(column, 'is not a day of the calendar, written as year, month and day');
    else if (text > lastDay) this.#fault(column, 'is after the day of the declaration');
  }
}

/** The day on which it is then by the rules, or anywhere. */
function lastDayAt(timeS: number, zone: Zone | undefined): string {
  return dayText(zone === undefined ? Math.floor((timeS + ZONE_S_MAX) / DAY_S) : localDay(zone, timeS));
}
