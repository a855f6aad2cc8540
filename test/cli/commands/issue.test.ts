import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { inflateSync } from 'node:zlib';
import { hexBytes, hexOf } from '../../../protocol/bytes.ts';
import { parseCode } from '../../../protocol/code/code.ts';
import { documentHash } from '../../../protocol/code/document.ts';
import { scrypt } from '../../../node/crypto/scrypt.ts';
import { type LogReceipt } from '../../../node/trust/log-receipt.ts';
import { readNote } from '../../../protocol/log/checkpoint.ts';
import { leafHash, verifyInclusion } from '../../../protocol/log/merkle.ts';
import { parseLogProof } from '../../../protocol/log/tlog-proof.ts';
import { type IssueRequest } from '../../../node/issuing/issuer.ts';
import { opensslBackEnd } from '../../../node/crypto/openssl.ts';
import { TestCli } from '../../support/cli.ts';
import { Clock, DAY_S, inRegion, requests, START_S } from '../../support/regions.ts';
import { sha256 } from '../../support/primitives.ts';
import { temporaryFolders } from '../../support/temporary.ts';

/** The end of the hour at START_S. */
const HOUR_END_S = START_S - (START_S % 3_600) + 3_600;

describe('entente issue', () => {
  const folder = temporaryFolders();
  let cli: TestCli;
  let region: string;
  before(async () => {
    cli = new TestCli(folder());
    region = cli.path('DE');
    await cli.json('init', 'DE', '--dir', region);
  });
  let files = 0;
  const file = (content: string | Uint8Array, ending = '.csv') => {
    const path = cli.path(`${files++}${ending}`);
    writeFileSync(path, content);
    return path;
  };
  const one = (...args: readonly string[]) => cli.run('issue', region, '--subject', 'Person 1', ...args);
  const logSize = () =>
    existsSync(cli.path('DE/public/attest'))
      ? readFileSync(cli.path('DE/public/attest/2026-11/checkpoint'), 'utf8').split('\n')[1]
      : '0';

  it('prints the code of one person, and nothing else', async () => {
    const { exit, out } = await one('--colour', 'green');
    assert.equal(exit, 0);
    assert.match(out, /^ENT1:[^\n]+\n$/);
    const { status, holderKey, document } = parseCode(sha256, out.trimEnd());
    assert.deepEqual(
      [status.colour, status.expiresAtS, status.untilS],
      ['green', HOUR_END_S + 7 * DAY_S, undefined],
    );
    assert.deepEqual([status.ruleId, holderKey, document], ['manual', undefined, undefined]);
  });

  it('gives a receipt with the proof that it is logged; log receipt gives it later, and none for what is not', async () => {
    const issued = await cli.json<{ log: string; index: number; code: string; receipt: LogReceipt }>(
      ...['issue', region, '--subject', 'Person 1', '--colour', 'green'],
    );
    const { log, index, code, receipt } = issued;
    const { attestation } = parseCode(sha256, code);
    const out = cli.path('receipts/one.tlog-proof');
    const asked = ['log', 'receipt', region, '--log', log, '--index', String(index), '--out', out];
    const told = await cli.json<LogReceipt>(...asked);
    assert.equal(readFileSync(out, 'utf8'), told.proof);
    for (const { sequenced, proof = '' } of [receipt, told]) {
      assert.equal(sequenced.origin, `DE.demo/attest/${log}`);
      const { index: place, path, checkpoint } = parseLogProof(Buffer.from(proof));
      assert.equal(place, index);
      const { size, root } = readNote(checkpoint).checkpoint;
      verifyInclusion(sha256, { index, size, leafHash: leafHash(sha256, attestation.bytes), path, root });
    }
    const again = await cli.run(...asked);
    assert.equal(again.exit, 2);
    assert.match(again.err, /exists already/);
    const none = await cli.run('log', 'receipt', region, '--log', log, '--index', String(index + 1));
    assert.equal(none.exit, 1);
    assert.match(none.err, /has no signed entry/);
  });

  it('gives each colour its measure and its days', async () => {
    for (const [colour, days, measure, args] of [
      ['yellow', 7, 'home', []],
      ['red', 14, 'isolate', []],
      ['yellow', 30, 'home', ['--days', '30']],
      ['green', 1, 'none', ['--days', '1']],
    ] as const) {
      const { status } = parseCode(sha256, (await one('--colour', colour, ...args)).out.trimEnd());
      assert.deepEqual([status.measure, status.expiresAtS], [measure, HOUR_END_S + days * DAY_S]);
      assert.equal(status.untilS, measure === 'none' ? undefined : status.expiresAtS);
    }
  });

  it('--device makes a key of its own, 0600, whose public half the code opens', async () => {
    const path = cli.path('phone.json');
    const { out, err } = await one('--colour', 'green', '--device', path);
    assert.match(err, /The key of the device is in .*phone\.json/);
    assert.equal(statSync(path).mode & 0o777, 0o600);
    const device = JSON.parse(readFileSync(path, 'utf8')) as { secretKey: string; code: string };
    assert.equal(device.code, out.trimEnd());
    const { holderKey } = parseCode(sha256, device.code);
    assert.deepEqual(holderKey, opensslBackEnd.signerOf(hexBytes(device.secretKey)).publicKey);
    assert.equal((await one('--colour', 'green', '--device', path)).exit, 2, 'does not overwrite a device');
  });

  it('--paper binds the code to a document, however it is written', async () => {
    const { out } = await one(
      '--colour',
      'green',
      '--paper',
      '--document-country',
      'DE',
      '--document-number',
      'c01-x00 t47',
    );
    const { document } = parseCode(sha256, out.trimEnd());
    assert.ok(document);
    assert.deepEqual(
      document.hash,
      documentHash(scrypt, { country: 'DE', number: 'C01X00T47' }, document.salt),
    );
  });

  for (const [what, args] of [
    ['no colour', []],
    ['an unknown colour', ['--colour', 'blue']],
    ['31 days', ['--colour', 'green', '--days', '31']],
    ['--paper without a document', ['--colour', 'green', '--paper']],
    [
      'a document without --paper',
      ['--colour', 'green', '--document-country', 'DE', '--document-number', '1234'],
    ],
    ['half a document', ['--colour', 'green', '--paper', '--document-country', 'DE']],
    ['a file for codes in no folder', ['--colour', 'green', '--out', '/nowhere/codes.csv']],
    ['a device in no folder', ['--colour', 'green', '--device', '/nowhere/phone.json']],
    ['a device below a file', ['--colour', 'green', '--device', '/dev/null/phone.json']],
  ] as const) {
    it(`ends with 2 and issues nothing: ${what}`, async () => {
      const before = logSize();
      assert.equal((await one(...args)).exit, 2);
      assert.equal(logSize(), before);
    });
  }

  it('issues a file of people, with progress on stderr, into a private file', async () => {
    const people = file(
      `subject,colour,device\n${Array.from({ length: 600 }, (_, i) => `P${i},green,${i === 5 ? 'ab'.repeat(32) : ''}\n`).join('')}`,
    );
    const out = cli.path('codes.csv');
    const outcome = await cli.run('issue', region, people, '--out', out);
    assert.equal(outcome.exit, 0);
    assert.match(outcome.out, /Issued 600 codes into log 2026-11, leaves \d+ to \d+; codes in /);
    assert.match(outcome.err, /signed 256 of 600\n[^]*signed 600 of 600\n/);
    assert.equal(statSync(out).mode & 0o777, 0o600);
    const rows = readFileSync(out, 'utf8').trimEnd().split('\n');
    assert.equal(rows[0], 'subject,log,index,code');
    rows.slice(1).forEach((row, i) => {
      const [subject, log, index, code] = row.split(',');
      const { attestation, holderKey } = parseCode(sha256, code ?? '');
      assert.deepEqual([subject, log, index], [`P${i}`, attestation.log, String(attestation.index)]);
      assert.equal(holderKey && hexOf(holderKey), i === 5 ? 'ab'.repeat(32) : undefined);
    });
    assert.equal((await cli.run('issue', region, people, '--out', out)).exit, 2, 'does not overwrite codes');
  });

  it('takes JSON lines and stdin, and prints JSON lines with --json', async () => {
    const people = file(
      '{"subject":"=A1","colour":"green"}\n{"subject":"B,\\"b\\"","colour":"red","days":3}\n',
      '.jsonl',
    );
    const csv = (await cli.run('issue', region, people)).out.split('\n');
    assert.match(csv[1] ?? '', /^'=A1,2026-11,/, 'B69: a formula is harmless in a spreadsheet');
    assert.match(csv[2] ?? '', /^"B,""b""",2026-11,/);
    const { out } = await cli.runWith('subject,colour\nC,green\nD,green\n', 'issue', region, '-', '--json');
    assert.deepEqual(
      out
        .trimEnd()
        .split('\n')
        .map((line) => (JSON.parse(line) as { subject: string }).subject),
      ['C', 'D'],
    );
  });

  it('B69: one bad row of many: nothing is issued, and every fault is told with its place', async () => {
    const before = logSize();
    const people = file(`subject,colour,days\n${'P,green,7\n'.replace('P', 'A')}B,blue,7\nC,green,40\n`);
    const { exit, out, err } = await cli.run('issue', region, people, '--out', cli.path('none.csv'));
    assert.equal(exit, 1);
    assert.equal(out, '');
    assert.match(
      err,
      /nothing was issued:\n {2}line 3, colour: is none of green, yellow, red, expected as in green\n {2}line 4, days: /,
    );
    assert.equal(logSize(), before);
    assert.ok(!existsSync(cli.path('none.csv')));
    const { err: json } = await cli.run('issue', region, people, '--json');
    const { error } = JSON.parse(json) as { error: { details: { line: number; column: string }[] } };
    assert.deepEqual(
      error.details.map(({ line, column }) => [line, column]),
      [
        [3, 'colour'],
        [4, 'days'],
      ],
    );
  });

  for (const [what, content] of [
    ['an empty file', ''],
    ['a header alone', 'subject,colour\n'],
    ['a missing column', 'subject\nA\n'],
    ['an unclosed quote', 'subject,colour\n"A,green\n'],
    ['the same person twice', 'subject,colour\nA,green\nA,red\n'],
    ['UTF-16', Buffer.from('\ufeffsubject,colour\nA,green\n', 'utf16le')],
  ] as const) {
    it(`B69: ${what} ends with 1 and issues nothing`, async () => {
      const before = logSize();
      assert.equal((await cli.run('issue', region, file(content))).exit, 1);
      assert.equal(logSize(), before);
    });
  }

  it('refuses a file that is not there and flags that a file makes meaningless', async () => {
    assert.equal((await cli.run('issue', region, '/nowhere.csv')).exit, 2);
    assert.equal(
      (await cli.run('issue', region, file('subject,colour\nA,green\n'), '--colour', 'red')).exit,
      2,
    );
  });

  it('F1: after a run that broke off, finishes its batch and issues nothing else, so that nobody gets two codes', async () => {
    await one('--colour', 'green');
    // A process that dies between the log and the hand-over leaves this behind.
    const clock = new Clock();
    await inRegion(region, clock.modules, async ({ node }) => {
      const [request] = requests(1, clock.nowS);
      await node.issueAll([{ ...(request as IssueRequest), toHandOver: true }]);
    });
    const before = logSize();
    assert.match((await cli.run('state', region)).err, /was finished: 1 code in log 2026-11/);
    const { exit, err } = await one('--colour', 'green');
    assert.equal(exit, 1);
    assert.match(
      err,
      /was finished: 1 code in log 2026-11, leaves (\d+) to \1\. To have them: entente codes /,
    );
    assert.match(err, /\[RECOVERED\]\n/);
    assert.equal(logSize(), before);
    assert.equal((await one('--colour', 'green')).exit, 0);
    assert.equal(Number(logSize()), Number(before) + 1);
  });

  it('codes makes codes again, by person or log', async () => {
    const { out } = await cli.run('issue', region, '--subject', 'Somebody', '--colour', 'green');
    const again = await cli.run('codes', region, '--subject', 'Somebody');
    assert.equal(again.out.split('\n')[1]?.split(',')[3], out.trimEnd());
    assert.equal((await cli.run('codes', region, '--subject', 'Nobody')).exit, 1);
    assert.equal((await cli.run('codes', region, '--log', '2026-12')).exit, 1);
  });
});

describe('entente show and present', () => {
  const folder = temporaryFolders();
  let cli: TestCli;
  let code: string;
  before(async () => {
    cli = new TestCli(folder());
    await cli.json('init', 'DE', '--dir', cli.path('DE'));
    code = (
      await cli.json<{ code: string }>(
        'issue',
        cli.path('DE'),
        '--subject',
        'A',
        '--colour',
        'green',
        '--device',
        cli.path('phone.json'),
      )
    ).code;
  });

  it('show draws on the terminal, from an argument or from stdin', async () => {
    const { exit, out } = await cli.run('show', code);
    assert.equal(exit, 0);
    const lines = out.trimEnd().split('\n');
    assert.ok(
      lines.length > 30 && lines.every((line) => line.length === lines[0]?.length && line.length <= 80),
    );
    assert.equal((await cli.runWith(`${code}\n`, 'show', '-')).out, out);
    assert.deepEqual(JSON.parse((await cli.run('show', code, '--json')).out), { text: code, written: [] });
  });

  it('show writes pictures', async () => {
    const { out } = await cli.run('show', code, '--png', cli.path('a.png'), '--svg', cli.path('a.svg'));
    assert.match(out, /wrote .*a\.png\nwrote .*a\.svg\n/);
    const png = readFileSync(cli.path('a.png'));
    assert.equal(png.toString('latin1', 1, 4), 'PNG');
    inflateSync(png.subarray(41, 41 + png.readUInt32BE(33)));
    assert.match(readFileSync(cli.path('a.svg'), 'utf8'), /^<svg /);
  });

  for (const text of ['', 'ent1:abc', 'ENT1:é', 'ENT1:\u001b[31m', 'A'.repeat(4_297)]) {
    it(`show refuses what no code can hold: ${JSON.stringify(text.slice(0, 12))}`, async () => {
      assert.equal((await cli.run('show', text)).exit, 2);
    });
  }

  it('show refuses empty stdin', async () => {
    assert.equal((await cli.runWith('', 'show', '-')).exit, 2);
  });

  it('present signs for the present half minute, with the challenge given', async () => {
    const plain = parseCode(sha256, (await cli.run('present', cli.path('phone.json'))).out.trimEnd());
    assert.equal(plain.presentation?.step, Math.floor(START_S / 30));
    assert.equal(plain.presentation.challenge.length, 0);
    const challenged = await cli.run(
      'present',
      cli.path('phone.json'),
      '--challenge',
      '00112233445566FF',
      '--at',
      '1970-01-01T00:01:00Z',
    );
    const { presentation } = parseCode(sha256, challenged.out.trimEnd());
    assert.deepEqual(
      [presentation?.step, hexOf(presentation?.challenge ?? new Uint8Array())],
      [2, '00112233445566ff'],
    );
  });

  it('present refuses challenges of 7 or 33 bytes and files that are none of a device', async () => {
    for (const challenge of ['00'.repeat(7), '00'.repeat(33), 'xyz', '']) {
      assert.equal((await cli.run('present', cli.path('phone.json'), '--challenge', challenge)).exit, 2);
    }
    assert.equal((await cli.run('present', '/nowhere.json')).exit, 2);
    const text = readFileSync(cli.path('phone.json'), 'utf8');
    for (const [name, content, mode] of [
      ['cut.json', text.slice(0, 50), 0o600],
      ['other.json', text.replace('secretKey', 'secret'), 0o600],
      ['open.json', text, 0o644],
    ] as const) {
      writeFileSync(cli.path(name), content, { mode });
      const { exit, err } = await cli.run('present', cli.path(name));
      assert.equal(exit, 1);
      assert.doesNotMatch(
        err,
        new RegExp((JSON.parse(text) as { secretKey: string }).secretKey.slice(0, 16)),
      );
      if (name === 'open.json') assert.match(err, /Run: chmod 600 /);
    }
  });
});
