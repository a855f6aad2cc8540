/** What a dossier says once codes that it notes are in no log, and never will be. */
import { type Handover } from '../issuing/handovers.ts';
import { type Change } from '../ports.ts';
import { type Dossier, type StatusChange } from './dossier.ts';
import { type DossierShelf } from './dossier-shelf.ts';
import { isUnsettled } from './objections.ts';

/**
 * The dossier without its changes to these codes; undefined if it has none. What a code was to correct is to be corrected again, and what was
 * revoked to make place for it still waits for another.
 */
function withoutCodes(dossier: Dossier, { log, index, count }: Handover): Dossier | undefined {
  const gone = dossier.changes.filter(
    (change) => change.log === log && change.index >= index && change.index < index + count,
  );
  if (gone.length === 0) return undefined;
  const corrected = gone.flatMap(({ corrects }) => corrects ?? []);
  // Older software did not note what made place.
  const isForAnother = ({ kind, madePlace }: StatusChange) => madePlace === true || kind === 'worse';
  const isRevoking = corrected.length > 0 || gone.some(isForAnother);
  return {
    ...dossier,
    changes: dossier.changes.filter((change) => !gone.includes(change)),
    objections: dossier.objections.map(({ correctedAtS, ...objection }) =>
      corrected.includes(objection.number)
        ? { ...objection, state: 'upheld' as const }
        : { ...objection, ...(correctedAtS !== undefined && { correctedAtS }) },
    ),
    ...(isRevoking && { isRevoking }),
  };
}

/** What is written of these people of whom codes are noted that no log will have; nothing of whose dossier cannot be read. Rejects as the tables. */
export async function takingBack(
  codes: Handover,
  subjects: readonly string[],
  shelf: DossierShelf,
): Promise<Change[]> {
  const dossiers = await shelf.dossiers(subjects.map((one) => shelf.pseudonymOf(one)));
  return dossiers.flatMap((dossier) => {
    const now = dossier && withoutCodes(dossier, codes);
    if (now === undefined) return [];
    const { subject } = now.declaration;
    return [
      shelf.dossierChange(now),
      // The change before may not have been told either: better twice than never.
      ...(now.changes.length === 0 ? [shelf.unmarkChange('untold', subject)] : []),
      ...(now.objections.some(isUnsettled) ? [shelf.markChange('objection', subject)] : []),
    ];
  });
}
