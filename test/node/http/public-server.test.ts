import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { parseSnapshot } from '../../../protocol/snapshot/snapshot.ts';
import { PIPELINED_MAX } from '../../../node/http/web-server.ts';
import { configOf, HttpWorld, problemIn, threeRegions } from '../../support/http-fixture.ts';
import { until } from '../../support/until.ts';

const TRUST = 'DE.test/trust';

describe('PublicServer', () => {
  let http: HttpWorld;
  let code: Awaited<ReturnType<HttpWorld['world']['issue']>>;

  before(async () => {
    const world = await threeRegions();
    code = await world.issue('FR');
    await world.pass(12);
    http = await HttpWorld.start(world);
  });
  after(async () => {
    await http.server.stop();
    await http.world.stop();
  });

  describe('GET of what is known', () => {
    it('/v1/snapshot is a snapshot of all regions; since sizes it is a delta; by its tag it is not sent again', async () => {
      const full = await http.get('/v1/snapshot');
      const { parts } = parseSnapshot(new Uint8Array(await full.arrayBuffer()));
      assert.deepEqual(
        parts.map(({ region, from }) => [region, from]),
        [
          ['DE', 0],
          ['FR', 0],
          ['IT', 0],
        ],
      );
      const etag = full.headers.get('etag') ?? assert.fail();
      assert.equal((await http.get('/v1/snapshot', { 'if-none-match': etag })).status, 304);
      const delta = await http.get('/v1/snapshot?since=DE:2,FR:3');
      const since = parseSnapshot(new Uint8Array(await delta.arrayBuffer())).parts;
      assert.deepEqual(
        since.map(({ region, from }) => [region, from]),
        [
          ['DE', 2],
          ['FR', 3],
          ['IT', 0],
        ],
      );
      assert.notEqual(delta.headers.get('etag'), etag);
    });

    it('/v1/snapshot refuses what is not sizes by region', async () => {
      for (const since of [
        'DE',
        'DE:-1',
        'DE:1,',
        'de:1',
        'DE:1;FR:2',
        'DE:99999999999999999',
        '%00',
        'DE:1'.repeat(2_000),
      ]) {
        await problemIn(await http.get(`/v1/snapshot?since=${since}`), 422, 'INPUT_INVALID');
      }
    });

    it('/v1/regions names the home first, how old the knowledge is, and where the logs are', async () => {
      const body = (await (await http.get('/v1/regions')).json()) as {
        home: string;
        regions: {
          region: string;
          standing: string;
          origin: string;
          fingerprint: string;
          knowledge: { ageS: number };
        }[];
      };
      assert.equal(body.home, 'DE');
      assert.deepEqual(
        body.regions.map(({ region, standing, origin }) => [region, standing, origin]),
        [
          ['DE', 'home', 'DE.test/trust'],
          ['FR', 'recognised', 'FR.test/trust'],
          ['IT', 'recognised', 'IT.test/trust'],
        ],
      );
      for (const { fingerprint, knowledge } of body.regions) {
        assert.match(fingerprint, /^[0-9a-f]{64}$/);
        assert.ok(knowledge.ageS <= 60);
      }
    });

    it('/v1/keys names the public keys of a region', async () => {
      const { keys } = (await (await http.get('/v1/keys?region=FR')).json()) as {
        keys: { role: string; keyId: string }[];
      };
      const { attest } = http.world.machine('FR').fixture.keys;
      assert.ok(keys.some(({ role, keyId }) => role === 'attest' && keyId === attest.keyId));
      await problemIn(await http.get('/v1/keys?region=ES'), 404, 'PATH_UNKNOWN');
      await problemIn(await http.get('/v1/keys?region=es'), 422, 'INPUT_INVALID');
      await problemIn(await http.get('/v1/keys'), 422, 'INPUT_INVALID');
    });

    it('/livez and /readyz say that it can be asked', async () => {
      assert.equal(await (await http.get('/livez')).text(), 'ok\n');
      const ready = await http.get('/readyz');
      assert.equal(ready.status, 200);
      assert.deepEqual(await ready.json(), { ready: true, reasons: [] });
    });

    it('/metrics counts requests by kind and status, and shows how old the knowledge of each region is', async () => {
      await http.post('/v1/verify', { code: code.text });
      const text = await (await http.get('/metrics')).text();
      assert.match(text, /^entente_http_requests_total\{work="verdict",status="200"\} [1-9]/m);
      assert.match(text, /^entente_knowledge_age_seconds\{region="FR"\} \d/m);
      assert.match(text, /^entente_verdicts_total\{outcome="pass"\} [1-9]/m);
      assert.match(text, /^entente_log_entries\{origin="DE\.test\/trust"\} [1-9]/m);
    });

    it('/openapi.json is of version 3.1, and describes every path with what can go wrong', async () => {
      const body = (await (await http.get('/openapi.json')).json()) as {
        openapi: string;
        paths: Record<string, Record<string, { responses: Record<string, unknown> }>>;
        components: { schemas: Record<string, unknown> };
      };
      assert.equal(body.openapi, '3.1.0');
      assert.deepEqual(Object.keys(body.paths).sort(), [
        '/add-checkpoint',
        '/livez',
        '/metrics',
        '/readyz',
        '/v1/dcc-keys',
        '/v1/joining',
        '/v1/jwks',
        '/v1/keys',
        '/v1/lookup/bucket',
        '/v1/lookup/head',
        '/v1/regions',
        '/v1/snapshot',
        '/v1/verify',
        '/{origin}/checkpoint',
        '/{origin}/proof/consistency',
        '/{origin}/proof/inclusion',
        '/{origin}/tile/{tile}',
      ]);
      for (const methods of Object.values(body.paths)) {
        for (const { responses } of Object.values(methods))
          assert.deepEqual(Object.keys(responses), ['200', 'default']);
      }
      assert.ok('Verdict' in body.components.schemas && 'Problem' in body.components.schemas);
    });
  });

  describe('methods and origins', () => {
    it('T26: refuses methods that are not there, and knows no path that changes anything', async () => {
      for (const [method, path] of [
        ['GET', '/v1/verify'],
        ['POST', '/v1/snapshot'],
        ['DELETE', '/v1/keys'],
        ['PUT', `/${TRUST}/checkpoint`],
      ] as const) {
        const response = await fetch(http.server.address + path, { method });
        assert.ok(response.headers.get('allow'));
        await problemIn(response, 405, 'METHOD_UNKNOWN');
      }
      for (const path of ['/v1/issue', '/v1/revoke', '/v1/entries', '/v1/status', '/v1/peers']) {
        await problemIn(await http.post(path, {}), 404, 'PATH_UNKNOWN');
      }
    });

    it('T17: no path stands in a host, where admission would not see it', async () => {
      const body = JSON.stringify({ code: code.text });
      const asked = (host: string) =>
        http.raw(
          `POST /livez HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n` +
            `content-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
        );
      for (const host of ['\xdf.\xdf/v1/verify?x', 'x/v1/verify?', 'x#', 'x\\y', 'a@b', 'x%41'])
        assert.match(await asked(host), /^HTTP\/1\.1 400 /, host);
      for (const host of ['node.example:8600', '[::1]:8600', 'my_node'])
        assert.match(await asked(host), /^HTTP\/1\.1 405 /, host);
    });

    it('answers HEAD as GET without the body', async () => {
      const response = await fetch(`${http.server.address}/${TRUST}/checkpoint`, { method: 'HEAD' });
      assert.equal(response.status, 200);
      assert.equal(await response.text(), '');
    });

    it('lets every page read and verify, or those that are named', async () => {
      const headers = { origin: 'https://gate.example', 'access-control-request-method': 'POST' };
      const preflight = await fetch(`${http.server.address}/v1/verify`, { method: 'OPTIONS', headers });
      assert.equal(preflight.status, 204);
      assert.equal(preflight.headers.get('access-control-allow-origin'), '*');
      assert.match(preflight.headers.get('access-control-allow-methods') ?? '', /POST/);
      const named = await HttpWorld.start(http.world, configOf(['http.corsOrigins', 'https://gate.example']));
      const allowed = async (origin: string) =>
        (await named.get('/v1/regions', { origin })).headers.get('access-control-allow-origin');
      assert.equal(await allowed('https://gate.example'), 'https://gate.example');
      assert.equal(await allowed('https://gate.example.evil'), null);
      assert.equal((await named.get('/v1/regions')).headers.get('vary'), 'origin');
      await named.server.stop();
    });
  });

  describe('bounds of connections', () => {
    async function opened(count: number, port: number): Promise<Socket[]> {
      const sockets = Array.from({ length: count }, () => connect(port, '127.0.0.1'));
      for (const socket of sockets) socket.on('error', () => undefined);
      await Promise.all(sockets.map((socket) => once(socket, 'connect')));
      return sockets;
    }

    it('B68: 1,000 sockets that send a byte now and then keep nobody from an answer, and are closed in time', async () => {
      const slow = await HttpWorld.start(http.world, configOf(['limits.headerTimeoutMs', '400']));
      const sockets = await opened(1_000, slow.port);
      const closed = Promise.all(sockets.map((socket) => once(socket.resume(), 'close')));
      for (const socket of sockets) socket.write('G');
      for (let i = 0; i < 20; i++)
        assert.equal((await slow.post('/v1/verify', { code: code.text })).status, 200);
      await closed;
      await slow.server.stop();
    });

    it('a body that does not come is given up', async () => {
      const slow = await HttpWorld.start(
        http.world,
        configOf(['limits.requestTimeoutMs', '400'], ['limits.headerTimeoutMs', '300']),
      );
      const head =
        'POST /v1/verify HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n';
      assert.match(await slow.raw(`${head}{`), /^HTTP\/1\.1 408 /);
      await slow.server.stop();
    });

    it('T17: one connection has no more requests in hand than it may, and gives back all places when it is cut off', async () => {
      const ask = (count: number): Promise<string> => {
        const last = 'GET /livez HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n';
        return http.raw('GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n'.repeat(count - 1) + last);
      };
      assert.equal((await ask(PIPELINED_MAX)).match(/^HTTP\/1\.1 200 /gm)?.length, PIPELINED_MAX);
      const beyond = await ask(PIPELINED_MAX + 1).catch(() => '');
      assert.ok((beyond.match(/^HTTP\/1\.1 200 /gm)?.length ?? 0) < PIPELINED_MAX);
      await until(() => http.server.admission.inFlight === 0, 'all places are free');
    });

    it('T17: who asks twice and goes away before the first answer takes no place with it', async () => {
      const body = JSON.stringify({ codes: Array.from({ length: 100 }, () => code.text) });
      const request = `POST /v1/verify HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
      const [socket] = await opened(1, http.port);
      socket?.write(request.repeat(8));
      await until(() => http.server.admission.inFlight > 1, 'they are in hand');
      socket?.destroy();
      await until(() => http.server.admission.inFlight === 0, 'all places are free');
    });

    it('T17: one address has no more connections than it may; they are refused, counted, and free again later', async () => {
      const few = await HttpWorld.start(http.world, configOf(['limits.connectionsPerAddressMax', '4']));
      const sockets = await opened(4, few.port);
      const [fifth] = await opened(1, few.port);
      await once(fifth?.resume() ?? assert.fail(), 'close');
      for (const socket of sockets) socket.destroy();
      await Promise.all(sockets.map((socket) => once(socket, 'close')));
      const text = await (await few.get('/metrics')).text();
      assert.match(text, /^entente_http_connections_refused_total [1-9]/m);
      await few.server.stop();
    });
  });

  describe('load', () => {
    it('T17: bodies that one address sends slowly take a quarter of the places, and others get their verdicts', async () => {
      const inFlightMax = 16;
      const busy = await HttpWorld.start(http.world, configOf(['limits.inFlightMax', String(inFlightMax)]));
      const head =
        'POST /v1/verify HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 900\r\n\r\n{';
      const slow = Array.from({ length: 2 * inFlightMax }, () => {
        return connect({ port: busy.port, host: '127.0.0.1', localAddress: '127.0.0.2' });
      });
      const refusals: string[] = [];
      for (const socket of slow) {
        socket.on('error', () => undefined);
        socket.once('data', (part) => refusals.push(part.toString('latin1', 0, 12)));
        socket.write(head);
      }
      await until(() => refusals.length === slow.length - inFlightMax / 4, 'the others are turned away');
      assert.deepEqual([...new Set(refusals)], ['HTTP/1.1 503']);
      assert.equal(busy.server.admission.inFlight, inFlightMax / 4);
      const answers = await Promise.all(
        Array.from({ length: inFlightMax / 2 }, () => busy.post('/v1/verify', { code: code.text })),
      );
      assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200]);
      for (const socket of slow) socket.destroy();
      await until(() => busy.server.admission.inFlight === 0, 'all places are free');
      await busy.server.stop();
    });

    it('T17: turns away by the ladder, verdicts last, and says when to come again', async () => {
      const full = await HttpWorld.start(http.world, configOf(['limits.inFlightMax', '20']));
      const { admission } = full.server;
      const statusAt = async (inHand: number): Promise<number[]> => {
        for (let i = 0; i < inHand; i++) admission.take('verdict');
        const batch = { codes: Array.from({ length: 30 }, () => code.text) };
        const responses = [
          await full.post('/v1/verify', batch),
          await full.get('/v1/snapshot'),
          await full.get(`/${TRUST}/checkpoint`),
          await full.post('/v1/verify', { code: code.text }),
          await full.get('/livez'),
        ];
        for (let i = 0; i < inHand; i++) admission.done();
        for (const response of responses) {
          if (response.status === 503) assert.equal(response.headers.get('retry-after'), '1');
          await response.arrayBuffer();
        }
        return responses.map(({ status }) => status);
      };
      assert.deepEqual(await statusAt(0), [200, 200, 200, 200, 200]);
      assert.deepEqual(await statusAt(10), [503, 200, 200, 200, 200]);
      assert.deepEqual(await statusAt(13), [503, 503, 200, 200, 200]);
      assert.deepEqual(await statusAt(16), [503, 503, 503, 200, 200]);
      assert.deepEqual(await statusAt(20), [503, 503, 503, 503, 200]);
      assert.deepEqual(await statusAt(0), [200, 200, 200, 200, 200]);
      await full.server.stop();
    });
  });

  it('no code and no body is in the log, and none of what went wrong tells what was sent', () => {
    const logged = http.lines.join('');
    for (const trace of [code.text, code.text.slice(5, 40), 'ENT1:']) assert.ok(!logged.includes(trace));
  });
});

describe('PublicServer without knowledge', () => {
  it('is not ready once nobody vouches any more, and still answers', async () => {
    const world = await threeRegions();
    const http = await HttpWorld.start(world);
    world.network.isolate('DE');
    await world.pass(620);
    const ready = await http.get('/readyz');
    assert.equal(ready.status, 503);
    assert.match(
      ((await ready.json()) as { reasons: string[] }).reasons[0] ?? '',
      /knowledge of the home is \d+ s old/,
    );
    assert.equal((await http.get('/livez')).status, 200);
    await http.server.stop();
    await world.stop();
  });
});
