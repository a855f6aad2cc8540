/** The byte that every frame of an answer begins with. Spec: SPEC.md 14.2. */
import { ProtocolError } from '../../protocol/fault.ts';
import { NodeError, type NodeErrorCode } from '../node-error.ts';
import { CHUNK_BYTES_MAX } from './network-limits.ts';

/**
 * `end`: the last frame of the answer. `more`: others follow. The rest are last frames without a payload: `malformed`, the request
 * breaks the protocol; `not-there`, what it names is not to be had here; `busy`, later or elsewhere; `failed`, own trouble.
 */
export const RESULTS = ['end', 'more', 'malformed', 'not-there', 'busy', 'failed'] as const;
export type Result = (typeof RESULTS)[number];
export type Refusal = Exclude<Result, 'end' | 'more'>;

export interface Frame {
  readonly result: Result;
  readonly payload: Uint8Array;
}

/** A fresh array. @throws {RangeError} for a payload that is too long. */
export function encodeFrame(result: Result, payload: Uint8Array = new Uint8Array(0)): Uint8Array {
  if (payload.length > CHUNK_BYTES_MAX) throw new RangeError(`a chunk of ${payload.length} bytes`);
  const frame = new Uint8Array(payload.length + 1);
  frame[0] = RESULTS.indexOf(result);
  frame.set(payload, 1);
  return frame;
}

/**
 * The payload is a view.
 * @throws {ProtocolError} SCHEMA_INVALID for no bytes, another first byte or a refusal with a payload; TOO_LARGE.
 */
export function parseFrame(frame: Uint8Array): Frame {
  const result = RESULTS[frame[0] ?? RESULTS.length];
  if (result === undefined) throw new ProtocolError('SCHEMA_INVALID', 'expected a frame with a result code');
  const payload = frame.subarray(1);
  if (payload.length > CHUNK_BYTES_MAX) {
    throw new ProtocolError('TOO_LARGE', 'expected a shorter chunk', { bytes: payload.length });
  }
  if (payload.length > 0 && result !== 'end' && result !== 'more') {
    throw new ProtocolError('SCHEMA_INVALID', 'expected a refusal without a payload');
  }
  return { result, payload };
}

/** What a refused request rejects with: NOT_FOUND, REFUSED for a malformed one, else PEER_UNREACHABLE. */
export class RefusalError extends NodeError {
  readonly refusal: Refusal;

  constructor(peer: string, refusal: Refusal) {
    const code = REFUSAL_CODES[refusal];
    super(code, `${peer} refused: ${refusal}`, { retry: code === 'PEER_UNREACHABLE' });
    this.refusal = refusal;
  }
}

const REFUSAL_CODES = {
  malformed: 'REFUSED',
  'not-there': 'NOT_FOUND',
  busy: 'PEER_UNREACHABLE',
  failed: 'PEER_UNREACHABLE',
} as const satisfies Record<Refusal, NodeErrorCode>;
