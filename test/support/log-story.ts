/** Nodes that tell of a log what a test wants, signed by its key as any. */
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
import { forkMessage } from '../../node/sync/sync-server.ts';
import { type ForkEvidence } from '../../protocol/evidence/fork.ts';
import { readNote } from '../../protocol/log/checkpoint.ts';
import { type LoggedStatement } from '../../protocol/trust/naming.ts';
import { type ReferenceTree } from './reference-tree.ts';

export interface LogStory {
  readonly origin: string;
  readonly tree: ReferenceTree;
  readonly note: Uint8Array;
  /** Proofs of forks that it claims to have, whatever they are worth. */
  readonly slander?: readonly ForkEvidence[];
  /** What its root says of branches. */
  readonly naming?: readonly LoggedStatement[];
}

/** From then on whoever handles `sync` on this network tells its logs, and of one of them this story. */
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

/** What a node says that knows this story and nothing else. */
export function answerOf(
  asked: SyncRequest,
  { origin, tree, note, slander = [], naming = [] }: LogStory,
): SyncAnswer {
  const size = tree.entries.length;
  const missing = { kind: 'refused', reason: 'not-there' } as const;
  if ('origin' in asked && asked.origin !== origin && asked.kind !== 'forks') return missing;
  switch (asked.kind) {
    case 'heads':
      return { kind: 'heads', heads: [{ note, forks: slander.length }] };
    case 'forks':
      return { kind: 'forks', forks: slander.map(forkMessage) };
    case 'range': {
      const { from } = asked;
      return from >= size
        ? missing
        : { kind: 'range', from, entries: tree.entries.slice(from), note, path: [] };
    }
    case 'claim': {
      const path = asked.size >= size ? [] : tree.proof(asked.size);
      return asked.size > size
        ? missing
        : { kind: 'claim', size: asked.size, root: tree.root(asked.size), path, note };
    }
    case 'naming':
      return { kind: 'naming', statements: [...naming], note };
    case 'evidence':
      return { kind: 'evidence', files: [] };
    case 'leaf':
      return missing;
  }
}
