/**
 * DER of a SubjectPublicKeyInfo (RFC 5280 4.1.2.7) of the keys that sign codes of others: RFC 5480 for EC, RFC 8017 A.1 for RSA, RFC 8410 for Ed25519.
 * Written by hand, since a list may have 32,768 keys and whoever asks for it may not make a node read each of them by OpenSSL.
 */
import { p256, p384, p521 } from '@noble/curves/nist.js';
import { type ForeignPublicKey } from '../../protocol/foreign/signature-check.ts';

const CURVES = {
  'P-256': { point: p256.Point, begin: '3059301306072a8648ce3d020106082a8648ce3d03010703420004' },
  'P-384': { point: p384.Point, begin: '3076301006072a8648ce3d020106052b8104002203620004' },
  'P-521': { point: p521.Point, begin: '30819b301006072a8648ce3d020106052b810400230381860004' },
} as const;
const ED25519 = '302a300506032b6570032100';
const RSA_ALGORITHM = '300d06092a864886f70d0101010500';

/** Undefined for a point that is not on its curve. */
export function spkiOf(key: ForeignPublicKey): Uint8Array | undefined {
  switch (key.kind) {
    case 'ec': {
      const { point, begin } = CURVES[key.curve];
      const der = Buffer.concat([Buffer.from(begin, 'hex'), key.x, key.y]);
      const encoded = der.subarray(-1 - key.x.length - key.y.length);
      return isPoint(point, encoded) ? der : undefined;
    }
    case 'rsa': {
      const numbers = Buffer.concat([integer(key.modulus), integer(key.exponent)]);
      const bits = Buffer.concat([Buffer.of(0), tagged(0x30, numbers)]);
      return tagged(0x30, Buffer.concat([Buffer.from(RSA_ALGORITHM, 'hex'), tagged(0x03, bits)]));
    }
    case 'ed25519':
      return Buffer.concat([Buffer.from(ED25519, 'hex'), key.bytes]);
  }
}

function isPoint(point: { fromBytes(bytes: Uint8Array): unknown }, encoded: Uint8Array): boolean {
  try {
    point.fromBytes(Uint8Array.from(encoded));
    return true;
  } catch {
    return false;
  }
}

/** A number that is not negative, of big-endian bytes. */
function integer(bytes: Uint8Array): Buffer {
  const first = bytes.findIndex((byte) => byte !== 0);
  const digits = first < 0 ? Buffer.of(0) : Buffer.from(bytes.subarray(first));
  return tagged(0x02, (digits[0] ?? 0) < 0x80 ? digits : Buffer.concat([Buffer.of(0), digits]));
}

/** Of at most 65,535 bytes. */
function tagged(tag: number, content: Uint8Array): Buffer {
  const { length } = content;
  const long = length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.of(tag, ...(length < 0x80 ? [length] : long)), content]);
}
