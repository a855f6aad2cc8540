/** Key sets of issuers of SMART Health Cards, and the lists by which they revoke cards. Spec: SPEC.md 17.4. */
import { isProtocolError, ProtocolError } from '../fault.ts';
import { type Sha256 } from '../primitives.ts';
import { type ForeignKey } from './foreign-keys.ts';
import { type Json } from './foreign-code.ts';
import { memberOf, textOf } from './foreign-json.ts';
import { CARD_REVOCATIONS_MAX, FOREIGN_KEYS_MAX, NAME_CHARS_MAX } from './foreign-limits.ts';
import { publicKeyOfJwk, thumbprintOf } from './jwk.ts';
import { isIssuer } from './health-card.ts';

/** What came of a list of keys: those that are taken, and why each of the others is not, in words. */
export interface KeysRead {
  readonly keys: readonly ForeignKey[];
  readonly leftOut: readonly string[];
}

/**
 * The keys of an issuer's key set. A key whose name is not its thumbprint is left out, as is one of another kind.
 * @throws {ProtocolError} CLAIMS_MALFORMED for what is no key set, or an issuer that is no address; TOO_LARGE above 32,768 keys.
 */
export function cardKeysOf(sha256: Sha256, issuer: string, keySet: Json | undefined): KeysRead {
  const list = memberOf(keySet, 'keys');
  if (!Array.isArray(list) || !isIssuer(issuer))
    throw new ProtocolError('CLAIMS_MALFORMED', 'expected a key set and the https address of its issuer');
  if (list.length > FOREIGN_KEYS_MAX)
    throw new ProtocolError('TOO_LARGE', `expected at most ${FOREIGN_KEYS_MAX} keys`);
  const keys: ForeignKey[] = [];
  const leftOut: string[] = [];
  for (const [index, jwk] of (list as readonly Json[]).entries()) {
    try {
      keys.push(cardKeyOf(sha256, issuer, jwk));
    } catch (error) {
      if (!isProtocolError(error)) throw error;
      leftOut.push(`key ${index}: ${error.message}`);
    }
  }
  return { keys, leftOut };
}

function cardKeyOf(sha256: Sha256, issuer: string, jwk: Json): ForeignKey {
  const publicKey = publicKeyOfJwk(jwk);
  if (publicKey.kind !== 'ec' || publicKey.curve !== 'P-256')
    throw new ProtocolError('KEY_INVALID', 'expected a key on P-256');
  const keyId = thumbprintOf(sha256, publicKey);
  if (memberOf(jwk, 'kid') !== keyId)
    throw new ProtocolError('KEY_INVALID', 'expected the thumbprint of the key as its name');
  return { format: 'shc', keyId, issuer, publicKey };
}

/** Cards that were revoked under one key: by their revocation ids, those issued before a time or all. */
export interface CardRevocations {
  readonly keyId: string;
  /** Grows with every list under the key. */
  readonly counter: number;
  /** Seconds since 1970 before which a card of this id has to be issued to be revoked; infinite for all of them. */
  readonly before: ReadonlyMap<string, number>;
}

const ENTRY = /^([A-Za-z0-9_-]{1,24})(?:\.([0-9]{1,15}))?$/;

/**
 * The list that an issuer publishes for one key. `counterMin` is the version that the key set gives, or that of the list before.
 * @throws {ProtocolError} CLAIMS_MALFORMED for another key, method or layout, an id twice or that is none, an older version.
 */
export function parseCardRevocations(
  list: Json | undefined,
  keyId: string,
  counterMin: number,
): CardRevocations {
  const counter = memberOf(list, 'ctr');
  const rids = memberOf(list, 'rids');
  if (textOf(list, 'kid', NAME_CHARS_MAX) !== keyId) throw malformed('expected a list for this key');
  if (memberOf(list, 'method') !== 'rid') throw malformed('expected the method rid');
  if (!Number.isSafeInteger(counter) || (counter as number) < counterMin)
    throw malformed(`expected a version of at least ${counterMin}`);
  if (!Array.isArray(rids) || rids.length > CARD_REVOCATIONS_MAX)
    throw malformed(`expected a list of at most ${CARD_REVOCATIONS_MAX} ids`);
  const before = new Map<string, number>();
  for (const entry of rids as readonly Json[]) {
    const [, rid = '', time] = ENTRY.exec(typeof entry === 'string' ? entry : '') ?? [];
    if (rid === '' || before.has(rid))
      throw malformed('expected each revocation id once, of 1 to 24 characters');
    before.set(rid, time === undefined ? Infinity : Number(time));
  }
  return { keyId, counter: counter as number, before };
}

/** Tells whether a list revokes a card with this id that was issued then. */
export function isCardRevoked({ before }: CardRevocations, rid: string, issuedAtS: number): boolean {
  return issuedAtS < (before.get(rid) ?? -Infinity);
}

function malformed(message: string): ProtocolError {
  return new ProtocolError('CLAIMS_MALFORMED', message);
}
