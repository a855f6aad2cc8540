/**
 * Whether what is kept of a colour without a rule is what two operators signed. Whoever writes into the database can fill in any names
 * and people: nothing of it is issued but by signatures of keys that operators alone hold.
 */
import { equalBytes, hexBytes } from '../../protocol/bytes.ts';
import { isProposalSigned, isSignedByTwo, type OverrideNames } from '../../protocol/disclosure/override.ts';
import { PROPOSAL_S_MAX } from '../../protocol/limits.ts';
import { type Primitives } from '../../protocol/primitives.ts';
import { NodeError } from '../node-error.ts';
import { type Operators } from '../operators/operators.ts';
import { PROOF_AGE_S_MAX } from '../operators/request-proof.ts';
import { type Actor } from '../operators/scopes.ts';
import {
  beganAt,
  type Confirmed,
  digestOf,
  isConfirmed,
  type Kept,
  type KeptSignature,
  signatureOf,
  type SignedAt,
  termsOf,
} from './override-kept.ts';

/** Who may sign one now. */
export type OverrideOperators = Pick<Operators, 'find'>;

const AGAIN = 'Have an operator propose it again: `entente override propose`.';

export class OverrideProof {
  readonly #names: OverrideNames;
  readonly #modules: Primitives;

  constructor({ region, network }: OverrideNames, modules: Primitives) {
    this.#names = { region, network };
    this.#modules = modules;
  }

  /** The signature of whoever acts, by the key that the operator of that name has. @throws {NodeError} REFUSED */
  signatureBy(
    { name, keyId }: Actor,
    { atS, signature }: SignedAt,
    operators: OverrideOperators,
    nowS: number,
  ): KeptSignature {
    const operator = operators.find(name);
    if (keyId === undefined || operator === undefined)
      throw refused('only a named operator gives a colour without a rule', 'Say --operator FILE.');
    if (Math.abs(nowS - atS) > PROOF_AGE_S_MAX)
      throw refused(
        `it is signed at a time more than ${PROOF_AGE_S_MAX} s away`,
        'Set the clock of the machine that signs, and sign again.',
      );
    return { name, atS, publicKey: operator.publicKey, signature };
  }

  /** That whoever proposed it signed just this, and so did another operator who confirmed it, where somebody did. @throws {NodeError} REFUSED */
  requireSigned(id: string, kept: Kept): void {
    const proposal = { ...termsOf(id, kept), proposed: signatureOf(kept.proposed) };
    const isOfItsTime = id.startsWith(beganAt(kept.proposed.atS));
    if (!isOfItsTime || !isProposalSigned(this.#modules, this.#names, proposal))
      throw refused('it is not signed by whoever is said to have proposed it', AGAIN);
    if (!isConfirmed(kept)) return;
    const confirmed = signatureOf(kept.confirmed);
    if (!isSignedByTwo(this.#modules, this.#names, { ...proposal, confirmed }))
      throw refused('it is not signed by another operator who is said to have confirmed it', AGAIN);
  }

  /** That it is of just those people. @throws {NodeError} REFUSED */
  requirePeople(kept: Kept): void {
    const isSo = kept.subjects.length + kept.forgotten.length === kept.people;
    if (isSo && digestOf(this.#modules.sha256, kept) === kept.digest) return;
    throw refused('the people that it names are not those that were proposed', AGAIN);
  }

  /** That it was confirmed within a day of being proposed, and by now. @throws {NodeError} REFUSED */
  requireTimes({ proposed, confirmed }: Confirmed, nowS: number): void {
    const afterS = confirmed.atS - proposed.atS;
    if (afterS < -PROOF_AGE_S_MAX)
      throw refused(
        `it is signed as confirmed ${-afterS} s before it was proposed: the clocks of the machines that sign differ`,
        'Set both clocks, and confirm it again some minutes later.',
      );
    if (afterS <= PROPOSAL_S_MAX + PROOF_AGE_S_MAX && confirmed.atS <= nowS + PROOF_AGE_S_MAX) return;
    throw refused('it was confirmed more than a day after it was proposed, or at a time to come', AGAIN);
  }

  /** That they are operators now who may issue, by the same key: that of one who was removed may have been stolen. @throws {NodeError} REFUSED */
  requireOperator(did: 'proposed' | 'confirmed', by: KeptSignature, operators: OverrideOperators): void {
    const operator = operators.find(by.name);
    const hasKey = operator !== undefined && equalBytes(hexBytes(operator.publicKey), hexBytes(by.publicKey));
    if (hasKey && operator.scopes.includes('issue')) return;
    throw refused(
      `who ${did} it is no operator by that key any more, or may not issue`,
      'If it is right, have an operator propose it again: `entente operator list` names them.',
    );
  }
}

export function refused(message: string, hint: string): NodeError {
  return new NodeError('REFUSED', message, { hint });
}
