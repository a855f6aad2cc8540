/** Conditions in words, for those who did not write them. The words decide nothing. */
import { type Expression, type NumberComparison, type TimeComparison } from './expression.ts';
import { type FactType, type RuleSetData } from './rule-set-schema.ts';
import { type RuleValue } from './evaluate.ts';
import { DateTime } from './date-time.ts';
import { conditionOf } from './issuing.ts';

type Facts = RuleSetData['facts'];

/** What holds where the condition counts as true. */
export function conditionText(when: Expression, facts: Facts = {}): string {
  return new Words(facts, undefined).clause(when, true);
}

/** Why the condition holds, or does not, for this data: of several reasons each of which would do, the first that is one. */
export function reasonText(when: Expression, facts: Facts, data: RuleValue): string {
  const holds = conditionOf(when, data);
  return holds === undefined ? conditionText(when, facts) : new Words(facts, data).clause(when, holds);
}

/** Characters of a list that are told: lists within lists may hold one list many times over. */
const LIST_CHARS_MAX = 1_024;

/** A value as it is told: `not known`, `2026-11-26`, `CN-11, CN-42`. Of a list the beginning, where all of it has more than 1,024 characters. */
export function valueText(value: RuleValue): string {
  if (value === null) return 'not known';
  if (typeof value !== 'object') return String(value);
  if (value instanceof DateTime) return 'a time';
  return Array.isArray(value) ? listText(value) : 'several facts';
}

function listText(list: readonly RuleValue[]): string {
  let text = '';
  for (const [i, element] of list.entries()) {
    text += `${i === 0 ? '' : ', '}${valueText(element)}`;
    if (text.length > LIST_CHARS_MAX) return `${text.slice(0, LIST_CHARS_MAX)}…`;
  }
  return text;
}

const NUMBERS: Readonly<Record<NumberComparison, readonly [string, string]>> = {
  '<': ['is less than', 'is at least'],
  '>': ['is more than', 'is at most'],
  '<=': ['is at most', 'is more than'],
  '>=': ['is at least', 'is less than'],
};
const TIMES: Readonly<Record<TimeComparison, readonly [string, string]>> = {
  after: ['is after', 'is not after'],
  before: ['is before', 'is not before'],
  'not-after': ['is not after', 'is after'],
  'not-before': ['is not before', 'is before'],
};

class Words {
  readonly #facts: Facts;
  /** Undefined where nothing is known, so that every way is told. */
  readonly #data: RuleValue | undefined;

  constructor(facts: Facts, data: RuleValue | undefined) {
    this.#facts = facts;
    this.#data = data;
  }

  clause(expression: Expression, holds: boolean, isWithin = false): string {
    switch (expression.op) {
      case 'literal':
        return Boolean(expression.value) === holds ? 'always' : 'never';
      case 'var':
        return `${this.#term(expression)} ${this.#knownText(expression.path, holds)}`;
      case '!':
        return this.clause(expression.operand, !holds, isWithin);
      case 'and':
        return this.#joined(
          expression.operands.map((part) => [part, holds]),
          holds ? 'and' : 'or',
          isWithin,
        );
      case 'if':
        return this.#choice(expression, holds, isWithin);
      case '===':
        return `${this.#term(expression.left)} ${holds ? 'is' : 'is not'} ${this.#term(expression.right)}`;
      case 'in': {
        const isOne = holds ? 'is one of' : 'is none of';
        return `${this.#term(expression.left)} ${isOne} ${this.#term(expression.right)}`;
      }
      case '<':
      case '>':
      case '<=':
      case '>=':
        return this.#order(NUMBERS[expression.op], expression.operands, holds, isWithin);
      case 'after':
      case 'before':
      case 'not-after':
      case 'not-before':
        return this.#order(TIMES[expression.op], expression.operands, holds, isWithin);
      case 'list':
      case '+':
      case 'plusTime':
      case 'dccDateOfBirth':
      case 'extractFromUVCI':
      case 'reduce':
        return `${this.#term(expression)} ${holds ? 'is something' : 'is nothing'}`;
    }
  }

  /** Choices between true and false are ands and ors. */
  #choice(
    { guard, then, otherwise }: Extract<Expression, { op: 'if' }>,
    holds: boolean,
    isWithin: boolean,
  ): string {
    const [ifThen, ifElse] = [constantOf(then), constantOf(otherwise)];
    if (ifElse === false)
      return this.#joined(
        [
          [guard, holds],
          [then, holds],
        ],
        holds ? 'and' : 'or',
        isWithin,
      );
    if (ifThen === true)
      return this.#joined(
        [
          [guard, holds],
          [otherwise, holds],
        ],
        holds ? 'or' : 'and',
        isWithin,
      );
    if (ifThen === false)
      return this.#joined(
        [
          [guard, !holds],
          [otherwise, holds],
        ],
        holds ? 'and' : 'or',
        isWithin,
      );
    if (ifElse === true)
      return this.#joined(
        [
          [guard, !holds],
          [then, holds],
        ],
        holds ? 'or' : 'and',
        isWithin,
      );
    const [a, b, c] = [
      this.clause(guard, true, true),
      this.clause(then, holds, true),
      this.clause(otherwise, holds, true),
    ];
    return `if ${a} then ${b}, else ${c}`;
  }

  /** In brackets within others, and one alone as it is. */
  #joined(parts: readonly (readonly [Expression, boolean])[], word: 'and' | 'or', isWithin: boolean): string {
    const told = word === 'or' ? this.#firstThatIs(parts) : parts;
    const needed = told.filter(([part, holds]) => constantOf(part) !== (holds === (word === 'and')));
    const texts = needed.map(([part, holds]) => this.clause(part, holds, needed.length > 1));
    if (texts.length === 0) return word === 'and' ? 'always' : 'never';
    const text = texts.join(` ${word} `);
    return isWithin && texts.length > 1 ? `(${text})` : text;
  }

  #firstThatIs(
    parts: readonly (readonly [Expression, boolean])[],
  ): readonly (readonly [Expression, boolean])[] {
    const data = this.#data;
    if (data === undefined) return parts;
    const first = parts.find(([part, holds]) => conditionOf(part, data) === holds);
    return first === undefined ? parts : [first];
  }

  #order(
    [is, isNot]: readonly [string, string],
    operands: readonly Expression[],
    holds: boolean,
    isWithin: boolean,
  ): string {
    const terms = operands.map((operand) => this.#term(operand));
    const pairs = terms.slice(1).map((term, i) => `${terms[i]} ${holds ? is : isNot} ${term}`);
    const text = pairs.join(holds ? ' and ' : ' or ');
    return isWithin && pairs.length > 1 ? `(${text})` : text;
  }

  #term(expression: Expression): string {
    switch (expression.op) {
      case 'literal':
        return String(expression.value);
      case 'list':
        return expression.items.map((item) => this.#term(item)).join(', ');
      case 'var':
        return nameOf(expression.path);
      case 'plusTime': {
        const { operand, amount, unit } = expression;
        const of = this.#term(operand);
        if (amount === 0) return of;
        const size = Math.abs(amount);
        return `${size} ${unit}${size === 1 ? '' : 's'} ${amount < 0 ? 'before' : 'after'} ${of}`;
      }
      case 'dccDateOfBirth':
        return this.#term(expression.operand);
      case '+':
        return `${this.#term(expression.left)} plus ${this.#term(expression.right)}`;
      case 'extractFromUVCI':
        return `part ${expression.index} of ${this.#term(expression.operand)}`;
      case 'reduce':
        return `what comes of going through ${this.#term(expression.operand)}`;
      case 'if':
      case 'and':
      case '!':
      case '===':
      case 'in':
      case '<':
      case '>':
      case '<=':
      case '>=':
      case 'after':
      case 'before':
      case 'not-after':
      case 'not-before':
        return `whether ${this.clause(expression, true, true)}`;
    }
  }

  #knownText(path: readonly string[], holds: boolean): string {
    const type: FactType | undefined = this.#facts[path.slice(1).join('.')];
    const isFlag = type === 'flag' || path[0] === 'documentMatched';
    if (isFlag) return holds ? 'is true' : 'is not true';
    return holds ? 'is known' : 'is not known';
  }
}

/** Whether a literal counts as true; undefined for everything else. */
function constantOf(expression: Expression): boolean | undefined {
  return expression.op === 'literal' ? Boolean(expression.value) : undefined;
}

function nameOf(path: readonly string[]): string {
  if (path.length === 0) return 'all that is known';
  return path[0] === 'facts' && path.length > 1 ? path.slice(1).join('.') : path.join('.');
}
