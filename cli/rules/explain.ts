/** `entente rules explain`: why facts lead to a colour, and what becomes of a code at a place. */
import { dayText } from '../../protocol/rules/calendar.ts';
import { acceptanceOf, checksDue, placeOf } from '../../protocol/rules/acceptance-rules.ts';
import { type Facts } from '../../protocol/rules/facts.ts';
import { decide } from '../../protocol/rules/issuing.ts';
import { type RuleSet } from '../../protocol/rules/rule-set.ts';
import { traceAcceptance, traceChecks, traceIssuing, type TraceStep } from '../../protocol/rules/trace.ts';
import { localDay } from '../../protocol/rules/zone.ts';
import { outcomeOf } from '../../protocol/verdict/reasons.ts';
import { type Place } from '../../protocol/verdict/verdict.ts';
import { type Cli } from '../cli.ts';
import { usageError } from '../exit.ts';
import { parsePlace, requireKnownWords } from '../place.ts';
import { askedPlace } from '../../protocol/rules/asked-place.ts';
import { printable } from '../printable.ts';
import { parseTime, timeText } from '../times.ts';
import { wrapped } from '../wrap.ts';
import { decisionLines, factsText, stepSections } from './explanation.ts';
import { readFactsFile } from './facts-file.ts';
import { readRules } from './rule-argument.ts';

const HOUR_S = 3_600;

export interface ExplainOptions {
  readonly facts?: string;
  readonly colour?: 'green' | 'yellow' | 'red';
  readonly place?: string;
  readonly role?: string;
  readonly at?: string;
}

export async function explainRules(cli: Cli, named: string, options: ExplainOptions): Promise<void> {
  if ((options.facts === undefined) === (options.place === undefined))
    throw usageError('give either --facts or --place');
  const isAlone = options.colour === undefined && options.role === undefined;
  if (options.facts !== undefined && !isAlone) throw usageError('--colour and --role go with --place');
  const nowS = options.at === undefined ? cli.surroundings.nowS() : parseTime(options.at);
  const { ruleSet } = await readRules(cli, named);
  if (options.facts !== undefined)
    explainFacts(cli, ruleSet, await readFactsFile(cli, ruleSet, options.facts), nowS);
  else explainPlace(cli, ruleSet, options, nowS);
}

function explainFacts(cli: Cli, ruleSet: RuleSet, facts: Facts, nowS: number): void {
  const decision = decide(ruleSet, facts, nowS);
  const trace = traceIssuing(ruleSet, facts, nowS);
  const { status, rule, open, applied } = decision;
  const days = applied.map(({ firstDay, endDay, ...one }) => ({
    ...one,
    firstDay: dayText(firstDay),
    lastDay: dayText(endDay - 1),
  }));
  cli.output.result({ ...headOf(ruleSet, nowS), status, rule, open, applied: days, trace }, () => [
    headText(ruleSet, nowS),
    wrapped(`Facts: ${factsText(facts)}.`, '  '),
    '',
    ...decisionLines(ruleSet, decision, trace, cli.output.colours),
  ]);
}

function explainPlace(cli: Cli, ruleSet: RuleSet, options: ExplainOptions, nowS: number): void {
  const { kind, risk } = askedPlace(parsePlace(options.place));
  const { colour, role } = options;
  const place = placeOf(ruleSet, kind, risk);
  requireKnownWords(ruleSet, place, role);
  const due = checksDue(ruleSet, { place, role, nowS });
  const checks = traceChecks(ruleSet, { place, role, nowS });
  const accepted = colour === undefined ? undefined : acceptedAt(ruleSet, { colour, place, role, nowS });
  cli.output.result(
    { ...headOf(ruleSet, nowS), place, role, check: due.length > 0, checks, ...accepted },
    () => [
      headText(ruleSet, nowS),
      `A ${kind} in an area of ${risk} risk asks for a code that is ${place.gradeNeeded}.`,
      '',
      due.length > 0 ? 'A check is due.' : 'No check is due.',
      ...stepSections(checks, 'Rules that ask for it:', 'Rules that do not:'),
      ...(accepted === undefined
        ? []
        : [
            '',
            `${cli.output.colours.bold(accepted.outcome.toUpperCase())} for ${colour}`,
            ...stepSections(accepted.acceptance, 'Rules that hold:', 'Rules that do not:'),
          ]),
    ],
  );
}

interface ShownAt {
  readonly colour: 'green' | 'yellow' | 'red';
  readonly place: Place;
  readonly role: string | undefined;
  readonly nowS: number;
}

/** What becomes of a code that was just issued and is shown without its phone. */
function acceptedAt(
  ruleSet: RuleSet,
  { colour, place, role, nowS }: ShownAt,
): { readonly outcome: string; readonly acceptance: readonly TraceStep[] } {
  const measure = colour === 'green' ? 'none' : colour === 'yellow' ? 'home' : 'isolate';
  const expiresAtS = nowS + 24 * HOUR_S;
  const input = {
    region: ruleSet.data.region ?? 'XX',
    status: {
      colour,
      measure,
      untilS: measure === 'none' ? undefined : expiresAtS,
      expiresAtS,
      ruleId: ruleSet.id,
      ruleVersion: ruleSet.version,
    },
    grade: 'static',
    documentMatched: false,
    place,
    issuedFromS: nowS,
    nowS,
  } as const;
  const outcome = outcomeOf(acceptanceOf(ruleSet, role)(input));
  return { outcome, acceptance: traceAcceptance(ruleSet, input, role) };
}

function headOf({ id, version, zone }: RuleSet, nowS: number): object {
  return { rules: id, version, atS: nowS, today: dayText(localDay(zone, nowS)) };
}

function headText({ id, version, zone, data }: RuleSet, nowS: number): string {
  return `By ${id}, version ${version}, at ${timeText(nowS)}, which is ${dayText(localDay(zone, nowS))} in ${printable(data.zone)}.`;
}
