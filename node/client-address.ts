/** Whom a connection comes from, as far as limits go. */
import { isIPv6, type Socket } from 'node:net';

/** What an IPv4 address looks like to a socket that listens for both kinds. */
const MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;

/** Of a socket that is closed already the address is gone; it is noted with the first look. */
const known = new WeakMap<Socket, string>();

/** The client at the other end of a socket; the empty text for a unix socket, and for one that was closed before the first look. */
export function clientOf(socket: Socket): string {
  const client = known.get(socket) ?? clientAt(socket.remoteAddress ?? '');
  known.set(socket, client);
  return client;
}

/** The address itself, or of an IPv6 address its /64: whoever has one address of that has all of them. */
export function clientAt(address: string): string {
  const [, v4] = MAPPED.exec(address) ?? [];
  if (v4 !== undefined) return v4;
  if (!isIPv6(address)) return address;
  const [head = '', tail] = (address.split('%')[0] ?? '').toLowerCase().split('::');
  const [first, last] = [groupsOf(head), groupsOf(tail)];
  const zeros = new Array<string>(8 - first.length - last.length).fill('0');
  return `${[...first, ...zeros, ...last].slice(0, 4).join(':')}::/64`;
}

/** Of a client that is an IPv6 /64 the /48 that it is in; undefined of any other. */
export function siteOf(client: string): string | undefined {
  return client.endsWith('::/64') ? `${client.split(':').slice(0, 3).join(':')}::/48` : undefined;
}

/** The last group may be written as an IPv4 address, which stands for two. */
function groupsOf(text = ''): string[] {
  const groups = text === '' ? [] : text.split(':').map((group) => group.replace(/^0+(?=.)/, ''));
  return groups.flatMap((group) => (group.includes('.') ? [group, group] : [group]));
}
