/** Plain pages for people: no script, nothing from elsewhere, and every text of others escaped. */
import { type HtmlEscapedString } from 'hono/utils/html';
import { html } from 'hono/html';

export type Html = HtmlEscapedString | Promise<HtmlEscapedString>;

/** A browser runs nothing here, loads only the style, sends forms only here, and shows it within no other page. */
export const PAGE_HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy':
    "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
};

export const STYLE_PATH = '/pages.css';

/** Of the region's office. */
const DESK_PAGES = html`<nav aria-label="Pages">
  <a href="/declare">Declare</a> <a href="/holder">Look up</a>
</nav>`;

export function page(title: string, content: Html, nav: Html = DESK_PAGES): Html {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title}</title>
        <link rel="stylesheet" href="${STYLE_PATH}" />
      </head>
      <body>
        ${nav}
        <main>
          <h1>${title}</h1>
          ${content}
        </main>
      </body>
    </html>`;
}

export interface FieldFault {
  /** Name of the field; undefined for the whole form. */
  readonly field: string | undefined;
  readonly reason: string;
}

/** What is wrong, first on the page, each with a way to its field. */
export function faultList(faults: readonly FieldFault[]): Html {
  if (faults.length === 0) return html``;
  return html`<div class="faults" role="alert">
    <h2>Nothing was stored</h2>
    <ul>
      ${faults.map(({ field, reason }) =>
        field === undefined ? html`<li>${reason}</li>` : html`<li><a href="#${field}">${reason}</a></li>`,
      )}
    </ul>
  </div>`;
}

export interface FieldOptions {
  readonly name: string;
  readonly label: string;
  readonly hint?: string;
  readonly type?: 'text' | 'date' | 'password';
  readonly autocomplete?: string;
  readonly isRequired?: boolean;
  readonly value?: string | undefined;
  readonly faults: readonly FieldFault[];
}

/** A labelled line of text, with its hint and its fault told to who cannot see them. */
export function textField({
  name,
  label,
  hint,
  type = 'text',
  autocomplete = 'off',
  isRequired = false,
  value = '',
  faults,
}: FieldOptions): Html {
  const fault = faults.find(({ field }) => field === name);
  const described = [hint && `${name}-hint`, fault && `${name}-fault`].filter(Boolean).join(' ');
  return html`<p class="field">
    <label for="${name}">${label}${isRequired ? '' : ' (if there is one)'}</label>
    ${hint === undefined ? '' : html`<span class="hint" id="${name}-hint">${hint}</span>`}
    ${fault === undefined ? '' : html`<span class="fault" id="${name}-fault">${fault.reason}</span>`}
    <input
      id="${name}"
      name="${name}"
      type="${type}"
      value="${value}"
      autocomplete="${autocomplete}"
      aria-describedby="${described}"
      aria-invalid="${fault === undefined ? 'false' : 'true'}"
      ${isRequired ? 'required' : ''}
    />
  </p>`;
}

/** The field of the secret, which is never sent back. */
export function secretField(faults: readonly FieldFault[]): Html {
  return textField({
    name: 'secret',
    label: 'Secret of the desk',
    hint: 'It stands in the file desk.secret.',
    type: 'password',
    autocomplete: 'current-password',
    isRequired: true,
    faults,
  });
}

export const STYLE = `
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
body { max-width: 40rem; margin: 0 auto; padding: 1rem; }
nav a { margin-right: 1rem; }
fieldset { min-width: 0; margin: 0 0 1.5rem; padding: 0 1rem; border: 1px solid; border-radius: 0.25rem; }
legend { padding: 0 0.5rem; font-weight: 600; }
.field { display: grid; grid-template-columns: minmax(0, 1fr); gap: 0.25rem; }
.hint { opacity: 0.8; }
.fault { font-weight: 600; color: #b00020; }
.faults, .done { padding: 0 1rem; border: 2px solid; border-radius: 0.25rem; }
.faults { border-color: #b00020; }
.done { border-color: #18733a; }
input, select, textarea, button { font: inherit; padding: 0.4rem; }
input[aria-invalid='true'] { outline: 2px solid #b00020; }
button { padding: 0.5rem 1.5rem; }
.verdict { margin: 0 0 1.5rem; padding: 0 1rem; border: 0.5rem solid #6a1b9a; border-radius: 0.25rem; }
.verdict h2 { font-size: 2.5rem; margin: 0.5rem 0; }
.verdict.pass { border-color: #18733a; }
.verdict.act { border-color: #b26a00; }
.verdict.stop { border-color: #b00020; }
:focus-visible { outline: 3px solid #1a5fb4; outline-offset: 2px; }
@media (prefers-color-scheme: dark) { .fault { color: #ff8a80; } .faults { border-color: #ff8a80; } }
`;
