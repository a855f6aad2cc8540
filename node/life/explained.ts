/** Why somebody has a colour, or would get one now, in all that was looked at. */
import { type RuleValue } from '../../protocol/rules/evaluate.ts';
import { type Decision, decide } from '../../protocol/rules/issuing.ts';
import { type TraceStep, traceIssuing } from '../../protocol/rules/trace.ts';
import { type Doubtful } from '../lists/list-view.ts';
import { type FactSource } from './dossier.ts';
import { type JudgedAt } from './judging.ts';
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
