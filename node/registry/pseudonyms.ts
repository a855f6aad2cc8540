/** Names for persons that tell nothing of them without the key, and are always the same with it. */
import * as crypto from 'node:crypto';
import { derivedKey } from './sealer.ts';

const BLOCK_BYTES = 64;
/** Of a pseudonym. */
export const DIGITS = 32;

export class Pseudonyms {
  readonly #inner: Uint8Array;
  readonly #outer: Uint8Array;

  constructor(key: crypto.KeyObject) {
    const secret = key.export();
    this.#inner = padOf(secret, 0x36);
    this.#outer = padOf(secret, 0x5c);
  }

  /** 32 hexadecimal digits: the first of `wholeOf`. */
  of(text: string): string {
    return this.wholeOf(text).slice(0, DIGITS);
  }

  /** 64 hexadecimal digits: HMAC-SHA256 (RFC 2104) of the text in UTF-8. */
  wholeOf(text: string): string {
    // By hand, since two one-shot hashes take less than half the time of createHmac.
    const bytes = Buffer.byteLength(text);
    const message = Buffer.allocUnsafe(BLOCK_BYTES + bytes);
    message.set(this.#inner);
    message.write(text, BLOCK_BYTES);
    const outer = Buffer.allocUnsafe(BLOCK_BYTES + 32);
    outer.set(this.#outer);
    outer.write(crypto.hash('sha256', message, 'binary'), BLOCK_BYTES, 'latin1');
    return crypto.hash('sha256', outer, 'hex');
  }
}

/** Of people by the region's reference to them, as dossiers are named and what the registry has of each. `key`: that of the registry. */
export function pseudonymsOfPeople(key: Uint8Array): (subject: string) => string {
  const pseudonyms = new Pseudonyms(derivedKey(key, 'life/name'));
  // Of one person several rows are made one after the other.
  let last = { subject: '', pseudonym: pseudonyms.of('subject\n') };
  return (subject) => {
    if (subject !== last.subject) last = { subject, pseudonym: pseudonyms.of(`subject\n${subject}`) };
    return last.pseudonym;
  };
}

function padOf(secret: Uint8Array, byte: number): Uint8Array {
  const pad = new Uint8Array(BLOCK_BYTES).fill(byte);
  secret.forEach((value, i) => (pad[i] = value ^ byte));
  return pad;
}
