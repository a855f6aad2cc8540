/**
 * Two trees of a trust log of which neither goes on from the other, and which of them its root has named. Nobody else decides that:
 * no quorum, no number of peers, no key that is kept online. Spec: SPEC.md 8.5.
 */
import { equalBytes } from '../bytes.ts';
import { type Root, type TrustState } from './trust-state.ts';

/** What a reader holds of a trust log beyond what both trees begin with. */
export interface HeldBranch {
  /** Folded to the end of what is held. */
  readonly state: TrustState;
  /** Of each note under which the reader holds more than that, the ids of the known keys that signed it. */
  readonly words: readonly (readonly string[])[];
}

/**
 * `named`: the other takes the place of the one that is held. `unnamed`: nothing changes. `contradicted`: the root has named both; the
 * reader keeps what it holds, and leans on neither.
 */
export type BranchStanding = 'named' | 'unnamed' | 'contradicted';

/**
 * What another branch is to a reader who holds one. `state` is folded from the beginning to the end of the other, whose checkpoint is
 * signed by a key that it does not name as compromised; both trees begin with the same `common` entries and differ in the next.
 * A held branch without words, or with a word of nobody that is known, is left for none.
 */
export function standingOfBranch(state: TrustState, held: HeldBranch, common: number): BranchStanding {
  if (held.words.length === 0 || held.words.some(({ length }) => length === 0)) return 'unnamed';
  if (!continuesRoots(state, held.state)) return 'unnamed';
  const signers = new Set(held.words.flat());
  const givenUp = [...signers].every((keyId) => state.key(keyId)?.compromise !== undefined);
  const since = held.state.root?.version ?? 1;
  const isSaid = (keyId: string) => namesBy(state, keyId, common) && state.isGivenUpSince(keyId, since);
  if (!givenUp || ![...signers].some(isSaid)) return 'unnamed';
  return namesItself(held.state, common) ? 'contradicted' : 'named';
}

/** What a reader knows of a trust log whose tree it does not hold: one checkpoint, and the ids of the keys that signed it. */
export interface KnownCheckpoint {
  readonly size: number;
  readonly root: Uint8Array;
  readonly signers: readonly string[];
}

/**
 * Whether the root has given up a checkpoint whose tree nobody can show any more. `state` is folded from the beginning to the end of a log
 * that has the root `rootThere` at the size of the checkpoint; undefined where it is shorter. The root's own signature says which tree the
 * log had at the cut-off, so a checkpoint on no more than that and on another tree was never the region's. Of one beyond the cut-off, nothing says
 * where it parts from the log. `since`: the version of the latest root that is known to have been in force. Spec: SPEC.md 8.5.
 */
export function isGivenUp(
  state: TrustState,
  { size, root, signers }: KnownCheckpoint,
  rootThere: Uint8Array | undefined,
  since: number,
): boolean {
  if (rootThere === undefined || equalBytes(rootThere, root) || signers.length === 0) return false;
  const cutOffOf = (keyId: string) => state.key(keyId)?.compromise?.cutOffs.get('trust')?.size ?? 0;
  if (signers.some((keyId) => state.key(keyId)?.compromise === undefined)) return false;
  return signers.some((keyId) => cutOffOf(keyId) >= size && state.isGivenUpSince(keyId, since));
}

/**
 * Whether `state` has all roots of `held`: who held a root that was replaced since cannot bring back the log of that time. A root does not say where it
 * stands, and may have been put behind anything that those before it sign: `TrustState.isGivenUpSince` tells what does not lean on these.
 */
export function continuesRoots(state: TrustState, held: TrustState): boolean {
  const { fingerprint } = state;
  if (fingerprint === undefined || held.fingerprint === undefined) return false;
  if (!equalBytes(fingerprint, held.fingerprint)) return false;
  for (let version = 1; version <= (held.root?.version ?? 0); version++) {
    const before = held.rootOf(version);
    const after = state.rootOf(version);
    if (before === undefined || after === undefined || !isSameRoot(before, after)) return false;
  }
  return true;
}

function isSameRoot(one: Root, other: Root): boolean {
  const keyIds = ({ keys }: Root) => keys.map(({ keyId }) => keyId).join();
  return one.threshold === other.threshold && keyIds(one) === keyIds(other);
}

/** Whether a key is given up with a cut-off beyond `common` entries: its root is one that no other branch had that shares only those. */
export function namesBy(state: TrustState, keyId: string, common: number): boolean {
  const cutOff = state.key(keyId)?.compromise?.cutOffs.get('trust');
  return cutOff !== undefined && cutOff.size > common;
}

/** Only keys that sign trees can be given up for another one: that of another role, whatever its cut-off, says nothing of branches. */
function namesItself(state: TrustState, common: number): boolean {
  return state.keysWithRole('checkpoint').some(({ keyId }) => namesBy(state, keyId, common));
}
