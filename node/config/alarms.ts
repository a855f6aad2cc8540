/** How many colours may change at once before an alarm is raised. */
import { z } from 'zod';
import { BULK_LIMITS, type BulkLimits } from '../abuse/bulk-watch.ts';

const perHour = z.int().min(0).max(100_000_000);
const usual = BULK_LIMITS.perHour;
const HOURS_OF_DAY = 24;

export const alarmsSchema = z.strictObject({
  stricterPerHour: perHour
    .default(usual.stricter)
    .describe('Yellow and red codes issued within an hour, above which an alarm is raised.'),
  revokedPerHour: perHour
    .default(usual.revoked)
    .describe('Codes revoked within an hour, above which an alarm is raised.'),
  overridesPerHour: perHour
    .default(usual.override)
    .describe('People within an hour whose colour no rule gave, above which an alarm is raised.'),
  toldPerHour: perHour
    .default(usual.told)
    .describe(
      'Yellow and red codes within an hour that rest on what one operator told alone, above which an alarm is raised.',
    ),
  numbersStricterPerHour: perHour
    .default(usual.numbersStricter)
    .describe(
      'Numbers of the local system within an hour that a list turned stricter, above which an alarm is raised.',
    ),
  numbersLooserPerHour: perHour
    .default(usual.numbersLooser)
    .describe(
      'Numbers of the local system within an hour that a list turned looser, above which an alarm is raised.',
    ),
  dayTimes: z
    .int()
    .min(1)
    .max(HOURS_OF_DAY)
    .default(BULK_LIMITS.dayTimes)
    .describe('So many times what an hour may have is what a day may have, above which an alarm is raised.'),
});

export function bulkLimitsOf(alarms: z.infer<typeof alarmsSchema>): BulkLimits {
  return {
    perHour: {
      stricter: alarms.stricterPerHour,
      revoked: alarms.revokedPerHour,
      override: alarms.overridesPerHour,
      told: alarms.toldPerHour,
      numbersStricter: alarms.numbersStricterPerHour,
      numbersLooser: alarms.numbersLooserPerHour,
    },
    dayTimes: alarms.dayTimes,
  };
}
