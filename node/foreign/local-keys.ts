/** Keys that sign a region's local codes, out of a JWK set (RFC 7517, RFC 8037). Whoever chose the file vouches for it. Spec: SPEC.md 17.11. */
import { decodeUtf8 } from '../../protocol/encoding/utf8.ts';
import { isProtocolError, ProtocolError } from '../../protocol/fault.ts';
import { type Json } from '../../protocol/foreign/foreign-code.ts';
import { memberOf, parseForeignJson, textOf } from '../../protocol/foreign/foreign-json.ts';
import { type ForeignKey } from '../../protocol/foreign/foreign-keys.ts';
import { FOREIGN_KEYS_MAX, NAME_CHARS_MAX } from '../../protocol/foreign/foreign-limits.ts';
import { localKeyOfJwk } from '../../protocol/foreign/jwk.ts';
import { UNNAMED_KEY } from '../../protocol/foreign/local-code.ts';
import { type LocalProfile } from '../../protocol/foreign/local-profile.ts';
import { fitsAlgorithm } from '../../protocol/foreign/signature-check.ts';
import { isForeignKey } from '../crypto/foreign-signatures.ts';
import { KEY_LIST_BYTES_MAX } from './key-list.ts';

export interface LocalKeyOptions {
  readonly profile: LocalProfile;
  /** Whose keys they are. */
  readonly region: string;
}

export interface LocalKeys {
  readonly keys: readonly ForeignKey[];
  /** Why each entry that is not taken is not, in words. */
  readonly leftOut: readonly string[];
}

/**
 * Reads a set. A key is named by its `kid` as codes name it (of a COSE code the base64 of the bytes), and confined by `nbf` and `exp`, in seconds.
 * One that cannot be taken is left out and named, one with its secret part refuses the whole file.
 * @throws {ProtocolError} TOO_LARGE; JSON_MALFORMED, UTF8_MALFORMED; CLAIMS_MALFORMED for what is no set; KEY_INVALID.
 */
export function readLocalKeys(bytes: Uint8Array, options: LocalKeyOptions): LocalKeys {
  if (bytes.length > KEY_LIST_BYTES_MAX)
    throw new ProtocolError('TOO_LARGE', `expected at most ${KEY_LIST_BYTES_MAX} bytes`);
  const list = memberOf(parseForeignJson(decodeUtf8(bytes)), 'keys');
  if (!Array.isArray(list) || list.length === 0)
    throw new ProtocolError('CLAIMS_MALFORMED', 'expected a JWK set: {"keys": [...]}');
  if (list.length > FOREIGN_KEYS_MAX)
    throw new ProtocolError('TOO_LARGE', `expected at most ${FOREIGN_KEYS_MAX} keys`);
  const keys: ForeignKey[] = [];
  const leftOut: string[] = [];
  for (const [index, jwk] of (list as readonly Json[]).entries()) {
    if (memberOf(jwk, 'd') !== undefined)
      throw new ProtocolError(
        'KEY_INVALID',
        `key ${index} has its secret part: a file of public keys has none`,
      );
    try {
      keys.push(keyOf(jwk, options));
    } catch (error) {
      if (!isProtocolError(error)) throw error;
      leftOut.push(`key ${index}: ${error.message}`);
    }
  }
  return { keys, leftOut };
}

/** Whether codes of a profile name the key that signed them. */
export function namesKeys(profile: LocalProfile): boolean {
  return profile.container === 'json' ? profile.members.keyId !== undefined : profile.keyId;
}

function keyOf(jwk: Json, { profile, region }: LocalKeyOptions): ForeignKey {
  const publicKey = localKeyOfJwk(jwk);
  if (!isForeignKey(publicKey)) throw new ProtocolError('KEY_INVALID', 'expected a point of the curve');
  if (!profile.algorithms.some((algorithm) => fitsAlgorithm(publicKey, algorithm)))
    throw new ProtocolError('KEY_INVALID', `expected a key for ${profile.algorithms.join(' or ')}`);
  const keyId = namesKeys(profile) ? textOf(jwk, 'kid', NAME_CHARS_MAX) : UNNAMED_KEY;
  if (keyId === undefined || keyId === '')
    throw new ProtocolError('KEY_INVALID', 'expected a kid, as codes name the key');
  const [fromS, untilS] = [secondsOf(jwk, 'nbf'), secondsOf(jwk, 'exp')];
  return {
    format: 'local',
    keyId,
    issuer: region,
    publicKey,
    ...(fromS !== undefined && { fromS }),
    ...(untilS !== undefined && { untilS }),
  };
}

function secondsOf(jwk: Json, name: string): number | undefined {
  const value = memberOf(jwk, name);
  if (value === undefined) return undefined;
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw new ProtocolError('KEY_INVALID', `expected ${name} in whole seconds since 1970`);
}
