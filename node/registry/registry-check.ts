/** The row that says by which key a registry is sealed. */
import { asciiBytes, equalBytes } from '../../protocol/bytes.ts';
import { type Random } from '../ports.ts';
import { type PrivateTables } from './private-tables.ts';
import { registryKeyWrong } from './registry-error.ts';
import { derivedKey, NONCE_BYTES, Sealer } from './sealer.ts';
import { type PrivateName } from './whereabouts.ts';

export const CHECK_KEY = 'registry/check' satisfies PrivateName;
const CHECK = asciiBytes('entente registry 1');

/**
 * Makes the first key (32 bytes) that asks that of the registry. Rejects as the tables.
 * @throws {NodeError} REGISTRY_KEY_WRONG for any other key.
 */
export async function requireRegistryKey(
  key: Uint8Array,
  { tables, random }: { readonly tables: PrivateTables; readonly random: Random },
): Promise<void> {
  const sealer = new Sealer(derivedKey(key, 'check'));
  const sealed = await tables.get(CHECK_KEY);
  if (sealed === undefined)
    await tables.write([{ put: CHECK_KEY, value: sealer.seal(CHECK_KEY, CHECK, random(NONCE_BYTES)) }]);
  else if (!opensCheck(sealer, sealed)) throw registryKeyWrong();
}

function opensCheck(sealer: Sealer, sealed: Uint8Array): boolean {
  try {
    return equalBytes(sealer.open(CHECK_KEY, sealed), CHECK);
  } catch {
    return false;
  }
}
