/** The primitives of a node: the fastest that this machine has. */
import * as crypto from 'node:crypto';
import { type Primitives, type Sha256 } from '../../protocol/primitives.ts';
import { type SignatureBackEnd } from './back-end.ts';
import { opensslBackEnd } from './openssl.ts';

/** Back end and primitives in one, since a node hands them out together. */
export interface NativeCrypto extends Primitives, Omit<SignatureBackEnd, 'verifySignature'> {}

/** `backEnd` demands one; by default it is sodium, or openssl where sodium-native does not load. */
export interface NativeCryptoOptions {
  readonly backEnd?: SignatureBackEnd['name'];
}

export interface NativeCryptoModules {
  readonly loadSodium: () => Promise<SignatureBackEnd>;
}

/**
 * Gives the primitives and the signing of this machine.
 * @throws what loading threw, if sodium is demanded and has no binary here.
 */
export async function openNativeCrypto(
  options: NativeCryptoOptions = {},
  modules: NativeCryptoModules = { loadSodium },
): Promise<NativeCrypto> {
  return { ...(await chooseBackEnd(options, modules)), sha256: nativeSha256 };
}

/**
 * SHA-256 by OpenSSL. Text with one character a byte is the cheapest way out of it: copying it here takes 0.3 us
 * for 65 bytes where a Buffer takes 0.7.
 */
export const nativeSha256: Sha256 = (data) => {
  const text = crypto.hash('sha256', data, 'binary');
  const digest = new Uint8Array(32);
  for (let i = 0; i < 32; i++) digest[i] = text.charCodeAt(i);
  return digest;
};

async function chooseBackEnd(
  { backEnd }: NativeCryptoOptions,
  { loadSodium }: NativeCryptoModules,
): Promise<SignatureBackEnd> {
  if (backEnd === 'openssl') return opensslBackEnd;
  try {
    return await loadSodium();
  } catch (error) {
    if (backEnd === 'sodium') throw error;
    return opensslBackEnd;
  }
}

async function loadSodium(): Promise<SignatureBackEnd> {
  return (await import('./sodium.ts')).sodiumBackEnd;
}
