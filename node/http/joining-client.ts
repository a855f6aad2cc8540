/** Brings an answer to the region that invited, by the public interface that its invitation names. */
import { decodeBase64, encodeBase64 } from '../../protocol/encoding/base64.ts';
import { NodeError } from '../node-error.ts';
import { joiningReply } from './joining-schemas.ts';

export interface Bringing {
  /** Base URL of the inviting region. */
  readonly url: string;
  readonly answer: Uint8Array;
  /** The signature by which the own operator has confirmed, once he has. */
  readonly confirmation?: Uint8Array | undefined;
}

const ANSWER_MS_MAX = 10_000;
const ANSWER_BYTES_MAX = 16_384;

/**
 * The signature by which the other operator has confirmed; undefined while he has not.
 * @throws {NodeError} PEER_UNREACHABLE; REFUSED with what it says against it.
 */
export async function bringAnswer({ url, answer, confirmation }: Bringing): Promise<Uint8Array | undefined> {
  const { status, text } = await post(url, {
    answer: encodeBase64(answer),
    ...(confirmation !== undefined && { confirmation: encodeBase64(confirmation) }),
  });
  if (status !== 200) throw refused(url, status, text);
  try {
    const reply = joiningReply.parse(JSON.parse(text));
    return reply.confirmation === undefined ? undefined : decodeBase64(reply.confirmation);
  } catch (cause) {
    throw unreachable(url, 'it answered with something else', cause);
  }
}

async function post(url: string, body: unknown): Promise<{ readonly status: number; readonly text: string }> {
  try {
    const response = await fetch(`${url.replace(/\/+$/, '')}/v1/joining`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      redirect: 'error',
      signal: AbortSignal.timeout(ANSWER_MS_MAX),
    });
    const parts: Uint8Array[] = [];
    let length = 0;
    for await (const part of response.body ?? []) {
      length += (part as Uint8Array).length;
      if (length > ANSWER_BYTES_MAX) throw new TypeError('its answer is too long');
      parts.push(part as Uint8Array);
    }
    return { status: response.status, text: Buffer.concat(parts).toString('utf8') };
  } catch (cause) {
    throw unreachable(url, 'no answer', cause);
  }
}

/** A page of another program, or a node that is busy, has refused nothing. */
function refused(url: string, status: number, text: string): NodeError {
  if (status >= 500) return unreachable(url, `it answered ${status}`);
  let detail: unknown;
  try {
    ({ detail } = JSON.parse(text) as { detail?: unknown });
  } catch {
    return unreachable(url, `it answered ${status}`);
  }
  const reason = typeof detail === 'string' ? detail.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, 300) : '';
  return new NodeError('REFUSED', `the inviting region refuses: ${reason || status}`, {
    hint: 'Ask its operator; a new invitation helps where this one is over or used.',
  });
}

function unreachable(url: string, why: string, cause?: unknown): NodeError {
  return new NodeError('PEER_UNREACHABLE', `the public interface of the inviting region, ${url}: ${why}`, {
    cause,
    retry: true,
    hint: 'Look whether that address is reachable from here; the inviting operator gives another with `entente invite make --http`.',
  });
}
