/**
 * Which keys of codes of others a region announces, as far as that can be told without reading its adapters: enough to find the key that
 * signed the original of a bridged code, or the certificate of its signer. Spec: SPEC.md 5.6, 11.1.
 */
import { concatBytes, hexOf } from '../bytes.ts';
import { type CborValue, encodeCbor } from '../encoding/cbor.ts';
import { utf8Bytes } from '../encoding/utf8.ts';
import { FOREIGN_SIGNER_BYTES } from '../limits.ts';
import { type Sha256 } from '../primitives.ts';
import { type LoggedAdapter, type TrustState } from './trust-state.ts';

/** Both ends included. */
interface Window {
  readonly fromS: number;
  readonly untilS: number;
}

type Windows = ReadonlyMap<string, readonly Window[]>;

/** What a statement says never changes, and a region may announce 32,768 keys. */
const windowsOfData = new WeakMap<LoggedAdapter['data'], Windows>();

/** The name of a key in originals, 8 bytes. `key`: as the data of an adapter of this format has it. */
export function foreignSignerOf(sha256: Sha256, format: string, key: CborValue): Uint8Array {
  const named = concatBytes(utf8Bytes(`entente/foreign-key/v1\n${format}\n`), encodeCbor(key));
  return sha256(named).slice(0, FOREIGN_SIGNER_BYTES);
}

/** Whether a region announces the key of this name, by any of its adapters, for codes issued at `atS`. */
export function announcesSigner(sha256: Sha256, state: TrustState, signer: Uint8Array, atS: number): boolean {
  const name = hexOf(signer);
  for (const { data, fromS, untilS } of state.adapters()) {
    if (atS < fromS || atS >= untilS) continue;
    const windows = windowsIn(sha256, data).get(name) ?? [];
    if (windows.some((window) => window.fromS <= atS && atS <= window.untilS)) return true;
  }
  return false;
}

function windowsIn(sha256: Sha256, data: LoggedAdapter['data']): Windows {
  let windows = windowsOfData.get(data);
  if (windows === undefined) windowsOfData.set(data, (windows = readWindows(sha256, data)));
  return windows;
}

function readWindows(sha256: Sha256, { format, keys, authorities = [] }: LoggedAdapter['data']): Windows {
  const windows = new Map<string, Window[]>();
  if (typeof format !== 'string' || !Array.isArray(keys) || !Array.isArray(authorities)) return windows;
  for (const one of [...(keys as readonly CborValue[]), ...(authorities as readonly CborValue[])]) {
    if (!isTextMap(one) || !isTextMap(one['key'])) continue;
    const { from = 0, until = Infinity } = one;
    if (typeof from !== 'number' || typeof until !== 'number') continue;
    const name = hexOf(foreignSignerOf(sha256, format, one['key']));
    windows.set(name, [...(windows.get(name) ?? []), { fromS: from, untilS: until }]);
  }
  return windows;
}

function isTextMap(value: CborValue | undefined): value is { readonly [name: string]: CborValue } {
  const isPlain = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isPlain && !(value instanceof Uint8Array) && !(value instanceof Map);
}
