/** What codes of others have in common once taken apart: claims, and one signature that is left to be checked. Spec: SPEC.md 17.1. */
import { type ForeignAlgorithm } from './signature-check.ts';

/** EU Digital COVID Certificate, SMART Health Card, ICAO visible digital seal, a local code by an announced profile, and the token of a status list. */
export type ForeignFormat = 'hcert' | 'shc' | 'vdsnc' | 'local' | 'status-list';

/** What an issuer may confine a key to. */
export type KeyUsage = 'test' | 'vaccination' | 'recovery';

/** Plain JSON, as the code carries it. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/** A well-formed code. Nothing of it is proven before its signature is. */
export interface ForeignCode {
  readonly format: ForeignFormat;
  /** The name of the key by which it says it is signed, in the form of its format's trust lists. */
  readonly keyId: string;
  readonly algorithm: ForeignAlgorithm;
  /** What the signature covers. */
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
  /** Who it says issued it: a country code, or an address. Undefined where the format lets it be left out. */
  readonly issuer: string | undefined;
  readonly times: ForeignTimes;
  /** Usages that its key needs to have; empty where the format knows none. */
  readonly usages: readonly KeyUsage[];
  /** What it says of the person: the format's own payload. */
  readonly content: { readonly [name: string]: Json };
  /** DER of the certificate of its signer, unread, where the format has it brought along: it names the key and proves nothing. */
  readonly certificate?: Uint8Array | undefined;
  /** What the code lacks or contradicts although it is well-formed, in words; such a code is refused once its signature was checked. */
  readonly flaw: string | undefined;
}

/** Seconds since 1970. A code is in force from `issuedAtS` to before `expiresAtS`. Undefined where the format has no such time. */
export interface ForeignTimes {
  readonly issuedAtS: number | undefined;
  readonly expiresAtS: number | undefined;
}
