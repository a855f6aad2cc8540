/** The configuration file of a new region: what was decided stands in it, and every other key beside its meaning and default. */
import { stringify } from 'yaml';
import { type ConfigInput, configJsonSchema, type JsonSchema } from './schema.ts';

const HEAD = `# The node of one region. Relative paths begin at this directory. Lines that are commented out show defaults.
# Environment variables (ENTENTE_HTTP_PORT for http.port) and flags win over what stands here.
`;

const LINE_CHARS = 100;

export function firstConfigFile(values: ConfigInput): string {
  return `${HEAD}${linesOf(configJsonSchema(), values, 0).join('\n')}\n`;
}

function linesOf({ properties = {} }: JsonSchema, values: unknown, depth: number): string[] {
  return Object.entries(properties).flatMap(([key, member]) => {
    const value = memberOf(values, key);
    const lines =
      member.properties === undefined
        ? leafLines(key, member, value)
        : [`${key}:`, ...linesOf(member, value, depth + 1).map((line) => `  ${line}`)];
    return [...(depth === 0 ? [''] : []), ...comment(member.description), ...lines];
  });
}

function leafLines(key: string, { default: fallback }: JsonSchema, value: unknown): string[] {
  const shown = value ?? fallback;
  const text = shown === undefined ? `${key}:` : stringify({ [key]: shown }, { lineWidth: 0 }).trimEnd();
  return text.split('\n').map((line) => (value === undefined ? `# ${line}` : line));
}

function comment(text = ''): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + word.length < LINE_CHARS)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(`# ${word}`);
  }
  return lines;
}

function memberOf(values: unknown, key: string): unknown {
  return typeof values === 'object' && values !== null ? (values as Record<string, unknown>)[key] : undefined;
}
