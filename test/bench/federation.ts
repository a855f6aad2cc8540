/** The federation of 34 regions that the benchmarks judge in, with native crypto throughout. */
import { admitPublicKey } from '../../protocol/index.ts';
import { type TrustModules } from '../../protocol/trust/verify-statement.ts';
import { type NativeCrypto, openNativeCrypto } from '../../node/crypto/native.ts';

/** As many as the source document's country has provinces, autonomous regions and municipalities. */
export const REGIONS = 34;

export const regionNames = Array.from(
  { length: REGIONS },
  (_, i) => `XX-${(i + 1).toString().padStart(2, '0')}`,
);

export async function nativeModules(): Promise<NativeCrypto & TrustModules> {
  return { ...(await openNativeCrypto()), admitPublicKey };
}
