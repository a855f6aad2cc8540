/** ICAO visible digital seals of synthetic persons, signed with keys made at run time. */
import { utf8Bytes } from '../../protocol/encoding/utf8.ts';
import { canonicalJson } from '../../protocol/foreign/canonical-json.ts';
import { type Json } from '../../protocol/foreign/foreign-code.ts';
import { type ForeignSigner } from './foreign-keys.ts';
import { makeCertificate } from './x509-fixture.ts';

export const SEAL_DATA = {
  hdr: { t: 'icao.vacc', v: 1, is: 'AUT' },
  msg: {
    uvci: 'U32870',
    pid: { n: 'Beispiel Bea', dob: '1980-02-03' },
    ve: [{ des: 'XM68M6', nam: 'Tést' }],
  },
};

export interface SealParts {
  readonly data?: Json;
  readonly sig?: object;
  readonly certificate?: Uint8Array;
}

export function makeSeal(signer: ForeignSigner, parts: SealParts = {}): string {
  const { data = SEAL_DATA, certificate = makeCertificate(signer) } = parts;
  const signature = signer.sign('ES256', utf8Bytes(canonicalJson(data)));
  const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64url');
  return JSON.stringify({
    data,
    sig: { alg: 'ES256', cer: text(certificate), sigvl: text(signature), ...parts.sig },
  });
}
