/**
 * Cosigning for others over the network: the request is the body of C2SP tlog-witness add-checkpoint, byte for byte; the answer is
 * the status that document names, in a line of its own, and the body that belongs to it. Spec: SPEC.md 14.5.3.
 */
import { ProtocolError } from '../../protocol/fault.ts';
import { decodeUtf8, utf8Bytes } from '../../protocol/encoding/utf8.ts';
import { type NoteSignature } from '../../protocol/log/signature-line.ts';
import { type Network } from '../ports.ts';
import { WITNESS_PROTOCOL } from '../sync/messages.ts';
import { type PeerBook } from '../sync/peer-book.ts';
import { type SyncClient } from '../sync/sync-client.ts';
import { type AddCheckpoint, encodeAddCheckpoint } from './add-checkpoint.ts';
import { type WitnessAnswer, witnessAnswerOf } from './witness-answer.ts';
import { type WitnessDesk } from './witness-desk.ts';

/** Bytes of an answer: a status and one signature line of the longest name. */
export const WITNESS_ANSWER_BYTES_MAX = 1_024;

export interface WitnessServerModules {
  readonly network: Network;
  readonly book: PeerBook;
  readonly witnessDesk: Pick<WitnessDesk, 'replyTo'>;
}

export class WitnessServer {
  readonly #modules: WitnessServerModules;

  constructor(modules: WitnessServerModules) {
    this.#modules = modules;
  }

  start(): void {
    this.#modules.network.handle(WITNESS_PROTOCOL, (peer, request) => this.answer(peer, request));
  }

  /** The answer to any bytes. Rejects as `WitnessDesk.replyTo`: nothing was cosigned, ask later. */
  async answer(peer: string, request: Uint8Array): Promise<Uint8Array> {
    const { witnessDesk, book } = this.#modules;
    const { status, body, fault } = await witnessDesk.replyTo(request);
    if (fault !== undefined) book.fault(peer, fault);
    return utf8Bytes(`${status}\n${body}`);
  }
}

/** What a peer's witness answered; see `witnessAnswerOf`. */
export type PeerAnswer =
  | { readonly cosigns: true; readonly line: NoteSignature }
  | Extract<WitnessAnswer, { readonly cosigns: false }>;

/** Asks a peer to cosign. Rejects as `SyncClient.request`, and as `parseWitnessAnswer`: that is on the peer's record by then. */
export async function askWitness(
  client: Pick<SyncClient, 'request' | 'blaming'>,
  peer: string,
  asked: AddCheckpoint,
): Promise<PeerAnswer> {
  const bytes = await client.request(peer, WITNESS_PROTOCOL, encodeAddCheckpoint(asked));
  return client.blaming(peer, () => parseWitnessAnswer(bytes));
}

/** @throws {ProtocolError} TOO_LARGE; NOTE_MALFORMED for anything that a witness does not answer; SIZE_INVALID beyond 2^53-1. */
export function parseWitnessAnswer(bytes: Uint8Array): PeerAnswer {
  if (bytes.length > WITNESS_ANSWER_BYTES_MAX) {
    throw new ProtocolError('TOO_LARGE', 'expected a shorter answer of a witness', { bytes: bytes.length });
  }
  const text = decodeUtf8(bytes, 'NOTE_MALFORMED');
  const status = /^([0-9]{3})\n/.exec(text)?.[1];
  const body = text.slice(4);
  const answer = status === undefined ? undefined : witnessAnswerOf(Number(status), body);
  if (answer?.cosigns === true) {
    const [line, second] = answer.lines;
    if (line !== undefined && second === undefined) return { cosigns: true, line };
  } else if (answer !== undefined && (body === '' || answer.refusal === 'conflict')) return answer;
  throw new ProtocolError('NOTE_MALFORMED', 'expected the answer of a witness');
}
