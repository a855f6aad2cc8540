/** The project's own vectors of codes, as another language reads them. All bytes are in hexadecimal. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type FaultCode } from '../../protocol/fault.ts';
import { projectRoot } from './project.ts';

export interface StatusVector {
  readonly colour: string;
  readonly measure: string;
  readonly until?: number;
  readonly expires: number;
  readonly ruleId: string;
  readonly ruleVersion: number;
  /** Of a bridged code: the attestation that it stands for, or the hashes of the code of others. */
  readonly original?:
    | {
        readonly region: string;
        readonly log: string;
        readonly index: number;
        readonly keyId: string;
        readonly leafHash: string;
      }
    | {
        readonly region: string;
        readonly hashes: readonly string[];
        /** The name of the key that signed it, and when it was issued. */
        readonly signer?: string;
        readonly issued?: number;
      };
}

/** What a well-formed text says, what each signature covers and whether it is good. */
export interface CodeReading {
  readonly region: string;
  readonly log: string;
  readonly index: number;
  readonly hour: number;
  readonly commitment: string;
  readonly keyId: string;
  readonly attestation: string;
  /** The hash of the attestation as an entry of its log. */
  readonly leaf: string;
  readonly message: string;
  readonly signature: string;
  readonly signatureGood: boolean;
  readonly status: StatusVector;
  readonly holderKey?: string;
  readonly document?: { readonly salt: string; readonly hash: string };
  readonly evidence?: string;
  readonly presentation?: {
    readonly step: number;
    readonly challenge: string;
    readonly message: string;
    readonly signature: string;
    readonly signatureGood: boolean;
  };
}

/** `publicKey`: the issuer's, as the verifier's trust state has it. */
export interface CodeVector {
  readonly name: string;
  readonly network: string;
  readonly publicKey: string;
  readonly text: string;
  readonly expect: CodeReading | { readonly fault: FaultCode };
}

/** A field that is used has `salt` and `value`, any other its random `leaf`; in the order of the tree. */
export interface CommitmentVector {
  readonly name: string;
  readonly fields: readonly ({ readonly salt: string; readonly value: string } | { readonly leaf: string })[];
  readonly commitment: string;
}

export interface DocumentVector {
  readonly country: string;
  readonly number: string;
  readonly salt: string;
  /** Null if such a document has no hash. */
  readonly hash: string | null;
}

/** What a leaf of nobody commits to. */
export interface PaddingVector {
  readonly secret: string;
  /** Null where that is no secret. */
  readonly commitment: string | null;
}

/** The grade of a presentation whose signature is good. `given`: the verifier's challenge; null if it gave none. */
export interface GradeVector {
  readonly step: number;
  readonly challenge: string;
  readonly given: string | null;
  readonly now: number;
  readonly grade: string;
}

export interface CodeVectors {
  readonly about: string;
  readonly codes: readonly CodeVector[];
  readonly commitments: readonly CommitmentVector[];
  readonly padding: readonly PaddingVector[];
  readonly documents: readonly DocumentVector[];
  readonly grades: readonly GradeVector[];
}

export const CODE_VECTOR_FILE = join(projectRoot, 'test/vectors/code.json');

export function readCodeVectors(): CodeVectors {
  return JSON.parse(readFileSync(CODE_VECTOR_FILE, 'utf8')) as CodeVectors;
}
