/**
 * Whether the own attestation logs are all that the region's root has signed of them, by the cut-offs of checkpoint keys that it gave up: of what such a
 * key signed, nobody can be heeded, and a backup that is put back has forgotten it. Spec: SPEC.md 14.5.1.
 */
import { equalBytes } from '../../protocol/bytes.ts';
import { type BootFinding, refusalOf } from '../sync/boot-check.ts';
import { cutOffsOf } from '../trust/cut-offs.ts';
import { type LogShelf } from './log-shelf.ts';

/** A log that is shorter than its largest cut-off, or has another tree there; undefined where there is none. Rejects as reading the logs. */
export async function findNamed({ home, ownLogs }: LogShelf): Promise<BootFinding | undefined> {
  for (const { origin, tree } of ownLogs) {
    const named = cutOffsOf(home.state, origin);
    const size = Math.max(0, ...named.map((one) => one.size));
    if (size > tree.size) return { finding: 'behind', origin, size, isByRoot: true };
    // Of what is pruned nobody can tell.
    if (size <= tree.head.minimum) continue;
    const root = await tree.reader.rootAt(size);
    if (named.some((one) => one.size === size && !equalBytes(one.root, root)))
      return { finding: 'contradicted', origin, size, isByRoot: true };
  }
  return undefined;
}

/**
 * The same once nothing more is taken of the own logs, and before anything of them is signed: what was on its way until then may have brought a cut-off.
 * @throws {NodeError} LOG_BEHIND, LOG_CONTRADICTED. Rejects also as `TrustKeeper.advance`, `LogShelf.followAll` and reading the logs.
 */
export async function requireNamed(shelf: LogShelf): Promise<void> {
  await shelf.home.advance();
  await shelf.followAll();
  const found = await findNamed(shelf);
  const refusal = found && refusalOf(found, shelf.logs);
  if (refusal !== undefined) throw refusal;
}
