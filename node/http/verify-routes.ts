/** Verdicts: one code, or some at a time. Nothing of them is kept or may be kept by anybody on the way. */
import { hexBytes } from '../../protocol/bytes.ts';
import { acceptanceByTrust, homeRules } from '../../protocol/rules/acceptance-by-trust.ts';
import { askedPlace, unknownWord } from '../../protocol/rules/asked-place.ts';
import { type Trust } from '../../protocol/verdict/knowledge.ts';
import { type Verdict, type VerdictContext } from '../../protocol/verdict/verdict.ts';
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
  /** What the node trusts now: rules are those of its home. */
  readonly trust: () => Trust;
  /** Whose token a request bears. */
  readonly verifiers?: Pick<Verifiers, 'nameOf'> | undefined;
  readonly replies: Replies;
}

/** What a request says of place, person and challenge. */
export type PlaceAsked = Pick<VerifyRequest, 'home' | 'place' | 'rules' | 'role' | 'challenge'>;

/** Codes judged before others get a turn: about a millisecond. */
const STEP = 8;

export function verifyRoutes(
  options: VerifyOptions,
  { verify, trust, verifiers, replies }: VerifyModules,
): Route[] {
  const schema = verifyRequest(options.batchCodesMax);
  return [
    {
      method: 'post',
      path: '/v1/verify',
      summary: 'The verdict on a code, or on some',
      description:
        'One code gives a Verdict, `codes` give Verdicts in their order. Both are of the moment: they must not be stored. Where `rules` are named, codes mean what those say of the kind of place and the role, and the reasons name the rule. A code that is a mere number is looked up for enrolled verifiers alone, who name themselves by `authorization: Bearer` and their token.',
      request: { body: { content: { 'application/json': { schema } }, required: true } },
      answer: {
        description: 'Verdict or Verdicts',
        content: { 'application/json': { schema: verdict.or(verdicts) } },
      },
      handle: async (context) => {
        const request = await readJson(context.env.incoming, schema, options.bodyBytesMax);
        const { code, codes = [] } = request;
        const judged = contextOf(request, trust());
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

/**
 * The time is the node's own, and so is the limit of knowledge age: whoever asks is online.
 * @throws {RequestError} INPUT_INVALID for another home, rules that the home does not have, and a kind of place or a role that they do not know.
 */
export function contextOf(
  { home, place = {}, rules, role, challenge }: PlaceAsked,
  trust: Trust,
): VerdictContext {
  if (home !== undefined && home !== trust.home)
    throw invalid('/home', `this node is of ${trust.home}, and judges in its name`);
  const context = {
    mode: 'online',
    challenge: challenge === undefined ? undefined : hexBytes(challenge),
  } as const;
  if (rules === undefined) return { ...context, place: askedPlace(place) };
  const ruleSet = homeRules(trust, rules);
  if (ruleSet === undefined)
    throw invalid(
      '/rules',
      `${trust.home}, the region of this node, has no rules of this id that can be used`,
    );
  const asked = askedPlace(place, ruleSet);
  const unknown = unknownWord(ruleSet, { kind: asked.kind, role });
  if (unknown !== undefined)
    throw invalid(
      unknown.of === 'kind' ? '/place/kind' : '/role',
      `these rules know ${unknown.known.slice(0, WORDS_TOLD).join(', ') || 'none'}`,
    );
  return { ...context, place: asked, acceptance: acceptanceByTrust(trust, { rules, role }) };
}

/** Of the words that rules know. */
const WORDS_TOLD = 32;

function invalid(at: string, detail: string): RequestError {
  return new RequestError('INPUT_INVALID', 'the request is not as expected', [{ at, detail }]);
}
