/** What must hold in every run, and how a run says that it did not. */

export const INVARIANTS = {
  'logged once': 'every acknowledged issue is in its log, once, where its receipt says',
  'prefix order': 'of any two copies of an honest log one begins with the other',
  'no contradiction': 'an honest node never signs two checkpoints that cannot both be true',
  'signed once': 'an index is never signed twice with different content',
  'witness memory':
    'an honest witness never cosigns two trees that cannot both be true, nor a smaller one after a larger',
  'revoked for good': 'a code that a node has seen revoked never passes there again',
  'stated age': 'no verdict leans on knowledge older than it states',
  'no framing':
    'no honest region is held to have forked or to have contradicted itself in another way, and no code of it to be revoked that was not',
  'no blame': 'no honest node holds a fault against an honest one',
  'caught forking': 'every honest node ends with the proof of a fork that two of them have seen the sides of',
  agreement: 'after healing honest nodes agree byte for byte',
  liveness: 'after healing every honest region issues, is recognised everywhere and revokes everywhere',
  bounds: 'queues and messages stay within their bounds',
  'no bug': 'nothing is thrown that no interface names',
} as const;

export type Invariant = keyof typeof INVARIANTS;

export class Violation extends Error {
  override readonly name = 'Violation';
  readonly invariant: Invariant;

  constructor(invariant: Invariant, message: string) {
    super(message);
    this.invariant = invariant;
  }
}

export function demand(isSo: boolean, invariant: Invariant, message: () => string): asserts isSo {
  if (!isSo) throw new Violation(invariant, message());
}
