import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { getListFromStatusListJWT } from '@sd-jwt/jwt-status-list';
import { parseStatusToken } from '../../../protocol/foreign/status-token.ts';
import { copyWorld, type Gate, makeWorld } from '../../support/cli-world.ts';
import { makeEcSigner } from '../../support/foreign-keys.ts';
import { temporaryFolders } from '../../support/temporary.ts';

const ADDRESS = 'https://lists.example/2026-11';

describe('entente status-list', () => {
  const folder = temporaryFolders();
  let cli: Gate;
  before(async () => {
    cli = copyWorld(await makeWorld(folder()), folder());
    const { privateKey } = makeEcSigner();
    writeFileSync(cli.path('lists.pem'), privateKey.export({ format: 'pem', type: 'sec1' }));
  });

  const write = (...more: readonly string[]) =>
    cli.run(
      ...['status-list', cli.path('CN-33'), '2026-11', '--key', cli.path('lists.pem')],
      ...['--address', ADDRESS, '--out', cli.path('list'), ...more],
    );

  it('writes what is revoked, so that a reader of others finds it', async () => {
    await cli.json('revoke', cli.path('CN-33'), '2026-11/3', '2026-11/1');
    const { exit, out } = await write();
    assert.equal(exit, 0);
    assert.match(out, /: 2 of \d+ codes of log 2026-11 revoked, until [^]*Its key: \{"kty":"EC"/);
    const list = getListFromStatusListJWT(readFileSync(cli.path('list'), 'utf8'));
    assert.deepEqual(
      [0, 1, 2, 3, 4].map((index) => list.getStatus(index)),
      [0, 1, 0, 1, 0],
    );
    // A code that is revoked passes for an hour at most where copies are kept.
    const { ttlS, times } = parseStatusToken(readFileSync(cli.path('list'), 'utf8'), ADDRESS);
    assert.deepEqual([ttlS, (times.expiresAtS ?? 0) - cli.nowS], [3_600, 7_200]);
  });

  it('writes the same as a CWT, for as long as it is told', async () => {
    const { exit, out } = await write('--cwt', '--valid-for', '30m', '--json');
    assert.equal(exit, 0);
    const { expiresAtS } = JSON.parse(out) as { expiresAtS: number };
    const token = parseStatusToken(new Uint8Array(readFileSync(cli.path('list'))), ADDRESS);
    assert.deepEqual([token.flaw, token.times.expiresAtS, token.ttlS], [undefined, expiresAtS, 900]);
    assert.equal(expiresAtS - cli.nowS, 1_800);
  });

  it('refuses logs and keys that are none', async () => {
    const start = ['status-list', cli.path('CN-33')];
    const end = ['--address', ADDRESS, '--out', cli.path('none')];
    const key = ['--key', cli.path('lists.pem')];
    assert.equal((await cli.run(...start, '2020-01', ...key, ...end)).exit, 2);
    assert.equal((await cli.run(...start, '../trust', ...key, ...end)).exit, 2);
    assert.equal((await cli.run(...start, '2026-11', '--key', cli.path('nowhere'), ...end)).exit, 2);
    assert.equal((await cli.run(...start, '2026-11', '--key', cli.path('list'), ...end)).exit, 5);
    assert.equal((await write('--valid-for', '31d')).exit, 2);
    assert.equal((await cli.run('status-list', cli.path('nowhere'), '2026-11', ...key, ...end)).exit, 2);
  });
});
