/** What is wrong with a configuration, said so that it can be put right: where, what was expected, what was probably meant. */
import { type z } from 'zod';
import { NodeError } from '../node-error.ts';
import { nearestOf } from './nearest.ts';
import { configJsonSchema, type JsonSchema } from './schema.ts';
import { allSettings } from './settings.ts';

/** Of many problems the first are told; the others often follow from them. */
const PROBLEMS_TOLD = 5;

const WORD_CHARS_MAX = 64;

/** Says of keys from the top where they come from, such as `line 12` or the name of a variable. */
export type Locate = (at: readonly string[]) => string;

export function configError(where: string, problems: readonly string[], cause?: unknown): NodeError {
  const told = problems.slice(0, PROBLEMS_TOLD);
  const rest = problems.length - told.length;
  const lines = rest > 0 ? [...told, `and ${rest} more`] : told;
  const message = lines.length === 1 ? `${where}: ${lines.join('')}` : [`${where}:`, ...lines].join('\n  ');
  return new NodeError('CONFIG_INVALID', message, {
    cause,
    hint: 'docs/operations.md lists every key; `entente config schema` prints the JSON schema.',
  });
}

export function problemsOf(issues: readonly z.core.$ZodIssue[], locate: Locate): string[] {
  return issues.flatMap((issue) => {
    const at = issue.path.map(String);
    if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey([...at, key], locate));
    const text = issue.code === 'invalid_key' ? issue.issues[0]?.message : issue.message;
    const isMissing = issue.code === 'invalid_type' && issue.message.endsWith('received undefined');
    return [`${locate(at)}: ${nameOf(at)}: ${isMissing ? 'is missing' : (text ?? 'not as expected')}`];
  });
}

function unknownKey(at: readonly string[], locate: Locate): string {
  const key = at.at(-1) ?? '';
  const above = at.slice(0, -1);
  const siblings = Object.keys(schemaAt(above)?.properties ?? {});
  const near = nearestOf(key.slice(0, WORD_CHARS_MAX), siblings);
  const elsewhere = allSettings()
    .find((setting) => setting.at.at(-1) === key)
    ?.at.join('.');
  const meant = near === undefined ? elsewhere : nameOf([...above, near]);
  const hint = meant === undefined ? `known are ${siblings.join(', ')}` : `did you mean ${meant}?`;
  return `${locate(at)}: unknown key ${nameOf(at)}: ${hint}`;
}

function nameOf(at: readonly string[]): string {
  return at.map((key) => key.slice(0, WORD_CHARS_MAX)).join('.') || 'the whole';
}

function schemaAt(at: readonly string[]): JsonSchema | undefined {
  let schema: JsonSchema | undefined = configJsonSchema();
  for (const key of at) {
    const values: JsonSchema['additionalProperties'] = schema?.additionalProperties;
    schema = schema?.properties?.[key] ?? (typeof values === 'object' ? values : undefined);
  }
  return schema;
}
