/** What compromises of trust-log keys take back. Spec: SPEC.md 8.3, voiding. */
import { hexOf } from '../bytes.ts';
import { type StateDraft } from './state-draft.ts';
import { type Statement } from './statement-schema.ts';

/** What `keyId` signed at the indexes `fromIndex` .. `toIndex - 1` has no effect; `toIndex` is that of the compromise. */
export interface Voiding {
  readonly keyId: string;
  readonly fromIndex: number;
  readonly toIndex: number;
}

/** The voiding that a statement at `index` entails once it passes, if it does. */
export function voidingOf(statement: Statement, index: number, draft: StateDraft): Voiding | undefined {
  if (statement.kind !== 'compromise') return undefined;
  const keyId = hexOf(statement.key);
  const cutOff = statement.cutoffs.find(({ log }) => log === 'trust');
  if (cutOff === undefined || draft.key(keyId)?.role !== 'trust-log') return undefined;
  return cutOff.size < index ? { keyId, fromIndex: cutOff.size, toIndex: index } : undefined;
}

/** How many entries a voiding reaches back over. */
export function reachOf(voiding: Voiding | undefined): number {
  return voiding === undefined ? 0 : voiding.toIndex - voiding.fromIndex;
}

export function isVoidedBy(voidings: readonly Voiding[], keyId: string, index: number): boolean {
  return voidings.some((voiding) => {
    return voiding.keyId === keyId && voiding.fromIndex <= index && index < voiding.toIndex;
  });
}

export function isSameVoiding(a: Voiding, b: Voiding): boolean {
  return a.keyId === b.keyId && a.fromIndex === b.fromIndex && a.toIndex === b.toIndex;
}
