/** What a dossier says once codes that it notes are in no log, and never will be. */
import { type Handover } from '../issuing/handovers.ts';
import { type Dossier, type StatusChange } from './dossier.ts';

/**
 * The dossier without its changes to these codes; undefined if it has none. What a code was to correct is to be corrected again, and what was
 * revoked to make place for it still waits for another.
 */
export function withoutCodes(dossier: Dossier, { log, index, count }: Handover): Dossier | undefined {
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
