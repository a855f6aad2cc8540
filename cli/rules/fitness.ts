/** Whether rules fit into the trust log as it is: when they are activated, and once more when a draft of them is submitted. */
import { isForPeople } from '../../node/life/known.ts';
import { isInForce, readRuleSet, type RuleSet } from '../../protocol/rules/rule-set.ts';
import { type Statement } from '../../protocol/trust/statement-schema.ts';
import { type Desk } from '../desk/desk.ts';
import { CliError, EXIT } from '../exit.ts';
import { printable } from '../printable.ts';
import { timeText } from '../times.ts';

/**
 * Holds the rules of a draft against what was logged since it was made, and against each other. What no program knows as rules is left to the log.
 * @throws {CliError} as `requireFit` and, unless somebody insists on it, as `requireDecided`.
 */
export function requireFitDraft(
  desk: Desk,
  statements: readonly Statement[],
  { nowS, undecided }: { readonly nowS: number; readonly undecided: boolean },
): void {
  const before: string[] = [];
  for (const statement of statements) {
    if (statement.kind !== 'rules') continue;
    const { id, version, from: fromS, data } = statement;
    const { ruleSet } = readRuleSet({ id, version, fromS, data });
    if (ruleSet === undefined) continue;
    requireFit(desk, ruleSet, nowS);
    const besides = [...besidesOf(desk, ruleSet, nowS), ...before.filter((other) => other !== id)];
    if (!undecided) requireDecided(desk, id, [...new Set(besides)], nowS);
    if (isForPeople(ruleSet) && desk.config.life.rules === undefined) before.push(id);
  }
}

/** Other rules that know of declarations as these do, where the settings do not say by which of them people are judged. */
export function besidesOf({ config, state }: Desk, ruleSet: RuleSet, nowS: number): string[] {
  if (config.life.rules !== undefined || !isForPeople(ruleSet)) return [];
  const others = [...state.allRules()].filter(({ id }) => id !== ruleSet.id);
  return others.flatMap((logged) => {
    const { ruleSet: other } = readRuleSet(logged);
    return isForPeople(other) && other.untilS > nowS ? [other.id] : [];
  });
}

/** @throws {CliError} RULES_UNDECIDED: rules of another id take no other's place, and none can be taken out of the log. */
export function requireDecided({ state }: Desk, id: string, beside: readonly string[], nowS: number): void {
  const before = state.rules(id);
  const { ruleSet } = before === undefined ? {} : readRuleSet(before);
  // Newer rules of an id that knows of declarations already make nothing worse.
  const isRenewal = isForPeople(ruleSet) && ruleSet.untilS > nowS;
  if (beside.length === 0 || isRenewal) return;
  throw new CliError(EXIT.failure, 'RULES_UNDECIDED', `${undecidedText(beside)}; nothing was changed`, {
    hint: `${decidingText(id)} Then run this again, and restart the node. Or give them the id of those whose place they take, or log them all the same: --undecided.`,
  });
}

export function undecidedText(beside: readonly string[]): string {
  const others = beside.map((id) => printable(id)).join(', ');
  return `${others} in the trust log ${beside.length === 1 ? 'knows' : 'know'} of declarations too, and with these beside nobody has said by which people are judged: no colour would be updated`;
}

export function decidingText(id: string): string {
  return `Say it in entente.yaml: rules: ${id} under life (life.rules).`;
}

/** @throws {CliError} RULES_FOREIGN, RULES_OVER, RULES_NOT_NEWER, RULES_AHEAD */
export function requireFit({ config, state }: Desk, ruleSet: RuleSet, nowS: number): void {
  const { id, version, fromS, untilS, data } = ruleSet;
  const refuse = (code: string, message: string, hint: string) =>
    new CliError(EXIT.failure, code, message, { hint });
  if (data.region !== null && data.region !== config.region)
    throw refuse(
      'RULES_FOREIGN',
      `these rules are for ${data.region}, not for ${config.region}`,
      'Write an overlay over the same profile.',
    );
  if (untilS <= nowS)
    throw refuse(
      'RULES_OVER',
      `these rules ended ${timeText(untilS)}`,
      'Give them a later day in `until`: that is the first day on which they count no more.',
    );
  const before = state.rules(id);
  if (before !== undefined && version <= before.version) {
    const message = `version ${before.version} of ${id} is in the trust log already`;
    throw refuse('RULES_NOT_NEWER', message, `Give the new rules version ${before.version + 1}.`);
  }
  const current = before && readRuleSet(before).ruleSet;
  if (fromS > nowS && current !== undefined && isInForce(current, nowS)) {
    // Newer rules take the place of older ones when they are logged, and not when they begin.
    const message = `until ${timeText(fromS)} nobody would get a colour by ${id}: version ${current.version}, now in force, would end at once`;
    throw refuse(
      'RULES_AHEAD',
      message,
      'Activate them on that day, or submit their draft then; or give them an earlier day in `from`.',
    );
  }
}
