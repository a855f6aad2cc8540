import assert from 'node:assert/strict';
import { existsSync, linkSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { AdminClient, AdminProblem, type AdminRequest } from '../../../node/http/admin-client.ts';
import { addressOf } from '../../../node/http/admin-address.ts';
import { AdminServer } from '../../../node/http/admin-server.ts';
import { type IssuedCode } from '../../../node/http/admin-schemas.ts';
import { openNativeCrypto } from '../../../node/crypto/native.ts';
import { opensslBackEnd } from '../../../node/crypto/openssl.ts';
import { makeOperatorKey } from '../../../node/operators/operator-key.ts';
import { Verifiers } from '../../../node/lookup/verifiers.ts';
import { Operators } from '../../../node/operators/operators.ts';
import { type Needed, type Scope, SCOPES } from '../../../node/operators/scopes.ts';
import { parseTrailLine } from '../../../node/operators/trail-line.ts';
import { hexOf } from '../../../protocol/bytes.ts';
import { Trail } from '../../../node/operators/trail.ts';
import { type ProcessReport } from '../../../node/http/process-report.ts';
import { openLog } from '../../../node/logging/log.ts';
import { isNodeError, NodeError, type NodeErrorCode } from '../../../node/node-error.ts';
import { systemRandom as openRandom } from '../../../node/system-random.ts';
import { problemIn, threeRegions } from '../../support/http-fixture.ts';
import { joiningOf } from '../../support/joining-fixture.ts';
import { type NodeWorld } from '../../support/node-fixture.ts';
import { sha256 } from '../../support/primitives.ts';
import { DAY_S } from '../../support/region-fixture.ts';
import { temporaryFolders } from '../../support/temporary.ts';

const systemRandom = openRandom();

function isError(code: NodeErrorCode) {
  return (error: unknown) => isNodeError(error, code);
}

const REPORT: ProcessReport = {
  peers: [],
  missing: { someone: { region: 'FR', addresses: [], failures: 2, trouble: 'refused' } },
  conduct: [],
  addresses: { peer: 'us', http: 'http://127.0.0.1:8600', p2p: [] },
  health: { ready: true, reasons: [] },
  process: { pid: 1, node: 'v24.0.0', uptimeS: 1, residentBytes: 1, heapBytesMax: 1 },
};

describe('AdminServer', () => {
  const folder = temporaryFolders();
  let world: NodeWorld;
  let server: AdminServer;
  let client: AdminClient;
  let url: string;
  let secret: string;
  let trailFile: string;
  let deskSecretFile: string;
  const lines: string[] = [];

  async function serverOn(listen: string, secretFile: string): Promise<AdminServer> {
    const operators = await Operators.open(join(folder(), 'operators.json'), { sha256 });
    trailFile = join(folder(), 'trail.jsonl');
    deskSecretFile = join(folder(), 'desk.secret');
    const trail = await Trail.open(trailFile, { nowS: () => world.nowS });
    const log = openLog({ level: 'debug', format: 'json' }, (line) => lines.push(line));
    return new AdminServer(
      { region: 'DE', listen, secretFile, deskSecretFile },
      {
        node: world.node('DE'),
        report: () => REPORT,
        desk: {
          publish: () => Promise.resolve(),
          leave: () => undefined,
          reload: () => Promise.resolve({ peers: 2, keys: 4 }),
          witness: (regions) =>
            Promise.resolve({
              witnessed: [],
              faults: (regions ?? []).map((region) => ({
                region,
                code: 'PEER_UNREACHABLE',
                message: 'gone',
              })),
            }),
        },
        joining: joiningOf(world, 'DE', 'test'),
        clock: world.clock,
        random: systemRandom,
        sha256,
        verifySignature: (await openNativeCrypto()).verifySignature,
        operators,
        trail,
        verifiers: await Verifiers.open(join(folder(), 'verifiers.json')),
        log,
      },
    );
  }

  before(async () => {
    world = await threeRegions();
    const secretFile = join(folder(), 'admin.secret');
    server = await serverOn('127.0.0.1:0', secretFile);
    await server.start();
    url = server.address;
    secret = readFileSync(secretFile, 'utf8').trim();
    client = new AdminClient({ listen: new URL(url).host, secretFile });
  });
  after(async () => {
    await server.stop();
    await world.stop();
  });

  const ask = (request: AdminRequest) => world.run(client.ask(request));
  const orderOf = (subject: string, more: object = {}) => ({
    subject,
    status: { colour: 'green', expiresAtS: world.nowS + 7 * DAY_S },
    ...more,
  });
  const issue = async (body: object, idempotencyKey?: string): Promise<IssuedCode> =>
    (await ask({
      method: 'POST',
      path: '/v1/issue',
      body,
      ...(idempotencyKey !== undefined && { idempotencyKey }),
    })) as IssuedCode;

  function refusedWith(status: number, code: string) {
    return (error: unknown) => {
      assert.ok(error instanceof AdminProblem, String(error));
      assert.deepEqual([error.problem.status, error.problem.code], [status, code], error.message);
      return true;
    };
  }

  describe('who may ask', () => {
    const routes = async () => {
      const response = await fetch(`${url}/openapi.json`, { headers: { authorization: `Bearer ${secret}` } });
      const { paths } = (await response.json()) as { paths: Record<string, Record<string, unknown>> };
      return Object.entries(paths).flatMap(([path, methods]) =>
        Object.keys(methods).map((method) => [method, path] as const),
      );
    };

    it('AdminClient asks nobody without the file of the secret, as where no node ever ran', async () => {
      const stranger = new AdminClient({ listen: new URL(url).host, secretFile: join(folder(), 'none') });
      await assert.rejects(
        stranger.ask({ method: 'GET', path: '/v1/status' }),
        (error) => isNodeError(error, 'PEER_UNREACHABLE') && /there is no secret in/.test(error.message),
      );
    });

    it('T26: every route, also one that is not there, refuses whoever has not the secret', async () => {
      const known = await routes();
      assert.ok(known.length >= 10);
      const headers: Record<string, string>[] = [
        {},
        { authorization: secret },
        { authorization: `Basic ${secret}` },
        { authorization: `Bearer ${secret.slice(0, -1)}` },
        { authorization: `Bearer ${secret}x` },
        { authorization: `Bearer  ${secret}` },
        { authorization: 'Bearer ' },
      ];
      for (const [method, path] of [
        ...known,
        ['get', '/openapi.json'],
        ['get', '/nothing'],
        ['options', '/v1/issue'],
      ] as const) {
        for (const header of headers) {
          const response = await fetch(url + path, { method: method.toUpperCase(), headers: header });
          assert.equal(response.headers.get('access-control-allow-origin'), null);
          await problemIn(response, 401, 'UNAUTHORISED');
        }
      }
    });

    it('T26: the secret is not looked for anywhere but in the header', async () => {
      for (const path of [`/v1/status?secret=${secret}`, `/v1/status?access_token=${secret}`]) {
        await problemIn(
          await fetch(url + path, { headers: { cookie: `secret=${secret}` } }),
          401,
          'UNAUTHORISED',
        );
      }
    });

    it('says why there are no lines, where it is known before the first of them', async () => {
      const node = world.node('DE');
      const of = async function* (): AsyncGenerator<never> {
        await Promise.resolve();
        throw new NodeError('REGISTRY_AWAY', 'the database does not answer', { retry: true });
      };
      Object.defineProperty(node, 'heldCodes', { value: { of }, configurable: true });
      try {
        const headers = { authorization: `Bearer ${secret}`, 'content-type': 'application/json' };
        const response = await fetch(`${url}/v1/codes`, { method: 'POST', headers, body: '{}' });
        await problemIn(response, 503, 'REGISTRY_AWAY');
      } finally {
        Reflect.deleteProperty(node, 'heldCodes');
      }
    });

    it('T26: every route that takes JSON refuses what is none, of another type, too long or with more in it, and does nothing', async () => {
      const response = await fetch(`${url}/openapi.json`, { headers: { authorization: `Bearer ${secret}` } });
      const { paths } = (await response.json()) as {
        paths: Record<string, Record<string, { requestBody?: { content: Record<string, unknown> } }>>;
      };
      const all = Object.entries(paths).flatMap(([path, methods]) =>
        Object.entries(methods).flatMap(([method, { requestBody }]) =>
          'application/json' in (requestBody?.content ?? {}) ? [[method.toUpperCase(), path] as const] : [],
        ),
      );
      assert.ok(all.length >= 6, String(all));
      const { sizes } = world.node('DE').status;
      const bad: readonly [body: string, status: number, type?: string][] = [
        ['', 400],
        ['{', 400],
        ['{"x":1,"x":2}', 400],
        ['{"\\u0000":1}', 422],
        ['null', 422],
        ['[]', 422],
        ['7', 422],
        ['"DE"', 422],
        ['{"not-known-to-anybody":1}', 422],
        ['{}', 415, 'text/plain'],
        // Some take longer bodies, and then refuse what is in it.
        [`{"x":"${'x'.repeat(1_100_000)}"}`, 413],
      ];
      for (const [method, path] of all) {
        for (const [body, status, type = 'application/json'] of bad) {
          const where = `${method} ${path} ${body.slice(0, 40)} ${type}`;
          const headers = { authorization: `Bearer ${secret}`, 'content-type': type };
          const answer = await fetch(url + path.replaceAll(/\{\w+\}/g, 'x'), { method, headers, body });
          const text = await answer.text();
          const isTaken = status === 413 && answer.status === 422;
          if (!isTaken) assert.equal(answer.status, status, `${where}: ${text}`);
          assert.equal(answer.headers.get('content-type'), 'application/problem+json', where);
          assert.ok(!text.includes('not-known-to-anybody'), where);
        }
      }
      assert.deepEqual(world.node('DE').status.sizes, sizes);
    });

    it('does not answer 200 to paths and methods that are not there', async () => {
      const headers = { authorization: `Bearer ${secret}` };
      await problemIn(await fetch(`${url}/v1/verify`, { headers }), 404, 'PATH_UNKNOWN');
      await problemIn(await fetch(`${url}/v1/issue`, { headers }), 405, 'METHOD_UNKNOWN');
    });
  });

  describe('POST /v1/issue', () => {
    it('issues a code that passes', async () => {
      const { code, log, index, expiresAtS } = await issue(orderOf('p1'));
      assert.ok(log.startsWith('20') && index >= 0 && expiresAtS > world.nowS);
      await world.pass(1);
      assert.match(await world.outcome('FR', code), /^pass/);
    });

    it('opens the device and the document that were ordered', async () => {
      const { code } = await issue(
        orderOf('p2', { holderKey: '11'.repeat(32), document: { country: 'DE', number: 'C01X00T47' } }),
      );
      assert.match(await world.outcome('DE', code), /^pass/);
    });

    it('the same key gives the same code, at the same time and later, and takes no other order', async () => {
      // Made once: the clock of the world goes on, and another expiry would be another order.
      const order = orderOf('p3');
      const [first, second] = await Promise.all([issue(order, 'order-3'), issue(order, 'order-3')]);
      assert.deepEqual(first, second);
      assert.deepEqual(await issue(order, 'order-3'), first);
      assert.notDeepEqual(await issue(order, 'order-3b'), first);
      await assert.rejects(issue(orderOf('p4'), 'order-3'), refusedWith(409, 'ORDER_DIFFERS'));
    });

    const refused: readonly [what: string, order: () => object, at: string][] = [
      ['no subject', () => orderOf(''), '/subject'],
      ['a subject of 65 bytes', () => orderOf('x'.repeat(65)), '/subject'],
      ['half a character', () => orderOf('\ud800'), '/subject'],
      [
        'an unknown colour',
        () => orderOf('p', { status: { colour: 'blue', expiresAtS: world.nowS + 9 } }),
        '/status/colour',
      ],
      [
        'a measure without an end',
        () => orderOf('p', { status: { colour: 'red', measure: 'isolate', expiresAtS: world.nowS + 9 } }),
        '/status',
      ],
      [
        'green with a measure',
        () =>
          orderOf('p', {
            status: { colour: 'green', measure: 'home', untilS: world.nowS + 9, expiresAtS: world.nowS + 9 },
          }),
        '/status',
      ],
      [
        'an end without a measure',
        () => orderOf('p', { status: { colour: 'green', untilS: 9, expiresAtS: world.nowS + 9 } }),
        '/status',
      ],
      [
        'a code that has expired',
        () => orderOf('p', { status: { colour: 'green', expiresAtS: world.nowS } }),
        '/status/expiresAtS',
      ],
      [
        'a code of 31 days and an hour',
        () => orderOf('p', { status: { colour: 'green', expiresAtS: world.nowS + 31 * DAY_S } }),
        '/status/expiresAtS',
      ],
      [
        '2^53 seconds (B65)',
        () => orderOf('p', { status: { colour: 'green', expiresAtS: 2 ** 53 } }),
        '/status/expiresAtS',
      ],
      ['a device key of 31 bytes', () => orderOf('p', { holderKey: '11'.repeat(31) }), '/holderKey'],
      ['a member that is not known', () => orderOf('p', { admin: true }), '/'],
    ];
    for (const [what, order, at] of refused) {
      it(`refuses ${what}`, async () => {
        await assert.rejects(issue(order()), (error) => {
          assert.ok(refusedWith(422, 'INPUT_INVALID')(error));
          const { errors = [] } = (error as AdminProblem).problem;
          assert.ok(
            errors.some((one) => one.at === at),
            JSON.stringify(errors),
          );
          return true;
        });
      });
    }

    it('B64: refuses an order whose subject stands there twice', async () => {
      const body = JSON.stringify(orderOf('p')).replace('{', '{"subject":"q",');
      const headers = { authorization: `Bearer ${secret}`, 'content-type': 'application/json' };
      await problemIn(
        await fetch(`${url}/v1/issue`, { method: 'POST', headers, body }),
        400,
        'BODY_MALFORMED',
      );
    });
  });

  describe('POST /v1/issue/batch', () => {
    async function batch(
      body: string,
      headers: Record<string, string> = {},
    ): Promise<Record<string, unknown>[]> {
      const answer = async () => {
        const response = await fetch(`${url}/v1/issue/batch`, {
          method: 'POST',
          headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/jsonl', ...headers },
          body,
        });
        assert.equal(response.status, 200);
        return response.text();
      };
      const text = await world.run(answer());
      return text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as Record<string, unknown>);
    }

    it('answers a line for each line, in order, the bad ones too', async () => {
      const good = (subject: string) => JSON.stringify(orderOf(subject));
      const body = [good('b1'), 'nonsense', '', good('b2'), `"${'x'.repeat(20_000)}"`, good('')].join('\n');
      const answers = await batch(body);
      assert.deepEqual(
        answers.map(({ line, problem }) => [line, (problem as { code?: string } | undefined)?.code]),
        [
          [1, undefined],
          [2, 'BODY_MALFORMED'],
          [4, undefined],
          [5, 'BODY_TOO_LARGE'],
          [6, 'INPUT_INVALID'],
        ],
      );
      assert.match(await world.outcome('DE', String(answers[0]?.['code'])), /^pass/);
    });

    it('the same stream under the same key gives the same codes', async () => {
      const body = ['c1', 'c2', 'c3'].map((subject) => JSON.stringify(orderOf(subject))).join('\n');
      const first = await batch(body, { 'idempotency-key': 'stream-1' });
      assert.deepEqual(await batch(body, { 'idempotency-key': 'stream-1' }), first);
      assert.equal(new Set(first.map(({ index }) => index)).size, 3);
    });
  });

  describe('what else an operator does', () => {
    it('POST /v1/revoke revokes by place, or all that a person holds', async () => {
      const [one, two, three] = [
        await issue(orderOf('r1')),
        await issue(orderOf('r2')),
        await issue(orderOf('r2')),
      ];
      await ask({ method: 'POST', path: '/v1/revoke', body: { log: one.log, indexes: [one.index] } });
      const answer = await ask({ method: 'POST', path: '/v1/revoke', body: { subject: 'r2' } });
      assert.deepEqual(answer, { revoked: [{ log: two.log, indexes: [two.index, three.index] }] });
      await world.pass(1);
      for (const { code } of [one, two, three])
        assert.match(await world.outcome('FR', code), /^stop.*REVOKED/);
      const nobody = ask({ method: 'POST', path: '/v1/revoke', body: { subject: 'nobody' } });
      await assert.rejects(nobody, refusedWith(404, 'PATH_UNKNOWN'));
    });

    for (const body of [
      {},
      { log: '2026-11' },
      { indexes: [1] },
      { log: '2026-11', indexes: [1], subject: 'x' },
      { log: '2026-11', indexes: [] },
      { log: '2026-11', indexes: [-1] },
      { log: '2026-11', indexes: [2 ** 40] },
      { log: 'trust', indexes: [1] },
    ]) {
      it(`POST /v1/revoke refuses ${JSON.stringify(body)}`, async () => {
        await assert.rejects(
          ask({ method: 'POST', path: '/v1/revoke', body }),
          refusedWith(422, 'INPUT_INVALID'),
        );
      });
    }

    it('POST /v1/revoke refuses what was not issued, and then revokes nothing', async () => {
      const { log, index } = await issue(orderOf('r4'));
      const size = world.node('DE').log(`DE.test/attest/${log}`)?.size ?? 0;
      const before = world.node('DE').log('DE.test/trust')?.size;
      for (const body of [
        { log, indexes: [index, size] },
        { log: '2099-01', indexes: [0] },
      ]) {
        const order = ask({ method: 'POST', path: '/v1/revoke', body });
        await assert.rejects(order, refusedWith(422, 'INPUT_INVALID'));
      }
      const over = ask({ method: 'POST', path: '/v1/revoke', body: { log: '2020-01', indexes: [0] } });
      await assert.rejects(over, refusedWith(410, 'LOG_OVER'));
      assert.equal(world.node('DE').log('DE.test/trust')?.size, before);
      await ask({ method: 'POST', path: '/v1/revoke', body: { log, indexes: [size - 1] } });
    });

    it('POST /v1/entries logs what the root has signed, and nothing else', async () => {
      const { fixture } = world.machine('DE');
      fixture.nowS = world.nowS;
      const entry = fixture.entryOf(fixture.recognitionOf(world.machine('FR').fixture, 2));
      const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');
      const { index } = (await ask({
        method: 'POST',
        path: '/v1/entries',
        body: { entries: [base64(entry)] },
      })) as { index: number };
      assert.ok(index > 0);
      const again = ask({ method: 'POST', path: '/v1/entries', body: { entries: [base64(entry)] } });
      await assert.rejects(again, refusedWith(409, 'REFUSED'));
      const forged = entry.slice();
      forged[forged.length - 1] = (forged.at(-1) ?? 0) ^ 1;
      const other = ask({ method: 'POST', path: '/v1/entries', body: { entries: [base64(forged)] } });
      await assert.rejects(other, refusedWith(409, 'REFUSED'));
    });

    it('POST /v1/suspend takes effect at once', async () => {
      const { text } = await world.issue('IT');
      await world.pass(12);
      assert.match(await world.outcome('DE', text), /^pass/);
      await ask({ method: 'POST', path: '/v1/suspend', body: { region: 'IT' } });
      assert.doesNotMatch(await world.outcome('DE', text), /^pass/);
      const stranger = ask({ method: 'POST', path: '/v1/suspend', body: { region: 'ES' } });
      await assert.rejects(stranger, refusedWith(404, 'PATH_UNKNOWN'));
    });

    it('POST /v1/state commits to the state', async () => {
      const { index } = (await ask({ method: 'POST', path: '/v1/state' })) as { index: number };
      assert.ok(index > 0);
    });

    it('GET /v1/status, /v1/peers and /v1/keys tell how things are', async () => {
      const status = (await ask({ method: 'GET', path: '/v1/status' })) as {
        writing: string;
        home: string;
        peers: unknown[];
      };
      assert.deepEqual([status.writing, status.home, status.peers], ['writing', 'DE', REPORT.peers]);
      const { peers, missing, conduct } = REPORT;
      assert.deepEqual(await ask({ method: 'GET', path: '/v1/peers' }), { peers, missing, conduct });
      const { keys } = (await ask({ method: 'GET', path: '/v1/keys' })) as { keys: object[] };
      assert.ok(keys.length >= 4);
      assert.ok(!JSON.stringify(keys).includes('secret'));
    });
  });

  describe('operators', () => {
    /** What each route needs. Whoever adds one decides it here too. */
    const NEEDS: Readonly<Record<string, Needed>> = {
      'post /v1/issue': 'issue',
      'post /v1/issue/batch': 'issue',
      'post /v1/bridge/batch': 'issue',
      'post /v1/lists/import': 'issue',
      'post /v1/joinings/confirm-invited': 'trust',
      'post /v1/joinings/confirm-joined': 'trust',
      'post /v1/joinings/drop': 'trust',
      'post /v1/joinings/invite': 'trust',
      'post /v1/joinings/join': 'trust',
      'post /v1/lists/find': 'issue',
      'post /v1/lookup/numbers': 'issue',
      'get /v1/lookup': 'read',
      'get /v1/verifiers': 'read',
      'post /v1/verifiers': 'trust',
      'post /v1/verifiers/remove': 'trust',
      'post /v1/declarations': 'issue',
      'post /v1/declarations/import': 'issue',
      'post /v1/declarations/find': 'issue',
      'post /v1/update': 'issue',
      'post /v1/notices': 'issue',
      'post /v1/notices/told': 'issue',
      'post /v1/holder': 'issue',
      'get /v1/objections': 'issue',
      'post /v1/objections': 'issue',
      'post /v1/objections/decide': 'issue',
      'post /v1/codes': 'issue',
      'post /v1/override/propose': 'issue',
      'post /v1/override/confirm': 'issue',
      'get /v1/override': 'read',
      'post /v1/disclosures': 'audit',
      'post /v1/revoke': 'revoke',
      'post /v1/foreign-revocations': 'revoke',
      'post /v1/forget': 'revoke',
      'post /v1/entries': 'trust',
      'post /v1/suspend': 'trust',
      'post /v1/state': 'trust',
      'post /v1/promote': 'trust',
      'post /v1/force': 'trust',
      'post /v1/stop': 'trust',
      'post /v1/reload': 'trust',
      'post /v1/witness': 'trust',
      'get /v1/status': 'read',
      'get /v1/peers': 'read',
      'get /v1/joinings': 'read',
      'get /v1/keys': 'read',
      'get /v1/lists': 'read',
      'get /v1/operators': 'read',
      'post /v1/publish': 'publish',
      'post /v1/operators': 'operators',
      'post /v1/operators/remove': 'operators',
    };
    const needed = Object.entries(NEEDS);

    /** An operator with these scopes, who asks. */
    async function named(name: string, scopes: readonly Scope[]): Promise<AdminClient> {
      const modules = { ...opensslBackEnd, random: systemRandom };
      const operator = await makeOperatorKey(join(folder(), 'key'), { region: 'DE', name }, modules);
      const body = { name, publicKey: hexOf(operator.publicKey), scopes };
      await ask({ method: 'POST', path: '/v1/operators', body });
      const listen = new URL(url).host;
      return new AdminClient({ listen, secretFile: 'none', operator, nowS: () => world.nowS });
    }

    const askAs = (who: AdminClient, route: string) => {
      const [method = '', path = ''] = route.split(' ');
      const request = { method: method.toUpperCase() as 'GET' | 'POST', path };
      return world.run(who.ask(request.method === 'GET' ? request : { ...request, body: {} }));
    };

    it('every route says what it needs, and there is no other', async () => {
      const headers = { authorization: `Bearer ${secret}` };
      const response = await fetch(`${url}/openapi.json`, { headers });
      const { paths } = (await response.json()) as {
        paths: Record<string, Record<string, { 'x-needs'?: Needed }>>;
      };
      const described = Object.entries(paths).flatMap(([path, methods]) =>
        Object.entries(methods).map(([method, route]) => [`${method} ${path}`, route['x-needs']]),
      );
      assert.deepEqual(Object.fromEntries(described), NEEDS);
    });

    it('every route refuses an operator with all scopes but the one that it needs, and takes one with it', async () => {
      for (const scope of SCOPES) {
        const others = await named(
          `no-${scope}`,
          SCOPES.filter((one) => one !== scope),
        );
        const itself = await named(`only-${scope}`, [scope]);
        for (const [route] of needed.filter(([, needs]) => needs === scope)) {
          // How the node is may be seen by each of them.
          if (scope === 'read') await askAs(others, route);
          else await assert.rejects(askAs(others, route), refusedWith(403, 'SCOPE_MISSING'), route);
          // Without a good body most are refused later, for that.
          const answer = await askAs(itself, route).catch((error: unknown) => error);
          const { status = 200 } = answer instanceof AdminProblem ? answer.problem : {};
          assert.ok(status !== 401 && status !== 403, `${route}: ${status}`);
        }
        for (const [route, needs] of needed)
          if (needs === 'operators')
            await assert.rejects(askAs(others, route), refusedWith(403, 'SCOPE_MISSING'));
      }
    });

    it('once there are operators the secret looks on and names them, and does nothing else', async () => {
      for (const [route, needs] of needed) {
        if (needs === 'read' || needs === 'operators' || needs === 'publish') continue;
        await assert.rejects(askAs(client, route), refusedWith(403, 'SCOPE_MISSING'), route);
      }
      await ask({ method: 'GET', path: '/v1/status' });
    });

    it('what was asked stands in the trail, with who asked, and nothing of people', async () => {
      const who = await named('carla', ['issue', 'revoke']);
      const body = orderOf('Person Secret');
      await assert.rejects(world.run(who.ask({ method: 'POST', path: '/v1/issue', body })), /two operators/);
      await assert.rejects(
        world.run(who.ask({ method: 'POST', path: '/v1/revoke', body: { subject: 'Person Nobody' } })),
      );
      const text = readFileSync(trailFile, 'utf8');
      assert.doesNotMatch(text, /Person|green/);
      const [issued, , revoking, failed] = text.trimEnd().split('\n').slice(-4).map(parseTrailLine);
      assert.deepEqual([issued?.who, issued?.action, issued?.failed], ['carla', 'issue', undefined]);
      assert.deepEqual([revoking?.who, revoking?.action], ['carla', 'revoke']);
      assert.deepEqual(failed?.failed, { n: revoking?.n, code: 'PATH_UNKNOWN' });
    });

    const newest = (count: number) =>
      readFileSync(trailFile, 'utf8').trimEnd().split('\n').slice(-count).map(parseTrailLine);

    it('the trail says whom and how many before it is done: an operator with key and scopes, codes by their number', async () => {
      const who = await named('dora', ['issue', 'revoke']);
      const [naming] = newest(1);
      assert.match(naming?.about ?? '', /^dora [0-9a-f]{16} issue,revoke$/);
      const log = '2026-11';
      const body = { log, indexes: [0, 1] };
      await world.run(who.ask({ method: 'POST', path: '/v1/revoke', body }));
      const [revoking] = newest(1);
      assert.deepEqual([revoking?.action, revoking?.count, revoking?.about], ['revoke', 2, log]);
      await ask({ method: 'POST', path: '/v1/operators/remove', body: { name: 'dora' } });
      assert.equal(newest(1)[0]?.about, naming?.about);
    });

    it('the trail says which leaves were opened, and for whom', async () => {
      const who = await named('gustav', ['audit']);
      const auditor = await identityToRecipient(await generateX25519Identity());
      const body = { log: '2026-11', from: 1, until: 3, auditor };
      const answer = await world.run(who.ask({ method: 'POST', path: '/v1/disclosures', body }));
      assert.equal((answer as { opened: number }).opened, 2);
      const [disclosing] = newest(1);
      assert.deepEqual(
        [disclosing?.who, disclosing?.action, disclosing?.count, disclosing?.about],
        ['gustav', 'disclosures', 2, `2026-11 from 1 for ${auditor}`],
      );
    });

    it('the trail says how an answer by lines has ended', async () => {
      const who = await named('emil', ['issue']);
      const orders = [orderOf('Person 00103'), { subject: 'Person 00104' }];
      const request = { method: 'POST', path: '/v1/issue/batch' } as const;
      const body = orders.map((one) => `${JSON.stringify(one)}\n`);
      const taken = async () => {
        let count = 0;
        for await (const line of who.lines(request, body)) if (line !== undefined) count++;
        return count;
      };
      assert.equal(await world.run(taken()), 2);
      const [begun, ended] = newest(2);
      assert.deepEqual([begun?.action, begun?.ended], ['issue/batch', undefined]);
      assert.deepEqual(ended?.ended, { n: begun?.n, done: 0, failed: 2 });
    });

    it('the secret of the desk is good for the pages alone, and the secret of the node is not', async () => {
      const desk = readFileSync(deskSecretFile, 'utf8').trim();
      const response = await fetch(`${url}/v1/status`, { headers: { authorization: `Bearer ${desk}` } });
      await problemIn(response, 401, 'UNAUTHORISED');
      const look = (given: string) =>
        world.run(
          fetch(`${url}/holder`, {
            method: 'POST',
            body: new URLSearchParams({ subject: 'x', secret: given }),
          }),
        );
      assert.equal((await look(secret)).status, 403);
      assert.equal((await look(desk)).status, 404);
      const last = readFileSync(trailFile, 'utf8').trimEnd().split('\n').at(-1) ?? '';
      assert.deepEqual([parseTrailLine(last)?.who, parseTrailLine(last)?.action], ['desk', 'holder']);
      const { count, about, failed } = parseTrailLine(last) ?? {};
      assert.deepEqual([count, about, failed?.code], [1, 'page /holder', 'NOT_FOUND']);
    });
  });

  it('neither subjects nor codes nor the secret are in the log', () => {
    const logged = lines.join('');
    for (const trace of ['ENT1:', 'C01X00T47', secret]) assert.ok(!logged.includes(trace));
  });

  describe('on a unix socket', () => {
    it('is for its owner alone, and takes the place of one whose process is gone', async () => {
      const dir = folder();
      const path = join(dir, 'admin.sock');
      const secretFile = join(dir, 'admin.secret');
      const first = await serverOn(path, secretFile);
      await first.start();
      assert.equal(statSync(path).mode & 0o777, 0o600);
      assert.equal(statSync(secretFile).mode & 0o777, 0o600);
      const here = new AdminClient({ listen: path, secretFile });
      assert.equal(((await here.ask({ method: 'GET', path: '/v1/status' })) as { home: string }).home, 'DE');
      await assert.rejects((await serverOn(path, secretFile)).start(), isError('ADDRESS_UNUSABLE'));
      await first.stop();
      assert.ok(!existsSync(path));
      await assert.rejects(here.ask({ method: 'GET', path: '/v1/status' }), isError('PEER_UNREACHABLE'));
    });

    it('takes the secrets that stand in their files once it is told to, and keeps those before where they are none', async () => {
      const dir = folder();
      const secretFile = join(dir, 'admin.secret');
      const here = await serverOn(join(dir, 'admin.sock'), secretFile);
      await here.start();
      const before = readFileSync(secretFile, 'utf8').trim();
      const next = 'n'.repeat(43);
      const statusWith = async (bearer: string): Promise<number> => {
        const file = join(folder(), 'given');
        writeFileSync(file, bearer, { mode: 0o600 });
        const asker = new AdminClient({ listen: here.address, secretFile: file });
        const answer = await asker
          .ask({ method: 'GET', path: '/v1/status' })
          .catch((error: unknown) => error);
        return answer instanceof AdminProblem ? answer.problem.status : 200;
      };
      writeFileSync(secretFile, next);
      writeFileSync(deskSecretFile, 'too short');
      assert.deepEqual([await statusWith(before), await statusWith(next)], [200, 401]);
      await here.reload();
      assert.deepEqual([await statusWith(before), await statusWith(next)], [401, 200]);
      rmSync(secretFile);
      await here.reload();
      const made = readFileSync(secretFile, 'utf8').trim();
      assert.deepEqual([await statusWith(next), await statusWith(made)], [401, 200]);
      await here.stop();
    });

    it('B72: a socket that a dead process left is not in the way', async () => {
      const dir = folder();
      const path = join(dir, 'admin.sock');
      const dead = createServer().listen(path);
      await new Promise((resolve) => dead.once('listening', resolve));
      // Closing removes the name it was made under: another name of it stays, as after a kill.
      linkSync(path, join(dir, 'left.sock'));
      await new Promise((resolve) => dead.close(resolve));
      renameSync(join(dir, 'left.sock'), path);
      const next = await serverOn(path, join(dir, 'admin.secret'));
      await next.start();
      await next.stop();
    });

    it('AdminClient takes an answer as long as a disclosure of many facts', async () => {
      const dir = folder();
      const path = join(dir, 'admin.sock');
      writeFileSync(join(dir, 'admin.secret'), 'x'.repeat(43), { mode: 0o600 });
      const long = 'x'.repeat(20_000_000);
      const other = createHttpServer((_, response) => response.end(JSON.stringify(long))).listen(path);
      await new Promise((resolve) => other.once('listening', resolve));
      const here = new AdminClient({ listen: path, secretFile: join(dir, 'admin.secret') });
      assert.equal(await here.ask({ method: 'GET', path: '/v1/status' }), long);
      await new Promise((resolve) => other.close(resolve));
    });

    it('refuses a path that the system would cut short', () => {
      assert.throws(() => addressOf(`/${'x'.repeat(103)}`), isError('ADDRESS_UNUSABLE'));
      assert.deepEqual(addressOf('[::1]:80'), { host: '::1', port: 80 });
    });
  });
});
