/** What a local code that shows a colour says, in the words of the profile of rules `local`. Spec: SPEC.md 17.8. */
export const LOCAL_FACTS: Readonly<Record<string, unknown>> = {
  'local.colour': { var: 'code.colour' },
  'local.issued': { var: 'issuedAt' },
};
