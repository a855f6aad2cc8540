/** The page on which somebody of the region looks up a person: the colour, why, how it changed, objections. */
import { html } from 'hono/html';
import { type Holder } from '../life/holder.ts';
import { faultList, type FieldFault, type Html, page, secretField, textField } from './page.ts';

export function holderPage(
  subject: string,
  { faults, holder }: { readonly faults: readonly FieldFault[]; readonly holder?: Holder },
): Html {
  return page(
    'Look up',
    html`${faultList(faults)} ${holder === undefined ? '' : holderSection(subject, holder)}
      <form method="post" action="/holder">
        ${textField({ name: 'subject', label: 'Reference of the person', value: subject, isRequired: true, faults })}
        ${secretField(faults)}
        <p><button type="submit">Look up</button></p>
      </form>`,
  );
}

const STANDINGS: Readonly<Record<Holder['standing'], string>> = {
  running: 'The code counts.',
  over: 'The code has ended.',
  revoked: 'The code is revoked.',
  none: 'The person has declared, and has no colour: no update has come since, or what is known of them does not tell one. Whoever runs the node finds out by `entente holder --explain`.',
};

function holderSection(subject: string, { notice, standing, changes, objections }: Holder): Html {
  return html`<section class="done" role="status" aria-labelledby="found">
    <h2 id="found">${subject}</h2>
    <p>${STANDINGS[standing]}</p>
    ${notice.map((line) => html`<p>${line}</p>`)}
    ${
      changes.length < 2
        ? ''
        : html`<h3>Before that</h3>
            <ul>
              ${changes
                .slice(1)
                .map(({ atS, status, why }) => html`<li>${dayOf(atS)}: ${status.colour}. ${why}</li>`)}
            </ul>`
    }
    ${
      objections.length === 0
        ? ''
        : html`<h3>Objections</h3>
            <ul>
              ${objections.map(
                ({ number, state, text, dueAtS }) =>
                  html`<li>
                    ${number}, ${state}${state === 'open' ? `, due on ${dayOf(dueAtS)}` : ''}: ${text}
                  </li>`,
              )}
            </ul>`
    }
  </section>`;
}

function dayOf(timeS: number): string {
  return new Date(timeS * 1_000).toISOString().slice(0, 10);
}
