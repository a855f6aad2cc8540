/**
 * What a person told before the newest declaration, and counts on: who they said they are, and for 14 days symptoms, contacts and
 * stays. Declaring again takes nothing back; only an objection that is upheld does, with all that was told by then.
 */
import { z } from 'zod';
import { type Identity, identitySchema } from '../lists/identity.ts';
import { AREA_CHARS_MAX } from '../lists/kinds.ts';
import { type BroughtBy, broughtBySchema } from '../operators/brought-by.ts';
import { type Declaration, saidSchema } from './declaration.ts';
import { type Objection } from './dossier.ts';

const DAY_S = 86_400;
const COUNTS_S = 14 * DAY_S;
/** Other names and documents of one person. */
export const EARLIER_IDENTITIES_MAX = 4;
/** Areas that a person told of, within 14 days and before the newest declaration. */
export const EARLIER_AREAS_MAX = 64;

/** When it was told, who gave the declaration, and who handed it in. */
const told = { atS: z.int().nonnegative(), source: z.string(), operator: broughtBySchema.optional() };

export const earlierSchema = z.strictObject({
  identities: z.array(z.strictObject({ identity: identitySchema, ...told })),
  symptoms: z.strictObject(told).optional(),
  /** The newest. */
  contact: z.strictObject({ day: saidSchema.shape.contact.unwrap(), ...told }).optional(),
  /** Of each area the newest. */
  stays: z.array(z.strictObject({ area: z.string().max(AREA_CHARS_MAX), day: z.string().max(10), ...told })),
});
export type Earlier = Readonly<z.infer<typeof earlierSchema>>;

interface Holding {
  readonly declaration: Declaration;
  readonly objections: readonly Pick<Objection, 'state' | 'decidedAtS'>[];
  readonly earlier?: Earlier | undefined;
}

/** What counts on at `nowS`. */
export function earlierAt(holding: Holding, nowS: number): Earlier {
  const { identities = [], symptoms, contact, stays = [] } = holding.earlier ?? {};
  const mendedS = mendedAtS(holding);
  const isKept = ({ atS }: { readonly atS: number }) => atS > mendedS;
  const counts = (one: { readonly atS: number }) => isKept(one) && nowS < one.atS + COUNTS_S;
  return {
    identities: identities.filter(isKept),
    ...(symptoms && counts(symptoms) && { symptoms }),
    ...(contact && counts(contact) && { contact }),
    stays: stays.filter(counts),
  };
}

/** Whether it was upheld, whatever came of that. */
export function isGranted({ state }: Pick<Objection, 'state'>): boolean {
  return state !== 'open' && state !== 'rejected';
}

/** When an objection was upheld last: nothing that was told by then counts. -1 where none was. */
export function mendedAtS({ objections }: Pick<Holding, 'objections'>): number {
  const mended = objections.filter(isGranted);
  return Math.max(-1, ...mended.map(({ decidedAtS = -1 }) => decidedAtS));
}

/** What counts beside `holding.declaration` once `other`, which is older than that, is known too. */
export function withEarlier(
  holding: Holding,
  other: Declaration,
  by: { readonly source: string; readonly operator?: BroughtBy | undefined },
): Earlier {
  const { identity, said } = holding.declaration;
  const before = earlierAt(holding, said.declaredAtS);
  const atS = other.said.declaredAtS;
  const from = { atS, ...by };
  const isRecent = said.declaredAtS < atS + COUNTS_S;
  const { symptoms, contact, stays } = other.said;
  const identities = [...before.identities, { identity: other.identity, ...from }];
  const byArea = new Map<string, Earlier['stays'][number]>();
  for (const stay of [...before.stays, ...(isRecent ? stays.map((one) => ({ ...one, ...from })) : [])])
    if (stay.day > (byArea.get(stay.area)?.day ?? '')) byArea.set(stay.area, stay);
  const isSick = symptoms && isRecent && atS > (before.symptoms?.atS ?? -1);
  const isMet = contact !== undefined && isRecent && contact > (before.contact?.day ?? '');
  return {
    ...before,
    identities: distinct(identities).filter((one) => textOf(one.identity) !== textOf(identity)),
    ...(isSick && { symptoms: from }),
    ...(isMet && { contact: { day: contact, ...from } }),
    stays: [...byArea.values()],
  };
}

/** Of each identity the one that was told last. */
function distinct(identities: Earlier['identities']): Earlier['identities'] {
  const byText = new Map<string, Earlier['identities'][number]>();
  for (const one of identities) {
    const text = textOf(one.identity);
    if (one.atS > (byText.get(text)?.atS ?? -1)) byText.set(text, one);
  }
  return [...byText.values()];
}

function textOf({ document, name, birthDate }: Identity): string {
  return JSON.stringify([document?.type, document?.country, document?.number, name, birthDate]);
}
