/** A YAML text and where in it things stand. */
import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  visit,
  type YAMLMap,
} from 'yaml';
import { configError } from './problems.ts';

export class YamlText {
  readonly document: Document;
  readonly #lines: LineCounter;

  constructor(document: Document, lines: LineCounter) {
    this.document = document;
    this.#lines = lines;
  }

  /** From 1. */
  lineAt(node: Node): number {
    return this.#lines.linePos(startOf(node)).line;
  }

  /** Spaces before the node in its line. */
  columnAt(node: Node): number {
    return this.#lines.linePos(startOf(node)).col - 1;
  }

  /** The pairs that the keys from the top lead through, as far as they are there. */
  pairsTo(at: readonly string[]): Pair[] {
    const pairs: Pair[] = [];
    let node: unknown = this.document.contents;
    for (const key of at) {
      const pair: Pair | undefined = isMap(node) ? node.items.find((item) => isNamed(item, key)) : undefined;
      if (pair === undefined) break;
      pairs.push(pair);
      node = pair.value;
    }
    return pairs;
  }
}

/** What is wrong with a YAML text, and the line from 1. */
export interface YamlProblem {
  readonly line: number;
  readonly message: string;
}

/**
 * Plain YAML only: no anchors, tags, second documents, repeated keys or keys that are no plain values, so that what is read is what a person sees.
 * A text with problems is not to be used.
 */
export function readYaml(text: string): {
  readonly yaml: YamlText;
  readonly problems: readonly YamlProblem[];
} {
  const lines = new LineCounter();
  // The parser's own look for repeated keys compares each with each.
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: false });
  const yaml = new YamlText(document, lines);
  const problems: YamlProblem[] = [...document.errors, ...document.warnings].map(({ pos, message }) => ({
    line: lines.linePos(pos[0]).line,
    message,
  }));
  visit(document, {
    Node: (_key, node) => {
      if (isAlias(node) || node.anchor !== undefined) {
        problems.push({ line: yaml.lineAt(node), message: 'anchors and aliases are not taken' });
      }
      if (isMap(node)) problems.push(...problemsOfKeys(yaml, node));
    },
  });
  return { yaml, problems };
}

/** Keys are the same if their text is: `1` and `"1"` are one name. */
function problemsOfKeys(yaml: YamlText, map: YAMLMap): YamlProblem[] {
  const names = new Set<string>();
  return map.items.flatMap(({ key }) => {
    const line = yaml.lineAt(isNode(key) ? key : map);
    if (key !== null && !isScalar(key)) return [{ line, message: 'keys are plain values, no maps or lists' }];
    const name = String(key === null ? null : key.value);
    if (names.has(name)) return [{ line, message: 'keys of a map must be unique' }];
    names.add(name);
    return [];
  });
}

/** The same for a configuration. @throws {NodeError} CONFIG_INVALID naming the lines; `path` is for the message alone. */
export function parseYaml(path: string, text: string): YamlText {
  const { yaml, problems } = readYaml(text);
  const told = problems.map(({ line, message }) => `line ${line}: ${message}`);
  if (told.length > 0) throw configError(path, told);
  return yaml;
}

export function startOf(node: Node): number {
  return node.range?.[0] ?? 0;
}

function isNamed({ key }: Pair, name: string): boolean {
  return isScalar(key) && String(key.value) === name;
}
