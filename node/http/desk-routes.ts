/** What an operator does with the directory of a node that runs: what commands do there while none does. */
import { hexOf } from '../../protocol/bytes.ts';
import { type Sha256 } from '../../protocol/primitives.ts';
import { type RegionNode } from '../core/region-node.ts';
import { codeTextOf, fieldsUsed, type GivenUp, type HeldCode, textOfWanted } from '../issuing/held-codes.ts';
import { type Tally } from '../operators/acting.ts';
import { type AdminRoute } from './admin-route.ts';
import {
  codesOrder,
  forgetOrder,
  forgotten,
  heldLine,
  type HeldCodeLine,
  published,
  reloaded,
  stopping,
  witnessed,
  type WitnessedReport,
  witnessOrder,
} from './admin-schemas.ts';
import { readJson } from './input.ts';
import { RequestError } from './problem.ts';
import { type Replies } from './replies.ts';

/** What belongs to the process and its directory rather than to the node. */
export interface OperatorDesk {
  /** Brings the public directory up to the logs. */
  publish(): Promise<void>;
  /** The node of this region stops once it has answered; others in its process go on. */
  leave(): void;
  /** Takes peers from the config as it stands now, and keys that have come; says how many there are. */
  reload(): Promise<{ readonly peers: number; readonly keys: number }>;
  /** Cosigns the logs of these regions, or of all peers that can be asked. */
  witness(regions?: readonly string[]): Promise<WitnessedReport>;
}

export interface DeskRoutesOptions {
  readonly region: string;
}

export interface DeskModules {
  readonly node: Pick<RegionNode, 'heldCodes' | 'keeper' | 'forget'>;
  readonly desk: OperatorDesk;
  readonly sha256: Sha256;
  readonly replies: Replies;
}

const ORDER_BYTES_MAX = 65_536;
const json = (schema: Parameters<typeof readJson>[1]) => ({ 'application/json': { schema } });

export function deskRoutes(
  { region }: DeskRoutesOptions,
  { node, desk, sha256, replies }: DeskModules,
): AdminRoute[] {
  return [
    {
      method: 'post',
      path: '/v1/publish',
      needs: 'publish',
      summary: 'Brings the public directory up to what the logs say',
      answer: { description: 'It is', content: json(published) },
      handle: async (context) => {
        await desk.publish();
        return replies.json(context, { published: true });
      },
    },
    {
      method: 'post',
      path: '/v1/stop',
      needs: 'trust',
      summary: 'Stops the node of this region, and no other that its process hosts',
      answer: { description: 'It will', content: json(stopping) },
      handle: (context) => {
        desk.leave();
        return replies.json(context, { stopping: true });
      },
    },
    {
      method: 'post',
      path: '/v1/reload',
      needs: 'trust',
      summary: 'Reads peers from the config again, and keys that have come',
      answer: { description: 'How many there are', content: json(reloaded) },
      handle: async (context) => replies.json(context, await desk.reload()),
    },
    {
      method: 'post',
      path: '/v1/witness',
      needs: 'trust',
      summary: 'Cosigns the logs of peers now instead of with the next beat',
      request: { body: { content: json(witnessOrder), required: true } },
      answer: { description: 'What was cosigned, and what could not be', content: json(witnessed) },
      order: async (context) => {
        const { regions } = await readJson(context.env.incoming, witnessOrder, ORDER_BYTES_MAX);
        const carryOut = async (tally: Tally) => {
          const report = await desk.witness(regions);
          tally.done = report.witnessed.length;
          tally.failed = report.faults.length;
          return replies.json(context, report);
        };
        return { count: regions?.length, carryOut };
      },
    },
    {
      method: 'post',
      path: '/v1/forget',
      needs: 'revoke',
      summary: 'Destroys what opens the codes of a person, and all that says whose they are',
      description: 'For ever. 409 where a code still passes, unless that is wanted.',
      request: { body: { content: json(forgetOrder), required: true } },
      answer: { description: 'The leaves, which stay as they are', content: json(forgotten) },
      order: async (context) => {
        const order = await readJson(context.env.incoming, forgetOrder, ORDER_BYTES_MAX);
        const carryOut = async () => replies.json(context, await node.forget(order));
        return { count: 1, carryOut };
      },
    },
    {
      method: 'post',
      path: '/v1/codes',
      needs: 'issue',
      summary: 'The codes that a person holds, or everybody, in one log or in all, made again; JSON lines',
      description:
        'A HeldCode each, and before the first from a log whose beginning is given up a GivenUp with the number of those that went with it.',
      request: { body: { content: json(codesOrder), required: true } },
      answer: { description: 'A line for each', content: { 'application/jsonl': { schema: heldLine } } },
      order: async (context) => {
        const { subject, log, from } = await readJson(context.env.incoming, codesOrder, ORDER_BYTES_MAX);
        const { heldCodes } = node;
        const isAnnounced = log === undefined || node.keeper(region)?.state.log(log) !== undefined;
        if (!isAnnounced && !(await heldCodes.knows(log)))
          throw new RequestError('PATH_UNKNOWN', 'the region has no such log');
        const wanted = { subject, log, from };
        const lines = (tally: Tally) => linesOf(sha256, heldCodes.of(wanted), tally);
        return { about: textOfWanted(wanted), lines, isAtOnce: true };
      },
    },
  ];
}

async function* linesOf(
  sha256: Sha256,
  held: AsyncIterable<HeldCode | GivenUp>,
  tally: Tally,
): AsyncGenerator<string, void, undefined> {
  for await (const one of held) {
    if ('givenUp' in one) {
      yield `${JSON.stringify(one)}\n`;
      continue;
    }
    tally.done++;
    const { subject, log, index, fields } = one;
    const line: HeldCodeLine = {
      subject,
      log,
      index,
      code: codeTextOf(sha256, one, fieldsUsed(one.openings)),
      ...(fields.holderKey !== undefined && { holderKey: hexOf(fields.holderKey) }),
    };
    yield `${JSON.stringify(line)}\n`;
  }
}
