import assert from 'node:assert/strict';
import { copyWorld, type Gate, makeWorld, witnessAll, type World } from '../../support/cli-world.ts';
import { temporaryFolders } from '../../support/temporary.ts';

describe('a region that two copies have told in two ways', () => {
  const folder = temporaryFolders();
  let world: World;
  let cli: Gate;
  let home: string;
  let keyId: string;
  before(async () => {
    world = await makeWorld(folder());
  });

  beforeEach(async () => {
    cli = copyWorld(world, folder());
    home = cli.path('CN-33');
    const twin = copyWorld(world, folder());
    await must('revoke', home, '2026-11/2');
    assert.equal((await twin.run('revoke', twin.path('CN-33'), '2026-11/1')).exit, 0);
    for (const region of ['DE', 'FR']) await must('witness', cli.path(region), twin.path('CN-33'));
    const { keys } = await cli.json<{ keys: { keyId: string; role: string; now: string }[] }>(
      'key',
      'list',
      home,
    );
    keyId = keys.find(({ role, now }) => role === 'checkpoint' && now === 'in force')?.keyId ?? assert.fail();
  });

  async function must(...args: readonly string[]): Promise<void> {
    const { exit, out, err } = await cli.run(...args);
    assert.equal(exit, 0, `${args.join(' ')}: ${err}${out}`);
  }
  const verdictAt = async (region: string) =>
    (await cli.run('verify', '--region', cli.path(region), world.codes.device)).out.split(' ')[0];

  it('T3, A18: signs nothing until the root names its log; then the others follow, and verdicts come back', async () => {
    const refused = await cli.run('revoke', home, '2026-11/0');
    assert.match(refused.err, /LOG_CONTRADICTED/);
    assert.notEqual((await cli.run('witness', cli.path('DE'), home)).exit, 0);
    assert.equal(await verdictAt('DE'), 'UNDETERMINED');
    const sizeNow = async () =>
      (await cli.json<{ size: number }>('inspect', cli.path('CN-33/public/trust'))).size;
    const issuedNow = async () =>
      (await cli.json<{ size: number }>('inspect', cli.path('CN-33/public/attest/2026-11'))).size;
    const before = await sizeNow();
    const given = await cli.run('key', 'compromise', home, '--key', keyId, '--cut-off', 'trust=now');
    assert.equal(given.exit, 0, given.err);
    // Told before it is done: how far the attestation log was that nobody is to be heeded of any more.
    const issued = await issuedNow();
    assert.ok(issued > 1);
    assert.match(given.err + given.out, new RegExp(`good branch of 2026-11 is that of the first ${issued} `));
    // A key, its compromise, the log that takes the place of this month's, and another compromise that names the log past that.
    assert.match(given.out, new RegExp(`2026-11 +${issued} entries`));
    assert.match(given.out, new RegExp(`trust +${before + 3} entries`));
    assert.equal((await sizeNow()) - before, 4);
    assert.match(given.out, /Codes go into the log 2026-11\.1 from now on/);
    for (const region of ['DE', 'FR']) await must('witness', cli.path(region));
    await witnessAll(cli);
    for (const region of ['DE', 'FR']) assert.equal(await verdictAt(region), 'PASS', region);
    await must('revoke', home, '2026-11/0');
  });

  it('T9: what is said of an attestation log goes before how it stands', async () => {
    const cutOff = ['--cut-off', 'trust=now', '--cut-off', '2026-11=1'];
    const { cutOffs } = await cli.json<{ cutOffs: { log: string; size: number }[] }>(
      ...['key', 'compromise', home, '--key', keyId, ...cutOff],
    );
    const named = cutOffs.filter(({ log }) => log !== 'trust').map(({ log, size }) => [log, size]);
    assert.deepEqual(named, [['2026-11', 1]]);
  });

  it('T3: a key that is given up without its cut-off names no log, and is refused', async () => {
    const { err } = await cli.run('key', 'compromise', home, '--key', keyId);
    assert.match(err, /REFUSED[^]*--cut-off trust=now/);
    assert.match((await cli.run('revoke', home, '2026-11/0')).err, /LOG_CONTRADICTED/);
  });
});
