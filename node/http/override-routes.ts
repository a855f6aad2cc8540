/** Colours without a rule: proposed by one operator, confirmed by another. */
import { z } from '@hono/zod-openapi';
import {
  GIVEN_REASONS,
  OVERRIDE_ID,
  OVERRIDES_LISTED,
  OVERRIDES_LISTED_MAX,
  SALT,
  SIGNATURE,
} from '../abuse/override-kept.ts';
import { type OverrideOperators } from '../abuse/override-proof.ts';
import { type Overrides } from '../abuse/overrides.ts';
import { type Actor } from '../operators/scopes.ts';
import { type IncomingMessage } from 'node:http';
import { OVERRIDE_DAYS_MAX, OVERRIDE_SUBJECTS_MAX } from '../../protocol/limits.ts';
import { isSubject, SUBJECT_BYTES_MAX } from '../registry/record-page.ts';
import { type AdminRoute } from './admin-route.ts';
import { readJson, readQuery } from './input.ts';
import { type Replies } from './replies.ts';

export interface OverrideRoutesModules {
  readonly node: { readonly overrides: Overrides };
  readonly operators: OverrideOperators;
  readonly actorOf: (request: IncomingMessage) => Actor;
  readonly replies: Replies;
}

const PROPOSAL_BYTES_MAX = 524_288;
const subject = z.string().trim().refine(isSubject, `expected 1 to ${SUBJECT_BYTES_MAX} bytes of UTF-8`);
const id = z.string().regex(OVERRIDE_ID);
const signed = z
  .strictObject({ atS: z.int().min(0), signature: z.string().regex(SIGNATURE) })
  .openapi('OverrideSigned', {
    description:
      'When the operator signed it with their own key, within two minutes of now, and the Ed25519 signature in hexadecimal digits, of what SPEC.md 5.7 has. `entente override propose` and `confirm` make it.',
  });
const proposal = z
  .strictObject({
    reason: z.enum(GIVEN_REASONS),
    colour: z.enum(['green', 'yellow', 'red']),
    days: z.int().min(1).max(OVERRIDE_DAYS_MAX),
    subjects: z.array(subject).min(1).max(OVERRIDE_SUBJECTS_MAX),
    id: id.openapi({
      description:
        'Made by whoever proposes: 8 hexadecimal digits of 2^32 - 1 less the second of signing, and 24 random ones.',
    }),
    salts: z
      .array(z.string().regex(SALT))
      .max(OVERRIDE_SUBJECTS_MAX)
      .openapi({ description: '16 random bytes for each of the people, in their order (SPEC.md 5.7).' }),
    signed,
  })
  .openapi('OverrideProposal');
const named = z.strictObject({ id }).openapi('OverrideNamed');
const confirmation = z.strictObject({ id, signed }).openapi('OverrideConfirmation');
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
          replies.json(context, await overrides.propose(order, actorOf(context.env.incoming), operators));
        return { count: order.subjects.length, about: order.reason, carryOut };
      },
    },
    {
      method: 'post',
      path: '/v1/override/confirm',
      needs: 'issue',
      summary:
        'Confirms by a signature what another operator proposed: codes are issued, and looser ones revoked',
      request: body(confirmation),
      answer: { description: 'How many', content: json(z.object({ issued: z.int() })) },
      order: async (context) => {
        const { id, signed } = await readJson(context.env.incoming, confirmation, PROPOSAL_BYTES_MAX);
        const carryOut = async () =>
          replies.json(
            context,
            await overrides.confirm(id, signed, actorOf(context.env.incoming), operators),
          );
        return { about: id, carryOut };
      },
    },
    {
      method: 'post',
      path: '/v1/override/show',
      needs: 'issue',
      summary:
        'What was proposed and by which signature, with the people whom it names until they have their codes',
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
