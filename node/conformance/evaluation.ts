/** One evaluation held against the value that others expect of it. */
import { isDeepStrictEqual } from 'node:util';
import { isProtocolError } from '../../protocol/fault.ts';
import { evaluate, type RuleValue } from '../../protocol/rules/evaluate.ts';
import { parseExpression } from '../../protocol/rules/expression.ts';

export interface EvaluationCase {
  readonly expression: unknown;
  /** As it comes from `JSON.parse`. */
  readonly data: unknown;
  readonly expected: unknown;
}

/** What is wrong, or undefined if the expression has the value expected. */
export function evaluationFault({ expression, data, expected }: EvaluationCase): string | undefined {
  try {
    const value = evaluate(parseExpression(expression), (data ?? null) as RuleValue);
    if (isDeepStrictEqual(value, expected)) return undefined;
    return `expected ${JSON.stringify(expected)}, came ${JSON.stringify(value)}`;
  } catch (error) {
    if (isProtocolError(error)) return error.message;
    throw error;
  }
}
