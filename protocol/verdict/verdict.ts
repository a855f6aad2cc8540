/** What goes into a verdict besides code and trust, and what comes out of it. Spec: SPEC.md 11. */
import { type Grade } from '../code/presentation.ts';
import { type Colour, type Measure, type Status } from '../code/status.ts';
import { type LeafProof } from './cut-off.ts';
import { type Reason } from './reasons.ts';

export { type Grade } from '../code/presentation.ts';

/** Where the check takes place and what the place asks for. */
export interface Place {
  readonly risk: 'low' | 'medium' | 'high';
  /** What sort of place it is, in the words of the acceptance rules: `gate` without any. */
  readonly kind: string;
  readonly gradeNeeded: Grade;
  readonly limits?: {
    /** Seconds; without it the limit of the mode, 600 or 86,400. */
    readonly knowledgeAgeS?: number;
    /** Seconds; without it 86,400. */
    readonly issuerSilenceS?: number;
  };
}

/** A place that asks for nothing in particular. */
export const ANY_PLACE: Place = { risk: 'low', kind: 'gate', gradeNeeded: 'static' };

/** What acceptance rules decide on. All of it is proven. */
export interface AcceptanceInput {
  readonly region: string;
  readonly status: Status;
  readonly grade: Grade;
  readonly documentMatched: boolean;
  readonly place: Place;
  /** The beginning of the hour of issue. */
  readonly issuedFromS: number;
  readonly nowS: number;
}

/** Rules of a place or region over a genuine code. Total and pure; no reason at all lets the person pass. */
export type Acceptance = (input: AcceptanceInput) => readonly Reason[];

export interface VerdictContext {
  readonly place: Place;
  /** Decides how old knowledge may be. */
  readonly mode: 'online' | 'offline';
  /** The challenge that this verifier gave for this check, 8 to 32 bytes. */
  readonly challenge?: Uint8Array | undefined;
  /** Leaf proofs that the caller fetched; those of other codes do no harm. */
  readonly proofs?: readonly LeafProof[] | undefined;
  /** The hash of the document shown, under the salt that the code opens (SPEC.md 5.4). */
  readonly documentHash?: Uint8Array | undefined;
  /** `acceptByColour` without it. */
  readonly acceptance?: Acceptance | undefined;
}

/**
 * Which cosignatures count for a checkpoint: operators that did, that must, and that could. There is a quorum if and only if
 * `counted >= needed`; `needed > of` says that there can be none.
 */
export interface WitnessCount {
  readonly counted: number;
  readonly needed: number;
  readonly of: number;
  /** The verifier's own policy counted; without it the table of SPEC.md 9 did. */
  readonly by?: 'policy';
}

/** How old is what the verifier knows of a region. Times in seconds; undefined where nobody who counts gave one. */
export interface KnowledgeReport {
  readonly region: string;
  /** Entries of the trust log that the knowledge rests on. */
  readonly size: number;
  readonly knowledgeAtS: number | undefined;
  readonly ageS: number | undefined;
  readonly silenceS: number | undefined;
  readonly witnesses: WitnessCount;
}

/** Where the code stands in its issuer's log, by its own words; proven only if the signature is good. */
export interface CodeReference {
  readonly region: string;
  readonly log: string;
  readonly index: number;
  /** Hours since 1970, rounded down. */
  readonly hour: number;
  readonly keyId: string;
}

/** The code that a bridged one stands for, by the word of the platform that issued it; proven only if the signature is good. */
export interface OriginalReference {
  readonly region: string;
  /** Where the original stands in its region's log; undefined for a code of others. */
  readonly log?: string | undefined;
  readonly index?: number | undefined;
  readonly keyId?: string | undefined;
  /** The hashes by which a code of others can be revoked, in hexadecimal; undefined for an attestation. */
  readonly hashes?: readonly string[] | undefined;
  /** Of a code of others whose platform says it: the key that signed it (SPEC.md 5.6), in hexadecimal, and when it was issued. */
  readonly signer?: string | undefined;
  readonly issuedAtS?: number | undefined;
}

/** Which code of others it was, by its own words; `region` and `adapter` are given only if the signature is good. Texts from outside: escape before showing. */
export interface ForeignReference {
  /** `hcert`, `shc`, `vdsnc`, `local`, or `opaque` for a number that was looked up. */
  readonly format: string;
  /** Of a number the day by whose key it was looked up. */
  readonly keyId: string;
  readonly issuer: string | undefined;
  readonly issuedAtS: number | undefined;
  /** Whose adapter announced the key that signed it. */
  readonly region: string | undefined;
  readonly adapter: string | undefined;
  /** Of a local code, whom it names, to be compared with a document. */
  readonly subject?: string | undefined;
}

/**
 * The answer at a gate. Plain JSON once written: members that are undefined drop out.
 * `colour`, `measure`, `rule`, `expiresAtS` and `grade` are given only if the issuer's signature is good.
 */
export interface Verdict {
  readonly outcome: 'pass' | 'act' | 'stop' | 'undetermined';
  /** In the order of the checks; `REASONS` explains each. */
  readonly reasons: readonly Reason[];
  readonly atS: number;
  /** Undefined if the text could not be read, or is no code of this network. */
  readonly code: CodeReference | undefined;
  /** Undefined unless the text is a code of others. */
  readonly foreign?: ForeignReference | undefined;
  /** Undefined unless the code is bridged: then `code.region` is the platform. */
  readonly original?: OriginalReference | undefined;
  readonly colour: Colour | undefined;
  /** Undefined also where the status demands nothing. */
  readonly measure: { readonly kind: Exclude<Measure, 'none'>; readonly untilS: number } | undefined;
  readonly rule: { readonly id: string; readonly version: number } | undefined;
  readonly expiresAtS: number | undefined;
  /** Undefined also if a presentation's signature fails. */
  readonly grade: Grade | undefined;
  /** The home's first, then the issuing region's, then that of the original; without those the verifier has no state of. */
  readonly knowledge: readonly KnowledgeReport[];
}
