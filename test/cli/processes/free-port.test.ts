import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { freePorts, isFreePort } from '../../../cli/processes/free-port.ts';

describe('freePorts', () => {
  it('names ports below those that connections are given, and none twice', async () => {
    const ports = [...(await freePorts(20)), ...(await freePorts(20))];
    assert.equal(new Set(ports).size, 40);
    for (const port of ports) assert.ok(port >= 20_000 && port < 32_000, String(port));
  });

  it('passes over a port that is listened on', async () => {
    const [last = 0] = await freePorts(1);
    const server = createServer();
    const used = last === 31_999 ? 20_000 : last + 1;
    const listens = await new Promise((resolve) => {
      server.once('error', () => resolve(false)).listen(used, '0.0.0.0', () => resolve(true));
    });
    try {
      assert.equal(await isFreePort(used), false);
      const [given = 0] = await freePorts(1);
      assert.notEqual(given, used);
    } finally {
      if (listens === true) await new Promise((resolve) => server.close(resolve));
    }
  });
});
