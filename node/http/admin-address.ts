/** Where the interface for the operator of a node listens, as its config says it. */
import { NodeError } from '../node-error.ts';
import { type ListenAddress } from './web-server.ts';

/** What `sun_path` holds on the systems that have the least. */
export const SOCKET_PATH_BYTES_MAX = 103;

/** Whether `listen` names a port of this machine; else it is the path of a unix socket. */
export function isAdminPort(listen: string): boolean {
  return /:\d+$/.test(listen);
}

/** @throws {NodeError} ADDRESS_UNUSABLE for a path that the system would cut short. */
export function addressOf(listen: string): ListenAddress {
  const [, v4, v6, port] = /^(?:(127\.0\.0\.1)|\[(::1)\]):(\d{1,5})$/.exec(listen) ?? [];
  if (port !== undefined) return { host: v4 ?? v6 ?? '', port: Number(port) };
  if (Buffer.byteLength(listen) <= SOCKET_PATH_BYTES_MAX) return { path: listen };
  throw new NodeError('ADDRESS_UNUSABLE', `${listen} is too long for the path of a unix socket`, {
    hint: `Choose one of at most ${SOCKET_PATH_BYTES_MAX} bytes in admin.listen of entente.yaml, as in /run/entente/admin.sock.`,
  });
}
