/**
 * Before a node signs anything, it asks its peers for its own last checkpoints. A restored backup, or a second process with the
 * same keys, shows by a later one with its own signature.
 */
import { isProtocolError } from '../../protocol/fault.ts';
import { parseCheckpoint } from '../../protocol/log/checkpoint.ts';
import { parseNote } from '../../protocol/log/note.ts';
import { logError } from '../log/log-error.ts';
import { isNodeError, NodeError } from '../node-error.ts';
import { type OwnLog } from '../core/own-log.ts';
import { type ShownTree, type ShownTrees } from '../core/shown-trees.ts';
import { type Puller } from './puller.ts';
import { type SyncClient } from './sync-client.ts';

export interface BootCheckOptions {
  /** Regions that must have answered. */
  readonly needed: number;
  /** Public keys that the root is about to give up: what they alone have signed binds nobody. */
  readonly givenUp?: readonly Uint8Array[];
}

export interface BootCheckModules {
  readonly client: SyncClient;
  readonly puller: Puller;
  /** The region of a peer; undefined for one of no region that counts. */
  readonly regionOf: (peer: string) => string | undefined;
  readonly logs: () => readonly OwnLog[];
  /** What peers showed before that is not here yet binds as if one showed it now: whoever did may be gone. */
  readonly shown: Pick<ShownTrees, 'of'>;
  /** False once the trust log has grown since `logs` was made: it may have announced further logs. */
  readonly isAllAsked: () => boolean;
}

/**
 * `clear`: enough regions answered, and none has more than we do. `alone`: too few answered. `behind`: one has more, or had until it
 * was fetched just now. `contradicted`: one has another tree with our signature.
 */
export type BootFinding =
  | { readonly finding: 'clear' }
  | { readonly finding: 'alone'; readonly answered: number; readonly needed: number }
  | {
      readonly finding: 'behind' | 'contradicted';
      readonly origin: string;
      readonly size: number;
      /** The region of the peer that knows of it, if it is of one. */
      readonly by?: string;
      /** The public keys of this region that signed what the peer knows of. */
      readonly signers?: readonly Uint8Array[];
      /** Seconds since 1970, where nobody shows it now, and it was kept from when somebody did. */
      readonly atS?: number;
      /** The root of this region has signed it, whatever peers know. */
      readonly isByRoot?: true;
    };

/** Asks everybody at once, and fetches what is missing. Rejects with what our own store rejects with. */
export async function checkOwnLogs(
  { needed, givenUp = [] }: BootCheckOptions,
  modules: BootCheckModules,
): Promise<BootFinding> {
  const { client, regionOf, logs, isAllAsked, shown } = modules;
  const answered = new Set<string>();
  const heads: Head[] = [];
  await Promise.all(
    client.peers().map(async (peer) => {
      try {
        const answer = await client.ask(peer, { kind: 'heads' });
        const region = regionOf(peer);
        if (region !== undefined) answered.add(region);
        for (const { note } of answer.heads)
          heads.push({ note, peer, ...(region !== undefined && { by: region }) });
      } catch (error) {
        if (!isProtocolError(error) && !isNodeError(error)) throw error;
      }
    }),
  );
  for (const log of logs()) {
    const finding = await compare(log, [...heads, ...(await shown.of(log))], { ...modules, givenUp });
    if (finding !== undefined) return finding;
  }
  const [first] = logs();
  if (first !== undefined && !isAllAsked()) {
    return { finding: 'behind', origin: first.origin, size: first.tree.size };
  }
  if (answered.size < needed) return { finding: 'alone', answered: answered.size, needed };
  return { finding: 'clear' };
}

/** What a node that does not sign answers; undefined where nothing is in the way. */
export function refusalOf(
  found: BootFinding,
  logs: ReadonlyMap<
    string,
    { readonly tree: { readonly size: number }; readonly refusal?: string | undefined }
  >,
): NodeError | undefined {
  switch (found.finding) {
    case 'clear':
      return undefined;
    case 'behind': {
      const { origin, size, by, atS } = found;
      const log = logs.get(origin);
      const held = log?.tree.size ?? 0;
      const refusal = log?.refusal === undefined ? '' : `; ${log.refusal}`;
      const message =
        size > held
          ? `${origin} has ${held} entries here, and ${seenBy(by)} ${size} with our signature${shownAt(atS)}${refusal}`
          : `${origin}: the store is empty, and the region has a log`;
      return logError('LOG_BEHIND', message);
    }
    case 'contradicted': {
      const { origin, size, by, isByRoot, atS } = found;
      const who = isByRoot === true ? 'the root of this region has signed' : seenBy(by);
      const how = isByRoot === true ? `, by a cut-off of ${size}` : ` with our signature${shownAt(atS)}`;
      return logError('LOG_CONTRADICTED', `${origin}: ${who} another tree${how}`);
    }
    case 'alone':
      return new NodeError(
        'PEER_UNREACHABLE',
        `${found.answered} of ${found.needed} peers that are needed have said that nothing of our logs is missing`,
        {
          retry: true,
          hint: 'Wait for them, or force it if this is the only node with the keys and its store is the newest.',
        },
      );
  }
}

function seenBy(region: string | undefined): string {
  return region === undefined ? 'others have seen' : `${region} has seen`;
}

function shownAt(atS: number | undefined): string {
  return atS === undefined ? '' : `, as was shown at ${new Date(atS * 1000).toISOString()}`;
}

/** `peer`: who shows it now. */
interface Head extends ShownTree {
  readonly peer?: string;
}

async function compare(
  log: OwnLog,
  heads: readonly Head[],
  { puller, givenUp }: BootCheckModules & Required<Pick<BootCheckOptions, 'givenUp'>>,
): Promise<BootFinding | undefined> {
  for (const { note, peer, by, atS } of heads) {
    try {
      const { origin, size } = parseCheckpoint(parseNote(note).text);
      if (origin !== log.origin) continue;
      // Nor is it fetched: whoever has such a key alone would add to the log while the root is about to end it.
      if (log.isOurs(note) && log.signersOf(note, givenUp).length === 0) continue;
      let heeded = await log.heed(note, undefined, by);
      if (heeded === 'behind' && peer !== undefined) {
        // What it brings may announce further logs of ours: the next check looks at those too.
        if (await puller.pull(log, peer)) return { finding: 'behind', origin, size };
        heeded = await log.heed(note);
      }
      const found = { origin, size, ...(by !== undefined && { by }), ...(atS !== undefined && { atS }) };
      if (heeded === 'forked')
        return { ...found, finding: 'contradicted', signers: log.signersOf(note, givenUp) };
      // Of what the root has signed something is missing: that one alone is not written, before peers are asked anew (`OwnLog.enter`). Who has more may write.
      if (heeded === 'behind' && log.isUncertain && size <= log.named) continue;
      // Only our own signature binds us: anybody can make a note.
      if (heeded === 'behind' && log.isOurs(note))
        return { ...found, finding: 'behind', signers: log.signersOf(note, givenUp) };
    } catch (error) {
      if (!isProtocolError(error)) throw error;
    }
  }
  return undefined;
}
