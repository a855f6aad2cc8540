/**
 * Signature checks as one run of bytes, to be handed to another thread: what is cloned there would be the whole buffer that each
 * key, message and signature lies in. Of each check: key, signature, length of the message in two bytes, message.
 */
import { type SignatureCheck } from '../../protocol/primitives.ts';
import { PUBLIC_KEY_BYTES, SIGNATURE_BYTES } from '../../protocol/signature/strict-ed25519.ts';

const HEAD_BYTES = PUBLIC_KEY_BYTES + SIGNATURE_BYTES + 2;
const MESSAGE_BYTES_MAX = 0xffff;

/** Whether a check has a place there: keys and signatures of the one length that can be good, and a message below 64 KiB. */
export function isPackable({ publicKey, signature, message }: SignatureCheck): boolean {
  return (
    publicKey.length === PUBLIC_KEY_BYTES &&
    signature.length === SIGNATURE_BYTES &&
    message.length <= MESSAGE_BYTES_MAX
  );
}

/** All of them must be packable. */
export function packChecks(checks: readonly SignatureCheck[]): Uint8Array {
  const bytes = new Uint8Array(checks.reduce((sum, { message }) => sum + HEAD_BYTES + message.length, 0));
  let at = 0;
  for (const { publicKey, signature, message } of checks) {
    bytes.set(publicKey, at);
    bytes.set(signature, at + PUBLIC_KEY_BYTES);
    bytes[at + HEAD_BYTES - 2] = message.length >> 8;
    bytes[at + HEAD_BYTES - 1] = message.length & 0xff;
    bytes.set(message, at + HEAD_BYTES);
    at += HEAD_BYTES + message.length;
  }
  return bytes;
}

/** Views into `bytes`, which must be what `packChecks` gave. */
export function unpackChecks(bytes: Uint8Array): SignatureCheck[] {
  const checks: SignatureCheck[] = [];
  for (let at = 0; at < bytes.length;) {
    const signatureAt = at + PUBLIC_KEY_BYTES;
    const messageAt = at + HEAD_BYTES;
    const end = messageAt + (((bytes[messageAt - 2] ?? 0) << 8) | (bytes[messageAt - 1] ?? 0));
    checks.push({
      publicKey: bytes.subarray(at, signatureAt),
      signature: bytes.subarray(signatureAt, signatureAt + SIGNATURE_BYTES),
      message: bytes.subarray(messageAt, end),
    });
    at = end;
  }
  return checks;
}
