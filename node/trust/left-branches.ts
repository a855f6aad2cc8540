/**
 * The branches of a trust log that a node has left because the root named another: kept for good, and what they revoked counts on.
 * One writer: the keeper of the log.
 */
import { z } from 'zod';
import { hexOf } from '../../protocol/bytes.ts';
import { decodeCbor, encodeCbor } from '../../protocol/encoding/cbor.ts';
import { decodeIndexSet } from '../../protocol/revocation/index-set-code.ts';
import { RevocationSet } from '../../protocol/revocation/revocation-set.ts';
import { isForeignRevocationOver, isLogOver } from '../../protocol/trust/pruning.ts';
import { type StatementOf } from '../../protocol/trust/statement-schema.ts';
import { parseEntry } from '../../protocol/trust/statement.ts';
import { type TrustState } from '../../protocol/trust/trust-state.ts';
import { NodeError } from '../node-error.ts';
import { type Change } from '../ports.ts';
import { type Store } from '../store/store.ts';
import { type WeighedBranch } from './branch-weighing.ts';

/** Of all keys under which a store keeps left branches: then follow the origin, the name of the branch and the index of an entry. */
export const BRANCH_PREFIX = 'branch';
/** And under which it says that the root has named two. */
export const NAMED_PREFIX = 'named';

/** Of the entries that revoke nothing, so many bytes are kept: a thief may have written any number. */
const IDLE_BYTES_MAX = 1 << 24;
/** Bytes of entries in one write. */
const STEP_BYTES = 1 << 20;
/** An entry and who signed. */
const BYTES_MAX = 1 << 17;
/** A statement that counts on when its branch is left. */
const COUNTS_ON = ['revocation', 'foreign-revocation'];
/** Stands for whoever signed what revokes nothing. */
const NOBODY = '';
const ROOT = 'root';

const schema = z.tuple([z.custom<Uint8Array>((value) => value instanceof Uint8Array), z.string()]);

/** By signer, a trust-log key or `root`, and log. */
type Revoked = Map<string, Map<string, RevocationSet>>;

export class LeftBranches {
  readonly #origin: string;
  readonly #store: Store;
  readonly #revoked: Revoked = new Map();
  /** By signer, revocations of codes of others. */
  readonly #foreign = new Map<string, StatementOf<'foreign-revocation'>[]>();
  /** What was asked for last. */
  #foreignBeside:
    { readonly state: TrustState; readonly hashes: ReadonlySet<string> | undefined } | undefined;
  #names = 0;
  #isContradicted = false;

  private constructor(origin: string, store: Store) {
    this.#origin = origin;
    this.#store = store;
  }

  /** Reads what is kept of a log. Rejects as the store does, and with DATA_INCONSISTENT. */
  static async open(origin: string, store: Store): Promise<LeftBranches> {
    const left = new LeftBranches(origin, store);
    const prefix = `${BRANCH_PREFIX}/${origin}/`;
    const names = new Set<string>();
    for await (const [key, value] of store.entries(prefix, `${BRANCH_PREFIX}/${origin}0`)) {
      const [name = '', index] = key.slice(prefix.length).split('/');
      if (index === undefined) names.add(name);
      else if (names.has(name)) left.#count(...parseLeft(key, value));
    }
    left.#names = names.size;
    left.#isContradicted = (await store.get(`${NAMED_PREFIX}/${origin}`)) !== undefined;
    return left;
  }

  /** How many there are: what was known of the log before one came is to be looked at anew. */
  get count(): number {
    return this.#names;
  }

  /** Whether the root has named two branches: nobody can lean on either. */
  get isContradicted(): boolean {
    return this.#isContradicted;
  }

  /** Notes that the root has named two branches. False if that was known. Rejects as `Store.write`. */
  async contradict(): Promise<boolean> {
    if (this.#isContradicted) return false;
    await this.#store.write([{ put: `${NAMED_PREFIX}/${this.#origin}`, value: encodeCbor([1]) }]);
    this.#isContradicted = true;
    return true;
  }

  /**
   * Copies what is held and is about to be left, and gives the change that makes it count: one of those that leave it. Repeated after
   * an interruption. Rejects as `Store.write`.
   */
  async prepare({
    common,
    heldEntries,
    heldFold,
    note,
  }: WeighedBranch): Promise<{ change: Change; count: () => void }> {
    const prefix = `${BRANCH_PREFIX}/${this.#origin}/${hexOf(heldFold.root).slice(0, 32)}`;
    const rows = rowsOf(common, heldEntries, heldFold);
    let step: Change[] = [];
    let bytes = 0;
    for (const { index, entry, signer } of rows) {
      const value = encodeCbor([entry, signer]);
      step.push({ put: `${prefix}/${String(index).padStart(16, '0')}`, value });
      bytes += value.length;
      if (bytes < STEP_BYTES) continue;
      await this.#store.write(step);
      [step, bytes] = [[], 0];
    }
    if (step.length > 0) await this.#store.write(step);
    const change = { put: prefix, value: encodeCbor([1, common, heldFold.size, note]) };
    const count = () => {
      this.#names++;
      for (const { entry, signer } of rows) this.#count(entry, signer);
    };
    return { change, count };
  }

  /** What they revoked and `state` does not take back, by log. Undefined for nothing. */
  revokedBeside(state: TrustState): Map<string, RevocationSet> | undefined {
    const beside = new Map<string, RevocationSet>();
    for (const [signer, byLog] of this.#revoked) {
      if (isVoided(signer, state)) continue;
      for (const [log, set] of byLog)
        if (!isLogOver(log, state.lastAtS)) beside.set(log, beside.get(log)?.union(set) ?? set);
    }
    return beside.size > 0 ? beside : undefined;
  }

  /** The same of codes of others, by hashes in hexadecimal, as long as any may be in force. */
  foreignRevokedBeside(state: TrustState): ReadonlySet<string> | undefined {
    if (this.#foreignBeside?.state === state) return this.#foreignBeside.hashes;
    const counted = [...this.#foreign].flatMap(([signer, all]) => (isVoided(signer, state) ? [] : all));
    const hashes = new Set(
      counted.flatMap((one) => (isForeignRevocationOver(one, state.lastAtS) ? [] : one.hashes.map(hexOf))),
    );
    this.#foreignBeside = { state, hashes: hashes.size > 0 ? hashes : undefined };
    return this.#foreignBeside.hashes;
  }

  #count(entry: Uint8Array, signer: string): void {
    if (signer === NOBODY) return;
    this.#foreignBeside = undefined;
    const { statement } = parseEntry(entry);
    if (statement.kind === 'foreign-revocation') {
      const ofSigner = this.#foreign.get(signer) ?? [];
      ofSigner.push(statement);
      this.#foreign.set(signer, ofSigner);
    }
    if (statement.kind !== 'revocation') return;
    const set = RevocationSet.ofAscending(decodeIndexSet(statement.set));
    const byLog = this.#revoked.get(signer) ?? new Map<string, RevocationSet>();
    byLog.set(statement.log, byLog.get(statement.log)?.union(set) ?? set);
    this.#revoked.set(signer, byLog);
  }
}

/** Nothing of what is under no cut-off of a thief's was the region's. */
function isVoided(signer: string, state: TrustState): boolean {
  return state.key(signer)?.compromise?.cutOffs.has('trust') === true;
}

interface Row {
  readonly index: number;
  readonly entry: Uint8Array;
  /** Of a revocation that had effect: a trust-log key, or `root`. */
  readonly signer: string;
}

function rowsOf(
  common: number,
  entries: readonly Uint8Array[],
  { findings, state }: WeighedBranch['heldFold'],
): Row[] {
  const idle = new Set(findings.map(({ index }) => index));
  let idleBytes = 0;
  return entries.flatMap((entry, i): Row[] => {
    const index = common + i;
    const signer = idle.has(index) ? NOBODY : signerOf(entry, state);
    if (signer === NOBODY) idleBytes += entry.length;
    return signer === NOBODY && idleBytes > IDLE_BYTES_MAX ? [] : [{ index, entry, signer }];
  });
}

/** Of an entry that had effect: the root only where a key of a root signed, since a thief may have let the state forget his own. */
function signerOf(entry: Uint8Array, state: TrustState): string {
  const { statement, signatures } = parseEntry(entry);
  if (!COUNTS_ON.includes(statement.kind)) return NOBODY;
  const [{ keyId } = { keyId: ROOT }] = signatures;
  return isRootKey(keyId, state) ? ROOT : keyId;
}

function isRootKey(keyId: string, state: TrustState): boolean {
  for (let version = 1; version <= (state.root?.version ?? 0); version++)
    if (state.rootOf(version)?.keys.some((key) => key.keyId === keyId)) return true;
  return false;
}

function parseLeft(key: string, value: Uint8Array): [entry: Uint8Array, signer: string] {
  try {
    return schema.parse(decodeCbor(value, { bytesMax: BYTES_MAX }));
  } catch (cause) {
    throw new NodeError('DATA_INCONSISTENT', `${key} is not an entry of a branch by this version`, {
      cause,
      hint: 'It is left where it is. Look at it with the version that kept it.',
    });
  }
}
