/** Words that two people read to each other to see whether both look at the same 32 bytes: those of BIP 39. Spec: SPEC.md 20.3. */
import { entropyToMnemonic, validateMnemonic } from '@scure/bip39';
import { wordlist } from '@scure/bip39/wordlists/english.js';

/** Of a transcript the first 128 bits: nobody finds another one with the same, since it is fixed once it could be chosen. */
const ENTROPY_BYTES = 16;

/** Twelve words, the last of which checks the others. `transcript` has 32 bytes. */
export function wordsOf(transcript: Uint8Array): string {
  return entropyToMnemonic(transcript.subarray(0, ENTROPY_BYTES), wordlist);
}

/** As `wordsOf` writes them: whatever the case and what stands between the words. */
export function plainWords(text: string): string {
  return text
    .toLowerCase()
    .split(/[^a-z]+/)
    .filter((word) => word !== '')
    .join(' ');
}

/** Total: whether these are twelve words that any transcript could have, so that a slip of the tongue is told from another transcript. */
export function areWords(text: string): boolean {
  return text.split(' ').length === 12 && validateMnemonic(text, wordlist);
}
