/** Keys of others that a verifier trusts, and which of them a code may be signed with. Spec: SPEC.md 17.1. */
import { hexOf } from '../bytes.ts';
import { type ForeignCode, type ForeignFormat, type KeyUsage } from './foreign-code.ts';
import { FOREIGN_KEYS_MAX, KEYS_PER_ID_MAX } from './foreign-limits.ts';
import { type SignerFlaw } from './seal-signer.ts';
import { fitsAlgorithm, type ForeignCheck, type ForeignPublicKey, isSound } from './signature-check.ts';

export interface ForeignKey {
  readonly format: ForeignFormat;
  /** As codes name it: base64 of the bytes for `hcert`, the thumbprint for `shc`, base64url of the certificate's SHA-256 for `vdsnc`, the key id or its base64 for `status-list`. */
  readonly keyId: string;
  /** Whose key it is: a country code, or the address of an issuer of `shc`; empty where the list does not say. A key without one makes no seal. */
  readonly issuer: string;
  readonly publicKey: ForeignPublicKey;
  /** What it may sign; undefined for everything. */
  readonly usages?: readonly KeyUsage[] | undefined;
  /** Seconds since 1970: what it signs is issued from then on, and not later. Undefined without a bound. */
  readonly fromS?: number | undefined;
  readonly untilS?: number | undefined;
  /** By whom the key counts that is trusted for that of somebody else; undefined for one that is trusted itself. */
  readonly vouching?: Vouching | undefined;
}

/** A signature by which a trusted key vouches for another: of an authority, of a certificate. */
export interface Vouching {
  /** Nothing counts under the key that is vouched for unless this is good. */
  readonly check: ForeignCheck;
  /** Seconds since 1970, both included: what is issued outside of it nobody vouches for. */
  readonly fromS: number;
  readonly untilS: number;
}

/** Where a verifier looks up the keys that a code may be signed with. */
export interface KeySource<K extends ForeignKey = ForeignKey> {
  candidatesFor(code: ForeignCode): Candidates<K>;
}

/** The keys that a code may be signed with, and whether there are more than are tried. */
export interface Candidates<K extends ForeignKey = ForeignKey> {
  readonly keys: readonly K[];
  readonly isCrowded: boolean;
  /** Without keys: why the certificate that a code brings along makes no signer. */
  readonly signerFlaw?: SignerFlaw | undefined;
}

const NONE: Candidates<never> = { keys: [], isCrowded: false };

/** A set of keys by the names that codes give them. Several may share a name. */
export class ForeignKeys<K extends ForeignKey = ForeignKey> implements KeySource<K> {
  readonly #byName = new Map<string, { keys: K[]; isCrowded: boolean }>();
  #size = 0;
  /** By public key, once somebody has asked for one. */
  #byKey: ReadonlyMap<string, readonly K[]> | undefined;

  /** @throws {RangeError} above 32,768 keys, or for a key whose size is none that is taken: whoever reads a list bounds and vets it. */
  constructor(keys: Iterable<K>) {
    for (const key of keys) this.#add(key);
  }

  get size(): number {
    return this.#size;
  }

  /** At most eight, in the order in which they were given. A card names issuer and key, the others the key alone. */
  candidatesFor({ format, keyId, issuer }: Pick<ForeignCode, 'format' | 'keyId' | 'issuer'>): Candidates<K> {
    return this.#byName.get(nameOf(format, keyId, issuer)) ?? NONE;
  }

  /** Whether a public key is among those that are tried, by whatever name codes call it. */
  has(publicKey: ForeignPublicKey): boolean {
    return this.#under(publicKey).length > 0;
  }

  /** Those of a public key, by whatever name codes call it: at most eight of the format. */
  candidatesUnder(format: ForeignFormat, publicKey: ForeignPublicKey): Candidates<K> {
    const all = this.#under(publicKey).filter((key) => key.format === format);
    return { keys: all.slice(0, KEYS_PER_ID_MAX), isCrowded: all.length > KEYS_PER_ID_MAX };
  }

  #under(publicKey: ForeignPublicKey): readonly K[] {
    this.#byKey ??= keysByKey([...this.#byName.values()].flatMap(({ keys }) => keys));
    return this.#byKey.get(nameOfKey(publicKey)) ?? [];
  }

  #add(key: K): void {
    if (!isSound(key.publicKey)) throw new RangeError('expected a key of a size that is taken');
    if (++this.#size > FOREIGN_KEYS_MAX)
      throw new RangeError(`a verifier holds at most ${FOREIGN_KEYS_MAX} keys`);
    const name = nameOf(key.format, key.keyId, key.issuer);
    const under = this.#byName.get(name);
    if (under === undefined) this.#byName.set(name, { keys: [key], isCrowded: false });
    else if (under.keys.length < KEYS_PER_ID_MAX) under.keys.push(key);
    else under.isCrowded = true;
  }
}

function keysByKey<K extends ForeignKey>(keys: readonly K[]): ReadonlyMap<string, readonly K[]> {
  const byKey = new Map<string, K[]>();
  for (const key of keys) {
    const name = nameOfKey(key.publicKey);
    const known = byKey.get(name);
    if (known === undefined) byKey.set(name, [key]);
    else known.push(key);
  }
  return byKey;
}

/** For each key that a code may be signed with and whose kind fits its algorithm one check, and behind it that of whoever vouches for the key. */
export function foreignChecksOf(code: ForeignCode, { keys }: Candidates): ForeignCheck[] {
  return keys.flatMap((key) => checksUnder(code, key));
}

/** What the checks of a code came to under one key. */
export interface TriedKey<K extends ForeignKey = ForeignKey> {
  readonly key: K;
  /** It made the signature of the code. */
  readonly hasSigned: boolean;
  /** It is trusted itself, or the one who vouches for it has signed that. */
  readonly isVouched: boolean;
}

/** By key, from the results of `foreignChecksOf` with the same arguments. @throws {RangeError} unless there is a result for each check. */
export function triedKeys<K extends ForeignKey>(
  code: ForeignCode,
  { keys }: Candidates<K>,
  results: readonly boolean[],
): TriedKey<K>[] {
  let at = 0;
  const tried = keys.map((key) => {
    const count = checksUnder(code, key).length;
    const [hasSigned = false, isVouched = true] = results.slice(at, at + count);
    at += count;
    return { key, hasSigned, isVouched };
  });
  if (results.length !== at) throw new RangeError('expected a result for each check');
  return tried;
}

function checksUnder(code: ForeignCode, { publicKey, vouching }: ForeignKey): ForeignCheck[] {
  const { algorithm, message, signature } = code;
  if (!fitsAlgorithm(publicKey, algorithm)) return [];
  return [{ algorithm, publicKey, message, signature }, ...(vouching === undefined ? [] : [vouching.check])];
}

/** The same for the same key alone. */
export function nameOfKey(key: ForeignPublicKey): string {
  if (key.kind === 'ed25519') return hexOf(key.bytes);
  if (key.kind === 'ec') return `${hexOf(key.x)} ${hexOf(key.y)}`;
  return `${hexOf(key.modulus)} ${hexOf(key.exponent)}`;
}

function nameOf(format: ForeignFormat, keyId: string, issuer: string | undefined): string {
  return format === 'shc' ? `shc ${issuer ?? ''} ${keyId}` : `${format} ${keyId}`;
}
