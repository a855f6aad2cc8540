/** An order of the root that gives stolen checkpoint keys up, and leaves out another one whose signatures keep it from being logged. */
import { type Sha256 } from '../../protocol/primitives.ts';
import { keyIdOf } from '../../protocol/signature/key-id.ts';
import { NodeError } from '../node-error.ts';

/**
 * The refusal with the ids of the keys in the way, and the order that gives all of them up together. `signers`, `givenUp`: public keys of 32 bytes, those in
 * the way and those of the order. The refusal as it is where nobody gives up any, or nobody knows who signed.
 */
export function withLeftOut(
  refusal: NodeError,
  signers: readonly Uint8Array[],
  givenUp: readonly Uint8Array[],
  sha256: Sha256,
): NodeError {
  const [left, given] = [signers, givenUp].map((keys) => [
    ...new Set(keys.map((publicKey) => keyIdOf(sha256, publicKey))),
  ]) as [string[], string[]];
  if (left.length === 0 || given.length === 0) return refusal;
  const { code, message, hint = '', retry, fatal } = refusal;
  const keys = [...given, ...left].map((keyId) => `--key ${keyId}`).join(' ');
  return new NodeError(code, `${message}; the order does not give up what signed that: ${left.join(', ')}`, {
    hint: `If that key is stolen too, give all of them up by one order: entente key compromise DIR ${keys} --cut-off trust=now. ${hint}`,
    retry,
    fatal,
  });
}
