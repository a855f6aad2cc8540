/** Operators with keys of their own, and what they sign. */
import { type OverrideSigner } from '../../node/abuse/override-signing.ts';
import { type Operator } from '../../node/operators/operators.ts';
import { type Actor, type Needed } from '../../node/operators/scopes.ts';
import { hexOf } from '../../protocol/bytes.ts';
import { type OverrideBasis, overrideBasis } from '../../protocol/disclosure/basis.ts';
import { type DisclosedOperator } from '../../protocol/disclosure/disclosure.ts';
import {
  confirmationMessage,
  type OverrideNames,
  type OverrideTerms,
  proposalMessage,
} from '../../protocol/disclosure/override.ts';
import { keyIdOf } from '../../protocol/signature/key-id.ts';
import { testKey } from './keys.ts';
import { sha256 } from './primitives.ts';

/** An operator who acts, and signs. */
export interface ActingOperator extends Actor, OverrideSigner {
  readonly operator: Operator;
  readonly disclosed: DisclosedOperator;
}

export function operatorOf(name: string, seedByte: number): ActingOperator {
  const { publicKey, sign } = testKey(seedByte);
  const scopes = ['issue' as const];
  return {
    name,
    keyId: keyIdOf(sha256, publicKey),
    may: new Set<Needed>(scopes),
    publicKey,
    sign,
    operator: { name, publicKey: hexOf(publicKey), scopes, addedAtS: 0 },
    disclosed: { name, publicKey, scopes, fromS: 0 },
  };
}

export const ANNA = operatorOf('anna', 0xa0);
export const BERT = operatorOf('bert', 0xb0);

/** What codes rest on that two operators gave for an outbreak, of whom one signs a minute before the other. */
export function signedBasis(
  names: OverrideNames,
  { atS, ...changes }: Partial<OverrideTerms> & { readonly atS: number },
  { proposer = ANNA, confirmer = BERT, proposedAtS = atS - 60 } = {},
): OverrideBasis {
  const id = '0'.repeat(32);
  const digest = new Uint8Array(32);
  const terms = { id, reason: 'outbreak', colour: 'red', days: 14, people: 1, digest, ...changes } as const;
  const by = { name: proposer.name, atS: proposedAtS, publicKey: proposer.publicKey };
  const proposed = { ...by, signature: proposer.sign(proposalMessage(names, terms, by)) };
  const also = { name: confirmer.name, atS, publicKey: confirmer.publicKey };
  const message = confirmationMessage(sha256, names, { ...terms, proposed }, also);
  return overrideBasis({ ...terms, proposed, confirmed: { ...also, signature: confirmer.sign(message) } });
}
