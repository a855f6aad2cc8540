/** The logs that this node holds, as C2SP tlog-tiles has them: below the path that is the log's name. */
import { parseOrigin } from '../../protocol/log/origin.ts';
import { parseTilePath, TILE_HASHES } from '../../protocol/log/tile.ts';
import { type Sha256 } from '../../protocol/primitives.ts';
import { z } from '@hono/zod-openapi';
import { type LogTree } from '../log/log-tree.ts';
import { LogView } from '../log/log-view.ts';
import { readQuery } from './input.ts';
import { RequestError } from './problem.ts';
import { type Replies, type WebContext } from './replies.ts';
import { type Route } from './routes.ts';
import { consistencyQuery, inclusionQuery, proof } from './schemas.ts';

export interface LogModules {
  readonly log: (origin: string) => LogTree | undefined;
  /** The newest note of a log with all the cosignatures that are known, empty before the first of a trust log; undefined where none are gathered. */
  readonly noteOf: (origin: string) => Uint8Array | undefined;
  readonly sha256: Sha256;
  readonly replies: Replies;
}

/** A tile, whole or partial, never changes; where a log ends changes all the time. */
const FOR_EVER = 'public, max-age=31536000, immutable';
const FOR_NOW = 'no-cache';

const originParameter = z.string().openapi({
  param: { name: 'origin', in: 'path', description: 'The name of the log, with its slashes as they are.' },
  example: 'DE.demo/trust',
});
const params = z.object({ origin: originParameter });

export function logRoutes({ log, noteOf, sha256, replies }: LogModules): Route[] {
  const viewOf = (context: WebContext, below: RegExp): { origin: string; view: LogView; rest: string } => {
    const { pathname } = new URL(context.req.url);
    const [, origin = '', rest = ''] = below.exec(pathname) ?? [];
    const tree = parseOrigin(origin).kind === 'witness' ? undefined : log(origin);
    if (tree === undefined) throw new RequestError('PATH_UNKNOWN', 'this node does not hold that log');
    return { origin, view: new LogView(tree, { sha256 }), rest };
  };
  const proofOf = (context: WebContext, hashes: readonly Uint8Array[]): Response =>
    replies.json(
      context,
      { hashes: hashes.map((hash) => Buffer.from(hash).toString('base64')) },
      { cache: FOR_EVER },
    );
  return [
    {
      method: 'get',
      path: '/{origin}/checkpoint',
      pattern: '/:name/:kind{(trust|attest/[^/]+)/checkpoint}',
      summary: 'The newest checkpoint of a log, with its cosignatures',
      request: { params },
      answer: {
        description: 'A signed note (C2SP signed-note)',
        content: { 'text/plain': { schema: z.string() } },
      },
      handle: (context) => {
        const { origin, view } = viewOf(context, /^\/(.+)\/checkpoint$/);
        const note = noteOf(origin) ?? view.checkpoint?.note;
        if (note === undefined || note.length === 0) {
          throw new RequestError('PATH_UNKNOWN', 'this log has no checkpoint yet');
        }
        const etag = `"${Buffer.from(sha256(note)).toString('hex').slice(0, 32)}"`;
        return replies.send(context, note, { type: 'text/plain; charset=utf-8', cache: FOR_NOW, etag });
      },
    },
    {
      method: 'get',
      path: '/{origin}/tile/{tile}',
      pattern: '/:name/:kind{(trust|attest/[^/]+)/tile/.+}',
      summary: 'A tile of hashes, or with `entries/` a bundle of entries (C2SP tlog-tiles)',
      request: {
        params: z.object({
          origin: originParameter,
          tile: z.string().openapi({
            param: { name: 'tile', in: 'path', description: 'As C2SP tlog-tiles has it, with its slashes.' },
            example: '0/000.p/8',
          }),
        }),
      },
      answer: {
        description: 'The bytes of the tile',
        content: { 'application/octet-stream': { schema: z.string().openapi({ format: 'binary' }) } },
      },
      handle: async (context) => {
        const { view, rest } = viewOf(context, /^\/(.+)\/(tile\/.+)$/);
        const tile = parseTilePath(rest);
        const bytes = await view.resource(tile);
        if (bytes === undefined)
          throw new RequestError('PATH_UNKNOWN', 'the log has no such tile of this width');
        const cache = tile.width === TILE_HASHES ? FOR_EVER : 'public, max-age=3600, immutable';
        return replies.send(context, bytes, { type: 'application/octet-stream', cache });
      },
    },
    {
      method: 'get',
      path: '/{origin}/proof/inclusion',
      pattern: '/:name/:kind{(trust|attest/[^/]+)/proof/inclusion}',
      summary: 'That an entry is in the tree of a size (RFC 6962 2.1.1)',
      request: { params, query: inclusionQuery },
      answer: { description: 'The path', content: { 'application/json': { schema: proof } } },
      handle: async (context) => {
        const { view } = viewOf(context, /^\/(.+)\/proof\/inclusion$/);
        return proofOf(context, await view.inclusionProof(readQuery(context.req.url, inclusionQuery)));
      },
    },
    {
      method: 'get',
      path: '/{origin}/proof/consistency',
      pattern: '/:name/:kind{(trust|attest/[^/]+)/proof/consistency}',
      summary: 'That the tree of one size goes on as that of another (RFC 6962 2.1.2)',
      request: { params, query: consistencyQuery },
      answer: { description: 'The path', content: { 'application/json': { schema: proof } } },
      handle: async (context) => {
        const { view } = viewOf(context, /^\/(.+)\/proof\/consistency$/);
        return proofOf(context, await view.consistencyProof(readQuery(context.req.url, consistencyQuery)));
      },
    },
  ];
}
