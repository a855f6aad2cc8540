/** How many witnesses have to permit a signature, and what a writer that takes over has to reckon with. Spec: SPEC.md 19.3. */

/**
 * Of `witnesses` operators other than the region's own: so many that any two such sets share one that does not lie, as long as no more
 * than `liarsBorne` do. Below four that is a majority, from four on the quorum of cosignatures.
 * @throws {RangeError} unless there is a witness.
 */
export function permitsNeeded(witnesses: number): number {
  if (!Number.isSafeInteger(witnesses) || witnesses < 1) throw new RangeError('nobody could fence a writer');
  return witnesses < 4 ? Math.floor(witnesses / 2) + 1 : Math.floor((2 * witnesses) / 3) + 1;
}

/** How many of them may lie or have forgotten, so that two sets of `permitsNeeded` still share one that did neither. */
export function liarsBorne(witnesses: number): number {
  return 2 * permitsNeeded(witnesses) - witnesses - 1;
}

/**
 * Whether what `holders` of `answered` witnesses say they have permitted may have had its quorum: those that did not answer, and the
 * liars among those that did, may have permitted it as well. What may not, never will: whoever answered has taken the new claim.
 */
export function mayHavePassed({
  witnesses,
  answered,
  holders,
}: {
  readonly witnesses: number;
  readonly answered: number;
  readonly holders: number;
}): boolean {
  return holders + liarsBorne(witnesses) + (witnesses - answered) >= permitsNeeded(witnesses);
}
