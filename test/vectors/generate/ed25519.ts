/**
 * Makes `test/vectors/ed25519.json`: signatures that hold the strict rule and signatures that break one clause of it
 * while the rest, the equation included, holds wherever that can be made. Deterministic. The verdict of a case is
 * known from how it is made and not asked of any verifier.
 * Run from the project root: `npx tsx test/vectors/generate/ed25519.ts`.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Point } from '@noble/ed25519';
import { asciiBytes, concatBytes, hexOf } from '../../../protocol/bytes.ts';
import { projectRoot } from '../../support/project.ts';
import {
  bad,
  crafted,
  type Ed25519Vector,
  encodeY,
  good,
  KEY,
  L,
  littleEndian,
  numberOf,
  P,
  type Parts,
  R,
  scalarOf,
  search,
  SECRET,
  signed,
  torsionAt,
} from './ed25519-craft.ts';

/** Encodings of small-order points that are not canonical: y + p where it fits, and the sign of a zero x. */
const ODD_TORSION = [
  { order: 4, bytes: encodeY(P, 0) },
  { order: 4, bytes: encodeY(P, 1) },
  { order: 1, bytes: encodeY(P + 1n, 0) },
  { order: 1, bytes: encodeY(P + 1n, 1) },
  { order: 1, bytes: encodeY(1n, 1) },
  { order: 2, bytes: encodeY(P - 1n, 1) },
];
const ALL_TORSION = [0, 1, 2, 3, 4, 5, 6, 7];

/** The text of the file: one line a case, always the same. */
export function ed25519VectorText(): string {
  const lines = ed25519Vectors().map((vector) => `    ${JSON.stringify(vector)}`);
  const about = 'Strict cofactorless Ed25519, SPEC.md 3. Bytes are in hexadecimal.';
  return `{\n  "about": ${JSON.stringify(about)},\n  "cases": [\n${lines.join(',\n')}\n  ]\n}\n`;
}

function ed25519Vectors(): Ed25519Vector[] {
  return [
    ...plainCases(),
    ...mixedOrderCases(),
    ...smallOrderKeyCases(),
    ...smallOrderRCases(),
    ...residueCases(),
    ...spellingCases(),
    ...lengthCases(),
    ...alteredCases(),
  ];
}

/** Good ones: messages around the block lengths of SHA-512, and bytes that come close to those refused. */
function plainCases(): Ed25519Vector[] {
  const lengths = [0, 1, 46, 47, 48, 63, 64, 65, 175, 176, 1_023].map((length) =>
    good(signed(`message of ${length} bytes`, new Uint8Array(length).fill(length))),
  );
  const nearKeys = [0x00, 0x05, 0x7a, 0x7f].map((top) => {
    const secret = search(
      (i) => scalarOf(`near key ${i}`),
      (a) => topOf(Point.BASE.multiply(a)) === top,
    );
    const name = `key whose last byte is ${top.toString(16)} like that of points of small order`;
    return good(signed(name, asciiBytes(name), secret));
  });
  const nearRs = [0x00, 0x05, 0x7a, 0x7f].map((top) => {
    const nonce = search(
      (i) => scalarOf(`near nonce ${i}`),
      (r) => topOf(Point.BASE.multiply(r)) === top,
    );
    const name = `R whose last byte is ${top.toString(16)} like that of points of small order`;
    return good(signed(name, asciiBytes(name), SECRET, nonce));
  });
  return [...lengths, ...nearKeys, ...nearRs];
}

/** Keys with a component of small order that this message happens to cancel: good, yet no trust keys. */
function mixedOrderCases(): Ed25519Vector[] {
  return ALL_TORSION.slice(1).flatMap((j) => {
    const key = KEY.add(torsionAt(j)).toBytes();
    const cancelled = crafted(`mixed-order key +${j}T, kT = 0`, key, R.toBytes(), (k) => (j * k) % 8 === 0);
    // The equation gives R - kjT. With 3jT for kjT, that is what stands in the signature.
    const residue = (3 * j) % 8;
    const shift = (8 - residue) % 8;
    const mixedR = R.add(torsionAt(shift)).toBytes();
    const matched = crafted(
      `mixed-order key +${j}T and R +${shift}T, which match`,
      key,
      mixedR,
      (k) => (j * k) % 8 === residue,
    );
    return [good(cancelled, false), good(matched, false)];
  });
}

/** The equation holds byte for byte, and whoever knows no secret can make it hold: refused for the key alone. */
function smallOrderKeyCases(): Ed25519Vector[] {
  const canonical = ALL_TORSION.map((j) => ({
    order: orderOf(j),
    bytes: torsionAt(j).toBytes(),
    spelling: 'canonical',
  }));
  const odd = ODD_TORSION.map((one) => ({ ...one, spelling: 'not canonical' }));
  const forged = [...canonical, ...odd].map(({ order, bytes, spelling }) =>
    bad(
      crafted(
        `key of order ${order}, ${spelling} (${hexOf(bytes)})`,
        bytes,
        R.toBytes(),
        (k) => k % order === 0,
        0n,
      ),
      false,
    ),
  );
  const neutral = torsionAt(0).toBytes();
  const anyMessage = {
    name: 'neutral key, neutral R, S = 0',
    key: neutral,
    message: asciiBytes('any'),
    r: neutral,
    s: 0n,
  };
  return [...forged, bad(anyMessage, false)];
}

/** S = ka, so that the equation gives the neutral element, or -kT under a mixed-order key: refused for R alone. */
function smallOrderRCases(): Ed25519Vector[] {
  const canonical = ALL_TORSION.map((j) => {
    const key = (j === 0 ? KEY : KEY.add(torsionAt(1))).toBytes();
    const name = `R of order ${orderOf(j)} (${j}T), equation holds`;
    return bad(
      crafted(name, key, torsionAt(j).toBytes(), (k) => j === 0 || (k + j) % 8 === 0, SECRET, 0n),
      j === 0,
    );
  });
  const odd = ODD_TORSION.map(({ order, bytes }) =>
    bad(
      crafted(
        `R of order ${order}, not canonical (${hexOf(bytes)})`,
        KEY.toBytes(),
        bytes,
        () => true,
        SECRET,
        0n,
      ),
    ),
  );
  return [...canonical, ...odd];
}

/** What is left of the equation has small order: good for verifiers that multiply by the cofactor or in batches. */
function residueCases(): Ed25519Vector[] {
  return ALL_TORSION.slice(1).flatMap((j) => {
    const mixedKey = KEY.add(torsionAt(j)).toBytes();
    const mixedR = R.add(torsionAt(j)).toBytes();
    return [
      bad(
        crafted(
          `cofactored only: mixed-order key +${j}T, kT is not 0`,
          mixedKey,
          R.toBytes(),
          (k) => (j * k) % 8 !== 0,
        ),
        false,
      ),
      bad(crafted(`cofactored only: R +${j}T`, KEY.toBytes(), mixedR, () => true)),
    ];
  });
}

/** Other spellings of S, of keys and of R. */
function spellingCases(): Ed25519Vector[] {
  const base = signed('spelling', asciiBytes('spelling'));
  const scalars = [1n, 2n, 8n, 15n].map((times) =>
    bad({ ...base, name: `S + ${times}L`, s: base.s + times * L }),
  );
  const edges = [0n, 1n, L - 1n, L, L + 1n, 2n ** 253n, 2n ** 255n, 2n ** 256n - 1n].map((s) =>
    bad({ ...base, name: `S = ${s.toString(16)}`, s }),
  );
  const highBits = [0x20, 0x40, 0x80].map((bit) =>
    bad({
      ...base,
      name: `S with bit ${bit.toString(16)} of the last byte`,
      s: base.s + (BigInt(bit) << 248n),
    }),
  );
  const ys = [P + 2n, P + 3n, P + 10n, 2n ** 255n - 1n].flatMap((y) => [0, 1].map((sign) => ({ y, sign })));
  const keys = ys.map(({ y, sign }) =>
    bad({ ...base, name: `key with y = p + ${y - P}, sign ${sign}`, key: encodeY(y, sign) }, false),
  );
  const rs = ys.map(({ y, sign }) =>
    bad({ ...base, name: `R with y = p + ${y - P}, sign ${sign}`, r: encodeY(y, sign) }),
  );
  return [...scalars, ...edges, ...highBits, ...keys, ...rs];
}

function lengthCases(): Ed25519Vector[] {
  const base = signed('lengths', asciiBytes('lengths'));
  const vector = good(base);
  const { publicKey, signature } = vector;
  const signatures = [
    '',
    signature.slice(0, 64),
    signature.slice(0, -2),
    `${signature}00`,
    `00${signature}`,
    signature + signature,
  ];
  const keys = ['', publicKey.slice(0, -2), `${publicKey}00`, publicKey + publicKey];
  return [
    vector,
    ...signatures.map((text) => ({
      ...vector,
      name: `signature of ${text.length / 2} bytes: ${text.slice(0, 6)}...`,
      signature: text,
      good: false,
    })),
    ...keys.map((text) => ({
      ...vector,
      name: `key of ${text.length / 2} bytes`,
      publicKey: text,
      good: false,
      admissible: false,
    })),
    { ...vector, name: 'signature in DER', signature: derOf(base), good: false },
  ];
}

/** A good signature with one thing changed. */
function alteredCases(): Ed25519Vector[] {
  const message = asciiBytes('altered');
  const base = signed('altered', message);
  const other = Point.BASE.multiply(scalarOf('entente other key'));
  const offCurve = search(
    (i) => encodeY(BigInt(i) + 2n, 0),
    (bytes) => !isOnCurve(bytes),
  );
  const domain = concatBytes(asciiBytes('SigEd25519 no Ed25519 collisions'), Uint8Array.of(1, 0));
  return [
    good(base),
    bad({ ...base, name: 'message with one bit changed', message: flipped(message, 0) }),
    bad({ ...base, name: 'message with one byte more', message: concatBytes(message, Uint8Array.of(0)) }),
    bad({ ...base, name: 'R with its sign changed', r: flipped(base.r, 255) }),
    bad({ ...base, name: 'key with its sign changed', key: flipped(base.key, 255) }),
    bad({ ...base, name: 'S negated', s: L - base.s }),
    bad({ ...base, name: 'S plus one', s: base.s + 1n }),
    bad({ ...base, name: 'the key of another', key: other.toBytes() }),
    bad({ ...base, name: 'R off the curve', r: offCurve }),
    bad({ ...base, name: 'key off the curve', key: offCurve }, false),
    bad({ ...base, name: 'all zero', r: new Uint8Array(32), s: 0n }),
    bad({ ...base, name: 'R and S exchanged', r: littleEndian(base.s), s: numberOf(base.r) }),
    bad({ ...signed('Ed25519ph domain', concatBytes(domain, message)), message }),
  ];
}

function orderOf(j: number): number {
  return [1, 8, 4, 8, 2, 8, 4, 8][j] ?? 0;
}

function topOf(point: Point): number {
  return (point.toBytes()[31] ?? 0) & 0x7f;
}

function isOnCurve(bytes: Uint8Array): boolean {
  try {
    Point.fromBytes(bytes);
    return true;
  } catch {
    return false;
  }
}

function flipped(bytes: Uint8Array, bit: number): Uint8Array {
  return bytes.map((byte, i) => (i === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte));
}

function derOf({ r, s }: Parts): string {
  return `3044 0220 ${hexOf(r)} 0220 ${hexOf(littleEndian(s))}`.replaceAll(' ', '');
}

if (process.argv[1] === import.meta.filename) {
  writeFileSync(join(projectRoot, 'test/vectors/ed25519.json'), ed25519VectorText());
}
