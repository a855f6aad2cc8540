/**
 * Whether the own attestation logs are what the region's root has signed of them, by the cut-offs of checkpoint keys that it gave up: of what such a
 * key signed, nobody can be heeded, and a backup that is put back has forgotten it. Spec: SPEC.md 14.5.1.
 */
import { equalBytes } from '../../protocol/bytes.ts';
import { type BootFinding, refusalOf } from '../sync/boot-check.ts';
import { cutOffsOf, namedSize } from '../trust/cut-offs.ts';
import { type LogShelf } from './log-shelf.ts';

/**
 * A log that has another tree at its largest cut-off: then nothing is signed of any. One that is shorter waits for what it lacks (`OwnLog.enter`), alone.
 * Rejects as reading the logs.
 */
export async function findNamed(
  { home }: Pick<LogShelf, 'home'>,
  logs: LogShelf['ownLogs'],
): Promise<BootFinding | undefined> {
  for (const { origin, tree } of logs) {
    const size = namedSize(home.state, origin);
    // Of what is pruned nobody can tell.
    if (size > tree.size || size <= tree.head.minimum) continue;
    const root = await tree.reader.rootAt(size);
    if (cutOffsOf(home.state, origin).some((one) => one.size === size && !equalBytes(one.root, root)))
      return { finding: 'contradicted', origin, size, isByRoot: true };
  }
  return undefined;
}

/**
 * The same once nothing more is taken of the own logs, and before anything of them is signed: what was on its way until then may have brought a cut-off.
 * From then on those that lack entries go on to catch up, and the others are written. The former are written after the next start.
 * @throws {NodeError} LOG_CONTRADICTED. Rejects also as `TrustKeeper.advance`, `LogShelf.followAll` and reading the logs.
 */
export async function requireNamed(shelf: LogShelf): Promise<void> {
  await shelf.home.advance();
  await shelf.followAll();
  await refuseOthers(shelf, shelf.ownLogs);
  for (const log of shelf.ownLogs) log.look({ isAnew: false });
}

/** Once an attestation log is about to be written. @throws {NodeError} as `OwnLog.enter`; LOG_CONTRADICTED. Rejects also as reading the log. */
export async function enterLog(shelf: LogShelf, origin: string): Promise<void> {
  const logs = shelf.ownLogs.filter((log) => log.origin === origin);
  for (const log of logs) await log.enter();
  await refuseOthers(shelf, logs);
}

async function refuseOthers(shelf: LogShelf, logs: LogShelf['ownLogs']): Promise<void> {
  const found = await findNamed(shelf, logs);
  const refusal = found && refusalOf(found, shelf.logs);
  if (refusal !== undefined) throw refusal;
}
