/** All lists of keys that a verifier chose, as one, and verdicts by them. */
import type * as crypto from 'node:crypto';
import { isProtocolError } from '../../protocol/fault.ts';
import { ForeignKeys } from '../../protocol/foreign/foreign-keys.ts';
import { type ForeignVerdict, refuseForeign } from '../../protocol/foreign/foreign-verdict.ts';
import { parseSeal } from '../../protocol/foreign/seal.ts';
import { foreignFormatOf, verifyForeign } from '../../protocol/foreign/verify-foreign.ts';
import { nativeForeignPrimitives } from '../crypto/foreign-primitives.ts';
import { type KeyList } from './key-list.ts';
import { sealKeyUnder } from './seal-key.ts';

export class ForeignTrust {
  readonly keys: ForeignKeys;
  readonly #authorities: readonly crypto.X509Certificate[];

  /** @throws {RangeError} above 32,768 keys together. */
  constructor(lists: readonly Pick<KeyList, 'keys' | 'authorities'>[]) {
    this.keys = new ForeignKeys(lists.flatMap(({ keys }) => keys));
    this.#authorities = lists.flatMap(({ authorities }) => authorities);
  }

  /** The verdict on any text; never throws on what it says. */
  async judge(text: string, nowS: number): Promise<ForeignVerdict> {
    const format = foreignFormatOf(text);
    if (format === undefined) return refuseForeign(undefined, { code: 'CODE_UNKNOWN', details: {} }, nowS);
    try {
      const keys = format === 'vdsnc' ? this.#keysForSeal(text, nowS) : this.keys;
      return await verifyForeign(nativeForeignPrimitives, text, keys, nowS);
    } catch (error) {
      if (isProtocolError(error)) return refuseForeign(format, error.fault, nowS);
      throw error;
    }
  }

  /** The signer of a seal that no list has may have been issued by an authority that one has. @throws {ProtocolError} as `parseSeal`, `sealKeyUnder`. */
  #keysForSeal(text: string, nowS: number): ForeignKeys {
    const seal = parseSeal(nativeForeignPrimitives.sha256, text);
    const isListed = this.keys.candidatesFor(seal).keys.length > 0;
    const key = isListed ? undefined : sealKeyUnder(this.#authorities, seal, nowS);
    return key === undefined ? this.keys : new ForeignKeys([key]);
  }
}
