import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { workablePorts } from '../../../cli/processes/workable-ports.ts';
import { freePorts, isFreePort } from '../../../cli/processes/free-port.ts';

function configOf(region: string, http: number, p2p: number) {
  return {
    region,
    http: { address: '127.0.0.1', port: http, corsOrigins: ['*'], witness: true },
    p2p: { listen: [`/ip4/127.0.0.1/tcp/${p2p}`], announce: [], pendingPerAddressMax: 32 },
  };
}

describe('workablePorts', () => {
  it('leaves ports alone that nobody else has, and port 0', async () => {
    const [a = 0, b = 0] = await freePorts(2);
    const settings = await workablePorts([configOf('DE', a, b), configOf('FR', 0, 0)]);
    assert.deepEqual([...settings.values()], [[], []]);
  });

  it('gives the second region of one port another, of the network of nodes too', async () => {
    const [a = 0, b = 0] = await freePorts(2);
    const settings = await workablePorts([configOf('DE', a, b), configOf('FR', a, b)]);
    assert.deepEqual(settings.get('DE'), []);
    const given = new Map(settings.get('FR'));
    assert.deepEqual([...given.keys()], ['http.port', 'p2p.listen']);
    assert.notEqual(given.get('http.port'), String(a));
    assert.match(given.get('p2p.listen') ?? '', /^\/ip4\/127\.0\.0\.1\/tcp\/\d+$/);
    assert.notEqual(given.get('p2p.listen'), `/ip4/127.0.0.1/tcp/${b}`);
  });

  it('takes a port of no use that another process listens on', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
    try {
      const [p2p = 0] = await freePorts(1);
      assert.equal(await isFreePort(port, '127.0.0.1'), false);
      const settings = await workablePorts([configOf('DE', port, p2p)]);
      assert.deepEqual(
        settings.get('DE')?.map(([name]) => name),
        ['http.port'],
      );
    } finally {
      await new Promise((resolve) => server.close(resolve));
    }
  });
});
