/** What a dossier is to say where no other code comes. */
import { type Dossier, type StatusChange, withChange, withoutIntent } from './dossier.ts';
import { type JudgedAt } from './judging.ts';
import { type Judged } from './updater.ts';

const BY_HAND = 'It was revoked by hand.';

/** Undefined where it says all of it already, and where another code is to come. */
export function settledOf(one: Judged, at: JudgedAt): Dossier | undefined {
  const { dossier, last, judgement } = one;
  if ('decision' in judgement) return undefined;
  const isUnknown = judgement.what === 'open' || judgement.what === 'ambiguous';
  // What makes place for a code that is to come once it is known is told with that.
  if (isUnknown && dossier.isRevoking === true) return undefined;
  const noted = isUnknown ? dossier : withNoted(one);
  const isBound = judgement.what === 'overridden' || judgement.what === 'unchanged';
  const now = isBound ? noted : withRevocation(noted, at);
  const isNoted = dossier.withdrawn?.log === last?.log && dossier.withdrawn?.index === last?.index;
  const isSeen = last !== undefined && !isNoted && at.isRevoked(last);
  if (now === dossier && dossier.isRevoking !== true && !isSeen) return undefined;
  const { log = '', index = 0 } = last ?? {};
  const withdrawn = { log, index, isDeclared: false, notedAtS: at.nowS };
  return { ...withoutIntent(now), ...(isSeen && { withdrawn }) };
}

/** Whether the newest change that it tells of is one that came without an update, and is new. */
export function isToTell(now: Dossier, { dossier }: Judged): boolean {
  const [newest] = now.changes;
  return newest !== dossier.changes[0] && (newest?.kind === 'override' || newest?.kind === 'revoked');
}

function withNoted({ dossier, last, isFound, judgement }: Judged): Dossier {
  const found = isFound && last !== undefined ? withChange(dossier, last) : dossier;
  const told = judgement.what === 'overridden' ? judgement.told : undefined;
  return told === undefined ? found : withChange(found, told);
}

/** With the revocation of the newest code that it tells of, where somebody revoked that otherwise than for another code. */
function withRevocation(dossier: Dossier, { isRevoked, nowS }: JudgedAt): Dossier {
  const [newest] = dossier.changes;
  if (newest === undefined || newest.kind === 'revoked' || !isRevoked(newest)) return dossier;
  const { log, index, status, isBound } = newest;
  const change: StatusChange = {
    kind: 'revoked',
    atS: nowS,
    status,
    log,
    index,
    isBound,
    why: BY_HAND,
    sources: [],
  };
  return withChange(dossier, change);
}
