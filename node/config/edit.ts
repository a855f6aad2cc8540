/** Changes in the text of a configuration file that leave every other line as it is, comments included. */
import { isCollection, isMap, isNode, type Node, type Pair, stringify } from 'yaml';
import { configError } from './problems.ts';
import { parseYaml, startOf, type YamlText } from './yaml-text.ts';

/** One change of the file. The key is removed where `value` is undefined. */
export interface ConfigEdit {
  readonly at: readonly string[];
  readonly value: unknown;
}

/** @throws {NodeError} CONFIG_INVALID if the text is no YAML, or the change is within braces, where a line is more than one key. */
export function edited(path: string, text: string, { at, value }: ConfigEdit): string {
  const yaml = parseYaml(path, text);
  const pairs = yaml.pairsTo(at);
  if (
    pairs.some(
      ({ value: inner }, i) =>
        i < at.length - 1 && isMap(inner) && inner.flow === true && inner.items.length > 0,
    )
  ) {
    throw configError(path, [`${at.join('.')}: within braces; write one key per line to have it changed`]);
  }
  const last = pairs.at(-1);
  if (pairs.length === at.length && last !== undefined) {
    return value === undefined ? withoutPair(text, last) : withPair(yaml, text, last, value);
  }
  if (value === undefined) return text;
  const [key = '', ...below] = at.slice(pairs.length);
  const added = below.reduceRight((inner, name) => ({ [name]: inner }), value);
  if (last !== undefined && !(isMap(last.value) && last.value.items.length > 0)) {
    return withPair(yaml, text, last, { [key]: added });
  }
  return withMember(yaml, text, last === undefined ? yaml.document.contents : last.value, key, added);
}

/** The pair's text, from its key to the end of its value, written anew. */
function withPair(yaml: YamlText, text: string, pair: Pair, value: unknown): string {
  const key = keyOf(pair);
  const lines = blockOf(text.slice(startOf(key), endOf(key)), value, yaml.columnAt(key));
  return text.slice(0, startOf(key)) + lines.slice(yaml.columnAt(key)) + text.slice(endOfPair(pair));
}

/** A new member after the last one of a map that has some. */
function withMember(yaml: YamlText, text: string, map: unknown, key: string, value: unknown): string {
  const last = isMap(map) ? map.items.at(-1) : undefined;
  if (last === undefined) return `${text}${blockOf(key, value, 0)}\n`;
  const indent = yaml.columnAt(keyOf(last));
  const end = commentsEnd(text, lineEnd(text, endOfPair(last)), indent);
  const lines = blockOf(key, value, indent);
  return `${text.slice(0, end)}\n${lines}${text.slice(end)}`;
}

function withoutPair(text: string, pair: Pair): string {
  const from = text.lastIndexOf('\n', startOf(keyOf(pair)) - 1) + 1;
  return text.slice(0, from) + text.slice(lineEnd(text, endOfPair(pair)) + 1);
}

function blockOf(key: string, value: unknown, indent: number): string {
  // A value may end in a blank of some other script: the line end is all that goes.
  const lines = stringify({ [key]: value }, { lineWidth: 0 })
    .split('\n')
    .slice(0, -1);
  return lines.map((line) => ' '.repeat(indent) + line).join('\n');
}

function keyOf({ key }: Pair): Node {
  if (isNode(key)) return key;
  throw new TypeError('a parsed pair has a key');
}

/** A block map ends where its last value does: what follows may be a comment. */
function endOfPair(pair: Pair): number {
  const { value } = pair;
  if (!isNode(value)) return endOf(keyOf(pair)) + 1;
  if (!isCollection(value) || value.flow === true) return endOf(value);
  const last = value.items.at(-1);
  return isNode(last) ? endOf(last) : last === undefined ? endOf(value) : endOfPair(last as Pair);
}

function endOf(node: Node): number {
  return node.range?.[1] ?? 0;
}

/** The end of the comments that follow and stand further in: they are about what is before them. */
function commentsEnd(text: string, end: number, indent: number): number {
  const comments = new RegExp(`(\\n {${indent + 1},}#.*)*`, 'y');
  comments.lastIndex = end;
  return end + (comments.exec(text)?.[0].length ?? 0);
}

function lineEnd(text: string, from: number): number {
  const end = text.indexOf('\n', from);
  return end < 0 ? text.length : end;
}
