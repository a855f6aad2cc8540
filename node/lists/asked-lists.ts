/** Which lists rules ask for, and whether those in force can answer: of whom a list that is missing or old would tell, rules decide as if it did not. */
import { type RuleSet } from '../../protocol/rules/rule-set.ts';
import { FACT_NAMES, LIST_KINDS, type ListKind } from './kinds.ts';
import { type ListVersion } from './shelf.ts';

/** A list of which rules ask for facts. */
export interface AskedList {
  readonly list: ListKind;
  /** The facts that they ask for. */
  readonly facts: readonly string[];
  /** The moment that the list in force speaks of, in seconds; absent where none is in force. */
  readonly asOfS?: number | undefined;
  /** It speaks of a moment that is longer ago than the region lets a list be. */
  readonly isOld: boolean;
}

export interface AskedAt {
  readonly nowS: number;
  /** Hours after which a list is old; 0 for never. */
  readonly oldHours: number;
}

const HOUR_S = 3_600;

export function askedLists(
  { data }: RuleSet,
  inForce: ReadonlyMap<ListKind, Pick<ListVersion, 'asOfS'>>,
  { nowS, oldHours }: AskedAt,
): AskedList[] {
  return LIST_KINDS.flatMap((list) => {
    // What stays come to is said by the areas, whoever tells the stays.
    const names = FACT_NAMES[list === 'areas' ? 'travel' : list];
    const facts = names.filter((name) => Object.hasOwn(data.facts, name));
    if (facts.length === 0) return [];
    const asOfS = inForce.get(list)?.asOfS;
    const isOld = asOfS !== undefined && oldHours > 0 && nowS - asOfS > oldHours * HOUR_S;
    return [{ list, facts, isOld, ...(asOfS !== undefined && { asOfS }) }];
  });
}

export function isLacking({ asOfS, isOld }: Pick<AskedList, 'asOfS' | 'isOld'>): boolean {
  return asOfS === undefined || isOld;
}
