import assert from 'node:assert/strict';
import { receiptText } from '../../../cli/receipt-text.ts';
import { type LogReceipt } from '../../../node/trust/log-receipt.ts';
import { existsSync, linkSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { isProtocolError } from '../../../protocol/fault.ts';
import { parseCode } from '../../../protocol/code/code.ts';
import { parsePolicy } from '../../../protocol/log/policy.ts';
import { parseLogProof, verifyLogProof } from '../../../protocol/log/tlog-proof.ts';
import {
  COSIGNATURE,
  ED25519,
  encodeVerifierKey,
  makeVerifierKey,
  type NoteAlgorithm,
} from '../../../protocol/log/verifier-key.ts';
import { AdminClient, AdminProblem } from '../../../node/http/admin-client.ts';
import { addressOf } from '../../../node/http/admin-address.ts';
import { isNodeError, NodeError } from '../../../node/node-error.ts';
import { adminFiles, AdminWorld, isError, refusedWith, REPORT } from '../../support/admin-fixture.ts';
import { problemIn } from '../../support/http-fixture.ts';
import { verifySignature } from '../../support/keys.ts';
import { sha256 } from '../../support/primitives.ts';
import { type TestKey } from '../../support/region-fixture.ts';
import { type IssuedCode } from '../../../node/http/admin-schemas.ts';
import { temporaryFolders } from '../../support/temporary.ts';
import { until } from '../../support/until.ts';

describe('AdminServer', () => {
  const folder = temporaryFolders();
  let admin: AdminWorld;

  before(async () => {
    admin = await AdminWorld.start(folder());
  });
  after(() => admin.stop());

  describe('who may ask', () => {
    const routes = async () => {
      const response = await fetch(`${admin.url}/openapi.json`, {
        headers: { authorization: `Bearer ${admin.secret}` },
      });
      const { paths } = (await response.json()) as { paths: Record<string, Record<string, unknown>> };
      return Object.entries(paths).flatMap(([path, methods]) =>
        Object.keys(methods).map((method) => [method, path] as const),
      );
    };

    it('AdminClient asks nobody without the file of the secret, as where no node ever ran', async () => {
      const stranger = new AdminClient({ listen: admin.host, secretFile: join(folder(), 'none') });
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
        { authorization: admin.secret },
        { authorization: `Basic ${admin.secret}` },
        { authorization: `Bearer ${admin.secret.slice(0, -1)}` },
        { authorization: `Bearer ${admin.secret}x` },
        { authorization: `Bearer  ${admin.secret}` },
        { authorization: 'Bearer ' },
      ];
      for (const [method, path] of [
        ...known,
        ['get', '/openapi.json'],
        ['get', '/nothing'],
        ['options', '/v1/issue'],
      ] as const) {
        for (const header of headers) {
          const response = await fetch(admin.url + path, { method: method.toUpperCase(), headers: header });
          assert.equal(response.headers.get('access-control-allow-origin'), null);
          await problemIn(response, 401, 'UNAUTHORISED');
        }
      }
    });

    it('T26: the secret is not looked for anywhere but in the header', async () => {
      for (const path of [`/v1/status?secret=${admin.secret}`, `/v1/status?access_token=${admin.secret}`]) {
        await problemIn(
          await fetch(admin.url + path, { headers: { cookie: `secret=${admin.secret}` } }),
          401,
          'UNAUTHORISED',
        );
      }
    });

    it('says why there are no lines, where it is known before the first of them', async () => {
      const node = admin.world.node('DE');
      const of = async function* (): AsyncGenerator<never> {
        await Promise.resolve();
        throw new NodeError('REGISTRY_AWAY', 'the database does not answer', { retry: true });
      };
      Object.defineProperty(node, 'heldCodes', { value: { of }, configurable: true });
      try {
        const headers = { authorization: `Bearer ${admin.secret}`, 'content-type': 'application/json' };
        const response = await fetch(`${admin.url}/v1/codes`, { method: 'POST', headers, body: '{}' });
        await problemIn(response, 503, 'REGISTRY_AWAY');
      } finally {
        Reflect.deleteProperty(node, 'heldCodes');
      }
    });

    it('lines that break off end the connection, are logged, and are told nowhere else', async () => {
      const node = admin.world.node('DE');
      const of = async function* () {
        yield { log: '2026-11', givenUp: 3 };
        await Promise.resolve();
        throw new NodeError('REGISTRY_AWAY', 'the database does not answer', { retry: true });
      };
      Object.defineProperty(node, 'heldCodes', { value: { of }, configurable: true });
      const told: unknown[] = [];
      const { error, info } = console;
      Object.assign(console, {
        error: (one: unknown) => told.push(one),
        info: (one: unknown) => told.push(one),
      });
      try {
        const headers = { authorization: `Bearer ${admin.secret}`, 'content-type': 'application/json' };
        const response = await fetch(`${admin.url}/v1/codes`, { method: 'POST', headers, body: '{}' });
        assert.equal(response.status, 200);
        await assert.rejects(response.text());
        await until(() => admin.lines.some((line) => line.includes('an answer broke off')), 'it is logged');
      } finally {
        Object.assign(console, { error, info });
        Reflect.deleteProperty(node, 'heldCodes');
      }
      assert.deepEqual(told, []);
    });

    it('T26: every route that takes JSON refuses what is none, of another type, too long or with more in it, and does nothing', async () => {
      const response = await fetch(`${admin.url}/openapi.json`, {
        headers: { authorization: `Bearer ${admin.secret}` },
      });
      const { paths } = (await response.json()) as {
        paths: Record<string, Record<string, { requestBody?: { content: Record<string, unknown> } }>>;
      };
      const all = Object.entries(paths).flatMap(([path, methods]) =>
        Object.entries(methods).flatMap(([method, { requestBody }]) =>
          'application/json' in (requestBody?.content ?? {}) ? [[method.toUpperCase(), path] as const] : [],
        ),
      );
      assert.ok(all.length >= 6, String(all));
      const { sizes } = admin.world.node('DE').status;
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
          const headers = { authorization: `Bearer ${admin.secret}`, 'content-type': type };
          const answer = await fetch(admin.url + path.replaceAll(/\{\w+\}/g, 'x'), { method, headers, body });
          const text = await answer.text();
          const isTaken = status === 413 && answer.status === 422;
          if (!isTaken) assert.equal(answer.status, status, `${where}: ${text}`);
          assert.equal(answer.headers.get('content-type'), 'application/problem+json', where);
          assert.ok(!text.includes('not-known-to-anybody'), where);
        }
      }
      assert.deepEqual(admin.world.node('DE').status.sizes, sizes);
    });

    it('does not answer 200 to paths and methods that are not there', async () => {
      const headers = { authorization: `Bearer ${admin.secret}` };
      await problemIn(await fetch(`${admin.url}/v1/verify`, { headers }), 404, 'PATH_UNKNOWN');
      await problemIn(await fetch(`${admin.url}/v1/issue`, { headers }), 405, 'METHOD_UNKNOWN');
    });
  });

  describe('what else an operator does', () => {
    it('POST /v1/revoke revokes by place, or all that a person holds', async () => {
      const [one, two, three] = [
        await admin.issue(admin.orderOf('r1')),
        await admin.issue(admin.orderOf('r2')),
        await admin.issue(admin.orderOf('r2')),
      ];
      await admin.ask({ method: 'POST', path: '/v1/revoke', body: { log: one.log, indexes: [one.index] } });
      const answer = await admin.ask({ method: 'POST', path: '/v1/revoke', body: { subject: 'r2' } });
      const { revoked } = answer as { revoked: unknown };
      assert.deepEqual(revoked, [{ log: two.log, indexes: [two.index, three.index] }]);
      await admin.world.pass(1);
      for (const { code } of [one, two, three])
        assert.match(await admin.world.outcome('FR', code), /^stop.*REVOKED/);
      const nobody = admin.ask({ method: 'POST', path: '/v1/revoke', body: { subject: 'nobody' } });
      await assert.rejects(nobody, refusedWith(404, 'PATH_UNKNOWN'));
    });

    for (const body of [
      {},
      { log: '2026-11' },
      { indexes: [1] },
      { log: '2026-11', indexes: [1], subject: 'x' },
      { log: '2026-11', indexes: [] },
      { log: '2026-11', indexes: [-1] },
      { subject: 'r1', why: '' },
      { subject: 'r1', why: 'a\nb' },
      { log: '2026-11', indexes: [2 ** 40] },
      { log: 'trust', indexes: [1] },
    ]) {
      it(`POST /v1/revoke refuses ${JSON.stringify(body)}`, async () => {
        await assert.rejects(
          admin.ask({ method: 'POST', path: '/v1/revoke', body }),
          refusedWith(422, 'INPUT_INVALID'),
        );
      });
    }

    it('POST /v1/revoke refuses what was not issued, and then revokes nothing', async () => {
      const { log, index } = await admin.issue(admin.orderOf('r4'));
      const size = admin.world.node('DE').log(`DE.test/attest/${log}`)?.size ?? 0;
      const before = admin.world.node('DE').log('DE.test/trust')?.size;
      for (const body of [
        { log, indexes: [index, size] },
        { log: '2099-01', indexes: [0] },
      ]) {
        const order = admin.ask({ method: 'POST', path: '/v1/revoke', body });
        await assert.rejects(order, refusedWith(422, 'INPUT_INVALID'));
      }
      const over = admin.ask({ method: 'POST', path: '/v1/revoke', body: { log: '2020-01', indexes: [0] } });
      await assert.rejects(over, refusedWith(410, 'LOG_OVER'));
      assert.equal(admin.world.node('DE').log('DE.test/trust')?.size, before);
      await admin.ask({ method: 'POST', path: '/v1/revoke', body: { log, indexes: [size - 1] } });
    });

    it('POST /v1/entries logs what the root has signed, and nothing else', async () => {
      const { fixture } = admin.world.machine('DE');
      fixture.nowS = admin.world.nowS;
      const entry = fixture.entryOf(fixture.recognitionOf(admin.world.machine('FR').fixture, 2));
      const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');
      const { index } = (await admin.ask({
        method: 'POST',
        path: '/v1/entries',
        body: { entries: [base64(entry)] },
      })) as { index: number };
      assert.ok(index > 0);
      const again = admin.ask({ method: 'POST', path: '/v1/entries', body: { entries: [base64(entry)] } });
      await assert.rejects(again, refusedWith(409, 'REFUSED'));
      const forged = entry.slice();
      forged[forged.length - 1] = (forged.at(-1) ?? 0) ^ 1;
      const other = admin.ask({ method: 'POST', path: '/v1/entries', body: { entries: [base64(forged)] } });
      await assert.rejects(other, refusedWith(409, 'REFUSED'));
    });

    it('POST /v1/suspend takes effect at once', async () => {
      const { text } = await admin.world.issue('IT');
      await admin.world.pass(12);
      assert.match(await admin.world.outcome('DE', text), /^pass/);
      await admin.ask({ method: 'POST', path: '/v1/suspend', body: { region: 'IT' } });
      assert.doesNotMatch(await admin.world.outcome('DE', text), /^pass/);
      const stranger = admin.ask({ method: 'POST', path: '/v1/suspend', body: { region: 'ES' } });
      await assert.rejects(stranger, refusedWith(404, 'PATH_UNKNOWN'));
    });

    it('POST /v1/state commits to the state', async () => {
      const { index } = (await admin.ask({ method: 'POST', path: '/v1/state' })) as { index: number };
      assert.ok(index > 0);
    });

    it('what is logged comes with a receipt, sequenced at once, and witnessed once a quorum vouches', async () => {
      await admin.world.pass(12);
      const { index, receipt } = (await admin.ask({ method: 'POST', path: '/v1/state' })) as {
        index: number;
        receipt: LogReceipt;
      };
      const { size, atS } = receipt.sequenced;
      assert.deepEqual([size, atS], [index + 1, admin.world.nowS]);
      assert.deepEqual(receipt.witnessed, { counted: 0, needed: 1, of: 2, isQuorum: false });
      assert.match(receiptText(receipt), /^Sequenced, not yet witnessed: .*; 0 of 2 witnesses/);
      const ask = (query: string) =>
        admin.ask({ method: 'GET', path: `/v1/receipt?${query}` }) as Promise<LogReceipt>;
      await admin.world.pass(30);
      const later = await ask(`log=trust&size=${size}`);
      assert.deepEqual(later.sequenced, receipt.sequenced);
      const { ageS = Infinity, ...counts } = later.witnessed ?? assert.fail();
      assert.deepEqual(counts, { counted: 2, needed: 1, of: 2, isQuorum: true, size });
      assert.ok(ageS <= 12, String(ageS));
      assert.match(receiptText(later), /^Sequenced and witnessed: .*; 2 of 2 witnesses/);
      await assert.rejects(ask(`size=${size + 1}`), refusedWith(404, 'PATH_UNKNOWN'));
      for (const query of ['size=0', 'log=tree', 'place=1'])
        await assert.rejects(ask(query), refusedWith(422, 'INPUT_INVALID'));
    });

    it('a code comes with a proof that it is logged, and GET /v1/receipt gives one under what is witnessed later', async () => {
      const issued = (await admin.ask({
        method: 'POST',
        path: '/v1/issue',
        body: admin.orderOf('r7'),
      })) as IssuedCode & {
        readonly receipt: LogReceipt;
      };
      const { log, index, code, receipt } = issued;
      const origin = `DE.test/attest/${log}`;
      const node = admin.world.node('DE');
      const { fixture } = admin.world.machine('DE');
      const keyOf = (name: string, algorithm: NoteAlgorithm, { publicKey }: TestKey) =>
        makeVerifierKey(sha256, { name, algorithm, publicKey });
      const ours = keyOf(origin, ED25519, fixture.keys.checkpoint);
      const witnesses = ['FR', 'IT'].map((region) => {
        return keyOf(`${region}.test/witness`, COSIGNATURE, admin.world.machine(region).fixture.keys.witness);
      });
      const lines = [ours, ...witnesses].map((key, i) =>
        i === 0 ? `log ${encodeVerifierKey(key)}` : `witness w${i} ${encodeVerifierKey(key)}`,
      );
      const policy = (quorum: string) => parsePolicy(sha256, Buffer.from([...lines, quorum, ''].join('\n')));
      const { attestation } = parseCode(sha256, code);
      const proves = ({ proof = '' }: LogReceipt, quorum: string) => {
        const parsed = parseLogProof(Buffer.from(proof));
        return verifyLogProof({ sha256, verifySignature }, parsed, attestation.bytes, policy(quorum));
      };
      assert.equal(receipt.sequenced.origin, origin);
      assert.equal(receipt.witnessed.isQuorum, false);
      assert.match(receiptText(receipt), /^Sequenced, not yet witnessed: DE\.test\/attest\//);
      assert.equal(proves(receipt, 'quorum none').index, index);
      assert.throws(
        () => proves(receipt, 'quorum w1'),
        (error) => isProtocolError(error, 'NOTE_UNSIGNED'),
      );

      await admin.world.until(() => node.receipts.of(origin)?.witnessed.isQuorum === true, 'witnessed', 90);
      const ask = (query: string) =>
        admin.ask({ method: 'GET', path: `/v1/receipt?log=${log}&${query}` }) as Promise<LogReceipt>;
      const later = await ask(`index=${index}`);
      assert.match(receiptText(later), /^Sequenced and witnessed: .*; 2 of 2 witnesses/);
      for (const one of ['w1', 'w2']) assert.equal(proves(later, `quorum ${one}`).index, index);

      // What is witnessed already stays what it is proven by, until there is more.
      await admin.issue(admin.orderOf('r8'));
      assert.deepEqual(
        proves(await ask(`index=${index}`), 'quorum w1').checkpoint.size,
        later.witnessed.size,
      );
      const next = await ask(`index=${later.sequenced.size}`);
      assert.equal(next.witnessed.isQuorum, false);
      assert.equal((await ask(`size=${index + 1}`)).proof, undefined);
      await assert.rejects(ask(`index=${next.sequenced.size}`), refusedWith(404, 'PATH_UNKNOWN'));
      for (const query of ['index=-1', `index=${index}&size=${index + 1}`])
        await assert.rejects(ask(query), refusedWith(422, 'INPUT_INVALID'));
    });

    it('GET /v1/status, /v1/peers and /v1/keys tell how things are', async () => {
      const status = (await admin.ask({ method: 'GET', path: '/v1/status' })) as {
        writing: string;
        home: string;
        peers: unknown[];
      };
      assert.deepEqual([status.writing, status.home, status.peers], ['writing', 'DE', REPORT.peers]);
      const { peers, missing, conduct } = REPORT;
      assert.deepEqual(await admin.ask({ method: 'GET', path: '/v1/peers' }), { peers, missing, conduct });
      const { keys } = (await admin.ask({ method: 'GET', path: '/v1/keys' })) as { keys: object[] };
      assert.ok(keys.length >= 4);
      assert.ok(!JSON.stringify(keys).includes('secret'));
    });
  });

  it('neither subjects nor codes nor the secret are in the log', () => admin.assertDiscreet());

  describe('a node that takes what is asked and then says nothing', () => {
    for (const [when, begin] of [
      ['before it answers', ''],
      ['within its answer', '{"home":'],
    ] as const)
      it(`is told from one that does not run, ${when}`, async () => {
        const dir = folder();
        const listen = join(dir, 'silent.sock');
        const { secretFile } = adminFiles(dir);
        writeFileSync(secretFile, 's'.repeat(43), { mode: 0o600 });
        const silent = createHttpServer((_, response) => void (begin !== '' && response.write(begin)));
        await new Promise<void>((resolve) => silent.listen(listen, resolve));
        const here = new AdminClient({ listen, secretFile, silenceMsMax: 100 });
        const asked = { method: 'GET', path: '/v1/status' } as const;
        try {
          await assert.rejects(here.ask(asked), isError('NODE_SILENT'));
          await assert.rejects(async () => {
            for await (const line of here.lines(asked, [])) assert.fail(String(line));
          }, isError('NODE_SILENT'));
        } finally {
          silent.closeAllConnections();
          await new Promise((resolve) => silent.close(resolve));
        }
        await assert.rejects(here.ask(asked), isError('PEER_UNREACHABLE'));
      });
  });

  describe('on a unix socket', () => {
    const serverOn = (listen: string, dir: string) => AdminWorld.serverOn(admin.world, listen, dir);

    it('is for its owner alone, and takes the place of one whose process is gone', async () => {
      const dir = folder();
      const path = join(dir, 'admin.sock');
      const { secretFile } = adminFiles(dir);
      const first = await serverOn(path, dir);
      await first.start();
      assert.equal(statSync(path).mode & 0o777, 0o600);
      assert.equal(statSync(secretFile).mode & 0o777, 0o600);
      const here = new AdminClient({ listen: path, secretFile });
      assert.equal(((await here.ask({ method: 'GET', path: '/v1/status' })) as { home: string }).home, 'DE');
      await assert.rejects((await serverOn(path, dir)).start(), isError('ADDRESS_UNUSABLE'));
      await first.stop();
      assert.ok(!existsSync(path));
      await assert.rejects(here.ask({ method: 'GET', path: '/v1/status' }), isError('PEER_UNREACHABLE'));
    });

    it('takes the secrets that stand in their files once it is told to, and keeps those before where they are none', async () => {
      const dir = folder();
      const { secretFile, deskSecretFile } = adminFiles(dir);
      const here = await serverOn(join(dir, 'admin.sock'), dir);
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
      const next = await serverOn(path, dir);
      await next.start();
      await next.stop();
    });

    it('AdminClient takes an answer as long as a disclosure of many facts', async () => {
      const dir = folder();
      const path = join(dir, 'admin.sock');
      const { secretFile } = adminFiles(dir);
      writeFileSync(secretFile, 'x'.repeat(43), { mode: 0o600 });
      const long = 'x'.repeat(20_000_000);
      const other = createHttpServer((_, response) => response.end(JSON.stringify(long))).listen(path);
      await new Promise((resolve) => other.once('listening', resolve));
      const here = new AdminClient({ listen: path, secretFile });
      assert.equal(await here.ask({ method: 'GET', path: '/v1/status' }), long);
      await new Promise((resolve) => other.close(resolve));
    });

    it('refuses a path that the system would cut short', () => {
      assert.throws(() => addressOf(`/${'x'.repeat(103)}`), isError('ADDRESS_UNUSABLE'));
      assert.deepEqual(addressOf('[::1]:80'), { host: '::1', port: 80 });
    });
  });
});
