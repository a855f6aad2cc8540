/** Declarations that take the place of a dossier which cannot be read: only where that makes nothing looser, as far as the region can tell. */
import { MANUAL_RULE_ID } from '../../protocol/disclosure/override.ts';
import { type Place } from '../registry/place-cipher.ts';
import { isRegistryDamage } from '../registry/registry-error.ts';
import { type Registry, type RegistryRecord } from '../registry/registry.ts';
import { type RowFault } from '../rows/row-form.ts';
import { type DamagedDossier } from './damaged-dossier.ts';
import { type Declaration } from './declaration.ts';
import { type DossierShelf } from './dossier-shelf.ts';
import { stricterBy } from './judging.ts';

export interface ReplacingModules {
  readonly shelf: Pick<DossierShelf, 'marksOf' | 'isNamed'>;
  readonly registry: () => Pick<Registry, 'runningOf'>;
  readonly isRevoked: (place: Place) => boolean;
}

export interface ReplacingAt {
  readonly nowS: number;
  /** When all colours were last updated. */
  readonly updatedAtS: number;
}

/**
 * Why a declaration may not take the place of what cannot be read of its person; undefined where it may. It has to be from after an update that saw the
 * damage, as of who declares anew for a code that was revoked, and under the name and the day of birth of before. What they hold is found in the registry as
 * codes by orders are, with what those rest on (found.ts), so that nothing looser comes beside it. What was told with a stricter code that was revoked, and
 * which code was to come for a revoked one, only the dossier said. Rejects as the registry and the tables, but for damage in the registry.
 */
export async function replacingFault(
  { subject, identity, said }: Declaration,
  { pseudonym, isOtherForm }: DamagedDossier,
  { nowS, updatedAtS }: ReplacingAt,
  { shelf, registry, isRevoked }: ReplacingModules,
): Promise<Omit<RowFault, 'line'> | undefined> {
  if (isOtherForm)
    return {
      column: 'subject',
      reason:
        'is somebody of whom other software wrote what this one cannot read: go back to that, or forget the person before they declare anew',
    };
  const marks = await shelf.marksOf(pseudonym);
  if (!marks.has('damaged') || said.declaredAtS < updatedAtS)
    return {
      column: 'declared_at',
      reason:
        'is not from after an update that saw that what is kept of the person is damaged: run entente update, and let them declare after that',
    };
  if (!(await shelf.isNamed(identity, pseudonym)))
    return {
      column: 'full_name',
      reason:
        'or the day of birth is another than before, and what is kept of the person is damaged: see who it is, and forget the person before they declare anew',
    };
  const records = await recordsOf(subject, nowS, registry());
  if (records === undefined)
    return {
      column: 'subject',
      reason:
        'is somebody of whom the registry cannot be read either: restore it from its backup, or forget the person before they declare anew',
    };
  const isToCome = marks.has('revoking') && records.some(isRevoked);
  if (!isToCome && !isStricterTakenBack(records, isRevoked)) return undefined;
  return {
    column: 'subject',
    reason:
      'is somebody whose code was revoked, and what is kept of the person is damaged, so that nobody can tell what was to come for it: wait until it would be over, or forget the person before they declare anew',
  };
}

/** Undefined where something of them is damaged. */
async function recordsOf(
  subject: string,
  nowS: number,
  registry: Pick<Registry, 'runningOf'>,
): Promise<readonly RegistryRecord[] | undefined> {
  try {
    return (await registry.runningOf([subject], nowS))[0] ?? [];
  } catch (error) {
    if (isRegistryDamage(error)) return undefined;
    throw error;
  }
}

/** Whether a code by rules that is not over was revoked, and nothing that they hold demands as much. */
function isStricterTakenBack(
  records: readonly RegistryRecord[],
  isRevoked: ReplacingModules['isRevoked'],
): boolean {
  const held = records.filter((record) => !isRevoked(record));
  return records.some(({ log, index, fields: { status } }) => {
    if (status.colour === 'green' || status.ruleId === MANUAL_RULE_ID || !isRevoked({ log, index }))
      return false;
    return !held.some((other) => stricterBy(other.fields.status, status) >= 0);
  });
}
