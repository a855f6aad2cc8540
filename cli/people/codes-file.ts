/** Codes that were issued, as a file for the office that hands them out: CSV or JSON lines. */
import { type Issued } from '../../node/region/issuer.ts';
import { type PeopleFormat } from './people-file.ts';

const ROWS_PER_PART = 512;

/** The file, in parts. */
export function* codesText(issued: readonly Issued[], format: PeopleFormat): Iterable<string> {
  if (format === 'csv') yield 'subject,log,index,code\n';
  for (let at = 0; at < issued.length; at += ROWS_PER_PART) {
    const rows = issued.slice(at, at + ROWS_PER_PART);
    yield rows.map(format === 'csv' ? csvRow : jsonRow).join('');
  }
}

function csvRow({ subject, log, index, code }: Issued): string {
  return `${csvCell(subject)},${log},${index},${csvCell(code)}\n`;
}

function jsonRow({ subject, log, index, code }: Issued): string {
  return `${JSON.stringify({ subject, log, index, code })}\n`;
}

/** Quoted where CSV asks for it. What a spreadsheet would take for a formula gets an apostrophe before it. */
function csvCell(text: string): string {
  const harmless = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
