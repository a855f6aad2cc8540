/** A node that tells its true logs, and of one attestation log what a test wants: signed by its key as any. */
import { type Network } from '../../node/ports.ts';
import {
  type AnswerTo,
  encodeAnswer,
  parseAnswer,
  parseRequest,
  SYNC_PROTOCOL,
  type SyncAnswer,
  type SyncRequest,
} from '../../node/sync/messages.ts';
import { readNote } from '../../protocol/log/checkpoint.ts';
import { type ReferenceTree } from './reference-tree.ts';

export interface LogStory {
  readonly origin: string;
  readonly tree: ReferenceTree;
  readonly note: Uint8Array;
}

/** From then on whoever handles `sync` on this network tells this story. */
export function tellStory(network: Network, story: LogStory): void {
  const handle = network.handle.bind(network);
  network.handle = (protocol, handler) => {
    if (protocol !== SYNC_PROTOCOL) return handle(protocol, handler);
    handle(protocol, async (peer, request, signal) => {
      const asked = parseRequest(request);
      if ('origin' in asked && asked.origin === story.origin) return encodeAnswer(answerOf(asked, story));
      const answer = parseAnswer(await handler(peer, request, signal));
      return encodeAnswer(answer.kind === 'heads' ? headsWith(story, answer) : answer);
    });
  };
}

function headsWith({ origin, note }: LogStory, { kind, heads }: AnswerTo<'heads'>): SyncAnswer {
  const others = heads.filter((head) => readNote(head.note).checkpoint.origin !== origin);
  return { kind, heads: [...others, { note, forks: 0 }] };
}

function answerOf(asked: SyncRequest, { tree, note }: LogStory): SyncAnswer {
  if (asked.kind === 'range')
    return { kind: 'range', from: asked.from, entries: tree.entries.slice(asked.from), note, path: [] };
  return { kind: 'refused', reason: 'not-there' };
}
