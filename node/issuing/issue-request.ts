/** What is asked for with a code, what is made ready of that, and what comes of it. */
import { type Openings } from '../../protocol/code/openings.ts';
import { evidenceOf } from '../../protocol/disclosure/basis.ts';
import { type Sha256 } from '../../protocol/primitives.ts';
import { MANUAL_RULE_ID } from '../../protocol/disclosure/override.ts';
import { type Change, type HighWater } from '../ports.ts';
import { type Place } from '../registry/place-cipher.ts';
import { requireSubject } from '../registry/record-page.ts';
import { type CommittedStatus } from './attestation-work.ts';
import { type Ordered } from './forgotten-marks.ts';
import { type Unprepared } from './preparing.ts';

export interface IssueRequest extends Unprepared {
  /** The region's own reference to the person, 1 to 64 characters. It goes into the registry and nowhere else. */
  readonly subject: string;
  /** When it was ordered (`StagingGate.now`), where that was before the request was made: whoever was forgotten since gets nothing. */
  readonly ordered?: Ordered | undefined;
  /** What the colour rests on (`encodeBasis`): kept in the registry, and committed to by the evidence of the attestation. */
  readonly basis?: Uint8Array | undefined;
  /** It takes the place of a revoked attestation: it is logged among at least 31 others. */
  readonly isReplacement?: boolean;
  /** Its colour is not green, and rests on what one operator told alone: what the region knows itself does not say so. */
  readonly isTold?: boolean;
  /** Its batch is listed by `Handovers` until somebody confirms that the codes have arrived. */
  readonly toHandOver?: boolean;
  /** What is to become durable in the private tables with the record of the attestation, once its place is known. May be asked again for another place. */
  readonly also?: (place: Place) => readonly Change[];
}

/** An attestation that is logged for good, and what opens it: all that a code is made of. */
export interface Issued {
  readonly log: string;
  readonly index: number;
  readonly attestation: Uint8Array;
  readonly openings: Openings;
  readonly checkpoint: HighWater;
}

/** @throws {TypeError} on a subject that has no encoding. */
export function unpreparedOf(sha256: Sha256, { subject, fields, document, basis }: IssueRequest): Unprepared {
  requireSubject(subject);
  if (basis === undefined) return { fields, document };
  return { fields: { ...fields, evidence: evidenceOf(sha256, basis) }, document };
}

export function committed(
  request: IssueRequest & { readonly ordered: Ordered },
  commitment: Uint8Array,
  openings: Openings,
): CommittedStatus {
  const { subject, ordered, fields, basis } = request;
  const { isReplacement = false, toHandOver = false, also = () => [] } = request;
  const isManual = fields.status.ruleId === MANUAL_RULE_ID;
  return { subject, ordered, commitment, openings, basis, isManual, isReplacement, toHandOver, also };
}
