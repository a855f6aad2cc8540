import assert from 'node:assert/strict';
import { copyWorld, Gate, makeWorld, type World } from '../../support/cli-world.ts';
import { temporaryFolders } from '../../support/temporary.ts';

describe('entente inspect', () => {
  const folder = temporaryFolders();
  let world: World;
  /** In the world that all tests read; a test that changes something takes a copy first. */
  let cli: Gate;
  before(async () => {
    world = await makeWorld(folder());
  });
  beforeEach(() => {
    cli = new Gate(world);
  });

  it('inspect takes apart codes, presentations, snapshots, checkpoints, entries and attestations', async () => {
    cli = copyWorld(world, folder());
    const show = async (...args: readonly string[]) => (await cli.run('inspect', ...args)).out;
    assert.match(await show(world.codes.green), /region: CN-33[^]*colour: green/);
    assert.match(
      (await cli.runWith(`${world.codes.device}\n`, 'inspect', '-')).out,
      /holderKey: [0-9a-f]{64}/,
    );
    assert.match(await show((await cli.run('present', cli.path('phone.json'))).out.trimEnd()), /step: \d+/);
    assert.match(await show(cli.path('de.snap')), /what: snapshot[^]*region: CN-33\n +fromIndex: 0\n/);
    assert.match(
      await show(cli.path('DE/public/trust')),
      /what: checkpoint\norigin: DE\.demo\/trust\nsize: 8/,
    );
    assert.match(await show(cli.path('DE/public/trust'), '--index', '0'), /kind: root[^]*threshold: 1/);
    assert.match(
      await show(cli.path('CN-33/public/attest/2026-11'), '--index', '3'),
      /what: attestation\nregion: CN-33/,
    );
    await cli.json('revoke', cli.path('CN-33'), '2026-11/3', '2026-11/1');
    assert.match(
      await show(cli.path('CN-33/public/trust'), '--index', '8'),
      /kind: revocation[^]*indexes: 1 3/,
    );
  });

  it('inspect names what it cannot read', async () => {
    assert.equal((await cli.run('inspect', cli.path('DE/public/trust'), '--index', '8')).exit, 1);
    assert.equal((await cli.run('inspect', cli.path('DE/entente.yaml'))).exit, 5);
    assert.equal((await cli.run('inspect', cli.dir)).exit, 2);
    for (const text of ['/nowhere', `${cli.path('DE/entente.yaml')}/x`, 'x'.repeat(5_000), 'x\0y']) {
      const { exit, err } = await cli.run('inspect', text);
      assert.deepEqual([exit, err.includes('there is no file or directory')], [2, true], text.slice(0, 80));
    }
    const mistyped = `${world.codes.green.slice(0, -1)}${world.codes.green.endsWith('A') ? 'B' : 'A'}`;
    for (const text of ['ENT1:AB', 'ENT2:AB', mistyped]) {
      for (const command of ['inspect', 'show']) {
        const { exit, out, err } = await cli.run(command, text);
        assert.deepEqual([exit, out], [2, ''], `${command} ${text}`);
        assert.match(err, /this is not the text of a code/);
      }
    }
  });
});
