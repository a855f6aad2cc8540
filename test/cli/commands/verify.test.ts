import assert from 'node:assert/strict';
import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { copyWorld, makeWorld, witnessAll, type World } from '../../support/cli-world.ts';
import { TestCli } from '../../support/cli.ts';
import { DAY_S } from '../../support/directories.ts';
import { temporaryFolders } from '../../support/temporary.ts';

interface Told {
  readonly outcome: string;
  readonly grade?: string;
  readonly colour?: string;
  readonly reasons: readonly { readonly code: string }[];
}

describe('entente verify, snapshot and revoke', () => {
  const folder = temporaryFolders();
  let world: World;
  let cli: TestCli;
  let trust: string[];
  before(async () => {
    world = await makeWorld(folder());
  });
  /** For tests that write: they get a world of their own. */
  const change = () => {
    cli = copyWorld(world, folder());
    trust = trustOf(cli);
  };
  beforeEach(() => {
    cli = new TestCli(world.dir);
    trust = trustOf(cli);
  });
  const trustOf = ({ dir }: TestCli) => [
    '--offline',
    `${dir}/de.snap`,
    '--home',
    'DE',
    '--pin',
    world.pins['DE'] ?? '',
  ];
  const told = (code: string, ...args: readonly string[]) =>
    cli.json<Told>('verify', ...trust, ...args, code);
  const codesOf = ({ reasons }: Told) => reasons.map(({ code }) => code);

  it('ends with 0, 3, 3 for green, yellow, red, by a snapshot as by the directory', async () => {
    for (const [code, exit] of [
      [world.codes.green, 0],
      [world.codes.yellow, 3],
      [world.codes.red, 3],
    ] as const) {
      assert.equal((await cli.run('verify', ...trust, code)).exit, exit);
      assert.equal((await cli.run('verify', '--region', cli.path('DE'), code)).exit, exit);
    }
  });

  it('says the verdict in a headline, reasons in sentences, and with --explain what it rests on', async () => {
    const { out } = await cli.run('verify', ...trust, world.codes.yellow, '--explain');
    assert.match(
      out,
      /^ACT {2}yellow, static, stay at home until 2026-11-17 09:00:00 UTC {2}\(CN-33 2026-11\/\d\)\n/,
    );
    assert.match(out, /\n {2}STATUS_YELLOW +The code is yellow/);
    assert.match(out, /issued by +CN-33, key [0-9a-f]{16}, leaf \d of log 2026-11/);
    assert.match(out, /of CN-33 +8 entries, 0 s old, last heard of 0 s ago, 2 of 2 witnesses \(1 needed\)/);
    const short = await cli.run('verify', ...trust, world.codes.yellow);
    assert.doesNotMatch(short.out, /issued by/);
  });

  it('judges lines of stdin and of a file: one line each, the worst ends the command', async () => {
    const lines = [
      world.codes.green,
      'ENT1:',
      world.codes.red,
      '',
      'A'.repeat(20_000),
      'B'.repeat(5_000_000),
    ];
    writeFileSync(cli.path('codes.txt'), `${lines.slice(0, 4).join('\r\n')}\n`);
    const { exit, out } = await cli.run('verify', ...trust, '--file', cli.path('codes.txt'));
    assert.equal(exit, 3);
    const rows = out
      .trimEnd()
      .split('\n')
      .map((row) => row.split('\t'));
    assert.deepEqual(
      rows.map(([outcome, colour, , reasons]) => [outcome, colour, reasons]),
      [
        ['pass', 'green', 'IDENTITY_CHECK'],
        ['stop', '-', 'MALFORMED'],
        ['stop', 'red', 'IDENTITY_CHECK,STATUS_RED'],
        ['stop', '-', 'MALFORMED'],
      ],
    );
    const json = await cli.runWith(`${lines.join('\n')}\n${world.codes.green}`, 'verify', ...trust, '--json');
    assert.deepEqual(
      json.out
        .trimEnd()
        .split('\n')
        .map((row) => (JSON.parse(row) as Told).outcome),
      ['pass', 'stop', 'stop', 'stop', 'stop', 'stop', 'pass'],
    );
    assert.equal(
      (await cli.runWith(`${world.codes.green}\n${world.codes.green}`, 'verify', ...trust)).exit,
      0,
    );
    assert.match(
      (await cli.runWith(world.codes.green, 'verify', ...trust, '-')).out,
      /^PASS /,
      'a single line is told in full',
    );
  });

  it('B8, B9: a space, a newline within and 5 MB are stopped, none is trimmed', async () => {
    for (const text of [` ${world.codes.green}`, `${world.codes.green}\n`, 'ENT1:' + 'A'.repeat(5_000_000)]) {
      assert.deepEqual((await told(text)).outcome, 'stop');
    }
    const { out } = await cli.run('verify', ...trust, '\u001b[31mENT1:A');
    assert.ok(!out.includes('\u001b'));
  });

  it('grades: live, challenged, a copy a minute later, and a place that demands more', async () => {
    const text = (await cli.run('present', cli.path('phone.json'))).out.trimEnd();
    assert.deepEqual([(await told(text)).grade, (await told(world.codes.device)).grade], ['live', 'static']);
    const later = ['--at', String(cli.nowS + 90)];
    const copied = await told(text, ...later);
    assert.deepEqual(
      [copied.outcome, copied.grade, codesOf(copied)[0]],
      ['pass', 'static', 'PRESENTATION_NOT_CURRENT'],
    );
    const demanding = await told(text, ...later, '--place', 'grade=live,kind=hospital,risk=high');
    assert.deepEqual([demanding.outcome, codesOf(demanding).includes('GRADE_TOO_LOW')], ['act', true]);
    const challenge = '0011223344556677';
    const answer = (await cli.run('present', cli.path('phone.json'), '--challenge', challenge)).out.trimEnd();
    assert.equal((await told(answer, '--challenge', challenge)).grade, 'challenged');
    assert.ok(codesOf(await told(answer, '--challenge', 'ff'.repeat(8))).includes('CHALLENGE_MISMATCH'));
  });

  it('T10: a snapshot of two days ends with 4, and so do stricter places earlier', async () => {
    const stale = await cli.run('verify', ...trust, world.codes.green, '--at', String(cli.nowS + 2 * DAY_S));
    assert.equal(stale.exit, 4);
    assert.match(stale.out, /^UNDETERMINED[^]*KNOWLEDGE_STALE .* \[DE, age 2 days, limit 24 h\]/);
    const inHours = ['--at', String(cli.nowS + 3 * 3_600)];
    assert.equal((await told(world.codes.green, ...inHours)).outcome, 'pass');
    assert.equal((await told(world.codes.green, ...inHours, '--place', 'age=2h')).outcome, 'undetermined');
    assert.ok(
      codesOf(await told(world.codes.green, ...inHours, '--place', 'silence=2h')).includes(
        'ISSUER_SILENT_TOO_LONG',
      ),
    );
  });

  it('--document matches the document that a paper code was made for, and no other', async () => {
    change();
    const paper = ['--paper', '--document-country', 'DE', '--document-number', 'C01X00T47'];
    const { code } = await cli.json<{ code: string }>(
      'issue',
      cli.path('CN-33'),
      '--subject',
      'P',
      '--colour',
      'green',
      ...paper,
    );
    assert.deepEqual(codesOf(await told(code, '--document', 'DE:c01 x00 t47')), ['DOCUMENT_MATCHED']);
    assert.ok(codesOf(await told(code, '--document', 'DE:C01X00T48')).includes('DOCUMENT_MISMATCH'));
    assert.deepEqual(codesOf(await told(world.codes.green, '--document', 'DE:C01X00T47')), [
      'IDENTITY_CHECK',
    ]);
  });

  it('revoke works by text, place, person and device, for ever and once', async () => {
    change();
    const region = cli.path('CN-33');
    const place = (await told(world.codes.red)) as Told & { code: { log: string; index: number } };
    const device = JSON.parse((await cli.run('inspect', world.codes.device, '--json')).out) as {
      holderKey: string;
    };
    for (const args of [
      [world.codes.green],
      ['--subject', 'Yellow'],
      ['--holder', device.holderKey],
      [`${place.code.log}/${place.code.index}`],
    ]) {
      assert.match((await cli.run('revoke', region, ...args)).out, /^Revoked 1 code: 2026-11\/\d\n$/);
      assert.match((await cli.run('revoke', region, ...args)).out, /nothing changed/);
    }
    await witnessAll(cli);
    for (const code of Object.values(world.codes)) {
      const verdict = await cli.json<Told>('verify', '--region', cli.path('DE'), code);
      assert.deepEqual([verdict.outcome, codesOf(verdict).includes('REVOKED')], ['stop', true]);
    }
    assert.ok(!codesOf(await told(world.codes.green)).includes('REVOKED'), 'an older snapshot cannot know');
  });

  for (const [what, exit, args] of [
    ['nothing', 2, []],
    ['text that is no code', 2, ['hello']],
    ['a broken code', 5, ['ENT1:ABC']],
    ['a place beyond the log', 1, ['2026-11/99']],
    ['a place in a log that is not there', 1, ['2026-10/0']],
    ['a person without a code', 1, ['--subject', 'Nobody']],
  ] as const) {
    it(`revoke of ${what} ends with ${exit} and signs nothing`, async () => {
      const before = readFileSync(cli.path('CN-33/public/trust/checkpoint'));
      assert.equal((await cli.run('revoke', cli.path('CN-33'), ...args)).exit, exit);
      assert.deepEqual(readFileSync(cli.path('CN-33/public/trust/checkpoint')), before);
    });
  }

  it('B54: revoke refuses the code of another region, and a code that is not the one in the log', async () => {
    assert.match((await cli.run('revoke', cli.path('DE'), world.codes.green)).err, /OTHER_REGION/);
    const other = copyWorld(world, folder());
    rmSync(other.path('CN-33'), { recursive: true });
    await other.json('init', 'CN-33', '--dir', other.path('CN-33'));
    await other.json('issue', other.path('CN-33'), '--subject', 'X', '--colour', 'green');
    const { err } = await other.run('revoke', other.path('CN-33'), world.codes.green);
    assert.match(err, /NOT_ISSUED/);
  });

  it('snapshot: delta after a revocation, checked with and without what was held', async () => {
    change();
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
    assert.match(made.out, /CN-33 +taken: 9 entries[^]*DE +confirmed: 8 entries/);
    const home = ['--home', 'DE', '--pin', world.pins['DE'] ?? ''];
    assert.equal((await cli.run('snapshot', 'check', delta, ...home, '--held', cli.path('de.snap'))).exit, 0);
    assert.match((await cli.run('snapshot', 'check', delta, ...home)).err, /SNAPSHOT_INCOMPLETE/);
    assert.match((await cli.run('snapshot', 'show', delta)).out, /CN-33 +delta, 1 entry from 8/);
    const verdict = await told(world.codes.green, '--offline', delta);
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

  it('snapshot make warns of peers that are gone or not witnessed, and writes nothing without a quorum for the home', async () => {
    change();
    rmSync(cli.path('FR/public'), { recursive: true });
    const gone = await cli.run('snapshot', 'make', cli.path('DE'), '--out', cli.path('a.snap'));
    assert.equal(gone.exit, 0);
    assert.match(gone.err, /FR is left out: no region publishes at /);
    assert.match(
      (await cli.run('verify', '--region', cli.path('DE'), world.codes.green)).err,
      /nothing is known of FR/,
    );
    await cli.json('suspend', cli.path('DE'), 'FR');
    const { exit, err } = await cli.run('snapshot', 'make', cli.path('DE'), '--out', cli.path('b.snap'));
    assert.equal(exit, 4);
    assert.match(err, /too few witnesses vouch for the log of DE \[SNAPSHOT_INCOMPLETE\]\nLet the regions /);
    assert.ok(!existsSync(cli.path('b.snap')));
    assert.equal((await cli.run('verify', '--region', cli.path('DE'), world.codes.green)).exit, 4);
  });

  it('verify by a directory says which region lacks witnesses', async () => {
    change();
    await cli.json('revoke', cli.path('CN-33'), '2026-11/0');
    const { exit, err } = await cli.run('verify', '--region', cli.path('DE'), world.codes.red);
    assert.equal(exit, 4);
    assert.match(err, /nothing is known of CN-33: its newest checkpoint lacks witnesses/);
  });

  it('T9 rollback: --keep remembers whom to trust and refuses an older snapshot, also after a delta', async () => {
    change();
    const keep = ['--keep', cli.path('gate.json')];
    assert.equal((await cli.run('verify', ...keep, ...trust, world.codes.green)).exit, 0);
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
    assert.equal(old.exit, 5);
    assert.match(old.err, /holds 9 entries, is offered 8 \[ROLLBACK\]/);
    await cli.json('snapshot', 'make', cli.path('DE'), '--out', cli.path('full.snap'));
    assert.equal(
      (await cli.run('verify', ...keep, '--offline', cli.path('full.snap'), world.codes.green)).exit,
      3,
    );
    const { snapshots } = JSON.parse(readFileSync(cli.path('gate.json'), 'utf8')) as { snapshots: string[] };
    assert.equal(snapshots.length, 1, 'a full snapshot replaces what led to it');
    assert.equal((await cli.run('verify', ...keep, '--home', 'FR', world.codes.green)).exit, 2);
    writeFileSync(cli.path('gate.json'), '{"format":1}');
    assert.equal((await cli.run('verify', ...keep, world.codes.green)).exit, 5);
  });

  it('T3: a stolen key: genuine codes need a proof and pass with one, whatever lies beyond the cut-off is stopped', async () => {
    change();
    const { code } = (await told(world.codes.green)) as Told & { code: { keyId: string } };
    cpSync(cli.path('CN-33'), cli.path('thief'), { recursive: true });
    const forged = await cli.json<{ code: string }>(
      'issue',
      cli.path('thief'),
      '--subject',
      'Thief',
      '--colour',
      'green',
    );
    const out = await cli.run(
      'key',
      'compromise',
      cli.path('CN-33'),
      '--key',
      code.keyId,
      '--cut-off',
      '2026-11=now',
    );
    assert.match(out.out, /The attest key [0-9a-f]{16} is given up; [0-9a-f]{16} stands in its place/);
    await witnessAll(cli);
    const verdict = (text: string, ...args: readonly string[]) =>
      cli.json<Told>('verify', '--region', cli.path('DE'), ...args, text);
    assert.deepEqual(codesOf(await verdict(world.codes.green)), ['PROOF_NEEDED', 'IDENTITY_CHECK']);
    const proven = await verdict(world.codes.green, '--proof', cli.path('CN-33'));
    assert.deepEqual([proven.outcome, codesOf(proven).includes('PROVEN_IN_LOG')], ['pass', true]);
    assert.equal((await verdict(world.codes.green, '--proof', '/nowhere')).outcome, 'undetermined');
    const beyond = await verdict(forged.code, '--proof', cli.path('CN-33'));
    assert.deepEqual([beyond.outcome, codesOf(beyond).includes('BEYOND_CUT_OFF')], ['stop', true]);
    const fresh = await cli.json<{ code: string }>(
      'issue',
      cli.path('CN-33'),
      '--subject',
      'New',
      '--colour',
      'green',
    );
    assert.equal((await verdict(fresh.code)).outcome, 'pass');
  });

  for (const [what, args] of [
    ["a key that is not the region's", ['--key', '0'.repeat(16)]],
    ['a cut-off beyond the log', ['--cut-off', '2026-11=99']],
    ['a cut-off of no log', ['--cut-off', 'attest=1']],
    ['a log twice', ['--cut-off', '2026-11=1', '--cut-off', '2026-11=2']],
  ] as const) {
    it(`key compromise refuses ${what}`, async () => {
      const { code } = (await told(world.codes.green)) as Told & { code: { keyId: string } };
      const key = args.includes('--key' as never) ? [] : ['--key', code.keyId];
      const { exit } = await cli.run('key', 'compromise', cli.path('CN-33'), ...key, ...args);
      assert.ok(exit === 1 || exit === 2);
    });
  }

  for (const args of [
    [],
    ['--offline', 'de.snap'],
    ['--home', 'DE', '--pin', 'ab'.repeat(32)],
    ['--offline', '/nowhere', '--home', 'DE', '--pin', 'ab'.repeat(32)],
    ['--region', '/nowhere', '--offline', 'x'],
    ['--region', 'r', '--keep', 'x'],
    ['--file', '/nowhere'],
    ['--place', 'risk=none'],
    ['--place', 'mood=good'],
    ['--place', ''],
    ['--challenge', 'zz'],
    ['--document', 'DE'],
    ['--at', 'yesterday'],
  ]) {
    it(`verify ends with 2 for: ${args.join(' ')}`, async () => {
      assert.equal((await cli.run('verify', ...args, ...(args[0] === '--file' ? [] : ['ENT1:A']))).exit, 2);
    });
  }

  it('inspect takes apart codes, presentations, snapshots, checkpoints, entries and attestations', async () => {
    change();
    const show = async (...args: readonly string[]) => (await cli.run('inspect', ...args)).out;
    assert.match(await show(world.codes.green), /region: CN-33[^]*colour: green/);
    assert.match(
      (await cli.runWith(`${world.codes.device}\n`, 'inspect', '-')).out,
      /holderKey: [0-9a-f]{64}/,
    );
    assert.match(await show((await cli.run('present', cli.path('phone.json'))).out.trimEnd()), /step: \d+/);
    assert.match(await show(cli.path('de.snap')), /what: snapshot[^]*region: CN-33/);
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
    assert.equal((await cli.run('inspect', cli.path('DE/config.json'))).exit, 5);
    assert.equal((await cli.run('inspect', cli.dir)).exit, 2);
    assert.equal((await cli.run('inspect', '/nowhere')).exit, 2);
    assert.equal((await cli.run('inspect', 'ENT1:AB')).exit, 5);
  });
});

function flipped(bytes: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(bytes);
  const middle = Math.floor(copy.length / 2);
  copy[middle] = (copy[middle] ?? 0) ^ 1;
  return copy;
}
