/** The rules that an entry of the trust log passes one after the other. Spec: SPEC.md 8.3. */
import { type Primitives } from '../primitives.ts';
import { type AuthorityPlace, verifyAuthority } from './authority.ts';
import { type Arrival, verifyOrder } from './order.ts';
import { type Slot } from './slot.ts';
import { parseEntry } from './statement.ts';
import { type Statement } from './statement-schema.ts';

export interface TrustModules extends Primitives {
  /** Throws KEY_INVALID unless the key is canonical, torsion-free and not of small order: `admitPublicKey` of signature/noble.ts or one that answers alike. */
  readonly admitPublicKey: (publicKey: Uint8Array) => void;
}

export type EntryPlace = AuthorityPlace & Omit<Arrival, 'signer'>;

/**
 * Takes an entry apart and checks rules 1 to 4, but for the set of a revocation, which `applyStatement` decodes and counts.
 * @throws {ProtocolError} with the code of the first rule that is broken.
 */
export function verifyStatement(bytes: Uint8Array, place: EntryPlace, modules: TrustModules): Slot {
  const entry = parseEntry(bytes);
  const signer = verifyAuthority(entry, place, modules);
  verifyOrder(entry.statement, { ...place, signer }, modules.sha256);
  for (const publicKey of keysNamedBy(entry.statement)) modules.admitPublicKey(publicKey);
  return { index: place.index, entry, signer };
}

function keysNamedBy(statement: Statement): readonly Uint8Array[] {
  if (statement.kind === 'root') return statement.keys;
  if (statement.kind === 'keys') return statement.keys.map(({ key }) => key);
  return statement.kind === 'node' ? [statement.key] : [];
}
