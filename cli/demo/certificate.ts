/** A health office that has made EU Digital COVID Certificates all along, for a demo: its key, its list of keys, and certificates of nobody. */
import * as crypto from 'node:crypto';
import { deflateSync } from 'node:zlib';
import { concatBytes } from '../../protocol/bytes.ts';
import { encodeBase45 } from '../../protocol/encoding/base45.ts';
import { type CborValue, encodeCbor } from '../../protocol/encoding/cbor.ts';
import { sign1Message } from '../../protocol/foreign/cose.ts';

const DAY_S = 86_400;
const COSE_SIGN1 = Uint8Array.of(0xd2);

export class HealthOffice {
  readonly #country: string;
  readonly #key = crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' });
  readonly #keyId: Uint8Array;

  constructor(country: string) {
    this.#country = country;
    const spki = this.#key.publicKey.export({ format: 'der', type: 'spki' });
    this.#keyId = Uint8Array.from(crypto.createHash('sha256').update(spki).digest()).subarray(0, 8);
  }

  /** Its public key, as the WHO's trust network lists the keys of a country. */
  keyList(): string {
    const name = `did:web:tng.example:trustlist:DCC:${this.#country}:DSC`;
    const kid = Buffer.from(this.#keyId).toString('base64');
    const publicKeyJwk = { ...this.#key.publicKey.export({ format: 'jwk' }), kid };
    const id = `${name}#${encodeURIComponent(kid)}`;
    return JSON.stringify({ id: name, verificationMethod: [{ id, type: 'JsonWebKey2020', publicKeyJwk }] });
  }

  /** A certificate of somebody who was vaccinated two months ago, in force for half a year. */
  certificate(number: number, nowS: number): string {
    const day = new Date(1_000 * (nowS - 60 * DAY_S)).toISOString().slice(0, 10);
    const dose = {
      tg: '840539006',
      vp: '1119349007',
      mp: 'EU/1/20/1528',
      ma: 'ORG-100030215',
      dn: 2,
      sd: 2,
      dt: day,
      co: this.#country,
      is: 'Health office',
      ci: `URN:UVCI:01:${this.#country}:${number}#X`,
    };
    const person = { fn: `Person ${number}`, fnt: `PERSON<${number}`, gn: 'Sample', gnt: 'SAMPLE' };
    const certificate = { ver: '1.3.0', nam: person, dob: '1990-05-17', v: [dose] };
    const claims: readonly (readonly [number, CborValue])[] = [
      [1, this.#country],
      [4, nowS + 180 * DAY_S],
      [6, nowS - 3_600],
      [-260, new Map<number, CborValue>([[1, certificate]])],
    ];
    const head = encodeCbor(
      new Map<number, CborValue>([
        [1, -7],
        [4, this.#keyId],
      ]),
    );
    // A map of four with a negative key, which nothing of this network has.
    const payload = concatBytes(Uint8Array.of(0xa4), ...claims.flat().map((item) => encodeCbor(item)));
    const signature = crypto.sign('sha256', sign1Message(head, payload), {
      key: this.#key.privateKey,
      dsaEncoding: 'ieee-p1363',
    });
    const cose = concatBytes(COSE_SIGN1, encodeCbor([head, {}, payload, new Uint8Array(signature)]));
    return `HC1:${encodeBase45(new Uint8Array(deflateSync(cose)))}`;
  }
}
