/** Declarations of people for the operator: taken as files or one by one, and told of as rules ask for them. */
import { type IncomingMessage } from 'node:http';
import { z } from '@hono/zod-openapi';
import { type RegionNode } from '../core/region-node.ts';
import { DECLARATION_COLUMNS } from '../life/declaration.ts';
import { DECLARATION_FORMATS } from '../life/declaration-batches.ts';
import { type DeclarationOrder, type IntakeReport } from '../life/intake.ts';
import { type DeclaredFacts } from '../life/life.ts';
import { countingIntake } from '../life/tallies.ts';
import { DECLARED_MAX } from '../life/updater.ts';
import { SOURCE_CHARS_MAX } from '../lists/lists.ts';
import { identitySchema } from '../lists/identity.ts';
import { ENCODINGS } from '../rows/encoding.ts';
import { type Tally } from '../operators/acting.ts';
import { broughtBy } from '../operators/brought-by.ts';
import { type Actor } from '../operators/scopes.ts';
import { type AdminRoute } from './admin-route.ts';
import { partsOf, readJson, readQuery } from './input.ts';
import { rowFault, updateInS } from './list-routes.ts';
import { type Replies } from './replies.ts';

export interface DeclarationModules {
  readonly node: Pick<RegionNode, 'life'>;
  readonly actorOf: (request: IncomingMessage) => Actor;
  readonly replies: Replies;
}

const source = z.string().trim().min(1).max(SOURCE_CHARS_MAX);
const importQuery = z.strictObject({
  source,
  format: z.enum(DECLARATION_FORMATS).default('csv'),
  encoding: z.enum(ENCODINGS).default('utf-8'),
});

const ROW_BYTES_MAX = 4_096;
const CELL_CHARS_MAX = 2_048;
const cell = z.union([z.string().max(CELL_CHARS_MAX), z.boolean()]);
export const declarationOrder = z
  .strictObject({ source, declaration: z.partialRecord(z.enum(DECLARATION_COLUMNS), cell) })
  .openapi('DeclarationOrder', { description: 'A row of a file of declarations (docs/issuing.md).' });
const declarationFault = rowFault
  .extend({
    bearer: z.string().optional().openapi({
      description: 'The reference that has the document of the row, where it is refused for that.',
    }),
  })
  .openapi('DeclarationFault', { description: 'Line 0 is the whole file.' });
export const intakeReport = z
  .union([
    z.object({
      outcome: z.literal('taken'),
      added: z.int(),
      replaced: z.int(),
      unchanged: z.int(),
      older: z.int(),
      updateInS,
    }),
    z.object({ outcome: z.literal('refused'), faults: z.array(declarationFault) }),
  ])
  .openapi('IntakeReport', { description: 'Where it is refused nothing was changed.' });

export const declaredOrder = z
  .strictObject({ rules: z.string().min(1).max(64), subjects: z.array(z.string()).max(DECLARED_MAX) })
  .openapi('DeclaredOrder');
const DECLARED_BYTES_MAX = 524_288;
const value = z.union([z.string(), z.number(), z.boolean(), z.null(), z.array(z.string())]);
export const declaredAnswer = z
  .object({
    people: z.array(
      z.object({ identity: z.object(identitySchema.shape), facts: z.record(z.string(), value) }).nullable(),
    ),
  })
  .openapi('Declared', { description: 'In the order of the subjects; null for who has not declared.' });

const json = (schema: z.ZodType) => ({ 'application/json': { schema } });

export function declarationRoutes({ node, actorOf, replies }: DeclarationModules): AdminRoute[] {
  return [
    {
      method: 'post',
      path: '/v1/declarations',
      needs: 'issue',
      summary: 'Takes the declaration of one person',
      request: { body: { content: json(declarationOrder), required: true } },
      answer: { description: 'What came of it', content: json(intakeReport) },
      order: async (context) => {
        const order = await readJson(context.env.incoming, declarationOrder, ROW_BYTES_MAX);
        const operator = broughtBy(actorOf(context.env.incoming));
        const carryOut = async (tally: Tally) => {
          const report = await declareOne(node, { source: order.source, operator }, order.declaration);
          if (report.outcome === 'refused') tally.failed = 1;
          return replies.json(context, report);
        };
        return { count: 1, carryOut };
      },
    },
    {
      method: 'post',
      path: '/v1/declarations/import',
      needs: 'issue',
      summary: 'Takes a file of declarations: all of it, or none',
      description:
        'The file is the body: CSV with a header, or JSON lines. The same file again changes nothing.',
      request: { query: importQuery },
      answer: { description: 'What came of it', content: json(intakeReport) },
      order: (context) => {
        const operator = broughtBy(actorOf(context.env.incoming));
        const order = { ...readQuery(context.req.url, importQuery), operator };
        const carryOut = async (tally: Tally) => {
          const file = partsOf(context.env.incoming);
          const take = (parts: AsyncIterable<Uint8Array>) => node.life.declare(order, parts);
          return replies.json(context, await countingIntake(file, tally, take));
        };
        return { about: 'file', carryOut };
      },
    },
    {
      method: 'post',
      path: '/v1/declarations/find',
      needs: 'issue',
      summary: 'What people declared, as rules of the region ask for it',
      request: { body: { content: json(declaredOrder), required: true } },
      answer: { description: 'By their order', content: json(declaredAnswer) },
      order: async (context) => {
        const order = await readJson(context.env.incoming, declaredOrder, DECLARED_BYTES_MAX);
        const carryOut = async () => {
          const people = await node.life.declared(order.subjects, order.rules);
          return replies.json(context, { people: people.map((one): DeclaredFacts | null => one ?? null) });
        };
        return { count: order.subjects.length, carryOut };
      },
    },
  ];
}

/** Takes one declaration, whose cells are those of a row. */
export function declareOne(
  node: Pick<RegionNode, 'life'>,
  from: Pick<DeclarationOrder, 'source' | 'operator'>,
  cells: Readonly<Record<string, string | boolean>>,
): Promise<IntakeReport> {
  return node.life.declare({ ...from, format: 'jsonl', encoding: 'utf-8' }, rowOf(cells));
}

async function* rowOf(cells: Readonly<Record<string, string | boolean>>): AsyncGenerator<Uint8Array> {
  await Promise.resolve();
  yield Buffer.from(JSON.stringify(cells));
}
