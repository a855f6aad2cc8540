import assert from 'node:assert/strict';
import { cpSync, rmSync, writeFileSync } from 'node:fs';
import { TestCli } from '../../support/cli.ts';
import { codesOf, type Told } from '../../support/cli-world.ts';
import {
  JSON_PROFILE,
  LOCAL_CLAIMS,
  LOCAL_SIGNER,
  localJwk,
  mapped,
  OTHER_SIGNER,
  signedJson,
} from '../../support/local-fixture.ts';
import { temporaryFolders } from '../../support/temporary.ts';

const NOW_S = 1_795_436_400;
const TIMES = { iat: NOW_S - 86_400, exp: NOW_S + 86_400 };
const codeOf = (more: object = {}, signer = LOCAL_SIGNER) =>
  signedJson({ payload: JSON.stringify({ ...LOCAL_CLAIMS, ...TIMES, ...more }), signer });

interface Told2 extends Told {
  readonly reasons: readonly { readonly code: string; readonly outcome: string }[];
  readonly foreign?: { readonly region?: string; readonly adapter?: string; readonly subject?: string };
}

describe('entente adapter, with a format of its own', function () {
  this.timeout(120_000);
  const folder = temporaryFolders();
  const pins: Record<string, string> = {};
  let cli: TestCli;
  const file = (name: string, value: unknown) => {
    writeFileSync(cli.path(name), typeof value === 'string' ? value : JSON.stringify(value));
    return cli.path(name);
  };
  const good = () => ({
    profile: file('pass.json', JSON_PROFILE),
    keys: file('keys.json', { keys: [localJwk()] }),
  });
  const check = (...more: readonly string[]) => {
    const { profile, keys } = good();
    return cli.run('adapter', 'check', profile, '--keys', keys, ...more);
  };
  const announce = ({ profile, keys } = good(), ...more: readonly string[]) =>
    cli.run(
      ...['adapter', 'announce', cli.path('AT'), 'pass', '--profile', profile, '--keys', keys],
      ...['--rules', 'local', ...more],
    );
  const verdict = (text: string, region = 'DE') =>
    cli.json<Told2>('verify', '--region', cli.path(region), text);

  before(async () => {
    cli = new TestCli(folder());
    cli.nowS = NOW_S;
    for (const region of ['AT', 'DE', 'FR']) {
      const dir = cli.path(region);
      pins[region] = (await cli.json<{ fingerprint: string }>('init', region, '--dir', dir)).fingerprint;
    }
    await cli.json('rules', 'activate', cli.path('AT'), 'local');
  });

  it('check says what a profile makes of examples, and announces nothing', async () => {
    const { exit, out } = await check(codeOf());
    assert.equal(exit, 0, out);
    assert.match(
      out,
      /^1: good, green\n[^]*subject +B\. EXAMPLE\n[^]*1 code read, signed and given a colour, 0 not\./,
    );
    assert.match((await check()).out, /^The profile can be announced, with 1 key\./);
    const { adapters } = await cli.json<{ adapters: object[] }>('adapter', 'show', cli.path('AT'));
    assert.deepEqual(adapters, []);
  });

  for (const [name, text, reason] of [
    ['T1 another signature', codeOf({}, OTHER_SIGNER), /SIGNATURE_INVALID/],
    ['another beginning', 'ZZ:{}', /does not begin as codes of the profile do/],
    ['B64 a name twice', codeOf().replace('"st"', '"id":1,"st"'), /JSON_MALFORMED/],
    ['a code that is over', codeOf({ exp: NOW_S }), /EXPIRED/],
    ['a status without a colour', codeOf({ st: 'X' }), /its status is none that the profile gives a colour/],
  ] as const)
    it(`check names what is wrong with ${name}, line by line, and fails`, async () => {
      const { exit, out } = await check('--file', file('codes.txt', `${codeOf()}\n${text}\n`));
      assert.equal(exit, 3, out);
      assert.match(out, /^1: good, green/);
      assert.match(out, new RegExp(`\n2: .*${reason.source}`));
      assert.match(out, /1 code read, signed and given a colour, 1 not\./);
    });

  for (const [name, change, message] of [
    ['a profile that is no JSON', { profile: '{' }, /no JSON object.*PROFILE_INVALID/],
    [
      'B64 a profile with a name twice',
      { profile: '{"container":"jws","container":"cose"}' },
      /has a name twice/,
    ],
    ['B39 HMAC', { profile: { ...JSON_PROFILE, algorithms: ['HS256'] } }, /algorithms\.0.*PROFILE_INVALID/],
    [
      'a beginning of other codes',
      { profile: { ...JSON_PROFILE, prefix: 'HC1:' } },
      /prefix: expected printable ASCII/,
    ],
    ['a secret key', { keys: { keys: [localJwk(LOCAL_SIGNER, { d: 'AAAA' })] } }, /secret part.*KEY_INVALID/],
    [
      'B35 a key of small order',
      { keys: { keys: [localJwk(LOCAL_SIGNER, { x: 'A'.repeat(43) })] } },
      /no key that can be announced/,
    ],
    [
      'a key without a name',
      { keys: { keys: [localJwk(LOCAL_SIGNER, { kid: undefined })] } },
      /no key that can be announced/,
    ],
    ['keys that are no set', { keys: [localJwk()] }, /expected a JWK set/],
    ['keys that are not there', { keys: undefined }, /there is no file/],
  ] as const)
    it(`announce refuses ${name}, and logs nothing`, async () => {
      const { profile, keys } = good();
      const bad = change as { profile?: unknown; keys?: unknown };
      const { exit, err } = await announce({
        profile: 'profile' in bad ? file('bad-profile.json', bad.profile) : profile,
        keys: !('keys' in bad)
          ? keys
          : bad.keys === undefined
            ? cli.path('nowhere')
            : file('bad-keys.json', bad.keys),
      });
      assert.notEqual(exit, 0);
      assert.match(err, message);
      const { adapters } = await cli.json<{ adapters: object[] }>('adapter', 'show', cli.path('AT'));
      assert.deepEqual(adapters, []);
    });

  it('inspect shows what a code says by a profile, and judges nothing', async () => {
    const { profile } = good();
    const forged = codeOf({ st: 'R' }, OTHER_SIGNER);
    const { out } = await cli.run('inspect', forged, '--profile', profile);
    assert.match(
      out,
      /^what: local code\n[^]*issuedAtS: \d+ [^]*says:\n +colour: red\n[^]*subject: B\. EXAMPLE/,
    );
    const [path, code] = [file('code.txt', `${forged}\n`), codeOf()];
    assert.match((await cli.run('inspect', path, '--profile', profile)).out, /colour: red/);
    assert.match((await cli.runWith(`${code}\n`, 'inspect', '-', '--profile', profile)).out, /colour: green/);
    for (const [args, message] of [
      [['ZZ:{}', '--profile', profile], /does not begin as codes of the profile do/],
      [['ZZJ:{}', '--profile', profile], /this is not the text of a code/],
      [[code, '--profile', cli.path('nowhere')], /there is no file/],
      [[code, '--region', cli.path('AT')], /AT announces no format of its own/],
      [[code, '--profile', profile, '--region', cli.path('AT')], /leave one out/],
    ] as const) {
      const { exit, err } = await cli.run('inspect', ...args);
      assert.equal(exit, 2, err);
      assert.match(err, message);
    }
  });

  it('announces it, and gates of whoever recognises the region take the code as it is', async () => {
    const { exit, out, err } = await announce();
    assert.equal(exit, 0, err);
    assert.match(out, /^AT announces 1 key of local as pass until /);
    const shown = await cli.run('adapter', 'show', cli.path('AT'));
    assert.match(shown.out, /format +local\n +begins with +ZZJ:\n +container +json, EdDSA or ES256\n/);
    assert.match(
      (await cli.run('inspect', codeOf(), '--region', cli.path('AT'))).out,
      /colour: green[^]*readAs:\n +prefix: ZZJ:/,
    );
    assert.equal((await verdict(codeOf())).outcome, 'stop', 'T5 not recognised yet');
    await cli.json('recognise', cli.path('DE'), cli.path('AT'), '--way', 'adapter');
    await cli.json('recognise', cli.path('FR'), cli.path('DE'));
    await cli.json('recognise', cli.path('DE'), cli.path('FR'));
    for (const region of ['DE', 'FR']) await cli.json('witness', cli.path(region));
    const { outcome, colour, foreign } = await verdict(codeOf());
    assert.deepEqual(
      [outcome, colour, foreign?.region, foreign?.subject],
      ['pass', 'green', 'AT', 'B. EXAMPLE'],
    );
    assert.ok(codesOf(await verdict(codeOf({ st: 'R' }))).includes('STATUS_RED'));
    assert.ok(codesOf(await verdict(codeOf({}, OTHER_SIGNER))).includes('SIGNATURE_INVALID'), 'T1');
    assert.equal(
      (await verdict(codeOf(), 'FR')).outcome,
      'stop',
      'T5 what DE recognises is not recognised by FR',
    );
    const told = await cli.run('verify', '--region', cli.path('DE'), '--explain', codeOf());
    assert.match(told.out, /recognised by +adapter pass of AT[^]*names as holder +B\. EXAMPLE/);
  });

  it('judges by a snapshot without any network', async () => {
    await cli.json('snapshot', 'make', cli.path('DE'), '--out', cli.path('de.snap'));
    const trust = ['--offline', cli.path('de.snap'), '--home', 'DE', '--pin', pins['DE'] ?? ''];
    assert.equal((await cli.json<Told2>('verify', ...trust, codeOf())).outcome, 'pass');
    assert.ok(
      codesOf(await cli.json<Told2>('verify', ...trust, codeOf({}, OTHER_SIGNER))).includes(
        'SIGNATURE_INVALID',
      ),
    );
  });

  it('says of codes and numbers of a region whose recognition is withdrawn why they count no more', async () => {
    const { dir } = cli;
    const withdrawn = new TestCli(folder());
    cpSync(dir, withdrawn.dir, { recursive: true });
    withdrawn.nowS = cli.nowS;
    const reasons = async (text: string) => {
      const { outcome, reasons } = await withdrawn.json<Told2>(
        ...['verify', '--region', withdrawn.path('DE'), text],
      );
      return [outcome, ...reasons.filter((one) => one.outcome !== 'note').map(({ code }) => code)].join(' ');
    };
    await withdrawn.json('lookup', 'announce', withdrawn.path('AT'), 'numbers', '--prefix', 'AT-');
    await withdrawn.json('witness', withdrawn.path('DE'), withdrawn.path('AT'));
    assert.equal(await reasons('AT-1'), 'undetermined NUMBER_NEEDS_NODE');
    await withdrawn.json('withdraw', withdrawn.path('DE'), 'AT');
    await withdrawn.json('witness', withdrawn.path('FR'), withdrawn.path('DE'));
    for (const text of [codeOf(), 'AT-1'])
      assert.equal(await reasons(text), 'stop RECOGNITION_WITHDRAWN', text);
    assert.equal(await reasons('BE-1'), 'stop MALFORMED');
    rmSync(withdrawn.path('AT'), { recursive: true });
    assert.equal(await reasons(codeOf()), 'stop RECOGNITION_WITHDRAWN', 'by the copy that is kept');
    rmSync(withdrawn.path('DE', 'public', 'copies'), { recursive: true, force: true });
    assert.equal(await reasons(codeOf()), 'stop MALFORMED', 'where nothing is left of it');
  });

  it('bridges it through a platform that recognises the region so', async () => {
    const { out, err } = await cli.run('bridge', cli.path('DE'), codeOf(), '--json');
    assert.match(out, /"subject":"AT\/[0-9a-f]{32}"/, err);
  });

  it('revoke stops all codes of the identifier, and refuses one that nobody here signed', async () => {
    const revoke = (text: string) => cli.run('adapter', 'revoke', cli.path('AT'), text);
    assert.match((await revoke(codeOf({}, OTHER_SIGNER))).err, /NOT_ISSUED_HERE/);
    assert.match((await revoke(codeOf())).out, /^AT has revoked codes of others by 1 name/);
    await cli.json('witness', cli.path('DE'), cli.path('AT'));
    assert.ok(codesOf(await verdict(codeOf({ exp: NOW_S + 90_000 }))).includes('REVOKED'));
    assert.equal((await verdict(codeOf({ id: 'ZZ-2026-000018-q7x3' }))).outcome, 'pass');
  });

  it('revoke names a code by all that it is by the profiles of the region', async () => {
    const { keys } = good();
    const profile = file('by-name.json', mapped(JSON_PROFILE, { id: ['nm'] }));
    const more = ['adapter', 'announce', cli.path('AT'), 'by-name', '--profile', profile, '--keys', keys];
    assert.equal((await cli.run(...more, '--rules', 'local')).exit, 0);
    const text = codeOf({ id: 'ZZ-2026-000019-q7x4', nm: 'C. EXAMPLE' });
    const { out } = await cli.run('adapter', 'revoke', cli.path('AT'), text);
    assert.match(out, /^AT has revoked codes of others by 2 names/);
  });

  it('announce refuses a fifth profile of one beginning, which no verifier would try, and logs nothing', async () => {
    const { keys } = good();
    const more = (id: string, change: object) => {
      const profile = file(`${id}.json`, {
        ...mapped(JSON_PROFILE, { expiresAt: undefined, life: 3_600 }),
        ...change,
      });
      const named = ['adapter', 'announce', cli.path('AT'), id, '--profile', profile, '--keys', keys];
      return cli.run(...named, '--rules', 'local');
    };
    const lives = (life: number) => mapped(JSON_PROFILE, { expiresAt: undefined, life });
    for (const [id, life] of [
      ['third', 60],
      ['fourth', 61],
    ] as const)
      assert.equal((await more(id, lives(life))).exit, 0);
    const { exit, err } = await more('fifth', lives(62));
    assert.equal(exit, 1);
    assert.match(
      err,
      /announces 4 other profiles of this beginning already \(.*pass.*\), and verifiers try 4/,
    );
    assert.equal((await cli.run('adapter', 'show', cli.path('AT'), 'fifth')).exit, 1);
    assert.equal((await more('fourth', lives(62))).exit, 0, 'in the place of another');
    assert.equal((await more('again', lives(60))).exit, 0, 'the same profile with other keys');
    assert.equal((await more('fifth', { prefix: 'ZZK:' })).exit, 0, 'with another beginning');
  });

  it('a key that is taken back stops what was bridged for its codes', async () => {
    const text = codeOf({ id: 'ZZ-2026-000018-q7x3' });
    const { code } = await cli.json<{ code: string }>('bridge', cli.path('DE'), text);
    await cli.json('witness', cli.path('DE'), cli.path('FR'));
    assert.equal((await verdict(code)).outcome, 'pass');
    for (const id of ['pass', 'by-name', 'third', 'fourth', 'fifth', 'again'])
      await cli.json('adapter', 'withdraw', cli.path('AT'), id);
    await cli.json('witness', cli.path('DE'), cli.path('AT'));
    const first = await verdict(code);
    assert.equal(first.outcome, 'undetermined');
    assert.ok(codesOf(first).includes('KEY_NOT_YET_KNOWN'));
    // The hour of the bridged code is over.
    cli.nowS += 3_600;
    await cli.json('witness', cli.path('DE'), cli.path('AT'));
    await cli.json('witness', cli.path('DE'), cli.path('FR'));
    assert.ok(codesOf(await verdict(code)).includes('BRIDGE_UNFOUNDED'));
  });
});
