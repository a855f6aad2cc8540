/** The page of whoever stands at a gate: a place, chosen once, and the verdict on one code after the other. */
import { html } from 'hono/html';
import { REASONS, type Reason } from '../../protocol/verdict/reasons.ts';
import { type Place, type Verdict } from '../../protocol/verdict/verdict.ts';
import { type Html, page } from './page.ts';

export const GATE_PATH = '/gate';

/** A kind of place by the rules of the node's region, or by none. */
export interface GateChoice {
  /** As the address of the page has it: `<rules>/<kind>`; empty for no rules. */
  readonly value: string;
  readonly title: string;
  readonly rules: string | undefined;
  readonly kind: string | undefined;
  /** What the rules call roles, each with its words. */
  readonly roles: readonly (readonly [role: string, words: string])[];
}

export interface GateView {
  readonly region: string;
  readonly choices: readonly GateChoice[];
  /** Undefined until a place is chosen. */
  readonly chosen: { readonly choice: GateChoice; readonly risk: Place['risk'] } | undefined;
  readonly fault?: string | undefined;
  readonly verdict?: Verdict | undefined;
  readonly role?: string | undefined;
}

export const RISKS = ['low', 'medium', 'high'] as const;

/** The code is never sent back, and the role of one person is not that of the next. */
export function gatePage(view: GateView): Html {
  const { region, chosen, fault, verdict } = view;
  const told = fault === undefined ? '' : html`<p class="faults" role="alert">${fault}</p>`;
  return page(
    `Gate of ${region}`,
    html`${told} ${verdict === undefined ? '' : verdictSection(verdict, view.role)}
    ${chosen === undefined ? choosing(view) : judging(chosen)}`,
    html``,
  );
}

function choosing({ choices }: GateView): Html {
  return html`<form method="get" action="${GATE_PATH}">
    <p class="field">
      <label for="place">Kind of place</label>
      <select id="place" name="place" required autofocus>
        ${choices.map(({ value, title }) => html`<option value="${value}">${title}</option>`)}
      </select>
    </p>
    <p class="field">
      <label for="risk">Risk of the area</label>
      <select id="risk" name="risk">
        ${RISKS.map((risk) => html`<option value="${risk}">${risk}</option>`)}
      </select>
    </p>
    <p><button type="submit">Check here</button></p>
  </form>`;
}

function judging({ choice, risk }: NonNullable<GateView['chosen']>): Html {
  const { value, title, roles } = choice;
  const here = `${GATE_PATH}?${new URLSearchParams({ place: value, risk }).toString()}`;
  return html`<p>Place: <strong>${title}</strong>, risk ${risk}. <a href="${GATE_PATH}">Choose another</a></p>
    <form method="post" action="${here}">
      ${
        roles.length === 0
          ? ''
          : html`<p class="field">
              <label for="role">Role of the person</label>
              <select id="role" name="role">
                <option value="">nobody in particular</option>
                ${roles.map(([role, words]) => html`<option value="${role}">${words} (${role})</option>`)}
              </select>
            </p>`
      }
      <p class="field">
        <label for="code">Code</label>
        <span class="hint" id="code-hint">Scan it with a hand scanner, or paste its text.</span>
        <input id="code" name="code" autocomplete="off" aria-describedby="code-hint" required autofocus />
      </p>
      <p><button type="submit">Check</button></p>
    </form>
    <p class="hint">
      The address of this page holds the place and the risk of the area: keep it as a bookmark. An address
      without a risk means low.
    </p>`;
}

const HEADS: Readonly<Record<Verdict['outcome'], string>> = {
  pass: 'PASS',
  act: 'ACT',
  stop: 'STOP',
  undetermined: 'CANNOT DECIDE',
};

function verdictSection(verdict: Verdict, role: string | undefined): Html {
  const { outcome, reasons, colour, grade, measure, expiresAtS, foreign } = verdict;
  const facts = [
    colour,
    grade,
    measure && `${measure.kind} until ${timeOf(measure.untilS)}`,
    measure === undefined && expiresAtS !== undefined ? `until ${timeOf(expiresAtS)}` : undefined,
    role && `judged as ${role}`,
  ].filter((fact) => fact !== undefined && fact !== '');
  return html`<section class="verdict ${outcome}" role="status" aria-labelledby="verdict">
    <h2 id="verdict">${HEADS[outcome]}</h2>
    <p>${facts.join(', ')}</p>
    ${foreign?.subject === undefined ? '' : html`<p>It names ${foreign.subject}.</p>`}
    <ul>
      ${reasons.map((reason) => html`<li>${reasonText(reason)}</li>`)}
    </ul>
    <p class="hint">Judged at ${timeOf(verdict.atS)}.</p>
  </section>`;
}

/** Of a rule its words, and which it is; else the sentence of the reason. */
function reasonText({ code, region, details = {} }: Reason): string {
  const { rules, rule, version, why } = details;
  const of = region === undefined ? '' : ` (${region})`;
  if (rule === undefined) return `${REASONS[code].explanation}${of}`;
  return `${why ?? REASONS[code].explanation}${of} (rule ${rule} of ${rules}, version ${version})`;
}

function timeOf(timeS: number): string {
  return `${new Date(timeS * 1_000).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}
