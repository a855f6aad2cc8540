/** What became of people in an update of colours, counted. */

/**
 * Persons by what became of them. `waiting`: they hold what must pass no more, and this hour has no revocation left for it. `unlogged`: the same, and
 * it is in no log yet, or that cannot be told of its log. `damaged`: what is kept of them cannot be read, and their codes stay as they are.
 * `unread`: what the registry has of their codes cannot be read, and those stay as they are too.
 */
export const UPDATE_OUTCOMES = [
  'unchanged',
  'first',
  'renewed',
  'worse',
  'better',
  'open',
  'ambiguous',
  'withdrawn',
  'overridden',
  'waiting',
  'unlogged',
  'damaged',
  'unread',
] as const;
export type UpdateOutcome = (typeof UPDATE_OUTCOMES)[number];
export type UpdateFigures = Record<UpdateOutcome, number>;

export function noFigures(): UpdateFigures {
  return Object.fromEntries(UPDATE_OUTCOMES.map((outcome) => [outcome, 0])) as UpdateFigures;
}
