/** What the colours of a page rest on, as it is kept: one text of bytes for each attestation, empty where nothing is known. */
import { CborReader, encodeCbor } from '../../protocol/encoding/cbor.ts';
import { BASIS_BYTES_MAX } from '../../protocol/limits.ts';
import { isProtocolError } from '../../protocol/fault.ts';
import { type LogSealers } from './log-sealers.ts';
import { basisKey } from './page-keys.ts';
import { logOf } from './pages.ts';
import { RECORDS_PER_PAGE } from './record-page.ts';
import { registryCorrupt } from './registry-error.ts';

export function encodeBases(bases: readonly (Uint8Array | undefined)[]): Uint8Array {
  return encodeCbor(bases.map((basis) => basis ?? new Uint8Array(0)));
}

/** Those of a page, as they are sealed; none where there is no row of them. @throws {NodeError} REGISTRY_CORRUPT */
export function openBases(
  sealers: Pick<LogSealers, 'open'>,
  page: string,
  sealed: Uint8Array | undefined,
): readonly (Uint8Array | undefined)[] {
  const key = basisKey(page);
  if (sealed === undefined) return [];
  const bytes = sealers.open(logOf(page), key, sealed);
  try {
    return parseBases(bytes);
  } catch (error) {
    // Without its cause, which may quote what speaks of a person.
    throw isProtocolError(error) ? registryCorrupt(`${key} does not say what colours rest on`) : error;
  }
}

export function parseBases(bytes: Uint8Array): readonly (Uint8Array | undefined)[] {
  const reader = new CborReader(bytes);
  const count = reader.array(RECORDS_PER_PAGE);
  return Array.from({ length: count }, () => {
    const basis = reader.bytes(0, BASIS_BYTES_MAX);
    return basis.length === 0 ? undefined : basis;
  });
}
