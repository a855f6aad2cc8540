/**
 * What a witness saw last of an attestation log, when that is the tree of a thief: the region's root has given up the key that signed it, with a
 * cut-off for that log by which it was another. Then the witness begins anew, and keeps the proof that the log forked, or what will be one side of it.
 * Spec: SPEC.md 8.5, 9.
 */
import { equalBytes } from '../../protocol/bytes.ts';
import { isProtocolError, ProtocolError } from '../../protocol/fault.ts';
import { type ForkEvidence } from '../../protocol/evidence/fork.ts';
import { openCheckpoint, type OpenedCheckpoint, readNote } from '../../protocol/log/checkpoint.ts';
import { verifyConsistency } from '../../protocol/log/merkle.ts';
import { parseOrigin } from '../../protocol/log/origin.ts';
import { keyIdOf } from '../../protocol/signature/key-id.ts';
import { type Primitives } from '../../protocol/primitives.ts';
import { type CutOff, type TrustState } from '../../protocol/trust/trust-state.ts';
import { type UnheldForks } from '../evidence/unheld-forks.ts';
import { logError } from '../log/log-error.ts';
import { type Claim } from '../log/replica.ts';
import { type HighWater } from '../ports.ts';
import { type Store } from '../store/store.ts';
import { type SyncClient } from '../sync/sync-client.ts';
import { allVerifierKeys, logVerifierKeys } from '../trust/log-keys.ts';
import { keepLeft, readLeft } from './left-mark.ts';
import { type TreeBefore } from './left-proof.ts';
import { type Witness } from './witness.ts';

export interface GivenUpMemoryModules extends Primitives {
  readonly client: Pick<SyncClient, 'ask'>;
  readonly witness: Pick<Witness, 'lastSeen' | 'leave'>;
  readonly store: Store;
  readonly forks: Pick<UnheldForks, 'keep'>;
}

/**
 * Begins anew with an attestation log if a peer proves that it has, at the cut-off, what the root named, and at what was seen another tree, or that it is not
 * as long; true then. Whoever signs with a stolen key can say that a log has any number of entries, so that no cut-off is beyond that. Where the log is
 * not as long, what was seen is kept beside, until `settleLeft` can tell.
 * @throws {ProtocolError} PROOF_INVALID for proofs that do not lead to their note, and what `openCheckpoint` throws, by the keys that the region has not given
 * up. Rejects also as `SyncClient.ask` and the store.
 */
export async function leaveGivenUp(
  peer: string,
  origin: string,
  state: TrustState,
  modules: GivenUpMemoryModules,
): Promise<boolean> {
  const { client, witness, store } = modules;
  const seen = await witness.lastSeen(origin);
  const cutOff = seen && cutOffFor(seen, origin, state, modules);
  if (seen === undefined || cutOff === undefined) return false;
  const named = await client.ask(peer, { kind: 'claim', origin, size: cutOff.size });
  if (!equalBytes(named.root, cutOff.root)) return false;
  const checkpoint = requireProven(named, origin, cutOff.size, state, modules);
  const isShort = checkpoint.size < seen.size;
  if (!isShort) {
    const { text, fork } = await compareAt(peer, seen, origin, state, modules);
    if (text !== checkpoint.text || fork === undefined) return false;
    await modules.forks.keep(origin, fork);
  }
  const beside = isShort ? await keepLeft(origin, seen, store) : [];
  const isIt = (now: HighWater) => Promise.resolve(now.size === seen.size && equalBytes(now.root, seen.root));
  await witness.leave(origin, isIt, (changes) =>
    store.write(changes.length === 0 ? [] : [...changes, ...beside]),
  );
  return true;
}

/**
 * What a peer proves that a checkpoint, which it shows by `note`, has at the size of what was left of that attestation log while it was shorter: for `Witness.add`.
 * Undefined where the log is not as long, or the note itself tells. @throws {NodeError} LOG_BUSY if the peer proves it of another checkpoint than that one: which
 * of two trees is cosigned then, nobody can tell. Rejects also as `SyncClient.ask` and the store.
 */
export async function treeAtLeft(
  peer: string,
  note: Uint8Array,
  { client, store }: Pick<GivenUpMemoryModules, 'client' | 'store'>,
): Promise<TreeBefore | undefined> {
  const { checkpoint, note: shown } = readNote(note);
  const { origin, size } = checkpoint;
  if (parseOrigin(origin).kind !== 'attest') return undefined;
  const left = await readLeft(origin, store);
  if (left === undefined || left.size >= size) return undefined;
  const there = await client.ask(peer, { kind: 'claim', origin, size: left.size });
  if (readNote(there.note).note.text === shown.text) return there;
  throw logError('LOG_BUSY', `${peer} proves another checkpoint of ${origin} than it shows`);
}

/** What a peer proves that a log has at the size of what was seen: under which checkpoint, and both sides of the fork where that is another tree. */
async function compareAt(
  peer: string,
  seen: HighWater,
  origin: string,
  state: TrustState,
  modules: GivenUpMemoryModules,
): Promise<{ readonly text: string; readonly fork: ForkEvidence | undefined }> {
  const there = await modules.client.ask(peer, { kind: 'claim', origin, size: seen.size });
  const { text } = requireProven(there, origin, seen.size, state, modules);
  const { note, root, path } = there;
  if (equalBytes(root, seen.root)) return { text, fork: undefined };
  const sides = [
    { note: seen.note, root: seen.root, path: [] },
    { note, root, path },
  ] as const;
  return { text, fork: { size: seen.size, sides } };
}

/** The largest of those keys that signed what was seen, where all of them are given up: up to there the tree is known. */
function cutOffFor(
  { size, note }: HighWater,
  origin: string,
  state: TrustState,
  { sha256, verifySignature }: Primitives,
): CutOff | undefined {
  const parsed = parseOrigin(origin);
  if (parsed.kind !== 'attest' || size === 0) return undefined;
  try {
    const { signers } = openCheckpoint(note, allVerifierKeys(sha256, state, origin), verifySignature);
    const keys = signers.map(({ publicKey }) => state.key(keyIdOf(sha256, publicKey)));
    if (!keys.every((key) => key?.compromise !== undefined)) return undefined;
    return keys
      .flatMap((key) => key?.compromise?.cutOffs.get(parsed.log) ?? [])
      .reduce<CutOff | undefined>((most, one) => (most && most.size >= one.size ? most : one), undefined);
  } catch (error) {
    // By a key that the region never named.
    if (isProtocolError(error)) return undefined;
    throw error;
  }
}

function requireProven(
  { note, root: oldRoot, size: oldSize, path }: Claim,
  origin: string,
  expected: number,
  state: TrustState,
  { sha256, verifySignature }: Primitives,
): OpenedCheckpoint {
  const checkpoint = openCheckpoint(note, logVerifierKeys(sha256, state, origin), verifySignature);
  const { size: newSize, root: newRoot } = checkpoint;
  if (checkpoint.origin !== origin || oldSize !== expected)
    throw new ProtocolError('PROOF_INVALID', `expected the tree of ${origin} at size ${expected}`);
  verifyConsistency(sha256, { oldSize, newSize, oldRoot, newRoot, path });
  return checkpoint;
}
