/** The short name of a public key by which codes, statements and notes point to it. Spec: SPEC.md 3. */
import { asciiBytes, concatBytes, hexOf } from '../bytes.ts';
import { type Sha256 } from '../primitives.ts';

export const KEY_ID_BYTES = 8;

const LABEL = asciiBytes('entente/key/v1\n');

/**
 * The key id of a 32-byte public key: 16 lower-case hexadecimal digits, the first 8 bytes of
 * H("entente/key/v1\n" || public key). It only finds a key: two keys with one id can be made with effort, which is
 * why a trust state admits no second key under an id (SPEC.md 8.3).
 */
export function keyIdOf(sha256: Sha256, publicKey: Uint8Array): string {
  return hexOf(sha256(concatBytes(LABEL, publicKey)).subarray(0, KEY_ID_BYTES));
}
