/** Whether entries of the root say which branch of the own trust log goes on: all that is logged while somebody else signs with the region's keys. */
import { equalBytes, hexOf } from '../../protocol/bytes.ts';
import { type ForkEvidence } from '../../protocol/evidence/fork.ts';
import { openCheckpoint } from '../../protocol/log/checkpoint.ts';
import { type Primitives } from '../../protocol/primitives.ts';
import { parseEntry } from '../../protocol/trust/statement.ts';
import { type TrustState } from '../../protocol/trust/trust-state.ts';
import { NodeError } from '../node-error.ts';
import { logVerifierKeys } from '../trust/log-keys.ts';
import { type TrustKeeper } from '../trust/trust-keeper.ts';
import { withLeftOut } from './left-out.ts';
import { type WritingSide } from './writing-side.ts';

/**
 * @throws {NodeError} REFUSED unless each entry has effect where it is about to stand, one of them gives up a checkpoint key with a
 * cut-off for `trust`, and after them no known proof of a fork stands. Rejects also as `RegionFold.stateAfter`.
 */
export async function requireNaming(
  home: TrustKeeper,
  entries: readonly Uint8Array[],
  modules: Primitives,
): Promise<void> {
  const finding = await home.fold.firstFindingOf(entries);
  if (finding !== undefined) throw refused(`entry ${finding.index} would have no effect: ${finding.reason}`);
  const after = await home.fold.stateAfter(entries);
  if (!after.keysWithRole('checkpoint').some(({ keyId }) => isNewlyNamed(keyId, home.state, after)))
    throw refused('the root has not said which branch goes on');
  const [fork] = home.forksStandingBy(after);
  if (fork === undefined) return;
  const refusal = refused('a proof that the log forked would stand: another key has signed it too');
  const signers = await signersBeside(home, fork, after, modules);
  throw withLeftOut(refusal, signers, checkpointsGivenUp(home, entries), modules.sha256);
}

/** Which keys that `after` does not give up have signed what a proof shows of a log that is not here. Rejects as reading the log. */
async function signersBeside(
  { origin, tree }: TrustKeeper,
  { size, sides }: ForkEvidence,
  after: TrustState,
  { sha256, verifySignature }: Primitives,
): Promise<Uint8Array[]> {
  const isHere = size <= tree.size && size > tree.head.minimum;
  const root = isHere ? await tree.reader.rootAt(size) : undefined;
  const keys = logVerifierKeys(sha256, after, origin);
  return sides
    .filter((side) => root === undefined || !equalBytes(side.root, root))
    .flatMap(({ note }) => openCheckpoint(note, keys, verifySignature).signers)
    .map(({ publicKey }) => publicKey);
}

/**
 * Logs entries of which `requireNaming` holds, ends `side` and gives the index of the first. `settle`: called before a fresh key signs anything of the other logs.
 * Rejects as `WritingSide.submit`, `settle` and `WritingSide.renew`.
 */
export async function logNaming(
  side: WritingSide,
  entries: readonly Uint8Array[],
  settle: () => Promise<void>,
): Promise<number> {
  try {
    const receipts = await Promise.all(entries.map((entry) => side.submit({ entry })));
    await settle();
    await side.renew();
    return Math.min(...receipts.map(({ index }) => index));
  } finally {
    await side.stop();
  }
}

/** The checkpoint keys of the log that entries give up, be it in a way that has no effect: their public keys. */
export function checkpointsGivenUp({ state }: TrustKeeper, entries: readonly Uint8Array[]): Uint8Array[] {
  return entries.flatMap((entry) => {
    const { statement } = parseEntry(entry);
    const key = statement.kind === 'compromise' ? state.key(hexOf(statement.key)) : undefined;
    return key?.role === 'checkpoint' ? [key.publicKey] : [];
  });
}

function isNewlyNamed(keyId: string, before: TrustState, after: TrustState): boolean {
  const { version, cutOffs } = after.key(keyId)?.compromise ?? {};
  return cutOffs?.has('trust') === true && version !== before.key(keyId)?.compromise?.version;
}

function refused(message: string): NodeError {
  return new NodeError('REFUSED', `somebody else signs with the keys of this region, and ${message}`, {
    hint: 'Give up each key that signed the other log: entente key compromise DIR --key ID --cut-off trust=now. That says, by the root, that the log which is here goes on.',
  });
}
