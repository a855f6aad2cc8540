/** What the colours of a page rest on, as it is kept: one text of bytes for each attestation, empty where nothing is known. */
import { CborReader, encodeCbor } from '../../protocol/encoding/cbor.ts';
import { BASIS_BYTES_MAX } from '../../protocol/limits.ts';
import { RECORDS_PER_PAGE } from './record-page.ts';

export function encodeBases(bases: readonly (Uint8Array | undefined)[]): Uint8Array {
  return encodeCbor(bases.map((basis) => basis ?? new Uint8Array(0)));
}

export function parseBases(bytes: Uint8Array): readonly (Uint8Array | undefined)[] {
  const reader = new CborReader(bytes);
  const count = reader.array(RECORDS_PER_PAGE);
  return Array.from({ length: count }, () => {
    const basis = reader.bytes(0, BASIS_BYTES_MAX);
    return basis.length === 0 ? undefined : basis;
  });
}
