/** How the node is: alive, ready, and in figures. Never shed, since whoever looks here wants to know about the load. */
import { z } from '@hono/zod-openapi';
import { type Health } from './health.ts';
import { type Metrics } from './metrics.ts';
import { type Replies } from './replies.ts';
import { type Route } from './routes.ts';
import { health } from './schemas.ts';

export interface WatchModules {
  readonly health: () => Health;
  readonly metrics: Metrics;
  readonly replies: Replies;
}

export function watchRoutes({ health: healthNow, metrics, replies }: WatchModules): Route[] {
  const text = { 'text/plain': { schema: z.string() } };
  return [
    {
      method: 'get',
      path: '/livez',
      summary: 'Whether the process answers',
      answer: { description: 'It does', content: text },
      handle: (context) => replies.send(context, 'ok\n', { type: 'text/plain; charset=utf-8' }),
    },
    {
      method: 'get',
      path: '/readyz',
      summary: 'Whether verdicts can be had, 503 if not',
      answer: { description: 'They can', content: { 'application/json': { schema: health } } },
      handle: (context) => {
        const now = healthNow();
        return replies.json(context, now, { status: now.ready ? 200 : 503 });
      },
    },
    {
      method: 'get',
      path: '/metrics',
      summary: 'Figures for Prometheus',
      answer: { description: 'The text format of Prometheus', content: text },
      handle: async (context) => {
        const { type, body } = await metrics.text();
        return replies.send(context, body, { type });
      },
    },
  ];
}
