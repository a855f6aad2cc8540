/** Evaluating CertLogic within bounds: the same expression and data give the same value everywhere. Spec: SPEC.md 16.1. */
import { ProtocolError } from '../fault.ts';
import { EVALUATION_STEPS_MAX, IDENTIFIER_CHARS_MAX } from '../limits.ts';
import { DateTime } from './date-time.ts';
import { type Expression, type NumberComparison, type TimeComparison } from './expression.ts';

/** What expressions make of data: JSON, and points in time. */
export type RuleValue =
  null | boolean | number | string | DateTime | readonly RuleValue[] | { readonly [key: string]: RuleValue };

/** Steps that evaluations may take, one or several together. */
export class Steps {
  #left: number;

  constructor(max: number) {
    this.#left = max;
  }

  /** @throws {ProtocolError} RULE_TOO_COSTLY if there are not so many left. */
  spend(count: number): void {
    this.#left -= count;
    if (this.#left < 0)
      throw new ProtocolError('RULE_TOO_COSTLY', 'the expression takes more steps than it may');
  }
}

export interface EvaluationOptions {
  /** `EVALUATION_STEPS_MAX` of its own without them. */
  readonly steps?: Steps | undefined;
  /**
   * Hears what was read of the data, by path: for a trace. Not what the second operand of `reduce` reads: that may be built of itself
   * at each element, and be longer than anything once it is written out.
   */
  readonly onRead?: ((path: string, value: RuleValue) => void) | undefined;
}

/**
 * The value of `expression` for `data`, which is JSON: what is not there is null. Objects count with their own members only.
 * A step is a part that is evaluated, a name of a path or an element that `in` looks at.
 * @throws {ProtocolError} RULE_FAILED if an operation has no value for these operands, RULE_TOO_COSTLY above the steps.
 */
export function evaluate(
  expression: Expression,
  data: RuleValue,
  { steps = new Steps(EVALUATION_STEPS_MAX), onRead }: EvaluationOptions = {},
): RuleValue {
  return new Evaluation(data, steps, onRead).value(expression, data);
}

/**
 * Whether a value counts as true. Null, false, 0 and what is empty do not.
 * @throws {ProtocolError} RULE_FAILED for a point in time and a number that is no whole one, which are neither.
 */
export function isTruthy(value: RuleValue): boolean {
  if (value === null || value === false || value === '') return false;
  if (typeof value === 'number') return requireInteger(value) !== 0;
  if (typeof value !== 'object') return true;
  if (value instanceof DateTime) throw failed('a point in time is neither true nor false');
  return Array.isArray(value) ? value.length > 0 : !isEmpty(value);
}

/** An object of thousands of members takes a millisecond to be looked at, and an expression can ask for it at every step. */
const emptiness = new WeakMap<object, boolean>();

function isEmpty(value: object): boolean {
  let known = emptiness.get(value);
  if (known === undefined) emptiness.set(value, (known = Object.keys(value).length === 0));
  return known;
}

class Evaluation {
  readonly #data: RuleValue;
  readonly #steps: Steps;
  readonly #onRead: EvaluationOptions['onRead'];

  constructor(data: RuleValue, steps: Steps, onRead: EvaluationOptions['onRead']) {
    this.#data = data;
    this.#steps = steps;
    this.#onRead = onRead;
  }

  value(expression: Expression, data: RuleValue): RuleValue {
    this.#steps.spend(1);
    switch (expression.op) {
      case 'literal':
        return expression.value;
      case 'list':
        return expression.items.map((item) => this.value(item, data));
      case 'var':
        return this.#read(expression.path, data);
      case 'if': {
        const { guard, then, otherwise } = expression;
        return this.value(isTruthy(this.value(guard, data)) ? then : otherwise, data);
      }
      case 'and':
        return this.#and(expression.operands, data);
      case '!':
        return !isTruthy(this.value(expression.operand, data));
      case '===':
        return isSame(this.value(expression.left, data), this.value(expression.right, data));
      case 'in':
        return this.#isIn(this.value(expression.left, data), this.value(expression.right, data));
      case '+':
        return sumOf(this.value(expression.left, data), this.value(expression.right, data));
      case 'reduce':
        return this.#reduce(expression, data);
      case 'plusTime': {
        const moment = DateTime.parse(textOf(this.value(expression.operand, data)));
        if (moment === undefined) throw failed('the text is no date or time');
        const later = moment.plus(expression.amount, expression.unit);
        return later ?? fail('the time is outside the years 0 to 9999');
      }
      case 'dccDateOfBirth': {
        const day = DateTime.parseDateOfBirth(textOf(this.value(expression.operand, data)));
        return day ?? fail('the text is no date of birth');
      }
      case 'extractFromUVCI':
        return fragmentOf(this.value(expression.operand, data), expression.index);
      case '<':
      case '>':
      case '<=':
      case '>=': {
        const numbers = expression.operands.map((operand) => requireInteger(this.value(operand, data)));
        return isInOrder(expression.op, numbers);
      }
      case 'after':
      case 'before':
      case 'not-after':
      case 'not-before': {
        const times = expression.operands.map((operand) => timeOf(this.value(operand, data)));
        return isInOrder(TIME_ORDERS[expression.op], times);
      }
    }
  }

  #read(path: readonly string[], data: RuleValue): RuleValue {
    this.#steps.spend(path.length);
    let value = data;
    for (const name of path) value = memberOf(value, name);
    if (data === this.#data) this.#onRead?.(path.join('.'), value);
    return value;
  }

  /** The first value that does not count as true, or else the last. */
  #and(operands: readonly Expression[], data: RuleValue): RuleValue {
    let value: RuleValue = true;
    for (const operand of operands) {
      value = this.value(operand, data);
      if (!isTruthy(value)) break;
    }
    return value;
  }

  #isIn(value: RuleValue, list: RuleValue): boolean {
    if (!isList(list)) throw failed('in looks into lists only');
    this.#steps.spend(list.length);
    return isScalar(value) && list.includes(value);
  }

  #reduce({ operand, lambda, initial }: Extract<Expression, { op: 'reduce' }>, data: RuleValue): RuleValue {
    const list = this.value(operand, data);
    let accumulator = this.value(initial, data);
    if (list === null) return accumulator;
    if (!isList(list)) throw failed('reduce goes through lists only');
    for (const current of list) accumulator = this.value(lambda, { accumulator, current });
    return accumulator;
  }
}

const TIME_ORDERS: Readonly<Record<TimeComparison, NumberComparison>> = {
  after: '>',
  before: '<',
  'not-after': '<=',
  'not-before': '>=',
};

const INDEX = /^(0|[1-9]\d{0,8})$/;

/** Null for whatever is not there. Neither prototypes nor the length of a list are anything of the data. */
function memberOf(value: RuleValue, name: string): RuleValue {
  if (isList(value)) return INDEX.test(name) ? (value[Number(name)] ?? null) : null;
  if (typeof value !== 'object' || value === null || value instanceof DateTime) return null;
  return Object.hasOwn(value, name) ? (value[name] ?? null) : null;
}

/** Lists, objects and points in time are the same as nothing, not even as themselves. */
function isSame(a: RuleValue, b: RuleValue): boolean {
  return isScalar(a) && a === b;
}

function isScalar(value: RuleValue): boolean {
  return typeof value !== 'object' || value === null;
}

function isInOrder(op: NumberComparison, values: readonly number[]): boolean {
  return values.every((value, i) => i === 0 || compare(op, values[i - 1] as number, value));
}

function compare(op: NumberComparison, a: number, b: number): boolean {
  switch (op) {
    case '<':
      return a < b;
    case '>':
      return a > b;
    case '<=':
      return a <= b;
    case '>=':
      return a >= b;
  }
}

function sumOf(a: RuleValue, b: RuleValue): number {
  const sum = requireInteger(a) + requireInteger(b);
  return Number.isSafeInteger(sum) ? sum : fail('the sum is beyond 2^53-1');
}

const UVCI_PREFIX = 'URN:UVCI:';

/** A part of a vaccination certificate's identifier, counted from 0; null if it has fewer. */
function fragmentOf(value: RuleValue, index: number): string | null {
  if (value === null) return null;
  const uvci = textOf(value);
  if (uvci.length > IDENTIFIER_CHARS_MAX) throw failed('the text is too long for an identifier');
  const rest = uvci.startsWith(UVCI_PREFIX) ? uvci.slice(UVCI_PREFIX.length) : uvci;
  return rest.split(/[/#:]/)[index] ?? null;
}

function isList(value: RuleValue): value is readonly RuleValue[] {
  return Array.isArray(value);
}

function textOf(value: RuleValue): string {
  return typeof value === 'string' ? value : fail('expected text');
}

function timeOf(value: RuleValue): number {
  return value instanceof DateTime ? value.ms : fail('expected points in time');
}

function requireInteger(value: RuleValue): number {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value;
  throw failed('expected whole numbers within 2^53-1');
}

function fail(reason: string): never {
  throw failed(reason);
}

function failed(reason: string): ProtocolError {
  return new ProtocolError('RULE_FAILED', reason);
}
