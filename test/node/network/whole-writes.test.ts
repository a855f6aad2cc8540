import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { type Connection, type Logger, type MultiaddrConnection } from '@libp2p/interface';
import { tcp } from '@libp2p/tcp';
import { multiaddr } from '@multiformats/multiaddr';
import '../../../node/network/whole-writes.ts';

const nothing = () => undefined;
const silent: Logger = Object.assign(nothing, {
  enabled: false,
  trace: nothing,
  error: nothing,
  newScope: () => silent,
});

/** What a socket is made to do, and what of it is looked at. */
interface Watched extends Socket {
  _write: (...args: unknown[]) => void;
  _writev: (...args: unknown[]) => void;
}

describe('Writes to a connection of libp2p over TCP', () => {
  /** Calls of the system that sending in one turn makes, and what arrives until the end. */
  async function sending(...pieces: readonly Uint8Array[]) {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const accepted = once(server, 'connection') as Promise<[Socket]>;
    const transport = tcp()({ logger: { forComponent: () => silent } });
    const upgrader = {
      upgradeOutbound: (connection: MultiaddrConnection) =>
        Promise.resolve(connection as unknown as Connection),
    };
    const connection = (await transport.dial(multiaddr(`/ip4/127.0.0.1/tcp/${port}`), {
      signal: AbortSignal.timeout(10_000),
      upgrader,
    } as unknown as Parameters<typeof transport.dial>[1])) as unknown as MultiaddrConnection;
    try {
      const { socket } = connection as unknown as { readonly socket: Watched };
      let calls = 0;
      for (const name of ['_write', '_writev'] as const) {
        const call = socket[name].bind(socket);
        socket[name] = (...args) => {
          calls++;
          call(...args);
        };
      }
      const [other] = await accepted;
      const came: Buffer[] = [];
      other.on('data', (piece: Buffer) => came.push(piece));
      for (const piece of pieces) connection.send(piece);
      await connection.close();
      await once(other, 'close');
      return { calls, came: Buffer.concat(came) };
    } finally {
      connection.abort(new Error('over'));
      server.close();
      await once(server, 'close');
    }
  }

  it('of small pieces in one turn are one', async () => {
    const pieces = [Buffer.from('ab'), Buffer.from('cdef'), Buffer.from('g')];
    const { calls, came } = await sending(...pieces);
    assert.equal(came.toString(), 'abcdefg');
    assert.equal(calls, 1);
  });

  it('lose nothing and keep the order where large pieces come before and after small ones', async () => {
    const large = (fill: string) => Buffer.alloc(300_000, fill);
    const pieces = [large('a'), Buffer.from('b'), large('c'), Buffer.from('d')];
    const { came } = await sending(...pieces);
    assert.deepEqual(came, Buffer.concat(pieces));
  });
});
