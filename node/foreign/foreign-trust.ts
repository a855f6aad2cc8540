/** All lists of keys that a verifier chose, as one, and verdicts by them. */
import { type ForeignCode } from '../../protocol/foreign/foreign-code.ts';
import { type Candidates, ForeignKeys, type KeySource } from '../../protocol/foreign/foreign-keys.ts';
import { type ForeignVerdict, refuseForeign } from '../../protocol/foreign/foreign-verdict.ts';
import { Authorities, namedCandidates } from '../../protocol/foreign/seal-authority.ts';
import { foreignFormatOf, verifyForeign } from '../../protocol/foreign/verify-foreign.ts';
import { nativeForeignPrimitives } from '../crypto/foreign-primitives.ts';
import { type KeyList } from './key-list.ts';

export class ForeignTrust implements KeySource {
  readonly keys: ForeignKeys;
  readonly #authorities: Authorities;

  /** @throws {RangeError} above 32,768 keys together. */
  constructor(lists: readonly Pick<KeyList, 'keys' | 'authorities'>[]) {
    this.keys = new ForeignKeys(lists.flatMap(({ keys }) => keys));
    this.#authorities = new Authorities(
      lists.flatMap(({ authorities }) => authorities),
      [],
    );
  }

  /** The verdict on any text; never throws on what it says. */
  async judge(text: string, nowS: number): Promise<ForeignVerdict> {
    if (foreignFormatOf(text) === undefined)
      return refuseForeign(undefined, { code: 'CODE_UNKNOWN', details: {} }, nowS);
    return verifyForeign(nativeForeignPrimitives, text, this, nowS);
  }

  /** A signer of seals that a list has needs no authority. */
  candidatesFor(code: ForeignCode): Candidates {
    const listed = namedCandidates(this.keys, this.#authorities, code);
    return listed.keys.length > 0
      ? listed
      : this.#authorities.candidatesFor(nativeForeignPrimitives.sha256, code);
  }
}
