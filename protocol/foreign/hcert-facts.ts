/** What an EU Digital COVID Certificate says, in the words of the profile `hcert`: facts by name, each an expression over the code. Spec: SPEC.md 17.8. */

const at = (path: string) => ({ var: `code.${path}` });
const chosen = (value: object, words: Readonly<Record<string, string>>): unknown =>
  Object.entries(words).reduceRight<unknown>(
    // A code of none of these tests is no fact: no choice is empty.
    (otherwise, [code, word]) => ({ if: [{ '===': [value, code] }, word, otherwise] }),
    '',
  );

/** SNOMED CT and LOINC name results and kinds of test. */
const RESULTS = { '260415000': 'negative', '260373001': 'positive' };
const KINDS = { 'LP6464-4': 'naat', 'LP217198-3': 'rapid' };

export const HCERT_FACTS: Readonly<Record<string, unknown>> = {
  'test.result': chosen(at('t.0.tr'), RESULTS),
  'test.kind': chosen(at('t.0.tt'), KINDS),
  'test.time': at('t.0.sc'),
  'test.day': at('t.0.sc'),
  'vaccination.dose': at('v.0.dn'),
  'vaccination.doses': at('v.0.sd'),
  'vaccination.day': at('v.0.dt'),
  'recovery.positive': at('r.0.fr'),
  'recovery.from': at('r.0.df'),
  'recovery.until': at('r.0.du'),
};
