/**
 * Holds a disclosure against the log of its region: each opening against its leaf, each colour against the rules that were in force,
 * or the two operators who gave it, and what the region's tallies told against what was opened.
 */
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
  TALLY_S_MAX,
  TALLY_SLACK_S,
} from '../../protocol/limits.ts';
import { MANUAL_RULE_ID } from '../../protocol/disclosure/override.ts';
import { type Primitives } from '../../protocol/primitives.ts';
import { readFacts } from '../../protocol/rules/facts.ts';
import { decide } from '../../protocol/rules/issuing.ts';
import { TallyCounter } from '../../protocol/trust/tally.ts';
import { type AuditedOverride, OverrideAudit } from './override-audit.ts';
import { isSameStatus } from './same-status.ts';
import { missingFrom } from './tally-check.ts';
import { TrustHistory, type TrustLog } from './trust-history.ts';

export const DISCLOSURE_FINDINGS = [
  'OPENING_MISMATCH',
  'PADDING_MISMATCH',
  'BASIS_MISMATCH',
  'BASIS_MISSING',
  'BASIS_MALFORMED',
  'COLOUR_WITHOUT_RULE',
  'BRIDGE_INVALID',
  'BRIDGE_UNFOUNDED',
  'TIME_DIFFERS',
  'OVERRIDE_UNSIGNED',
  'OVERRIDE_SIGNATURE',
  'OVERRIDE_UNKNOWN_OPERATOR',
  'OVERRIDE_INVALID',
  'OVERRIDE_DIFFERS',
  'OVERRIDE_MORE',
  'RULES_NOT_IN_FORCE',
  'COLOUR_DIFFERS',
  'TOLD_INVALID',
  'TALLY_DIFFERS',
  'TALLY_MISSING',
] as const;
export type DisclosureFindingCode = (typeof DISCLOSURE_FINDINGS)[number];

export interface DisclosureFinding {
  readonly code: DisclosureFindingCode;
  /** Of the leaf; of a tally its first; where one is missing, the first code that it should have counted. */
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
  /** Codes that no tally names though one was due, if the trust log that is at hand were of now: it is too old to tell. */
  readonly overdue: number;
  /** Tallies of which some leaves lie within and others do not: they cannot be counted again by this range. */
  readonly partly: readonly { readonly from: number; readonly until: number }[];
  /** Codes without a rule by two operators, which is allowed and counted in public. */
  readonly overrides: number;
  /** Those of them that both signed, by what they signed: whom to ask. */
  readonly signed: readonly AuditedOverride[];
  /** Operators whom the region names. */
  readonly operators: number;
  /** Codes by rules, as the region says, on what one operator told alone: nothing that it knew itself gave a colour as strict. Ascending, at most one for each leaf. */
  readonly toldAlone: readonly number[];
  /** Codes that stand for one of another region, of which nothing is asked about rules. */
  readonly bridged: number;
  readonly findings: readonly DisclosureFinding[];
}

export interface DisclosureAuditModules extends Primitives {
  readonly trust: TrustLog;
  /** The newest time at which the region said that this is all of its trust log. */
  readonly trustAsOfS: number;
  readonly nowS: () => number;
  /** The leaves of the range in their order. */
  readonly leaves: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

const HOUR_S = 3_600;

const TEXTS: Readonly<Record<DisclosureFindingCode, string>> = {
  OPENING_MISMATCH: 'what is given does not open the leaf',
  PADDING_MISMATCH: "what is given does not show that it is nobody's",
  BASIS_MISMATCH: 'the facts are not those that the leaf commits to',
  BASIS_MISSING: 'it is given by rules, and the facts are missing',
  BASIS_MALFORMED: 'what it rests on has no known form',
  COLOUR_WITHOUT_RULE: 'no rule gave it, and no two operators',
  BRIDGE_INVALID: 'it stands for a code of the region itself, or for longer than a day',
  BRIDGE_UNFOUNDED:
    'the region did not recognise that of the original then, or not in a way in which it can check such a code',
  TIME_DIFFERS: 'it was decided at another time than it was issued',
  OVERRIDE_UNSIGNED: 'it names two operators who signed nothing, as older software had them',
  OVERRIDE_SIGNATURE: 'it is not signed by two operators for this region',
  OVERRIDE_UNKNOWN_OPERATOR:
    'who signed it was by that name and key no operator of the region then, or might not issue',
  OVERRIDE_INVALID: 'it was confirmed more than a day later, or something else was signed under its id too',
  OVERRIDE_DIFFERS: 'the operators signed another colour, or for another time',
  OVERRIDE_MORE: 'it is given to more people than the operators signed it for',
  RULES_NOT_IN_FORCE: 'the rules that it names were not in force',
  COLOUR_DIFFERS: 'the rules give another colour on these facts',
  TOLD_INVALID: 'it is green, and said to be stricter than what the region knew itself',
  TALLY_DIFFERS: 'the tally tells other figures than what was opened',
  TALLY_MISSING: 'no tally counts this code and those behind it, though one was due a day after',
};

/** Whatever does not fit is in the report. */
export async function auditDisclosure(
  { region, network, log, from, until, operators, leaves: given }: Disclosure,
  { sha256, verifySignature, trust, trustAsOfS, nowS, leaves }: DisclosureAuditModules,
): Promise<DisclosureAudited> {
  const history = new TrustHistory(trust, sha256);
  const byTwo = new OverrideAudit({ region, network, operators }, { sha256, verifySignature });
  const findings: DisclosureFinding[] = [];
  const touched = history.tallies.filter((one) => one.log === log && one.from < until && from < one.until);
  const tallies = touched.filter((one) => one.from >= from && one.until <= until);
  const partly = touched.filter((one) => !tallies.includes(one));
  const counters = tallies.map(() => new TallyCounter());
  let [index, opened, nobodys, closed, overrides, bridged, untallied, overdue] = [from, 0, 0, 0, 0, 0, 0, 0];
  const toldAlone: number[] = [];
  let missingAt: number | undefined;
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
      const code = 'fault' in result ? result.fault : faultOf(result, region, { history, byTwo });
      const status = 'fault' in result ? undefined : result.fields.status;
      if (!('fault' in result)) {
        counters[at]?.add(result.fields.status, result.basis);
        const basis = result.basis === 'malformed' ? undefined : result.basis;
        if (basis?.kind === 'override') overrides++;
        else if (basis?.isTold === true) toldAlone.push(index);
        const isTallied = at >= 0 || partly.some((one) => one.from <= index && index < one.until);
        const dueS = isTallied ? Infinity : result.hour * HOUR_S + TALLY_S_MAX + TALLY_SLACK_S;
        if (dueS <= trustAsOfS) missingAt ??= index;
        else if (dueS <= nowS()) overdue++;
      }
      if (status?.original !== undefined) bridged++;
      if (code !== undefined)
        findings.push({ code, index, ...(status && { colour: status.colour }), message: TEXTS[code] });
    }
    index++;
  }
  let forgotten = 0;
  tallies.forEach((tally, i) => {
    const missing = missingFrom(tally, counters[i] as TallyCounter, closedIn[i] ?? 0);
    if (missing === undefined)
      findings.push({ code: 'TALLY_DIFFERS', index: tally.from, message: TEXTS.TALLY_DIFFERS });
    else forgotten += missing;
  });
  if (missingAt !== undefined)
    findings.push({ code: 'TALLY_MISSING', index: missingAt, message: TEXTS.TALLY_MISSING });
  return {
    leaves: index - from,
    opened,
    nobodys,
    closed,
    forgotten,
    tallies: tallies.length,
    untallied,
    overdue,
    partly: partly.map((one) => ({ from: one.from, until: one.until })),
    overrides,
    signed: byTwo.overrides,
    operators: operators.length,
    toldAlone,
    bridged,
    findings,
  };
}

/** The hour is that of issue, by which whoever decides cannot choose a time at which the rules gave what was wanted. */
function faultOf(
  { hour, fields: { status }, basis }: OpenedLeaf,
  region: string,
  { history, byTwo }: { readonly history: TrustHistory; readonly byTwo: OverrideAudit },
): OpeningFault | DisclosureFindingCode | undefined {
  const hourS = hour * HOUR_S;
  // A bridged code has the colour of its original.
  if (status.original !== undefined) {
    const isShort = status.expiresAtS <= hourS + HOUR_S + BRIDGED_LIFE_S_MAX;
    if (!isShort || status.original.region === region) return 'BRIDGE_INVALID';
    return history.mayHaveChecked(status.original, hour) ? undefined : 'BRIDGE_UNFOUNDED';
  }
  if (basis === undefined) return status.ruleId === MANUAL_RULE_ID ? 'COLOUR_WITHOUT_RULE' : 'BASIS_MISSING';
  if (basis === 'malformed') return 'BASIS_MALFORMED';
  if (basis.atS >= hourS + HOUR_S + BASIS_AHEAD_S_MAX) return 'TIME_DIFFERS';
  if (basis.kind === 'override')
    return basis.isUnsigned === true ? 'OVERRIDE_UNSIGNED' : byTwo.faultOf(status, basis);
  if (basis.atS < hourS - BASIS_AGE_S_MAX) return 'TIME_DIFFERS';
  if (basis.rule !== status.ruleId || basis.version !== status.ruleVersion) return 'RULES_NOT_IN_FORCE';
  const ruleSet = history.rulesAt(basis);
  if (ruleSet === undefined) return 'RULES_NOT_IN_FORCE';
  const { facts } = readFacts(ruleSet.data.facts, basis.facts);
  const decided = facts && decide(ruleSet, facts, basis.atS).status;
  if (decided === undefined || !isSameStatus(decided, status)) return 'COLOUR_DIFFERS';
  return basis.isTold === true && status.colour === 'green' ? 'TOLD_INVALID' : undefined;
}
