/** A witness that is no region of the network, and policies that ask for it. */
import { utf8Bytes } from '../../protocol/encoding/utf8.ts';
import { signCosignature } from '../../protocol/log/cosignature.ts';
import { encodeNote, parseNote } from '../../protocol/log/note.ts';
import { type Policy, parsePolicy } from '../../protocol/log/policy.ts';
import { type NoteSignature } from '../../protocol/log/signature-line.ts';
import { encodeVerifierKey } from '../../protocol/log/verifier-key.ts';
import { WitnessPolicy } from '../../protocol/verdict/witness-policy.ts';
import { witnessKey } from './keys.ts';
import { sha256 } from './primitives.ts';

const { key, sign } = witnessKey('w.example/witness', 77);

export const OUTSIDE = key;
export const OUTSIDE_VKEY = encodeVerifierKey(key);

/** It asks for this witness alone. */
export const OUTSIDE_POLICY = `witness w ${OUTSIDE_VKEY}\nquorum w\n`;

export function outsideLine(text: string, atS: number): NoteSignature {
  return signCosignature(key, text, atS, sign);
}

/** The note with one more line. */
export function cosignedOutside(note: Uint8Array, atS: number): Uint8Array {
  const { text, signatures } = parseNote(note);
  return encodeNote({ text, signatures: [...signatures, outsideLine(text, atS)] });
}

export function policyOf(text: string): Policy {
  return parsePolicy(sha256, utf8Bytes(text));
}

export function witnessPolicyOf(text: string, network: string): WitnessPolicy {
  return new WitnessPolicy(policyOf(text), { network }, { sha256 });
}
