/**
 * What a region's trust log says, as a value to read: the outcome of folding its entries in order.
 * Made by `TrustFold`; nobody else implements it outside of tests. Spec: SPEC.md 8.
 */
import { type CborValue } from '../encoding/cbor.ts';
import { type RevocationSet } from '../revocation/revocation-set.ts';

export type KeyRole = 'attest' | 'checkpoint' | 'trust-log' | 'witness';
export type RecognitionWay = 'direct' | 'adapter' | 'bridge' | 'hosted';

/** The tree that a log had when the thief came: leaves below `size` under `root` are the region's own. */
export interface CutOff {
  readonly size: number;
  readonly root: Uint8Array;
}

/** `cutOffs` by attestation log id or `trust`; a log that is absent counts as cut off at size 0. */
export interface Compromise {
  readonly version: number;
  readonly cutOffs: ReadonlyMap<string, CutOff>;
}

/** What the root said to end a key's window before the time that it had announced. */
export interface Retirement {
  readonly version: number;
  readonly announcedUntilS: number;
}

/** An online key of the region, good for one role and in the window `[fromS, untilS)`, which is empty if the key was retired before it began. */
export interface TrustKey {
  /** 16 lower-case hexadecimal digits. */
  readonly keyId: string;
  /** 32 bytes, canonical, torsion-free and not of small order. */
  readonly publicKey: Uint8Array;
  readonly role: KeyRole;
  readonly fromS: number;
  /** As announced, or earlier since it was retired. */
  readonly untilS: number;
  readonly retirement?: Retirement;
  readonly compromise?: Compromise;
}

export interface RootKey {
  readonly keyId: string;
  readonly publicKey: Uint8Array;
}

/** The root in force: `threshold` of `keys` together sign for it. */
export interface Root {
  readonly version: number;
  readonly threshold: number;
  readonly keys: readonly RootKey[];
  /** What the region calls itself. 1 to 64 bytes of UTF-8 from outside: escape before showing. */
  readonly name: string;
}

/** What this region says of another. `standing` is by the statements alone: the caller holds `[fromS, untilS)` against its clock. */
export type Recognition =
  | { readonly standing: 'withdrawn'; readonly region: string; readonly version: number }
  | {
      readonly standing: 'recognised' | 'suspended';
      readonly region: string;
      readonly version: number;
      /** Of the recognised region's first root statement. */
      readonly fingerprint: Uint8Array;
      readonly way: RecognitionWay;
      /** Present if and only if `way` is `bridge`: the region through which codes come. */
      readonly via?: string;
      /** The id of the acceptance rules for this region's codes; null for those of the verifier. */
      readonly rules: string | null;
      readonly fromS: number;
      readonly untilS: number;
    };

/** What a `rules` statement says: `readRuleSet` reads it. */
export interface LoggedRules {
  readonly id: string;
  readonly version: number;
  readonly fromS: number;
  /** Decoded deterministic CBOR, unchecked beyond that: the rules' own parser goes over it. */
  readonly data: Readonly<Record<string, CborValue>>;
}

/** Keys of a local code that goes on as it is: `readAdapter` of protocol/foreign reads them. */
export interface LoggedAdapter {
  readonly id: string;
  readonly version: number;
  readonly fromS: number;
  readonly untilS: number;
  /** Decoded deterministic CBOR, unchecked beyond that. */
  readonly data: Readonly<Record<string, CborValue>>;
}

/** Codes of others that the region has revoked. */
export interface ForeignRevocation {
  /** 16 bytes each, ascending: what they are of, `revocationHashesOf` of protocol/foreign knows. */
  readonly hashes: readonly Uint8Array[];
  /** From when on none of them can be in force any more. */
  readonly untilS: number;
}

export interface AnnouncedLog {
  readonly log: string;
  /** The lowest index that the region still serves. */
  readonly minimum: number;
}

/** The newest count of the codes of a log, by colour and rule. */
export interface LoggedTally {
  /** Leaves from `from` to before `until`. */
  readonly from: number;
  readonly until: number;
  readonly cells: readonly { readonly rule: string; readonly colour: number; readonly count: number }[];
  readonly merged: number;
  readonly overrides: readonly { readonly reason: number; readonly colour: number; readonly count: number }[];
}

export interface NodeIdentity {
  readonly publicKey: Uint8Array;
  readonly addresses: readonly string[];
  readonly fromS: number;
  readonly untilS: number;
}

/**
 * An immutable value: a fold that goes on changes none that it gave out. Look-ups by name are constant time; lists have no
 * order that means anything.
 */
export interface TrustState {
  readonly region: string;
  readonly network: string;
  /** Entries folded, from index 0. */
  readonly size: number;
  /** Of the region's first root statement, 32 bytes: what peers pin. Undefined while no root is in force. */
  readonly fingerprint: Uint8Array | undefined;
  readonly root: Root | undefined;
  /** Indexes that the trust-log keys may revoke in one hour together. */
  readonly revocationsPerHour: number;
  /** The newest `at` of a statement signed by a trust-log key, 0 if there is none. */
  readonly lastAtS: number;

  /** The root of a version, of those that were ever in force. */
  rootOf(version: number): Root | undefined;
  /** Whether the root of this version, or of a later one, has given the key up. */
  isGivenUpSince(keyId: string, version: number): boolean;
  key(keyId: string): TrustKey | undefined;
  keysWithRole(role: KeyRole): readonly TrustKey[];
  recognition(region: string): Recognition | undefined;
  recognitions(): Iterable<Recognition>;
  /** An announced log, by its id. */
  log(log: string): AnnouncedLog | undefined;
  logs(): Iterable<AnnouncedLog>;
  /** The revoked indexes of a log, announced or not. Undefined if there are none. */
  revoked(log: string): RevocationSet | undefined;
  /** Every log with revoked indexes, announced or not, and those. */
  revocations(): Iterable<readonly [string, RevocationSet]>;
  rules(id: string): LoggedRules | undefined;
  allRules(): Iterable<LoggedRules>;
  adapters(): Iterable<LoggedAdapter>;
  foreignRevocations(): Iterable<ForeignRevocation>;
  nodes(): Iterable<NodeIdentity>;
  /** The newest tally of a log. */
  tally(log: string): LoggedTally | undefined;
}

/** An entry that had no effect, and why. */
export interface Finding {
  readonly index: number;
  readonly code:
    | 'STATEMENT_MALFORMED'
    | 'STATEMENT_UNAUTHORISED'
    | 'STATEMENT_CONFLICT'
    | 'KEY_INVALID'
    | 'STATE_MISMATCH';
  /** What was expected and what came, in words that hold no bytes of the entry. */
  readonly reason: string;
}
