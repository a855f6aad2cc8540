/** Everybody who gets no colour, and why: for the operator, who finds out what only people can find out. */
import { type Doubt } from '../../node/lists/matching.ts';
import { type Doubtful } from '../../node/lists/list-view.ts';
import { type Undecided } from '../people/by-rules.ts';
import { csvCell } from '../people/codes-file.ts';
import { openText } from './explanation.ts';

const DOUBT_TEXTS: Readonly<Record<Doubt, string>> = {
  BIRTH_DATE_DIFFERS: 'the document is theirs, the day of birth is another',
  OTHER_DOCUMENT: 'name and day of birth are theirs, the number of the document is another',
  NAME_SHARED: 'name and day of birth are theirs, and those of somebody else here',
  SEVERAL_ENTRIES: 'several entries may be about them',
  ENTRY_UNREAD: 'an entry that may be about them cannot be read: import the list again',
  AREA_UNREAD:
    'what the list of areas says of an area in which they stayed cannot be read: import that list again',
};

/** What makes an entry of a list doubtful, in a few words. */
export function doubtText({ list, doubt, lines }: Doubtful): string {
  const where = lines.length === 0 ? '' : `, ${lines.length === 1 ? 'line' : 'lines'} ${lines.join(', ')}`;
  return `${list}${where}: ${DOUBT_TEXTS[doubt]}`;
}

/** A row for each reason: the list, its lines, and the reason in words. */
export function openReasons({ open, doubts }: Pick<Undecided, 'open' | 'doubts'>): string[][] {
  return [
    ...open.map((reason) => ['', '', openText(reason)]),
    ...doubts.map(({ list, lines, doubt }) => [list, lines.join(' '), DOUBT_TEXTS[doubt]]),
  ];
}

/** CSV, a row for each reason. */
export function* openReport(undecided: readonly Undecided[]): Generator<string, void, undefined> {
  yield 'line,subject,list,list_lines,reason\n';
  for (const { line, subject, open, doubts } of undecided) {
    for (const row of openReasons({ open, doubts }))
      yield `${[String(line), subject, ...row].map(csvCell).join(',')}\n`;
  }
}
