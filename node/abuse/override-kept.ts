/** What is kept of a colour without a rule, and what each of its people gets by it. */
import { z } from 'zod';
import { type Colour, type Status } from '../../protocol/code/status.ts';
import { encodeBasis, OVERRIDE_REASONS, type OverrideReason } from '../../protocol/disclosure/basis.ts';
import { MANUAL_RULE_ID } from '../../protocol/trust/tally.ts';

/** People of one override. */
export const OVERRIDE_SUBJECTS_MAX = 2_000;
export const OVERRIDE_DAYS_MAX = 14;
/** Proposals of one operator that wait: what is kept has a bound, and nobody keeps others from proposing. */
export const PROPOSALS_OPEN_MAX = 32;
/** Overrides that are listed at once: years of them may be kept. */
export const OVERRIDES_LISTED_MAX = 1_000;
export const OVERRIDES_LISTED = 100;
/** Seconds that a proposal waits for somebody who confirms it. */
export const PROPOSAL_S_MAX = 86_400;

/** Reasons that an operator can give. */
export const GIVEN_REASONS = OVERRIDE_REASONS.slice(1) as readonly Exclude<OverrideReason, 'one-person'>[];

const COLOURS = ['green', 'yellow', 'red'] as const satisfies readonly Colour[];
const MEASURES = { green: 'none', yellow: 'home', red: 'isolate' } as const;
const signatory = z.strictObject({ name: z.string(), keyId: z.string(), atS: z.int() });
export const keptSchema = z.strictObject({
  reason: z.enum(OVERRIDE_REASONS),
  colour: z.enum(COLOURS),
  days: z.int().min(1).max(OVERRIDE_DAYS_MAX),
  people: z.int(),
  /** Empty once all have their codes. */
  subjects: z.array(z.string()),
  proposed: signatory,
  confirmed: signatory.optional(),
  /** People who got no code before its time was over. */
  missed: z.int().optional(),
  /** It was not done before its time was over: somebody got no code, or looser ones may not have been revoked. */
  isBrokenOff: z.boolean().optional(),
});
export type Kept = z.infer<typeof keptSchema>;
export type Signatory = z.infer<typeof signatory>;

export interface OverrideOrder {
  readonly reason: OverrideReason;
  readonly colour: Colour;
  /** Until the colour ends: 1 to 14. */
  readonly days: number;
  readonly subjects: readonly string[];
}

/** Without the people. */
export interface OverrideSeen extends Omit<Kept, 'subjects' | 'isBrokenOff'> {
  readonly id: string;
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

const HOUR_S = 3_600;
const DAY_S = 86_400;
const SECONDS_END = 2 ** 32 - 1;

/** What each of its people gets, and why. */
export function codeOf(id: string, { reason, colour, days, proposed, confirmed }: Kept) {
  const { atS = 0, keyId = '' } = confirmed ?? {};
  const untilS = (Math.floor(atS / HOUR_S) + 1) * HOUR_S + days * DAY_S - HOUR_S;
  const measure = MEASURES[colour];
  const status: Status = {
    colour,
    measure,
    untilS: measure === 'none' ? undefined : untilS,
    expiresAtS: untilS,
    ruleId: MANUAL_RULE_ID,
    ruleVersion: 1,
  };
  const basis = encodeBasis({ kind: 'override', atS, id, reason, by: [proposed.keyId, keyId] });
  return { status, basis };
}

/** How ids of that second begin: with 8 hexadecimal digits that fall as time goes on, so that the newest come first. */
export function beganAt(atS: number): string {
  return Math.max(0, SECONDS_END - atS)
    .toString(16)
    .padStart(8, '0');
}
