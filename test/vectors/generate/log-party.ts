/**
 * Signers of notes and one signed checkpoint, written out from the documents of C2SP with node:crypto, so that nothing here
 * comes from the code under test.
 */
import { createHash } from 'node:crypto';
import { testKey } from '../../support/keys.ts';
import { ReferenceTree } from '../../support/reference-tree.ts';

export const LOG = 1;
export const WITNESS = 4;
export const ORIGIN = 'CN-33.demo/trust';
export const NOW_S = 1_793_606_400;

export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
export const base64 = (...parts: readonly Uint8Array[]): string => Buffer.concat(parts).toString('base64');

/** A signer of notes, spelled out. */
export class Party {
  readonly name: string;
  readonly algorithm: number;
  readonly publicKey: Uint8Array;
  readonly id: Buffer;
  readonly #seed: number;

  constructor(name: string, algorithm: number, seed: number) {
    this.name = name;
    this.algorithm = algorithm;
    this.#seed = seed;
    this.publicKey = testKey(seed).publicKey;
    this.id = createHash('sha256').update(`${name}\n`).update(this.#typed()).digest().subarray(0, 4);
  }

  get vkey(): string {
    return `${this.name}+${hex(this.id)}+${base64(this.#typed())}`;
  }

  sign(message: string): Uint8Array {
    return testKey(this.#seed).sign(Buffer.from(message));
  }

  line(signature: Uint8Array): string {
    return `\u2014 ${this.name} ${base64(this.id, signature)}\n`;
  }

  signed(text: string): string {
    return this.line(this.sign(text));
  }

  cosigned(text: string, timestampS: number | bigint): string {
    return this.line(
      Buffer.concat([u64(timestampS), this.sign(`cosignature/v1\ntime ${timestampS}\n${text}`)]),
    );
  }

  #typed(): Buffer {
    return Buffer.concat([Uint8Array.of(this.algorithm), this.publicKey]);
  }
}

export const log = new Party(ORIGIN, LOG, 1);
export const nextLog = new Party(ORIGIN, LOG, 2);
export const otherLog = new Party('CN-32.demo/trust', LOG, 3);
export const germany = new Party('DE.demo/witness', WITNESS, 4);
export const france = new Party('FR.demo/witness', WITNESS, 5);
export const stranger = new Party('XX.demo/witness', WITNESS, 6);

export const tree = ReferenceTree.ofSize(9);
export const textOf = (size: number | string, root: string = base64(tree.root())): string =>
  `${ORIGIN}\n${size}\n${root}\n`;
export const TEXT = textOf(9);
export const KEYS = [log.vkey, germany.vkey, france.vkey];
export const SIGNED = `${TEXT}\n${log.signed(TEXT)}`;
export const COSIGNED = SIGNED + germany.cosigned(TEXT, NOW_S) + france.cosigned(TEXT, NOW_S + 1);

export function u64(value: number | bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
}
