/** Whether an entry of a list is about somebody. Nothing is guessed: what may be about them or about another is a doubt. */
import { z } from 'zod';
import { type ListEntry } from './entry.ts';
import { type IdentityDocument, identitySchema } from './identity.ts';

export const DOUBTS = [
  /** The document is theirs, and the day of birth is not. */
  'BIRTH_DATE_DIFFERS',
  /** The name and the day of birth are theirs, and a document of the same kind is not. */
  'OTHER_DOCUMENT',
  /** The name and the day of birth are theirs, and somebody else's of those who were declared. */
  'NAME_SHARED',
  /** Several entries may be about them. */
  'SEVERAL_ENTRIES',
  /** An entry, or who has their name, cannot be read: it may be about them. */
  'ENTRY_UNREAD',
  /** What is said of an area in which they stayed cannot be read. */
  'AREA_UNREAD',
] as const;
export type Doubt = (typeof DOUBTS)[number];

export const soughtSchema = z.strictObject({
  identity: identitySchema,
  /** Somebody else among those who declared has the same name and day of birth. */
  isNameShared: z.boolean(),
});
export type Sought = Readonly<z.infer<typeof soughtSchema>>;

/** The entries of one list that may be about somebody. */
export interface Candidates {
  readonly byDocument: ListEntry | undefined;
  /** Of the same name and day of birth, without the one by document. */
  readonly byName: readonly ListEntry[];
}

/** Who stands on a list by their document may stand there by their name once more. */
export interface Match {
  readonly is?: { readonly by: 'document' | 'name'; readonly entry: ListEntry };
  readonly doubt?: { readonly code: Doubt; readonly entries: readonly ListEntry[] };
}

/** Undefined if none is about them. Symmetric in nothing: a list is held against people, and not people against a list. */
export function matchOf(
  { identity, isNameShared }: Sought,
  { byDocument, byName }: Candidates,
): Match | undefined {
  const named = byName.filter((entry) => !isOther(entry.identity.document, identity.document));
  const [entry] = named;
  if (byDocument !== undefined) {
    const { birthDate } = byDocument.identity;
    const isKnown = birthDate !== undefined && identity.birthDate !== undefined;
    if (isKnown && birthDate !== identity.birthDate) {
      const entries = [byDocument, ...named];
      return { doubt: { code: entry === undefined ? 'BIRTH_DATE_DIFFERS' : 'SEVERAL_ENTRIES', entries } };
    }
    const is = { by: 'document', entry: byDocument } as const;
    return entry === undefined ? { is } : { is, doubt: { code: 'SEVERAL_ENTRIES', entries: named } };
  }
  if (entry === undefined) return undefined;
  const doubt = (code: Doubt): Match => ({ doubt: { code, entries: named } });
  if (named.length > 1) return doubt('SEVERAL_ENTRIES');
  if (isNameShared) return doubt('NAME_SHARED');
  return isOfOneKind(entry.identity.document, identity.document)
    ? doubt('OTHER_DOCUMENT')
    : { is: { by: 'name', entry } };
}

/** Two numbers of residents are those of two people; of other documents one person has several in a life. */
function isOther(a: IdentityDocument | undefined, b: IdentityDocument | undefined): boolean {
  return a?.type === 'resident' && b?.type === 'resident' && a.number !== b.number;
}

function isOfOneKind(a: IdentityDocument | undefined, b: IdentityDocument | undefined): boolean {
  return a !== undefined && a.type === b?.type && a.country === b.country;
}
