/** Snapshots, in full and since what a verifier holds. */
import { z } from '@hono/zod-openapi';
import { readQuery } from './input.ts';
import { type Replies } from './replies.ts';
import { type Route } from './routes.ts';
import { snapshotQuery } from './schemas.ts';
import { type Snapshots } from './snapshots.ts';

export interface SnapshotModules {
  readonly snapshots: Snapshots;
  readonly replies: Replies;
}

export function snapshotRoutes({ snapshots, replies }: SnapshotModules): Route[] {
  return [
    {
      method: 'get',
      path: '/v1/snapshot',
      summary: 'What a verifier needs offline, in full or since what it holds',
      request: { query: snapshotQuery },
      answer: {
        description: 'A snapshot (SPEC.md 10)',
        content: { 'application/octet-stream': { schema: z.string().openapi({ format: 'binary' }) } },
      },
      handle: async (context) => {
        const { since } = readQuery(context.req.url, snapshotQuery);
        const { outgoing } = context.env;
        const { bytes, etag } = await snapshots.since(since, () => !outgoing.destroyed);
        return replies.send(context, bytes, { type: 'application/octet-stream', cache: 'no-cache', etag });
      },
    },
  ];
}
