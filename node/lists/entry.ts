/** All that one list says of one person or area, put together from its rows, and as it is kept. */
import { z } from 'zod';
import { encodePaddedJson, membersOf, parsePaddedJson } from '../registry/padded-json.ts';
import { type Identity, identitySchema } from './identity.ts';
import { type ListKind, KINDS, type Said } from './kinds.ts';

/** Names under which a list may say something of one person: areas of stays. */
const SAID_MAX = 64;
/** Lengths of entries at rest are multiples of this, so that they tell little of what stands there. */
const PADDED_BYTES = 128;

const entrySchema = z.strictObject({
  identity: identitySchema,
  /** The value under each name, and the line that it comes from. */
  said: z.record(z.string(), z.tuple([z.string(), z.int()])),
  /** The first of its rows. */
  line: z.int(),
});
export type ListEntry = Readonly<z.infer<typeof entrySchema>>;

/** Why a further row cannot stand beside the earlier ones about the same person. */
export interface Contradiction {
  readonly column?: string;
  readonly reason: string;
}

export function entryOf(identity: Identity, said: Said, line: number): ListEntry {
  const values = Object.entries(said).map(([name, value]) => [name, [value, line]] as const);
  return { identity: { ...identity }, said: Object.fromEntries(values) as ListEntry['said'], line };
}

/** What `entry` and a further row about the same person say together, or how the two contradict each other. */
export function merged(kind: ListKind, entry: ListEntry, further: ListEntry): ListEntry | Contradiction {
  const [before, now] = [entry.identity, further.identity];
  for (const [member, column] of [
    ['birthDate', 'birth_date'],
    ['name', 'full_name'],
  ] as const) {
    const isKnown = before[member] !== undefined && now[member] !== undefined;
    if (isKnown && before[member] !== now[member])
      return { column, reason: `is another one than in line ${entry.line}` };
  }
  const said = { ...entry.said };
  for (const [name, [value, line]] of Object.entries(further.said)) {
    const known = Object.hasOwn(said, name) ? said[name] : undefined;
    if (known !== undefined && KINDS[kind].merge === 'same' && known[0] !== value)
      return {
        column: Object.hasOwn(KINDS[kind].columns, name) ? name : 'day',
        reason: `says otherwise than line ${known[1]}`,
      };
    if (known === undefined || value > known[0]) said[name] = [value, line];
  }
  if (Object.keys(said).length > SAID_MAX)
    return { reason: `is one of more than ${SAID_MAX} of one person, which begin with line ${entry.line}` };
  return { identity: { ...now, ...withoutUnknown(before) }, said, line: entry.line };
}

export function saidOf({ said }: ListEntry): Said {
  return Object.fromEntries(Object.entries(said).map(([name, [value]]) => [name, value]));
}

export function encodeEntry(entry: ListEntry): Uint8Array {
  return encodePaddedJson(entry, PADDED_BYTES);
}

const MEMBERS = membersOf(entrySchema);

/** From bytes that were opened with the key of the registry. @throws {NodeError} as `parsePaddedJson`. */
export function parseEntry(bytes: Uint8Array): ListEntry {
  return parsePaddedJson(bytes, MEMBERS) as ListEntry;
}

function withoutUnknown(identity: ListEntry['identity']): ListEntry['identity'] {
  return Object.fromEntries(Object.entries(identity).filter(([, value]) => value !== undefined));
}
