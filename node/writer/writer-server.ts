/** Answering the writers of other regions. Spec: SPEC.md 14.5.5. */
import { isProtocolError, ProtocolError } from '../../protocol/fault.ts';
import { parseOrigin, trustLogOrigin } from '../../protocol/log/origin.ts';
import { type LoggedStatement } from '../../protocol/trust/naming.ts';
import { parseClaim, parsePermit } from '../../protocol/writer/word.ts';
import { type VerifierKey } from '../../protocol/log/verifier-key.ts';
import { type Network } from '../ports.ts';
import { type PeerBook } from '../sync/peer-book.ts';
import { type BookDecision, type WriterBook } from './writer-book.ts';
import {
  encodeWriterAnswer,
  parseWriterRequest,
  WRITER_PROTOCOL,
  type WriterAnswer,
  type WriterRequest,
} from './writer-messages.ts';
import { type RootWord } from './writer-memory.ts';
import { type WriterRecord } from './writer-record.ts';
import { isOfSameReign } from './writer-rule.ts';

export interface WriterServerModules {
  readonly network: Network;
  readonly book: PeerBook;
  readonly writers: WriterBook;
  readonly keysOf: (origin: string) => readonly VerifierKey[] | undefined;
  /** What such statements say of the keys of a trust log; undefined unless the root of that log, as it is known here, has signed them. */
  readonly rootWord: (origin: string, statements: readonly LoggedStatement[]) => RootWord | undefined;
  /** Whether this node speaks for its region now: of two memories that take turns, neither would be one. */
  readonly isWitness: () => boolean;
}

export class WriterServer {
  readonly #modules: WriterServerModules;

  constructor(modules: WriterServerModules) {
    this.#modules = modules;
  }

  start(): void {
    this.#modules.network.handle(WRITER_PROTOCOL, (peer, request) => this.answer(peer, request));
  }

  /** The answer to any bytes. @throws {NodeError} as `WriterBook.claim`: nothing is promised then, ask again. */
  async answer(peer: string, request: Uint8Array): Promise<Uint8Array> {
    try {
      return encodeWriterAnswer(await this.#answer(parseWriterRequest(request)));
    } catch (error) {
      if (!isProtocolError(error)) throw error;
      this.#modules.book.fault(peer, error);
      return encodeWriterAnswer({ kind: 'refused', reason: 'malformed' });
    }
  }

  async #answer(request: WriterRequest): Promise<WriterAnswer> {
    const { writers, keysOf, isWitness } = this.#modules;
    if (!isWitness()) return { kind: 'refused', reason: 'standby' };
    if (request.kind === 'writer') {
      const { origin } = request;
      requireTrustLog(origin);
      if (keysOf(origin) === undefined) return { kind: 'refused', reason: 'unknown-region' };
      return recordOf(await writers.record(origin));
    }
    if (request.kind === 'given-up') {
      const { origin, statements } = request;
      requireTrustLog(origin);
      if (keysOf(origin) === undefined) return { kind: 'refused', reason: 'unknown-region' };
      const said = this.#modules.rootWord(origin, statements);
      return said === undefined ? UNSIGNED : recordOf(await writers.heed(origin, said));
    }
    const claim = parseClaim(request.claim);
    if (keysOf(claim.word.origin) === undefined) return { kind: 'refused', reason: 'unknown-region' };
    if (request.kind === 'claim') return answerOf(await writers.claim(claim), recordOf);
    const permit = parsePermit(request.permit);
    if (trustLogOf(permit.word.origin) !== claim.word.origin || !isOfSameReign(permit.word, claim.word))
      throw new ProtocolError('SCHEMA_INVALID', 'expected a permit under the claim that comes with it');
    return answerOf(await writers.permit(claim, permit), () => ({ kind: 'permitted' }));
  }
}

/** The name of the trust log of the region that a log is of. @throws {ProtocolError} ORIGIN_INVALID */
export function trustLogOf(origin: string): string {
  const { region, network } = parseOrigin(origin);
  return trustLogOrigin(region, network);
}

function requireTrustLog(origin: string): void {
  if (parseOrigin(origin).kind === 'trust') return;
  throw new ProtocolError('ORIGIN_INVALID', 'expected the name of a trust log');
}

const UNSIGNED: WriterAnswer = { kind: 'refused', reason: 'unsigned' };

/** What a witness says to a decision. */
export function answerOf(
  decision: BookDecision,
  granted: (record: WriterRecord) => WriterAnswer,
): WriterAnswer {
  if (decision.granted) return granted(decision.record);
  if (decision.refusal === 'unsigned') return UNSIGNED;
  if (decision.refusal === 'fenced') return { kind: 'fenced', claim: decision.claim.bytes };
  return { kind: 'taken', permit: decision.permit.bytes };
}

export function recordOf({ claim, permits }: WriterRecord): Extract<WriterAnswer, { kind: 'record' }> {
  return {
    kind: 'record',
    ...(claim !== undefined && { claim: claim.bytes }),
    permits: [...permits.values()].map(({ bytes }) => bytes),
  };
}
