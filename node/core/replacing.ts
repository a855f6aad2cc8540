/**
 * The log that takes the place of the one which codes go into, where the root gives up a checkpoint key while nothing is signed: more of that one may have been signed than
 * is here, and no place in a log is given out twice. Spec: SPEC.md 5.1.
 */
import { type Primitives } from '../../protocol/primitives.ts';
import { attestationLogOrigin } from '../../protocol/log/origin.ts';
import { encodeStatement, signStatement } from '../../protocol/trust/statement.ts';
import { logInUse, nextInUse } from '../issuing/month-logs.ts';
import { NodeError } from '../node-error.ts';
import { type Clock } from '../ports.ts';
import { type LogShelf } from './log-shelf.ts';
import { type ShownTrees } from './shown-trees.ts';
import { type NodeKeys } from './writing-side.ts';

export interface ReplacingModules extends Pick<Primitives, 'verifySignature'> {
  readonly shelf: Pick<LogShelf, 'home' | 'ownLogs'>;
  readonly shown: Pick<ShownTrees, 'of'>;
  readonly keys: Pick<NodeKeys, 'trustLogBy'>;
  readonly clock: Pick<Clock, 'nowMs'>;
  /** Where witnesses fence whoever writes: what they know to be signed, a log that is empty here does not tell, and nothing is kept of what is shown. */
  readonly fence?: object | undefined;
  /** Told where no log is left for it. Must not throw. */
  readonly onTrouble?: (error: unknown) => void;
}

/**
 * These entries of the root with the announcement before them, or right behind the one that admits the key which signs it, so that a crash leaves both or neither, and whoever has the log from elsewhere knows of it. As they are
 * where they announce one themselves, where nobody fences, the log in use is empty here and nobody has shown more, and where the month has had all its replacements.
 * @throws {NodeError} REFUSED where the entries take the announcement back; as `keys.trustLogBy`, `RegionFold.stateAfter` and `ShownTrees.of`.
 */
export async function withReplacement(
  names: { readonly region: string; readonly network: string },
  entries: readonly Uint8Array[],
  { shelf: { home, ownLogs }, shown, keys, clock, fence, onTrouble }: ReplacingModules,
): Promise<readonly Uint8Array[]> {
  const nowS = Math.floor(clock.nowMs() / 1000);
  const inUse = logInUse(home.state, nowS);
  const after = await home.fold.stateAfter(entries);
  if (logInUse(after, nowS) !== inUse) return entries;
  const origin = attestationLogOrigin(names.region, names.network, inUse);
  const own = ownLogs.find((log) => log.origin === origin);
  const isEmpty = own?.tree.trouble === undefined && own?.tree.size === 0 && own.lacking === undefined;
  if (fence === undefined && isEmpty && own.left === undefined && (await shown.of(own)).length === 0)
    return entries;
  const log = nextInUse(home.state, nowS);
  if (log === undefined) {
    onTrouble?.(noneLeft(inUse));
    return entries;
  }
  // The key in force may be missing, or over, and what the entries admit be the first that can sign.
  const key = keys.trustLogBy(after, nowS);
  const announcedAt = (lastAtS: number): Uint8Array => {
    const body = encodeStatement({ kind: 'log', log, minimum: 0, at: Math.max(nowS, lastAtS) });
    return signStatement(home.origin, body, [{ keyId: key.keyId, sign: (message) => key.sign(message) }]);
  };
  for (let place = 0; place <= entries.length; place++) {
    const { lastAtS } = await home.fold.stateAfter(entries.slice(0, place));
    const all = [...entries.slice(0, place), announcedAt(lastAtS), ...entries.slice(place)];
    if (logInUse(await home.fold.stateAfter(all), nowS) === log) return all;
  }
  throw new NodeError(
    'REFUSED',
    `the log ${log}, into which codes are to go, would not be announced any more`,
    {
      hint: 'Give up the checkpoint keys first, and the trust-log key by an order of its own.',
    },
  );
}

function noneLeft(log: string): NodeError {
  return new NodeError('REFUSED', `the month of ${log} has had all logs that can take its place`, {
    hint: 'More of it may have been signed than is here: issue nothing before the next month, or give up all attest keys too (entente key compromise DIR --all-attest), so that no place counts twice.',
  });
}
