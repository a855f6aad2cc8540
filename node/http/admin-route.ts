/** A route of the admin address: what it needs of whoever asks, and how that is held against them before anything else. */
import { type IncomingMessage } from 'node:http';
import { act, requireScope } from '../operators/acting.ts';
import { type Actor, type Needed } from '../operators/scopes.ts';
import { type Trail } from '../operators/trail.ts';
import { type Route } from './routes.ts';

export interface AdminRoute extends Route {
  /** What is asked for with `read` changes nothing and tells nothing of people: it is not noted. */
  readonly needs: Needed;
}

export interface OperatedModules {
  readonly trail: Trail;
  /** Who asks, as the guard has found. */
  readonly actorOf: (request: IncomingMessage) => Actor;
}

/** The routes as they answer those alone who may, after a line in the trail. */
export function operated(routes: readonly AdminRoute[], { trail, actorOf }: OperatedModules): Route[] {
  return routes.map(({ needs, handle, ...route }) => ({
    ...route,
    'x-needs': needs,
    handle: (context) => {
      const actor = actorOf(context.env.incoming);
      if (needs === 'read') {
        requireScope(actor, needs);
        return handle(context);
      }
      const action = route.path.replace(/^\/v1\//, '');
      return act(trail, actor, { action, needs }, () => handle(context));
    },
  }));
}
