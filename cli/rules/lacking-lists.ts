/** Lists that rules ask for and that are missing or old, told wherever colours are decided or looked after. */
import { type AskedList, askedLists, isLacking } from '../../node/lists/asked-lists.ts';
import { type RuleSet } from '../../protocol/rules/rule-set.ts';
import { type Desk } from '../desk/desk.ts';
import { printable } from '../printable.ts';
import { spanText, timeText } from '../times.ts';

/** As a node tells it of itself. */
export type AskedListSeen = Omit<AskedList, 'list'> & { readonly list: string };

/** Those of which whoever decides by these rules has to know. */
export async function lackingLists(desk: Desk, ruleSet: RuleSet, nowS: number): Promise<AskedList[]> {
  const { listsOldHours: oldHours } = desk.config.life;
  return askedLists(ruleSet, await desk.listsInForce(), { nowS, oldHours }).filter(isLacking);
}

/** A sentence without its full stop. */
export function lackingText({ list, facts, asOfS }: AskedListSeen, nowS: number): string {
  const asked = `the rules ask for ${facts.map(printable).join(' and ')}`;
  if (asOfS === undefined) return `No list of ${printable(list)} is in force, although ${asked}`;
  const age = spanText(Math.max(0, nowS - asOfS));
  return `The list of ${printable(list)} in force is ${age} old, of ${timeText(asOfS)}, and ${asked}`;
}
