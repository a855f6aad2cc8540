/** A place as a verifier names it, by rules or without any. Spec: SPEC.md 15.3, 16.6. */
import { ANY_PLACE, type Place } from '../verdict/verdict.ts';
import { placeOf } from './acceptance-rules.ts';
import { type RuleSet } from './rule-set.ts';

/** What is said of a place. */
export interface AskedPlace {
  readonly risk?: Place['risk'] | undefined;
  readonly kind?: string | undefined;
  readonly gradeNeeded?: Place['gradeNeeded'] | undefined;
  readonly limits?:
    { readonly knowledgeAgeS?: number | undefined; readonly issuerSilenceS?: number | undefined } | undefined;
}

/** The place that is judged at: what is said of it goes before what the rules ask of its kind. */
export function askedPlace(asked: AskedPlace, ruleSet?: RuleSet): Place {
  const { kind = ANY_PLACE.kind, risk = ANY_PLACE.risk } = asked;
  const known = ruleSet === undefined ? { ...ANY_PLACE, kind, risk } : placeOf(ruleSet, kind, risk);
  const knowledgeAgeS = asked.limits?.knowledgeAgeS ?? known.limits?.knowledgeAgeS;
  const issuerSilenceS = asked.limits?.issuerSilenceS ?? known.limits?.issuerSilenceS;
  return {
    kind,
    risk,
    gradeNeeded: asked.gradeNeeded ?? known.gradeNeeded,
    limits: {
      ...(knowledgeAgeS !== undefined && { knowledgeAgeS }),
      ...(issuerSilenceS !== undefined && { issuerSilenceS }),
    },
  };
}

/** A word that a verifier used and the rules do not know, and those that they describe. */
export interface UnknownWord {
  readonly of: 'kind' | 'role';
  readonly known: readonly string[];
}

/**
 * The first word that says nothing to the rules, since a mistyped one would pass by every rule that was made for it. They know what they describe, what
 * their conditions compare a kind or a role with, and the kind `gate`.
 */
export function unknownWord(
  { data }: RuleSet,
  { kind, role }: { readonly kind: string; readonly role: string | undefined },
): UnknownWord | undefined {
  const { places, roles, acceptance, checks } = data;
  const kinds = [ANY_PLACE.kind, ...Object.keys(places)];
  const conditions = [...acceptance, ...checks].map(({ when }) => when);
  const isCompared = (path: string, word: string) => comparedWith(path, conditions).includes(word);
  if (!kinds.includes(kind) && !isCompared('place.kind', kind)) return { of: 'kind', known: kinds };
  const known = Object.keys(roles);
  if (role === undefined || known.includes(role) || isCompared('role', role)) return undefined;
  return { of: 'role', known };
}

/** What conditions, as they are written, hold against the variable of this path: by `===` on either side, by `in` the elements of the list. */
function comparedWith(path: string, json: unknown): readonly unknown[] {
  if (typeof json !== 'object' || json === null) return [];
  const isVariable = (one: unknown) =>
    typeof one === 'object' && one !== null && 'var' in one && one.var === path;
  const { '===': sides = [], in: [element, list] = [] } = json as Readonly<
    Record<string, readonly unknown[] | undefined>
  >;
  return [
    ...(sides.some(isVariable) ? sides : []),
    ...(isVariable(element) && Array.isArray(list) ? (list as readonly unknown[]) : []),
    ...Object.values(json).flatMap((inner) => comparedWith(path, inner)),
  ];
}
