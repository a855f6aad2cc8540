/** The rules that an entry of the trust log passes one after the other. Spec: SPEC.md 8.3. */
import { type Primitives } from '../primitives.ts';
import { admitPublicKey } from '../signature/noble.ts';
import { type AuthorityPlace, verifyAuthority } from './authority.ts';
import { type OrderPlace, verifyOrder } from './order.ts';
import { type Slot } from './slot.ts';
import { parseEntry } from './statement.ts';
import { type Statement } from './statement-schema.ts';

export interface TrustModules extends Primitives {
  /** Answers as `admitPublicKey` of signature/noble.ts, which is the default and takes a millisecond a key. */
  readonly admitPublicKey?: (publicKey: Uint8Array) => void;
}

export type EntryPlace = AuthorityPlace & OrderPlace;

/**
 * Takes an entry apart and checks rules 1 to 4, but for the set of a revocation, which `applyStatement` decodes and counts.
 * @throws {ProtocolError} with the code of the first rule that is broken.
 */
export function verifyStatement(bytes: Uint8Array, place: EntryPlace, modules: TrustModules): Slot {
  const entry = parseEntry(bytes);
  const slot = { index: place.index, entry, signer: verifyAuthority(entry, place, modules) };
  verifyOrder(slot, place, modules.sha256);
  const admit = modules.admitPublicKey ?? admitPublicKey;
  for (const publicKey of keysNamedBy(entry.statement)) admit(publicKey);
  return slot;
}

function keysNamedBy(statement: Statement): readonly Uint8Array[] {
  if (statement.kind === 'root') return statement.keys;
  if (statement.kind === 'keys') return statement.keys.map(({ key }) => key);
  return statement.kind === 'node' ? [statement.key] : [];
}
