/** Every single setting of the configuration, as its schema has it: for the environment, the reference and the first file. */
import { configJsonSchema, type JsonSchema } from './schema.ts';

export interface Setting {
  /** Keys from the top, as in `['http', 'port']`. */
  readonly at: readonly string[];
  readonly kind: 'text' | 'number' | 'boolean' | 'list' | 'map';
  readonly description: string;
  /** Undefined where there is none. */
  readonly fallback: unknown;
}

let settings: readonly Setting[] | undefined;

/** In the order of the file. Made when it is first asked for: most commands end without it, and it is a tenth of their start. */
export function allSettings(): readonly Setting[] {
  return (settings ??= settingsBelow([], configJsonSchema()));
}

/** The environment variable that stands for a setting: `ENTENTE_HTTP_PORT` for `http.port`. */
export function variableOf({ at }: Pick<Setting, 'at'>): string {
  return `ENTENTE_${at.map((key) => key.replaceAll(/[A-Z]/g, '_$&').toUpperCase()).join('_')}`;
}

function settingsBelow(at: readonly string[], { properties }: JsonSchema): Setting[] {
  return Object.entries(properties ?? {}).flatMap(([key, node]) => {
    const here = [...at, key];
    if (node.properties !== undefined) return settingsBelow(here, node);
    const { description = '', default: fallback } = node;
    return [{ at: here, kind: kindOf(node), description, fallback }];
  });
}

function kindOf({ type }: JsonSchema): Setting['kind'] {
  if (type === 'integer' || type === 'number') return 'number';
  if (type === 'boolean') return 'boolean';
  if (type === 'array') return 'list';
  return type === 'object' ? 'map' : 'text';
}
