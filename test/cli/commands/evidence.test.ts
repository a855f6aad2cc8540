import assert from 'node:assert/strict';
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hexOf } from '../../../protocol/bytes.ts';
import { parseCode } from '../../../protocol/code/code.ts';
import { encodeEvidence, parseEvidence } from '../../../protocol/evidence/evidence.ts';
import { encodeStatement, signStatement } from '../../../protocol/trust/statement.ts';
import { openKeyFile } from '../../../node/region/key-file.ts';
import { LevelDisk } from '../../../node/store/level-disk.ts';
import { sealValue } from '../../../node/store/sealed.ts';
import { type FixtureKey, issueCode, keyNamed } from '../../support/code-fixture.ts';
import { TestCli } from '../../support/cli.ts';
import { makeWorld, type World } from '../../support/cli-world.ts';
import * as proofs from '../../support/evidence-fixture.ts';
import { Forger } from '../../support/forger.ts';
import { sha256 } from '../../support/primitives.ts';
import { Clock, inRegion } from '../../support/regions.ts';
import { temporaryFolders } from '../../support/temporary.ts';

interface Checked {
  readonly outcome: string;
  readonly region?: string;
  readonly fault?: { readonly code: string };
}

interface Told {
  readonly evidence?: readonly object[];
  readonly files?: readonly string[];
  readonly unread: readonly { readonly name: string; readonly code: string }[];
}

describe('entente evidence', () => {
  const folder = temporaryFolders();
  const { modules } = new Clock();
  let world: World;
  let cli: TestCli;
  let forger: Forger;
  /** CN-33 signed two trees. */
  let file: string;

  before(async () => {
    world = await makeWorld(folder());
    cli = new TestCli(world.dir);
    forger = await Forger.of(cli.path('CN-33'), modules);
    file = cli.path('fork.evidence');
    writeFileSync(file, encodeEvidence(forger.evidence()));
  });

  const check = async (path: string, ...args: readonly string[]) => {
    const { exit, out, err } = await cli.run('evidence', 'verify', path, ...args, '--json');
    return { exit, err, ...(out === '' ? {} : (JSON.parse(out) as Checked[])[0]) };
  };

  it('verify: 0 for what is proven to who knows the root, by a region or a fingerprint', async () => {
    for (const by of [
      ['--region', cli.path('DE')],
      ['--region', cli.path('CN-33')],
      ['--fingerprint', world.pins['CN-33'] ?? ''],
    ]) {
      const { exit, outcome, region } = await check(file, ...by);
      assert.deepEqual([exit, outcome, region], [0, 'proven', 'CN-33']);
    }
    const { out } = await cli.run('evidence', 'verify', file, '--region', cli.path('DE'));
    assert.match(
      out,
      /proven: CN-33 signed two trees, which differ within \d+ entries, of CN-33\.demo\/trust/,
    );
  });

  it('verify: 5 for what is not, and the worst of several files decides', async () => {
    const { sides, size } = forger.fork();
    const bytes = readFileSync(file);
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    const attempts: [name: string, bytes: Uint8Array, code: string][] = [
      [
        'A27 one checkpoint twice',
        encodeEvidence(forger.evidence({ size, sides: [sides[0], sides[0]] })),
        'EVIDENCE_UNFOUNDED',
      ],
      [
        'A27 swapped roots',
        encodeEvidence(forger.evidence({ size, sides: [{ ...sides[0], root: sides[1].root }, sides[1]] })),
        'PROOF_INVALID',
      ],
      ['a byte too many', Buffer.concat([readFileSync(file), Buffer.of(0)]), 'EVIDENCE_MALFORMED'],
      ['nothing', Buffer.of(), 'EVIDENCE_MALFORMED'],
    ];
    for (const [name, content, code] of attempts) {
      const path = cli.path('attempt.evidence');
      writeFileSync(path, content);
      const { exit, outcome, fault } = await check(path, '--region', cli.path('DE'));
      assert.deepEqual([exit, outcome, fault?.code], [5, 'refused', code], name);
    }
    const { exit, out } = await cli.run(
      'evidence',
      'verify',
      file,
      cli.path('attempt.evidence'),
      '--region',
      cli.path('DE'),
    );
    assert.equal(exit, 5);
    assert.match(out, /: proven: [^]*: proves nothing: EVIDENCE_MALFORMED/);
  });

  it('verify: looks at all files, whatever became of those before, and ends as the worst', async () => {
    const broken = cli.path('broken.evidence');
    writeFileSync(broken, Buffer.of(1));
    const by = ['--region', cli.path('DE')];
    const outcomes = async (...files: readonly string[]) => {
      const { exit, out } = await cli.run('evidence', 'verify', ...files, ...by, '--json');
      const checked = JSON.parse(out) as (Checked & { file: string })[];
      assert.deepEqual(
        checked.map((one) => one.file),
        files,
      );
      return [exit, checked.map(({ outcome }) => outcome).join()];
    };
    const none = cli.path('none.evidence');
    assert.deepEqual(await outcomes(file), [0, 'proven']);
    assert.deepEqual(await outcomes(none, file), [2, 'unread,proven']);
    assert.deepEqual(await outcomes(broken, none, file), [5, 'refused,unread,proven']);
    assert.deepEqual(await outcomes(file, none, broken), [5, 'proven,unread,refused']);
    assert.deepEqual(await outcomes(cli.path('DE'), file), [5, 'unread,proven'], 'a folder is no file');
    const { out } = await cli.run('evidence', 'verify', none, broken, file, ...by);
    assert.match(
      out,
      /none\.evidence: not checked: there is no file .*\n.*broken.*: proves nothing.*\n.*: proven: /,
    );
  });

  it('T19 verify: 5 where the root is not one that the reader knows', async () => {
    const { exit, fault } = await check(file, '--fingerprint', world.pins['DE'] ?? '');
    assert.deepEqual([exit, fault?.code], [5, 'PIN_MISMATCH']);
  });

  it('A28 verify: refuses a file that is too long, unread', async () => {
    writeFileSync(cli.path('long.evidence'), Buffer.alloc(262_145));
    assert.equal((await check(cli.path('long.evidence'), '--region', cli.path('DE'))).exit, 5);
  });

  it('verify: 2 without a root to go by, and without the file', async () => {
    assert.equal((await check(file)).exit, 2);
    assert.equal((await check(cli.path('none'), '--region', cli.path('DE'))).exit, 2);
    assert.equal((await check(file, '--fingerprint', '00')).exit, 2);
    assert.equal((await cli.run('evidence', 'verify')).exit, 2);
  });

  it('verify: 4 once the root has given up the key, which may have been stolen', async () => {
    const dir = folder();
    cpSync(world.dir, dir, { recursive: true });
    const later = new TestCli(dir);
    const [keyId = ''] = readdirSync(later.path('CN-33', 'keys')).flatMap(
      (name) => /^checkpoint-(.*)\.json$/.exec(name)?.[1] ?? [],
    );
    const given = ['key', 'compromise', later.path('CN-33'), '--key', keyId];
    const { exit: done, err } = await later.run(...given);
    assert.equal(done, 0, err);
    for (const region of ['DE', 'FR']) await later.run('witness', later.path(region));
    const { exit, out } = await later.run('evidence', 'verify', file, '--region', later.path('CN-33'));
    assert.equal(exit, 4, out);
    assert.match(out, /may have been a thief/);
    assert.equal(
      (await later.run('evidence', 'verify', file, '--fingerprint', world.pins['CN-33'] ?? '')).exit,
      0,
    );
  });

  /** A code that CN-33 has signed for an index, whatever its log has there; or somebody else has. */
  async function codeAt(index: number, by?: FixtureKey) {
    const { keyId } = parseCode(sha256, world.codes.green).attestation;
    const names = { region: 'CN-33', network: 'demo' } as const;
    const signer = await openKeyFile(cli.path('CN-33', 'keys'), { ...names, role: 'attest', keyId }, modules);
    const key = { keyId, publicKey: signer.publicKey, sign: (message: Uint8Array) => signer.sign(message) };
    return issueCode({ ...names, key: by ?? key, index, issuedAtS: cli.nowS }).text;
  }

  it('T3 verify: 4 for words by keys that the log of the region does not name, as who stole a root names them', async () => {
    const names = { region: 'CN-33', network: 'demo' } as const;
    const keys = cli.path('CN-33', 'keys');
    const [keyId = ''] = readdirSync(keys).flatMap((name) => /^root-(.*)\.json$/.exec(name)?.[1] ?? []);
    const root = await openKeyFile(keys, { ...names, role: 'root', keyId }, modules);
    const stolen = keyNamed('stolen attest');
    const [from, until] = [cli.nowS - (cli.nowS % 86_400), cli.nowS - (cli.nowS % 86_400) + 30 * 86_400];
    const admitted = { key: stolen.publicKey, role: 'attest', from, until } as const;
    const naming = signStatement(
      forger.origin,
      encodeStatement({ kind: 'keys', at: cli.nowS, keys: [admitted] }),
      [{ keyId, sign: (message) => root.sign(message) }],
    );
    const [green, yellow] = [{ salting: 'one' }, { salting: 'other' }].map(
      (salted) => issueCode({ ...names, ...salted, key: stolen, index: 4, issuedAtS: cli.nowS }).attestation,
    );
    const path = cli.path('stolen.evidence');
    const grounds = [[forger.true.entries[0] ?? Buffer.of(), naming]];
    const attestations = [green ?? Buffer.of(), yellow ?? Buffer.of()] as [Uint8Array, Uint8Array];
    writeFileSync(path, encodeEvidence({ kind: 'index', grounds, attestations }));
    const alone = await check(path, '--fingerprint', world.pins['CN-33'] ?? '');
    assert.deepEqual([alone.exit, alone.outcome], [0, 'proven']);
    for (const region of ['DE', 'CN-33']) {
      const { exit, outcome } = await check(path, '--region', cli.path(region));
      assert.deepEqual([exit, outcome], [4, 'unnamed'], region);
    }
    const { out } = await cli.run('evidence', 'verify', path, '--region', cli.path('DE'));
    assert.match(out, /not proven: CN-33 [^]*names no such key/);
  });

  it('A13 verify: 4 for two trees that a witness cosigned, where nothing is known of the region of their log', async () => {
    const path = cli.path('cosignatures.evidence');
    writeFileSync(path, encodeEvidence(proofs.cosignatures()));
    const pins = Object.values(proofs.PINS).flatMap((pin) => ['--fingerprint', hexOf(pin)]);
    const { exit, outcome } = await check(path, ...pins);
    assert.deepEqual([exit, outcome], [4, 'unsettled']);
    const { out } = await cli.run('evidence', 'verify', path, ...pins);
    assert.match(out, /not proven: FR [^]*whether the root of DE has named a branch/);
  });

  it('A10 T1 code: 0 for one that its log has, 5 with evidence for another at its index, 4 for one that is not there yet', async () => {
    const log = ['--log', cli.path('CN-33', 'public')];
    const logged = await cli.run('evidence', 'code', world.codes.green, ...log);
    assert.equal(logged.exit, 0, logged.err);
    const to = cli.path('leaf.evidence');
    const swapped = await cli.run('evidence', 'code', await codeAt(1), ...log, '--to', to);
    assert.deepEqual([swapped.exit, swapped.err], [5, '']);
    const { exit, outcome, region } = await check(to, '--region', cli.path('DE'));
    assert.deepEqual([exit, outcome, region], [0, 'proven', 'CN-33']);
    assert.equal((await cli.run('evidence', 'code', await codeAt(999), ...log)).exit, 4);
    const forged = await cli.run('evidence', 'code', await codeAt(1, keyNamed('thief')), ...log, '--json');
    assert.equal(forged.exit, 5);
    assert.match(forged.err, /EVIDENCE_UNFOUNDED/);
    const elsewhere = await cli.run('evidence', 'code', world.codes.green, '--log', cli.path('DE'));
    assert.equal(elsewhere.exit, 2);
    assert.equal((await cli.run('evidence', 'code', 'ENT1:', ...log)).exit, 2);
  });

  it('list, export: what a node holds is what anybody can verify', async () => {
    const dir = folder();
    cpSync(world.dir, dir, { recursive: true });
    const other = new TestCli(dir);
    assert.match((await other.run('evidence', 'list', other.path('DE'))).out, /no evidence against anybody/);
    await inRegion(
      other.path('DE'),
      modules,
      async ({ node }) => {
        const keeper = node.keeper('CN-33');
        assert(keeper);
        await keeper.accuse(forger.fork());
      },
      { reading: true, withoutPeers: true },
    );
    const { evidence } = await other.json<{ evidence: { origin: string; name: string }[] }>(
      'evidence',
      'list',
      other.path('DE'),
    );
    assert.deepEqual(
      evidence.map(({ origin }) => origin),
      ['CN-33.demo/trust'],
    );
    const to = other.path('evidence');
    const { files } = await other.json<{ files: string[] }>(
      'evidence',
      'export',
      other.path('DE'),
      '--to',
      to,
    );
    assert.deepEqual(files, [join(to, `CN-33.demo-trust-${evidence[0]?.name.slice(0, 8)}.evidence`)]);
    assert.equal((await check(files[0] ?? '', '--region', cli.path('FR'))).exit, 0);
    const { grounds } = parseEvidence(readFileSync(files[0] ?? ''));
    assert.deepEqual(grounds.flat().map(hexOf), forger.evidence().grounds.flat().map(hexOf));
    const another = ['--region', 'CN-33', '--fingerprint', '5f'.repeat(32), '--new-root'];
    assert.equal((await other.run('recognise', other.path('DE'), ...another)).exit, 0);
    await other.run('witness', other.path('DE'));
    const listed = await other.run('evidence', 'list', other.path('DE'));
    assert.match(listed.out, /CN-33\.demo\/trust forked .*, under a root that is followed no more/);
    const left = await other.json<{ files: string[] }>(
      ...['evidence', 'export', other.path('DE'), '--to', other.path('left')],
    );
    assert.equal((await check(left.files[0] ?? '', '--fingerprint', world.pins['CN-33'] ?? '')).exit, 0);
  });

  it('list, export: evidence of another kind that a node was told of; tell: 4 where no node runs', async () => {
    const to = cli.path('swapped.evidence');
    await cli.run('evidence', 'code', await codeAt(1), '--log', cli.path('CN-33', 'public'), '--to', to);
    const dir = folder();
    cpSync(world.dir, dir, { recursive: true });
    const other = new TestCli(dir);
    const de = other.path('DE');
    const file = new Uint8Array(readFileSync(to));
    const take = () =>
      inRegion(de, modules, ({ node }) => node.accuse(file), { reading: true, withoutPeers: true });
    assert.deepEqual([await take(), await take()], [true, false]);
    const { evidence } = await other.json<{ evidence: object[] }>('evidence', 'list', de);
    const [{ kind, region, at } = {}] = evidence as { kind?: string; region?: string; at?: number }[];
    assert.deepEqual([evidence.length, kind, region, at], [1, 'leaf', 'CN-33', 1]);
    assert.match(
      (await other.run('evidence', 'list', de)).out,
      /CN-33 signed an attestation for index 1 where another leaf is, in the log CN-33\.demo\/attest/,
    );
    const { files } = await other.json<{ files: string[] }>(
      ...['evidence', 'export', de, '--to', other.path('told')],
    );
    assert.deepEqual(readFileSync(files[0] ?? ''), readFileSync(to));
    const told = await other.run('evidence', 'tell', de, to);
    assert.match(told.err, /PEER_UNREACHABLE/);
    assert.equal(told.exit, 4);
  });

  it('F4 list, export: 5 where something that is kept is damaged, or no evidence: it is named, and the rest is listed and written', async () => {
    const dir = folder();
    cpSync(world.dir, dir, { recursive: true });
    const other = new TestCli(dir);
    const de = other.path('DE');
    await inRegion(
      de,
      modules,
      async ({ node }) => {
        await node.keeper('CN-33')?.accuse(forger.fork());
      },
      { reading: true, withoutPeers: true },
    );
    const disk = new LevelDisk({ directory: join(de, 'store'), reserveBytes: 0 });
    await disk.open();
    const names = ['0a', '0b', '00', '01', '02', '03'].map((digits) => digits.repeat(16));
    const away = `~${'0c'.repeat(16)}~`;
    const unread = [`evidence/CN-33.demo/trust/${names[0]}`, `fork/CN-33.demo/trust/${names[1]}`];
    await disk.write(unread.map((key) => ({ put: key, value: sealValue(key, Uint8Array.of(1)) })));
    const damaged = [
      `fork/CN-33.demo/trust/${names[2]}`,
      `evidence/CN-33.demo/trust/${names[3]}`,
      `${away}evidence/FR.demo/trust/${names[4]}`,
      `${away}fork/FR.demo/trust/${names[5]}`,
    ];
    await disk.write(damaged.map((key) => ({ put: key, value: Uint8Array.of(1) })));
    await disk.close();
    const told = async (...args: readonly string[]) => {
      const { exit, out } = await other.run('evidence', ...args, '--json');
      const { evidence = [], files = [], unread } = JSON.parse(out) as Told;
      return [exit, evidence.length + files.length, unread.map(({ name, code }) => [name.slice(0, 2), code])];
    };
    const expected = [
      5,
      1,
      [
        ['00', 'VALUE_CORRUPT'],
        ['0b', 'DATA_INCONSISTENT'],
        ['03', 'VALUE_CORRUPT'],
        ['01', 'VALUE_CORRUPT'],
        ['0a', 'EVIDENCE_MALFORMED'],
        ['02', 'VALUE_CORRUPT'],
      ],
    ];
    assert.deepEqual(await told('list', de), expected);
    assert.deepEqual(await told('export', de, '--to', other.path('rest')), expected);
    const { exit, out } = await other.run('evidence', 'list', de);
    assert.equal(exit, 5);
    assert.match(
      out,
      /CN-33\.demo\/trust forked [^]*0a0a0a.* is no evidence by this version: EVIDENCE_MALFORMED/,
    );
    assert.match(out, /0101.* cannot be read: VALUE_CORRUPT: /);
    assert.match(out, /Look at it with the version that kept it\.\n.*have the disk looked at/);
  });

  it('list: 2 where there is nothing', async () => {
    assert.equal((await cli.run('evidence', 'list', cli.path('none'))).exit, 2);
  });
});
