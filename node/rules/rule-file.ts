/** Files of rules: YAML or JSON as people write them, over a profile or another file, and where in them something is wrong. */
import { type Document, isMap, isScalar, isSeq, type Node, visit } from 'yaml';
import { type Example, readExamples } from '../../protocol/rules/examples.ts';
import { faultsAtGate } from '../../protocol/rules/gate-trial.ts';
import { readRuleSet, type RuleSet, type RuleSetFault } from '../../protocol/rules/rule-set.ts';
import { RULE_LISTS } from '../../protocol/rules/rule-set-schema.ts';
import { baseOf, bodyOf, overlaid } from '../../protocol/rules/source.ts';
import { nearestOf } from '../config/nearest.ts';
import { readYaml, type YamlText } from '../config/yaml-text.ts';
import { zoneOffsets } from './zone-offsets.ts';

/** Characters of a file: several times what fits into a rule set. */
export const RULE_FILE_BYTES_MAX = 262_144;

/** Brackets within each other, and columns before the first word of a line: a rule set has half as many, and no parser runs out of stack. */
const NESTING_MAX = 64;
const INDENTED_BEYOND = /^[\s\-?:]{200}/m;

/** Members of any map or list: examples may be as many, and of all else a rule set has fewer. So what each fault costs is bounded. */
const MEMBERS_MAX = 1_024;

/** Characters of a word that is told of a fault. */
const WORD_CHARS_MAX = 64;

/** What is wrong with a file of rules. `line` counts from 1 and is undefined for what does not stand in it. */
export interface RuleFileFault {
  readonly line: number | undefined;
  readonly path: string;
  readonly reason: string;
}

export interface RuleFile {
  readonly ruleSet: RuleSet;
  readonly examples: readonly Example[];
  /** The file says itself whose midnights count, and no base does. */
  readonly hasOwnZone: boolean;
  /** What was written, with all that came from the base: another file can be laid over it. */
  readonly source: unknown;
}

/** Gives the source of a set that overlays name; undefined if there is none such. */
export type Bases = (base: { readonly id: string; readonly version: number }) => unknown;

/** Reads a file of rules, or says all that is wrong with it. */
export function readRuleFile(
  text: string,
  bases: Bases,
): { readonly file?: RuleFile; readonly faults: readonly RuleFileFault[] } {
  if (INDENTED_BEYOND.test(text) || isNestedBeyond(text, NESTING_MAX)) {
    return { faults: [{ line: undefined, path: '', reason: 'is nested deeper than any rules are' }] };
  }
  const { yaml, problems } = readYaml(text);
  if (problems.length > 0)
    return { faults: problems.map(({ line, message }) => ({ line, path: '', reason: message })) };
  const large = largeCollection(yaml.document);
  if (large !== undefined) {
    const reason = `has more than ${MEMBERS_MAX} members, more than any rules have`;
    return { faults: [{ line: yaml.lineAt(large), path: '', reason }] };
  }

  const written: unknown = yaml.document.toJS();
  const base = baseOf(written);
  const below = base && bases(base);
  const isOverlay = typeof written === 'object' && written !== null && Object.hasOwn(written, 'base');
  if (isOverlay && below === undefined) {
    const reason =
      base === undefined ? 'expects id and version of a profile' : 'names no profile that there is';
    return { faults: [placed(yaml, written, { path: ['base'], reason })] };
  }
  const { source, faults: ofOverlay } = isOverlay
    ? overlaid(below, written)
    : { source: written, faults: [] };
  const { body, faults: ofBody } = bodyOf(source, zoneOffsets);
  const read = body && readRuleSet(body);
  const examples = readExamples((source as { readonly examples?: unknown } | null)?.examples);
  const ruleSet = read?.ruleSet;
  const ofRules = ruleSet === undefined ? (read?.faults ?? []) : faultsAtGate(ruleSet);
  const faults = [...ofOverlay, ...ofBody, ...ofRules, ...examples.faults];
  if (faults.length > 0 || ruleSet === undefined) {
    return { faults: faults.map((fault) => placed(yaml, source, fault)) };
  }
  const hasOwnZone = Object.hasOwn(written as object, 'zone');
  return { file: { ruleSet, examples: examples.examples, hasOwnZone, source }, faults: [] };
}

/** The fault with the line in which it stands, or the nearest part of the file above it. */
function placed(yaml: YamlText, source: unknown, fault: RuleSetFault): RuleFileFault {
  const { path } = fault;
  return {
    line: lineOf(yaml, writtenPath(yaml, source, path)),
    path: named(source, path),
    reason: reasonText(fault),
  };
}

/** The reason with the name that nothing is known under, unless the path ends with it, and what was probably meant. */
function reasonText({ path, reason, unknown, known = [] }: RuleSetFault): string {
  if (unknown === undefined || path.at(-1) === unknown) return reason;
  const word = unknown.slice(0, WORD_CHARS_MAX);
  const near = nearestOf(word, known);
  return `${reason}: ${word}${near === undefined ? '' : `; did you mean ${near}?`}`;
}

/** Rules of an overlay have other numbers in the whole than in their file: their place in it, by id. */
function writtenPath(yaml: YamlText, source: unknown, path: RuleSetFault['path']): RuleSetFault['path'] {
  const [list, index, ...rest] = path;
  const id = idAt(source, path);
  const written = isMap(yaml.document.contents) ? yaml.document.contents.get(String(list), true) : undefined;
  if (id === undefined || typeof index !== 'number' || !isSeq(written)) return path;
  const at = written.items.findIndex((item) => isMap(item) && item.get('id') === id);
  return at < 0 ? [] : [String(list), at, ...rest];
}

/** `issuing control-list when.and.0`: rules by their id, since nobody counts them. */
function named(source: unknown, path: RuleSetFault['path']): string {
  const id = idAt(source, path);
  const parts = id === undefined ? path : [path[0], id, ...path.slice(2)];
  return parts.join('.');
}

function idAt(source: unknown, [list, index]: RuleSetFault['path']): string | undefined {
  if (!RULE_LISTS.some((name) => name === list) || typeof index !== 'number') return undefined;
  const rules = (source as Readonly<Record<string, unknown>>)[String(list)];
  const rule: unknown = Array.isArray(rules) ? rules[index] : undefined;
  const id = (rule as { readonly id?: unknown } | null | undefined)?.id;
  return typeof id === 'string' ? id : undefined;
}

function lineOf(yaml: YamlText, path: RuleSetFault['path']): number | undefined {
  let node: unknown = yaml.document.contents;
  let line: number | undefined;
  for (const name of path) {
    let next: unknown;
    if (isSeq(node) && typeof name === 'number') next = node.items[name];
    else if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(name));
      if (isScalar(pair?.key)) line = yaml.lineAt(pair.key);
      next = pair?.value;
    }
    if (next === undefined || next === null) break;
    node = next;
    if (isSeq(next) || isMap(next) || isScalar(next)) line ??= yaml.lineAt(next);
    if (typeof name === 'number') line = yaml.lineAt(next as Node);
  }
  return line;
}

/** A map or list with more members than any rules have. */
function largeCollection(document: Document): Node | undefined {
  let large: Node | undefined;
  visit(document, {
    Collection: (_key, node) => {
      if (node.items.length <= MEMBERS_MAX) return undefined;
      large = node;
      return visit.BREAK;
    },
  });
  return large;
}

/** Counts brackets wherever they stand: text seldom has so many of one kind open. */
function isNestedBeyond(text: string, max: number): boolean {
  let depth = 0;
  for (const character of text) {
    if (character === '[' || character === '{') depth++;
    else if (character === ']' || character === '}') depth--;
    if (depth > max) return true;
  }
  return false;
}
