/**
 * Going to a region and cosigning the logs that it shows, its attestation logs too: each once its copy here is up to date and its
 * tree is proven to have only grown. Nothing is passed over in silence: what is wrong with the region's logs is the caller's answer.
 */
import { equalBytes } from '../../protocol/bytes.ts';
import { isProtocolError, ProtocolError } from '../../protocol/fault.ts';
import { type Checkpoint, parseCheckpoint, readNote } from '../../protocol/log/checkpoint.ts';
import { type ForkEvidence } from '../../protocol/evidence/fork.ts';
import { encodeNote, parseNote } from '../../protocol/log/note.ts';
import { parseOrigin, witnessName } from '../../protocol/log/origin.ts';
import { type ProofPath } from '../../protocol/log/merkle.ts';
import { type UnheldForks } from '../evidence/unheld-forks.ts';
import { logError } from '../log/log-error.ts';
import { isNodeError, NodeError } from '../node-error.ts';
import { type Primitives } from '../../protocol/primitives.ts';
import { type Clock } from '../ports.ts';
import { type Store } from '../store/store.ts';
import { type BranchFinder } from '../sync/branch-finder.ts';
import { type Followed } from '../sync/followed.ts';
import { type Puller } from '../sync/puller.ts';
import { type SyncClient } from '../sync/sync-client.ts';
import { type TrustKeeper } from '../trust/trust-keeper.ts';
import { leaveGivenUp, treeAtLeft } from './given-up-memory.ts';
import { readLeft } from './left-mark.ts';
import { type Witness, type Witnessed } from './witness.ts';

/** A log that was cosigned. `sizeBefore` is what this witness had seen of it, 0 at the first meeting. */
export interface Vouched extends Checkpoint {
  readonly sizeBefore: number;
  /** The checkpoint with the lines of the log and of its region's own witness, and the new cosignature. */
  readonly note: Uint8Array;
}

export interface LogVisitorModules extends Primitives {
  readonly clock: Clock;
  readonly store: Store;
  readonly client: SyncClient;
  readonly puller: Puller;
  readonly finder: BranchFinder;
  readonly witness: Witness;
  readonly logs: () => ReadonlyMap<string, Followed>;
  readonly forks: Pick<UnheldForks, 'keep' | 'isForked'>;
  readonly keeper: (region: string) => TrustKeeper | undefined;
  /** The region of a peer; undefined for a stranger. */
  readonly regionOf: (peer: string) => string | undefined;
}

const TRIES = 3;

export class LogVisitor {
  readonly #modules: LogVisitorModules;

  constructor(modules: LogVisitorModules) {
    this.#modules = modules;
  }

  /**
   * Cosigns the logs of the region that a peer is of; `onVouched` hears of each, so that those before a fault are not lost.
   * @throws {ProtocolError} ROLLBACK, FORK, PROOF_INVALID or PIN_MISMATCH for a log that did not only grow, and what its notes and
   * entries are refused for. @throws {NodeError} PEER_UNREACHABLE, NOT_FOUND, and as `Witness.add`.
   */
  async visit(peer: string, region: string, onVouched: (vouched: Vouched) => Promise<void>): Promise<void> {
    const { client } = this.#modules;
    const { heads } = await client.ask(peer, { kind: 'heads' });
    const own = client.blaming(peer, () => ofRegion(heads, region));
    if (own.length === 0) {
      throw new NodeError('PEER_UNREACHABLE', `${peer} shows no log of ${region}`, { retry: true });
    }
    // The trust log first: it names the keys of the others.
    for (const head of own) await onVouched(await this.#vouch(peer, region, head));
  }

  /**
   * Cosigns the attestation log that a peer of its own region shows, if it is not as it was seen last, or another key has signed it: from then on the region can be
   * told how far its log was, whatever becomes of its disks. Other logs are passed over, and those that cannot be judged yet, since
   * they are shown again. Rejects as `visit` with what is wrong with the log.
   */
  async meet(peer: string, { note, checkpoint }: Head): Promise<void> {
    const { witness, keeper, regionOf, store } = this.#modules;
    const { origin, size, root } = checkpoint;
    const { kind, region } = parseOrigin(origin);
    const state = keeper(region)?.state;
    if (kind !== 'attest' || regionOf(peer) !== region || state === undefined) return;
    if (this.#modules.forks.isForked(origin)) return;
    const seen = await witness.lastSeen(origin);
    const isSeen = seen?.size === size && equalBytes(seen.root, root) && !isSignedByMore(note, seen.note);
    const left = await readLeft(origin, store);
    // With a store from a backup what was left may be compared anew.
    if (isSeen && (left === undefined || left.size > size)) return;
    try {
      await this.#vouch(peer, region, { note, checkpoint });
    } catch (error) {
      if (!isForLater(error)) throw error;
    }
  }

  /** As `UnheldForks.keep`, of what may be by keys that the region's state has forgotten since, and proves nothing then. */
  async keepFork(origin: string, evidence: ForkEvidence): Promise<void> {
    try {
      await this.#modules.forks.keep(origin, evidence);
    } catch (error) {
      if (!isProtocolError(error)) throw error;
    }
  }

  async #vouch(peer: string, region: string, { note, checkpoint }: Head): Promise<Vouched> {
    const { witness, logs, keeper } = this.#modules;
    const { origin, size, root } = checkpoint;
    const copy = logs().get(origin);
    if (copy !== undefined) await this.#bringUp(peer, copy, { note, checkpoint });
    const state = keeper(region)?.state;
    if (state !== undefined) await leaveGivenUp(peer, origin, state, this.#modules);
    const sizeBefore = (await witness.lastSeen(origin))?.size ?? 0;
    if (size < sizeBefore) throw rollback(origin, sizeBefore, size);
    const answer = await this.#cosign(peer, note, checkpoint);
    keeper(region)?.vouch(answer.checkpoint.text, answer.line);
    const { text, signatures } = parseNote(note);
    const own = [origin, witnessName(region, parseOrigin(origin).network)];
    const lines = signatures.filter(({ name }) => own.includes(name));
    const cosigned = encodeNote({ text, signatures: [...lines, answer.line] });
    return { origin, size, root, sizeBefore, note: cosigned };
  }

  /** A beat of this node may cosign in between: then the proof is made anew. */
  async #cosign(peer: string, note: Uint8Array, checkpoint: Checkpoint): Promise<Cosigned> {
    const { witness } = this.#modules;
    const { origin, size } = checkpoint;
    const there = await treeAtLeft(peer, note, this.#modules);
    for (let tries = 1; ; tries++) {
      const seen = await witness.lastSeen(origin);
      const oldSize = seen?.size ?? 0;
      const path = await this.#proof(peer, checkpoint, seen ?? checkpoint);
      const answer = await witness.add({ oldSize, path: size > oldSize ? path : [], note }, there);
      if (answer.cosigns) return answer;
      if (answer.evidence !== undefined) throw fork(origin, size);
      if (answer.refusal === 'conflict' && tries < TRIES) continue;
      throw answer.fault ?? logError('LOG_BUSY', `${origin} was not cosigned: ${answer.refusal}`);
    }
  }

  async #bringUp(peer: string, copy: Followed, { note, checkpoint }: Head): Promise<void> {
    const { puller, finder } = this.#modules;
    const { size } = checkpoint;
    const heeded = await copy.heed(note);
    try {
      if (heeded === 'behind') await puller.pullFrom(peer, copy);
    } catch (error) {
      // By a key that only another branch names: one that the root has named, perhaps.
      if (isProtocolError(error) && (await finder.seek(peer, copy, size))) return;
      throw error;
    }
    const isElsewhere = heeded === 'forked' || heeded === 'strange' || copy.tree.size < size;
    if (isElsewhere && (await finder.seek(peer, copy, size))) return;
    if (heeded === 'forked' || (copy.standingForks ?? copy.forks).length > 0) throw fork(copy.origin, size);
  }

  /** The path from what was seen last; from the present tree to itself at the first meeting, so that its tiles are those that it signed. */
  async #proof(
    peer: string,
    { origin, size, root }: Checkpoint,
    from: Pick<Checkpoint, 'size' | 'root'>,
  ): Promise<ProofPath> {
    const { client } = this.#modules;
    if (from.size === 0 || size === 0) return [];
    const claim = await client.ask(peer, { kind: 'claim', origin, size: from.size });
    const expected = from.size === size ? root : from.root;
    if (equalBytes(claim.root, expected)) return claim.path;
    // A region on an old disk is no liar.
    throw new ProtocolError('PROOF_INVALID', `the tiles of ${origin} are not those of its checkpoint`, {
      size: from.size,
    });
  }
}

/** Whether a note has lines of its log under ids under which what is remembered of the same tree has none. */
function isSignedByMore(note: Uint8Array, seen: Uint8Array): boolean {
  const known = parseNote(seen).signatures;
  const { checkpoint, note: shown } = readNote(note);
  return shown.signatures.some(
    ({ name, keyId }) => name === checkpoint.origin && !known.some((line) => line.keyId === keyId),
  );
}

/** The peer does not answer now, or the log or its key is not known yet. */
function isForLater(error: unknown): boolean {
  return (
    isNodeError(error, 'LOG_BUSY') ||
    isNodeError(error, 'PEER_UNREACHABLE') ||
    isNodeError(error, 'NOT_FOUND') ||
    isProtocolError(error, 'NOTE_UNSIGNED')
  );
}

type Cosigned = Extract<Witnessed, { cosigns: true }>;

interface Head {
  readonly note: Uint8Array;
  readonly checkpoint: Checkpoint;
}

/** The heads of a region's own logs, the trust log first. */
function ofRegion(heads: readonly { readonly note: Uint8Array }[], region: string): Head[] {
  const own = heads
    .map(({ note }) => ({ note, checkpoint: parseCheckpoint(parseNote(note).text) }))
    .filter(({ checkpoint }) => parseOrigin(checkpoint.origin).region === region);
  const rank = ({ checkpoint }: Head) => (parseOrigin(checkpoint.origin).kind === 'trust' ? 0 : 1);
  return own.sort((a, b) => rank(a) - rank(b));
}

function rollback(origin: string, held: number, offered: number): ProtocolError {
  const message = `${origin} had ${held} entries and now shows ${offered}`;
  return new ProtocolError('ROLLBACK', message, { held, offered });
}

function fork(origin: string, size: number): ProtocolError {
  return new ProtocolError('FORK', `${origin} shows another tree of ${size} entries than before`, { size });
}
