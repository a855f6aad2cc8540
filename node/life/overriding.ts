/** Codes that no rule gave, as updates meet them: the strictest that runs binds, and its holder is told of it as of every other. */
import { type GivenReason } from '../../protocol/disclosure/override.ts';
import { SOUGHT_MAX } from '../lists/list-view.ts';
import { type Registry, type RegistryRecord } from '../registry/registry.ts';
import { type Bases } from './bases.ts';
import { type StatusChange, statusToKeep } from './dossier.ts';
import { bindingOf, givenBy, type JudgedAt, type Judgement } from './judging.ts';
import { type Judged } from './updater.ts';

const HOUR_S = 3_600;

const WHY: Readonly<Record<GivenReason, string>> = {
  'data-error': 'of a mistake in the data',
  laboratory: 'of what a laboratory found',
  outbreak: 'of an outbreak',
  'court-order': 'a court ordered it',
  hardship: 'of hardship',
};

/** Nobody gets a looser code than one that no rule gave, and that runs. Rejects as `Registry.manualOf` and the tables. */
export async function boundByOverrides(
  judged: readonly Judged[],
  at: JudgedAt,
  { registry, bases }: { readonly registry: Pick<Registry, 'manualOf'>; readonly bases: Bases },
): Promise<Judged[]> {
  const bound = new Map<Judged, Judgement>();
  const due = judged.filter(({ judgement }) => givenBy(judgement) !== undefined);
  for (let from = 0; from < due.length; from += SOUGHT_MAX) {
    const some = due.slice(from, from + SOUGHT_MAX);
    const manual = await registry.manualOf(some.map(({ dossier }) => dossier.declaration.subject));
    for (const [i, one] of some.entries()) {
      const given = givenBy(one.judgement);
      const binding = given && bindingOf(manual[i] ?? [], given, at);
      if (given === undefined || binding === undefined) continue;
      const { log, index, fields } = binding;
      const isKnown = one.dossier.changes.some((change) => change.log === log && change.index === index);
      const told = isKnown ? undefined : await changeOf(binding, bases);
      const status = statusToKeep(fields.status);
      bound.set(one, { what: 'overridden', by: { log, index }, status, given, told });
    }
  }
  return judged.map((one) => ({ ...one, judgement: bound.get(one) ?? one.judgement }));
}

async function changeOf(record: RegistryRecord, bases: Bases): Promise<StatusChange> {
  const { log, index, hour, fields } = record;
  const found = await bases.of(record);
  const basis = found === 'unread' ? undefined : found;
  return {
    kind: 'override',
    atS: basis?.atS ?? hour * HOUR_S,
    status: statusToKeep(fields.status),
    log,
    index,
    isBound: fields.holderKey !== undefined || fields.document !== undefined,
    why:
      basis?.kind === 'override'
        ? `Two operators decided it without a rule, because ${WHY[basis.reason]}.`
        : 'It was given by hand, without a rule.',
    sources: [],
  };
}
