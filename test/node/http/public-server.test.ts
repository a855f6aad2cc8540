import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { openCheckpoint } from '../../../protocol/log/checkpoint.ts';
import { verifyEntryBundle } from '../../../protocol/log/entry-bundle.ts';
import { verifyConsistency, verifyInclusion, leafHash } from '../../../protocol/log/merkle.ts';
import { parseSnapshot } from '../../../protocol/snapshot/snapshot.ts';
import { type Verdict } from '../../../protocol/verdict/verdict.ts';
import { PIPELINED_MAX } from '../../../node/http/web-server.ts';
import { logVerifierKeys } from '../../../node/trust/log-keys.ts';
import { configOf, HttpWorld, problemIn, threeRegions } from '../../support/http-fixture.ts';
import { sha256 } from '../../support/primitives.ts';
import { trustModules } from '../../support/region-fixture.ts';
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

  async function verdictOn(body: unknown): Promise<Verdict> {
    const response = await http.post('/v1/verify', body);
    assert.equal(response.status, 200);
    return (await response.json()) as Verdict;
  }

  describe('POST /v1/verify', () => {
    it('gives the verdict of the node, in at most 1 KB, and forbids to store it', async () => {
      const response = await http.post('/v1/verify', { code: code.text });
      assert.equal(response.headers.get('cache-control'), 'no-store');
      assert.equal(response.headers.get('etag'), null);
      assert.equal(response.headers.get('access-control-allow-origin'), '*');
      assert.equal(response.headers.get('x-content-type-options'), 'nosniff');
      const text = await response.text();
      assert.ok(text.length <= 1_024, `${text.length} bytes`);
      const expected = await http.world.verify('DE', code.text);
      assert.deepEqual(JSON.parse(text), JSON.parse(JSON.stringify(expected)));
      assert.equal(expected.outcome, 'pass');
    });

    it('judges many codes in their order, whatever they are', async () => {
      const codes = [
        code.text,
        '',
        'ENT1:',
        'ENT9:00',
        'x'.repeat(5_000),
        code.text.replace('ENT1:', 'ent1:'),
      ];
      const response = await http.post('/v1/verify', { codes });
      const { verdicts } = (await response.json()) as { verdicts: Verdict[] };
      const all = verdicts.map(({ outcome, reasons }) => [
        outcome,
        reasons[0]?.code,
        reasons[0]?.details?.['fault'],
      ]);
      assert.deepEqual(all, [
        ['pass', 'IDENTITY_CHECK', undefined],
        ['stop', 'MALFORMED', 'CODE_EMPTY'],
        ['stop', 'MALFORMED', 'CODE_EMPTY'],
        ['undetermined', 'VERSION_UNKNOWN', undefined],
        ['stop', 'MALFORMED', 'TOO_LARGE'],
        ['stop', 'MALFORMED', 'CODE_UNKNOWN'],
      ]);
    });

    it('heeds what the place asks for', async () => {
      const place = { risk: 'high', kind: 'hospital', gradeNeeded: 'challenged' };
      const { outcome, reasons } = await verdictOn({ code: code.text, place });
      assert.equal(outcome, 'act');
      assert.ok(reasons.some((reason) => reason.code === 'GRADE_TOO_LOW'));
      const old = await verdictOn({ code: code.text, place: { limits: { knowledgeAgeS: 0 } } });
      assert.equal(old.outcome, 'undetermined');
    });

    it('the time is its own: nobody can ask for another', async () => {
      for (const member of ['at', 'nowS', 'mode', 'proofs', 'acceptance']) {
        const response = await http.post('/v1/verify', { code: code.text, [member]: 0 });
        await problemIn(response, 422, 'INPUT_INVALID');
      }
    });

    const refused: readonly [what: string, body: unknown, at: string][] = [
      ['neither code nor codes', {}, '/'],
      ['both', { code: '', codes: [''] }, '/'],
      ['a code that is a number', { code: 1 }, '/code'],
      ['no codes at all', { codes: [] }, '/codes'],
      ['101 codes', { codes: Array.from({ length: 101 }, () => '') }, '/codes'],
      ['a place of unknown risk', { code: '', place: { risk: 'none' } }, '/place/risk'],
      ['a kind with spaces', { code: '', place: { kind: 'a b' } }, '/place/kind'],
      [
        'a limit below zero',
        { code: '', place: { limits: { knowledgeAgeS: -1 } } },
        '/place/limits/knowledgeAgeS',
      ],
      [
        'a limit of 1e300',
        { code: '', place: { limits: { issuerSilenceS: 1e300 } } },
        '/place/limits/issuerSilenceS',
      ],
      ['a challenge of 7 bytes', { code: '', challenge: '00'.repeat(7) }, '/challenge'],
      ['a challenge of 33 bytes', { code: '', challenge: '00'.repeat(33) }, '/challenge'],
      ['a list', [], '/'],
      ['null', null, '/'],
    ];
    for (const [what, body, at] of refused) {
      it(`B67: refuses ${what} and names the member`, async () => {
        const { errors } = await problemIn(await http.post('/v1/verify', body), 422, 'INPUT_INVALID');
        assert.ok(
          errors?.some((error) => error.at === at),
          JSON.stringify(errors),
        );
      });
    }

    it('B63: refuses a body of one byte more than 64 KiB, with and without its length', async () => {
      const body = `{"code":"${'A'.repeat(65_536 - 11)}"}`;
      assert.equal(body.length, 65_536);
      assert.equal((await http.post('/v1/verify', body)).status, 200);
      await problemIn(await http.post('/v1/verify', `${body} `), 413, 'BODY_TOO_LARGE');
      const chunk = `10001\r\n${body} \r\n0\r\n\r\n`;
      const head = 'POST /v1/verify HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n';
      assert.match(await http.raw(`${head}transfer-encoding: chunked\r\n\r\n${chunk}`), /^HTTP\/1\.1 413 /);
    });

    it('B63: refuses what is nested to the end of its body', async () => {
      for (const body of ['['.repeat(65_000), `${'['.repeat(30_000)}${']'.repeat(30_000)}`]) {
        await problemIn(await http.post('/v1/verify', body), 400, 'BODY_MALFORMED');
      }
    });

    it('B64: refuses a name that stands twice, escaped or not', async () => {
      for (const body of ['{"code":"a","code":"b"}', '{"code":"a","\\u0063ode":"b"}']) {
        await problemIn(await http.post('/v1/verify', body), 400, 'BODY_MALFORMED');
      }
    });

    it('refuses other types and other encodings', async () => {
      const asText = { 'content-type': 'text/plain' };
      await problemIn(await http.post('/v1/verify', '{}', asText), 415, 'BODY_TYPE');
      const asForm = { 'content-type': 'application/jsonp' };
      await problemIn(await http.post('/v1/verify', '{}', asForm), 415, 'BODY_TYPE');
      await problemIn(await http.post('/v1/verify', '{"code":'), 400, 'BODY_MALFORMED');
      const head =
        'POST /v1/verify HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\n';
      assert.match(
        await http.raw(`${head}content-length: 12\r\n\r\n{"code":"\xff"}`),
        /^HTTP\/1\.1 400 [^]*BODY_MALFORMED/,
      );
    });

    it('B66: refuses two lengths, a bad chunk and a head of 17 KiB, and goes on', async () => {
      const head = 'POST /v1/verify HTTP/1.1\r\nhost: x\r\n';
      assert.match(
        await http.raw(`${head}content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`),
        /^HTTP\/1\.1 400 /,
      );
      assert.match(
        await http.raw(`${head}content-length: 2\r\ncontent-length: 3\r\n\r\n{}`),
        /^HTTP\/1\.1 400 /,
      );
      assert.match(await http.raw(`${head}transfer-encoding: chunked\r\n\r\nzz\r\n`), /^HTTP\/1\.1 400 /);
      assert.match(await http.raw(`${head}x: ${'x'.repeat(17_000)}\r\n\r\n`), /^HTTP\/1\.1 431 /);
      assert.equal((await verdictOn({ code: code.text })).outcome, 'pass');
    });
  });

  describe('GET of logs', () => {
    it('T12: checkpoint, tiles and bundles are those of C2SP, and lead to the signed root', async () => {
      const response = await http.get(`/${TRUST}/checkpoint`);
      assert.equal(response.headers.get('content-type'), 'text/plain; charset=utf-8');
      const note = new Uint8Array(await response.arrayBuffer());
      const state = http.world.node('DE').trust.regions.get('DE')?.state ?? assert.fail();
      const keys = logVerifierKeys(sha256, state, TRUST);
      const { size, root } = openCheckpoint(note, keys, trustModules.verifySignature);
      assert.ok(size > 2 && size < 256);
      const bundle = await http.get(`/${TRUST}/tile/entries/000.p/${size}`);
      assert.match(bundle.headers.get('cache-control') ?? '', /immutable/);
      const tile = new Uint8Array(await (await http.get(`/${TRUST}/tile/0/000.p/${size}`)).arrayBuffer());
      const entries = verifyEntryBundle(sha256, new Uint8Array(await bundle.arrayBuffer()), tile);
      assert.equal(entries.length, size);
      const proofOf = async (path: string) => {
        const { hashes } = (await (await http.get(`/${TRUST}/proof/${path}`)).json()) as { hashes: string[] };
        return hashes.map((hash) => new Uint8Array(Buffer.from(hash, 'base64')));
      };
      for (const [index, entry] of entries.entries()) {
        const path = await proofOf(`inclusion?index=${index}&size=${size}`);
        verifyInclusion(sha256, { index, size, leafHash: leafHash(sha256, entry), path, root });
      }
      const path = await proofOf(`consistency?oldSize=2&newSize=${size}`);
      const tree = http.world.node('DE').log(TRUST) ?? assert.fail();
      const oldRoot = await tree.reader.rootAt(2);
      verifyConsistency(sha256, { oldSize: 2, oldRoot, newSize: size, newRoot: root, path });
    });

    it('the checkpoint of a trust log carries the cosignatures of others', async () => {
      const note = await (await http.get(`/${TRUST}/checkpoint`)).text();
      for (const region of ['DE', 'FR', 'IT']) assert.ok(note.includes(`— ${region}.test/witness `), note);
    });

    it('a checkpoint that is held already is not sent again', async () => {
      const etag = (await http.get(`/${TRUST}/checkpoint`)).headers.get('etag') ?? assert.fail();
      assert.equal((await http.get(`/${TRUST}/checkpoint`, { 'if-none-match': etag })).status, 304);
      assert.equal((await http.get(`/${TRUST}/checkpoint`, { 'if-none-match': '"other"' })).status, 200);
    });

    const absent = [
      '/XX.test/trust/checkpoint',
      '/DE.other/trust/checkpoint',
      '/DE.test/witness/checkpoint',
      '/DE.test/attest/2026-13/checkpoint',
      '/DE.test/trust/tile/0/999',
      '/DE.test/trust/tile/0/000',
      '/DE.test/trust/tile/0/000.p/256',
      '/DE.test/trust/tile/0/0',
      '/DE.test/trust/tile/64/000',
      '/DE.test/trust/tile/entries/000%00',
      '/DE.test/trust/tile/%2e%2e/%2e%2e/%2e%2e/etc/passwd',
      '/DE.test/trust/tile/../../../store/CURRENT',
      '/DE.test%2ftrust/checkpoint',
      '/%00',
      `/${'a/'.repeat(4_000)}`,
      '/v1/nothing',
      '/',
    ];
    for (const path of absent) {
      it(`B67: there is nothing at ${path.slice(0, 60)}`, async () => {
        const answer = await http.raw(`GET ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`);
        assert.match(answer, /^HTTP\/1\.1 404 [^]*application\/problem\+json/);
      });
    }

    const badQueries: readonly [path: string, at: string][] = [
      ['inclusion?index=-1&size=3', '/index'],
      ['inclusion?index=1e0&size=3', '/index'],
      ['inclusion?index=9007199254740993&size=3', '/index'],
      ['inclusion?size=3', '/index'],
      ['inclusion?index=1&index=2&size=3', '/index'],
      ['inclusion?index=1&size=3&limit=1e9', '/'],
    ];
    for (const [path, at] of badQueries) {
      it(`B65, B67: refuses ${path} and names the parameter`, async () => {
        const response = await http.get(`/${TRUST}/proof/${path}`);
        const { errors } = await problemIn(response, 422, 'INPUT_INVALID');
        assert.ok(
          errors?.some((error) => error.at === at),
          JSON.stringify(errors),
        );
      });
    }

    it('refuses proofs beyond the log', async () => {
      const size = http.world.node('DE').log(TRUST)?.size ?? 0;
      for (const path of [`inclusion?index=${size}&size=${size}`, `inclusion?index=0&size=${size + 1}`]) {
        await problemIn(await http.get(`/${TRUST}/proof/${path}`), 422, 'SIZE_INVALID');
      }
    });
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
