/** A verdict in words: a headline, its reasons, and on demand what it rests on. */
import { REASONS, type Reason } from '../protocol/verdict/reasons.ts';
import {
  type Grade,
  type KnowledgeReport,
  type OriginalReference,
  type Verdict,
} from '../protocol/verdict/verdict.ts';
import { aligned, type Colours, figure } from './output.ts';
import { printable } from './printable.ts';
import { spanText, timeText } from './times.ts';

/** `PASS  green, static, until 2026-11-30 15:00:00 UTC  (CN-33 2026-11/17)`; what could not be proven is not said. */
export function headline(verdict: Verdict, colours: Colours): string {
  const { outcome, colour, grade, measure, expiresAtS } = verdict;
  const facts = [
    colour === undefined ? undefined : paint(colours, colour)(colour),
    grade,
    measure === undefined ? undefined : `${MEASURES[measure.kind]} until ${timeText(measure.untilS)}`,
    measure !== undefined || expiresAtS === undefined ? undefined : `until ${timeText(expiresAtS)}`,
  ].filter((fact) => fact !== undefined);
  const place = referenceText(verdict);
  const reference = place === undefined ? '' : colours.dim(`(${place})`);
  return [outcomeText(outcome, colours), facts.join(', '), reference]
    .filter((part) => part !== '')
    .join('  ');
}

/** One aligned line per reason: its code and a sentence for the person at the gate. */
export function reasonLines({ reasons }: Pick<Verdict, 'reasons'>, colours: Colours): string[] {
  return aligned(
    reasons.map((reason) => [reason.code, explanationOf(reason, colours)]),
    '  ',
  );
}

/** What the verdict rests on: grade, rule, key, and for each region how old the knowledge is and who vouches for it. */
export function groundLines(verdict: Verdict): string[] {
  const { code, original, foreign, grade, rule, expiresAtS, knowledge, atS } = verdict;
  const pairs: [string, string][] = [['judged at', timeText(atS)]];
  if (code !== undefined) {
    pairs.push([
      'issued by',
      `${code.region}, key ${code.keyId}, leaf ${figure(code.index)} of log ${code.log}`,
    ]);
    pairs.push(['issued at', `${timeText(3_600 * code.hour)}, to the hour`]);
  }
  if (original !== undefined) pairs.push(['bridged for', originalText(original)]);
  if (foreign !== undefined) {
    const { region, adapter, issuer, issuedAtS, subject } = foreign;
    if (region !== undefined) pairs.push(['recognised by', `adapter ${adapter ?? ''} of ${region}`]);
    if (issuer !== undefined) pairs.push(['names as issuer', printable(issuer)]);
    if (subject !== undefined) pairs.push(['names as holder', printable(subject)]);
    if (issuedAtS !== undefined) pairs.push(['issued at', timeText(issuedAtS)]);
  }
  if (expiresAtS !== undefined) pairs.push(['expires', timeText(expiresAtS)]);
  if (rule !== undefined) pairs.push(['by rule', `${rule.id}, version ${rule.version}`]);
  if (grade !== undefined) pairs.push(['shown', GRADES[grade]]);
  for (const report of knowledge) pairs.push([`of ${report.region}`, knowledgeText(report)]);
  return aligned(pairs, '  ');
}

/** One line of a batch: outcome, colour, place in the log and reasons, separated by tabs. */
export function batchLine(verdict: Verdict): string {
  const { outcome, colour, reasons } = verdict;
  return [
    outcome,
    colour ?? '-',
    referenceText(verdict) ?? '-',
    reasons.map((reason) => reason.code).join(','),
  ].join('\t');
}

/** Where the code stands in its log, and that which it was bridged for; or whose code of others it is. */
function referenceText({ code, original, foreign }: Verdict): string | undefined {
  if (code !== undefined) {
    const origin = original === undefined ? '' : ` for ${placeText(original)}`;
    return `${code.region} ${code.log}/${code.index}${origin}`;
  }
  if (foreign === undefined) return undefined;
  const { region, adapter, format, keyId } = foreign;
  const by = region === undefined ? '' : `${region} ${adapter ?? ''}, `;
  return `${by}${format} by key ${printable(keyId)}`;
}

function placeText({ region, log, index }: OriginalReference): string {
  return log === undefined ? `a code of ${region}` : `${region} ${log}/${index}`;
}

function originalText(original: OriginalReference): string {
  const { region, log, index, keyId, hashes = [], signer } = original;
  if (log === undefined) {
    const by = signer === undefined ? '' : `, by key ${signer}`;
    return `${region}, a code of others with the hash ${hashes.join(', ')}${by}`;
  }
  return `${region}, key ${keyId}, leaf ${figure(index ?? 0)} of log ${log}`;
}

const MEASURES = { home: 'stay at home', isolate: 'isolate' } as const;

const GRADES: Readonly<Record<Grade, string>> = {
  challenged: "live, in answer to this verifier's challenge: the device is here",
  live: 'live within the last minute: the device is near, or relays',
  static: 'static: may be a copy, so compare it with the person',
};

function outcomeText(outcome: Verdict['outcome'], colours: Colours): string {
  switch (outcome) {
    case 'pass':
      return colours.bold(colours.green('PASS'));
    case 'act':
      return colours.bold(colours.yellow('ACT'));
    case 'stop':
      return colours.bold(colours.red('STOP'));
    case 'undetermined':
      return colours.bold(colours.magenta('UNDETERMINED'));
  }
}

function paint(colours: Colours, colour: 'green' | 'yellow' | 'red'): (text: string) => string {
  return colours[colour];
}

function explanationOf({ code, region, details }: Reason, colours: Colours): string {
  const figures = Object.entries(details ?? {}).map(([name, value]) => detailText(name, value));
  const aside = [...(region === undefined ? [] : [region]), ...figures].join(', ');
  return REASONS[code].explanation + (aside === '' ? '' : colours.dim(` [${aside}]`));
}

/** `ageS: 172800` becomes `age 48 h`: names of spans end in their unit. */
function detailText(name: string, value: string | number): string {
  if (typeof value === 'number' && name.endsWith('S')) return `${name.slice(0, -1)} ${spanText(value)}`;
  return `${name} ${printable(String(value))}`;
}

/** How old the knowledge of a region is and who vouches for it. */
export function knowledgeText({ size, ageS, silenceS, witnesses }: KnowledgeReport): string {
  const age = ageS === undefined ? 'of unknown age' : `${spanText(ageS)} old`;
  const silence =
    silenceS === undefined ? 'it never signed a time' : `last heard of ${spanText(silenceS)} ago`;
  const { counted, needed, of, by } = witnesses;
  const whose = by === undefined ? '' : ' by the own policy';
  return `${figure(size)} entries, ${age}, ${silence}, ${counted} of ${of} witnesses (${needed} needed${whose})`;
}
