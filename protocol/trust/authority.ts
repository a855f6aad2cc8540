/** Who may say what in a region's trust log. Spec: SPEC.md 8.2 (the column "signed by") and rule 2 of 8.3. */
import { ProtocolError } from '../fault.ts';
import { type Primitives } from '../primitives.ts';
import { keyIdOf } from '../signature/key-id.ts';
import { type Signer } from './slot.ts';
import { type StateDraft } from './state-draft.ts';
import { statementMessage, type Entry } from './statement.ts';
import { type StatementKind, type StatementOf } from './statement-schema.ts';
import { type RootKey } from './trust-state.ts';

const MAY_SIGN: Readonly<Record<StatementKind, readonly Signer[]>> = {
  root: ['root'],
  keys: ['root'],
  limits: ['root'],
  recognition: ['root'],
  withdrawal: ['root'],
  suspension: ['root', 'trust-log'],
  compromise: ['root'],
  retirement: ['root'],
  rules: ['root', 'trust-log'],
  // Whoever announces foreign keys can make codes, as with `keys`.
  adapter: ['root'],
  log: ['root', 'trust-log'],
  node: ['root', 'trust-log'],
  revocation: ['root', 'trust-log'],
  'foreign-revocation': ['root', 'trust-log'],
  tally: ['trust-log'],
  state: ['trust-log'],
};

/** The public keys, by key id, that an entry's signatures must be by. */
type Keyring = ReadonlyMap<string, Uint8Array>;

/** Where an entry arrives: the state of all before it, and whether a compromise voids what `keyId` signed here. */
export interface AuthorityPlace {
  readonly index: number;
  readonly draft: StateDraft;
  readonly isVoided: (keyId: string) => boolean;
}

/**
 * Checks that every signature of the entry is good and by a key that counts, and that there are enough of them.
 * Looks at signatures last, so that an entry of nobody costs none.
 * @throws {ProtocolError} STATEMENT_UNAUTHORISED
 */
export function verifyAuthority(entry: Entry, place: AuthorityPlace, primitives: Primitives): Signer {
  const { statement, signatures } = entry;
  const { draft } = place;
  const signer = signatures.some(({ keyId }) => draft.key(keyId) !== undefined) ? 'trust-log' : 'root';
  if (!MAY_SIGN[statement.kind].includes(signer)) {
    throw unauthorised(`a ${statement.kind} is not signed by ${signer}`);
  }
  const keyring =
    statement.kind === 'root'
      ? keyringOfRoots(entry, statement, place, primitives)
      : signer === 'root'
        ? keyringOfRoot(entry, draft)
        : keyringOfTrustLog(entry, place);
  const message = statementMessage(draft.origin, entry.body);
  for (const { keyId, signature } of signatures) {
    const publicKey = keyring.get(keyId);
    if (publicKey === undefined) throw unauthorised(`${keyId} is no key that signs this`);
    if (!primitives.verifySignature({ publicKey, message, signature })) {
      throw unauthorised(`the signature of ${keyId} is not good`);
    }
  }
  return signer;
}

/** The root in force; at least `threshold` of its keys sign. */
function keyringOfRoot(entry: Entry, { root }: StateDraft): Keyring {
  if (root === undefined) throw unauthorised('no root is in force');
  const keyring = keyringOf(root.keys);
  assertThreshold(entry, keyring, root.threshold);
  return keyring;
}

/** A first root signs for itself; a later one is signed by enough keys of the root in force and enough of its own. */
function keyringOfRoots(
  entry: Entry,
  statement: StatementOf<'root'>,
  { index, draft }: AuthorityPlace,
  { sha256 }: Primitives,
): Keyring {
  const { root, region, network } = draft;
  const version = (root?.version ?? 0) + 1;
  if (statement.version !== version || (root === undefined && index !== 0)) {
    throw unauthorised(`expected a root of version ${version}, got version ${statement.version}`);
  }
  if (statement.region !== region || statement.network !== network) {
    throw unauthorised('expected a root of this region and network');
  }
  const ownKeys = keyringOf(
    statement.keys.map((publicKey) => ({ keyId: keyIdOf(sha256, publicKey), publicKey })),
  );
  assertThreshold(entry, ownKeys, statement.threshold);
  if (root === undefined) return ownKeys;
  const oldKeys = keyringOf(root.keys);
  assertThreshold(entry, oldKeys, root.threshold);
  return new Map([...oldKeys, ...ownKeys]);
}

/** One key, in its window, not compromised. */
function keyringOfTrustLog(entry: Entry, { index, draft, isVoided }: AuthorityPlace): Keyring {
  // A second signature is by no key of the ring, and so refused.
  const [first] = entry.signatures;
  const key = first && draft.key(first.keyId);
  if (key === undefined) throw unauthorised('expected one signature, by a trust-log key');
  if (key.role !== 'trust-log') throw unauthorised(`${key.keyId} has the role ${key.role}`);
  const { at } = entry.statement;
  if (at < key.fromS || at >= key.untilS) {
    throw unauthorised(`expected at within ${key.fromS} and ${key.untilS}, got ${at}`);
  }
  if (key.compromise !== undefined) throw unauthorised(`${key.keyId} is compromised`);
  if (isVoided(key.keyId)) throw unauthorised(`what ${key.keyId} signed at index ${index} is voided`);
  return new Map([[key.keyId, key.publicKey]]);
}

function keyringOf(keys: readonly RootKey[]): Keyring {
  return new Map(keys.map(({ keyId, publicKey }) => [keyId, publicKey]));
}

/** Signatures of an entry are by distinct key ids, so each key counts once. */
function assertThreshold({ signatures }: Entry, keyring: Keyring, threshold: number): void {
  const count = signatures.filter(({ keyId }) => keyring.has(keyId)).length;
  if (count < threshold) throw unauthorised(`expected signatures of ${threshold} root keys, got ${count}`);
}

function unauthorised(message: string): ProtocolError {
  return new ProtocolError('STATEMENT_UNAUTHORISED', message);
}
