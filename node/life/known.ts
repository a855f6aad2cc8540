/** What is known of somebody who declared, as the rules of a region ask for it, and where each fact comes from. */
import { isInForce, readRuleSet, type RuleSet } from '../../protocol/rules/rule-set.ts';
import { dayText } from '../../protocol/rules/calendar.ts';
import { type Facts, readFacts } from '../../protocol/rules/facts.ts';
import { localDay } from '../../protocol/rules/zone.ts';
import { type TrustState } from '../../protocol/trust/trust-state.ts';
import { FACT_NAMES } from '../lists/kinds.ts';
import { type Doubtful, type Found, type ListView, type Matched } from '../lists/list-view.ts';
import { isNodeError, NodeError } from '../node-error.ts';
import { type Dossier, type FactSource } from './dossier.ts';
import { earlierAt } from './earlier.ts';

export interface Known {
  readonly facts: Facts;
  /** By the name of a fact. */
  readonly sources: ReadonlyMap<string, FactSource>;
  /** Entries of lists that may be about them, or about another. */
  readonly doubts: readonly Doubtful[];
  /** They tell of stays, and no list says which areas are at risk. */
  readonly areStaysUnknown: boolean;
}

/** What is read of the region's own trust state. */
export type RulingState = Pick<TrustState, 'revoked' | 'rules' | 'allRules'>;

/** A fact that only people who declare have: rules that know it are rules for them. */
const MARK_OF_RULES = 'declaration.consent';

/**
 * The rules by which a region decides on people who declare: those of this id, or else the only ones that know of declarations.
 * @throws {NodeError} NOT_FOUND where there are none in force, REFUSED where there are several to choose from.
 */
export function rulesForPeople(state: RulingState, id: string | undefined, nowS: number): RuleSet {
  const usable = allRulesForPeople(state, id, nowS);
  const [ruleSet, second] = usable;
  if (second !== undefined)
    throw new NodeError('REFUSED', `${usable.length} sets of rules in force know of declarations`, {
      hint: `Say which people are judged by, in the settings: life.rules is one of ${usable.map((one) => one.id).join(', ')}.`,
    });
  if (ruleSet !== undefined) return ruleSet;
  const which = id === undefined ? 'no rules' : `no rules ${id}`;
  const others = id === undefined ? [] : allRulesForPeople(state, undefined, nowS);
  throw new NodeError('NOT_FOUND', `${which} that know of declarations are in force in the trust log`, {
    hint:
      others.length === 0
        ? 'Log some: entente rules activate.'
        : `Name others, as life.rules in the settings does: ${others.map((one) => one.id).join(', ')}. Or log these: entente rules activate.`,
  });
}

/**
 * Why people who declare cannot be judged, as `rulesForPeople`; undefined too where nobody declared, the settings name no rules for that, and
 * the log has none, be they over or still to come.
 */
export function errorOfRules(
  state: RulingState | undefined,
  id: string | undefined,
  { hasDeclared, nowS }: { readonly hasDeclared: boolean; readonly nowS: number },
): unknown {
  if (state === undefined) return undefined;
  const isMeant = () => [...state.allRules()].some((one) => isForPeople(readRuleSet(one).ruleSet));
  try {
    if (hasDeclared || id !== undefined || isMeant()) rulesForPeople(state, id, nowS);
    return undefined;
  } catch (error) {
    return error;
  }
}

/** Rules that ask for what only a declaration says. */
export function isForPeople(ruleSet: RuleSet | undefined): ruleSet is RuleSet {
  return ruleSet !== undefined && Object.hasOwn(ruleSet.data.facts, MARK_OF_RULES);
}

/** Those of this id, or else all that know of declarations: where nobody said which, nobody gets round any of them. */
export function allRulesForPeople(
  state: RulingState | undefined,
  id: string | undefined,
  nowS: number,
): RuleSet[] {
  if (state === undefined) return [];
  const logged = id === undefined ? [...state.allRules()] : [state.rules(id) ?? []].flat();
  return logged.flatMap((one) => {
    const { ruleSet } = readRuleSet(one);
    return ruleSet !== undefined && isInForce(ruleSet, nowS) && isForPeople(ruleSet) ? [ruleSet] : [];
  });
}

/** As `rulesForPeople`; undefined where there are none, or nobody said which. */
export function rulesInForce(
  state: RulingState | undefined,
  id: string | undefined,
  nowS: number,
): RuleSet | undefined {
  try {
    return state && rulesForPeople(state, id, nowS);
  } catch (error) {
    if (!isNodeError(error)) throw error;
    return undefined;
  }
}

/** `found`: what the lists of `view` say of the person, under all names and documents that count at `nowS`. */
export function knownOf(
  dossier: Dossier,
  { matched, doubts }: Found,
  view: ListView,
  { ruleSet, nowS }: { readonly ruleSet: RuleSet; readonly nowS: number },
): Known {
  const { declaration, source, operator } = dossier;
  const { said } = declaration;
  const { symptoms, contact, stays } = earlierAt(dossier, nowS);
  const today = dayText(localDay(ruleSet.zone, nowS));
  const gathered = new Gathered(ruleSet, today);
  const told = toldAt({ source, operator, atS: said.declaredAtS });
  // Symptoms that somebody told count from the day on which they told them, also after they told of none.
  const ofSymptoms = said.symptoms ? undefined : symptoms;
  gathered.add(
    {
      'declaration.day': dayText(localDay(ruleSet.zone, ofSymptoms?.atS ?? said.declaredAtS)),
      'declaration.symptoms': said.symptoms || ofSymptoms !== undefined,
    },
    ofSymptoms === undefined ? told : toldAt(ofSymptoms),
  );
  const ofStays = view.factsOfStays(newestByArea(said.stays.filter(({ day }) => day <= today)));
  const ahead = view.factsOfStays(newestByArea(said.stays.filter(({ day }) => day > today)));
  gathered.add(
    {
      'declaration.consent': true,
      ...(said.address !== undefined && { 'declaration.address': said.address }),
      // A contact that somebody tells counts like one on a list.
      ...(said.contact !== undefined && { 'contact.close': said.contact }),
      ...ofStays,
    },
    told,
  );
  gathered.add(ahead ?? {}, told);
  if (contact !== undefined) gathered.add({ 'contact.close': contact.day }, toldAt(contact));
  for (const stay of stays) gathered.add(view.factsOfStays(newestByArea([stay])) ?? {}, toldAt(stay));
  for (const one of matched) gathered.add(one.facts, sourceOf(one, view));
  const { facts, faults } = readFacts(ruleSet.data.facts, Object.fromEntries(gathered.values));
  if (facts === undefined)
    throw new NodeError(
      'REFUSED',
      `the rules ${ruleSet.id} give another type to ${faults.map(({ fact }) => fact).join(', ')} than declarations and lists`,
      { hint: 'docs/issuing.md says what comes of declarations and lists.' },
    );
  const areStaysUnknown = said.stays.length + stays.length > 0 && ofStays === undefined;
  const ofAreas = view.doubtsOfStays([...said.stays, ...stays].map(({ area }) => area));
  const all = together({ matched, doubts }, { matched: [], doubts: ofAreas }).doubts;
  return { facts, sources: gathered.sources, doubts: doubtsFor(ruleSet, all), areStaysUnknown };
}

/** A list of which these rules ask for nothing changes no colour, whoever stands there. */
function doubtsFor({ data }: RuleSet, doubts: readonly Doubtful[]): readonly Doubtful[] {
  return doubts.filter(({ list }) => FACT_NAMES[list].some((name) => Object.hasOwn(data.facts, name)));
}

/** Under two names of one person: an entry that is about them under one of these is in no doubt under the other. What cannot be read is. */
export function together(a: Found, b: Found): Found {
  const matched = [...a.matched, ...b.matched];
  const isKnown = (list: string, line: number) =>
    matched.some((one) => one.list === list && one.line === line);
  const isUnread = ({ lines }: Doubtful) => lines.length === 0;
  const isToldBy = (some: readonly Doubtful[], { list, doubt }: Doubtful) =>
    some.some((one) => one.list === list && one.doubt === doubt);
  const further = b.doubts.filter((one) => !isUnread(one) || !isToldBy(a.doubts, one));
  const doubts = [...a.doubts, ...further];
  return {
    matched,
    doubts: doubts.filter((one) => isUnread(one) || !one.lines.every((line) => isKnown(one.list, line))),
  };
}

/** Of days the newest counts that has come, or else one that is still to come; all else that lists say counts before what people say. */
class Gathered {
  readonly values = new Map<string, string | number | boolean>();
  readonly sources = new Map<string, FactSource>();
  readonly #ruleSet: RuleSet;
  readonly #today: string;

  constructor(ruleSet: RuleSet, today: string) {
    this.#ruleSet = ruleSet;
    this.#today = today;
  }

  add(facts: Readonly<Record<string, string | number | boolean>>, source: FactSource): void {
    const asked = this.#ruleSet.data.facts;
    for (const [name, value] of Object.entries(facts)) {
      if (!Object.hasOwn(asked, name)) continue;
      const before = this.values.get(name);
      if (before !== undefined && asked[name] === 'day' && !isNewerDay(value, before, this.#today)) continue;
      // Under two names a person can have two entries.
      if (name === 'control.level' && before === 'key') continue;
      this.values.set(name, value);
      this.sources.set(name, source);
    }
  }
}

/** A day that has not come yet hides none that has: whoever tells of tomorrow is not released from today. */
export function isNewerDay(
  day: string | number | boolean,
  before: string | number | boolean,
  today: string,
): boolean {
  const [isAhead, wasAhead] = [day > today, before > today];
  return isAhead === wasAhead ? day > before : wasAhead;
}

function newestByArea(stays: readonly { readonly area: string; readonly day: string }[]) {
  const byArea = Object.create(null) as Record<string, string>;
  for (const { area, day } of stays) if (day > (byArea[area] ?? '')) byArea[area] = day;
  return byArea;
}

function toldAt({
  source,
  operator,
  atS,
}: Pick<Dossier, 'source' | 'operator'> & { readonly atS: number }): FactSource {
  return { from: 'declaration', source, ...(operator && { operator }), atS };
}

function sourceOf({ list, line, by }: Matched, view: ListView): FactSource {
  const { version = 0, source = '', operator, asOfS = 0 } = view.versionOf(list) ?? {};
  return { from: 'list', list, version, line, by, source, ...(operator && { operator }), atS: asOfS };
}
