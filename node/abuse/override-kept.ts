/** What is kept of a colour without a rule, and what each of its people gets by it. */
import { z } from 'zod';
import { hexBytes, hexOf } from '../../protocol/bytes.ts';
import { type Colour, COLOURS, type Status } from '../../protocol/code/status.ts';
import { encodeBasis, overrideBasis } from '../../protocol/disclosure/basis.ts';
import {
  type GivenReason,
  OVERRIDE_REASONS,
  type OverrideSignature,
  overrideStatus,
  type OverrideTerms,
  peopleDigest,
  personMark,
} from '../../protocol/disclosure/override.ts';
import { OVERRIDE_DAYS_MAX } from '../../protocol/limits.ts';
import { type Sha256 } from '../../protocol/primitives.ts';

/** Proposals of one operator that wait: what is kept has a bound, and nobody keeps others from proposing. */
export const PROPOSALS_OPEN_MAX = 32;
/** Overrides that are listed at once: years of them may be kept. */
export const OVERRIDES_LISTED_MAX = 1_000;
export const OVERRIDES_LISTED = 100;

/** Reasons that an operator can give. */
export const GIVEN_REASONS = OVERRIDE_REASONS.slice(1) as readonly GivenReason[];

export const OVERRIDE_ID = /^[0-9a-f]{32}$/;
export const SALT = /^[0-9a-f]{32}$/;
export const SIGNATURE = /^[0-9a-f]{128}$/;
const hash = z.string().regex(/^[0-9a-f]{64}$/);
const signed = z.strictObject({
  name: z.string(),
  atS: z.int(),
  publicKey: hash,
  signature: z.string().regex(SIGNATURE),
});
export const keptSchema = z.strictObject({
  reason: z.enum(GIVEN_REASONS),
  colour: z.enum(COLOURS),
  days: z.int().min(1).max(OVERRIDE_DAYS_MAX),
  people: z.int(),
  /** Of the marks of all its people. */
  digest: hash,
  /** Each with the salt of their mark. Empty once all have their codes. */
  subjects: z.array(z.tuple([z.string(), z.string().regex(SALT)])),
  /** Marks of those who were forgotten meanwhile. */
  forgotten: z.array(hash),
  proposed: signed,
  confirmed: signed.optional(),
  /** People who got no code before its time was over. */
  missed: z.int().optional(),
  /** It was not done before its time was over: somebody got no code, or looser ones may not have been revoked. */
  isBrokenOff: z.boolean().optional(),
});
export type Kept = z.infer<typeof keptSchema>;
export type KeptSignature = Kept['proposed'];

export interface OverrideOrder {
  readonly reason: GivenReason;
  readonly colour: Colour;
  /** Until the colour ends: 1 to 14. */
  readonly days: number;
  readonly subjects: readonly string[];
}

/** An order as whoever gives it has signed it. */
export interface SignedOrder extends OverrideOrder {
  readonly id: string;
  /** Hexadecimal digits of the salt of each of the people, in their order. */
  readonly salts: readonly string[];
  readonly signed: SignedAt;
}

/** When somebody signed something, and the hexadecimal digits of the signature. */
export interface SignedAt {
  readonly atS: number;
  readonly signature: string;
}

/** Who signed a proposal or confirmed it, when, and by which key. */
export interface Signatory extends KeptSignature {
  readonly keyId: string;
}

/** Without the people. */
export interface OverrideSeen extends Omit<
  Kept,
  'subjects' | 'forgotten' | 'isBrokenOff' | 'proposed' | 'confirmed'
> {
  readonly id: string;
  readonly proposed: Signatory;
  readonly confirmed?: Signatory | undefined;
  /**
   * `broken-off`: it was confirmed, and not everybody has a code yet, or somebody may hold a looser one on; `over`: that was so when its
   * time was over.
   */
  readonly state: 'proposed' | 'lapsed' | 'broken-off' | 'over' | 'done';
}

/** With the people, until they have their codes. */
export interface OverrideShown extends OverrideSeen {
  readonly subjects: readonly string[];
}

export interface OverridesAsked {
  /** At most so many, up to `OVERRIDES_LISTED_MAX`. */
  readonly last?: number | undefined;
  /** Those behind this one: the last of a list before, whether it could be read or not. */
  readonly after?: string | undefined;
}

export interface OverridesListed {
  /** The newest first. */
  readonly overrides: readonly OverrideSeen[];
  /** Those between them that cannot be read. */
  readonly damaged: readonly { readonly id: string; readonly code: string; readonly message: string }[];
  /** Whether there are older ones. */
  readonly more: boolean;
}

/** One that was confirmed. */
export type Confirmed = Kept & { readonly confirmed: KeptSignature };

const SECONDS_END = 2 ** 32 - 1;

/** What each of its people gets, and why. */
export function codeOf(id: string, kept: Confirmed): { readonly status: Status; readonly basis: Uint8Array } {
  const [proposed, confirmed] = [signatureOf(kept.proposed), signatureOf(kept.confirmed)];
  const basis = encodeBasis(overrideBasis({ ...termsOf(id, kept), proposed, confirmed }));
  return { status: overrideStatus(kept, confirmed.atS), basis };
}

export function isConfirmed(kept: Kept): kept is Confirmed {
  return kept.confirmed !== undefined;
}

/** What was proposed, as its operators sign it. */
export function termsOf(
  id: string,
  { reason, colour, days, people, digest }: Pick<Kept, 'reason' | 'colour' | 'days' | 'people' | 'digest'>,
): OverrideTerms {
  return { id, reason, colour, days, people, digest: hexBytes(digest) };
}

export function signatureOf({ name, atS, publicKey, signature }: KeptSignature): OverrideSignature {
  return { name, atS, publicKey: hexBytes(publicKey), signature: hexBytes(signature) };
}

/** The people whom it names still. */
export function namesIn({ subjects }: Pick<Kept, 'subjects'>): string[] {
  return subjects.map(([subject]) => subject);
}

/** The digest of those whom it names and of those who were forgotten, in hexadecimal. */
export function digestOf(
  sha256: Sha256,
  { subjects, forgotten }: Pick<Kept, 'subjects' | 'forgotten'>,
): string {
  const marks = [...subjects.map((one) => markOf(sha256, one)), ...forgotten];
  return hexOf(peopleDigest(sha256, marks.map(hexBytes)));
}

export function markOf(sha256: Sha256, [subject, salt]: Kept['subjects'][number]): string {
  return hexOf(personMark(sha256, hexBytes(salt), subject));
}

/** How ids of that second begin: with 8 hexadecimal digits that fall as time goes on, so that the newest come first. */
export function beganAt(atS: number): string {
  return Math.max(0, SECONDS_END - atS)
    .toString(16)
    .padStart(8, '0');
}
