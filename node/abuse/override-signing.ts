/** What an operator signs, with the key that they alone hold: that they propose a colour without a rule, and that they confirm one. */
import { hexOf } from '../../protocol/bytes.ts';
import {
  confirmationMessage,
  type OverrideNames,
  type OverrideTerms,
  proposalDigest,
  proposalMessage,
  SALT_BYTES,
  type SignedOverride,
} from '../../protocol/disclosure/override.ts';
import { type Sha256 } from '../../protocol/primitives.ts';
import { NodeError } from '../node-error.ts';
import { type OperatorKey } from '../operators/operator-key.ts';
import { type Random } from '../ports.ts';
import {
  beganAt,
  digestOf,
  type OverrideOrder,
  type OverrideSeen,
  signatureOf,
  type SignedAt,
  type SignedOrder,
  termsOf,
} from './override-kept.ts';

export type OverrideSigner = Pick<OperatorKey, 'name' | 'publicKey' | 'sign'>;

export interface OverrideSigningModules {
  readonly sha256: Sha256;
  readonly random: Random;
  readonly nowS: () => number;
}

/** Signs what is proposed, under an id of its own. @throws {RangeError} for a reference that is no Unicode text. */
export function signProposal(
  names: OverrideNames,
  order: OverrideOrder,
  { name, sign }: OverrideSigner,
  { sha256, random, nowS }: OverrideSigningModules,
): SignedOrder {
  const atS = nowS();
  const id = beganAt(atS) + hexOf(random(12));
  const subjects = order.subjects.map((subject): [string, string] => [subject, hexOf(random(SALT_BYTES))]);
  const digest = digestOf(sha256, { subjects, forgotten: [] });
  const terms = termsOf(id, { ...order, people: subjects.length, digest });
  const signature = hexOf(sign(proposalMessage(names, terms, { name, atS })));
  return { ...order, id, salts: subjects.map(([, salt]) => salt), signed: { atS, signature } };
}

/** What was proposed, as far as it is signed. */
export type ProposalSeen = Pick<
  OverrideSeen,
  'id' | 'reason' | 'colour' | 'days' | 'people' | 'digest' | 'proposed'
>;

/** `proposalDigest` of it in hexadecimal digits. */
export function proposalDigestOf(sha256: Sha256, names: OverrideNames, seen: ProposalSeen): string {
  return hexOf(proposalDigest(sha256, names, proposalIn(seen)));
}

/** Signs that this is confirmed, as it was signed by whoever proposed it. */
export function signConfirmation(
  names: OverrideNames,
  seen: ProposalSeen,
  { name, sign }: OverrideSigner,
  { sha256, nowS }: Omit<OverrideSigningModules, 'random'>,
): SignedAt {
  const atS = nowS();
  const signature = hexOf(sign(confirmationMessage(sha256, names, proposalIn(seen), { name, atS })));
  return { atS, signature };
}

function proposalIn(seen: ProposalSeen): OverrideTerms & Pick<SignedOverride, 'proposed'> {
  return { ...termsOf(seen.id, seen), proposed: signatureOf(seen.proposed) };
}

/** Who proposes or confirms has a key. @throws {NodeError} REFUSED */
export function requireSigner(signer: OverrideSigner | undefined): OverrideSigner {
  if (signer !== undefined) return signer;
  throw new NodeError('REFUSED', 'only a named operator gives a colour without a rule', {
    hint: 'Say --operator FILE.',
  });
}
