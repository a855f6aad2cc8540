/** One list of what an interface answers: it makes the handlers and their description from the same lines. */
import { OpenAPIHono, type RouteConfig } from '@hono/zod-openapi';
import { type MiddlewareHandler } from 'hono';
import { RequestError } from './problem.ts';
import { type Replies, type WebContext, type WebEnvironment } from './replies.ts';
import { problem } from './schemas.ts';

export interface Route extends Omit<RouteConfig, 'responses' | 'method' | 'path'> {
  readonly method: 'get' | 'post' | 'delete';
  /** As OpenAPI writes it: `/{origin}/checkpoint`. */
  readonly path: string;
  /** As Hono matches it, where it is not `path`. */
  readonly pattern?: string;
  readonly summary: string;
  /** What a good answer is. */
  readonly answer: RouteConfig['responses'][number];
  readonly handle: (context: WebContext) => Response | Promise<Response>;
}

export interface RoutesOptions {
  readonly title: string;
  readonly description: string;
}

/**
 * An app of these routes that describes itself at `/openapi.json`, answers HEAD as GET, and everything else with a problem. The
 * guard sees every request first, also those to paths that are not there.
 */
export function appOf(
  options: RoutesOptions,
  routes: readonly Route[],
  replies: Replies,
  guard?: MiddlewareHandler<WebEnvironment>,
): OpenAPIHono<WebEnvironment> {
  const app = new OpenAPIHono<WebEnvironment>();
  if (guard !== undefined) app.use('*', guard);
  for (const { handle, answer, pattern, ...route } of routes) {
    const responses = { 200: answer, default: PROBLEM };
    app.openAPIRegistry.registerPath({ ...route, responses });
    app.on(route.method.toUpperCase(), pattern ?? route.path, handle);
  }
  let description: string | undefined;
  app.get('/openapi.json', (context) => {
    description ??= JSON.stringify(
      app.getOpenAPI31Document({ openapi: '3.1.0', info: { ...options, version: '1' } }),
    );
    return replies.send(context, description, { type: 'application/json', cache: 'public, max-age=3600' });
  });
  const methodsOf = new Map<string, Set<string>>();
  for (const { method, path, pattern } of routes) {
    const methods = methodsOf.get(pattern ?? path) ?? new Set(['OPTIONS']);
    if (method === 'get') methods.add('HEAD');
    methodsOf.set(pattern ?? path, methods.add(method.toUpperCase()));
  }
  for (const [path, methods] of methodsOf) {
    const allow = [...methods].join(', ');
    app.options(path, (context) => context.body(null, 204, { ...preflight(replies, context, allow), allow }));
    app.all(path, (context) => {
      return replies.problem(context, new RequestError('METHOD_UNKNOWN', `this path takes ${allow}`), {
        allow,
      });
    });
  }
  app.notFound((context) =>
    replies.problem(context, new RequestError('PATH_UNKNOWN', 'there is nothing here')),
  );
  app.onError((error, context) => replies.problem(context, error));
  return app;
}

const PROBLEM = {
  description: 'What went wrong (RFC 9457)',
  content: { 'application/problem+json': { schema: problem } },
};

function preflight(replies: Replies, context: WebContext, allow: string): Record<string, string> {
  return {
    ...replies.headersFor(context),
    'access-control-allow-methods': allow,
    'access-control-allow-headers': 'content-type, authorization',
    'access-control-max-age': '86400',
  };
}
