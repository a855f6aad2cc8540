/** What the conditions of each list may speak of. Spec: SPEC.md 16.4. */
import { type Expression, type ExpressionFault } from './expression.ts';
import { isPrintable, type RuleList } from './rule-set-schema.ts';

const ALWAYS = ['today', 'now', 'hour'];
const AT_A_PLACE = ['place.kind', 'place.risk', 'role'];

/** What conditions about a code at a place read besides. */
const OF_A_CODE = [
  'region',
  'status.colour',
  'status.measure',
  'status.ageHours',
  'status.rules',
  'grade',
  'documentMatched',
];

/** The paths that exist for the conditions of a list. `facts` are the names of those that the set declares. */
export function pathsOf(list: RuleList, facts: readonly string[]): readonly string[] {
  switch (list) {
    case 'requires':
    case 'issuing':
      return [...ALWAYS, ...facts.map((name) => `facts.${name}`)];
    case 'acceptance':
      return [...ALWAYS, ...AT_A_PLACE, ...OF_A_CODE];
    case 'checks':
      return [...ALWAYS, ...AT_A_PLACE];
  }
}

/** Paths that `known` does not have, and texts that people cannot be shown. */
export function scopeFaults(expression: Expression, known: readonly string[]): ExpressionFault[] {
  const faults: ExpressionFault[] = [];
  visit(expression, [], known, faults);
  return faults;
}

/** The data of the second operand of `reduce`. */
const IN_REDUCE = ['accumulator', 'current'];

type Path = ExpressionFault['path'];

function visit(
  expression: Expression,
  path: Path,
  known: readonly string[],
  faults: ExpressionFault[],
): void {
  const at = [...path, expression.op];
  const within = (operands: readonly Expression[], paths = known, from = 0) => {
    operands.forEach((operand, i) => {
      visit(operand, [...at, from + i], paths, faults);
    });
  };
  switch (expression.op) {
    case 'literal':
      if (typeof expression.value === 'string' && !isPrintable(expression.value))
        faults.push({ path, reason: 'has control characters' });
      return;
    case 'list':
      expression.items.forEach((item, i) => {
        visit(item, [...path, i], known, faults);
      });
      return;
    case 'var': {
      const name = expression.path.join('.');
      if (!known.includes(name))
        faults.push({ path: at, reason: 'names what these rules do not know', unknown: name, known });
      return;
    }
    case 'if':
      within([expression.guard, expression.then, expression.otherwise]);
      return;
    case 'reduce':
      within([expression.operand]);
      within([expression.lambda], IN_REDUCE, 1);
      within([expression.initial], known, 2);
      return;
    case '===':
    case 'in':
    case '+':
      within([expression.left, expression.right]);
      return;
    case '!':
    case 'plusTime':
    case 'extractFromUVCI':
    case 'dccDateOfBirth':
      within([expression.operand]);
      return;
    case 'and':
    case '<':
    case '>':
    case '<=':
    case '>=':
    case 'after':
    case 'before':
    case 'not-after':
    case 'not-before':
      within(expression.operands);
  }
}
