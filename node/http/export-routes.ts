/** The keys of a region in forms that verifiers of others read. */
import { type Sha256 } from '../../protocol/primitives.ts';
import { type TrustState } from '../../protocol/trust/trust-state.ts';
import { type Trust } from '../../protocol/verdict/knowledge.ts';
import { attestJwks, dccKeyList } from '../foreign/key-export.ts';
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

export function exportRoutes({ trust, sha256, nowS, replies }: ExportModules): Route[] {
  const send = (context: WebContext, type: string, valueOf: (state: TrustState) => unknown) => {
    const { region } = readQuery(context.req.url, keysQuery);
    const state = trust().regions.get(region)?.state;
    if (state === undefined) throw new RequestError('PATH_UNKNOWN', 'this node knows nothing of that region');
    const body = JSON.stringify(valueOf(state));
    const etag = `"${Buffer.from(sha256(Buffer.from(body)))
      .toString('hex')
      .slice(0, 32)}"`;
    return replies.send(context, body, { type, cache: CACHE, etag });
  };
  return [
    {
      method: 'get',
      path: '/v1/jwks',
      summary: 'The keys that sign attestations of a region, as a JWK set (RFC 7517)',
      request: { query: keysQuery },
      answer: { description: 'Keys', content: { 'application/jwk-set+json': { schema: jwkSet } } },
      handle: (context) => send(context, 'application/jwk-set+json', attestJwks),
    },
    {
      method: 'get',
      path: '/v1/dcc-keys',
      summary:
        'The keys of EU certificates that a region announces, by key id, as member states publish theirs',
      request: { query: keysQuery },
      answer: { description: 'Keys', content: { 'application/json': { schema: dccKeys } } },
      handle: (context) => send(context, 'application/json', (state) => dccKeyList(state, { nowS: nowS() })),
    },
  ];
}
