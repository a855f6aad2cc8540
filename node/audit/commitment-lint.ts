/**
 * Whether the commitments of an attestation log say nothing, as those of salted fields do: a region that put something about a person there,
 * or left the salts away, would tell everybody for good. Spec: SPEC.md 5.2.
 */
import { hexOf } from '../../protocol/bytes.ts';
import { COMMITMENT_BYTES } from '../../protocol/code/attestation.ts';
import { type AuditFault } from './audit-fault.ts';

/**
 * Bytes in a row that are digits (the shortest telephone number), or all the same (what fills up something short). Of 10^10 commitments
 * that are hashes, one in a thousand audits sees such a row.
 */
const DIGITS_IN_A_ROW = 11;
const SAME_IN_A_ROW = 8;
/** Commitments that are remembered. Of a longer log those whose first bytes are lowest: whatever is repeated is among them each time. */
const REMEMBERED_MAX = 1 << 17;

/** Whether 32 bytes are something written or filled up rather than a hash. */
export function isWritten(commitment: Uint8Array): boolean {
  let digits = 0;
  let same = 0;
  let isText = true;
  let last = -1;
  for (const byte of commitment) {
    digits = byte >= 0x30 && byte <= 0x39 ? digits + 1 : 0;
    same = byte === last ? same + 1 : 1;
    if (digits === DIGITS_IN_A_ROW || same === SAME_IN_A_ROW) return true;
    if (byte < 0x20 || byte === 0x7f) isText = false;
    last = byte;
  }
  return isText && isUtf8(commitment);
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}

/** Finds what is committed to twice in one log: a salt is never used again. */
export class RepeatedCommitments {
  readonly #max: number;
  /** By their hexadecimal digits, the index that had it first. */
  readonly #seen = new Map<string, number>();
  /** Of the first four bytes: what is not below it is not remembered. */
  #below = 2 ** 32;

  /** `max`: how many are remembered. */
  constructor({ max = REMEMBERED_MAX }: { readonly max?: number } = {}) {
    this.#max = max;
  }

  /** Takes those of a bundle, joined; zeros stand for none. */
  take(joined: Uint8Array, origin: string, firstIndex: number): AuditFault[] {
    const faults: AuditFault[] = [];
    const view = new DataView(joined.buffer, joined.byteOffset, joined.byteLength);
    for (let at = 0, index = firstIndex; at < joined.length; at += COMMITMENT_BYTES, index++) {
      const head = view.getUint32(at);
      if (head >= this.#below || (head === 0 && view.getUint32(at + 4) === 0)) continue;
      const name = hexOf(joined.subarray(at, at + COMMITMENT_BYTES));
      const first = this.#seen.get(name);
      if (first === undefined) this.#remember(name, index);
      else {
        const message = `the same commitment as at ${first}: whoever that is about can be followed`;
        faults.push({ code: 'COMMITMENT_REPEATED', log: origin, index, message });
      }
    }
    return faults;
  }

  #remember(name: string, index: number): void {
    this.#seen.set(name, index);
    while (this.#seen.size > this.#max) {
      this.#below /= 2;
      for (const known of this.#seen.keys())
        if (Number.parseInt(known.slice(0, 8), 16) >= this.#below) this.#seen.delete(known);
    }
  }
}
