import assert from 'node:assert/strict';
import { openCheckpoint } from '../../../protocol/log/checkpoint.ts';
import { verifyEntryBundle } from '../../../protocol/log/entry-bundle.ts';
import { verifyConsistency, verifyInclusion, leafHash } from '../../../protocol/log/merkle.ts';
import { logVerifierKeys } from '../../../node/trust/log-keys.ts';
import { HttpWorld, problemIn, threeRegions } from '../../support/http-fixture.ts';
import { sha256 } from '../../support/primitives.ts';
import { trustModules } from '../../support/region-fixture.ts';

const TRUST = 'DE.test/trust';

describe('GET of logs', () => {
  let http: HttpWorld;

  before(async () => {
    const world = await threeRegions();
    await world.issue('FR');
    await world.pass(12);
    http = await HttpWorld.start(world);
  });
  after(async () => {
    await http.server.stop();
    await http.world.stop();
  });

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
    it(`A30, B67: there is nothing at ${path.slice(0, 60)}`, async () => {
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
