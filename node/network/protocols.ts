/** The protocols of the wire, and what a message of each may weigh. Spec: SPEC.md 14.5. */
import { ANSWER_BYTES_MAX, REQUEST_BYTES_MAX, SYNC_REQUEST_BYTES_MAX } from '../sync/sync-limits.ts';
import { LOG_PROTOCOL } from '../sync/log-messages.ts';
import { SYNC_PROTOCOL, WITNESS_PROTOCOL } from '../sync/messages.ts';
import {
  VERIFY_ANSWER_BYTES_MAX,
  VERIFY_PROTOCOL,
  VERIFY_REQUEST_BYTES_MAX,
} from '../verdicts/verify-server.ts';
import { ADD_CHECKPOINT_BYTES_MAX } from '../witness/add-checkpoint.ts';
import { WITNESS_ANSWER_BYTES_MAX } from '../witness/witness-server.ts';
import { SHARE_ANSWER_BYTES_MAX, SHARE_BYTES_MAX, STANDBY_PROTOCOL } from '../writer/batch-share.ts';
import {
  WRITER_ANSWER_BYTES_MAX,
  WRITER_PROTOCOL,
  WRITER_REQUEST_BYTES_MAX,
} from '../writer/writer-messages.ts';
import { LOOKUP_ANSWER_BYTES_MAX, LOOKUP_PROTOCOL, LOOKUP_REQUEST_BYTES_MAX } from '../lookup/messages.ts';
import { HELLO_PROTOCOL } from './hello.ts';
import { HELLO_BYTES_MAX } from './network-limits.ts';

export interface ProtocolSizes {
  readonly requestBytesMax: number;
  /** Of an answer; undefined where it is a stream of chunks, which has no end of its own. */
  readonly answerBytesMax: number | undefined;
}

const SIZES: ReadonlyMap<string, ProtocolSizes> = new Map([
  [HELLO_PROTOCOL, { requestBytesMax: HELLO_BYTES_MAX, answerBytesMax: HELLO_BYTES_MAX }],
  [SYNC_PROTOCOL, { requestBytesMax: SYNC_REQUEST_BYTES_MAX, answerBytesMax: ANSWER_BYTES_MAX }],
  [LOG_PROTOCOL, { requestBytesMax: REQUEST_BYTES_MAX, answerBytesMax: undefined }],
  [WITNESS_PROTOCOL, { requestBytesMax: ADD_CHECKPOINT_BYTES_MAX, answerBytesMax: WITNESS_ANSWER_BYTES_MAX }],
  [WRITER_PROTOCOL, { requestBytesMax: WRITER_REQUEST_BYTES_MAX, answerBytesMax: WRITER_ANSWER_BYTES_MAX }],
  [STANDBY_PROTOCOL, { requestBytesMax: SHARE_BYTES_MAX, answerBytesMax: SHARE_ANSWER_BYTES_MAX }],
  [LOOKUP_PROTOCOL, { requestBytesMax: LOOKUP_REQUEST_BYTES_MAX, answerBytesMax: LOOKUP_ANSWER_BYTES_MAX }],
  [VERIFY_PROTOCOL, { requestBytesMax: VERIFY_REQUEST_BYTES_MAX, answerBytesMax: VERIFY_ANSWER_BYTES_MAX }],
]);

/** Those that other nodes may ask for once they are known. */
export const PROTOCOLS: readonly string[] = [...SIZES.keys()].filter((name) => name !== HELLO_PROTOCOL);

/** Whether answers are streams. @throws {RangeError} as `sizesOf`. */
export function isStreamed(protocol: string): boolean {
  return sizesOf(protocol).answerBytesMax === undefined;
}

/** @throws {RangeError} for a protocol that is none of the wire. */
export function sizesOf(protocol: string): ProtocolSizes {
  const sizes = SIZES.get(protocol);
  if (sizes === undefined) throw new RangeError(`${protocol} is no protocol of this network`);
  return sizes;
}
