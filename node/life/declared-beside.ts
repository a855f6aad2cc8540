/** A declaration beside what is known of its person: whether it can stand there, and what becomes of the dossier. */
import { type Place } from '../registry/place-cipher.ts';
import { type RowFault } from '../rows/row-form.ts';
import { type Declaration, declarationSchema } from './declaration.ts';
import { type Dossier, newestByRules } from './dossier.ts';
import { EARLIER_AREAS_MAX, EARLIER_IDENTITIES_MAX, withEarlier } from './earlier.ts';

/** The first of a person, newer than what is known, known already, or older than that. */
export type DeclaredAs = 'added' | 'replaced' | 'unchanged' | 'older';

/** Why a declaration cannot stand beside what is known of the person. */
export function contradictionOf(
  declaration: Declaration,
  before: Dossier | undefined,
): Omit<RowFault, 'line'> | undefined {
  if (before === undefined) return undefined;
  const { identity, said } = before.declaration;
  if (declaration.identity.birthDate !== identity.birthDate)
    return { column: 'birth_date', reason: 'is another one than that of the person who declared before' };
  const isSameTime = declaration.said.declaredAtS === said.declaredAtS;
  if (isSameTime && !isSame(declaration, before.declaration))
    return { column: 'declared_at', reason: 'is the moment of another declaration of the person' };
  const { earlier } = dossierWith(declaration, { source: '', receivedAtS: 0 }, before);
  if ((earlier?.identities.length ?? 0) > EARLIER_IDENTITIES_MAX)
    return {
      column: 'full_name',
      reason: `and the document are one more than the ${EARLIER_IDENTITIES_MAX + 1} under which the person has declared: see who it is, and forget the person before they declare anew`,
    };
  if ((earlier?.stays.length ?? 0) > EARLIER_AREAS_MAX)
    return {
      column: 'travel',
      reason: `comes after more than ${EARLIER_AREAS_MAX} areas that the person told of within 14 days: ask them`,
    };
  return undefined;
}

export function whatOf(declaration: Declaration, before: Declaration | undefined): DeclaredAs {
  if (before === undefined) return 'added';
  const laterS = declaration.said.declaredAtS - before.said.declaredAtS;
  if (laterS > 0) return 'replaced';
  return laterS < 0 ? 'older' : 'unchanged';
}

/** The dossier of a person once a declaration is taken. */
export function dossierWith(
  declaration: Declaration,
  given: Pick<Dossier, 'source' | 'operator' | 'receivedAtS'>,
  before: Dossier | undefined,
): Dossier {
  const by = handedInBy(given);
  const { receivedAtS } = given;
  if (before === undefined) return { declaration, ...by, receivedAtS, changes: [], objections: [] };
  const what = whatOf(declaration, before.declaration);
  if (what === 'older') return { ...before, earlier: withEarlier(before, declaration, by) };
  if (what !== 'replaced') return before;
  const earlier = withEarlier({ ...before, declaration }, before.declaration, handedInBy(before));
  return { ...before, operator: undefined, declaration, ...by, receivedAtS, earlier };
}

function handedInBy({ source, operator }: Pick<Dossier, 'source' | 'operator'>) {
  return { source, ...(operator && { operator }) };
}

/**
 * Somebody whose newest code, or one that an order gave, was revoked may get another for having declared since: since that was noted, or else, where it is
 * revoked and not noted yet, since nothing was to be noted. `updatedAtS`: when all colours were last updated, and revoked codes noted.
 */
export function declaredAnew(
  dossier: Dossier,
  { isRevoked, updatedAtS }: { readonly isRevoked: (place: Place) => boolean; readonly updatedAtS: number },
): Dossier {
  const { declaredAtS } = dossier.declaration.said;
  const newest = newestByRules(dossier);
  const changes = dossier.changes.map((change) => {
    if (change !== newest && change.kind !== 'found') return change;
    const { withdrawn, atS } = change;
    const sinceS = withdrawn ? (withdrawn.notedAtS ?? 0) : Math.max(atS, updatedAtS);
    const isAnew = declaredAtS >= sinceS && (withdrawn !== undefined || isRevoked(change));
    return isAnew ? { ...change, withdrawn: { ...withdrawn, isDeclared: true } } : change;
  });
  return { ...dossier, changes };
}

/** Both have passed the same schema, and so have their members in the same order. */
function isSame(a: Declaration, b: Declaration): boolean {
  return JSON.stringify(declarationSchema.parse(a)) === JSON.stringify(declarationSchema.parse(b));
}
