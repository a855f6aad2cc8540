/** Codes that are mere numbers: what mirrors and whoever looks numbers up take, and what the operator gives and sees. */
import { z } from '@hono/zod-openapi';
import { hexBytes } from '../../protocol/bytes.ts';
import { LOOKUP_BITS_MAX } from '../../protocol/limits.ts';
import { isRegion } from '../../protocol/log/origin.ts';
import { type RegionNode } from '../core/region-node.ts';
import { countingNumbers } from '../life/tallies.ts';
import { type Lookup } from '../lookup/lookup.ts';
import { encodeBucketAnswer } from '../lookup/messages.ts';
import { numberListSchema } from '../lookup/numbers.ts';
import { type Verifiers, verifierSchema } from '../lookup/verifiers.ts';
import { NodeError } from '../node-error.ts';
import { type Tally } from '../operators/acting.ts';
import { type AdminRoute } from './admin-route.ts';
import { partsOf, readJson, readQuery } from './input.ts';
import { rowFault } from './list-routes.ts';
import { type Replies } from './replies.ts';
import { type Route } from './routes.ts';

const BODY_BYTES_MAX = 4_096;
const CBOR = 'application/cbor';

const json = (schema: z.ZodType) => ({ 'application/json': { schema } });
const cbor = { [CBOR]: { schema: z.string().openapi({ format: 'binary' }) } };

const count = z
  .string()
  .regex(/^(0|[1-9]\d{0,6})$/, 'expected a number')
  .transform(Number);
const headQuery = z.strictObject({ day: count });
const bucketQuery = z
  .strictObject({
    region: z.string().refine(isRegion, 'expected the id of a region'),
    day: count,
    root: z.string().regex(/^[0-9a-f]{64}$/, 'expected 64 hexadecimal digits'),
    bits: count.refine((bits) => bits <= LOOKUP_BITS_MAX, `expected at most ${LOOKUP_BITS_MAX}`),
    bucket: count,
  })
  .refine(({ bits, bucket }) => bucket < 2 ** bits, { path: ['bucket'], message: 'there is no such bucket' });

export function publicLookupRoutes(lookup: Pick<Lookup, 'head' | 'bucket'>, replies: Replies): Route[] {
  return [
    {
      method: 'get',
      path: '/v1/lookup/head',
      summary: 'The signed head of the table of a day (SPEC.md 21.5)',
      description: 'Of the numbers of this node’s region. Days are those since 1970, UTC.',
      request: { query: headQuery },
      answer: { description: 'As signed', content: cbor },
      handle: (context) => {
        const { day } = readQuery(context.req.url, headQuery);
        const head = lookup.head(day);
        if (head === undefined) throw new NodeError('NOT_FOUND', 'there is no table of that day now');
        return replies.send(context, head, { type: CBOR });
      },
    },
    {
      method: 'get',
      path: '/v1/lookup/bucket',
      summary: 'A sealed bucket of a table, with its path (SPEC.md 21.4)',
      description:
        'Of any region that this node holds it of, or fetches it of, as it knows a signed head of that tree. Named by its tree, it never changes.',
      request: { query: bucketQuery },
      answer: { description: 'An array of the bucket and its path', content: cbor },
      handle: async (context) => {
        const { root, ...place } = readQuery(context.req.url, bucketQuery);
        const found = await lookup.bucket({ ...place, root: hexBytes(root) });
        if (found === undefined) throw new NodeError('NOT_FOUND', 'this bucket is not to be had here');
        return replies.send(context, encodeBucketAnswer(found), { type: CBOR });
      },
    },
  ];
}

const numbersReport = z
  .union([
    z.object({
      outcome: z.enum(['imported', 'unchanged']),
      list: z.object(numberListSchema.shape),
      added: z.int(),
      changed: z.int(),
      removed: z.int(),
      stricter: z.int(),
      looser: z.int(),
      over: z.int(),
    }),
    z.object({ outcome: z.literal('refused'), faults: z.array(rowFault) }),
  ])
  .openapi('NumbersReport', { description: 'Where it is refused nothing was changed.' });
const { name, tokenHash, addedAtS } = verifierSchema.shape;
const lookupReport = z.looseObject({ tables: z.array(z.int()) }).openapi('LookupReport');
const verifierOrder = z.strictObject({ name, tokenHash }).openapi('VerifierOrder');
const verifierName = z.strictObject({ name }).openapi('VerifierName');
const verifierList = z.object({ verifiers: z.array(z.object({ name, addedAtS })) }).openapi('Verifiers');

export interface LookupRoutesModules {
  readonly node: Pick<RegionNode, 'lookup'>;
  readonly verifiers: Verifiers;
  readonly nowS: () => number;
  readonly replies: Replies;
}

export function lookupRoutes({ node, verifiers, nowS, replies }: LookupRoutesModules): AdminRoute[] {
  return [
    {
      method: 'post',
      path: '/v1/lookup/numbers',
      needs: 'issue',
      summary: 'Takes the list of numbers of the local system: all of it, or none',
      description:
        'The file is the body: CSV with the columns number, colour and until. It takes the place of the list before.',
      answer: { description: 'What came of it', content: json(numbersReport) },
      order: (context) => {
        const file = partsOf(context.env.incoming);
        const carryOut = async (tally: Tally) =>
          replies.json(context, await countingNumbers(tally, node.lookup.numbers.import(file)));
        return { carryOut };
      },
    },
    {
      method: 'get',
      path: '/v1/lookup',
      needs: 'read',
      summary: 'Which list of numbers is in force, and which tables there are',
      answer: { description: 'Its members may grow', content: json(lookupReport) },
      handle: async (context) => {
        const list = await node.lookup.numbers.inForce();
        return replies.json(context, { ...(list !== undefined && { list }), ...node.lookup.report });
      },
    },
    {
      method: 'get',
      path: '/v1/verifiers',
      needs: 'read',
      summary: 'For whom numbers are looked up',
      answer: { description: 'By name', content: json(verifierList) },
      handle: (context) =>
        replies.json(context, {
          verifiers: verifiers.all.map((one) => ({ name: one.name, addedAtS: one.addedAtS })),
        }),
    },
    {
      method: 'post',
      path: '/v1/verifiers',
      needs: 'trust',
      summary: 'Enrols a verifier',
      request: { body: { content: json(verifierOrder), required: true } },
      answer: { description: 'Done', content: json(verifierName) },
      order: async (context) => {
        const order = await readJson(context.env.incoming, verifierOrder, BODY_BYTES_MAX);
        const carryOut = async () => {
          await verifiers.add({ ...order, addedAtS: nowS() });
          return replies.json(context, { name: order.name });
        };
        return { about: order.name, carryOut };
      },
    },
    {
      method: 'post',
      path: '/v1/verifiers/remove',
      needs: 'trust',
      summary: 'Takes a verifier back: its token counts for nothing from then on',
      request: { body: { content: json(verifierName), required: true } },
      answer: { description: 'Done', content: json(verifierName) },
      order: async (context) => {
        const order = await readJson(context.env.incoming, verifierName, BODY_BYTES_MAX);
        const carryOut = async () => {
          await verifiers.remove(order.name);
          return replies.json(context, { name: order.name });
        };
        return { about: order.name, carryOut };
      },
    },
  ];
}
