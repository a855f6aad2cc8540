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

/** By key id. A value: `withVoiding` makes another. */
export type Voidings = ReadonlyMap<string, readonly Voiding[]>;

/** The voiding that a statement at `index` entails if it passes; undefined for one that voids nothing. */
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

export function withVoiding(voidings: Voidings, voiding: Voiding): Voidings {
  const { keyId } = voiding;
  return new Map(voidings).set(keyId, [...(voidings.get(keyId) ?? []), voiding]);
}

export function hasVoiding(voidings: Voidings, { keyId, fromIndex, toIndex }: Voiding): boolean {
  const ofKey = voidings.get(keyId) ?? [];
  return ofKey.some((known) => known.fromIndex === fromIndex && known.toIndex === toIndex);
}

/** Tells whether what the key signed at `index` is voided. */
export function isVoided(voidings: Voidings, keyId: string, index: number): boolean {
  const ofKey = voidings.get(keyId) ?? [];
  return ofKey.some(({ fromIndex, toIndex }) => fromIndex <= index && index < toIndex);
}
