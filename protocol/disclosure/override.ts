/**
 * A colour that no rule gave, as two operators sign it with keys of their own: one proposes it for people, another confirms just that.
 * What they sign names nobody: of each person there is a mark by a secret of its own. Spec: SPEC.md 5.7.
 */
import { asciiBytes, compareBytes, concatBytes, hexOf } from '../bytes.ts';
import { type Colour, type Status } from '../code/status.ts';
import { utf8Bytes } from '../encoding/utf8.ts';
import { type Primitives, type Sha256 } from '../primitives.ts';

/**
 * Why a colour was given without a rule, by the number on the wire. `one-person`: a region that names no operators issues by hand;
 * it is never that of an override.
 */
export const OVERRIDE_REASONS = [
  'one-person',
  'data-error',
  'laboratory',
  'outbreak',
  'court-order',
  'hardship',
] as const;
export type OverrideReason = (typeof OVERRIDE_REASONS)[number];
/** Of two operators. */
export type GivenReason = Exclude<OverrideReason, 'one-person'>;

/** The rule id in the status of a colour that no rule gave. */
export const MANUAL_RULE_ID = 'manual';

/** Of the secret by which the mark of one person is made. */
export const SALT_BYTES = 16;

const PERSON_LABEL = asciiBytes('entente/override-person/v1\n');
const PEOPLE_LABEL = asciiBytes('entente/override-people/v1\n');
const MEASURES = { green: 'none', yellow: 'home', red: 'isolate' } as const;
const HOUR_S = 3_600;
const DAY_S = 86_400;

/** What is proposed. */
export interface OverrideTerms {
  /** 32 hexadecimal digits: one for all that are confirmed together. */
  readonly id: string;
  readonly reason: GivenReason;
  readonly colour: Colour;
  /** Until the colour ends, from 1 on. */
  readonly days: number;
  /** How many the marks are of. */
  readonly people: number;
  /** `peopleDigest` of their marks: 32 bytes. */
  readonly digest: Uint8Array;
}

/** That somebody signed it. */
export interface OverrideSignature {
  /** Of an operator. */
  readonly name: string;
  /** Seconds since 1970. */
  readonly atS: number;
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  /** 64 bytes. */
  readonly signature: Uint8Array;
}

export interface SignedOverride extends OverrideTerms {
  readonly proposed: OverrideSignature;
  readonly confirmed: OverrideSignature;
}

/** Whose people they are. */
export interface OverrideNames {
  readonly region: string;
  readonly network: string;
}

/** What whoever proposes signs. */
export function proposalMessage(
  { region, network }: OverrideNames,
  { id, reason, colour, days, people, digest }: OverrideTerms,
  { name, atS }: Pick<OverrideSignature, 'name' | 'atS'>,
): Uint8Array {
  const fields = [region, network, id, reason, colour, days, people, hexOf(digest), name, atS];
  return asciiBytes(`entente/override-proposal/v1\n${fields.join('\n')}\n`);
}

/** Of a proposal, its key and its signature: what whoever confirms is shown and signs. 32 bytes. */
export function proposalDigest(
  sha256: Sha256,
  names: OverrideNames,
  { proposed, ...terms }: OverrideTerms & Pick<SignedOverride, 'proposed'>,
): Uint8Array {
  const { publicKey, signature } = proposed;
  return sha256(concatBytes(proposalMessage(names, terms, proposed), publicKey, signature));
}

/** What whoever confirms signs: just this proposal, by that key. */
export function confirmationMessage(
  sha256: Sha256,
  names: OverrideNames,
  proposal: OverrideTerms & Pick<SignedOverride, 'proposed'>,
  { name, atS }: Pick<OverrideSignature, 'name' | 'atS'>,
): Uint8Array {
  const digest = proposalDigest(sha256, names, proposal);
  return asciiBytes(`entente/override-confirmation/v1\n${hexOf(digest)}\n${name}\n${atS}\n`);
}

/** Whether whoever proposed it signed just this for this region. */
export function isProposalSigned(
  { verifySignature }: Pick<Primitives, 'verifySignature'>,
  names: OverrideNames,
  override: OverrideTerms & Pick<SignedOverride, 'proposed'>,
): boolean {
  const { publicKey, signature } = override.proposed;
  const message = proposalMessage(names, override, override.proposed);
  return verifySignature({ publicKey, message, signature });
}

/** Whether both signed it, for this region, by different keys and names. */
export function isSignedByTwo(
  modules: Primitives,
  names: OverrideNames,
  { confirmed, ...proposal }: SignedOverride,
): boolean {
  const { publicKey, signature, name } = confirmed;
  if (name === proposal.proposed.name || hexOf(publicKey) === hexOf(proposal.proposed.publicKey))
    return false;
  const message = confirmationMessage(modules.sha256, names, proposal, confirmed);
  return (
    isProposalSigned(modules, names, proposal) && modules.verifySignature({ publicKey, message, signature })
  );
}

/** Stands for a person among those of a proposal, and tells nobody who has not the salt, `SALT_BYTES`, who it is: 32 bytes. */
export function personMark(sha256: Sha256, salt: Uint8Array, reference: string): Uint8Array {
  return sha256(concatBytes(PERSON_LABEL, salt, utf8Bytes(reference)));
}

/** Of people by their marks, in whatever order: 32 bytes. */
export function peopleDigest(sha256: Sha256, marks: readonly Uint8Array[]): Uint8Array {
  return sha256(concatBytes(PEOPLE_LABEL, ...[...marks].sort(compareBytes)));
}

/** The status that each of the people gets by it, and nothing else. */
export function overrideStatus(
  { colour, days }: Pick<OverrideTerms, 'colour' | 'days'>,
  confirmedAtS: number,
): Status {
  const untilS = Math.floor(confirmedAtS / HOUR_S) * HOUR_S + days * DAY_S;
  const measure = MEASURES[colour];
  return {
    colour,
    measure,
    untilS: measure === 'none' ? undefined : untilS,
    expiresAtS: untilS,
    ruleId: MANUAL_RULE_ID,
    ruleVersion: 1,
  };
}
