/** By what key a node is known to its peers: made at the first start, and named by a statement of the trust log. */
import { keyIdOf } from '../../protocol/signature/key-id.ts';
import { nodeSeedIn, writeKeyFile } from '../region/key-file.ts';
import { type KeyNames } from '../region/region-keys.ts';
import { type RegionModules } from '../region/modules.ts';

export interface NodeIdentityKey {
  /** The secret, 32 bytes. */
  readonly seed: Uint8Array;
  readonly publicKey: Uint8Array;
}

/** The identity in a folder of keys; a new one where there is none. Rejects as `readKeyFile`. */
export async function openNodeIdentity(
  path: string,
  { region, network }: KeyNames,
  { signerOf, sha256, random }: RegionModules,
): Promise<NodeIdentityKey> {
  const known = await nodeSeedIn(path, { region, network });
  if (known !== undefined) return { seed: known, publicKey: signerOf(known).publicKey };
  const seed = random(32);
  const { publicKey } = signerOf(seed);
  const keyId = keyIdOf(sha256, publicKey);
  await writeKeyFile(path, {
    region,
    network,
    role: 'node',
    keyId,
    secretKey: Buffer.from(seed).toString('hex'),
  });
  return { seed, publicKey };
}
