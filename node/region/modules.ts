/** What a region directory needs from its surroundings. */
import { type TrustModules } from '../../protocol/trust/verify-statement.ts';
import { type SignatureBackEnd } from '../crypto/back-end.ts';
import { type Clock } from '../ports.ts';

export interface ReadModules extends TrustModules {
  /** Seconds since 1970. */
  readonly nowS: () => number;
}

export interface RegionModules extends ReadModules, Pick<SignatureBackEnd, 'signerOf'> {
  readonly clock: Clock;
  /** Unpredictable bytes, as many as asked for. */
  readonly random: (bytes: number) => Uint8Array;
}
