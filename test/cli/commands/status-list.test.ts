import assert from 'node:assert/strict';
import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { getListFromStatusListJWT } from '@sd-jwt/jwt-status-list';
import { parseStatusToken } from '../../../protocol/foreign/status-token.ts';
import { copyWorld, type Gate, makeWorld, type World } from '../../support/cli-world.ts';
import { makeEcSigner } from '../../support/foreign-keys.ts';
import { temporaryFolders } from '../../support/temporary.ts';

const ADDRESS = 'https://lists.example/2026-11';

describe('entente status-list', () => {
  const folder = temporaryFolders();
  let world: World;
  let cli: Gate;
  before(async () => {
    world = await makeWorld(folder());
    cli = copyWorld(world, folder());
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

  it('refuses what is more than ten minutes old, and with --stale says of when it is', async () => {
    const old = copyWorld(world, folder());
    await old.json('witness', old.path('CN-33'));
    const saidS = old.nowS;
    const list = ['status-list', old.path('CN-33'), '2026-11', '--key', cli.path('lists.pem')];
    const writeOld = (...more: readonly string[]) =>
      old.run(...list, '--address', ADDRESS, '--out', old.path('list'), ...more);
    old.nowS = saidS + 600;
    assert.equal((await writeOld()).exit, 0);
    old.nowS = saidS + 601;
    rmSync(old.path('list'));
    const { exit, err } = await writeOld();
    assert.equal(exit, 4);
    assert.match(err, /CN-33 has published in .* is of 2026-.* UTC, 10 min ago: keys that were given up/);
    assert.match(err, /KNOWLEDGE_STALE[^]*entente run .*CN-33`[^]*entente witness .*CN-33[^]*--stale/);
    assert.ok(!existsSync(old.path('list')));
    const forced = await writeOld('--stale');
    assert.equal(forced.exit, 0);
    assert.match(forced.err, /Warning: what CN-33 has published/);
    const { times } = parseStatusToken(readFileSync(old.path('list'), 'utf8'), ADDRESS);
    assert.deepEqual([times.issuedAtS, times.expiresAtS], [saidS, saidS + 7_200]);
    // What would be over when it is written is not written.
    old.nowS = saidS + 7_200;
    assert.match((await writeOld('--stale')).err, /would have expired/);
    assert.equal((await writeOld('--stale', '--valid-for', '3h', '--cwt')).exit, 0);
    const token = parseStatusToken(new Uint8Array(readFileSync(old.path('list'))), ADDRESS);
    assert.deepEqual([token.times.issuedAtS, token.times.expiresAtS], [saidS, saidS + 10_800]);
    // As the hint says.
    await old.json('witness', old.path('CN-33'));
    assert.equal((await writeOld()).exit, 0);
    const { err: silent } = await writeOld('--stale');
    assert.equal(silent, '');
  });

  it('export jwks and export dcc refuse the same, of a copy of the public directory too', async () => {
    const old = copyWorld(world, folder());
    await old.json('witness', old.path('CN-33'));
    const saidS = old.nowS;
    cpSync(old.path('CN-33/public'), old.path('copy'), { recursive: true });
    for (const form of ['jwks', 'dcc'])
      for (const place of ['CN-33', 'copy']) {
        const args = ['export', form, old.path(place)];
        old.nowS = saidS + 600;
        const fresh = await old.run(...args);
        assert.deepEqual([fresh.exit, fresh.out.includes('"iat"')], [0, false]);
        old.nowS = saidS + 601;
        const { exit, out, err } = await old.run(...args);
        assert.deepEqual([exit, out], [4, '']);
        assert.match(err, place === 'copy' ? /Fetch it anew/ : /entente witness/);
        const forced = await old.run(...args, '--stale');
        assert.match(forced.err, /Warning: what CN-33 has published/);
        const { iat } = JSON.parse(forced.out) as { iat?: number };
        assert.equal(iat, form === 'jwks' ? saidS : undefined);
        const file = await old.json<{ atS: number }>(...args, '--stale', '--out', old.path('keys.json'));
        assert.equal(file.atS, saidS);
      }
  });

  it('a time that has not come makes nothing new', async () => {
    const old = copyWorld(world, folder());
    old.nowS += 3_600;
    await old.json('witness', old.path('CN-33'));
    old.nowS -= 1_800;
    assert.equal((await old.run('export', 'jwks', old.path('CN-33'))).exit, 4);
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
