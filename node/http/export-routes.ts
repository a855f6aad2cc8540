/** The keys of a region in forms that verifiers of others read. */
import { type Sha256 } from '../../protocol/primitives.ts';
import { type TrustState } from '../../protocol/trust/trust-state.ts';
import { type Trust } from '../../protocol/verdict/knowledge.ts';
import { isInForce } from '../../protocol/foreign/claims.ts';
import { attestJwks, dccKeyList, dccListEndS } from '../foreign/key-export.ts';
import { isKnownWell } from '../foreign/passing-on.ts';
import { readQuery } from './input.ts';
import { RequestError } from './problem.ts';
import { type Replies, type WebContext } from './replies.ts';
import { type Route } from './routes.ts';
import { dccKeys, jwkSet, keysQuery } from './schemas.ts';

export interface ExportModules {
  readonly trust: () => Trust;
  readonly sha256: Sha256;
  readonly nowS: () => number;
  readonly replies: Replies;
}

/** A key that is given up should be gone from readers within minutes. */
const CACHE = 'public, max-age=300';

interface Answer {
  readonly body: string;
  readonly etag: string;
  /** Seconds since 1970 from and to when it is so, both included. */
  readonly fromS: number;
  readonly untilS: number;
}

export function exportRoutes({ trust, sha256, nowS, replies }: ExportModules): Route[] {
  /** A list may be of megabytes, and anybody may ask: it is written once for each state and window. */
  const answersOf = (valueOf: (state: TrustState, atS: number) => unknown, endOf: typeof dccListEndS) => {
    const answers = new WeakMap<TrustState, Answer>();
    return (state: TrustState): Answer => {
      const fromS = nowS();
      const known = answers.get(state);
      if (known !== undefined && known.fromS <= fromS && fromS <= known.untilS) return known;
      const body = JSON.stringify(valueOf(state, fromS));
      const hash = Buffer.from(sha256(Buffer.from(body))).toString('hex');
      const answer = { body, etag: `"${hash.slice(0, 32)}"`, fromS, untilS: endOf(state, fromS) };
      answers.set(state, answer);
      return answer;
    };
  };
  const jwks = answersOf(attestJwks, () => Infinity);
  const dccKeyLists = answersOf((state, atS) => dccKeyList(state, { nowS: atS }), dccListEndS);
  const send = (context: WebContext, type: string, answerOf: (state: TrustState) => Answer) => {
    const { region } = readQuery(context.req.url, keysQuery);
    const knowledge = trust().regions.get(region);
    if (knowledge === undefined || !isInForce(trust(), region, nowS()))
      throw new RequestError('PATH_UNKNOWN', 'this node does not recognise that region now');
    if (knowledge.standing !== 'good')
      throw new RequestError('PATH_UNKNOWN', 'that region has told two stories: its keys are not passed on');
    if (!isKnownWell(trust(), region, nowS()))
      throw new RequestError(
        'KNOWLEDGE_STALE',
        'what this node knows of that region or its own is too old to pass keys on: ask another node, or later',
      );
    const { body, etag } = answerOf(knowledge.state);
    return replies.send(context, body, { type, cache: CACHE, etag });
  };
  return [
    {
      method: 'get',
      path: '/v1/jwks',
      summary: 'The keys that sign attestations of a region, as a JWK set (RFC 7517)',
      request: { query: keysQuery },
      answer: { description: 'Keys', content: { 'application/jwk-set+json': { schema: jwkSet } } },
      handle: (context) => send(context, 'application/jwk-set+json', jwks),
    },
    {
      method: 'get',
      path: '/v1/dcc-keys',
      summary:
        'The keys of EU certificates that a region announces, by key id, as member states publish theirs',
      request: { query: keysQuery },
      answer: { description: 'Keys', content: { 'application/json': { schema: dccKeys } } },
      handle: (context) => send(context, 'application/json', dccKeyLists),
    },
  ];
}
