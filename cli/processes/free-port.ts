/** Ports that nobody uses now. */
import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/** Below those from which systems take the near end of a connection (from 32768 on): such a port can be taken at any moment. */
const LOWEST = 20_000;
const COUNT = 12_000;

/** This process goes on from here, so that it names no port twice and meets other processes seldom. */
let next = randomInt(COUNT);

/** `count` different free ports of this machine, of 20000 to 31999. Another process may take one before it is used. */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  for (let tried = 0; ports.length < count; tried++) {
    if (tried === COUNT)
      throw new RangeError(`no ${count} ports are free of ${LOWEST} to ${LOWEST + COUNT - 1}`);
    const port = LOWEST + next;
    next = (next + 1) % COUNT;
    if (await isFreePort(port)) ports.push(port);
  }
  return ports;
}

/** Whether this process could listen on it now. Without an address: on all of this machine. */
export async function isFreePort(port: number, address?: string): Promise<boolean> {
  const server = createServer();
  const isFree = await new Promise<boolean>((resolve) => {
    server
      .once('error', () => resolve(false))
      .listen({ port, host: address, exclusive: true }, () => resolve(true));
  });
  if (isFree) await new Promise((resolve) => server.close(resolve));
  return isFree;
}
