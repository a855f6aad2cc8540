import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { verify as nobleVerify } from '@noble/ed25519';
import { asciiBytes } from '../../../protocol/bytes.ts';
import { isProtocolError } from '../../../protocol/fault.ts';
import { type SignatureCheck, type VerifySignature } from '../../../protocol/primitives.ts';
import { type Signer } from '../../../node/crypto/back-end.ts';
import { opensslBackEnd } from '../../../node/crypto/openssl.ts';
import { openNativeCrypto } from '../../../node/crypto/native.ts';
import { ed25519Suite, faultOf, openBackEnds } from '../../../node/conformance/ed25519.ts';
import { Tally } from '../../../node/conformance/suite.ts';
import { checkOf, ED25519_VECTOR_FILE, ed25519Vectors } from '../../support/ed25519-vectors.ts';
import { externalVectors } from '../../support/project.ts';
import { fromHex } from '../../support/hex.ts';
import { sha256 } from '../../support/primitives.ts';
import { ed25519VectorText } from '../../vectors/generate/ed25519.ts';

const MUTATIONS = 10_000;

let backEnds: ReadonlyMap<string, VerifySignature>;

before(async () => {
  backEnds = await openBackEnds(new Tally());
});

describe('Ed25519 back ends', () => {
  it('are noble, openssl and sodium', function () {
    assert.deepEqual([...backEnds.keys()].slice(0, 2), ['noble', 'openssl']);
    if (!backEnds.has('sodium')) {
      console.log('      sodium-native has no binary for this machine');
      this.skip();
    }
  });

  for (const vector of ed25519Vectors) {
    it(`T1, B36: ${vector.good ? 'take' : 'refuse'} alike: ${vector.name}`, () => {
      const check = checkOf(vector);
      const verdicts = [...backEnds].map(([name, verify]) => [name, verify(check)]);
      assert.deepEqual(
        verdicts,
        [...backEnds.keys()].map((name) => [name, vector.good]),
      );
      const { name, good, admissible } = vector;
      assert.equal(faultOf({ name, check, goodByRule: good, isAdmissible: admissible }, backEnds), undefined);
    });
  }

  it('admit the same keys', async function () {
    const { name, admitPublicKey } = await openNativeCrypto();
    if (name !== 'sodium') this.skip();
    for (const { name: of, publicKey, admissible } of ed25519Vectors) {
      const admit = (): void => admitPublicKey(fromHex(publicKey));
      if (admissible) assert.doesNotThrow(admit, of);
      else assert.throws(admit, (error) => isProtocolError(error, 'KEY_INVALID'), of);
    }
    assert.throws(
      () => admitPublicKey(new Uint8Array(31)),
      (error) => isProtocolError(error, 'KEY_INVALID'),
    );
  });

  it('A24, T1: agree with the rule on the vectors of others', async function () {
    const dir = externalVectors();
    if (dir === undefined) {
      console.log('      no folder of external vectors');
      this.skip();
    }
    const { passed, failed, reasons } = await ed25519Suite.run(dir);
    assert.deepEqual(reasons, []);
    assert.equal(failed, 0);
    assert.ok(passed > 0);
  });

  it(`T1: give one verdict on each of ${MUTATIONS} signatures of which all but some are altered`, () => {
    const random = mulberry32(0x1e47e47e);
    const signers = Array.from({ length: 8 }, (_, i) => opensslBackEnd.signerOf(sha256(Uint8Array.of(i))));
    let good = 0;
    for (let i = 0; i < MUTATIONS; i++) {
      const original = signedBy(pick(random, signers), i);
      const check = i % 16 === 0 ? original : mutated(random, original, signers);
      const isUntouched = isSameCheck(check, original);
      for (const [name, verify] of backEnds) {
        assert.equal(verify(check), isUntouched, `${name} on mutation ${i}: ${JSON.stringify(check)}`);
      }
      if (isUntouched) good++;
    }
    assert.ok(good >= MUTATIONS / 16 && good < MUTATIONS / 8, `${good} were good`);
  }).timeout(60_000);
});

describe('vectors/ed25519.json', () => {
  it('is what its script makes', () => {
    assert.equal(readFileSync(ED25519_VECTOR_FILE, 'utf8'), ed25519VectorText());
  });

  it('has at least as many bad cases as good ones, and no name twice', () => {
    const good = ed25519Vectors.filter((vector) => vector.good).length;
    assert.ok(good > 0 && ed25519Vectors.length - good >= good);
    assert.equal(new Set(ed25519Vectors.map(({ name }) => name)).size, ed25519Vectors.length);
  });

  it('holds signatures that only the cofactor makes good: a library that multiplies by it takes them', () => {
    const cofactored = ed25519Vectors.filter(({ name }) => name.startsWith('cofactored only'));
    assert.ok(cofactored.length > 0);
    for (const vector of cofactored) {
      const { publicKey, message, signature } = checkOf(vector);
      assert.equal(nobleVerify(signature, message, publicKey, { zip215: false }), true, vector.name);
    }
  });

  it('holds forgeries under keys of small order that a library without the precheck takes', () => {
    const forged = ed25519Vectors.filter(({ name }) => name.startsWith('key of order'));
    assert.ok(forged.length > 0);
    for (const vector of forged) {
      const { publicKey, message, signature } = checkOf(vector);
      assert.equal(nobleVerify(signature, message, publicKey, { zip215: true }), true, vector.name);
    }
  });
});

type Random = () => number;

/** Uniform below 2^32; small and good enough to shake inputs. */
function mulberry32(seed: number): Random {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
}

function pick<T>(random: Random, list: readonly T[]): T {
  return list[random() % list.length] as T;
}

function signedBy(signer: Signer, i: number): SignatureCheck {
  const message = asciiBytes(`message ${i}`);
  return { publicKey: signer.publicKey, message, signature: signer.sign(message) };
}

function isSameCheck(a: SignatureCheck, b: SignatureCheck): boolean {
  return [a.publicKey, a.message, a.signature].every(
    (bytes, i) => Buffer.compare(bytes, [b.publicKey, b.message, b.signature][i] as Uint8Array) === 0,
  );
}

/** One change: of any part, in value or in length, or towards the encodings on which libraries differ. */
function mutated(random: Random, check: SignatureCheck, signers: readonly Signer[]): SignatureCheck {
  const { publicKey, message, signature } = check;
  const vector = checkOf(pick(random, ed25519Vectors));
  const changes: (() => SignatureCheck)[] = [
    () => ({ ...check, signature: withFlippedBit(random, signature) }),
    () => ({ ...check, message: withFlippedBit(random, message) }),
    () => ({ ...check, publicKey: withFlippedBit(random, publicKey) }),
    () => ({ ...check, signature: withRandomBytes(random, signature) }),
    () => ({ ...check, publicKey: withRandomBytes(random, publicKey) }),
    () => ({ ...check, signature: withOtherLength(random, signature) }),
    () => ({ ...check, publicKey: withOtherLength(random, publicKey) }),
    () => ({ ...check, message: withOtherLength(random, message) }),
    () => ({ ...check, signature: withGroupOrderAdded(random, signature) }),
    () => ({ ...check, publicKey: pick(random, signers).publicKey }),
    () => ({ ...check, publicKey: vector.publicKey }),
    () => ({ ...check, signature: vector.signature }),
    () => ({
      ...check,
      signature: Uint8Array.from([...vector.signature.slice(0, 32), ...signature.slice(32)]),
    }),
    () => ({
      ...check,
      signature: Uint8Array.from([...signature.slice(0, 32), ...vector.signature.slice(32)]),
    }),
  ];
  return pick(random, changes)();
}

function withFlippedBit(random: Random, bytes: Uint8Array): Uint8Array {
  const bit = random() % (8 * bytes.length);
  return bytes.map((byte, i) => (i === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte));
}

/** A run of up to four bytes anew. */
function withRandomBytes(random: Random, bytes: Uint8Array): Uint8Array {
  const first = random() % bytes.length;
  const end = first + 1 + (random() % 4);
  return bytes.map((byte, i) => (i >= first && i < end ? random() & 0xff : byte));
}

function withOtherLength(random: Random, bytes: Uint8Array): Uint8Array {
  if (random() % 2 === 0) return bytes.slice(0, random() % bytes.length);
  return Uint8Array.from([...bytes, ...Array.from({ length: 1 + (random() % 3) }, () => random() & 0xff)]);
}

/** S plus a small multiple of L, which leaves the equation as it was. */
function withGroupOrderAdded(random: Random, signature: Uint8Array): Uint8Array {
  const order = 2n ** 252n + 27742317777372353535851937790883648493n;
  const changed = signature.slice();
  let carry = BigInt(1 + (random() % 14)) * order;
  for (let i = 32; i < 64; i++) {
    carry += BigInt(changed[i] ?? 0);
    changed[i] = Number(carry & 0xffn);
    carry >>= 8n;
  }
  return changed;
}
