/** Lists of background data for the operator: taken as files, and told of. */
import { type IncomingMessage } from 'node:http';
import { z } from '@hono/zod-openapi';
import { type RegionNode } from '../core/region-node.ts';
import { countingImport } from '../life/tallies.ts';
import { LIST_KINDS } from '../lists/kinds.ts';
import { LIST_FORMATS } from '../lists/list-file.ts';
import { type ListView, SOUGHT_MAX } from '../lists/list-view.ts';
import { SOURCE_CHARS_MAX } from '../lists/lists.ts';
import { DOUBTS, type Sought, soughtSchema } from '../lists/matching.ts';
import { listVersionSchema } from '../lists/shelf.ts';
import { ENCODINGS } from '../rows/encoding.ts';
import { type Tally } from '../operators/acting.ts';
import { broughtBy } from '../operators/brought-by.ts';
import { type Actor } from '../operators/scopes.ts';
import { type AdminRoute } from './admin-route.ts';
import { checked, partsOf, readQuery } from './input.ts';
import { jsonLines } from './json-lines.ts';
import { type Replies } from './replies.ts';

export interface ListModules {
  readonly node: Pick<RegionNode, 'lists'>;
  readonly actorOf: (request: IncomingMessage) => Actor;
  readonly replies: Replies;
}

const kind = z.enum(LIST_KINDS);
const asOfS = z
  .string()
  .regex(/^\d{1,12}$/, 'expected seconds since 1970')
  .transform(Number);

const importQuery = z.strictObject({
  kind,
  source: z.string().min(1).max(SOURCE_CHARS_MAX),
  asOfS,
  format: z.enum(LIST_FORMATS).default('csv'),
  encoding: z.enum(ENCODINGS).default('utf-8'),
  empty: z
    .enum(['true', 'false'])
    .default('false')
    .transform((text) => text === 'true'),
});

const listVersion = z.object(listVersionSchema.shape).openapi('ListVersion');
export const rowFault = z
  .object({
    line: z.int(),
    column: z.string().optional(),
    reason: z.string(),
    example: z.string().optional(),
  })
  .openapi('RowFault', { description: 'Line 0 is the whole file.' });
export const updateInS = z.int().optional().openapi({
  description: 'Seconds until colours are updated by it; absent where the node does not do that by itself.',
});
export const importReport = z
  .union([
    z.object({ outcome: z.enum(['imported', 'unchanged']), list: listVersion, updateInS }),
    z.object({ outcome: z.literal('refused'), faults: z.array(rowFault) }),
  ])
  .openapi('ImportReport', { description: 'Where it is refused nothing was changed.' });
export const listVersions = z
  .object({ lists: z.partialRecord(kind, z.array(listVersion)) })
  .openapi('ListVersions');

const sought = z.strictObject(soughtSchema.shape).openapi('Sought', {
  description: 'Somebody by papers, in the form in which they are compared (docs/issuing.md).',
});
export const foundLine = z
  .object({
    matched: z.array(
      z.object({
        list: kind,
        by: z.enum(['document', 'name']),
        line: z.int(),
        facts: z.record(z.string(), z.union([z.string(), z.number()])),
      }),
    ),
    doubts: z.array(z.object({ list: kind, doubt: z.enum(DOUBTS), lines: z.array(z.int()) })),
  })
  .openapi('Found', { description: 'What the lists in force say, and entries that may be about another.' });

const SOUGHT_BYTES_MAX = 4_096;

const json = (schema: z.ZodType) => ({ 'application/json': { schema } });

export function listRoutes({ node, actorOf, replies }: ListModules): AdminRoute[] {
  return [
    {
      method: 'post',
      path: '/v1/lists/import',
      needs: 'issue',
      summary: 'Takes a file of background data: all of it, or none',
      description:
        'The file is the body: CSV with a header, or JSON lines. The same file again changes nothing, and a list older than the one in force is refused. A file without rows is refused too, unless `empty=true` says that nobody stands on the list.',
      request: { query: importQuery },
      answer: { description: 'What came of it', content: json(importReport) },
      order: (context) => {
        const operator = broughtBy(actorOf(context.env.incoming));
        const order = { ...readQuery(context.req.url, importQuery), operator };
        const file = partsOf(context.env.incoming);
        const carryOut = async (tally: Tally) =>
          replies.json(context, await countingImport(tally, node.lists.import(order, file)));
        return { about: order.kind, carryOut };
      },
    },
    {
      method: 'post',
      path: '/v1/lists/find',
      needs: 'issue',
      summary: 'What the lists in force say of people',
      description: 'JSON lines, a Sought each, give JSON lines in their order, a Found each.',
      request: { body: { content: { 'application/jsonl': { schema: sought } }, required: true } },
      answer: {
        description: 'A line for each line',
        content: { 'application/jsonl': { schema: foundLine } },
      },
      order: (context) => ({
        lines: async (tally) => foundLines(await node.lists.view(), context.env.incoming, tally),
      }),
    },
    {
      method: 'get',
      path: '/v1/lists',
      needs: 'read',
      summary: 'The versions of all lists, those in force first',
      answer: { description: 'By kind', content: json(listVersions) },
      handle: async (context) => {
        const lists: Record<string, unknown> = {};
        for (const one of LIST_KINDS) lists[one] = await node.lists.versions(one);
        return replies.json(context, { lists });
      },
    },
  ];
}

async function* foundLines(
  view: ListView,
  body: AsyncIterable<Uint8Array>,
  tally: Tally,
): AsyncGenerator<string> {
  let some: Sought[] = [];
  const answer = async () => {
    const all = await view.find(some);
    tally.done += all.length;
    return all.map((found) => `${JSON.stringify(found)}\n`).join('');
  };
  for await (const { value } of jsonLines(body, SOUGHT_BYTES_MAX)) {
    some.push(checked(soughtSchema, value()));
    if (some.length < SOUGHT_MAX) continue;
    yield await answer();
    some = [];
  }
  yield await answer();
}
