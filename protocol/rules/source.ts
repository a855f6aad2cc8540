/**
 * Rule sets as people write them: days in place of seconds, a zone by its name, an overlay over another set, and examples.
 * What is written becomes the `rules` statement that everybody reads. Spec: docs/rules.md.
 */
import { parseDay } from './calendar.ts';
import { type RuleSetBody, type RuleSetFault } from './rule-set.ts';
import { RULE_LISTS } from './rule-set-schema.ts';
import { dayStartS, type Zone } from './zone.ts';

/** Gives the offsets of a zone from a time to another, both in seconds; undefined for a zone that there is not. */
export type ZoneOffsets = (zone: string, fromS: number, untilS: number) => Zone | undefined;

type Members = Readonly<Record<string, unknown>>;

const DAY_S = 86_400;
/** Measures may end after the rules that they came from. */
const BEYOND_S = 31 * DAY_S;

/** Members of a rule set that an overlay adds to and replaces in, name by name. */
const MAPS = ['facts', 'roles', 'places'] as const;
const EMPTY: Members = { requires: [], issuing: [], roles: {}, places: {}, acceptance: [], checks: [] };

/** The set that an overlay is written over, by id and version; undefined if it stands on its own. */
export function baseOf(source: unknown): { readonly id: string; readonly version: number } | undefined {
  const base = isMembers(source) ? source['base'] : undefined;
  if (!isMembers(base)) return undefined;
  const { id, version } = base;
  return typeof id === 'string' && typeof version === 'number' ? { id, version } : undefined;
}

/**
 * The overlay with all that it leaves to its base. A rule with an id of the base takes that one's place, others follow; `drop` names
 * what goes, by list or map. Examples are those of the overlay alone, since the colours of the base need not hold any more.
 */
export function overlaid(
  base: unknown,
  overlay: unknown,
): { readonly source: Members; readonly faults: readonly RuleSetFault[] } {
  const below = isMembers(base) ? base : {};
  const written = isMembers(overlay) ? overlay : {};
  const above = without(written, 'base', 'drop');
  const faults: RuleSetFault[] = [];
  const source: Record<string, unknown> = { ...below, examples: [], ...above };
  for (const name of RULE_LISTS) source[name] = mergedList(below[name], above[name]);
  for (const name of MAPS) source[name] = { ...membersOf(below[name]), ...membersOf(above[name]) };
  for (const [name, dropped] of Object.entries(membersOf(written['drop']))) {
    for (const [i, id] of (Array.isArray(dropped) ? (dropped as unknown[]) : []).entries()) {
      if (!isDropped(source, name, id, below))
        faults.push({ path: ['drop', name, i], reason: 'names nothing of the base' });
    }
  }
  return { source, faults };
}

/** What the statement of a source carries, but for faults that `readRuleSet` finds. */
export function bodyOf(
  source: unknown,
  zoneOffsets: ZoneOffsets,
): { readonly body?: RuleSetBody; readonly faults: readonly RuleSetFault[] } {
  if (!isMembers(source)) return { faults: [{ path: [], reason: 'is no map of names and values' }] };
  const { id, version, from, until, zone } = source;
  const faults: RuleSetFault[] = [];
  const dayOfMember = (name: string, value: unknown) => {
    const day = typeof value === 'string' ? parseDay(value) : undefined;
    const reason = value === undefined ? 'is missing' : 'is no day such as 2026-11-26';
    if (day === undefined) faults.push({ path: [name], reason });
    return day ?? 0;
  };
  const fromDay = dayOfMember('from', from);
  const untilDay = dayOfMember('until', until);
  const offsets =
    typeof zone === 'string' && faults.length === 0
      ? zoneOffsets(zone, (fromDay - 1) * DAY_S - BEYOND_S, (untilDay + 1) * DAY_S + BEYOND_S)
      : undefined;
  if (typeof zone !== 'string') faults.push({ path: ['zone'], reason: 'is missing' });
  else if (offsets === undefined && faults.length === 0)
    faults.push({ path: ['zone'], reason: 'is no time zone such as Asia/Shanghai or +08:00' });
  if (offsets === undefined) return { faults };
  const data = {
    format: 1,
    region: null,
    ...EMPTY,
    ...without(source, 'id', 'version', 'from', 'examples'),
    until: dayStartS(offsets, untilDay),
    zone,
    offsets: offsets.map(({ fromS, offsetS }) => [fromS, offsetS]),
  };
  const body = { id: id as string, version: version as number, fromS: dayStartS(offsets, fromDay), data };
  return { body, faults };
}

function mergedList(below: unknown, above: unknown): unknown {
  if (above !== undefined && !Array.isArray(above)) return above;
  const before = (Array.isArray(below) ? below : []) as unknown[];
  const after = (above ?? []) as unknown[];
  const replaced = before.map((rule) => after.find((other) => hasId(other, idOf(rule))) ?? rule);
  const added = after.filter((rule) => !before.some((other) => hasId(other, idOf(rule))));
  return [...replaced, ...added];
}

/** Takes `id` out of a list or map of `source`; tells whether the base had it. */
function isDropped(source: Record<string, unknown>, name: string, id: unknown, below: Members): boolean {
  const held = source[name];
  const was = below[name];
  if (Array.isArray(held) && Array.isArray(was)) {
    source[name] = held.filter((rule) => !hasId(rule, id));
    return was.some((rule) => hasId(rule, id));
  }
  if (typeof id !== 'string' || !isMembers(held) || !isMembers(was)) return false;
  source[name] = Object.fromEntries(Object.entries(held).filter(([key]) => key !== id));
  return Object.hasOwn(was, id);
}

function idOf(rule: unknown): unknown {
  return isMembers(rule) ? rule['id'] : undefined;
}

function hasId(rule: unknown, id: unknown): boolean {
  return id !== undefined && idOf(rule) === id;
}

function without(members: Members, ...names: readonly string[]): Members {
  return Object.fromEntries(Object.entries(members).filter(([name]) => !names.includes(name)));
}

function membersOf(value: unknown): Members {
  return isMembers(value) ? value : {};
}

function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
