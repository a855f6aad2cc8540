import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { codesOf, copyWorld, Gate, makeWorld, witnessAll, type World } from '../../support/cli-world.ts';
import { DAY_S } from '../../support/regions.ts';
import { encodeNote, parseNote } from '../../../protocol/log/note.ts';
import { encodeSnapshot, parseSnapshot, type SnapshotPart } from '../../../protocol/snapshot/snapshot.ts';
import { temporaryFolders } from '../../support/temporary.ts';

describe('entente snapshot and verify --keep', () => {
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

  it('snapshot: delta after a revocation, checked with and without what was held', async () => {
    cli = copyWorld(world, folder());
    await cli.json('revoke', cli.path('CN-33'), world.codes.green);
    await witnessAll(cli);
    const delta = cli.path('delta.snap');
    const made = await cli.run(
      'snapshot',
      'make',
      cli.path('DE'),
      '--since',
      cli.path('de.snap'),
      '--out',
      delta,
    );
    assert.match(
      made.out,
      /^.*\n {2}CN-33 +taken: 9 .*\n {2}DE +confirmed: 8 .*\n {2}FR +confirmed: 8 .*\n$/,
    );
    const home = ['--home', 'DE', '--pin', world.pins['DE'] ?? ''];
    assert.equal((await cli.run('snapshot', 'check', delta, ...home, '--held', cli.path('de.snap'))).exit, 0);
    for (const command of [
      ['snapshot', 'check', delta, ...home],
      ['verify', '--offline', delta, ...home, world.codes.green],
    ]) {
      const { exit, err } = await cli.run(...command);
      assert.equal(exit, 4);
      assert.match(err, /SNAPSHOT_INCOMPLETE/);
    }
    assert.match((await cli.run('snapshot', 'show', delta)).out, /CN-33 +delta, 1 entry from 8/);
    const next = ['snapshot', 'make', cli.path('DE'), '--since', delta, '--out', cli.path('next.snap')];
    const ofDelta = await cli.run(...next);
    assert.equal(ofDelta.exit, 2);
    assert.match(ofDelta.err, /delta\.snap is itself a delta \[USAGE\]\nName the full snapshot/);
    const verdict = await cli.told(world.codes.green, '--offline', delta);
    assert.deepEqual([verdict.outcome, codesOf(verdict).includes('REVOKED')], ['stop', true]);
  });

  it('snapshot check refuses another pin, cut or altered bytes, and files that are none', async () => {
    const home = (pin: string) => ['--home', 'DE', '--pin', pin];
    const good = readFileSync(cli.path('de.snap'));
    const pin = world.pins['DE'] ?? '';
    assert.equal((await cli.run('snapshot', 'check', cli.path('de.snap'), ...home(pin))).exit, 0);
    assert.match(
      (await cli.run('snapshot', 'check', cli.path('de.snap'), ...home(world.pins['FR'] ?? ''))).err,
      /PIN_MISMATCH/,
    );
    for (const bytes of [
      good.subarray(0, -1),
      Buffer.concat([good, Buffer.of(0)]),
      Buffer.from('x'),
      Buffer.alloc(0),
      flipped(good),
    ]) {
      writeFileSync(cli.path('bad.snap'), bytes);
      assert.equal((await cli.run('snapshot', 'check', cli.path('bad.snap'), ...home(pin))).exit, 5);
    }
    assert.equal((await cli.run('snapshot', 'check', '/nowhere.snap', ...home(pin))).exit, 2);
    assert.equal(
      (await cli.run('snapshot', 'check', cli.path('de.snap'), '--home', 'de', '--pin', pin)).exit,
      2,
    );
  });

  it('T10: snapshot check judges how old it is, now or at another time', async () => {
    const home = ['--home', 'DE', '--pin', world.pins['DE'] ?? ''];
    const check = (atS: number) =>
      cli.run('snapshot', 'check', cli.path('de.snap'), ...home, '--at', String(atS));
    const fresh = await check(cli.nowS + DAY_S);
    assert.equal(fresh.exit, 0);
    assert.match(fresh.out, /de\.snap is good, for verifiers of DE:/);
    const stale = await check(cli.nowS + DAY_S + 1);
    assert.equal(stale.exit, 4);
    assert.match(
      stale.out,
      /is genuine, and too old \(CN-33, DE, FR\): make a new one, for verifiers of DE:/,
    );
  });

  it('T9 rollback: a part that is refused ends make and check with 5, and what is said follows what was held', async () => {
    const later = copyWorld(world, folder());
    await later.json('revoke', later.path('CN-33'), world.codes.green);
    await witnessAll(later);
    const newer = later.path('new.snap');
    await later.json('snapshot', 'make', later.path('DE'), '--out', newer);
    cli = copyWorld(world, folder());
    const made = await cli.run(
      ...['snapshot', 'make', cli.path('DE'), '--since', newer, '--out', cli.path('delta.snap')],
    );
    assert.equal(made.exit, 5);
    assert.match(made.out, /CN-33 +faulty \(ROLLBACK\): what was held stays, \d+ entries/);
    assert.match(made.err, /CN-33 is not as it should be: ROLLBACK/);
    assert.ok(existsSync(cli.path('delta.snap')), 'those who hold the other regions can use it');
    const trust = ['--home', 'DE', '--pin', world.pins['DE'] ?? ''];
    const checked = await cli.run(...['snapshot', 'check', cli.path('de.snap'), ...trust, '--held', newer]);
    assert.equal(checked.exit, 5);
    assert.match(checked.out, /de\.snap is refused in parts \(CN-33\), for verifiers of DE/);
    const both = ['--offline', newer, '--offline', cli.path('de.snap')];
    const verdict = await cli.run('verify', ...both, ...trust, world.codes.red);
    assert.equal(verdict.exit, 3, 'verify ends by its verdict');
    assert.match(
      verdict.err,
      /CN-33: what the snapshot says of it is refused, what was known of it stays \[ROLLBACK\]/,
    );
  });

  it('a part that is refused where nothing was held leaves its region unknown, and says so', async () => {
    const bytes = readFileSync(cli.path('de.snap'));
    const origin = bytes.indexOf('CN-33.demo/trust\n');
    const root = bytes.indexOf('\n', bytes.indexOf('\n', origin) + 1) + 1;
    bytes[root] = bytes[root] === 0x41 ? 0x42 : 0x41;
    const dir = folder();
    const bad = join(dir, 'bad.snap');
    writeFileSync(bad, bytes);
    const trust = ['--home', 'DE', '--pin', world.pins['DE'] ?? ''];
    const checked = await cli.run('snapshot', 'check', bad, ...trust);
    assert.equal(checked.exit, 5);
    assert.match(checked.out, /CN-33 +faulty \([A-Z_]+\): nothing is known of it/);
    const verdict = await cli.run('verify', '--offline', bad, ...trust, world.codes.green);
    assert.equal(verdict.exit, 4);
    assert.match(verdict.err, /CN-33: what the snapshot says of it is refused, nothing is known of it \[/);
  });

  it('snapshot make takes a peer whose directory is gone from the copies that others keep, and says so', async () => {
    cli = copyWorld(world, folder());
    rmSync(cli.path('FR/public'), { recursive: true });
    const gone = await cli.run('snapshot', 'make', cli.path('DE'), '--out', cli.path('a.snap'));
    assert.equal(gone.exit, 0);
    assert.match(gone.err, /the directory of FR cannot be read: the 8 entries of its trust log/);
    assert.match(gone.out, /FR +taken/);
  });

  it('snapshot make warns of peers that are gone or not witnessed, and writes nothing without a quorum for the home', async () => {
    cli = copyWorld(world, folder());
    rmSync(cli.path('FR/public'), { recursive: true });
    for (const keeper of ['CN-33', 'DE'])
      rmSync(cli.path(keeper, 'public/copies/FR.demo'), { recursive: true });
    const gone = await cli.run('snapshot', 'make', cli.path('DE'), '--out', cli.path('a.snap'));
    assert.equal(gone.exit, 4);
    assert.match(gone.err, /FR is left out: no region publishes at /);
    assert.match(
      (await cli.run('verify', '--region', cli.path('DE'), world.codes.green)).err,
      /nothing is known of FR/,
    );
    await cli.json('suspend', cli.path('DE'), 'FR');
    const { exit, err } = await cli.run('snapshot', 'make', cli.path('DE'), '--out', cli.path('b.snap'));
    assert.equal(exit, 4);
    assert.match(
      err,
      /too few witnesses vouch for the log of DE \[SNAPSHOT_INCOMPLETE\]\nLet CN-33 vouch for DE: entente witness \S+CN-33 \S+DE\n/,
    );
    assert.ok(!existsSync(cli.path('b.snap')));
    assert.equal((await cli.run('verify', '--region', cli.path('DE'), world.codes.green)).exit, 4);
  });

  it('verify by a directory says which region lacks witnesses', async () => {
    cli = copyWorld(world, folder());
    for (const witness of ['DE', 'FR']) {
      rmSync(cli.path(witness, 'public/cosignatures/CN-33.demo/trust'));
      rmSync(cli.path(witness, 'public/copies/CN-33.demo'), { recursive: true });
    }
    const { exit, err } = await cli.run('verify', '--region', cli.path('DE'), world.codes.red);
    assert.equal(exit, 4);
    assert.match(err, /nothing is known of CN-33: too few vouch for it/);
    assert.match(err, /Let DE vouch for CN-33: entente witness \S+DE \S+CN-33\n/);
  });

  it('T9 rollback: --keep remembers whom to trust and refuses an older snapshot, also after a delta', async () => {
    cli = copyWorld(world, folder());
    const keep = ['--keep', cli.path('gate.json')];
    assert.equal((await cli.run('verify', ...keep, ...cli.trust, world.codes.green)).exit, 0);
    assert.equal((await cli.run('verify', ...keep, world.codes.green)).exit, 0);
    await cli.json('revoke', cli.path('CN-33'), world.codes.green);
    await witnessAll(cli);
    await cli.json(
      'snapshot',
      'make',
      cli.path('DE'),
      '--since',
      cli.path('de.snap'),
      '--out',
      cli.path('delta.snap'),
    );
    assert.equal(
      (await cli.run('verify', ...keep, '--offline', cli.path('delta.snap'), world.codes.green)).exit,
      3,
    );
    assert.equal((await cli.run('verify', ...keep, world.codes.green)).exit, 3);
    const old = await cli.run('verify', ...keep, '--offline', cli.path('de.snap'), world.codes.green);
    assert.equal(old.exit, 3, 'what was known of the region stays');
    assert.match(old.err, /CN-33: .* what was known of it stays \[ROLLBACK\]/);
    await cli.json('snapshot', 'make', cli.path('DE'), '--out', cli.path('full.snap'));
    assert.equal(
      (await cli.run('verify', ...keep, '--offline', cli.path('full.snap'), world.codes.green)).exit,
      3,
    );
    const { size } = statSync(cli.path('gate.json'));
    for (const name of ['de.snap', 'full.snap', 'de.snap'])
      await cli.run('verify', ...keep, '--offline', cli.path(name), world.codes.green);
    assert.equal(statSync(cli.path('gate.json')).size, size, 'what is offered again takes no room');
    assert.equal((await cli.run('verify', ...keep, '--home', 'FR', world.codes.green)).exit, 2);
    writeFileSync(cli.path('gate.json'), '{"format":1}');
    assert.equal((await cli.run('verify', ...keep, world.codes.green)).exit, 5);
  });

  it('T9: --keep knows what it has seen after a recognition has run out by which it was vouched for', async () => {
    cli = new Gate({ ...world, dir: folder() });
    const regions = ['AT', 'BE', 'CZ'] as const;
    let pin = '';
    for (const region of regions) {
      const made = await cli.json<{ fingerprint: string }>('init', region, '--dir', cli.path(region));
      if (region === 'BE') pin = made.fingerprint;
    }
    for (const one of regions)
      for (const other of regions.filter((region) => region !== one))
        await cli.json(
          ...['recognise', cli.path(one), cli.path(other)],
          ...(one === 'BE' && other === 'CZ' ? ['--for', '2h'] : []),
        );
    const { code } = await cli.json<{ code: string }>(
      ...['issue', cli.path('AT'), '--subject', 'Person 00001', '--colour', 'green'],
    );
    for (const region of regions) await cli.json('witness', cli.path(region));
    const snapshotAt = async (name: string) => {
      await cli.json('snapshot', 'make', cli.path('CZ'), '--out', cli.path(name));
      return ['--offline', cli.path(name)];
    };
    const older = await snapshotAt('older.snap');
    await cli.json('revoke', cli.path('AT'), code);
    await cli.json('witness', cli.path('CZ'));
    const newer = await snapshotAt('newer.snap');
    const keep = ['--keep', cli.path('gate.json')];
    assert.equal((await cli.run('verify', ...keep, ...newer, '--home', 'BE', '--pin', pin, code)).exit, 3);
    assert.equal((await cli.run('verify', ...keep, ...older, code)).exit, 3);
    cli.nowS += 3 * 3_600;
    assert.equal((await cli.run('verify', ...keep, code)).exit, 3);
    assert.equal((await cli.run('verify', ...keep, ...older, code)).exit, 3);
    assert.equal((await cli.run('verify', ...keep, code)).exit, 3);
  });

  it('--keep forgets nothing when two verifiers use it at once', async () => {
    cli = copyWorld(world, folder());
    const { green, yellow } = world.codes;
    await cli.json('revoke', cli.path('CN-33'), green);
    await witnessAll(cli);
    await cli.json('snapshot', 'make', cli.path('DE'), '--out', cli.path('new.snap'));
    for (let round = 0; round < 5; round++) {
      const keep = ['--keep', cli.path(`gate ${round}.json`)];
      await cli.run('verify', ...keep, ...cli.trust, green);
      await Promise.all([
        cli.run('verify', ...keep, '--offline', cli.path('new.snap'), green),
        cli.run('verify', ...keep, '--offline', cli.path('de.snap'), yellow),
      ]);
      assert.equal((await cli.run('verify', ...keep, green)).exit, 3, `round ${round}`);
    }
  });

  it('--at with --keep judges at another time and keeps nothing', async () => {
    cli = copyWorld(world, folder());
    const keep = ['--keep', cli.path('gate.json')];
    await cli.run('verify', ...keep, ...cli.trust, world.codes.green);
    const before = readFileSync(cli.path('gate.json'));
    const at = new Date((cli.nowS - 86_400) * 1000).toISOString();
    const { err } = await cli.run(
      'verify',
      ...keep,
      '--offline',
      cli.path('de.snap'),
      '--at',
      at,
      world.codes.green,
    );
    assert.match(err, /with --at nothing is kept/);
    assert.deepEqual(readFileSync(cli.path('gate.json')), before);
  });

  it('verify says of which regions too few vouch in a snapshot, and what counts of them then', async () => {
    cli = copyWorld(world, folder());
    await cli.json('revoke', cli.path('CN-33'), world.codes.green);
    await witnessAll(cli);
    await cli.json('snapshot', 'make', cli.path('DE'), '--out', cli.path('full.snap'));
    const { network, parts } = parseSnapshot(readFileSync(cli.path('full.snap')));
    const alone = parts.map((part) =>
      part.region === 'CN-33' ? { ...part, checkpoint: ownLines(part) } : part,
    );
    writeFileSync(cli.path('alone.snap'), encodeSnapshot({ network, parts: alone }));
    const trust = ['--home', 'DE', '--pin', world.pins['DE'] ?? '', '--offline', cli.path('alone.snap')];
    const first = await cli.run('verify', ...trust, world.codes.green);
    assert.equal(first.exit, 4);
    assert.match(first.err, /CN-33: too few vouch for what the snapshot says of it: nothing is known of it/);
    const beside = await cli.run(
      'verify',
      ...cli.trust,
      '--offline',
      cli.path('alone.snap'),
      world.codes.green,
    );
    assert.equal(beside.exit, 3);
    assert.match(beside.err, /CN-33: too few vouch .*: what that revokes counts, what was known of it stays/);
  });
});

function flipped(bytes: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(bytes);
  const middle = Math.floor(copy.length / 2);
  copy[middle] = (copy[middle] ?? 0) ^ 1;
  return copy;
}

/** The checkpoint of a part without what witnesses said of it. */
function ownLines({ checkpoint }: SnapshotPart): Uint8Array {
  const { text, signatures } = parseNote(checkpoint);
  return encodeNote({ text, signatures: signatures.filter(({ name }) => name.endsWith('/trust')) });
}
