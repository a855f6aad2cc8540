/** What a peer is called: the libp2p peer id of its node identity, as text. Spec: SPEC.md 14.1. */
import { publicKeyFromRaw } from '@libp2p/crypto/keys';
import { peerIdFromPublicKey, peerIdFromString } from '@libp2p/peer-id';

/** Of a 32-byte Ed25519 key. @throws {RangeError} for another length. */
export function peerNameOf(publicKey: Uint8Array): string {
  if (publicKey.length !== 32) throw new RangeError(`a node identity has 32 bytes, not ${publicKey.length}`);
  return peerIdFromPublicKey(publicKeyFromRaw(publicKey)).toString();
}

/** Total: whether a text is the name of an Ed25519 identity in its only spelling. */
export function isPeerName(text: string): boolean {
  try {
    const id = peerIdFromString(text);
    return id.type === 'Ed25519' && id.toString() === text;
  } catch {
    return false;
  }
}
