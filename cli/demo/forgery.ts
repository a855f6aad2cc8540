/** What somebody does who has a red code, wants a green one, and knows the protocol but no key of the region. */
import { type NativeCrypto } from '../../node/crypto/native.ts';
import { encodeAttestation } from '../../protocol/code/attestation-draft.ts';
import { encodeCode, parseCode } from '../../protocol/code/code.ts';
import { codeText } from '../../protocol/code/code-text.ts';
import { commitFields } from '../../protocol/code/openings.ts';

/**
 * A code that says green until the same time as `text`, in the same place of the log, under the id of the key that signed
 * `text`, but signed by a key of the forger's own.
 */
export function forgeGreen(
  { sha256, signerOf }: NativeCrypto,
  text: string,
  network: string,
  random: (bytes: number) => Uint8Array,
): string {
  const { attestation, status } = parseCode(sha256, text);
  const green = { ...status, colour: 'green', measure: 'none', untilS: undefined } as const;
  const { commitment, openings } = commitFields(sha256, { status: green }, random);
  const forger = signerOf(random(32));
  const claims = { ...attestation, commitment };
  const forged = encodeAttestation(claims, attestation.keyId, network, (message) => forger.sign(message));
  return codeText(encodeCode(sha256, forged, openings, ['status']));
}
