/** Expressions of CertLogic 1.3.3, a language without loops: from JSON to a tree that is known to be well-formed. Spec: SPEC.md 16.1. */
import { EXPRESSION_DEPTH_MAX, EXPRESSION_NODES_MAX } from '../limits.ts';
import { ProtocolError } from '../fault.ts';
import { TIME_UNITS, type TimeUnit } from './date-time.ts';

export const NUMBER_COMPARISONS = ['<', '>', '<=', '>='] as const;
export const TIME_COMPARISONS = ['after', 'before', 'not-after', 'not-before'] as const;
export type NumberComparison = (typeof NUMBER_COMPARISONS)[number];
export type TimeComparison = (typeof TIME_COMPARISONS)[number];

export type Expression =
  | { readonly op: 'literal'; readonly value: string | number | boolean }
  | { readonly op: 'list'; readonly items: readonly Expression[] }
  /** Names from the top of the data, none of them empty; no name is the data itself. */
  | { readonly op: 'var'; readonly path: readonly string[] }
  | {
      readonly op: 'if';
      readonly guard: Expression;
      readonly then: Expression;
      readonly otherwise: Expression;
    }
  /** Two or more. */
  | { readonly op: 'and'; readonly operands: readonly Expression[] }
  | { readonly op: '!'; readonly operand: Expression }
  | { readonly op: '===' | 'in' | '+'; readonly left: Expression; readonly right: Expression }
  /** Two or three. */
  | { readonly op: NumberComparison | TimeComparison; readonly operands: readonly Expression[] }
  | {
      readonly op: 'reduce';
      readonly operand: Expression;
      readonly lambda: Expression;
      readonly initial: Expression;
    }
  | {
      readonly op: 'plusTime';
      readonly operand: Expression;
      readonly amount: number;
      readonly unit: TimeUnit;
    }
  | { readonly op: 'extractFromUVCI'; readonly operand: Expression; readonly index: number }
  | { readonly op: 'dccDateOfBirth'; readonly operand: Expression };

/** What is wrong with an expression and where: names and indexes from its top. `reason` quotes nothing of it. */
export interface ExpressionFault {
  readonly path: readonly (string | number)[];
  readonly reason: string;
  /** A name that is not known, and those that are. */
  readonly unknown?: string;
  readonly known?: readonly string[];
}

/** Faults of one expression that are told; the others often follow from them. */
const FAULTS_MAX = 20;

export interface ExpressionLimits {
  /** Arrays and objects within each other. */
  readonly depthMax?: number;
}

/**
 * Reads an expression, or says all that is wrong with it. Takes any JSON; an expression has at most
 * `EXPRESSION_NODES_MAX` parts, and numbers that are safe integers.
 */
export function readExpression(
  json: unknown,
  { depthMax = EXPRESSION_DEPTH_MAX }: ExpressionLimits = {},
): { readonly expression?: Expression; readonly faults: readonly ExpressionFault[] } {
  const reading = new Reading(depthMax);
  const expression = reading.expression(json, []);
  const { faults } = reading;
  return faults.length > 0 || expression === undefined ? { faults } : { expression, faults };
}

/**
 * The expression that `json` is.
 * @throws {ProtocolError} RULE_MALFORMED with the place `at` of the first fault.
 */
export function parseExpression(json: unknown, limits?: ExpressionLimits): Expression {
  const { expression, faults } = readExpression(json, limits);
  if (expression !== undefined) return expression;
  const { path, reason } = faults[0] ?? { path: [], reason: 'is no expression' };
  const at = path.join('.');
  throw new ProtocolError('RULE_MALFORMED', `${at === '' ? 'the expression' : at} ${reason}`, { at });
}

type Path = readonly (string | number)[];

class Reading {
  readonly faults: ExpressionFault[] = [];
  readonly #depthMax: number;
  #nodes = 0;

  constructor(depthMax: number) {
    this.#depthMax = depthMax;
  }

  expression(json: unknown, path: Path): Expression | undefined {
    if (++this.#nodes > EXPRESSION_NODES_MAX) return this.#tooMany(path);
    if (typeof json === 'string' || typeof json === 'boolean') return { op: 'literal', value: json };
    if (typeof json === 'number') {
      if (Number.isSafeInteger(json)) return { op: 'literal', value: json };
      return this.#fault(path, 'is no whole number within 2^53-1');
    }
    if (json === null) return this.#fault(path, 'is null, which no expression holds');
    if (typeof json !== 'object') return this.#fault(path, 'is nothing that an expression holds');
    if (path.length >= this.#depthMax) return this.#tooDeep(path);
    if (Array.isArray(json)) {
      const items = this.#all(json, path);
      return items && { op: 'list', items };
    }
    const keys = Object.keys(json);
    const [operator] = keys;
    if (operator === undefined || keys.length !== 1) {
      return this.#fault(path, `has ${keys.length} operators instead of one`);
    }
    return this.#operation(operator, (json as Readonly<Record<string, unknown>>)[operator], path);
  }

  #operation(operator: string, operands: unknown, path: Path): Expression | undefined {
    const at = [...path, operator];
    if (operator === 'var') return this.#variable(operands, at);
    const count = OPERAND_COUNTS.get(operator);
    if (count === undefined) {
      const known = ['var', ...OPERAND_COUNTS.keys()];
      return this.#fault(path, 'has an operator that CertLogic does not know', { unknown: operator, known });
    }
    if (!Array.isArray(operands)) return this.#fault(at, 'expects its operands in a list');
    if (at.length >= this.#depthMax) return this.#tooDeep(at);
    const [min, max] = count;
    if (operands.length < min || operands.length > max) {
      return this.#fault(at, `has ${operands.length} operands instead of ${countText(min, max)}`);
    }
    const settled = PARAMETERS_FROM.get(operator) ?? operands.length;
    const read = this.#all(operands.slice(0, settled), at);
    const parameters: readonly unknown[] = operands.slice(settled);
    const isGood = this.#areParameters(operator, parameters, [...at, settled]);
    return read === undefined || !isGood ? undefined : operationOf(operator, read, parameters);
  }

  #variable(path: unknown, at: Path): Expression | undefined {
    if (typeof path !== 'string') return this.#fault(at, 'expects a path as text');
    const names = path === '' ? [] : path.split('.');
    if (names.includes('')) return this.#fault(at, 'expects names between single dots');
    return { op: 'var', path: names };
  }

  /** Numbers and units that an operation takes as they stand. `at` is the place of the first. */
  #areParameters(operator: string, [first, unit]: readonly unknown[], at: Path): boolean {
    if (operator !== 'plusTime' && operator !== 'extractFromUVCI') return true;
    const before = this.faults.length;
    if (!Number.isSafeInteger(first)) this.#fault(at, 'is no whole number within 2^53-1');
    if (operator === 'plusTime' && !TIME_UNITS.some((known) => known === unit)) {
      this.#fault([...at.slice(0, -1), 2], `is none of ${TIME_UNITS.join(', ')}`);
    }
    return this.faults.length === before;
  }

  /** Reads all of them, so that all faults are told; undefined if there was one. */
  #all(list: readonly unknown[], path: Path): Expression[] | undefined {
    const read: Expression[] = [];
    for (let i = 0; i < list.length && this.faults.length < FAULTS_MAX; i++) {
      const expression = this.expression(list[i], [...path, i]);
      if (expression !== undefined) read.push(expression);
    }
    return read.length === list.length ? read : undefined;
  }

  #tooDeep(path: Path): undefined {
    this.#fault(path, `is deeper than ${this.#depthMax} levels`);
  }

  #tooMany(path: Path): undefined {
    // Said once: everything that follows would be too many as well.
    if (this.#nodes === EXPRESSION_NODES_MAX + 1)
      this.#fault(path, `makes more than ${EXPRESSION_NODES_MAX} parts`);
  }

  #fault(path: Path, reason: string, name: Pick<ExpressionFault, 'unknown' | 'known'> = {}): undefined {
    if (this.faults.length < FAULTS_MAX) this.faults.push({ path, reason, ...name });
  }
}

/** Least and most operands. */
const OPERAND_COUNTS: ReadonlyMap<string, readonly [number, number]> = new Map<string, [number, number]>([
  ['if', [3, 3]],
  ['and', [2, Infinity]],
  ['!', [1, 1]],
  ['===', [2, 2]],
  ['in', [2, 2]],
  ['+', [2, 2]],
  ...[...NUMBER_COMPARISONS, ...TIME_COMPARISONS].map((op): [string, [number, number]] => [op, [2, 3]]),
  ['reduce', [3, 3]],
  ['plusTime', [3, 3]],
  ['extractFromUVCI', [2, 2]],
  ['dccDateOfBirth', [1, 1]],
]);

/** From which operand on they are no expressions. */
const PARAMETERS_FROM: ReadonlyMap<string, number> = new Map([
  ['plusTime', 1],
  ['extractFromUVCI', 1],
]);

/** The operation of an operator that is known, with operands of the right number. */
function operationOf(
  operator: string,
  operands: readonly Expression[],
  [parameter, unit]: readonly unknown[],
): Expression {
  const [first, second, third] = operands as [Expression, Expression, Expression];
  switch (operator) {
    case 'if':
      return { op: 'if', guard: first, then: second, otherwise: third };
    case 'reduce':
      return { op: 'reduce', operand: first, lambda: second, initial: third };
    case 'and':
      return { op: 'and', operands };
    case '===':
    case 'in':
    case '+':
      return { op: operator, left: first, right: second };
    case '!':
    case 'dccDateOfBirth':
      return { op: operator, operand: first };
    case 'plusTime':
      return { op: 'plusTime', operand: first, amount: parameter as number, unit: unit as TimeUnit };
    case 'extractFromUVCI':
      return { op: 'extractFromUVCI', operand: first, index: parameter as number };
    default:
      return { op: operator as NumberComparison | TimeComparison, operands };
  }
}

function countText(min: number, max: number): string {
  if (max === Infinity) return `${min} or more`;
  return min === max ? String(min) : `${min} or ${max}`;
}
