/** Objections to a colour: opened with a date by which they are to be decided, decided, and corrected by a better colour, or ended with the code. */
import { NodeError } from '../node-error.ts';
import { type Actor } from '../operators/scopes.ts';
import { type Place } from '../registry/place-cipher.ts';
import { type Dossier, type Objection, OBJECTIONS_MAX } from './dossier.ts';

const DAY_S = 86_400;

export interface Deciding {
  readonly number: number;
  /** The region was wrong: its data is being mended. */
  readonly isUpheld: boolean;
  readonly answer: string;
}

/** Who orders it. */
export type By = Pick<Actor, 'name' | 'keyId'>;

/** Whether somebody still has to do something about it. */
export function isUnsettled({ state }: Objection): boolean {
  return state === 'open' || state === 'upheld';
}

/** Total: whether it was to be decided by now, and is not. */
export function isOverdue({ state, dueAtS }: Objection, nowS: number): boolean {
  return state === 'open' && dueAtS < nowS;
}

/** @throws {NodeError} REFUSED while another one of the person is not settled, or where there is nothing to object to. */
export function withObjection(
  dossier: Dossier,
  {
    text,
    nowS,
    days,
    by,
  }: { readonly text: string; readonly nowS: number; readonly days: number; readonly by?: By },
): Dossier {
  const [newest] = dossier.objections;
  const [change] = dossier.changes;
  if (change === undefined)
    throw new NodeError('REFUSED', 'the person has no colour yet, and nothing to object to', {
      hint: 'Colours come of `entente update`.',
    });
  const unsettled = dossier.objections.find(isUnsettled);
  if (unsettled !== undefined)
    throw new NodeError('REFUSED', `objection ${unsettled.number} of the person is not settled yet`, {
      hint: 'Decide it first, or wait for the correction.',
    });
  const objection = {
    number: (newest?.number ?? 0) + 1,
    state: 'open' as const,
    text,
    about: { log: change.log, index: change.index },
    openedAtS: nowS,
    ...(by?.keyId !== undefined && { openedBy: { name: by.name, keyId: by.keyId } }),
    dueAtS: nowS + days * DAY_S,
  };
  return { ...dossier, objections: [objection, ...dossier.objections].slice(0, OBJECTIONS_MAX) };
}

/**
 * @throws {NodeError} NOT_FOUND for an objection that is not there, REFUSED for one that is decided, and for one that is to be upheld by the operator
 * who opened it: what is upheld takes a stricter code back, as an override does.
 */
export function withDecision(
  dossier: Dossier,
  { number, isUpheld, answer }: Deciding,
  { nowS, by }: { readonly nowS: number; readonly by?: By },
): Dossier {
  const objection = dossier.objections.find((one) => one.number === number);
  if (objection === undefined)
    throw new NodeError('NOT_FOUND', `the person has no objection ${number}`, {
      hint: 'See `entente object list`.',
    });
  if (objection.state !== 'open')
    throw new NodeError('REFUSED', `objection ${number} is decided: it is ${objection.state}`, {
      hint: 'A new objection has a number of its own.',
    });
  const { openedBy } = objection;
  // By name too: who was named anew, with another key, is the same person.
  if (isUpheld && openedBy !== undefined && (openedBy.keyId === by?.keyId || openedBy.name === by?.name))
    throw new NodeError('REFUSED', 'who opened an objection cannot uphold it', {
      hint: 'Another operator has to, with a key of their own: `entente object decide` with --operator FILE.',
    });
  const state = isUpheld ? ('upheld' as const) : ('rejected' as const);
  const decided = { ...objection, state, decidedAtS: nowS, answer };
  return { ...dossier, objections: dossier.objections.map((one) => (one === objection ? decided : one)) };
}

/** The one that waits for its correction: a person has one at a time that is not settled. */
export function upheldOf({ objections }: Dossier): Objection | undefined {
  return objections.find(({ state }) => state === 'upheld');
}

/** Whether an objection is about this code; of one that does not say so any may be meant. */
export function isAbout({ about }: Objection, { log, index }: Place): boolean {
  return about === undefined || (about.log === log && about.index === index);
}

/** The dossier with what came of an objection that was upheld. */
export function withOutcome(
  dossier: Dossier,
  number: number | undefined,
  state: 'corrected' | 'ended',
  atS: number,
): Dossier {
  const at = state === 'corrected' ? { correctedAtS: atS } : { endedAtS: atS };
  const objections = dossier.objections.map((one) =>
    one.number === number ? { ...one, state, ...at } : one,
  );
  return { ...dossier, objections };
}
