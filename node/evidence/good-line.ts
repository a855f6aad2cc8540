/** Of the lines of a note one that is good: what evidence keeps of it, since a region that signs with many keys would need more statements than it takes. */
import { isProtocolError } from '../../protocol/fault.ts';
import { type Note, verifyNote } from '../../protocol/log/note.ts';
import { type NoteSignature } from '../../protocol/log/signature-line.ts';
import { type COSIGNATURE, type ED25519, makeVerifierKey } from '../../protocol/log/verifier-key.ts';
import { type Primitives } from '../../protocol/primitives.ts';
import { type TrustKey, type TrustState } from '../../protocol/trust/trust-state.ts';

/** Keys of one role of a region, under the name by which they sign. */
export interface LineKeys {
  readonly name: string;
  readonly algorithm: typeof ED25519 | typeof COSIGNATURE;
  readonly keys: readonly TrustKey[];
}

export interface GoodLine {
  readonly line: NoteSignature;
  readonly key: TrustKey;
}

/** Those that a root has given up come last: who signed with them may have been a thief, and a region may go on signing with them to say so. */
export function givenUpLast(
  keys: readonly TrustKey[],
  state: Pick<TrustState, 'key'> | undefined,
): TrustKey[] {
  const isGivenUp = ({ keyId }: TrustKey) => Number(state?.key(keyId)?.compromise !== undefined);
  return [...keys].sort((a, b) => isGivenUp(a) - isGivenUp(b));
}

/** By the first of the keys, in their order, that has signed the note; with a cosignature at a time within its window. Undefined if none has. */
export function goodLineOf(
  { text, signatures }: Note,
  { name, algorithm, keys }: LineKeys,
  { sha256, verifySignature }: Primitives,
): GoodLine | undefined {
  for (const key of keys) {
    const verifier = makeVerifierKey(sha256, { name, algorithm, publicKey: key.publicKey });
    for (const line of signatures.filter((one) => one.name === name && one.keyId === verifier.keyId)) {
      try {
        const { signers, cosignatures } = verifyNote(
          { text, signatures: [line] },
          [verifier],
          verifySignature,
        );
        const isInWindow = cosignatures.some(
          ({ timestampS }) => key.fromS <= timestampS && timestampS < key.untilS,
        );
        if (signers.length > 0 || isInWindow) return { line, key };
      } catch (error) {
        if (!isProtocolError(error)) throw error;
      }
    }
  }
  return undefined;
}
