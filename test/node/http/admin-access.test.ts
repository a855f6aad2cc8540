import assert from 'node:assert/strict';
import { z } from 'zod';
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { AdminAccess } from '../../../node/http/admin-access.ts';
import { bears } from '../../../node/http/admin-secret.ts';
import { opensslBackEnd } from '../../../node/crypto/openssl.ts';
import { readJson } from '../../../node/http/input.ts';
import { RequestError } from '../../../node/http/problem.ts';
import { isNodeError } from '../../../node/node-error.ts';
import { mayWithoutKey } from '../../../node/operators/acting.ts';
import { makeOperatorKey, type OperatorKey, openOperatorKey } from '../../../node/operators/operator-key.ts';
import { Operators } from '../../../node/operators/operators.ts';
import { contentDigest, PROOF_AGE_S_MAX, proofHeader } from '../../../node/operators/request-proof.ts';
import { type Scope } from '../../../node/operators/scopes.ts';
import { systemRandom } from '../../../node/system-random.ts';
import { hexOf } from '../../../protocol/bytes.ts';
import { chmodSync, writeFileSync } from 'node:fs';
import { sha256 } from '../../support/primitives.ts';
import { START_S } from '../../support/start-time.ts';
import { temporaryFolders } from '../../support/temporary.ts';

const SECRET = 's'.repeat(43);
const secret = { bears: (header: string | undefined) => bears(header, SECRET) };
const keyModules = { ...opensslBackEnd, random: systemRandom() };

function requestOf(authorization: string | undefined, method = 'POST', path = '/v1/revoke'): IncomingMessage {
  const request = new IncomingMessage(new Socket());
  Object.assign(request, { method, url: path });
  if (authorization !== undefined) request.headers.authorization = authorization;
  return request;
}

const isUnauthorised = (error: unknown) => error instanceof RequestError && error.code === 'UNAUTHORISED';

describe('AdminAccess', () => {
  const folder = temporaryFolders();
  let operators: Operators;
  let access: AdminAccess;
  let anna: OperatorKey;
  let nowS = START_S;
  let used = 0;

  const nonce = () => Uint8Array.from({ length: 16 }, (_, i) => (i === 0 ? used++ : i));
  const headerOf = (key: OperatorKey, method = 'POST', path = '/v1/revoke', atS = nowS) =>
    proofHeader(key, { method, path, digest: '' }, { nowS: atS, nonce: nonce() });

  async function named(name: string, scopes: Scope[], region = 'DE'): Promise<OperatorKey> {
    const key = await makeOperatorKey(join(folder(), `${name}.key`), { region, name }, keyModules);
    await operators.add({ name, publicKey: hexOf(key.publicKey), scopes, addedAtS: nowS });
    return key;
  }

  beforeEach(async () => {
    nowS = START_S;
    operators = await Operators.open(join(folder(), 'operators.json'), { sha256 });
    const { verifySignature } = opensslBackEnd;
    access = new AdminAccess({ region: 'DE' }, { secret, operators, verifySignature, nowS: () => nowS });
    anna = await makeOperatorKey(join(folder(), 'anna.key'), { region: 'DE', name: 'anna' }, keyModules);
  });

  const actor = (request: IncomingMessage) => {
    access.admit(request);
    return access.actorOf(request);
  };

  it('the secret does all of it until operators are named, then little', async () => {
    const all = actor(requestOf(`Bearer ${SECRET}`));
    assert.equal(all.name, 'bootstrap');
    assert.deepEqual([...all.may].sort(), [
      'audit',
      'issue',
      'operators',
      'publish',
      'read',
      'revoke',
      'trust',
    ]);
    await named('bert', ['issue']);
    const little = actor(requestOf(`Bearer ${SECRET}`));
    assert.deepEqual([...little.may].sort(), ['operators', 'publish', 'read']);
    assert.deepEqual(little.may, mayWithoutKey(operators));
  });

  it('an operator is known by their key, with their scopes, and no scope names operators', async () => {
    const key = await named('bert', ['issue', 'revoke', 'trust', 'audit', 'read']);
    const found = actor(requestOf(headerOf(key)));
    assert.equal(found.name, 'bert');
    assert.match(found.keyId ?? '', /^[0-9a-f]{16}$/);
    assert.equal(found.may.has('operators'), false);
  });

  it('refuses a proof of another request, key, name, region or time, and one that was used', async () => {
    const bert = await named('bert', ['issue']);
    const good = headerOf(bert);
    actor(requestOf(good));
    const other = await named('carla', ['issue']);
    const [, , at = '', once = '', signature = ''] = headerOf(bert).split(' ');
    const bad: readonly (readonly [what: string, request: IncomingMessage])[] = [
      ['used', requestOf(good)],
      ['method', requestOf(headerOf(bert, 'GET'))],
      ['path', requestOf(headerOf(bert, 'POST', '/v1/issue'))],
      ['query', requestOf(headerOf(bert, 'POST', '/v1/revoke?x=1'))],
      ['nobody', requestOf(headerOf(anna))],
      ['name', requestOf(headerOf({ ...other, name: 'bert' }))],
      ['region', requestOf(headerOf({ ...bert, region: 'FR' }))],
      ['late', requestOf(headerOf(bert, 'POST', '/v1/revoke', nowS - PROOF_AGE_S_MAX - 1))],
      ['early', requestOf(headerOf(bert, 'POST', '/v1/revoke', nowS + PROOF_AGE_S_MAX + 1))],
      ['time changed', requestOf(`Operator bert ${Number(at) + 1} ${once} ${signature}`)],
      ['signature changed', requestOf(`Operator bert ${at} ${once} ${'A'.repeat(86)}`)],
      ['none', requestOf(undefined)],
      ['another secret', requestOf(`Bearer ${SECRET}x`)],
      ['no form', requestOf(`Operator bert ${at} ${once}`)],
    ];
    for (const [what, request] of bad) assert.throws(() => actor(request), isUnauthorised, what);
    nowS += PROOF_AGE_S_MAX;
    actor(requestOf(headerOf(bert, 'POST', '/v1/revoke', nowS - PROOF_AGE_S_MAX)));
  });

  it('every operator may read, and nobody who was known before needs a scope to have the directory published', async () => {
    const may = actor(requestOf(headerOf(await named('bert', ['issue'])))).may;
    assert.deepEqual([...may].sort(), ['issue', 'publish', 'read']);
  });

  it('refuses a proof of a time before the node started, which may have been used', async () => {
    const bert = await named('bert', ['issue']);
    const used = headerOf(bert);
    actor(requestOf(used));
    nowS++;
    const { verifySignature } = opensslBackEnd;
    access = new AdminAccess({ region: 'DE' }, { secret, operators, verifySignature, nowS: () => nowS });
    assert.throws(() => actor(requestOf(used)), isUnauthorised);
    actor(requestOf(headerOf(bert)));
  });

  it('a proof covers the digest of the body, which JSON has to have', async () => {
    const bert = await named('bert', ['issue']);
    const [body, other] = ['{"subject":"a"}', '{"subject":"b"}'];
    const sent = (proven: string, header: string | undefined, type = 'application/json') => {
      const proof = { method: 'POST', path: '/v1/revoke', digest: proven };
      const request = requestOf(proofHeader(bert, proof, { nowS, nonce: nonce() }));
      request.headers['content-type'] = type;
      if (header !== undefined) request.headers['content-digest'] = header;
      return request;
    };
    actor(sent(contentDigest(body), contentDigest(body)));
    actor(sent('', undefined, 'application/jsonl'));
    const bad = [
      sent(contentDigest(body), contentDigest(other)),
      sent(contentDigest(body), undefined),
      sent('', undefined),
      sent('sha-512=:AA==:', 'sha-512=:AA==:'),
    ];
    for (const request of bad) assert.throws(() => actor(request), isUnauthorised);
  });

  it('readJson refuses a body that is not the one of its digest', async () => {
    const arriving = (digest: string) => {
      const request = requestOf(undefined);
      request.headers['content-type'] = 'application/json';
      request.headers['content-digest'] = digest;
      request.push('{"a":1}');
      request.push(null);
      return readJson(request, z.strictObject({ a: z.int() }), 64);
    };
    assert.deepEqual(await arriving(contentDigest('{"a":1}')), { a: 1 });
    await assert.rejects(
      arriving(contentDigest('{"a":2}')),
      (error) => error instanceof RequestError && error.code === 'BODY_MALFORMED',
    );
  });

  it('a proof that was used is refused as long as it would count', async () => {
    const bert = await named('bert', ['issue']);
    const header = headerOf(bert, 'POST', '/v1/revoke', nowS + PROOF_AGE_S_MAX);
    actor(requestOf(header));
    for (let after = 0; after <= 2 * PROOF_AGE_S_MAX; after += 20) {
      nowS = START_S + after;
      actor(requestOf(headerOf(bert)));
      assert.throws(() => actor(requestOf(header)), isUnauthorised);
    }
  });

  it('who was taken back is nobody, also after the file is read again', async () => {
    const bert = await named('bert', ['issue']);
    actor(requestOf(headerOf(bert)));
    await operators.remove('bert', START_S + 60);
    assert.throws(() => actor(requestOf(headerOf(bert))), isUnauthorised);
    assert.equal(operators.areNamed, true);
    const little = actor(requestOf(`Bearer ${SECRET}`)).may;
    assert.deepEqual([...little].sort(), ['operators', 'publish', 'read']);
  });
});

describe('Operators', () => {
  const folder = temporaryFolders();
  const isRefused = (error: unknown) => isNodeError(error, 'REFUSED');

  it('keeps them in a file for its owner, and refuses a name or a key twice, and a key that is none', async () => {
    const path = join(folder(), 'operators.json');
    const operators = await Operators.open(path, { sha256 });
    const { publicKey } = opensslBackEnd.signerOf(new Uint8Array(32).fill(1));
    const one = { name: 'anna', publicKey: hexOf(publicKey), scopes: ['read' as const], addedAtS: START_S };
    await operators.add(one);
    await assert.rejects(operators.add({ ...one, publicKey: 'ff'.repeat(32) }), isRefused);
    await assert.rejects(operators.add({ ...one, name: 'bert' }), isRefused);
    await assert.rejects(operators.add({ ...one, name: 'bert', publicKey: '00'.repeat(32) }), isRefused);
    await assert.rejects(operators.remove('bert', START_S + 60), (error) => isNodeError(error, 'NOT_FOUND'));
    assert.deepEqual((await Operators.open(path, { sha256 })).all, [one]);
  });

  it('the last one that is removed gives nobody all of it back, and a config can ask for operators', async () => {
    const path = join(folder(), 'operators.json');
    assert.equal((await Operators.open(path, { sha256 })).areNamed, false);
    assert.equal((await Operators.open(path, { sha256 }, { areRequired: true })).areNamed, true);
    const operators = await Operators.open(path, { sha256 });
    const { publicKey } = opensslBackEnd.signerOf(new Uint8Array(32).fill(1));
    await operators.add({ name: 'anna', publicKey: hexOf(publicKey), scopes: ['read'], addedAtS: START_S });
    assert.match(operators.toldOf('anna'), /^anna [0-9a-f]{16} read$/);
    await operators.remove('anna', START_S + 60);
    assert.equal(operators.toldOf('anna'), 'anna');
    assert.equal(operators.areNamed, true);
    const again = await Operators.open(path, { sha256 });
    assert.equal(again.areNamed, true);
    const former = again.former.map(({ name, addedAtS, removedAtS }) => [name, addedAtS, removedAtS]);
    assert.deepEqual([again.all, former], [[], [['anna', START_S, START_S + 60]]]);
  });

  it('a file that is damaged is not taken for a region without operators', async () => {
    const path = join(folder(), 'operators.json');
    for (const text of ['', '{', '{"format":2,"operators":[]}', '{"format":1,"operators":[{"name":"x"}]}']) {
      writeFileSync(path, text);
      await assert.rejects(Operators.open(path, { sha256 }), (error) =>
        isNodeError(error, 'DATA_INCONSISTENT'),
      );
    }
  });

  it('a key file is for its owner, and of one region', async () => {
    const path = join(folder(), 'anna.key');
    const made = await makeOperatorKey(path, { region: 'DE', name: 'anna' }, keyModules);
    const opened = await openOperatorKey(path, 'DE', keyModules);
    assert.deepEqual([opened.name, opened.publicKey], ['anna', made.publicKey]);
    const code = (wanted: 'KEY_FILE_INVALID' | 'KEY_FILE_MODE' | 'KEY_FILE_MISSING') => (error: unknown) =>
      isNodeError(error, wanted);
    await assert.rejects(openOperatorKey(path, 'FR', keyModules), code('KEY_FILE_INVALID'));
    chmodSync(path, 0o640);
    await assert.rejects(openOperatorKey(path, 'DE', keyModules), code('KEY_FILE_MODE'));
    chmodSync(path, 0o600);
    writeFileSync(path, '{"secretKey":"abc');
    await assert.rejects(openOperatorKey(path, 'DE', keyModules), (error) => {
      return code('KEY_FILE_INVALID')(error) && !(error as Error).message.includes('abc');
    });
    await assert.rejects(openOperatorKey(`${path}x`, 'DE', keyModules), code('KEY_FILE_MISSING'));
  });
});
