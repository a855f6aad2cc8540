/** What an auditor is given. */
import { z } from '@hono/zod-openapi';
import { type Disclosing, RECIPIENT, toldOfDisclosure } from '../abuse/disclosing.ts';
import { INDEX_BOUND } from '../../protocol/limits.ts';
import { isAttestationLogId } from '../../protocol/log/origin.ts';
import { type Tally } from '../operators/acting.ts';
import { type Operators } from '../operators/operators.ts';
import { type AdminRoute } from './admin-route.ts';
import { readJson } from './input.ts';
import { type Replies } from './replies.ts';

export interface DisclosureRoutesModules {
  readonly node: { readonly disclosing: Disclosing };
  readonly operators: Pick<Operators, 'all' | 'former'>;
  readonly replies: Replies;
}

const ORDER_BYTES_MAX = 4_096;
const index = z.int().min(0).max(INDEX_BOUND);
const order = z
  .strictObject({
    log: z
      .string()
      .max(16)
      .refine(isAttestationLogId, 'expected the id of an attestation log, as in 2026-11'),
    from: index,
    until: index,
    auditor: z.string().regex(RECIPIENT, 'expected a public key that begins with age1'),
  })
  .openapi('DisclosureOrder');
const answer = z
  .object({
    opened: z.int(),
    nobodys: z.int().openapi({ description: "Leaves of which it shows that they are nobody's." }),
    unread: z
      .object({
        leaves: z.int(),
        rows: z.array(z.object({ from: z.int(), until: z.int(), code: z.string(), message: z.string() })),
      })
      .openapi({
        description: 'Leaves that it does not open, since what the registry has of them is damaged.',
      }),
    file: z.string().openapi({ description: 'Base64 of a file of age (SPEC.md 22).' }),
  })
  .openapi('Disclosure');

export function disclosureRoutes({
  node: { disclosing },
  operators,
  replies,
}: DisclosureRoutesModules): AdminRoute[] {
  return [
    {
      method: 'post',
      path: '/v1/disclosures',
      needs: 'audit',
      summary: 'Opens a stretch of a log for a named auditor, encrypted to their key',
      request: { body: { content: { 'application/json': { schema: order } }, required: true } },
      answer: { description: 'The file', content: { 'application/json': { schema: answer } } },
      order: async (context) => {
        const asked = await readJson(context.env.incoming, order, ORDER_BYTES_MAX);
        const carryOut = async (tally: Tally) => {
          const { bytes, ...shown } = await disclosing.disclose(asked, operators);
          tally.failed = shown.unread.leaves;
          return replies.json(context, { ...shown, file: Buffer.from(bytes).toString('base64') });
        };
        return { ...toldOfDisclosure(asked), carryOut };
      },
    },
  ];
}
