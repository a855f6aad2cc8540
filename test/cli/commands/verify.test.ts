import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { codesOf, copyWorld, Gate, makeWorld, type Told, type World } from '../../support/cli-world.ts';
import { DAY_S } from '../../support/regions.ts';
import { temporaryFolders } from '../../support/temporary.ts';

describe('entente verify', () => {
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

  it('ends with 0, 3, 3 for green, yellow, red, by a snapshot as by the directory', async () => {
    for (const [code, exit] of [
      [world.codes.green, 0],
      [world.codes.yellow, 3],
      [world.codes.red, 3],
    ] as const) {
      assert.equal((await cli.run('verify', ...cli.trust, code)).exit, exit);
      assert.equal((await cli.run('verify', '--region', cli.path('DE'), code)).exit, exit);
    }
  });

  it('says the verdict in a headline, reasons in sentences, and with --explain what it rests on', async () => {
    const { out } = await cli.run('verify', ...cli.trust, world.codes.yellow, '--explain');
    assert.match(
      out,
      /^ACT {2}yellow, static, stay at home until 2026-11-17 09:00:00 UTC {2}\(CN-33 2026-11\/\d\)\n/,
    );
    assert.match(out, /\n {2}STATUS_YELLOW +The code is yellow/);
    assert.match(out, /issued by +CN-33, key [0-9a-f]{16}, leaf \d of log 2026-11/);
    assert.match(out, /of CN-33 +8 entries, 0 s old, last heard of 0 s ago, 2 of 2 witnesses \(1 needed\)/);
    const short = await cli.run('verify', ...cli.trust, world.codes.yellow);
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
    const { exit, out } = await cli.run('verify', ...cli.trust, '--file', cli.path('codes.txt'));
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
    const json = await cli.runWith(
      `${lines.join('\n')}\n${world.codes.green}`,
      'verify',
      ...cli.trust,
      '--json',
    );
    assert.deepEqual(
      json.out
        .trimEnd()
        .split('\n')
        .map((row) => (JSON.parse(row) as Told).outcome),
      ['pass', 'stop', 'stop', 'stop', 'stop', 'stop', 'pass'],
    );
    assert.equal(
      (await cli.runWith(`${world.codes.green}\n${world.codes.green}`, 'verify', ...cli.trust)).exit,
      0,
    );
    assert.match(
      (await cli.runWith(world.codes.green, 'verify', ...cli.trust, '-')).out,
      /^PASS /,
      'a single line is told in full',
    );
  });

  it('B8, B9: a space, a newline within and 5 MB are stopped, none is trimmed', async () => {
    for (const text of [` ${world.codes.green}`, `${world.codes.green}\n`, 'ENT1:' + 'A'.repeat(5_000_000)]) {
      assert.deepEqual((await cli.told(text)).outcome, 'stop');
    }
    const { out } = await cli.run('verify', ...cli.trust, '\u001b[31mENT1:A');
    assert.ok(!out.includes('\u001b'));
    const notText = await cli.runWith(Buffer.from([0xff, 0xfe, 0x0a]), 'verify', ...cli.trust, '-');
    assert.match(notText.out, /^STOP\n +MALFORMED .*fault CODE_UNKNOWN/);
  });

  it('grades: live, challenged, a copy a minute later, and a place that demands more', async () => {
    const text = (await cli.run('present', cli.path('phone.json'))).out.trimEnd();
    assert.deepEqual(
      [(await cli.told(text)).grade, (await cli.told(world.codes.device)).grade],
      ['live', 'static'],
    );
    const later = ['--at', String(cli.nowS + 90)];
    const copied = await cli.told(text, ...later);
    assert.deepEqual(
      [copied.outcome, copied.grade, codesOf(copied)[0]],
      ['pass', 'static', 'PRESENTATION_NOT_CURRENT'],
    );
    const demanding = await cli.told(text, ...later, '--place', 'grade=live,kind=hospital,risk=high');
    assert.deepEqual([demanding.outcome, codesOf(demanding).includes('GRADE_TOO_LOW')], ['act', true]);
    const challenge = '0011223344556677';
    const answer = (await cli.run('present', cli.path('phone.json'), '--challenge', challenge)).out.trimEnd();
    assert.equal((await cli.told(answer, '--challenge', challenge)).grade, 'challenged');
    assert.ok(codesOf(await cli.told(answer, '--challenge', 'ff'.repeat(8))).includes('CHALLENGE_MISMATCH'));
  });

  it('T10: a snapshot of two days ends with 4, and so do stricter places earlier', async () => {
    const stale = await cli.run(
      'verify',
      ...cli.trust,
      world.codes.green,
      '--at',
      String(cli.nowS + 2 * DAY_S),
    );
    assert.equal(stale.exit, 4);
    assert.match(stale.out, /^UNDETERMINED[^]*KNOWLEDGE_STALE .* \[DE, age 2 days, limit 24 h\]/);
    const inHours = ['--at', String(cli.nowS + 3 * 3_600)];
    assert.equal((await cli.told(world.codes.green, ...inHours)).outcome, 'pass');
    assert.equal(
      (await cli.told(world.codes.green, ...inHours, '--place', 'age=2h')).outcome,
      'undetermined',
    );
    assert.ok(
      codesOf(await cli.told(world.codes.green, ...inHours, '--place', 'silence=2h')).includes(
        'ISSUER_SILENT_TOO_LONG',
      ),
    );
  });

  it('--document matches the document that a paper code was made for, and no other', async () => {
    cli = copyWorld(world, folder());
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
    assert.deepEqual(codesOf(await cli.told(code, '--document', 'DE:c01 x00 t47')), ['DOCUMENT_MATCHED']);
    assert.ok(codesOf(await cli.told(code, '--document', 'DE:C01X00T48')).includes('DOCUMENT_MISMATCH'));
    assert.deepEqual(codesOf(await cli.told(world.codes.green, '--document', 'DE:C01X00T47')), [
      'IDENTITY_CHECK',
    ]);
  });

  for (const args of [
    [],
    ['--offline', 'de.snap'],
    ['--home', 'DE', '--pin', 'ab'.repeat(32)],
    ['--offline', '/nowhere', '--home', 'DE', '--pin', 'ab'.repeat(32)],
    ['--region', '/nowhere', '--offline', 'x'],
    ['--region', 'r', '--keep', 'x'],
    ['--file', '/nowhere'],
    ['--place', 'risk=none'],
    ['--place', 'grade=live,grade=static'],
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
});
