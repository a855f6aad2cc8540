import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { parse } from 'yaml';
import { runCli } from '../../../cli/program.ts';
import { PATH_SETTINGS } from '../../../cli/host/moved-paths.ts';
import { editConfig, readConfig } from '../../../node/config/config-file.ts';
import { configJsonSchema, type JsonSchema } from '../../../node/config/schema.ts';
import { lockStore } from '../../../node/store/level-disk.ts';
import { copyWorld, makeWorld, type World } from '../../support/cli-world.ts';
import { type TestCli } from '../../support/cli.ts';
import { DYING_CLI } from '../../support/dying-cli.ts';
import { Clock, inRegion } from '../../support/regions.ts';
import { temporaryFolders } from '../../support/temporary.ts';

/** What a move says when a step is done, in their order, and whether the region is in the new place by then. */
const STEPS = [
  ['made and admitted', false],
  ['old place is closed', false],
  ['are copied', false],
  ['in the new place', true],
  ['given up the keys', true],
] as const;

const PASSPHRASE = 'five words that mean nothing';

describe('moveRegion', function () {
  this.timeout(120_000);
  const folder = temporaryFolders();
  let world: World;
  let cli: TestCli;
  before(async () => {
    world = await makeWorld(folder());
  });
  beforeEach(() => {
    cli = copyWorld(world, folder());
  });

  const issue = async (place: string): Promise<boolean> => {
    const { exit } = await cli.run('issue', cli.path(place), '--subject', 'P', '--colour', 'green');
    return exit === 0;
  };
  /** The places of FR in which something could be signed, by trying it in copies: none of it comes into the logs. */
  const signing = async (): Promise<string[]> => {
    const can: string[] = [];
    for (const place of ['FR', 'own']) {
      if (!existsSync(cli.path(place))) continue;
      cpSync(cli.path(place), cli.path(`${place}-trial`), { recursive: true });
      if (await issue(`${place}-trial`)) can.push(place);
      rmSync(cli.path(`${place}-trial`), { recursive: true });
    }
    return can;
  };
  /** It ends, the new place alone signs, and nobody finds two logs. */
  const finishes = async (): Promise<void> => {
    cli.nowS += 60;
    await cli.json('host', 'move', cli.path('FR'), cli.path('own'));
    assert.deepEqual(await signing(), ['own']);
    assert.ok(await issue('own'));
    for (const region of ['DE', 'CN-33'])
      assert.equal((await cli.run('witness', cli.path(region), cli.path('own'))).exit, 0);
    assert.deepEqual(
      readdirSync(cli.dir).filter((name) => name.includes('moving')),
      [],
    );
  };

  for (const [step, hasArrived] of STEPS) {
    it(`F4: killed when it says "${step}", it leaves one place at most that signs, and ends when it is run again`, async () => {
      const args = ['host', 'move', cli.path('FR'), cli.path('own')];
      const child = fork(DYING_CLI, [step, `${cli.nowS}`, ...args], { execArgv: [] });
      const [, signal] = (await once(child, 'exit')) as [number | null, string | null];
      assert.equal(signal, 'SIGKILL');
      assert.equal(existsSync(cli.path('own')), hasArrived);
      const can = await signing();
      assert.ok(!can.includes('FR') || !hasArrived, can.join());
      assert.ok(can.length <= 1, can.join());
      await finishes();
    });

    it(`F4: failing when it says "${step}", it leaves one place at most that signs, and ends when it is run again`, async () => {
      const exit = await runCli(['host', 'move', cli.path('FR'), cli.path('own')], {
        writeOut: () => undefined,
        writeErr: (text) => {
          if (text.includes(step)) throw new Error('the disk is full');
        },
        stdin: (async function* () {})(),
        colour: false,
        errorIsTerminal: false,
        nowS: () => cli.nowS,
        random: new Clock().modules.random,
      });
      assert.equal(exit, 1);
      // What failed before it arrived is as it was.
      assert.deepEqual(await signing(), [hasArrived ? 'own' : 'FR']);
      await finishes();
    });
  }

  it('says in the old place where the region went, and moves nothing from there again', async () => {
    await cli.json('host', 'move', cli.path('FR'), cli.path('own'));
    const left = await cli.run(
      'issue',
      cli.path('FR'),
      '--subject',
      'P',
      '--colour',
      'green',
      '--without-peers',
    );
    assert.match(left.err, /has moved to .*own: it signs there alone \[REGION_MOVED\]\nRun its node there/);
    symlinkSync(cli.path('FR', 'public'), cli.path('link'));
    // Nor does anything else take it for a region whose node is stopped, or pass on keys of it that are given up.
    for (const args of [
      ['status', cli.path('FR')],
      ['export', 'jwks', cli.path('FR')],
      ['export', 'jwks', cli.path('FR', 'public'), '--stale'],
      ['recognise', cli.path('DE'), cli.path('FR')],
      ['recognise', cli.path('DE'), cli.path('FR', 'public')],
      ['recognise', cli.path('DE'), cli.path('link')],
      ['peer', 'add', cli.path('DE'), 'FR', '--directory', cli.path('link')],
      ['witness', cli.path('DE'), cli.path('FR')],
      ['witness', cli.path('DE'), cli.path('CN-33'), cli.path('FR', 'public')],
      ['peer', 'add', cli.path('DE'), 'FR', '--directory', cli.path('FR')],
      ['snapshot', 'make', cli.path('FR'), '--out', cli.path('old.snap')],
      ['verify', '--region', cli.path('FR'), 'ENT1:A'],
    ])
      assert.match((await cli.run(...args)).err, /has moved to .*own.*REGION_MOVED/, args.join(' '));
    assert.ok(!existsSync(cli.path('old.snap')));
    // The doctor offers the node of the new place, and none here.
    const doctor = await cli.run('doctor', cli.path('FR'), '--json');
    const { findings } = JSON.parse(doctor.out) as { findings: { text: string; fix: string }[] };
    assert.equal(findings.length, 1);
    assert.match(findings[0]?.text ?? '', /has moved to .*own/);
    assert.match(findings[0]?.fix ?? '', /^Run its node there: entente run \S+own\./);
    for (const reading of [
      ['key', 'list', cli.path('FR')],
      ['audit', 'tallies', cli.path('link')],
      ['audit', 'replay', cli.path('FR')],
    ])
      assert.match((await cli.run(...reading)).err, /has moved to .*own: this is what/, reading.join(' '));
    // Who has named the old place goes on with what is there, and is told.
    const made = await cli.run('snapshot', 'make', cli.path('DE'), '--out', cli.path('de.snap'));
    assert.match(made.err, /FR has moved to \S+own, [^]*entente peer add \S+DE FR --directory \S+own/);
    assert.match((await cli.run('witness', cli.path('DE'))).err, /FR has moved to \S+own, /);
    await cli.json('peer', 'add', cli.path('DE'), 'FR', '--directory', cli.path('own'));
    const anew = await cli.run('snapshot', 'make', cli.path('DE'), '--out', cli.path('de.snap'));
    assert.doesNotMatch(anew.err, /has moved/);
    assert.equal((await cli.run('export', 'jwks', cli.path('own'))).exit, 0);
    const again = await cli.run('host', 'move', cli.path('FR'), cli.path('own'));
    assert.match(
      again.out,
      /^FR has moved to .*own before: all keys of the old place are given up, and nothing/,
    );
    const other = await cli.run('host', 'move', cli.path('FR'), cli.path('other'));
    assert.match(other.err, /has moved to .*own/);
    // As when the disk of the new place is not mounted: made once more it would sign beside that.
    cpSync(cli.path('own'), cli.path('away'), { recursive: true });
    rmSync(cli.path('own'), { recursive: true });
    assert.match((await cli.run('host', 'move', cli.path('FR'), cli.path('own'))).err, /REGION_MOVED/);
    assert.ok(!existsSync(cli.path('own')));
  });

  it('takes back what broke off when its mark is removed, as the refusal says', async () => {
    const args = ['host', 'move', cli.path('FR'), cli.path('own')];
    const child = fork(DYING_CLI, ['old place is closed', `${cli.nowS}`, ...args], { execArgv: [] });
    await once(child, 'exit');
    const { err } = await cli.run('issue', cli.path('FR'), '--subject', 'P', '--colour', 'green');
    assert.match(
      err,
      /on its way to .*own.*\[REGION_MOVED\]\n.*only if nothing is at .*own, remove .*FR\/moved/,
    );
    rmSync(cli.path('FR', 'moved'));
    assert.ok(await issue('FR'));
  });

  it('refuses a fenced region and a directory in the region itself before anything changes', async () => {
    const before = readFileSync(cli.path('FR', 'public', 'trust', 'checkpoint'));
    symlinkSync(cli.path('FR'), cli.path('link'));
    for (const inside of [cli.path('FR', 'x'), cli.path('FR', 'x', 'y'), cli.path('link', 'x')]) {
      const { exit, err } = await cli.run('host', 'move', cli.path('FR'), inside);
      assert.equal(exit, 2);
      assert.match(err, /is in the region itself/);
    }
    await editConfig(cli.path('FR', 'entente.yaml'), [{ at: ['writer', 'fenced'], value: true }]);
    const { exit, err } = await cli.run('host', 'move', cli.path('FR'), cli.path('own'));
    assert.equal(exit, 2);
    assert.match(err, /writer\.fenced[^]*entente promote/);
    assert.ok(!existsSync(cli.path('own')) && !existsSync(cli.path('FR', 'x')));
    assert.deepEqual(readFileSync(cli.path('FR', 'public', 'trust', 'checkpoint')), before);
  });

  it('takes the root keys along, and leaves one that the new place lacks', async () => {
    const keysIn = (place: string, role: string) =>
      readdirSync(cli.path(place, 'keys')).filter((name) => name.startsWith(`${role}-`));
    const roots = keysIn('FR', 'root');
    assert.equal(roots.length, 1);
    const { rootKeys } = await cli.json<{ rootKeys: string[] }>(
      'host',
      'move',
      cli.path('FR'),
      cli.path('own'),
    );
    assert.deepEqual(rootKeys, roots);
    assert.deepEqual([keysIn('FR', 'root'), keysIn('own', 'root')], [[], roots]);
    const other = roots[0]?.replace(/[0-9a-f]{16}/, '0123456789abcdef') ?? '';
    cpSync(cli.path('own', 'keys', roots[0] ?? ''), cli.path('FR', 'keys', other));
    await cli.json('host', 'move', cli.path('FR'), cli.path('own'));
    assert.deepEqual(keysIn('FR', 'root'), [other]);
  });

  it('gives up keys too that were retired, those among them that were before they began', async () => {
    type Keys = { keys: { keyId: string; role: string; fromS: number; now: string }[] };
    const { keys } = await cli.json<Keys>('key', 'list', cli.path('FR'));
    const toCome = (role: string) =>
      keys.find((key) => key.role === role && key.fromS > cli.nowS)?.keyId ?? assert.fail();
    const retired = [toCome('attest'), toCome('checkpoint')];
    const named = retired.flatMap((keyId) => ['--key', keyId]);
    await cli.json('key', 'retire', cli.path('FR'), ...named, '--leave-none');
    cli.nowS += 3_600;
    await cli.json('host', 'move', cli.path('FR'), cli.path('own'));
    const { keys: after } = await cli.json<Keys>('key', 'list', cli.path('own'));
    for (const { keyId } of keys)
      assert.equal(after.find((key) => key.keyId === keyId)?.now, 'compromised', keyId);
  });

  it('takes along the seeds by which numbers are looked up, and leaves none behind', async () => {
    await cli.json('lookup', 'announce', cli.path('FR'), 'numbers', '--prefix', 'FR-', '--for', '1d');
    const seeds = readdirSync(cli.path('FR', 'lookup'));
    assert.equal(seeds.length, 2);
    await cli.json('host', 'move', cli.path('FR'), cli.path('own'));
    assert.ok(!existsSync(cli.path('FR', 'lookup')));
    assert.deepEqual(readdirSync(cli.path('own', 'lookup')), seeds);
    // They are those that were announced: nothing is made anew.
    const before = readFileSync(cli.path('own', 'lookup', seeds[0] ?? ''));
    await cli.json('lookup', 'announce', cli.path('own'), 'numbers', '--prefix', 'FR-', '--for', '1d');
    assert.deepEqual(readFileSync(cli.path('own', 'lookup', seeds[0] ?? '')), before);
  });

  /** What would be another if anything had been signed. */
  const checkpoint = () => readFileSync(cli.path('FR', 'public', 'trust', 'checkpoint'));
  const isUntouched = (before: Buffer) => {
    assert.deepEqual(checkpoint(), before);
    assert.ok(!existsSync(cli.path('own')) && !existsSync(cli.path('own.moving')));
    assert.ok(!existsSync(cli.path('FR', 'moved')));
  };

  it('finds from there what lies outside by relative paths', async () => {
    for (const [name, to] of [
      ['store', 'stores'],
      ['second-place', 'seconds'],
    ] as const) {
      mkdirSync(cli.path(to));
      renameSync(cli.path('FR', name), cli.path(to, 'FR'));
    }
    await editConfig(cli.path('FR', 'entente.yaml'), [
      { at: ['storage', 'store'], value: '../stores/FR' },
      { at: ['storage', 'secondPlace'], value: '../seconds/FR' },
      { at: ['admin', 'listen'], value: '../FR.sock' },
    ]);
    const before = readdirSync(cli.dir);
    await cli.json('host', 'move', cli.path('FR'), cli.path('deep', 'down', 'own'));
    assert.ok(await issue('deep/down/own'));
    assert.ok(!(await issue('FR')));
    const { storage, admin, peers } = await readConfig(cli.path('deep', 'down', 'own', 'entente.yaml'));
    assert.deepEqual(
      [storage.store, storage.secondPlace, admin.listen, peers['DE']?.directory],
      ['../../../stores/FR', '../../../seconds/FR', '../../../FR.sock', '../../../DE/public'],
    );
    assert.deepEqual(readdirSync(cli.dir).toSorted(), [...before, 'deep'].toSorted());
    assert.deepEqual(readdirSync(cli.path('deep', 'down')), ['own']);
  });

  it('names what it has copied in the new place, where the config had named it by an absolute path', async () => {
    symlinkSync(cli.path('FR'), cli.path('link'));
    writeFileSync(cli.path('FR', 'keys', 'tls.pem'), 'a certificate');
    await editConfig(cli.path('FR', 'entente.yaml'), [
      { at: ['storage', 'store'], value: cli.path('FR', 'store') },
      { at: ['storage', 'secondPlace'], value: cli.path('FR', 'second-place') },
      { at: ['registry', 'caFile'], value: cli.path('FR', 'keys', 'tls.pem') },
      { at: ['admin', 'secretFile'], value: cli.path('elsewhere.secret') },
    ]);
    await cli.json('host', 'move', cli.path('link'), cli.path('own'));
    const { storage, registry, admin } = await readConfig(cli.path('own', 'entente.yaml'));
    assert.deepEqual(
      [storage.store, storage.secondPlace, registry.caFile, admin.secretFile],
      ['store', 'second-place', 'keys/tls.pem', cli.path('elsewhere.secret')],
    );
    assert.equal(readFileSync(cli.path('own', 'keys', 'tls.pem'), 'utf8'), 'a certificate');
    rmSync(cli.path('FR'), { recursive: true });
    assert.ok(await issue('own'));
  });

  it('refuses paths that it cannot keep right before anything changes', async () => {
    const before = checkpoint();
    const move = () => cli.run('host', 'move', cli.path('FR'), cli.path('own'));
    for (const value of ['../FR/../FR-store', cli.path('FR', 'store')]) {
      cli.environment = { ENTENTE_STORAGE_STORE: value };
      const { exit, err } = await move();
      assert.deepEqual(
        [exit, /ENTENTE_STORAGE_STORE is .*\nSet storage\.store in entente\.yaml/.test(err)],
        [2, true],
        err,
      );
      isUntouched(before);
    }
    cli.environment = {};
    const config = cli.path('FR', 'entente.yaml');
    const said = parse(readFileSync(config, 'utf8')) as object;
    writeFileSync(
      config,
      JSON.stringify({ ...said, storage: { secondPlace: cli.path('FR', 'second-place') } }),
    );
    const { err } = await move();
    assert.match(err, /storage\.secondPlace: within braces[^]*\[CONFIG_INVALID\]/);
    isUntouched(before);
  });

  it('knows every setting that is a path', () => {
    const pathsBelow = (at: readonly string[], { properties = {} }: JsonSchema): string[] =>
      Object.entries(properties).flatMap(([key, node]) => {
        const { minLength, maxLength } = node as { readonly minLength?: number; readonly maxLength?: number };
        const isPath = minLength === 1 && maxLength === 4_096;
        return [...(isPath ? [[...at, key].join('.')] : []), ...pathsBelow([...at, key], node)];
      });
    assert.deepEqual(
      PATH_SETTINGS.map((at) => at.join('.')).toSorted(),
      pathsBelow([], configJsonSchema()).toSorted(),
    );
  });

  it('signs with sealed keys of the root, and says how where they are not named', async () => {
    for (const name of ['usb', 'other']) mkdirSync(cli.path(name));
    writeFileSync(cli.path('pass.txt'), `${PASSPHRASE}\n`);
    const pass = ['--passphrase-file', cli.path('pass.txt')];
    const { keys } = await cli.json<{ keys: { file: string }[] }>(
      ...['root', 'seal', cli.path('FR'), '--medium', cli.path('usb'), ...pass],
    );
    const { keys: others } = await cli.json<{ keys: { file: string }[] }>(
      ...['root', 'init', 'DE', '--medium', cli.path('other'), ...pass],
    );
    const sealed = keys[0]?.file ?? '';
    const before = checkpoint();
    const move = (...more: readonly string[]) =>
      cli.run('host', 'move', cli.path('FR'), cli.path('own'), ...more);
    const bare = await move();
    assert.match(
      bare.err,
      /0 of 1 needed root keys .*\[KEY_FILE_MISSING\]\nName the sealed keys .*--key FILE/,
    );
    isUntouched(before);
    const foreign = await move('--key', others[0]?.file ?? '', ...pass);
    assert.match(foreign.err, /is a key of DE\.demo, not of FR\.demo \[KEY_FILE_INVALID\]/);
    cli.typed = ['another that is not it'];
    assert.match((await move('--key', sealed)).err, /usb.*\[PASSPHRASE_WRONG\]/);
    isUntouched(before);
    let said = '';
    const exit = await runCli(['host', 'move', cli.path('FR'), cli.path('own'), '--key', sealed, ...pass], {
      writeOut: () => undefined,
      writeErr: (text) => {
        said += text;
        if (text.includes('in the new place')) throw new Error('the terminal is gone');
      },
      stdin: (async function* () {})(),
      colour: false,
      errorIsTerminal: false,
      nowS: () => cli.nowS,
      random: new Clock().modules.random,
    });
    assert.equal(exit, 1);
    assert.match(said, /in the new place/);
    assert.match((await move()).err, /KEY_FILE_MISSING\]\nName the sealed keys/);
    cli.typed = [PASSPHRASE];
    const moved = await move('--key', sealed);
    assert.equal(moved.exit, 0, moved.err);
    assert.deepEqual(await signing(), ['own']);
    for (const place of ['FR', 'own'])
      assert.ok(!readdirSync(cli.path(place, 'keys')).some((name) => name.startsWith('root-')));
  });

  it('goes into no directory of the same region that it has not begun', async () => {
    cpSync(cli.path('FR'), cli.path('own'), { recursive: true });
    const { exit, err } = await cli.run('host', 'move', cli.path('FR'), cli.path('own'));
    assert.equal(exit, 2);
    assert.match(err, /is not empty/);
  });

  it('lockStore is refused while somebody has the store open, and keeps out this process and others', async () => {
    // A node that has answered its operator for the last time, and goes on to finish its batches.
    await inRegion(cli.path('FR'), new Clock().modules, () =>
      assert.rejects(() => lockStore(cli.path('FR', 'store')), { code: 'STORE_LOCKED' }),
    );
    const unlock = await lockStore(cli.path('FR', 'store'));
    assert.ok(!(await issue('FR')));
    const child = fork(
      DYING_CLI,
      ['STORE_LOCKED', `${cli.nowS}`, 'issue', cli.path('FR'), '--subject', 'P', '--colour', 'green'],
      { execArgv: [] },
    );
    const [, signal] = (await once(child, 'exit')) as [number | null, string | null];
    assert.equal(signal, 'SIGKILL');
    await unlock();
    assert.ok(await issue('FR'));
  });
});
