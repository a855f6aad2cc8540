/** What a writer hears when it asks its witnesses. Spec: SPEC.md 14.5.5, 19.3. */
import { equalBytes, hexOf } from '../../protocol/bytes.ts';
import { isProtocolError } from '../../protocol/fault.ts';
import { type Claim, type Permit } from '../../protocol/writer/word.ts';
import { logError } from '../log/log-error.ts';
import { isNodeError, NodeError } from '../node-error.ts';
import { type SyncClient } from '../sync/sync-client.ts';
import { permitsNeeded } from './electorate.ts';
import {
  encodeWriterRequest,
  parseWriterAnswer,
  WRITER_PROTOCOL,
  type WriterAnswer,
  type WriterRequest,
} from './writer-messages.ts';

export interface AskingModules {
  readonly client: Pick<SyncClient, 'peers' | 'request' | 'blaming'>;
  /** The region of a peer; undefined for a stranger. */
  readonly regionOf: (peer: string) => string | undefined;
}

/**
 * The answers by region, of those who gave one: once they are `enough`, or all that can be had. Of a region with several nodes a
 * refusal by a word counts before a grant, and that counts before none at all.
 */
export async function askWitnesses(
  { client, regionOf }: AskingModules,
  request: WriterRequest,
  witnesses: readonly string[],
  isEnough: (answers: ReadonlyMap<string, WriterAnswer>) => boolean = () => false,
): Promise<ReadonlyMap<string, WriterAnswer>> {
  const answers = new Map<string, WriterAnswer>();
  const bytes = encodeWriterRequest(request);
  let enough: () => void = () => undefined;
  const isAnswered = new Promise<void>((resolve) => (enough = resolve));
  const asking = client.peers().map(async (peer) => {
    const region = regionOf(peer);
    if (region === undefined || !witnesses.includes(region)) return;
    try {
      const answer = parseWriterAnswer(await client.request(peer, WRITER_PROTOCOL, bytes));
      const known = answers.get(region);
      if (known === undefined || weightOf(answer) > weightOf(known)) answers.set(region, answer);
      if (isEnough(answers)) enough();
    } catch (error) {
      if (!isProtocolError(error) && !isNodeError(error)) throw error;
    }
  });
  await Promise.race([Promise.all(asking), isAnswered]);
  return new Map(answers);
}

function weightOf({ kind }: WriterAnswer): number {
  return kind === 'refused' ? 0 : kind === 'fenced' || kind === 'taken' ? 2 : 1;
}

/** Not a quorum. Whoever does not know the key that asks is told apart from whoever does not answer. */
export function tooFew(
  found: number,
  needed: number,
  what: string,
  answers: ReadonlyMap<string, WriterAnswer> = new Map(),
): NodeError {
  const message = `${found} of ${needed} witnesses that are needed have ${what}`;
  const strangers = [...answers].flatMap(([region, answer]) =>
    answer.kind === 'refused' && answer.reason === 'unsigned' ? [region] : [],
  );
  if (strangers.length === 0)
    return new NodeError('PEER_UNREACHABLE', message, {
      retry: true,
      hint: 'Wait until more of the regions that this one recognises are connected.',
    });
  return new NodeError(
    'PEER_UNREACHABLE',
    `${message}; ${strangers.join(', ')} does not know the key that asks`,
    {
      retry: true,
      hint: 'Wait until they hold the trust log of this region up to the statement of its keys. If its root gave that key up and the log does not have it, give the same order once more.',
    },
  );
}

/**
 * For a writer that was let write before.
 * @throws {NodeError} LOG_BEHIND if so many do not know its key any more that no quorum is left: nothing can be signed, whatever they mean by it.
 */
export function requireKnown(
  answers: ReadonlyMap<string, WriterAnswer>,
  witnesses: readonly string[] = [],
): void {
  const strangers = witnesses.filter((region) => {
    const answer = answers.get(region);
    return answer?.kind === 'refused' && answer.reason === 'unsigned';
  });
  if (witnesses.length - strangers.length >= permitsNeeded(witnesses.length)) return;
  throw logError(
    'LOG_BEHIND',
    `${strangers.join(', ')} take no words by the key of this machine any more: the root may have given it up`,
  );
}

/** Somebody else writes: by his claim, where one is known, to the machine of this public key. */
export function fencedBy(claim: Claim | undefined, writer: Uint8Array): NodeError {
  if (claim === undefined)
    return logError('LOG_FENCED', 'no witness has let this process write, or a copy of it writes as well');
  const isOwn = equalBytes(claim.writer, writer);
  const who = isOwn ? 'another process with the keys of this machine' : `node ${hexOf(claim.writer)}`;
  const since = new Date(claim.at * 1000).toISOString().replace(/\.\d+Z$/, 'Z');
  return logError('LOG_FENCED', `${who} writes for this region since ${since}, epoch ${claim.epoch}`);
}

/** The one after the highest that is known. @throws {NodeError} REFUSED if there is none. */
export function nextEpoch(last: number): number {
  if (last < Number.MAX_SAFE_INTEGER) return last + 1;
  throw new NodeError('REFUSED', 'a key of this region has claimed the last epoch that there is', {
    hint: 'Only a thief does that. Give the checkpoint key up, on the machine that is to write: entente key compromise DIR --key ID --cut-off trust=now.',
  });
}

export function behindOf({ origin, size }: Pick<Permit, 'origin' | 'size'>): NodeError {
  return logError('LOG_BEHIND', `${origin}: the writer before had ${size} entries permitted`);
}
