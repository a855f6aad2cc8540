/** Suite `certlogic`: the language's own cases, expressions with data and the value expected, under `certlogic/`. */
import { join } from 'node:path';
import { z } from 'zod';
import { jsonFilesOf } from './files.ts';
import { evaluationFault } from './evaluation.ts';
import { Tally, type Suite } from './suite.ts';

const assertionSchema = z.object({
  data: z.unknown(),
  expected: z.unknown(),
  message: z.string().optional(),
  /** An assertion may stand beside an expression of its own. */
  certLogicExpression: z.unknown().optional(),
});
const caseSchema = z.object({
  name: z.string().optional(),
  certLogicExpression: z.unknown().optional(),
  assertions: z.array(assertionSchema),
});
const fileSchema = z.object({ cases: z.array(caseSchema) });

export const certlogicSuite: Suite = {
  name: 'certlogic',
  async run(dir) {
    const tally = new Tally();
    const files = jsonFilesOf(join(dir, 'certlogic'));
    if (files === undefined) {
      tally.skip('there is no folder certlogic');
      return tally.result();
    }
    for await (const { name, json } of files) {
      const file = fileSchema.safeParse(json);
      if (!file.success) tally.fail(`${name}: its layout is not known`);
      for (const one of file.data?.cases ?? []) {
        for (const [index, assertion] of one.assertions.entries()) {
          const { data, expected, certLogicExpression = one.certLogicExpression } = assertion;
          const fault = evaluationFault({ expression: certLogicExpression, data, expected });
          const which = `${name}: ${one.name ?? 'a case'} (assertion ${index})`;
          tally.settle(fault === undefined ? undefined : `${which}: ${fault}`);
        }
      }
    }
    return tally.result();
  },
};
