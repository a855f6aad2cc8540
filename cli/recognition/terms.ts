/** On which terms a region's codes count: what a recognition said before goes on unless it is told otherwise. */
import { Option } from 'commander';
import { type Recognition, type RecognitionWay } from '../../protocol/trust/trust-state.ts';
import { readRuleSet } from '../../protocol/rules/rule-set.ts';
import { type Desk } from '../desk/desk.ts';
import { CliError, EXIT, usageError } from '../exit.ts';
import { parseRegionId } from '../region.ts';
import { timeText } from '../times.ts';

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

export function wayOption(): Option {
  return new Option('--way <way>', 'how its codes come (default: as before, or else direct)').choices([
    'direct',
    'adapter',
    'bridge',
    'hosted',
  ]);
}

export function viaOption(): Option {
  return new Option(
    '--via <region>',
    'with --way bridge: the platform through which codes come; itself for a platform alone',
  );
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

/** When a recognition begins that is said again: as it was to, where that is to come. */
export function beginOf(before: Recognition | undefined, nowS: number): number {
  return before === undefined || before.standing === 'withdrawn' ? nowS : Math.max(nowS, before.fromS);
}

/** @throws {CliError} USAGE for the region itself as the platform; and as `requireRules`. */
export function requireTerms(desk: Desk, terms: Terms): void {
  if (terms.via === desk.config.region)
    throw usageError('--via names another region, through which the codes come');
  requireRules(desk, terms);
}

/** What is to be said of a platform that does not count here itself; undefined where nothing is. */
export function platformText({ state }: Desk, region: string, { via }: Terms): string | undefined {
  if (via === undefined || via === region || state.recognition(via) !== undefined) return undefined;
  return `The platform ${via} is not recognised here: no code counts through it before it is.`;
}

/**
 * A recognition by rules that nobody here has lets no code pass, and says so at gates alone.
 * @throws {CliError} NOT_FOUND where the region's trust log has none of that id that can be used.
 */
function requireRules({ state, config, layout }: Desk, { rules }: Terms): void {
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

/** As in `until 2027-11-10 00:00:00 UTC`, with the beginning where that is still to come. */
export function windowText(
  { fromS, untilS }: { readonly fromS: number; readonly untilS: number },
  nowS: number,
): string {
  const until = `until ${timeText(untilS)}`;
  return fromS > nowS ? `from ${timeText(fromS)} ${until}` : until;
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
