/**
 * Whether the own attestation logs are what the region's root has signed of them, by the cut-offs of checkpoint keys that it gave up: of what such a
 * key signed, nobody can be heeded, and a backup that is put back has forgotten it. Spec: SPEC.md 14.5.1.
 */
import { equalBytes, hexOf } from '../../protocol/bytes.ts';
import { readNote } from '../../protocol/log/checkpoint.ts';
import { parseOrigin } from '../../protocol/log/origin.ts';
import { parseEntry } from '../../protocol/trust/statement.ts';
import { logError } from '../log/log-error.ts';
import { NodeError } from '../node-error.ts';
import { type BootFinding, refusalOf } from '../sync/boot-check.ts';
import { cutOffsOf, namedSize } from '../trust/cut-offs.ts';
import { type LogShelf } from './log-shelf.ts';
import { type OwnLog } from './own-log.ts';
import { type ShownTrees } from './shown-trees.ts';
import { type WritingSide } from './writing-side.ts';

interface ShownModules {
  readonly shelf: LogShelf;
  readonly shown: Pick<ShownTrees, 'of'>;
}

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

/** The trust log where somebody signed another, and the root has not said which goes on: then nothing is signed of any log. */
export function findForked({ home }: Pick<LogShelf, 'home'>): BootFinding | undefined {
  const { origin, tree, standingForks } = home;
  return standingForks.length === 0 ? undefined : { finding: 'contradicted', origin, size: tree.size };
}

/** @throws {NodeError} LOG_CONTRADICTED as `findForked` finds it. */
export function requireUnforked(shelf: Pick<LogShelf, 'home' | 'logs'>): void {
  refuse(shelf, findForked(shelf));
}

/** A log of which nothing is signed before peers are asked anew, and that lacks nothing any more. Rejects as `LogTree.head`. */
export function findCaughtUp({ ownLogs }: Pick<LogShelf, 'ownLogs'>): OwnLog | undefined {
  return ownLogs.find(
    (log) => log.isUncertain && log.tree.trouble === undefined && log.lacking === undefined,
  );
}

/** Why a node looks anew whether it may sign: it has by now what a log lacked that is not signed before. Rejects as `LogTree.head`. */
export function askAgain(shelf: Pick<LogShelf, 'ownLogs'>): NodeError | undefined {
  const log = findCaughtUp(shelf);
  return log && logError('LOG_BEHIND', `${log.origin} lacks nothing any more: peers are asked anew`);
}

/**
 * `findForked` and `findNamed` once nothing more is taken of the own logs, and before anything of them is signed: what was on its way until then may have brought a cut-off.
 * From then on those that lack entries go on to catch up, and the others are written. The former are written after the next start.
 * @throws {NodeError} LOG_CONTRADICTED; LOG_BEHIND as `requireUnshown`. Rejects also as `TrustKeeper.advance`, `LogShelf.followAll` and reading the logs.
 */
export async function requireNamed({ shelf, shown }: ShownModules): Promise<void> {
  await shelf.home.advance();
  await shelf.followAll();
  requireUnforked(shelf);
  await refuseOthers(shelf, shelf.ownLogs);
  await requireUnshown({ shelf, shown });
  for (const log of shelf.ownLogs) log.look({ isAnew: false });
}

/**
 * Once nothing more is taken of the own logs: peers may have shown more of one since they were asked. `givenUp`: public keys of which nothing is heeded.
 * @throws {NodeError} LOG_BEHIND, LOG_CONTRADICTED. Rejects also as `ShownTrees.of`.
 */
export async function requireUnshown(
  { shelf, shown }: ShownModules,
  givenUp: readonly Uint8Array[] = [],
): Promise<void> {
  for (const log of shelf.ownLogs) {
    await log.settled();
    for (const { note, by } of await shown.of(log)) {
      const { origin, size } = readNote(note).checkpoint;
      if (size <= log.named || log.signersOf(note, givenUp).length === 0) continue;
      const finding = size > log.tree.size ? 'behind' : 'contradicted';
      refuse(shelf, { finding, origin, size, ...(by !== undefined && { by }) });
    }
  }
}

/** Once an attestation log is about to be written. @throws {NodeError} as `OwnLog.enter`; LOG_CONTRADICTED. Rejects also as reading the log. */
export async function enterLog(shelf: LogShelf, origin: string): Promise<void> {
  const logs = shelf.ownLogs.filter((log) => log.origin === origin);
  for (const log of logs) await log.enter();
  await refuseOthers(shelf, logs);
}

/**
 * The own attestation logs of which entries that are about to be logged sign more than is here, by the cut-offs of checkpoint keys: to be left (`leaveLacking`) before that is logged.
 * @throws {NodeError} REFUSED where a log has another tree there than such a cut-off says. Rejects also as `RegionFold.stateAfter` and reading the logs.
 */
export async function lackingBy(
  { home, ownLogs }: Pick<LogShelf, 'home' | 'ownLogs'>,
  entries: readonly Uint8Array[],
): Promise<readonly OwnLog[]> {
  const given = entries.flatMap((entry) => {
    const { statement } = parseEntry(entry);
    return statement.kind === 'compromise' ? [statement] : [];
  });
  if (given.length === 0) return [];
  const after = await home.fold.stateAfter(entries);
  const ofLogs = given.filter(({ key }) => after.key(hexOf(key))?.role === 'checkpoint');
  const lacking = new Set<OwnLog>();
  for (const { log: name, size, root } of ofLogs.flatMap(({ cutoffs }) => cutoffs)) {
    const log = ownLogs.find(({ origin }) => isAttestationLog(origin, name));
    if (log === undefined) continue;
    const { tree, origin } = log;
    // Of one that is in trouble nobody can tell.
    if (tree.trouble !== undefined || size > tree.size) lacking.add(log);
    else if (size > tree.head.minimum && !equalBytes(await tree.reader.rootAt(size), root))
      throw new NodeError('REFUSED', `${origin} has another tree of ${size} entries here than the cut-off`, {
        hint: 'Name the tree that is here, or log this on the machine that has the other.',
      });
  }
  return [...lacking];
}

/**
 * Ends what `side` has in hand of the logs that lack what entries which are about to be logged sign of them (`lackingBy`). From then on they are as those that were found to lack
 * entries when it began to sign. What was in hand may make another tree than the root names, or all of it: so it looks anew behind that, and a log that lacks nothing then is
 * written on. Rejects as `lackingBy` and `WritingSide.leave`: nothing is to be logged then, and all logs are written on.
 */
export async function leaveLacking(
  shelf: Pick<LogShelf, 'home' | 'ownLogs'>,
  entries: readonly Uint8Array[],
  side: Pick<WritingSide, 'leave'>,
): Promise<void> {
  const left = new Set<OwnLog>();
  /** Of those that were left, those that were written until then. */
  const written = new Set<OwnLog>();
  let kept: readonly OwnLog[] = [];
  try {
    for (;;) {
      const lacking = await lackingBy(shelf, entries);
      const more = lacking.filter((log) => !left.has(log));
      for (const log of more) {
        left.add(log);
        if (!log.isUncertain) written.add(log);
        log.suspend();
      }
      kept = lacking;
      if (more.length === 0) break;
      kept = [];
      for (const log of more) {
        await side.leave(log.origin);
        log.look({ isAnew: false });
      }
    }
  } finally {
    for (const log of written) if (!kept.includes(log)) log.resume();
  }
}

function isAttestationLog(origin: string, name: string): boolean {
  const parsed = parseOrigin(origin);
  return parsed.kind === 'attest' && parsed.log === name;
}

async function refuseOthers(shelf: LogShelf, logs: LogShelf['ownLogs']): Promise<void> {
  refuse(shelf, await findNamed(shelf, logs));
}

function refuse(shelf: Pick<LogShelf, 'logs'>, found: BootFinding | undefined): void {
  const refusal = found && refusalOf(found, shelf.logs);
  if (refusal !== undefined) throw refusal;
}
