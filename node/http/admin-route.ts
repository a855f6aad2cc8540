/** A route of the admin address: what it needs of whoever asks, and how that is held against them before anything else. */
import { type IncomingMessage } from 'node:http';
import { act, type Action, actInParts, requireScope, type Tally, type Told } from '../operators/acting.ts';
import { type Actor, type Needed } from '../operators/scopes.ts';
import { type Trail } from '../operators/trail.ts';
import { type Replies, type WebContext } from './replies.ts';
import { type Route } from './routes.ts';

/** An order that was read, with what the trail tells of it before it is carried out. */
export interface Order extends Told {
  readonly carryOut: (tally: Tally) => Response | Promise<Response>;
}

/** One that is answered by JSON lines, whose end the trail tells too. */
export interface LinesOrder extends Told {
  readonly lines: (tally: Tally) => Promise<AsyncIterable<string>> | AsyncIterable<string>;
  /** They wait for nothing of the caller: see `Replies.streamBegun`. */
  readonly isAtOnce?: boolean;
}

type Read = (context: WebContext) => Order | LinesOrder | Promise<Order | LinesOrder>;

export type AdminRoute = Omit<Route, 'handle'> & {
  /** What is asked for with `read` changes nothing and tells nothing of people: it is not noted. Nor is `publish`. */
  readonly needs: Needed;
} & (
    | { readonly handle: Route['handle']; readonly order?: never }
    /** Reads what is asked for, and changes nothing. */
    | { readonly order: Read; readonly handle?: never }
  );

export interface OperatedModules {
  readonly trail: Trail;
  /** Who asks, as the guard has found. */
  readonly actorOf: (request: IncomingMessage) => Actor;
  readonly replies: Replies;
}

/** The routes as they answer those alone who may, after a line in the trail. */
export function operated(
  routes: readonly AdminRoute[],
  { trail, actorOf, replies }: OperatedModules,
): Route[] {
  return routes.map(({ needs, handle, order, ...route }) => ({
    ...route,
    'x-needs': needs,
    handle: async (context) => {
      const actor = actorOf(context.env.incoming);
      const action: Action = { action: route.path.replace(/^\/v1\//, ''), needs };
      if (handle !== undefined) {
        if (needs !== 'read' && needs !== 'publish') return act(trail, actor, action, () => handle(context));
        requireScope(actor, needs);
        return handle(context);
      }
      const read = await readBy(actor, needs, () => order(context));
      if ('error' in read) return act(trail, actor, action, () => Promise.reject(read.error as Error));
      const { count, about } = read;
      if ('carryOut' in read) return act(trail, actor, { ...action, count, about }, read.carryOut);
      const lines = await actInParts(trail, actor, { ...action, count, about }, read.lines);
      return read.isAtOnce === true
        ? replies.streamBegun(context, lines, 'application/jsonl')
        : replies.stream(context, lines, 'application/jsonl');
    },
  }));
}

/** What was ordered, or why it is not carried out, which is noted as well. */
async function readBy<T>(
  actor: Actor,
  needs: Needed,
  read: () => T | Promise<T>,
): Promise<T | { readonly error: unknown }> {
  try {
    requireScope(actor, needs);
    return await read();
  } catch (error) {
    return { error };
  }
}
