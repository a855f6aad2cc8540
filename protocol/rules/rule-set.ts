/** A rule set: read, checked for what no evaluation may meet later, encoded and hashed. Spec: SPEC.md 16.4. */
import { asciiBytes, concatBytes } from '../bytes.ts';
import { isRuleId } from '../code/status.ts';
import { type CborValue, encodeCbor } from '../encoding/cbor.ts';
import { ProtocolError } from '../fault.ts';
import { RULE_EXPRESSION_DEPTH_MAX, RULE_SET_BYTES_MAX } from '../limits.ts';
import { type Sha256 } from '../primitives.ts';
import { MANUAL_RULE_ID } from '../disclosure/override.ts';
import { type Expression, readExpression } from './expression.ts';
import { faultsOfMeaning } from './rule-set-check.ts';
import { type RuleList, type RuleSetData, ruleSetSchema } from './rule-set-schema.ts';
import { pathsOf, scopeFaults } from './scope.ts';
import { type Zone } from './zone.ts';

const HASH_LABEL = asciiBytes('entente/rules/v1\n');

/** What a `rules` statement carries, before it is known whether it is a rule set. */
export interface RuleSetBody {
  readonly id: string;
  readonly version: number;
  /** From when on it is in force. */
  readonly fromS: number;
  readonly data: unknown;
}

type Ruled<L extends RuleList> = Omit<RuleSetData[L][number], 'when'> & { readonly when: Expression };

export interface RuleSet {
  readonly id: string;
  readonly version: number;
  readonly fromS: number;
  readonly untilS: number;
  readonly zone: Zone;
  /** As on the wire. */
  readonly data: RuleSetData;
  readonly requires: readonly Ruled<'requires'>[];
  readonly issuing: readonly Ruled<'issuing'>[];
  readonly acceptance: readonly Ruled<'acceptance'>[];
  readonly checks: readonly Ruled<'checks'>[];
}

/** Where something is wrong, by names and indexes from the top of `id`, `version`, `from` and the members of `data`, and what. */
export interface RuleSetFault {
  readonly path: readonly (string | number)[];
  readonly reason: string;
  /** The faulty name of a path that nothing is known under, and the names that are known. */
  readonly unknown?: string;
  readonly known?: readonly string[];
}

/** Reads a rule set, or says all that is wrong with it. */
export function readRuleSet(body: RuleSetBody): {
  readonly ruleSet?: RuleSet;
  readonly faults: readonly RuleSetFault[];
} {
  const { id, version, fromS, data } = body;
  const faults: RuleSetFault[] = [];
  if (!isRuleId(id)) faults.push({ path: ['id'], reason: 'is no id of small letters, digits and hyphens' });
  if (id === MANUAL_RULE_ID) faults.push({ path: ['id'], reason: 'is that of colours which no rule gave' });
  if (!isCount(version)) faults.push({ path: ['version'], reason: 'is no whole number from 0' });
  if (!isCount(fromS)) faults.push({ path: ['from'], reason: 'is no time in seconds' });
  const parsed = ruleSetSchema.safeParse(data);
  if (!parsed.success) faults.push(...parsed.error.issues.flatMap(faultsOfIssue));
  if (!parsed.success || faults.length > 0) return { faults };

  const ruleSet = withConditions(body, parsed.data, faults);
  if (faults.length === 0) faults.push(...faultsOfMeaning(ruleSet));
  if (faults.length > 0) return { faults };
  const bytes = encodeRuleSet(ruleSet).length;
  if (bytes > RULE_SET_BYTES_MAX)
    faults.push({ path: [], reason: `has ${bytes} bytes, more than ${RULE_SET_BYTES_MAX}` });
  return faults.length > 0 ? { faults } : { ruleSet, faults };
}

/**
 * The rule set of a statement.
 * @throws {ProtocolError} RULE_MALFORMED with the place `at` of the first fault.
 */
export function parseRuleSet(body: RuleSetBody): RuleSet {
  const { ruleSet, faults } = readRuleSet(body);
  if (ruleSet !== undefined) return ruleSet;
  const { path, reason } = faults[0] ?? { path: [], reason: 'is no rule set' };
  const at = path.join('.');
  throw new ProtocolError('RULE_MALFORMED', `${at === '' ? 'the rule set' : at} ${reason}`, { at });
}

/** The only encoding: `[id, version, from, data]`. */
export function encodeRuleSet({ id, version, fromS, data }: RuleSet): Uint8Array {
  return encodeCbor([id, version, fromS, data as CborValue]);
}

/** 32 bytes that name this rule set and no other. */
export function ruleSetHash(sha256: Sha256, ruleSet: RuleSet): Uint8Array {
  return sha256(concatBytes(HASH_LABEL, encodeRuleSet(ruleSet)));
}

/** Whether its rules count at `nowS`. */
export function isInForce({ fromS, untilS }: RuleSet, nowS: number): boolean {
  return fromS <= nowS && nowS < untilS;
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function faultsOfIssue(issue: {
  readonly code: string;
  readonly path: readonly PropertyKey[];
  readonly message: string;
}): RuleSetFault[] {
  const path = issue.path.map((name) => (typeof name === 'number' ? name : String(name)));
  if (issue.code === 'unrecognized_keys') {
    const { keys } = issue as unknown as { readonly keys: readonly string[] };
    return keys.map((key) => ({ path: [...path, key], reason: 'is not known here', unknown: key }));
  }
  const isMissing = issue.code === 'invalid_type' && issue.message.endsWith('received undefined');
  return [{ path, reason: isMissing ? 'is missing' : issueText(issue.message) }];
}

/** What a schema expected, in words that follow a path. */
export function issueText(message: string): string {
  return `is not as expected: ${message.replace(/^(Too (?:big|small)|Invalid (?:input|option|string)): /, '')}`;
}

/** The conditions as expressions; one that is none becomes a fault, and a literal in its place. */
function withConditions(
  { id, version, fromS }: RuleSetBody,
  data: RuleSetData,
  faults: RuleSetFault[],
): RuleSet {
  const factNames = Object.keys(data.facts);
  const read = <L extends RuleList>(list: L): Ruled<L>[] => {
    const known = pathsOf(list, factNames);
    return data[list].map((rule, i) => {
      const path = [list, i, 'when'];
      const { expression, faults: found } = readExpression(rule.when, {
        depthMax: RULE_EXPRESSION_DEPTH_MAX,
      });
      const all = expression === undefined ? found : scopeFaults(expression, known);
      for (const fault of all) faults.push({ ...fault, path: [...path, ...fault.path] });
      return { ...rule, when: expression ?? { op: 'literal', value: false } } as Ruled<L>;
    });
  };
  const [first, ...others] = data.offsets.map(([from, offsetS]) => ({ fromS: from, offsetS }));
  return {
    id,
    version,
    fromS,
    untilS: data.until,
    zone: [first as Zone[0], ...others],
    data,
    requires: read('requires'),
    issuing: read('issuing'),
    acceptance: read('acceptance'),
    checks: read('checks'),
  };
}
