/**
 * Holds a disclosure against the log of its region: each opening against its leaf, each colour against the rules that were in force,
 * or the two operators who gave it, and what the region's tallies told against what was opened.
 */
import { isDeepStrictEqual } from 'node:util';
import { type Status } from '../../protocol/code/status.ts';
import { type Basis } from '../../protocol/disclosure/basis.ts';
import {
  type Disclosure,
  isNobodys,
  type OpenedLeaf,
  type OpeningFault,
  openLeaf,
} from '../../protocol/disclosure/disclosure.ts';
import {
  BASIS_AGE_S_MAX,
  BASIS_AHEAD_S_MAX,
  BRIDGED_LIFE_S_MAX,
  OVERRIDE_S_MAX,
} from '../../protocol/limits.ts';
import { type Sha256 } from '../../protocol/primitives.ts';
import { readFacts } from '../../protocol/rules/facts.ts';
import { decide } from '../../protocol/rules/issuing.ts';
import { type RuleSet, readRuleSet } from '../../protocol/rules/rule-set.ts';
import { parseEntry } from '../../protocol/trust/statement.ts';
import { type StatementOf } from '../../protocol/trust/statement-schema.ts';
import { MANUAL_RULE_ID, TallyCounter, type TallyCounts } from '../../protocol/trust/tally.ts';

export const DISCLOSURE_FINDINGS = [
  'OPENING_MISMATCH',
  'PADDING_MISMATCH',
  'BASIS_MISMATCH',
  'BASIS_MISSING',
  'COLOUR_WITHOUT_RULE',
  'BRIDGE_INVALID',
  'TIME_DIFFERS',
  'OVERRIDE_INVALID',
  'RULES_NOT_IN_FORCE',
  'COLOUR_DIFFERS',
  'TALLY_DIFFERS',
] as const;
export type DisclosureFindingCode = (typeof DISCLOSURE_FINDINGS)[number];

export interface DisclosureFinding {
  readonly code: DisclosureFindingCode;
  /** Of the leaf; of a tally its first. */
  readonly index: number;
  readonly colour?: string;
  readonly message: string;
}

export interface DisclosureAudited {
  readonly leaves: number;
  readonly opened: number;
  /** Shown to be nobody's: no code opens them. */
  readonly nobodys: number;
  /** Of which nothing is shown. */
  readonly closed: number;
  /** Of the closed ones, how many were somebody's when the tallies were made: people who were forgotten since. */
  readonly forgotten: number;
  readonly tallies: number;
  /** Leaves of no tally that lies within. */
  readonly untallied: number;
  /** Tallies of which some leaves lie within and others do not: they cannot be counted again by this range. */
  readonly partly: readonly { readonly from: number; readonly until: number }[];
  /** Codes without a rule by two operators, which is allowed and counted in public. */
  readonly overrides: number;
  /** Codes that stand for one of another region, of which nothing is asked about rules. */
  readonly bridged: number;
  readonly findings: readonly DisclosureFinding[];
}

export interface DisclosureAuditModules {
  readonly sha256: Sha256;
  /** The trust log, from its first entry, and the indexes of those that had no effect. */
  readonly trust: { readonly entries: readonly Uint8Array[]; readonly without: ReadonlySet<number> };
  /** The leaves of the range in their order. */
  readonly leaves: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

type Tally = StatementOf<'tally'>;

const HOUR_S = 3_600;

const TEXTS: Readonly<Record<DisclosureFindingCode, string>> = {
  OPENING_MISMATCH: 'what is given does not open the leaf',
  PADDING_MISMATCH: "what is given does not show that it is nobody's",
  BASIS_MISMATCH: 'the facts are not those that the leaf commits to',
  BASIS_MISSING: 'it is given by rules, and the facts are missing',
  COLOUR_WITHOUT_RULE: 'no rule gave it, and no two operators',
  BRIDGE_INVALID: 'it stands for a code of the region itself, or for longer than a day',
  TIME_DIFFERS: 'it was decided at another time than it was issued',
  OVERRIDE_INVALID: 'it is by no two operators, or for more than 14 days',
  RULES_NOT_IN_FORCE: 'the rules that it names were not in force',
  COLOUR_DIFFERS: 'the rules give another colour on these facts',
  TALLY_DIFFERS: 'the tally tells other figures than what was opened',
};

/** Whatever does not fit is in the report. */
export async function auditDisclosure(
  { region, log, from, until, leaves: given }: Disclosure,
  { sha256, trust, leaves }: DisclosureAuditModules,
): Promise<DisclosureAudited> {
  const history = new RuleHistory(trust);
  const findings: DisclosureFinding[] = [];
  const touched = history.tallies.filter((one) => one.log === log && one.from < until && from < one.until);
  const tallies = touched.filter((one) => one.from >= from && one.until <= until);
  const counters = tallies.map(() => new TallyCounter());
  let [index, opened, nobodys, closed, overrides, bridged, untallied] = [from, 0, 0, 0, 0, 0, 0];
  const closedIn = tallies.map(() => 0);
  for await (const entry of leaves) {
    if (index >= until) break;
    const leaf = given[index - from];
    const at = tallies.findIndex((one) => one.from <= index && index < one.until);
    if (at < 0) untallied++;
    if (leaf !== undefined && 'secret' in leaf && isNobodys(sha256, entry, leaf)) {
      nobodys++;
    } else if (leaf === undefined || 'secret' in leaf) {
      closed++;
      if (at >= 0) closedIn[at] = (closedIn[at] ?? 0) + 1;
      if (leaf !== undefined)
        findings.push({ code: 'PADDING_MISMATCH', index, message: TEXTS.PADDING_MISMATCH });
    } else {
      opened++;
      const result = openLeaf(sha256, entry, leaf);
      const code = 'fault' in result ? result.fault : faultOf(result, region, history);
      const status = 'fault' in result ? undefined : result.fields.status;
      if (!('fault' in result)) counters[at]?.add(result.fields.status, result.basis);
      if (!('fault' in result) && result.basis?.kind === 'override') overrides++;
      if (status?.original !== undefined) bridged++;
      if (code !== undefined)
        findings.push({ code, index, ...(status && { colour: status.colour }), message: TEXTS[code] });
    }
    index++;
  }
  let forgotten = 0;
  tallies.forEach((tally, i) => {
    const missing = missingFrom(tally, counters[i] as TallyCounter);
    if (missing === undefined || missing > (closedIn[i] ?? 0))
      findings.push({ code: 'TALLY_DIFFERS', index: tally.from, message: TEXTS.TALLY_DIFFERS });
    else forgotten += missing;
  });
  return {
    leaves: index - from,
    opened,
    nobodys,
    closed,
    forgotten,
    tallies: tallies.length,
    untallied,
    partly: touched
      .filter((one) => !tallies.includes(one))
      .map((one) => ({ from: one.from, until: one.until })),
    overrides,
    bridged,
    findings,
  };
}

/** The hour is that of issue, by which whoever decides cannot choose a time at which the rules gave what was wanted. */
function faultOf(
  { hour, fields: { status }, basis }: OpenedLeaf,
  region: string,
  history: RuleHistory,
): OpeningFault | DisclosureFindingCode | undefined {
  const hourS = hour * HOUR_S;
  // A bridged code has the colour of its original.
  if (status.original !== undefined) {
    const isShort = status.expiresAtS <= hourS + HOUR_S + BRIDGED_LIFE_S_MAX;
    return isShort && status.original.region !== region ? undefined : 'BRIDGE_INVALID';
  }
  if (basis === undefined) return status.ruleId === MANUAL_RULE_ID ? 'COLOUR_WITHOUT_RULE' : 'BASIS_MISSING';
  if (basis.atS >= hourS + HOUR_S + BASIS_AHEAD_S_MAX) return 'TIME_DIFFERS';
  if (basis.kind === 'override') {
    const endS = Math.max(status.untilS ?? 0, status.expiresAtS);
    const isByTwo = basis.by[0] !== basis.by[1] && basis.reason !== 'one-person';
    const isFit = endS - basis.atS <= OVERRIDE_S_MAX && status.ruleId === MANUAL_RULE_ID;
    return isFit && isByTwo ? undefined : 'OVERRIDE_INVALID';
  }
  if (basis.atS < hourS - BASIS_AGE_S_MAX) return 'TIME_DIFFERS';
  if (basis.rule !== status.ruleId || basis.version !== status.ruleVersion) return 'RULES_NOT_IN_FORCE';
  const ruleSet = history.rulesAt(basis);
  if (ruleSet === undefined) return 'RULES_NOT_IN_FORCE';
  const { facts } = readFacts(ruleSet.data.facts, basis.facts);
  const decided = facts && decide(ruleSet, facts, basis.atS).status;
  return decided !== undefined && isDeepStrictEqual(plain(decided), plain(status))
    ? undefined
    : 'COLOUR_DIFFERS';
}

function plain(status: Status): object {
  return Object.fromEntries(Object.entries(status).filter(([, value]) => value !== undefined));
}

/** How many codes a tally tells of beyond those that were opened; undefined where these are not among those. */
function missingFrom(tally: TallyCounts, counter: TallyCounter): number | undefined {
  const told = new Map(tally.cells.map(({ rule, colour, count }) => [`${rule} ${colour}`, count]));
  const overrides = new Map(
    tally.overrides.map(({ reason, colour, count }) => [`${reason} ${colour}`, count]),
  );
  let [merged, missing] = [tally.merged, 0];
  for (const { rule, colour, count } of counter.exact) {
    const cell = told.get(`${rule} ${colour}`);
    if (cell === undefined) merged -= count;
    else if (cell < count) return undefined;
    else told.set(`${rule} ${colour}`, cell - count);
  }
  for (const { reason, colour, count } of counter.overrides) {
    const cell = overrides.get(`${reason} ${colour}`) ?? 0;
    if (cell < count) return undefined;
    overrides.set(`${reason} ${colour}`, cell - count);
  }
  if (merged < 0) return undefined;
  for (const left of [...told.values(), ...overrides.values(), merged]) missing += left;
  return missing;
}

/** The rules and tallies that a trust log ever had. */
class RuleHistory {
  readonly tallies: readonly Tally[];
  readonly #rules: readonly StatementOf<'rules'>[];
  readonly #read = new Map<string, RuleSet | undefined>();

  constructor({ entries, without }: DisclosureAuditModules['trust']) {
    const statements = entries.flatMap((entry, index) =>
      without.has(index) ? [] : [parseEntry(entry).statement],
    );
    this.tallies = statements.filter((one) => one.kind === 'tally');
    this.#rules = statements.filter((one) => one.kind === 'rules');
  }

  /** The rules of this id and version, if at the time of the decision they were the newest; within a second either are. */
  rulesAt({ rule, version, atS }: Extract<Basis, { kind: 'rules' }>): RuleSet | undefined {
    const newest = (untilS: number) =>
      this.#rules.findLast(({ id, at }) => id === rule && at <= untilS)?.version;
    if (newest(atS) !== version && newest(atS - 1) !== version) return undefined;
    const name = `${rule} ${version}`;
    if (!this.#read.has(name)) {
      const logged = this.#rules.find((one) => one.id === rule && one.version === version);
      this.#read.set(name, logged && readRuleSet({ ...logged, fromS: logged.from }).ruleSet);
    }
    return this.#read.get(name);
  }
}
