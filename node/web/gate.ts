/**
 * The page of a gate at the public address: it needs no script, keeps nothing, and says nothing that `POST /v1/verify` does not say to anybody. The place stands
 * in its address, where no other page can change it.
 */
import { Hono } from 'hono';
import { isInForce } from '../../protocol/rules/rule-set.ts';
import { loggedRuleSet } from '../../protocol/rules/logged-rule-set.ts';
import { type Trust } from '../../protocol/verdict/knowledge.ts';
import { ANY_PLACE } from '../../protocol/verdict/verdict.ts';
import { readForm } from '../http/form.ts';
import { RequestError } from '../http/problem.ts';
import { type WebContext, type WebEnvironment } from '../http/replies.ts';
import { contextOf, type VerifyModules } from '../http/verify-routes.ts';
import { GATE_PATH, type GateChoice, gatePage, type GateView, RISKS } from './gate-page.ts';
import { PAGE_HEADERS, STYLE, STYLE_PATH } from './page.ts';

export interface GateModules extends Pick<VerifyModules, 'verify' | 'trust'> {
  readonly nowS: () => number;
}

/** Sets of rules that are offered, of those in force: a region has a few. */
const RULE_SETS_MAX = 16;

/** By no rules: the colour alone. */
const ANY: GateChoice = {
  value: '',
  title: 'Any place: the colour alone',
  rules: undefined,
  kind: undefined,
  roles: [],
};

/** Whether the page or its style has this path. */
export function isGatePath(path: string): boolean {
  return path === GATE_PATH || path === STYLE_PATH;
}

export function gateApp(modules: GateModules): Hono<WebEnvironment> {
  const app = new Hono<WebEnvironment>();
  app.get(STYLE_PATH, (context) =>
    context.body(STYLE, 200, { ...PAGE_HEADERS, 'content-type': 'text/css; charset=utf-8' }),
  );
  app.get(GATE_PATH, (context) => {
    const view = viewOf(context, modules);
    return sent(context, view, view.fault === undefined ? 200 : 422);
  });
  app.post(GATE_PATH, (context) => judge(context, modules));
  app.all('*', (context) => context.text('This path takes GET and POST.', 405, { ...PAGE_HEADERS }));
  app.onError((error, context) => {
    const status = error instanceof RequestError ? 400 : 500;
    const text = status === 400 ? error.message : 'The node cannot do this now.';
    return context.text(text, status, { ...PAGE_HEADERS });
  });
  return app;
}

async function judge(context: WebContext, modules: GateModules): Promise<Response> {
  const { code = '', role = '' } = await readForm(context.env.incoming);
  const view = viewOf(context, modules);
  const { chosen } = view;
  if (chosen === undefined) return sent(context, { ...view, fault: view.fault ?? CHOOSE }, 422);
  const { rules, kind, roles } = chosen.choice;
  if (role !== '' && !roles.some(([known]) => known === role))
    return sent(context, { ...view, fault: 'The rules of this place do not know this role.' }, 422);
  const request = { place: { kind, risk: chosen.risk }, rules, role: role === '' ? undefined : role };
  const verdict = await modules.verify(code.trim(), contextOf(request, modules.trust()));
  return sent(context, { ...view, verdict, role });
}

const CHOOSE = 'Choose the kind of place first.';

/** What the address says of the place, held against what there is to choose now. */
function viewOf(context: WebContext, { trust, nowS }: GateModules): GateView {
  const choices = choicesOf(trust(), nowS());
  const { place, risk = ANY_PLACE.risk } = context.req.query();
  const view = { region: trust().home, choices, chosen: undefined };
  if (place === undefined) return view;
  const choice = choices.find(({ value }) => value === place);
  const known = RISKS.find((one) => one === risk);
  if (choice !== undefined && known !== undefined) return { ...view, chosen: { choice, risk: known } };
  return { ...view, fault: 'There is no such place by the rules that are in force now: choose it again.' };
}

function choicesOf(trust: Trust, nowS: number): readonly GateChoice[] {
  const all = [...(trust.regions.get(trust.home)?.state.allRules() ?? [])]
    .flatMap((logged) => loggedRuleSet(logged) ?? [])
    .filter((ruleSet) => ruleSet.acceptance.length > 0 && isInForce(ruleSet, nowS));
  const byRules = all.slice(0, RULE_SETS_MAX).flatMap(({ id, data: { places, roles } }) =>
    [[ANY_PLACE.kind, { title: 'Any place' }] as const, ...Object.entries(places)].map(
      ([kind, { title }]): GateChoice => ({
        value: `${id}/${kind}`,
        title: `${title}, by the rules ${id}`,
        rules: id,
        kind,
        roles: Object.entries(roles),
      }),
    ),
  );
  return [...byRules, ANY];
}

async function sent(context: WebContext, view: GateView, status: 200 | 422 = 200): Promise<Response> {
  return context.html(await gatePage(view), status, { ...PAGE_HEADERS });
}
