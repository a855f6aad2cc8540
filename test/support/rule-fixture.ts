/** A small rule set in a zone with a change of clocks, and changes to it. */
import { readFacts } from '../../protocol/rules/facts.ts';
import { type Decision, decide } from '../../protocol/rules/issuing.ts';
import { parseRuleSet, readRuleSet, type RuleSet, type RuleSetBody } from '../../protocol/rules/rule-set.ts';
import { type RuleSetData } from '../../protocol/rules/rule-set-schema.ts';

export const HOUR_S = 3_600;
export const secondsOf = (text: string) => Date.parse(text) / 1_000;

/** Midnight of 1 January 2026 and of 2027 in Berlin. */
export const FROM_S = secondsOf('2025-12-31T23:00:00Z');
export const UNTIL_S = secondsOf('2026-12-31T23:00:00Z');

const is = (path: string, word: string) => ({ '===': [{ var: path }, word] });

export const RULE_DATA: RuleSetData = {
  format: 1,
  title: 'Rules of a test',
  region: 'DE',
  until: UNTIL_S,
  zone: 'Europe/Berlin',
  offsets: [
    [0, HOUR_S],
    [secondsOf('2026-03-29T01:00:00Z'), 2 * HOUR_S],
    [secondsOf('2026-10-25T01:00:00Z'), HOUR_S],
  ],
  facts: {
    'declaration.day': 'day',
    'list.level': ['key', 'watch'],
    'list.since': 'day',
    'test.positive': 'flag',
    'test.time': 'time',
    doses: 'count',
    areas: 'texts',
    name: 'text',
  },
  requires: [{ id: 'declared', when: { var: 'facts.declaration.day' }, why: 'A declaration is there.' }],
  issuing: [
    {
      id: 'listed',
      when: is('facts.list.level', 'key'),
      colour: 'red',
      measure: 'isolate',
      since: 'list.since',
      days: 14,
      why: 'The name is on the list.',
    },
    {
      id: 'watched',
      when: is('facts.list.level', 'watch'),
      colour: 'yellow',
      measure: 'home',
      since: 'list.since',
      days: 30,
      why: 'The name is watched.',
    },
    {
      id: 'tested',
      when: { var: 'facts.test.positive' },
      colour: 'red',
      measure: 'isolate',
      since: 'test.time',
      days: 7,
      why: 'The test was positive.',
    },
  ],
  green: { days: 7 },
  roles: { patient: 'Comes to be treated' },
  places: { hospital: { title: 'Hospital', grade: 'live', issuerSilenceS: 60 } },
  acceptance: [
    {
      id: 'red',
      when: { and: [is('status.colour', 'red'), { '!': [is('role', 'patient')] }] },
      outcome: 'stop',
      why: 'Red stops.',
    },
    { id: 'red-patient', when: is('status.colour', 'red'), outcome: 'act', why: 'Red is led aside.' },
    { id: 'yellow', when: is('status.colour', 'yellow'), outcome: 'act', why: 'Yellow is noted.' },
    {
      id: 'old',
      when: { '>': [{ var: 'status.ageHours' }, 48] },
      outcome: 'act',
      why: 'The code is older than two days.',
    },
  ],
  checks: [{ id: 'hospital', when: is('place.kind', 'hospital'), why: 'Hospitals check everybody.' }],
};

export function ruleBody(changes: object = {}, head: Partial<RuleSetBody> = {}): RuleSetBody {
  return { id: 'test', version: 3, fromS: FROM_S, data: { ...RULE_DATA, ...changes }, ...head };
}

export function ruleSetWith(changes: object = {}, head: Partial<RuleSetBody> = {}): RuleSet {
  return parseRuleSet(ruleBody(changes, head));
}

/** The places of the faults, each with its path joined by dots. */
export function faultsOf(changes: object, head: Partial<RuleSetBody> = {}): string[] {
  return readRuleSet(ruleBody(changes, head)).faults.map(({ path }) => path.join('.'));
}

/** Decides on facts as JSON at a time as text. */
export function decisionOn(ruleSet: RuleSet, facts: unknown, at: string): Decision {
  const read = readFacts(ruleSet.data.facts, facts);
  if (read.facts === undefined) throw new Error(JSON.stringify(read.faults));
  return decide(ruleSet, read.facts, secondsOf(at));
}
