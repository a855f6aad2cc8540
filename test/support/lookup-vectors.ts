/** The cases of `test/vectors/lookup.json`, and what this implementation says of each. */
import { hexBytes, hexOf } from '../../protocol/bytes.ts';
import { encodeStatus } from '../../protocol/code/status.ts';
import { isProtocolError } from '../../protocol/fault.ts';
import { openLookupHead } from '../../protocol/lookup/head.ts';
import { finishLookup, lookupInput, lookupKeyPair, numberSecrets } from '../../protocol/lookup/oblivious.ts';
import { statusIn } from '../../protocol/lookup/table.ts';
import { verifySignature } from './keys.ts';
import { sha256 } from './primitives.ts';

interface Fault {
  readonly fault: string;
}

export interface KeyVector {
  readonly name: string;
  readonly seed: string;
  readonly region: string;
  readonly network: string;
  readonly day: number;
  readonly secretKey: string;
  readonly publicKey: string;
}

export interface EvaluationVector {
  readonly name: string;
  readonly number: string;
  readonly publicKey: string;
  readonly blind: string;
  readonly blinded: string;
  readonly evaluated: string;
  readonly proof: string;
  readonly salt: string;
  readonly expect: { readonly locator: string; readonly key: string } | Fault;
}

export interface BucketVector {
  readonly name: string;
  readonly day: number;
  readonly locator: string;
  readonly key: string;
  readonly bucket: string;
  readonly capacity: number;
  readonly expect: { readonly status: string | null } | Fault;
}

export interface HeadVector {
  readonly name: string;
  readonly bytes: string;
  readonly expect: object;
}

export interface LookupVectors {
  readonly keys: readonly KeyVector[];
  readonly evaluations: readonly EvaluationVector[];
  readonly buckets: readonly BucketVector[];
  readonly heads: readonly HeadVector[];
}

const DE = { region: 'DE', network: 'demo' };

export function replayKey(vector: KeyVector): KeyVector {
  const { secretKey, publicKey } = lookupKeyPair(hexBytes(vector.seed), vector);
  return { ...vector, secretKey: hexOf(secretKey), publicKey: hexOf(publicKey) };
}

export function replayEvaluation(vector: EvaluationVector): EvaluationVector {
  const { number, blind, blinded, evaluated, proof, publicKey, salt } = vector;
  const expect = orFault(() => {
    const asked = { input: lookupInput(DE, number), blind: hexBytes(blind), blinded: hexBytes(blinded) };
    const evaluation = { evaluated: hexBytes(evaluated), proof: hexBytes(proof) };
    const secret = finishLookup(sha256, asked, evaluation, hexBytes(publicKey));
    const { locator, key } = numberSecrets(sha256, secret, hexBytes(salt));
    return { locator: hexOf(locator), key: hexOf(key) };
  });
  return { ...vector, expect };
}

export function replayBucket(vector: BucketVector): BucketVector {
  const { day, locator, key, bucket, capacity } = vector;
  const expect = orFault(() => {
    const secrets = { locator: hexBytes(locator), key: hexBytes(key) };
    const status = statusIn(hexBytes(bucket), { capacity }, secrets, { ...DE, day });
    return { status: status === undefined ? null : hexOf(encodeStatus(status)) };
  });
  return { ...vector, expect };
}

export function replayHead(vector: HeadVector): HeadVector {
  const expect = orFault(() => {
    const { head, publicKey } = openLookupHead(hexBytes(vector.bytes), { verifySignature });
    return { ...head, root: hexOf(head.root), salt: hexOf(head.salt), key: hexOf(publicKey) };
  });
  return { ...vector, expect };
}

function orFault<T>(read: () => T): T | Fault {
  try {
    return read();
  } catch (error) {
    if (isProtocolError(error)) return { fault: error.fault.code };
    throw error;
  }
}
