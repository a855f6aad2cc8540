/** On which terms a region's codes count: what a recognition said before goes on unless it is told otherwise. */
import { type Recognition, type RecognitionWay } from '../../protocol/trust/trust-state.ts';
import { readRuleSet } from '../../protocol/rules/rule-set.ts';
import { type Desk } from '../desk/desk.ts';
import { CliError, EXIT, usageError } from '../exit.ts';
import { parseRegionId } from '../region.ts';

export interface Terms {
  readonly way: RecognitionWay;
  /** With `bridge` alone. */
  readonly via?: string;
  /** Id of the acceptance rules; null for the colour alone. */
  readonly rules: string | null;
}

export interface ToldTerms {
  readonly way?: RecognitionWay;
  readonly via?: string;
  /** False for none. */
  readonly rules?: string | false;
}

/** `before`: of that region, as the trust log has it. One that was withdrawn says nothing any more. @throws {CliError} USAGE */
export function termsOf(before: Recognition | undefined, told: ToldTerms): Terms {
  const kept = before?.standing === 'withdrawn' ? undefined : before;
  const way = told.way ?? kept?.way ?? 'direct';
  const via = told.via === undefined ? (way === 'bridge' ? kept?.via : undefined) : parseRegionId(told.via);
  if ((way === 'bridge') !== (via !== undefined)) throw usageError('--way bridge and --via belong together');
  const rules = told.rules === false ? null : (told.rules ?? kept?.rules ?? null);
  return { way, ...(via !== undefined && { via }), rules };
}

/**
 * A recognition by rules that nobody here has lets no code pass, and says so at gates alone.
 * @throws {CliError} NOT_FOUND where the region's trust log has none of that id that can be used.
 */
export function requireRules({ state, config, layout }: Desk, { rules }: Terms): void {
  if (rules === null) return;
  const logged = state.rules(rules);
  if (logged !== undefined && readRuleSet(logged).ruleSet !== undefined) return;
  throw new CliError(
    EXIT.failure,
    'NOT_FOUND',
    `${config.region} has no rules ${rules} that can be used: by them no code of another region would count`,
    { hint: `Log them first: entente rules activate ${layout.path} ${rules}` },
  );
}

/** As in `directly, by the rules strict`. */
export function termsText({ way, via, rules }: Terms): string {
  const how = via === undefined ? WAYS[way] : `through the platform ${via}`;
  return rules === null ? how : `${how}, by the rules ${rules}`;
}

const WAYS: Readonly<Record<RecognitionWay, string>> = {
  direct: 'directly',
  adapter: 'by its adapters',
  bridge: 'through a platform',
  hosted: 'as one that another hosts',
};

/** What of the terms before is not so any more, in words; undefined where nothing is. */
export function changeText(before: Recognition | undefined, now: Terms): string | undefined {
  if (before === undefined || before.standing === 'withdrawn') return undefined;
  const [was, is] = [termsText(before), termsText(now)];
  return was === is ? undefined : was;
}
