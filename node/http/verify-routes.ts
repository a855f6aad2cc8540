/** Verdicts: one code, or some at a time. Nothing of them is kept or may be kept by anybody on the way. */
import { hexBytes } from '../../protocol/bytes.ts';
import { ANY_PLACE, type Place, type Verdict, type VerdictContext } from '../../protocol/verdict/verdict.ts';
import { readJson } from './input.ts';
import { type Verifiers } from '../lookup/verifiers.ts';
import { RequestError } from './problem.ts';
import { type Replies } from './replies.ts';
import { type Route } from './routes.ts';
import { verdict, verdicts, type VerifyRequest, verifyRequest } from './schemas.ts';

export interface VerifyOptions {
  readonly bodyBytesMax: number;
  readonly batchCodesMax: number;
}

export interface VerifyModules {
  readonly verify: (text: string, context: VerdictContext, verifier?: string) => Promise<Verdict>;
  /** Whose token a request bears. */
  readonly verifiers?: Pick<Verifiers, 'nameOf'> | undefined;
  readonly replies: Replies;
}

/** Codes judged before others get a turn: about a millisecond. */
const STEP = 8;

export function verifyRoutes(options: VerifyOptions, { verify, verifiers, replies }: VerifyModules): Route[] {
  const schema = verifyRequest(options.batchCodesMax);
  return [
    {
      method: 'post',
      path: '/v1/verify',
      summary: 'The verdict on a code, or on some',
      description:
        'One code gives a Verdict, `codes` give Verdicts in their order. Both are of the moment: they must not be stored. A code that is a mere number is looked up for enrolled verifiers alone, who name themselves by `authorization: Bearer` and their token.',
      request: { body: { content: { 'application/json': { schema } }, required: true } },
      answer: {
        description: 'Verdict or Verdicts',
        content: { 'application/json': { schema: verdict.or(verdicts) } },
      },
      handle: async (context) => {
        const request = await readJson(context.env.incoming, schema, options.bodyBytesMax);
        const { code, codes = [] } = request;
        const judged = contextOf(request);
        const { authorization } = context.env.incoming.headers;
        const verifier = authorization === undefined ? undefined : verifiers?.nameOf(authorization);
        if (code !== undefined) return replies.json(context, await verify(code, judged, verifier));
        const all: Verdict[] = [];
        for (const text of codes) {
          if (all.length % STEP === STEP - 1) await new Promise(setImmediate);
          if (context.env.outgoing.destroyed)
            throw new RequestError('OVERLOADED', 'nobody waits for the answer');
          all.push(await verify(text, judged, verifier));
        }
        return replies.json(context, { verdicts: all });
      },
    },
  ];
}

/** The time is the node's own, and so is the limit of knowledge age: whoever asks is online. */
function contextOf({ place, challenge }: VerifyRequest): VerdictContext {
  return {
    place: placeOf(place),
    mode: 'online',
    challenge: challenge === undefined ? undefined : hexBytes(challenge),
  };
}

function placeOf(place: VerifyRequest['place']): Place {
  if (place === undefined) return ANY_PLACE;
  const { limits, ...rest } = place;
  if (limits === undefined) return rest;
  const { knowledgeAgeS, issuerSilenceS } = limits;
  return {
    ...rest,
    limits: {
      ...(knowledgeAgeS !== undefined && { knowledgeAgeS }),
      ...(issuerSilenceS !== undefined && { issuerSilenceS }),
    },
  };
}
