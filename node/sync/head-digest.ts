/**
 * What stands for a note that is held: who asks for heads names those that it has, and is told of all others. In a federation at
 * rest both sides have the same notes, and nothing is told. Spec: SPEC.md 14.5.1.
 */
import { concatBytes, equalBytes } from '../../protocol/bytes.ts';
import { type Sha256 } from '../../protocol/primitives.ts';
import { HEADS_MAX, HEAD_DIGEST_BYTES } from './sync-limits.ts';

export class HeadDigests {
  readonly #sha256: Sha256;
  /** Notes are not written to, so each is hashed once. */
  readonly #known = new WeakMap<Uint8Array, Uint8Array>();

  constructor(sha256: Sha256) {
    this.#sha256 = sha256;
  }

  /** 32 bytes. */
  of(note: Uint8Array): Uint8Array {
    const known = this.#known.get(note) ?? this.#sha256(note);
    this.#known.set(note, known);
    return known;
  }

  /** Of all logs that have a note, joined, as many as a request has room for. */
  ofAll(logs: Iterable<{ readonly note: Uint8Array | undefined }>): Uint8Array {
    const digests: Uint8Array[] = [];
    for (const { note } of logs)
      if (note !== undefined && digests.length < HEADS_MAX) digests.push(this.of(note));
    return concatBytes(...digests);
  }

  /** Tells of a note whether `ofAll` of somebody named it. */
  reader(joined: Uint8Array): (note: Uint8Array) => boolean {
    const named = new Map<number, Uint8Array>();
    for (let at = 0; at < joined.length; at += HEAD_DIGEST_BYTES) {
      const digest = joined.subarray(at, at + HEAD_DIGEST_BYTES);
      named.set(firstOf(digest), digest);
    }
    return (note) => {
      if (named.size === 0) return false;
      const digest = this.of(note);
      return equalBytes(named.get(firstOf(digest)) ?? NONE, digest);
    };
  }
}

const NONE = new Uint8Array();

/** Six bytes of a digest: who makes two that begin alike is told more than it needs. */
function firstOf(digest: Uint8Array): number {
  let first = 0;
  for (let i = 0; i < 6; i++) first = first * 256 + (digest[i] ?? 0);
  return first;
}
