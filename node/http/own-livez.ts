/**
 * Whether the process of a region answers at its public interface: for whoever watches it on its own machine and knows its
 * configuration. The certificate is not checked: it names what others call this machine, and nothing is told to whoever answers.
 */
import { get } from 'node:http';
import { get as getByTls } from 'node:https';
import { isIPv6 } from 'node:net';
import { type Config } from '../config/schema.ts';
import { NodeError } from '../node-error.ts';

export const LIVEZ_MS_MAX = 5_000;

/** Where a machine reaches itself that listens at all of its addresses. */
const HERE: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' };

/**
 * Resolves with the URL that answered.
 * @throws {NodeError} CONFIG_INVALID where the configuration does not tell the port; PEER_UNREACHABLE where nothing answers within 5 s, or
 * answers something else.
 */
export async function askOwnLivez({ http }: Pick<Config, 'http'>): Promise<string> {
  const { address, port, tls } = http;
  if (port === 0)
    throw new NodeError(
      'CONFIG_INVALID',
      'http.port is 0, so the node listens at a port that only it knows',
      {
        hint: 'Choose a port in entente.yaml, or by ENTENTE_HTTP_PORT.',
      },
    );
  const host = HERE[address] ?? address;
  const url = `${tls === undefined ? 'http' : 'https'}://${isIPv6(host) ? `[${host}]` : host}:${port}/livez`;
  const status = await statusOf(url, tls !== undefined);
  if (status === 200) return url;
  throw new NodeError('PEER_UNREACHABLE', `${url} answers with status ${status}`, { retry: true });
}

function statusOf(url: string, isTls: boolean): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const options = { signal: AbortSignal.timeout(LIVEZ_MS_MAX), agent: false as const };
    const asked = isTls ? getByTls(url, { ...options, rejectUnauthorized: false }) : get(url, options);
    asked
      .on('response', (response) => {
        response.destroy();
        resolve(response.statusCode);
      })
      .on('error', (cause) => {
        const why = cause.name === 'AbortError' ? `nothing within ${LIVEZ_MS_MAX} ms` : cause.message;
        reject(new NodeError('PEER_UNREACHABLE', `${url} does not answer: ${why}`, { retry: true, cause }));
      });
  });
}
