/** Issuing for the operator: one code, or a stream of orders with a stream of answers. */
import { hexBytes } from '../../protocol/bytes.ts';
import { documentPassword } from '../../protocol/code/document.ts';
import { type FieldName } from '../../protocol/code/field.ts';
import { attestationLogOrigin, parseOrigin } from '../../protocol/log/origin.ts';
import { CODE_LIFE_S_MAX } from '../../protocol/limits.ts';
import { type Sha256 } from '../../protocol/primitives.ts';
import { type IssueGate } from '../abuse/issue-gate.ts';
import { type RegionNode } from '../core/region-node.ts';
import { codeTextOf } from '../issuing/held-codes.ts';
import { type IssueRequest } from '../issuing/issuer.ts';
import { type Identity, reread } from '../lists/identity.ts';
import { isNodeError } from '../node-error.ts';
import { type LogReceipt } from '../trust/log-receipt.ts';
import { type Tally } from '../operators/acting.ts';
import { type AdminRoute } from './admin-route.ts';
import {
  issuedAnswer,
  type IssuedCode,
  issuedCode,
  type IssueOrder,
  issueOrder,
  ordered,
} from './admin-schemas.ts';
import { checked, readJson } from './input.ts';
import { jsonLines } from './json-lines.ts';
import { problemOf, RequestError } from './problem.ts';
import { type Replies, type WebContext } from './replies.ts';

export interface IssueModules {
  readonly node: Pick<RegionNode, 'issue' | 'once' | 'overrides' | 'keeper' | 'receipts'>;
  readonly sha256: Sha256;
  readonly nowS: () => number;
  readonly gate: Pick<IssueGate, 'basisOf'>;
  readonly replies: Replies;
}

const HOUR_S = 3_600;
const DAY_S = 86_400;
const ORDER_BYTES_MAX = 16_384;
/** Orders of one stream that are in hand: enough to fill a batch while the one before is signed, few enough that memory stays flat. */
const IN_HAND_MAX = 8_192;
/** Answers that are sent at once: they come by the batch. */
const TOGETHER_MAX = 256;
const KEY = /^[\x21-\x7e]{1,128}$/;

export function issueRoutes({ region }: { readonly region: string }, modules: IssueModules): AdminRoute[] {
  const { replies } = modules;
  return [
    {
      method: 'get',
      path: '/v1/issue/ordered',
      needs: 'read',
      summary: 'What says that something was ordered now',
      description:
        'For orders that are given later, or may have to be given again: they say it as `ordered`.',
      answer: { description: 'As of now', content: { 'application/json': { schema: ordered } } },
      handle: async (context) => replies.json(context, await modules.node.once.marks.now()),
    },
    {
      method: 'post',
      path: '/v1/issue',
      needs: 'issue',
      summary: 'Issues a code',
      description:
        'With an `Idempotency-Key` the same order given again within a day gives the code that was issued the first time, whatever is known or in force by then.',
      request: { body: { content: { 'application/json': { schema: issueOrder } }, required: true } },
      answer: {
        description: 'The code, which is durable and logged, with its receipt',
        content: { 'application/json': { schema: issuedAnswer } },
      },
      order: async (context) => {
        const order = await readJson(context.env.incoming, issueOrder, ORDER_BYTES_MAX);
        const key = keyOf(context);
        const carryOut = async () => {
          const issued = await issue(order, key, modules);
          return replies.json(context, { ...issued, ...(await receiptOf(region, issued, modules)) });
        };
        return { count: 1, carryOut };
      },
    },
    {
      method: 'post',
      path: '/v1/issue/batch',
      needs: 'issue',
      summary: 'Issues codes for a stream of orders',
      description:
        'JSON lines, an IssueOrder each, give JSON lines in their order, each an IssuedCode or a Problem under `problem`. An `Idempotency-Key` counts for each line by its number, empty lines counted.',
      request: { body: { content: { 'application/jsonl': { schema: issueOrder } }, required: true } },
      answer: {
        description: 'A line for each line',
        content: { 'application/jsonl': { schema: issuedCode } },
      },
      order: (context) => {
        const key = keyOf(context);
        const lines = (tally: Tally) => {
          let stricter = 0;
          const answer = async (line: unknown, number: number) => {
            const given = checked(issueOrder, line);
            const issued = await issue(given, key && `${key}/${number}`, modules);
            if (given.status.colour !== 'green') tally.figures = { stricter: ++stricter };
            return issued;
          };
          return answersTo(context.env.incoming, answer, { tally });
        };
        return { lines };
      },
    },
  ];
}

/** As they would be read from a file. @throws {RequestError} INPUT_INVALID */
function papersOf(told: Identity, nowS: number): Identity {
  const { identity, faults } = reread(told, Math.floor(nowS / DAY_S));
  if (faults.length === 0) return identity;
  const errors = faults.map(({ column, reason }) => ({
    at: '/identity',
    detail: `${column ?? 'it'} ${reason}`,
  }));
  throw new RequestError('INPUT_INVALID', 'the papers are not those of a person', errors);
}

async function issue(order: IssueOrder, key: string | undefined, modules: IssueModules): Promise<IssuedCode> {
  const { node, sha256, nowS, gate } = modules;
  // Before it waits for another order of the same person.
  const given = await node.once.marks.now();
  const { subject, document, basis: told, ordered: since } = order;
  const identity = order.identity && papersOf(order.identity, nowS());
  const { beside } = node.overrides;
  const request = requestOf(order);
  const { status } = request.fields;
  const isByRules = told !== undefined;
  let isNew = false;
  const judge = async () => {
    requireLife(status.expiresAtS, nowS());
    if (since !== undefined) await node.once.marks.requireNone(subject, since);
    const asked = { subject, status: order.status, told, identity, document, ordered: given };
    const grounds = await gate.basisOf(asked);
    if (!isByRules) return { ...request, ...grounds };
    isNew = true;
    const [takesPlace = false] = await beside.makePlace([{ subject, status }]);
    const isReplacement = takesPlace || request.isReplacement === true;
    return { ...request, ...grounds, isReplacement, also: beside.markOf(status) };
  };
  const work = async () => {
    const issued =
      key === undefined
        ? await node.issue({ ...(await judge()), ordered: given })
        : await node.once.issue({
            key,
            input: Buffer.from(JSON.stringify(order)),
            subject,
            status,
            ordered: given,
            judge,
          });
    const { log, index } = issued;
    const stands = isNew ? { marked: { log, index } } : { given: { log, index } };
    if (isByRules) await beside.lookAgain([{ subject, status, ...stands }]);
    return issued;
  };
  const issued = await (isByRules ? beside.inTurn(subject, work) : work());
  const { log, index } = issued;
  // An override may have been confirmed since it was judged.
  await node.overrides.requireUnbound({ subject, status, log, index }, isByRules);
  const fields: FieldName[] = ['status'];
  if (order.holderKey !== undefined) fields.push('holder');
  if (order.document !== undefined) fields.push('document');
  return { log, index, code: codeTextOf(sha256, issued, fields), expiresAtS: status.expiresAtS };
}

/** What was issued stands, whether its proof can be had now or not. */
async function receiptOf(
  region: string,
  { log, index }: IssuedCode,
  { node }: IssueModules,
): Promise<{ receipt?: LogReceipt }> {
  const own = node.keeper(region)?.origin;
  if (own === undefined) return {};
  try {
    const origin = attestationLogOrigin(region, parseOrigin(own).network, log);
    const receipt = await node.receipts.ofEntry(origin, index);
    return receipt === undefined ? {} : { receipt };
  } catch (error) {
    if (isNodeError(error)) return {};
    throw error;
  }
}

/** No verifier takes a code that has expired or lives too long. */
function requireLife(expiresAtS: number, nowS: number): void {
  const latestS = Math.floor(nowS / HOUR_S) * HOUR_S + HOUR_S + CODE_LIFE_S_MAX;
  if (nowS < expiresAtS && expiresAtS <= latestS) return;
  const detail = `expected a time after now and at most ${latestS}`;
  throw new RequestError('INPUT_INVALID', 'the request is not as expected', [
    { at: '/status/expiresAtS', detail },
  ]);
}

function requestOf(order: IssueOrder): IssueRequest {
  const { subject, status, holderKey, document, isReplacement } = order;
  if (document !== undefined) documentPassword(document);
  return {
    subject,
    isReplacement,
    fields: {
      status: { ...status, untilS: status.untilS },
      holderKey: holderKey === undefined ? undefined : hexBytes(holderKey),
    },
    document,
  };
}

/**
 * A line for each line, in order; many are in hand at the same time. Wherever it breaks off, it ends once those in hand are done or have failed, and are
 * counted: orders that were read are carried out, whether anybody still hears the answers or not.
 */
export async function* answersTo(
  request: AsyncIterable<Uint8Array>,
  answer: (line: unknown, number: number) => Promise<IssuedCode>,
  { tally, orderBytesMax = ORDER_BYTES_MAX }: { readonly tally: Tally; readonly orderBytesMax?: number },
): AsyncGenerator<string, void, undefined> {
  const inHand: Promise<string>[] = [];
  const next = async () => {
    const lines = await Promise.all(inHand.splice(0, TOGETHER_MAX));
    return `${lines.join('\n')}\n`;
  };
  try {
    for await (const { number, value } of jsonLines(request, orderBytesMax)) {
      inHand.push(lineOf(number, tally, async () => answer(value(), number)));
      if (inHand.length >= IN_HAND_MAX) yield await next();
    }
    while (inHand.length > 0) yield await next();
  } finally {
    await Promise.all(inHand);
  }
}

async function lineOf(line: number, tally: Tally, work: () => Promise<IssuedCode>): Promise<string> {
  try {
    const issued = await work();
    tally.done++;
    return JSON.stringify({ line, ...issued });
  } catch (error) {
    tally.failed++;
    return JSON.stringify({ line, problem: problemOf(error, 'operator') });
  }
}

function keyOf(context: WebContext): string | undefined {
  const key = context.req.header('idempotency-key');
  if (key === undefined || KEY.test(key)) return key;
  throw new RequestError('INPUT_INVALID', 'an Idempotency-Key has 1 to 128 printable characters');
}
