/** All that a region keeps of a person who declared: the newest declaration, what counts on of those before, and how the colour changed. As it is kept. */
import { z } from 'zod';
import { type Status } from '../../protocol/code/status.ts';
import { LIST_KINDS } from '../lists/kinds.ts';
import { broughtBySchema } from '../operators/brought-by.ts';
import { encodePaddedJson, membersOf, parsePaddedJson } from '../registry/padded-json.ts';
import { byPlace } from '../registry/pages.ts';
import { registryCorrupt } from '../registry/registry-error.ts';
import { type Declaration, declarationSchema } from './declaration.ts';
import { earlierSchema } from './earlier.ts';

/** Lengths at rest are multiples of this, so that they tell little of what stands there. */
const PADDED_BYTES = 256;
/** Changes of a person that are remembered, the newest first. */
export const CHANGES_MAX = 32;
/** Objections of a person that are remembered, the newest first. */
export const OBJECTIONS_MAX = 32;
export const OBJECTION_TEXT_CHARS_MAX = 1_000;

const status = z.strictObject({
  colour: z.enum(['green', 'yellow', 'red']),
  measure: z.enum(['none', 'home', 'isolate']),
  untilS: z.int().optional(),
  expiresAtS: z.int(),
  ruleId: z.string(),
  ruleVersion: z.int(),
});

/** Why somebody revoked a code by hand, as its holder is told: characters that can be printed in one line. */
export const becauseSchema = z
  .string()
  .trim()
  .regex(/^[^\p{C}\p{Zl}\p{Zp}]{1,200}$/u, 'expected 1 to 200 characters in one line');

/** Where facts that decided stood. */
export const sourceSchema = z.union([
  z.strictObject({
    from: z.literal('declaration'),
    source: z.string(),
    operator: broughtBySchema.optional(),
    atS: z.int(),
  }),
  /** `isAlone`: nothing that the region knew itself said as much. */
  z.strictObject({ from: z.literal('order'), atS: z.int(), isAlone: z.literal(true).optional() }),
  z.strictObject({
    from: z.literal('list'),
    list: z.enum(LIST_KINDS),
    version: z.int(),
    line: z.int(),
    by: z.enum(['document', 'name']),
    source: z.string(),
    operator: broughtBySchema.optional(),
    atS: z.int(),
  }),
]);
export type FactSource = Readonly<z.infer<typeof sourceSchema>>;

/**
 * `first`: the first code. `worse`: a stricter colour, or the same with a stricter measure or for longer. `better`: the reverse.
 * `renewed`: the same, since the code ended. `found`: a code that was issued otherwise, as with `entente issue`. `override`: one that no
 * rule gave, and that counts beside what rules give. `revoked`: the code of the change before was revoked by hand; `log` and `index` are its.
 */
export const CHANGE_KINDS = ['first', 'worse', 'better', 'renewed', 'found', 'override', 'revoked'] as const;
export type ChangeKind = (typeof CHANGE_KINDS)[number];
/** Of changes that come of rules with an update. */
export type RuledKind = Exclude<ChangeKind, 'found' | 'override' | 'revoked'>;

export const changeSchema = z.strictObject({
  kind: z.enum(CHANGE_KINDS),
  atS: z.int(),
  status,
  log: z.string(),
  index: z.int().nonnegative(),
  /** It is bound to a device or a document, as the next one will be. */
  isBound: z.boolean(),
  /** The rule that gave the colour, and why in words; none for green, which comes of no rule. */
  rule: z.string().optional(),
  why: z.string(),
  because: z.string().optional(),
  /** `2026-11-26`, the first day of the measure. */
  since: z.string().optional(),
  sources: z.array(sourceSchema),
  /** The objection that it corrects. */
  corrects: z.int().optional(),
  /** Codes were revoked to make place for it. */
  madePlace: z.literal(true).optional(),
  /** Facts that were told with an order and that lists in force by then said too, as an update saw it first: they count as lists say them. */
  listed: z.array(z.string()).optional(),
  /** It was seen to be revoked: when first, and whether the person has declared anew since. Of the newest code, and of those that orders gave. */
  withdrawn: z.strictObject({ isDeclared: z.boolean(), notedAtS: z.int().optional() }).optional(),
});
export type StatusChange = Readonly<z.infer<typeof changeSchema>>;

/**
 * `upheld`: the region was wrong, and the data is being mended. `corrected`: the code that it is about was revoked, and a better colour
 * came of that. `ended`: it was upheld, and that code ended before anything was to be corrected.
 */
export const OBJECTION_STATES = ['open', 'upheld', 'rejected', 'corrected', 'ended'] as const;
export const objectionSchema = z.strictObject({
  /** From 1 for each person. */
  number: z.int().min(1),
  state: z.enum(OBJECTION_STATES),
  text: z.string().max(OBJECTION_TEXT_CHARS_MAX),
  /** The code that it is about: the newest when it was opened. */
  about: z.strictObject({ log: z.string(), index: z.int().nonnegative() }).optional(),
  openedAtS: z.int(),
  /** By whom, where operators are named. */
  openedBy: z.strictObject({ name: z.string(), keyId: z.string() }).optional(),
  /** By when it is to be decided. */
  dueAtS: z.int(),
  decidedAtS: z.int().optional(),
  answer: z.string().max(OBJECTION_TEXT_CHARS_MAX).optional(),
  correctedAtS: z.int().optional(),
  endedAtS: z.int().optional(),
});
export type Objection = Readonly<z.infer<typeof objectionSchema>>;

export const dossierSchema = z.strictObject({
  declaration: declarationSchema,
  /** Who gave the declaration, in the words of who handed it in; who that was; and when it came. */
  source: z.string(),
  operator: broughtBySchema.optional(),
  receivedAtS: z.int(),
  /** Of declarations before that one. */
  earlier: earlierSchema.optional(),
  changes: z.array(changeSchema).max(CHANGES_MAX),
  objections: z.array(objectionSchema).max(OBJECTIONS_MAX),
  /** As older software noted of the newest code that it was revoked. */
  withdrawn: z
    .strictObject({
      log: z.string(),
      index: z.int().nonnegative(),
      isDeclared: z.boolean(),
      notedAtS: z.int().optional(),
    })
    .optional(),
  /** Codes are being revoked, or are, to make place for another that is not issued yet: noted here, or by a mark (dossier-shelf.ts). */
  isRevoking: z.literal(true).optional(),
});
export type Dossier = Readonly<z.infer<typeof dossierSchema>>;

/** Of green renewals that follow each other the newest is kept. */
export function withChange(dossier: Dossier, change: StatusChange): Dossier {
  const [newest, ...older] = dossier.changes;
  const isRenewedAgain =
    newest?.kind === 'renewed' && change.kind === 'renewed' && change.status.colour === 'green';
  const before = isRenewedAgain ? older : dossier.changes;
  return { ...dossier, changes: withinMax([change, ...before], change.atS) };
}

/** With a code that an order gave among the others, in the order in which they were issued. */
export function withFound(dossier: Dossier, found: StatusChange, nowS: number): Dossier {
  const older = dossier.changes.findIndex((change) => byPlace(change, found) < 0);
  const at = older < 0 ? dossier.changes.length : older;
  return { ...dossier, changes: withinMax(dossier.changes.toSpliced(at, 0, found), nowS) };
}

/** Without the oldest; what an order gave counts until it is over, and is forgotten last. */
function withinMax(changes: readonly StatusChange[], nowS: number): StatusChange[] {
  if (changes.length <= CHANGES_MAX) return [...changes];
  const isOver = ({ kind, status }: StatusChange) => kind !== 'found' || status.expiresAtS <= nowS;
  const at = changes.findLastIndex((change, i) => i > 0 && isOver(change));
  return withinMax(changes.toSpliced(at < 0 ? changes.length - 1 : at, 1), nowS);
}

/** A later revocation by hand must not be taken for one of ours. */
export function withoutIntent(dossier: Dossier): Dossier {
  return { ...dossier, isRevoking: undefined };
}

/** The newest code by rules, running or over. */
export function newestByRules({ changes }: Dossier): StatusChange | undefined {
  return changes.find(({ kind }) => kind !== 'override' && kind !== 'revoked');
}

export function statusToKeep({ untilS, ...status }: Status): StatusChange['status'] {
  return untilS === undefined ? status : { ...status, untilS };
}

export function encodeDossier(dossier: Dossier): Uint8Array {
  return encodePaddedJson(dossier, PADDED_BYTES);
}

const MEMBERS = membersOf(dossierSchema);

/** From bytes that were opened with the key of the registry. @throws {NodeError} as `parsePaddedJson`, and where it does not say whose it is. */
export function parseDossier(bytes: Uint8Array): Dossier {
  const { withdrawn, ...dossier } = parsePaddedJson(bytes, MEMBERS) as Dossier;
  if (!isShaped(dossier)) throw registryCorrupt('what is kept of somebody is not as this software keeps it');
  if (withdrawn === undefined) return dossier;
  const { log, index, ...noted } = withdrawn;
  const isIt = (change: StatusChange) => change.kind !== 'revoked' && byPlace(change, { log, index }) === 0;
  const changes = dossier.changes.map((one) => (isIt(one) ? { ...one, withdrawn: noted } : one));
  return { ...dossier, changes };
}

/** What all that is done with a dossier rests on: what stands in there is as whoever has the key wrote it. */
function isShaped({
  declaration,
  changes,
  objections,
}: { readonly [member in keyof Dossier]?: unknown }): boolean {
  const { subject, identity, said } = (declaration ?? {}) as {
    readonly [member in keyof Declaration]?: unknown;
  };
  const areThere =
    typeof identity === 'object' && identity !== null && typeof said === 'object' && said !== null;
  return typeof subject === 'string' && areThere && Array.isArray(changes) && Array.isArray(objections);
}
