/** Codes that were issued, as a file for the office that hands them out: CSV or JSON lines. */
import { codeTextOf, fieldsUsed } from '../../node/issuing/held-codes.ts';
import { type Openings } from '../../protocol/code/openings.ts';
import { type Sha256 } from '../../protocol/primitives.ts';
import { type PeopleFormat } from './people-file.ts';

/** A code, whose it is and where its attestation stands. */
export interface IssuedCode {
  readonly subject: string;
  readonly log: string;
  readonly index: number;
  /** The text of the code, opening all fields that the attestation uses. */
  readonly code: string;
}

export function issuedCodeOf(
  sha256: Sha256,
  subject: string,
  issued: {
    readonly log: string;
    readonly index: number;
    readonly attestation: Uint8Array;
    readonly openings: Openings;
  },
): IssuedCode {
  const { log, index } = issued;
  return { subject, log, index, code: codeTextOf(sha256, issued, fieldsUsed(issued.openings)) };
}

const ROWS_PER_PART = 512;

/** The file, in parts; without its header where more is written behind what is there. */
export function* codesText(
  issued: readonly IssuedCode[],
  format: PeopleFormat,
  withHeader = true,
): Iterable<string> {
  if (format === 'csv' && withHeader) yield 'subject,log,index,code\n';
  for (let at = 0; at < issued.length; at += ROWS_PER_PART) {
    const rows = issued.slice(at, at + ROWS_PER_PART);
    yield rows.map(format === 'csv' ? csvRow : jsonRow).join('');
  }
}

function csvRow({ subject, log, index, code }: IssuedCode): string {
  return `${csvCell(subject)},${log},${index},${csvCell(code)}\n`;
}

function jsonRow({ subject, log, index, code }: IssuedCode): string {
  return `${JSON.stringify({ subject, log, index, code })}\n`;
}

/** Quoted where CSV asks for it. What a spreadsheet would take for a formula gets an apostrophe before it. */
export function csvCell(text: string): string {
  const harmless = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
