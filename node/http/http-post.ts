/** Asking a web server that is no node of this network, on the word of the operator alone. */
import { concatBytes } from '../../protocol/bytes.ts';
import { type HttpPost } from '../ports.ts';

export const httpPost: HttpPost = async (url, body, { bytesMax, signal }) => {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'text/plain; charset=utf-8' },
    body,
    redirect: 'manual',
    signal,
  });
  const [type = ''] = (response.headers.get('content-type') ?? '').split(';');
  const parts: Uint8Array[] = [];
  let left = bytesMax + 1;
  // Leaving the loop cancels what is still to come.
  for await (const part of response.body ?? []) {
    parts.push((part as Uint8Array).subarray(0, left));
    left -= (part as Uint8Array).length;
    if (left <= 0) break;
  }
  return { status: response.status, type: type.trim().toLowerCase(), body: concatBytes(...parts) };
};
