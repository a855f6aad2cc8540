import { type EvidenceKind } from '../../protocol/evidence/evidence.ts';

/** What is held against a region. */
export interface Accusation {
  readonly name: string;
  readonly kind: EvidenceKind;
  readonly region: string;
  readonly origin: string;
  readonly at: number;
  /** Its root has given up the keys behind one of the words: a thief may have said it. */
  readonly isDisowned: boolean;
}
