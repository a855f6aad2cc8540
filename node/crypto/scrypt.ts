/** scrypt by OpenSSL, in the two forms that `documentHash` takes. Spec: SPEC.md 5.4, RFC 7914. */
import * as crypto from 'node:crypto';
import { type ScryptParams } from '../../protocol/code/document.ts';

/** Blocks the thread for about 50 ms: for a command line. */
export function scrypt(password: Uint8Array, salt: Uint8Array, params: ScryptParams): Uint8Array {
  return new Uint8Array(crypto.scryptSync(password, salt, params.length, optionsOf(params)));
}

/** Runs in libuv's pool, where each call holds a thread for about 50 ms and 32 MiB: the caller bounds how many run at once. */
export function scryptInPool(
  password: Uint8Array,
  salt: Uint8Array,
  params: ScryptParams,
): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    crypto.scrypt(password, salt, params.length, optionsOf(params), (error, key) => {
      if (error) reject(error);
      else resolve(new Uint8Array(key));
    });
  });
}

function optionsOf({ cost, blockSize, parallelization }: ScryptParams): crypto.ScryptOptions {
  // OpenSSL counts its block buffers besides the table; Node's default of 32 MiB refuses the parameters in use.
  const maxmem = 128 * blockSize * (cost + parallelization + 2);
  return { cost, blockSize, parallelization, maxmem };
}
