/** What changes from one rule set to another, in words, and which examples come out otherwise. */
import { type RuleFile } from '../../node/rules/rule-file.ts';
import { type Example, tryExample } from '../../protocol/rules/examples.ts';
import { timeText as utcText } from '../../protocol/rules/issuing.ts';
import { type RuleSet } from '../../protocol/rules/rule-set.ts';
import { RULE_LISTS, type RuleList } from '../../protocol/rules/rule-set-schema.ts';
import { conditionText } from '../../protocol/rules/words.ts';

/** One change: where, and from what to what; `from` is undefined for what is new, `to` for what is gone. */
export interface RuleChange {
  readonly what: string;
  readonly from: string | undefined;
  readonly to: string | undefined;
}

/** An example that the two sets decide otherwise. */
export interface ExampleChange {
  readonly example: string;
  readonly from: string;
  readonly to: string;
}

/** The changes, in the order of the members of a set. */
export function ruleChanges(before: RuleSet, after: RuleSet): RuleChange[] {
  return [
    ...memberChanges('', headOf(before), headOf(after)),
    ...memberChanges('fact ', textsOf(before.data.facts), textsOf(after.data.facts)),
    ...RULE_LISTS.flatMap((list) => listChanges(list, before, after)),
    ...memberChanges('role ', before.data.roles, after.data.roles),
    ...memberChanges('place ', textsOf(before.data.places), textsOf(after.data.places)),
  ];
}

/** Examples of both files that come out otherwise; one that a set cannot even read is told so. */
export function exampleChanges(before: RuleFile, after: RuleFile): ExampleChange[] {
  const examples = new Map<string, Example>();
  for (const example of [...after.examples, ...before.examples])
    if (!examples.has(example.name)) examples.set(example.name, example);
  return [...examples.values()].flatMap((example) => {
    const [from, to] = [before, after].map(({ ruleSet }) => tryExample(ruleSet, example).came) as [
      string,
      string,
    ];
    return from === to ? [] : [{ example: example.name, from, to }];
  });
}

/** `issuing symptoms, days: 7 becomes 5` */
export function changeText({ what, from, to }: RuleChange): string {
  if (from === undefined) return `${what} is new: ${to}`;
  if (to === undefined) return `${what} is gone: ${from}`;
  return `${what}: ${from} becomes ${to}`;
}

type Texts = Readonly<Record<string, string>>;

function headOf({ id, version, fromS, untilS, data }: RuleSet): Texts {
  return {
    id,
    version: String(version),
    title: data.title,
    region: data.region ?? 'any',
    'in force from': utcText(fromS),
    'in force until': utcText(untilS),
    zone: data.zone,
    'days of green': String(data.green.days),
  };
}

function listChanges(list: RuleList, before: RuleSet, after: RuleSet): RuleChange[] {
  const rulesOf = (ruleSet: RuleSet) =>
    new Map(
      ruleSet[list].map((rule) => {
        const { when, id, ...members } = rule;
        return [id, { when: conditionText(when, ruleSet.data.facts), ...textsOf(members) }];
      }),
    );
  const [old, now] = [rulesOf(before), rulesOf(after)];
  const ids = new Set([...old.keys(), ...now.keys()]);
  return [...ids].flatMap((id): RuleChange[] => {
    const [was, is] = [old.get(id), now.get(id)];
    const what = `${list} ${id}`;
    if (was !== undefined && is !== undefined) return memberChanges(`${what}, `, was, is);
    return [{ what, from: was && wholeText(was), to: is && wholeText(is) }];
  });
}

function wholeText(members: Texts): string {
  return Object.entries(members)
    .map(([name, text]) => `${name} ${text}`)
    .join(', ');
}

function memberChanges(prefix: string, before: Texts, after: Texts): RuleChange[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names].flatMap((name) => {
    const [from, to] = [before[name], after[name]];
    return from === to ? [] : [{ what: prefix + name, from, to }];
  });
}

function textsOf(members: object): Texts {
  return Object.fromEntries(Object.entries(members).map(([name, value]) => [name, textOf(value)]));
}

function textOf(value: unknown): string {
  if (Array.isArray(value)) return `one of ${value.join(', ')}`;
  if (typeof value === 'object' && value !== null) return wholeText(textsOf(value));
  return String(value);
}
