/** What a holder is told with a code: the colour, why, since when, until when, and how to object. */
import { type Place } from '../registry/place-cipher.ts';
import { type FactSource, type StatusChange } from './dossier.ts';

/** A code that was not handed out yet, and what comes with it. */
export interface Notice extends Place {
  readonly subject: string;
  readonly code: string;
  readonly change: StatusChange;
  /** In words, line by line. */
  readonly text: readonly string[];
}

export interface NoticeOptions {
  readonly region: string;
  /** Where people object, in words. */
  readonly objectTo: string;
  /** Days within which an objection is decided. */
  readonly objectionDays: number;
}

const MEASURES = {
  none: 'You may pass.',
  home: 'You stay at home.',
  isolate: 'You are isolated.',
} as const;

/** `counts`: whether the code of the change still does. Of one that does not nobody is told that they may pass. */
export function noticeText(
  change: StatusChange,
  { region, objectTo, objectionDays }: NoticeOptions,
  counts: 'running' | 'over' | 'revoked' = 'running',
): string[] {
  const { status, since, rule, why, because, sources } = change;
  const { colour, measure, untilS, expiresAtS, ruleId, ruleVersion } = status;
  const days = objectionDays === 1 ? 'day' : 'days';
  const whyLine = `Why: ${why}${because === undefined ? '' : ` (${because})`}`;
  const toObject = `To object: ${objectTo}. It is decided within ${objectionDays} ${days}.`;
  if (change.kind === 'revoked')
    return [
      `The ${colour} health code of ${region} is revoked: it counts no more.`,
      `Since: ${timeText(change.atS)}`,
      whyLine,
      'For another one: declare anew.',
      toObject,
    ];
  const until =
    untilS === undefined && change.kind !== 'override'
      ? `Counts until: ${timeText(expiresAtS)}; it is renewed by itself before that.`
      : `Until: ${timeText(untilS ?? expiresAtS)}`;
  return [
    counts === 'running'
      ? `The health code of ${region} is ${colour.toUpperCase()}. ${MEASURES[measure]}`
      : `The ${colour} health code of ${region} is ${counts}: it counts no more.`,
    `Since: ${since ?? timeText(change.atS)}`,
    ...(counts === 'revoked' ? [] : [counts === 'over' ? `Until: ${timeText(untilS ?? expiresAtS)}` : until]),
    whyLine,
    change.kind === 'override'
      ? 'Rule: none'
      : `Rule: ${rule === undefined ? '' : `${rule} of `}${ruleId}, version ${ruleVersion}`,
    ...sources.map((source) => `Known from: ${sourceText(source)}`),
    ...(change.corrects === undefined ? [] : [`This corrects your objection ${change.corrects}.`]),
    toObject,
  ];
}

/** Where a fact stood, in a few words. */
export function sourceText(source: FactSource): string {
  if (source.from === 'declaration')
    return `a declaration of ${timeText(source.atS)}, taken by ${source.source}`;
  if (source.from === 'order') {
    const told = `what was told with the order of ${timeText(source.atS)}`;
    return source.isAlone === true ? `${told}, and that alone` : told;
  }
  const { list, version, line, by, atS } = source;
  const how = by === 'document' ? 'document' : 'name and day of birth';
  return `the list ${list}, version ${version}, line ${line}, by ${how}, from ${source.source} as of ${timeText(atS)}`;
}

/** `2026-11-26 14:00 UTC` */
function timeText(timeS: number): string {
  return `${new Date(timeS * 1_000).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}
