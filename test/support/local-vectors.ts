/** The cases of `test/vectors/local.json`, and what this implementation says of each. */
import { nativeForeignPrimitives } from '../../node/crypto/foreign-primitives.ts';
import { compareBytes, hexBytes, hexOf } from '../../protocol/bytes.ts';
import { isProtocolError } from '../../protocol/fault.ts';
import { readLocal } from '../../protocol/foreign/local-code.ts';
import { localProfileSchema } from '../../protocol/foreign/local-profile.ts';
import { revocationHashesOf } from '../../protocol/foreign/revocation-hashes.ts';
import { type ProfileJson } from './local-fixture.ts';

export interface ProfileVector {
  readonly name: string;
  readonly profile: unknown;
  readonly isProfile: boolean;
}

export interface CodeVector {
  readonly name: string;
  readonly profile: ProfileJson;
  readonly text: string;
  readonly publicKey: string;
  readonly expect: object;
}

export interface LocalVectors {
  readonly about: readonly string[];
  readonly profiles: readonly ProfileVector[];
  readonly codes: readonly CodeVector[];
}

export function replayProfile({ name, profile }: Pick<ProfileVector, 'name' | 'profile'>): ProfileVector {
  return { name, profile, isProfile: localProfileSchema.safeParse(profile).success };
}

export async function replayCode(vector: Omit<CodeVector, 'expect'>): Promise<CodeVector> {
  const { name, profile, text, publicKey } = vector;
  return { name, profile, text, publicKey, expect: await expectOf(vector) };
}

async function expectOf({ profile, text, publicKey }: Omit<CodeVector, 'expect'>): Promise<object> {
  const { sha256, verifyForeign } = nativeForeignPrimitives;
  try {
    const code = await readLocal(nativeForeignPrimitives, localProfileSchema.parse(profile), text);
    const { algorithm, message, signature, issuer, times, content, flaw } = code;
    const key = { kind: 'ed25519', bytes: hexBytes(publicKey) } as const;
    return {
      keyId: code.keyId,
      algorithm,
      message: hexOf(message),
      signature: hexOf(signature),
      issuer: issuer ?? null,
      issuedAtS: times.issuedAtS ?? null,
      expiresAtS: times.expiresAtS ?? null,
      content,
      flaw: flaw ?? null,
      hashes: revocationHashesOf(sha256, code).all.toSorted(compareBytes).map(hexOf),
      isGood: verifyForeign({ algorithm, publicKey: key, message, signature }),
    };
  } catch (error) {
    if (isProtocolError(error)) return { fault: error.fault.code };
    throw error;
  }
}
