/**
 * Proofs that regions have told two stories, as files of evidence beside the logs: for those who read files and ask no node. They prove
 * themselves, so that it does not matter in whose directory they lie.
 */
import { join } from 'node:path';
import { equalBytes, hexOf } from '../../protocol/bytes.ts';
import { type EvidenceOf, parseEvidence } from '../../protocol/evidence/evidence.ts';
import { type ProvenEvidence, verifyEvidence } from '../../protocol/evidence/verify-evidence.ts';
import { isProtocolError } from '../../protocol/fault.ts';
import { EVIDENCE_BYTES_MAX } from '../../protocol/limits.ts';
import { trustLogOrigin } from '../../protocol/log/origin.ts';
import { keyIdOf } from '../../protocol/signature/key-id.ts';
import { type TrustState } from '../../protocol/trust/trust-state.ts';
import { type TrustModules } from '../../protocol/trust/verify-statement.ts';
import { isNodeError } from '../node-error.ts';
import { FORKS_KEPT_MAX } from '../trust/fork-book.ts';
import { groundStatements } from '../trust/ground-statements.ts';
import { evidenceOf } from '../trust/stored-evidence.ts';
import { type TrustKeeper } from '../trust/trust-keeper.ts';
import { isUnreadable, namesIn, readPublishedFile, writeFileAtomically } from './files.ts';
import { evidencePath } from './layout.ts';

/** A region whose forks are looked for, and its whole trust log. */
export interface SuspectRegion {
  readonly region: string;
  readonly network: string;
  readonly fingerprint: Uint8Array;
  readonly state: TrustState;
  readonly entries: readonly Uint8Array[];
}

/** Of a fingerprint, in the names of files: those of one root must not hide those of another. */
const MARK_DIGITS = 32;
const NAME = /^[0-9a-f]{32}-[0-9a-f]{32}\.evidence$/;

/**
 * Publishes all proofs that a node holds against the trust log of a region, and anew what was damaged. They stay for good, those of
 * disowned keys too. One whose keys the held log does not name yet waits until it does; one that no reader would take, since the region has changed its root
 * so often, is left out.
 */
export async function publishForks(
  publicPath: string,
  { region, origin, proofs, state, tree }: TrustKeeper,
  modules: TrustModules,
): Promise<void> {
  const { fingerprint } = state;
  if (proofs.size === 0 || fingerprint === undefined || tree.head.minimum > 0) return;
  const folder = evidencePath(publicPath, origin);
  const log = {
    entries: () => tree.reader.entries(0, tree.size),
    state: () => Promise.resolve(state),
  };
  for (const [name, fork] of proofs) {
    const file = join(folder, `${markOf(fingerprint)}-${name}.evidence`);
    const published = await readForkFile(file);
    const proven = published && provenOf(published, { region, fingerprint }, modules);
    // A key that has signed it may have been named since: readers go by the statements that the file brings along.
    const isWhole = fork.signers.every((side, i) => side.every((keyId) => proven?.words[i]?.includes(keyId)));
    if (proven !== undefined && isWhole) continue;
    try {
      const evidence = await evidenceOf({ origin, fork }, log, modules);
      if (evidence !== undefined) await writeFileAtomically(file, evidence);
    } catch (error) {
      if (!isNodeError(error, 'NOT_FOUND')) throw error;
    }
  }
}

/** The proofs against a log that lie in a public directory, not verified: at most `FORKS_KEPT_MAX`, of this root alone if one is given. */
export async function readForks(
  publicPath: string,
  origin: string,
  fingerprint?: Uint8Array,
): Promise<readonly EvidenceOf<'fork'>[]> {
  const folder = evidencePath(publicPath, origin);
  const mark = fingerprint === undefined ? '' : markOf(fingerprint);
  const names = (await namesIn(folder)).filter((name) => NAME.test(name) && name.startsWith(mark));
  const read = await Promise.all(
    names.slice(0, FORKS_KEPT_MAX).map((name) => readForkFile(join(folder, name))),
  );
  return read.filter((fork) => fork !== undefined);
}

/** Public directories in which proofs may lie. */
export interface ProofPlaces {
  /** That of the reader: what lies there its own node took, when the keys behind it were named. */
  readonly own: string;
  readonly others: Iterable<string>;
}

/**
 * Whether a proof in one of these directories holds against the trust log of a region: each of its words by a key that the state of the log names, and its root has
 * not given up. What a file brings along may come from a thief of a root that was replaced since, and names keys that the region never had; and a key that the
 * state has forgotten may have been stolen since, when its root could not give it up any more. So by such a key there counts only what lies in the own
 * directory, if the log has named it at all. Spec: SPEC.md 14.5.1, 18.2.
 */
export async function isProvenForked(
  suspect: SuspectRegion,
  { own, others }: ProofPlaces,
  modules: TrustModules,
): Promise<boolean> {
  const { region, network, fingerprint, state } = suspect;
  const origin = trustLogOrigin(region, network);
  for (const publicPath of [own, ...others]) {
    for (const fork of await readForksIfReadable(publicPath, origin, fingerprint)) {
      const proven = provenOf(fork, { region, fingerprint }, modules);
      if (proven?.origin !== origin) continue;
      const named = publicPath === own ? await everNamed(proven, suspect, modules) : state;
      const isGood = (keyId: string) =>
        named.key(keyId)?.role === 'checkpoint' && state.key(keyId)?.compromise === undefined;
      if (proven.words.every((word) => word.some(isGood))) return true;
    }
  }
  return false;
}

/** The signers that the log has named, at whatever time. */
async function everNamed(
  { words }: ProvenEvidence,
  { region, network, entries }: SuspectRegion,
  modules: TrustModules,
): Promise<Pick<TrustState, 'key'>> {
  const signers = new Set(words.flat());
  const isSigner = (publicKey: Uint8Array) => signers.has(keyIdOf(modules.sha256, publicKey));
  return (await groundStatements({ region, network }, entries, isSigner, modules)).state;
}

/** Undefined for what proves nothing against this region. */
function provenOf(
  fork: EvidenceOf<'fork'>,
  { region, fingerprint }: Pick<SuspectRegion, 'region' | 'fingerprint'>,
  modules: TrustModules,
): ProvenEvidence | undefined {
  try {
    return verifyEvidence(fork, (of, root) => of === region && equalBytes(root, fingerprint), modules);
  } catch (error) {
    if (isProtocolError(error)) return undefined;
    throw error;
  }
}

/** A directory of others that cannot be read proves nothing. */
async function readForksIfReadable(
  ...args: Required<Parameters<typeof readForks>>
): ReturnType<typeof readForks> {
  try {
    return await readForks(...args);
  } catch (error) {
    if (isUnreadable(error)) return [];
    throw error;
  }
}

/** Undefined where there is none, and for what is no proof of a fork. */
async function readForkFile(path: string): Promise<EvidenceOf<'fork'> | undefined> {
  try {
    const bytes = await readPublishedFile(path, EVIDENCE_BYTES_MAX);
    const evidence = bytes && parseEvidence(bytes);
    return evidence?.kind === 'fork' ? evidence : undefined;
  } catch (error) {
    if (isProtocolError(error) || isNodeError(error, 'DATA_INCONSISTENT') || isUnreadable(error))
      return undefined;
    throw error;
  }
}

function markOf(fingerprint: Uint8Array): string {
  return hexOf(fingerprint).slice(0, MARK_DIGITS);
}
