/** Why somebody has a colour, or would get one now, in all that was looked at. */
import { type RuleValue } from '../../protocol/rules/evaluate.ts';
import { type Decision, decide } from '../../protocol/rules/issuing.ts';
import { type TraceStep, traceIssuing } from '../../protocol/rules/trace.ts';
import { type Doubtful } from '../lists/list-view.ts';
import { type Place } from '../registry/place-cipher.ts';
import { type FactSource } from './dossier.ts';
import { type JudgedAt } from './judging.ts';
import { type Ordered, type Unordered } from './ordered.ts';
import { type UpdateOutcome } from './update-figures.ts';
import { type Judged } from './updater.ts';

/** Why somebody has, or would get, a colour now. */
export interface Explained {
  readonly rules: string;
  readonly outcome: UpdateOutcome;
  readonly facts: readonly {
    readonly name: string;
    readonly value: RuleValue;
    readonly source?: FactSource;
  }[];
  readonly decision: Decision;
  readonly trace: readonly TraceStep[];
  /** Entries of lists that may be about them, or about another. */
  readonly doubts: readonly Doubtful[];
  /** Where an order by rules gave the code that counts: what that rests on. */
  readonly order?: ExplainedOrder;
}

/** Why an order gave a code. */
export type ExplainedOrder = Place &
  (
    | { readonly missing: Unordered }
    | {
        /** When it was decided, seconds since 1970. */
        readonly atS: number;
        readonly rules: string;
        readonly version: number;
        /** Nothing that the region knew itself said as much: see SPEC 5.7. */
        readonly isTold: boolean;
        /** As they were told with the order. */
        readonly facts: readonly { readonly name: string; readonly value: RuleValue }[];
        /** Undefined where these rules are not at hand any more. */
        readonly decision?: Decision;
        readonly trace?: readonly TraceStep[];
      }
  );

export function explainedOrder({ log, index }: Place, ordered: Ordered | Unordered): ExplainedOrder {
  if (typeof ordered === 'string') return { log, index, missing: ordered };
  const { basis, decided } = ordered;
  const { atS, rule: rules, version, isTold = false } = basis;
  const facts = Object.entries(basis.facts).map(([name, value]) => ({ name, value }));
  const order = { log, index, atS, rules, version, isTold, facts };
  if (decided === undefined) return order;
  const { ruleSet, facts: read, decision } = decided;
  return { ...order, decision, trace: traceIssuing(ruleSet, read, atS) };
}

export function explainedOf(
  { known, judgement }: Judged,
  { ruleSet, nowS }: Pick<JudgedAt, 'ruleSet' | 'nowS'>,
): Explained {
  const facts = [...known.facts].map(([name, value]) => {
    const source = known.sources.get(name);
    return { name, value, ...(source && { source }) };
  });
  return {
    rules: ruleSet.id,
    outcome: judgement.what,
    facts,
    decision: decide(ruleSet, known.facts, nowS),
    trace: traceIssuing(ruleSet, known.facts, nowS),
    doubts: known.doubts,
  };
}
