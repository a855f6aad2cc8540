/** Colours without a rule: proposed by one operator, confirmed by another. */
import { z } from '@hono/zod-openapi';
import {
  GIVEN_REASONS,
  OVERRIDE_DAYS_MAX,
  OVERRIDE_SUBJECTS_MAX,
  OVERRIDES_LISTED,
  OVERRIDES_LISTED_MAX,
} from '../abuse/override-kept.ts';
import { type Overrides } from '../abuse/overrides.ts';
import { type Operators } from '../operators/operators.ts';
import { type Actor } from '../operators/scopes.ts';
import { type IncomingMessage } from 'node:http';
import { isSubject, SUBJECT_BYTES_MAX } from '../registry/record-page.ts';
import { type AdminRoute } from './admin-route.ts';
import { readJson, readQuery } from './input.ts';
import { type Replies } from './replies.ts';

export interface OverrideRoutesModules {
  readonly node: { readonly overrides: Overrides };
  readonly operators: Pick<Operators, 'ofKey'>;
  readonly actorOf: (request: IncomingMessage) => Actor;
  readonly replies: Replies;
}

const PROPOSAL_BYTES_MAX = 262_144;
const subject = z.string().trim().refine(isSubject, `expected 1 to ${SUBJECT_BYTES_MAX} bytes of UTF-8`);
const proposal = z
  .strictObject({
    reason: z.enum(GIVEN_REASONS),
    colour: z.enum(['green', 'yellow', 'red']),
    days: z.int().min(1).max(OVERRIDE_DAYS_MAX),
    subjects: z.array(subject).min(1).max(OVERRIDE_SUBJECTS_MAX),
  })
  .openapi('OverrideProposal');
const id = z.string().regex(/^[0-9a-f]{32}$/);
const named = z.strictObject({ id }).openapi('OverrideNamed');
const seen = z.looseObject({ id: z.string(), state: z.string(), people: z.int() }).openapi('Override');
const damaged = z
  .object({ id: z.string(), code: z.string(), message: z.string() })
  .openapi('OverrideDamaged');
const asked = z.strictObject({
  last: z
    .string()
    .regex(/^[1-9]\d{0,3}$/)
    .transform(Number)
    .refine((last) => last <= OVERRIDES_LISTED_MAX, `expected at most ${OVERRIDES_LISTED_MAX}`)
    .optional()
    .openapi({ description: `So many at most; ${OVERRIDES_LISTED} by default.` }),
  after: id
    .optional()
    .openapi({ description: 'Those behind this one: the last of the answer before, damaged ones too.' }),
});
const shown = seen.extend({ subjects: z.array(z.string()) }).openapi('OverrideShown');
const json = (schema: z.ZodType) => ({ 'application/json': { schema } });
const body = (schema: z.ZodType) => ({ body: { content: json(schema), required: true } });

export function overrideRoutes({
  node: { overrides },
  operators,
  actorOf,
  replies,
}: OverrideRoutesModules): AdminRoute[] {
  return [
    {
      method: 'post',
      path: '/v1/override/propose',
      needs: 'issue',
      summary:
        'Proposes a colour without a rule for people, which another operator has to confirm within a day',
      request: body(proposal),
      answer: { description: 'What was proposed', content: json(seen) },
      order: async (context) => {
        const order = await readJson(context.env.incoming, proposal, PROPOSAL_BYTES_MAX);
        const carryOut = async () =>
          replies.json(context, await overrides.propose(order, actorOf(context.env.incoming)));
        return { count: order.subjects.length, about: order.reason, carryOut };
      },
    },
    {
      method: 'post',
      path: '/v1/override/confirm',
      needs: 'issue',
      summary: 'Confirms what another operator proposed: codes are issued, and looser ones revoked',
      request: body(named),
      answer: { description: 'How many', content: json(z.object({ issued: z.int() })) },
      order: async (context) => {
        const { id } = await readJson(context.env.incoming, named, PROPOSAL_BYTES_MAX);
        const carryOut = async () =>
          replies.json(context, await overrides.confirm(id, actorOf(context.env.incoming), operators));
        return { about: id, carryOut };
      },
    },
    {
      method: 'post',
      path: '/v1/override/show',
      needs: 'issue',
      summary: 'What was proposed, with the people whom it names until they have their codes',
      request: body(named),
      answer: { description: 'The proposal', content: json(shown) },
      order: async (context) => {
        const { id } = await readJson(context.env.incoming, named, PROPOSAL_BYTES_MAX);
        return { about: id, carryOut: async () => replies.json(context, await overrides.show(id)) };
      },
    },
    {
      method: 'get',
      path: '/v1/override',
      needs: 'read',
      summary: 'Colours without a rule that were proposed and confirmed, without the people',
      request: { query: asked },
      answer: {
        description:
          'The newest first, those between them that cannot be read, and whether there are older ones',
        content: json(z.object({ overrides: z.array(seen), damaged: z.array(damaged), more: z.boolean() })),
      },
      handle: async (context) =>
        replies.json(context, await overrides.list(readQuery(context.req.url, asked))),
    },
  ];
}
