/** Why an order by rules gave a code, in words: from the facts that were told with it and the rules, where both are still at hand here. */
import { type Basis } from '../../protocol/disclosure/basis.ts';
import { type Facts, readFacts } from '../../protocol/rules/facts.ts';
import { type Decision, decide } from '../../protocol/rules/issuing.ts';
import { readRuleSet, type RuleSet } from '../../protocol/rules/rule-set.ts';
import { type Bases } from './bases.ts';
import { type FactSource, type StatusChange } from './dossier.ts';
import { isStricter, reasonOf } from './judging.ts';
import { type RulingState } from './known.ts';

/** What a code of an order rests on. */
export interface Ordered {
  readonly basis: Extract<Basis, { kind: 'rules' }>;
  /** Undefined where the trust log has another version of these rules by now, or they do not give that code on these facts. */
  readonly decided?:
    { readonly ruleSet: RuleSet; readonly facts: Facts; readonly decision: Decision } | undefined;
}

/** Why nobody can tell what it rests on: that is not kept here, or is damaged. */
export type Unordered = 'unkept' | 'unread';

const UNORDERED: Readonly<Record<Unordered, string>> = {
  unkept: 'It was issued by rules, and on what facts is not kept here.',
  unread: 'It was issued by rules, and what is kept here of the facts is damaged and cannot be read.',
};

/** `basis`: as `Bases.of`. */
export function orderedOf(
  { status }: Pick<StatusChange, 'status'>,
  basis: Basis | 'unread' | undefined,
  state: Pick<RulingState, 'rules'> | undefined,
): Ordered | Unordered {
  if (basis === 'unread') return basis;
  if (basis?.kind !== 'rules') return 'unkept';
  const logged = state?.rules(basis.rule);
  const ruleSet = logged?.version === basis.version ? readRuleSet(logged).ruleSet : undefined;
  const facts = ruleSet && readFacts(ruleSet.data.facts, basis.facts).facts;
  if (ruleSet === undefined || facts === undefined) return { basis };
  const decision = decide(ruleSet, facts, basis.atS);
  const given = decision.status;
  if (given === undefined || isStricter(given, status) || isStricter(status, given)) return { basis };
  return { basis, decided: { ruleSet, facts, decision } };
}

/** With the reason of a code that an order gave. `listed`: where facts stood that lists say too, by name. */
export function reasoned(
  change: StatusChange,
  ordered: Ordered | Unordered,
  listed: ReadonlyMap<string, FactSource> = new Map(),
): StatusChange {
  if (typeof ordered === 'string') return { ...change, why: UNORDERED[ordered] };
  const { basis, decided } = ordered;
  const { atS, isTold } = basis;
  const order: FactSource = { from: 'order', atS, ...(isTold === true && { isAlone: true }) };
  if (decided === undefined) {
    const why = `The rules ${basis.rule}, version ${basis.version}, gave it on what was told with the order. They are not at hand here any more, so that no more can be said.`;
    return { ...change, why, sources: [order] };
  }
  const { ruleSet, facts, decision } = decided;
  const sources = new Map([...facts.keys()].map((name) => [name, listed.get(name) ?? order]));
  const reason = reasonOf({ ruleSet, nowS: atS }, { facts, sources }, decision);
  return { ...change, ...reason, sources: reason.sources.length === 0 ? [order] : reason.sources };
}

export interface OrderedModules {
  readonly bases: Pick<Bases, 'of'>;
  /** The region's own trust state. */
  readonly state: () => Pick<RulingState, 'rules'> | undefined;
}

/** What a code of an order rests on, as far as it can be told here. Rejects as the tables. */
export async function orderedAt(
  change: StatusChange,
  { bases, state }: OrderedModules,
): Promise<Ordered | Unordered> {
  return orderedOf(change, await bases.of(change), state());
}

/**
 * With its reason where an order gave it and the dossier does not say why, as where a declaration noted it, older software, or an update that could not read that.
 * Rejects as the tables.
 */
export async function withReason(change: StatusChange, modules: OrderedModules): Promise<StatusChange> {
  if (change.kind !== 'found' || change.sources.length > 0) return change;
  return reasoned(change, await orderedAt(change, modules));
}
