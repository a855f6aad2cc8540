/**
 * Cosigning for others over the network: the request is the body of C2SP tlog-witness add-checkpoint, byte for byte; the answer is
 * the status that document names, in a line of its own, and the body that belongs to it. Spec: SPEC.md 14.5.3.
 */
import { ProtocolError } from '../../protocol/fault.ts';
import { decodeUtf8, utf8Bytes } from '../../protocol/encoding/utf8.ts';
import { type NoteSignature, parseSignatureLines } from '../../protocol/log/signature-line.ts';
import { type Network } from '../ports.ts';
import { WITNESS_PROTOCOL } from '../sync/messages.ts';
import { type PeerBook } from '../sync/peer-book.ts';
import { type SyncClient } from '../sync/sync-client.ts';
import { type AddCheckpoint, encodeAddCheckpoint } from './add-checkpoint.ts';
import { STATUS, type WitnessDesk } from './witness-desk.ts';
import { type WitnessRefusal } from './witness-rule.ts';

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

/** What a witness answered; `unsigned` stands for `unfit` as well, which the status does not tell apart. */
export type WitnessAnswer =
  | { readonly cosigns: true; readonly line: NoteSignature }
  | { readonly cosigns: false; readonly refusal: WitnessRefusal; readonly size?: number };

/** Asks a peer to cosign. Rejects as `SyncClient.request`, and as `parseWitnessAnswer`: that is on the peer's record by then. */
export async function askWitness(
  client: Pick<SyncClient, 'request' | 'blaming'>,
  peer: string,
  asked: AddCheckpoint,
): Promise<WitnessAnswer> {
  const bytes = await client.request(peer, WITNESS_PROTOCOL, encodeAddCheckpoint(asked));
  return client.blaming(peer, () => parseWitnessAnswer(bytes));
}

/** @throws {ProtocolError} TOO_LARGE; NOTE_MALFORMED for anything that a witness does not answer; SIZE_INVALID beyond 2^53-1. */
export function parseWitnessAnswer(bytes: Uint8Array): WitnessAnswer {
  if (bytes.length > WITNESS_ANSWER_BYTES_MAX) {
    throw new ProtocolError('TOO_LARGE', 'expected a shorter answer of a witness', { bytes: bytes.length });
  }
  const text = decodeUtf8(bytes, 'NOTE_MALFORMED');
  const status = text.slice(0, 4);
  const body = text.slice(4);
  if (status === '200\n') {
    const [line, second] = parseSignatureLines(body);
    if (line !== undefined && second === undefined) return { cosigns: true, line };
  }
  if (status === '409\n' && /^(0|[1-9][0-9]{0,15})\n$/.test(body)) {
    const size = Number(body);
    if (!Number.isSafeInteger(size)) throw new ProtocolError('SIZE_INVALID', 'the size is beyond 2^53-1');
    return { cosigns: false, refusal: 'conflict', size };
  }
  const refusal = REFUSALS.get(status);
  if (refusal !== undefined && body === '') return { cosigns: false, refusal };
  throw new ProtocolError('NOTE_MALFORMED', 'expected the answer of a witness');
}

const REFUSALS: ReadonlyMap<string, WitnessRefusal> = new Map(
  (Object.keys(STATUS) as WitnessRefusal[])
    .filter((refusal) => refusal !== 'conflict' && refusal !== 'unfit')
    .map((refusal) => [`${STATUS[refusal]}\n`, refusal]),
);
