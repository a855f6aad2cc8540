/** What an operator decides about the colours of people who declare. */
import { z } from 'zod';
import { isRuleId } from '../../protocol/code/status.ts';
import { isPrintable } from '../../protocol/rules/rule-set-schema.ts';

export const lifeSchema = z.strictObject({
  everyMinutes: z
    .int()
    .min(0)
    .max(1_440)
    .default(60)
    .describe(
      'Minutes between two updates of the colours of all who declared, besides those soon after lists and declarations; 0 for none by itself, of either kind.',
    ),
  rules: z
    .string()
    .refine(isRuleId, 'expected the id of rules')
    .optional()
    .describe(
      'Id of the rules of the trust log that decide on them; by default the only ones that know of declarations. With several in force and none named here, or with one named that is not in force, no colour is updated, and `status` says so.',
    ),
  listsOldHours: z
    .int()
    .min(0)
    .max(8_760)
    .default(48)
    .describe(
      'Hours after which a list that the rules for people ask for is old, which `update`, `status`, `doctor` and `issue --rules` say then; 0 for never. Of one that is missing they say it always.',
    ),
  objectTo: z
    .string()
    .min(1)
    .max(200)
    .refine(isPrintable, 'expected no control characters')
    .default('the office that issued this code')
    .describe('Where people object to their colour, as they are told with each code.'),
  objectionDays: z
    .int()
    .min(1)
    .max(90)
    .default(7)
    .describe('Days within which an objection is to be decided.'),
});
