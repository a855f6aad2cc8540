/**
 * Pages at the operator's address. They work without a script: their own secret is a field of each form, and is asked for
 * each time, so that no other page can send a form in somebody's name.
 */
import { Hono } from 'hono';
import { type RegionNode } from '../core/region-node.ts';
import { DECLARATION_COLUMNS } from '../life/declaration.ts';
import { declareOne } from '../http/declaration-routes.ts';
import { readForm } from '../http/form.ts';
import { RequestError } from '../http/problem.ts';
import { type WebContext, type WebEnvironment } from '../http/replies.ts';
import { isNodeError } from '../node-error.ts';
import { act } from '../operators/acting.ts';
import { broughtBy } from '../operators/brought-by.ts';
import { type Actor } from '../operators/scopes.ts';
import { type Trail } from '../operators/trail.ts';
import { declarePage, FIELD_LABELS } from './declare-page.ts';
import { holderPage } from './holder-page.ts';
import { type FieldFault, type Html, PAGE_HEADERS, STYLE, STYLE_PATH } from './page.ts';

export interface PagesModules {
  readonly node: Pick<RegionNode, 'life'>;
  readonly nowS: () => number;
  readonly trail: Trail;
  /** Whether this is the secret of the pages, which is good for nothing else. */
  readonly isSecret: (text: string) => boolean;
}

const PATHS: readonly string[] = ['/declare', '/holder', STYLE_PATH];
/** Whoever knows the secret of the pages: that says no name. */
const DESK: Actor = { name: 'desk', may: new Set(['issue']) };
const SOURCE = 'web form';
const WRONG_SECRET: FieldFault = {
  field: 'secret',
  reason: 'The secret is not the one of the desk of this node.',
};

/** Whether a page has this path. */
export function isPagePath(path: string): boolean {
  return PATHS.includes(path);
}

export function pagesApp(modules: PagesModules): Hono<WebEnvironment> {
  const app = new Hono<WebEnvironment>();
  app.get(STYLE_PATH, (context) =>
    context.body(STYLE, 200, { ...PAGE_HEADERS, 'content-type': 'text/css; charset=utf-8' }),
  );
  app.get('/declare', (context) => sent(context, declarePage({}, { faults: [] })));
  app.post('/declare', (context) => declare(context, modules));
  app.get('/holder', (context) => sent(context, holderPage('', { faults: [] })));
  app.post('/holder', (context) => lookUp(context, modules));
  app.all('*', (context) => context.text('This path takes GET and POST.', 405, { ...PAGE_HEADERS }));
  app.onError((error, context) => {
    const status = error instanceof RequestError ? 400 : 500;
    const text = status === 400 ? error.message : 'The node cannot do this now: its log says more.';
    return context.text(text, status, { ...PAGE_HEADERS });
  });
  return app;
}

async function declare(
  context: WebContext,
  { node, trail, nowS, isSecret }: PagesModules,
): Promise<Response> {
  const { secret = '', ...filled } = await readForm(context.env.incoming);
  if (!isSecret(secret)) return sent(context, declarePage(filled, { faults: [WRONG_SECRET] }), 403);
  const known = Object.entries(filled).filter(([name]) => DECLARATION_COLUMNS.some((one) => one === name));
  const cells = {
    ...Object.fromEntries(known),
    travel: (filled['travel'] ?? '').split(/\r?\n/).join(';'),
    declared_at: new Date(nowS() * 1_000).toISOString(),
  };
  const action = { action: 'declarations', needs: 'issue', about: 'page /declare', count: 1 } as const;
  const report = await act(trail, DESK, action, async (tally) => {
    const came = await declareOne(node, { source: SOURCE, operator: broughtBy(DESK) }, cells);
    if (came.outcome === 'refused') tally.failed = 1;
    return came;
  });
  if (report.outcome === 'refused') {
    const faults = report.faults.map(({ column, reason }): FieldFault => {
      const name = column === undefined ? 'The form' : (FIELD_LABELS[column] ?? column);
      return { field: column, reason: `${name} ${reason}` };
    });
    return sent(context, declarePage(filled, { faults }), 422);
  }
  const { updateInS } = report;
  const when =
    updateInS === undefined
      ? 'The next update of colours goes by it'
      : `Their colour goes by it in some ${updateInS} s`;
  const done = `The declaration of ${filled['subject'] ?? ''} is stored. ${when}.`;
  return sent(context, declarePage({}, { faults: [], done }));
}

async function lookUp(context: WebContext, { node, trail, isSecret }: PagesModules): Promise<Response> {
  const { secret = '', subject = '' } = await readForm(context.env.incoming);
  if (!isSecret(secret)) return sent(context, holderPage(subject, { faults: [WRONG_SECRET] }), 403);
  const action = { action: 'holder', needs: 'issue', about: 'page /holder', count: 1 } as const;
  try {
    const holder = await act(trail, DESK, action, () => node.life.holder(subject.trim(), false));
    return await sent(context, holderPage(subject.trim(), { faults: [], holder }));
  } catch (error) {
    if (!isNodeError(error, 'NOT_FOUND')) throw error;
    const faults = [{ field: 'subject', reason: 'Nobody of this reference has declared.' }];
    return sent(context, holderPage(subject, { faults }), 404);
  }
}

async function sent(
  context: WebContext,
  content: Html,
  status: 200 | 403 | 404 | 422 = 200,
): Promise<Response> {
  return context.html(await content, status, { ...PAGE_HEADERS });
}
