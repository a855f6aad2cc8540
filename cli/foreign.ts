/** Codes of others in words: what they are, what they say, and the verdict on them. */
import { type ForeignCode, type ForeignFormat } from '../protocol/foreign/foreign-code.ts';
import { FOREIGN_REASONS } from '../protocol/foreign/foreign-reasons.ts';
import { type ForeignVerdict } from '../protocol/foreign/foreign-verdict.ts';
import { foreignFormatOf, readForeign } from '../protocol/foreign/verify-foreign.ts';
import { nativeForeignPrimitives } from '../node/crypto/foreign-primitives.ts';
import { aligned, type Colours } from './output.ts';
import { printable } from './printable.ts';
import { spanText, timeText } from './times.ts';

const NAMES: Readonly<Record<ForeignFormat, string>> = {
  hcert: 'EU Digital COVID Certificate',
  shc: 'SMART Health Card',
  vdsnc: 'ICAO visible digital seal',
  local: 'local code',
  'status-list': 'status list',
};

/** What `entente inspect` shows of a code, which says nothing of whether it is genuine. @throws {ProtocolError} */
export async function inspectForeign(text: string): Promise<object> {
  return foreignInWords(await readForeign(nativeForeignPrimitives, text));
}

/** A code that was read, for people. */
export function foreignInWords(code: ForeignCode): object {
  const { format, issuer, keyId, algorithm, usages, flaw, content, times } = code;
  return {
    what: NAMES[format],
    issuer,
    ...times,
    attests: usages.length === 0 ? undefined : usages,
    signedBy: { key: keyId, algorithm },
    flaw,
    says: content,
  };
}

/** Tells whether a text is of a format that others define. */
export function isForeignText(text: string): boolean {
  return foreignFormatOf(text) !== undefined;
}

/** `GENUINE  EU Digital COVID Certificate of AT, vaccination, until 2026-11-30 15:00:00 UTC`. */
export function foreignHeadline({ outcome, format, code, key }: ForeignVerdict, colours: Colours): string {
  const paint = { genuine: colours.green, refused: colours.red, undetermined: colours.magenta }[outcome];
  const name = format === undefined ? undefined : NAMES[format];
  const facts = code === undefined || key === undefined ? [] : factsOf(code, key.issuer);
  const text = [name, ...facts].filter((fact) => fact !== undefined).join(', ');
  return [colours.bold(paint(outcome.toUpperCase())), text].join('  ').trimEnd();
}

/** Nothing of what a code says is said before its signature is good. */
function factsOf({ usages, issuer, times: { expiresAtS } }: ForeignCode, signer: string): string[] {
  const from = signer === '' ? (issuer ?? '') : signer;
  return [
    ...(from === '' ? [] : [`of ${printable(from)}`]),
    ...usages,
    ...(expiresAtS === undefined ? [] : [`until ${timeText(expiresAtS)}`]),
  ];
}

export function foreignReasonLines({ reasons }: ForeignVerdict, colours: Colours): string[] {
  return aligned(
    reasons.map(({ code, details }) => {
      const aside = Object.entries(details ?? {}).map(([name, value]) => detailText(name, value));
      const text = FOREIGN_REASONS[code].explanation;
      return [code, aside.length === 0 ? text : text + colours.dim(` [${aside.join(', ')}]`)];
    }),
    '  ',
  );
}

/** One line of a batch: outcome, format, issuer and reasons, separated by tabs. */
export function foreignBatchLine({ outcome, format, key, reasons }: ForeignVerdict): string {
  const codes = reasons.map(({ code }) => code).join(',');
  return [
    outcome,
    format ?? '-',
    key === undefined || key.issuer === '' ? '-' : printable(key.issuer),
    codes,
  ].join('\t');
}

/** The verdict for programs: with what the code says, and without its bytes. */
export function foreignVerdictJson({ outcome, reasons, atS, format, code, key }: ForeignVerdict): object {
  return {
    outcome,
    reasons,
    atS,
    format,
    key: key && { keyId: key.keyId, issuer: key.issuer },
    code: code && {
      issuer: code.issuer,
      keyId: code.keyId,
      ...code.times,
      usages: code.usages,
      content: code.content,
    },
  };
}

function detailText(name: string, value: string | number): string {
  if (typeof value === 'number' && name.endsWith('S')) return `${name.slice(0, -1)} ${spanText(value)}`;
  return `${name} ${printable(String(value))}`;
}
