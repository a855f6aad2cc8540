/** What people hold as far as it can be read: what is known of a code counts whatever else of them is damaged. */
import { type NodeError } from '../node-error.ts';
import { MANUAL_RULE_ID } from '../../protocol/disclosure/override.ts';
import { isLogOver } from '../../protocol/trust/pruning.ts';
import { byPlace, type RegistryRecord } from './pages.ts';
import { answersPastDamage } from './past-damage.ts';
import { type Place } from './place-cipher.ts';
import { type Registry } from './registry.ts';
import { isRegistryDamage } from './registry-error.ts';

export interface Readable {
  /** By log and index. */
  readonly records: readonly RegistryRecord[];
  /** Where codes of theirs stand that cannot be read, as far as that is known. */
  readonly unread: readonly Place[];
  /** Why they may hold more; undefined where all is read. */
  readonly damage: NodeError | undefined;
}

export type Reading = Pick<Registry, 'placesOf' | 'atPlaces'>;

/** As `Registry.runningOf` of one person, but for what is damaged. Rejects as the tables, but for damage. */
export async function readableOf(
  subject: string,
  atS: number,
  registry: Reading,
  isWanted: (place: Place) => boolean = () => true,
): Promise<Readable> {
  let places: readonly Place[];
  try {
    places = await registry.placesOf(subject);
  } catch (error) {
    if (!isRegistryDamage(error)) throw error;
    return { records: [], unread: [], damage: error };
  }
  const sought = places.filter((place) => !isLogOver(place.log, atS) && isWanted(place));
  const found = await answersPastDamage(sought, (some) => registry.atPlaces(some));
  const records = found
    .flatMap((one) => (one === undefined || one instanceof Error ? [] : [one]))
    .filter((record) => record.subject === subject && record.fields.status.expiresAtS > atS)
    .sort(byPlace);
  const unread = sought.filter((_, i) => found[i] instanceof Error);
  return { records, unread, damage: found.find((one) => one instanceof Error) };
}

/** The same of many, in their order: those of whom all is read cost no more than `Registry.runningOf`. */
export async function readablesOf(
  subjects: readonly string[],
  atS: number,
  registry: Reading & Pick<Registry, 'runningOf'>,
): Promise<Readable[]> {
  const found = await answersPastDamage(subjects, (some) => registry.runningOf(some, atS));
  return Promise.all(
    found.map(async (records, i) =>
      records instanceof Error
        ? readableOf(subjects[i] ?? '', atS, registry)
        : { records, unread: [], damage: undefined },
    ),
  );
}

/** What a registry answers of codes that are not over, as if there were nothing but what can be read. Rejects as the tables, but for damage. */
export function pastDamage(registry: Reading, atS: number): Pick<Registry, 'manualOf' | 'runningOf'> {
  const each = (subjects: readonly string[], isWanted?: (place: Place) => boolean) =>
    Promise.all(
      subjects.map(async (subject) => [...(await readableOf(subject, atS, registry, isWanted)).records]),
    );
  return {
    manualOf: async (subjects) =>
      (await each(subjects)).map((records) =>
        records.filter(({ fields }) => fields.status.ruleId === MANUAL_RULE_ID),
      ),
    runningOf: (subjects, _atS, isWanted) => each(subjects, isWanted),
  };
}
