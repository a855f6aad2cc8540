/** Rules of the trust log that end, and whether colours of people who declared are updated. */
import { isForPeople, rulesInForce } from '../../node/life/known.ts';
import { isLacking } from '../../node/lists/asked-lists.ts';
import { readRuleSet, type RuleSet } from '../../protocol/rules/rule-set.ts';
import { type TrustState } from '../../protocol/trust/trust-state.ts';
import { counted } from '../output.ts';
import { printable } from '../printable.ts';
import { type AskedListSeen, lackingText } from '../rules/lacking-lists.ts';
import { timeText } from '../times.ts';
import { type Finding, must, note, ok, quoted, warn } from './finding.ts';
import { type ReadablePatient } from './patient.ts';

const DAY_S = 86_400;
const DAYS = { must: 7, warn: 30 } as const;

/** Says nothing of a region that has neither rules for people nor anybody who declared. */
export function checkUpdates({ life, nowS, path }: ReadablePatient): Finding[] {
  const { updates, lastUpdate } = life ?? {};
  if (updates === undefined) return [];
  const { lastAtS, hasDeclared, trouble, damaged = [], unread = 0, unreadRows = [], lists = [] } = updates;
  const ofLists = hasDeclared ? checkLists(lists, { nowS, path }) : [];
  const ofRows = checkUnreadRows(unreadRows, path);
  const ofPeople = [...checkDamaged(damaged), ...checkUnread(unread), ...ofRows, ...ofLists];
  const again = `entente update ${quoted(path)}`;
  const last = lastAtS === 0 ? 'they never were' : `they last were ${timeText(lastAtS)}`;
  if (trouble !== undefined) {
    const { code, message, hint, retry, atS } = trouble;
    const when = atS === undefined ? '' : ` of ${timeText(atS)}`;
    const text = `colours of people who declared are not updated, and ${last}: the update${when} ends with: ${printable(message)} [${printable(code)}]`;
    const isGrave = hasDeclared && !retry;
    return [(isGrave ? must : warn)(text, hint === undefined ? again : printable(hint)), ...ofPeople];
  }
  const ambiguous = lastUpdate?.figures['ambiguous'] ?? 0;
  return [
    ...ofPeople,
    ...(lastAtS > 0 ? [ok(`colours of people who declared were last updated ${timeText(lastAtS)}`)] : []),
    ...(lastAtS === 0 && hasDeclared
      ? [note('colours of people who declared were never updated', again)]
      : []),
    ...(ambiguous === 0
      ? []
      : [
          warn(
            `${counted(ambiguous, 'person')} may stand on a list, or another may: they keep the colour they have until somebody finds out`,
            `${again} --dry-run --report unsettled.csv   # who, and which lines: mend the list or the declaration`,
          ),
        ]),
  ];
}

function checkDamaged(names: readonly string[]): Finding[] {
  const [first] = names;
  if (first === undefined) return [];
  const which = `${printable(first)}${names.length > 1 ? ' and others' : ''}`;
  return [
    must(
      `what is kept of ${counted(names.length, 'person')} who declared cannot be read: ${which}; their codes stay as they are`,
      'let them declare anew, or forget them: docs/issuing.md; where newer software wrote it, go back to that',
    ),
  ];
}

function checkUnread(count: number): Finding[] {
  if (count === 0) return [];
  return [
    must(
      `what the registry has of the codes of ${counted(count, 'person')} cannot be read: those stay as they are`,
      'restore the registry from its backup; the log of the node says whose they are, and why',
    ),
  ];
}

function checkUnreadRows(names: readonly string[], path: string): Finding[] {
  const [first] = names;
  if (first === undefined) return [];
  const which = `${printable(first)}${names.length > 1 ? ' and others' : ''}`;
  return [
    must(
      `${counted(names.length, 'row')} of lists in force cannot be read: ${which}; whoever they may be about is in doubt, and gets no looser colour`,
      `entente lists import ${quoted(path)} KIND FILE --source WHO --as-of TIME   # the same list, as of a later moment`,
    ),
  ];
}

/** People of whom a list would tell that is missing or old get their colour without it. */
function checkLists(
  lists: readonly AskedListSeen[],
  { nowS, path }: Pick<ReadablePatient, 'nowS' | 'path'>,
): Finding[] {
  return lists.filter(isLacking).map((one) => {
    const use = `entente lists import ${quoted(path)} ${printable(one.list)} FILE --source WHO --as-of TIME`;
    const or =
      one.asOfS === undefined ? 'or let the next version of the rules drop these facts' : 'the newest';
    return warn(
      `${lackingText(one, nowS)}: colours are decided without what it would say`,
      `${use}   # ${or}`,
    );
  });
}

/** Until when rules of the region count: those that decide on people, those of recognitions, and others. */
export function checkRules({ state, config, nowS, path }: ReadablePatient): Finding[] {
  if (state === undefined) return [];
  const ofPeople = rulesInForce(state, config.life.rules, nowS);
  const sets = [...state.allRules()].flatMap((logged) => readRuleSet(logged).ruleSet ?? []);
  return sets.flatMap((one) => {
    const uses = usesOf(one, { state, named: config.life.rules, ofPeople });
    return checkEnd(one, uses, { nowS, path });
  });
}

function checkEnd(
  { id, untilS }: RuleSet,
  uses: readonly string[],
  { nowS, path }: Pick<ReadablePatient, 'nowS' | 'path'>,
): Finding[] {
  const daysLeft = Math.floor((untilS - nowS) / DAY_S);
  const what = uses.length === 0 ? '' : `, by which ${uses.join(' and ')} judged`;
  const name = `the rules ${id}${what}`;
  const renew = `entente rules activate ${quoted(path)} FILE   # their next version, with a later day in until`;
  if (untilS <= nowS)
    return uses.length === 0
      ? [note(`${name} ended ${timeText(untilS)}`)]
      : [must(`${name}, ended ${timeText(untilS)}`, renew)];
  const text = `${name}${what === '' ? '' : ','} end in ${daysLeft} days, ${timeText(untilS)}`;
  if (daysLeft < DAYS.must && uses.length > 0) return [must(text, renew)];
  if (daysLeft < DAYS.warn) return [warn(text, renew)];
  return [ok(`${name}${what === '' ? '' : ','} for ${daysLeft} days, until ${timeText(untilS)}`)];
}

/** Who is judged by a set. Of sets that are over, those that know of declarations decide on people only while no other does. */
function usesOf(
  ruleSet: RuleSet,
  {
    state,
    named,
    ofPeople,
  }: {
    readonly state: TrustState;
    readonly named: string | undefined;
    readonly ofPeople: RuleSet | undefined;
  },
): string[] {
  const isOfPeople =
    ofPeople === undefined
      ? isForPeople(ruleSet) && (named ?? ruleSet.id) === ruleSet.id
      : ofPeople.id === ruleSet.id;
  const regions = [...state.recognitions()]
    .filter((one) => one.standing !== 'withdrawn' && one.rules === ruleSet.id)
    .map(({ region }) => `codes of ${region}`);
  const all = [...(isOfPeople ? ['people who declared'] : []), ...regions];
  return all.length === 0 ? [] : [`${all.join(' and ')} are`];
}
