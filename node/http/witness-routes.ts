/** Witnessing for whoever comes by HTTP: C2SP tlog-witness, the same bytes as peers get by their own protocol. Spec: SPEC.md 15.10. */
import { z } from '@hono/zod-openapi';
import { ADD_CHECKPOINT_BYTES_MAX } from '../witness/add-checkpoint.ts';
import { type WitnessDesk } from '../witness/witness-desk.ts';
import { clientOf } from '../client-address.ts';
import { readBody } from './input.ts';
import { RequestError } from './problem.ts';
import { RateLimit } from './rate-limit.ts';
import { type Replies, RETRY_AFTER_S } from './replies.ts';
import { type Route } from './routes.ts';

export interface WitnessRoutesModules {
  readonly witnessDesk: Pick<WitnessDesk, 'replyTo'>;
  readonly replies: Replies;
}

/** Checkpoints that may be submitted: each may cost a signature to be checked and a write. A hundred regions submit some in a second. */
export const CHECKPOINTS = { ofClientPerS: 64, ofAllPerS: 1_024, burstS: 4 } as const;

const SIZE_TYPE = 'text/x.tlog.size';
const TEXT_TYPE = 'text/plain; charset=utf-8';

export function witnessRoutes({ witnessDesk, replies }: WitnessRoutesModules): Route[] {
  const rate = new RateLimit(CHECKPOINTS);
  return [
    {
      method: 'post',
      path: '/add-checkpoint',
      summary: 'Has the witness of this region cosign a checkpoint (C2SP tlog-witness)',
      request: {
        body: {
          required: true,
          description: '`old <size>`, the lines of a consistency proof, an empty line and the checkpoint.',
          content: { 'text/plain': { schema: z.string() } },
        },
      },
      answer: { description: 'The cosignature line', content: { 'text/plain': { schema: z.string() } } },
      handle: async (context) => {
        const { incoming } = context.env;
        const retryAfter = { 'retry-after': String(RETRY_AFTER_S) };
        if (!rate.take(clientOf(incoming.socket))) {
          const tooMany = new RequestError(
            'RATE_EXCEEDED',
            'too many checkpoints, from this address or from all',
          );
          return replies.problem(context, tooMany, retryAfter);
        }
        const asked = await readBody(incoming, ADD_CHECKPOINT_BYTES_MAX);
        const { status, body } = await witnessDesk.replyTo(asked);
        return replies.send(context, body, {
          type: status === 409 ? SIZE_TYPE : TEXT_TYPE,
          status,
          ...(status === 503 && { headers: retryAfter }),
        });
      },
    },
  ];
}
