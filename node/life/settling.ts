/** What a dossier is to say where no other code comes. */
import { type Change } from '../ports.ts';
import { byPlace } from '../registry/pages.ts';
import { type Place } from '../registry/place-cipher.ts';
import { type Registry } from '../registry/registry.ts';
import {
  type Dossier,
  newestByRules,
  type StatusChange,
  withChange,
  withFound,
  withoutIntent,
} from './dossier.ts';
import { type DossierShelf, type ShelvedDossier } from './dossier-shelf.ts';
import { type JudgedAt } from './judging.ts';
import { type Judged } from './updater.ts';

const BY_HAND = 'It was revoked by hand.';

/** Undefined where it says all of it already, and where another code is to come. */
export function settledOf(one: Judged, at: JudgedAt): Dossier | undefined {
  const { dossier, judgement } = one;
  if ('decision' in judgement) return undefined;
  const isUnknown = judgement.what === 'open' || judgement.what === 'ambiguous';
  // What makes place for a code that is to come once it is known is told with that.
  if (isUnknown && dossier.isRevoking === true) return undefined;
  const noted = withNoted(one, at);
  const isBound = judgement.what === 'overridden' || judgement.what === 'unchanged';
  const now = withSeen(isBound ? noted : withRevocation(noted, at), at);
  return now === dossier && dossier.isRevoking !== true ? undefined : withoutIntent(now);
}

/** With what is seen now of the newest code by rules, and of those that orders gave: that they are revoked. */
function withSeen(dossier: Dossier, { isRevoked, nowS }: JudgedAt): Dossier {
  const newest = newestByRules(dossier);
  const isToSee = (change: StatusChange) =>
    (change === newest || change.kind === 'found') && change.withdrawn === undefined && isRevoked(change);
  if (!dossier.changes.some(isToSee)) return dossier;
  const withdrawn = { isDeclared: false, notedAtS: nowS };
  const changes = dossier.changes.map((one) => (isToSee(one) ? { ...one, withdrawn } : one));
  return { ...dossier, changes };
}

/** Whether the newest change that it tells of is one that came without an update, and is new. */
export function isToTell(now: Dossier, { dossier }: Judged): boolean {
  const [newest] = now.changes;
  return newest !== dossier.changes[0] && (newest?.kind === 'override' || newest?.kind === 'revoked');
}

/** With the codes that orders gave, where it does not tell of them yet. What binds is told as the newest. */
export function withNoted({ dossier, found, judgement }: Judged, { nowS }: Pick<JudgedAt, 'nowS'>): Dossier {
  const told = judgement.what === 'overridden' ? judgement.told : undefined;
  const others = found.filter((one) => told === undefined || byPlace(one, told) !== 0);
  const noted = others.reduce((now, one) => withFound(now, one, nowS), dossier);
  return told === undefined ? noted : withChange(noted, told);
}

/** With the revocation of the newest code that it tells of, where somebody revoked that otherwise than for another code. */
function withRevocation(dossier: Dossier, { isRevoked, nowS }: JudgedAt): Dossier {
  const [newest] = dossier.changes;
  if (newest === undefined || newest.kind === 'revoked' || !isRevoked(newest)) return dossier;
  return withChange(dossier, revocationOf(newest, nowS));
}

/** Codes that were revoked by hand, why, and when. */
export interface Reasoned {
  readonly places: readonly Place[];
  readonly because: string;
  readonly nowS: number;
}

export interface ReasonModules {
  readonly registry: Pick<Registry, 'atPlaces'>;
  readonly shelf: DossierShelf;
  /** With the codes that orders gave and that no update has noted yet, in their order. */
  readonly wholeOf: (persons: readonly ShelvedDossier[]) => Promise<readonly Dossier[]>;
}

/** What is written so that the holders of these codes who declared are told why. Rejects as the registry, the shelf and `wholeOf`. */
export async function reasonChanges(
  { places, because, nowS }: Reasoned,
  { registry, shelf, wholeOf }: ReasonModules,
): Promise<Change[]> {
  const records = (await registry.atPlaces(places)).flatMap((record) => record ?? []);
  const pseudonyms = records.map(({ subject }) => shelf.pseudonymOf(subject));
  const known = await shelf.dossiers(pseudonyms);
  const declared = records.flatMap((record, i) => {
    const [dossier, pseudonym = ''] = [known[i], pseudonyms[i]];
    return dossier === undefined ? [] : [{ record, dossier, pseudonym }];
  });
  const whole = await wholeOf(declared);
  return declared.flatMap(({ record, dossier }, i) => {
    const now = withReason(whole[i] ?? dossier, record, { because, nowS });
    return now ? [shelf.dossierChange(now), shelf.markChange('untold', record.subject)] : [];
  });
}

/**
 * With what the holder is to be told of why a code was revoked; undefined where it is not the newest that it tells of, or the holder
 * was told why already.
 */
function withReason(
  dossier: Dossier,
  { log, index }: Place,
  { because, nowS }: { readonly because: string; readonly nowS: number },
): Dossier | undefined {
  const [newest, ...older] = dossier.changes;
  if (newest?.log !== log || newest.index !== index) return undefined;
  if (newest.kind !== 'revoked') return withChange(dossier, { ...revocationOf(newest, nowS), because });
  return newest.because === undefined
    ? { ...dossier, changes: [{ ...newest, because }, ...older] }
    : undefined;
}

function revocationOf({ log, index, status, isBound }: StatusChange, atS: number): StatusChange {
  return { kind: 'revoked', atS, status, log, index, isBound, why: BY_HAND, sources: [] };
}
