/** Settings from the environment and from flags, over those of the file. */
import { nearestOf } from './nearest.ts';
import { allSettings, type Setting, variableOf } from './settings.ts';

/** Dotted names and values as text: `['http.port', '8600']`. */
export type NamedSettings = readonly (readonly [name: string, text: string])[];

/** Variables of other parts of the program. */
const OTHER_VARIABLES: ReadonlySet<string> = new Set(['ENTENTE_VECTORS']);

export interface Overlay {
  /** Variables of this process; those that do not begin with `ENTENTE_` are not looked at. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** From the command line; they win over the environment. */
  readonly settings?: NamedSettings;
}

export interface Overlaid {
  readonly at: readonly string[];
  readonly value: unknown;
  /** The variable or flag, for messages. */
  readonly source: string;
}

/** The settings in the order in which they apply, and what is not known among them. */
export function overlaysOf({ environment = {}, settings = [] }: Overlay): {
  readonly overlaid: readonly Overlaid[];
  readonly problems: readonly string[];
} {
  const variables = Object.entries(environment).flatMap(([name, text]) =>
    name.startsWith('ENTENTE_') && !OTHER_VARIABLES.has(name) && text !== undefined
      ? [[name, text] as const]
      : [],
  );
  const found = [
    ...variables.map(([name, text]) => findSetting(variableOf, name, name, text)),
    ...settings.map(([name, text]) => findSetting(nameOf, name, `--set ${name}`, text)),
  ];
  return {
    overlaid: found.flatMap((one) => (typeof one === 'string' ? [] : [one])),
    problems: found.filter((one) => typeof one === 'string'),
  };
}

/** Puts the values into a copy of `value`. */
export function overlay(value: unknown, overlaid: readonly Overlaid[]): unknown {
  return overlaid.reduce((whole, { at, value: part }) => put(whole, at, part), value);
}

function put(value: unknown, [key, ...rest]: readonly string[], part: unknown): unknown {
  if (key === undefined) return part;
  const map = isMap(value) ? value : {};
  return { ...map, [key]: put(map[key], rest, part) };
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Peers are a map with keys of their own: they are set in the file only. */
const isSingle = ({ kind }: Setting): boolean => kind !== 'map';
const nameOf = ({ at }: Setting): string => at.join('.');

function findSetting(
  called: (setting: Setting) => string,
  name: string,
  source: string,
  text: string,
): Overlaid | string {
  const known = allSettings().filter(isSingle);
  const setting = known.find((one) => called(one) === name);
  if (setting !== undefined) return { at: setting.at, value: valueOf(setting, text), source };
  const near = nearestOf(name.slice(0, 64), known.map(called));
  return `${source}: unknown setting${near === undefined ? '' : `: did you mean ${near}?`}`;
}

/** Text that is not of the setting's kind stays text, so that the schema refuses it. */
function valueOf({ kind }: Setting, text: string): unknown {
  if (kind === 'number' && /^-?\d{1,15}$/.test(text)) return Number(text);
  if (kind === 'boolean' && /^(true|false)$/.test(text)) return text === 'true';
  if (kind === 'list') return text === '' ? [] : text.split(',').map((item) => item.trim());
  return text;
}
