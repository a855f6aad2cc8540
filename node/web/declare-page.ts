/** The form on which somebody of the region takes the declaration of a person. */
import { html } from 'hono/html';
import { DOCUMENT_TYPES } from '../lists/identity.ts';
import { faultList, type FieldFault, type Html, page, secretField, textField } from './page.ts';

/** What was filled in, by the names of fields. */
export type Filled = Readonly<Record<string, string>>;

const TYPE_NAMES: Readonly<Record<(typeof DOCUMENT_TYPES)[number], string>> = {
  resident: 'Identity number of a resident of China',
  passport: 'Passport',
  'identity-card': 'Identity card',
  permit: 'Permit',
  other: 'Other',
};

/** What the form calls its fields, wherever it speaks of one. */
export const FIELD_LABELS: Readonly<Record<string, string>> = {
  subject: 'Reference of the person',
  full_name: 'Name',
  birth_date: 'Day of birth',
  id_type: 'Identity document',
  id_country: 'Country of the document',
  id_number: 'Number of the document',
  symptoms: 'Symptoms',
  contact: 'Day of the last contact with somebody infected',
  travel: 'Areas and days of the last weeks',
  address: 'Where they stay',
  consent: 'Consent',
};

export function declarePage(
  filled: Filled,
  { faults, done }: { readonly faults: readonly FieldFault[]; readonly done?: string },
): Html {
  const field = (name: string, more: { hint?: string; type?: 'date'; isRequired?: true } = {}) =>
    textField({ name, label: FIELD_LABELS[name] ?? name, value: filled[name], faults, ...more });
  return page(
    'Declare',
    html`${faultList(faults)}
      ${done === undefined ? '' : html`<div class="done" role="status"><p>${done}</p></div>`}
      <form method="post" action="/declare">
        <fieldset>
          <legend>Who</legend>
          ${field('subject', { hint: 'As the region calls them.', isRequired: true })}
          ${field('full_name', { isRequired: true })}
          ${field('birth_date', { type: 'date', isRequired: true })} ${typeField(filled, faults)}
          ${field('id_country', { hint: 'Two capital letters.' })} ${field('id_number')}
        </fieldset>
        <fieldset>
          <legend>What they say</legend>
          ${symptomsField(filled, faults)} ${field('contact', { type: 'date' })}
          ${travelField(filled, faults)} ${field('address')}
        </fieldset>
        <fieldset>
          <legend>Consent</legend>
          ${faultOf('consent', faults)}
          <p>
            <input
              id="consent"
              name="consent"
              type="checkbox"
              value="true"
              aria-describedby="consent-fault"
              required
            />
            <label for="consent">
              The person agrees that this is stored and compared with background data, such as the control
              list. Without it nothing is stored.
            </label>
          </p>
        </fieldset>
        ${secretField(faults)}
        <p><button type="submit">Store</button></p>
      </form>`,
  );
}

/** What is wrong with a field, beside it. */
function faultOf(name: string, faults: readonly FieldFault[]): Html {
  const fault = faults.find(({ field }) => field === name);
  return fault === undefined ? html`` : html`<span class="fault" id="${name}-fault">${fault.reason}</span>`;
}

function typeField(filled: Filled, faults: readonly FieldFault[]): Html {
  return html`<p class="field">
    <label for="id_type">${FIELD_LABELS['id_type']} (if there is one)</label>
    ${faultOf('id_type', faults)}
    <select id="id_type" name="id_type" aria-describedby="id_type-fault">
      <option value="">None</option>
      ${DOCUMENT_TYPES.map(
        (type) =>
          html`<option value="${type}" ${filled['id_type'] === type ? 'selected' : ''}>
            ${TYPE_NAMES[type]}
          </option>`,
      )}
    </select>
  </p>`;
}

function symptomsField(filled: Filled, faults: readonly FieldFault[]): Html {
  const choice = (value: 'true' | 'false', label: string, id: string) =>
    html`<input
        id="${id}"
        name="symptoms"
        type="radio"
        value="${value}"
        required
        ${filled['symptoms'] === value ? 'checked' : ''}
      />
      <label for="${id}">${label}</label>`;
  return html`<div class="field" role="radiogroup" aria-labelledby="symptoms-label">
    <span id="symptoms-label">${FIELD_LABELS['symptoms']}</span>
    ${faultOf('symptoms', faults)}
    <span>${choice('false', 'No', 'symptoms')} ${choice('true', 'Yes', 'symptoms-yes')}</span>
  </div>`;
}

function travelField(filled: Filled, faults: readonly FieldFault[]): Html {
  return html`<p class="field">
    <label for="travel">${FIELD_LABELS['travel']} (if there were any)</label>
    <span class="hint" id="travel-hint">One on each line, as in CN-42 2026-11-19.</span>
    ${faultOf('travel', faults)}
    <textarea id="travel" name="travel" rows="3" aria-describedby="travel-hint travel-fault">
${filled['travel'] ?? ''}</textarea>
  </p>`;
}
