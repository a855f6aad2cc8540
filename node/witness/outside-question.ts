/** One question to a witness outside, by HTTP: within a time and a size, and what comes back is an answer of C2SP tlog-witness, or says why it is none. */
import { decodeUtf8 } from '../../protocol/encoding/utf8.ts';
import { isProtocolError } from '../../protocol/fault.ts';
import { type Clock, type HttpAnswer, type HttpPost } from '../ports.ts';
import { type WitnessAnswer, witnessAnswerOf } from './witness-answer.ts';
import { type WitnessRefusal } from './witness-rule.ts';

/** Why a witness outside has not vouched for a log. */
export interface OutsideFailure {
  /**
   * It does not answer within 5 s; it sends elsewhere; it answers what no witness does; with no good line by the key of the policy, or one whose time is not
   * that of now; it has cosigned more than is here; or it refuses, as `WitnessRefusal` says.
   */
  readonly why: WitnessRefusal | 'silent' | 'redirect' | 'strange' | 'unverified' | 'untimely' | 'ahead';
  /** Entries that it says it cosigned, where that is why. */
  readonly size?: number;
  /** Of an answer that no witness gives. */
  readonly status?: number;
}

/** Bytes of an answer: some lines by keys that follow each other. */
export const OUTSIDE_ANSWER_BYTES_MAX = 4_096;
export const OUTSIDE_ANSWER_MS_MAX = 5_000;
const SIZE_TYPE = 'text/x.tlog.size';
/** Ends a wait that nobody looks at any more. */
const DONE = new Error('done');
const nothing = () => undefined;

/** Where the witness of an address takes checkpoints; undefined for one that is no plain http or https URL. */
export function submissionUrl(address: string): string | undefined {
  if (!URL.canParse(address)) return undefined;
  const { protocol, username, password, href } = new URL(address);
  const isPlain = username === '' && password === '' && !/[?#]/.test(address);
  if (!isPlain || (protocol !== 'http:' && protocol !== 'https:')) return undefined;
  return `${href.replace(/\/+$/, '')}/add-checkpoint`;
}

export interface OutsideQuestion {
  /** As `submissionUrl` gives it. */
  readonly url: string;
  readonly request: Uint8Array;
  readonly signal: AbortSignal;
}

/** Resolves within `OUTSIDE_ANSWER_MS_MAX`, and soon once `signal` is aborted. */
export async function askOutside(
  question: OutsideQuestion,
  modules: { readonly post: HttpPost; readonly clock: Clock },
): Promise<WitnessAnswer | OutsideFailure> {
  const answer = await answerTo(question, modules);
  if (answer === undefined) return { why: 'silent' };
  const { status, type, body } = answer;
  if (status >= 300 && status < 400) return { why: 'redirect', status };
  const strange: OutsideFailure = { why: 'strange', status };
  // A conflict of another type is none that says how far it cosigned.
  if (body.length > OUTSIDE_ANSWER_BYTES_MAX || (status === 409 && type !== SIZE_TYPE)) return strange;
  try {
    return witnessAnswerOf(status, decodeUtf8(body, 'NOTE_MALFORMED')) ?? strange;
  } catch (error) {
    if (isProtocolError(error)) return strange;
    throw error;
  }
}

/** Undefined where nothing comes in time. */
async function answerTo(
  { url, request, signal }: OutsideQuestion,
  { post, clock }: { readonly post: HttpPost; readonly clock: Clock },
): Promise<HttpAnswer | undefined> {
  const over = new AbortController();
  const giveUp = () => over.abort(DONE);
  if (signal.aborted) giveUp();
  signal.addEventListener('abort', giveUp, { once: true });
  try {
    return await Promise.race([
      post(url, request, { bytesMax: OUTSIDE_ANSWER_BYTES_MAX, signal: over.signal }).catch(nothing),
      clock.wait(OUTSIDE_ANSWER_MS_MAX, over.signal).then(nothing, nothing),
    ]);
  } finally {
    signal.removeEventListener('abort', giveUp);
    giveUp();
  }
}
