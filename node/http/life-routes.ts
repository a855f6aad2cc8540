/** The life of colours for the operator: updating all of them, handing out what came of it, one holder, and objections. */
import { type IncomingMessage } from 'node:http';
import { z } from '@hono/zod-openapi';
import { type RegionNode } from '../core/region-node.ts';
import { CHANGE_KINDS, changeSchema, objectionSchema, OBJECTION_TEXT_CHARS_MAX } from '../life/dossier.ts';
import { DECLARED_MAX } from '../life/updater.ts';
import { UPDATE_OUTCOMES } from '../life/update-figures.ts';
import { type Tally } from '../operators/acting.ts';
import { type Actor } from '../operators/scopes.ts';
import { counting, countingUpdate, textOfUpdate } from '../life/tallies.ts';
import { type AdminRoute } from './admin-route.ts';
import { readJson } from './input.ts';
import { problemOf } from './problem.ts';
import { type Replies } from './replies.ts';
import { problem } from './schemas.ts';

export interface LifeModules {
  readonly node: Pick<RegionNode, 'life'>;
  readonly actorOf: (request: IncomingMessage) => Actor;
  readonly replies: Replies;
}

const ORDER_BYTES_MAX = 16_384;
const TOLD_BYTES_MAX = 524_288;
const subject = z.string().trim().min(1).max(64);
const text = z.string().trim().min(1).max(OBJECTION_TEXT_CHARS_MAX);
const place = { log: z.string().max(16), index: z.int().nonnegative() };

const updateOrder = z
  .strictObject({
    rules: z.string().min(1).max(64).optional(),
    dry: z.strictObject({ atS: z.int().nonnegative() }).optional(),
  })
  .openapi('UpdateOrder', { description: 'With `dry` nothing is changed, and the time may be another.' });
const updateLine = z
  .union([
    z.object({ figures: z.record(z.enum(UPDATE_OUTCOMES), z.int()), share: z.number() }),
    z.object({ unsettled: z.object({ subject: z.string() }) }),
    z.object({ damaged: z.string() }),
    z.object({ problem }),
  ])
  .openapi('UpdateLine', {
    description:
      'Of the figures the last one, with a share of 1, counts. `damaged` names the row of a person of whom nothing can be read.',
  });
const noticeLine = z
  .object({
    subject: z.string(),
    ...place,
    code: z.string(),
    change: z.object(changeSchema.shape),
    text: z.array(z.string()),
  })
  .openapi('Notice');
const toldOrder = z
  .strictObject({
    handed: z
      .array(z.strictObject({ subject, ...place, kind: z.enum(CHANGE_KINDS).optional() }))
      .max(DECLARED_MAX),
  })
  .openapi('ToldOrder', {
    description: 'Each with the `kind` of its change. Without it a revocation stays untold.',
  });
const holderOrder = z.strictObject({ subject, explain: z.boolean().default(false) }).openapi('HolderOrder');
const holder = z
  .object({
    standing: z.enum(['running', 'over', 'revoked', 'none']),
    notice: z.array(z.string()),
    changes: z.array(z.object(changeSchema.shape)),
    objections: z.array(z.object(objectionSchema.shape)),
  })
  .openapi('Holder', {
    description: 'With the declaration, and what explains the colour where that is wanted.',
  });
const objectOrder = z.strictObject({ subject, text }).openapi('ObjectOrder');
const decideOrder = z
  .strictObject({ subject, number: z.int().min(1), isUpheld: z.boolean(), answer: text })
  .openapi('DecideOrder');
const objection = z.object(objectionSchema.shape).openapi('Objection');
const objectionLine = z
  .object({ subject: z.string(), objection, isOverdue: z.boolean() })
  .openapi('OpenObjection');

const json = (schema: z.ZodType) => ({ 'application/json': { schema } });
const body = (schema: z.ZodType) => ({ body: { content: json(schema), required: true } });
const lines = (description: string, schema: z.ZodType) => ({
  description,
  content: { 'application/jsonl': { schema } },
});

export function lifeRoutes({ node: { life }, actorOf, replies }: LifeModules): AdminRoute[] {
  return [
    {
      method: 'post',
      path: '/v1/update',
      needs: 'issue',
      summary: 'Holds everybody who declared against rules and lists as they are now',
      request: body(updateOrder),
      answer: lines('Who has no colour, and figures as they come', updateLine),
      order: async (context) => {
        const order = await readJson(context.env.incoming, updateOrder, ORDER_BYTES_MAX);
        const lines = (tally: Tally) => linesOf(countingUpdate(life.update(order), tally), tally);
        return { about: textOfUpdate(order), lines };
      },
    },
    {
      method: 'post',
      path: '/v1/notices',
      needs: 'issue',
      summary: 'Codes that nobody was given yet, each with what its holder is told',
      answer: lines('A line for each', noticeLine),
      order: () => ({
        lines: (tally) => linesOf(counting(life.untold(), tally), tally),
        isAtOnce: true,
      }),
    },
    {
      method: 'post',
      path: '/v1/notices/told',
      needs: 'issue',
      summary: 'These codes were handed out',
      request: body(toldOrder),
      answer: { description: 'It is noted', content: json(z.object({ told: z.int() })) },
      order: async (context) => {
        const { handed } = await readJson(context.env.incoming, toldOrder, TOLD_BYTES_MAX);
        const carryOut = async () => {
          await life.told(handed);
          return replies.json(context, { told: handed.length });
        };
        return { count: handed.length, carryOut };
      },
    },
    {
      method: 'post',
      path: '/v1/holder',
      needs: 'issue',
      summary: 'What is known of a person, and why they have their colour',
      request: body(holderOrder),
      answer: { description: 'The person', content: json(holder) },
      order: async (context) => {
        const order = await readJson(context.env.incoming, holderOrder, ORDER_BYTES_MAX);
        const carryOut = async () => replies.json(context, await life.holder(order.subject, order.explain));
        return { count: 1, carryOut };
      },
    },
    {
      method: 'get',
      path: '/v1/objections',
      needs: 'issue',
      summary: 'Objections that are not settled',
      answer: lines('A line for each', objectionLine),
      order: () => ({
        about: 'list',
        lines: (tally) => linesOf(counting(life.objections(), tally), tally),
        isAtOnce: true,
      }),
    },
    {
      method: 'post',
      path: '/v1/objections',
      needs: 'issue',
      summary: 'Opens an objection to the colour of a person',
      request: body(objectOrder),
      answer: { description: 'With the day by which it is to be decided', content: json(objection) },
      order: async (context) => {
        const order = await readJson(context.env.incoming, objectOrder, ORDER_BYTES_MAX);
        const by = actorOf(context.env.incoming);
        const carryOut = async () => replies.json(context, await life.object(order.subject, order.text, by));
        return { count: 1, carryOut };
      },
    },
    {
      method: 'post',
      path: '/v1/objections/decide',
      needs: 'issue',
      summary: 'Decides an objection; another operator than the one who opened it upholds it',
      request: body(decideOrder),
      answer: { description: 'As it stands now', content: json(objection) },
      order: async (context) => {
        const { subject: of, ...deciding } = await readJson(
          context.env.incoming,
          decideOrder,
          ORDER_BYTES_MAX,
        );
        const by = actorOf(context.env.incoming);
        const carryOut = async () => replies.json(context, await life.decide(of, deciding, by));
        return { count: 1, about: deciding.isUpheld ? 'upheld' : 'dismissed', carryOut };
      },
    },
  ];
}

/** What goes wrong on the way is the last line, since the answer has begun by then. */
async function* linesOf(
  values: AsyncIterable<object>,
  tally: Tally,
): AsyncGenerator<string, void, undefined> {
  try {
    for await (const value of values) yield `${JSON.stringify(value)}\n`;
  } catch (error) {
    const problem = problemOf(error, 'operator');
    tally.fault = problem.code;
    yield `${JSON.stringify({ problem })}\n`;
  }
}
