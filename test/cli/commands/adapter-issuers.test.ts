import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { encodeBase64 } from '../../../protocol/encoding/base64.ts';
import { jwkOf } from '../../support/card-fixture.ts';
import { TestCli } from '../../support/cli.ts';
import { issueSigner, makeAuthority } from '../../support/csca-fixture.ts';
import { makeEcSigner } from '../../support/foreign-keys.ts';
import { temporaryFolders } from '../../support/temporary.ts';

/** As many as the words for them: the first five are named. */
const ISSUERS = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => `https://${name}.example/issuer`);

interface Announced {
  readonly keys: number;
  readonly issuers: readonly string[];
}

describe('entente adapter announce with a directory of issuers of cards', function () {
  this.timeout(60_000);
  const folder = temporaryFolders();
  let cli: TestCli;
  let fixed: readonly string[];
  const announce = (...more: readonly string[]) => cli.run(...fixed, ...more);
  const announced = async () => {
    const { adapters } = await cli.json<{
      adapters: { announced?: { keys: { issuer: string }[] } }[];
    }>('adapter', 'show', cli.path('AT'));
    return adapters.flatMap((one) => one.announced?.keys ?? []).map(({ issuer }) => issuer);
  };

  before(async () => {
    cli = new TestCli(folder());
    await cli.json('init', 'AT', '--dir', cli.path('AT'));
    await cli.json('rules', 'activate', cli.path('AT'), 'hcert');
    const keysOf = () => [jwkOf(makeEcSigner())];
    const issuerInfo = [
      ...ISSUERS.map((iss) => ({ issuer: { iss }, keys: keysOf() })),
      { issuer: { iss: ISSUERS[0] }, keys: keysOf() },
      { issuer: { iss: 'https://none.example' }, keys: [] },
    ];
    writeFileSync(cli.path('directory.json'), JSON.stringify({ issuerInfo }));
    writeFileSync(cli.path('own.json'), JSON.stringify({ keys: keysOf() }));
    writeFileSync(cli.path('facts.json'), JSON.stringify({ 'vaccination.day': { var: 'issuedAt' } }));
    fixed = [
      ...['adapter', 'announce', cli.path('AT'), 'cards', '--rules', 'hcert'],
      ...['--facts', cli.path('facts.json'), '--keys', cli.path('directory.json')],
    ];
  });

  for (const [name, more, message] of [
    [
      'nothing chosen, naming how many there are and the first',
      [],
      /directory, of 6 issuers \(https:\/\/a\.example\/issuer, .*e\.example\/issuer, \.\.\.\)[^]*--issuer URL .*--all-issuers/,
    ],
    ['an issuer that it does not have', ['--issuer', 'https://x.example'], /no key of https:\/\/x\.example/],
    ['one of which no key can be taken', ['--issuer', 'https://none.example'], /no key of https:\/\/none/],
    ['one with a slash behind it', ['--issuer', `${ISSUERS[0] ?? ''}/`], /no key of .*It has those of 6/s],
    ['both choices', ['--issuer', ISSUERS[0] ?? '', '--all-issuers'], /not both/],
    [
      'an issuer where no card is taken',
      ['--issuer', ISSUERS[0] ?? '', '--format', 'hcert'],
      /nothing to choose/,
    ],
    ['an issuer beside a profile', ['--all-issuers', '--profile', 'x.json'], /choose from a directory/],
  ] as const) {
    it(`T5 refuses ${name}, and announces nothing`, async () => {
      const { exit, err } = await announce(...more);
      assert.equal(exit, 2);
      assert.match(err, message);
      assert.deepEqual(await announced(), []);
    });
  }

  it('refuses a choice where no list is a directory', async () => {
    const own = `https://own.example=${cli.path('own.json')}`;
    const { exit, err } = await cli.run(...fixed.slice(0, -1), own, '--all-issuers');
    assert.equal(exit, 2);
    assert.match(err, /none of the lists is a directory/);
  });

  it('takes the issuers that are named, with all their keys, and says so', async () => {
    const own = `https://own.example=${cli.path('own.json')}`;
    const [first = '', second = ''] = ISSUERS;
    const { out, exit } = await announce('--keys', own, '--issuer', second, '--issuer', first);
    assert.equal(exit, 0);
    assert.match(out, /announces 4 keys of shc as cards[^]*\nOf 3 issuers \(https:\/\/a.*own\.example\)\.\n/);
    assert.deepEqual(new Set(await announced()), new Set([first, second, 'https://own.example']));
  });

  it('asks before a new announcement leaves out an issuer, and takes all where it is told', async () => {
    const [first = ''] = ISSUERS;
    const refused = await announce('--issuer', first);
    assert.equal(refused.exit, 1);
    assert.match(refused.err, /2 keys that cards announces now are not among these .*KEYS_LEFT_OUT/);
    assert.equal((await announced()).length, 4);
    const all = JSON.parse((await announce('--all-issuers', '--drop-keys', '--json')).out) as Announced;
    assert.deepEqual([all.keys, all.issuers], [7, ISSUERS]);
  });
});

describe('entente adapter announce with certificates of authorities', function () {
  this.timeout(60_000);
  const folder = temporaryFolders();
  const authority = makeAuthority();
  let cli: TestCli;
  const announce = (file: string, ...ders: readonly Uint8Array[]) => {
    const rows = ders.map((der) => ({ rawData: encodeBase64(der) }));
    writeFileSync(cli.path(file), JSON.stringify(rows));
    return cli.run(
      ...['adapter', 'announce', cli.path('AT'), 'seals', '--rules', 'hcert'],
      ...['--facts', cli.path('facts.json'), '--keys', cli.path(file)],
    );
  };

  before(async () => {
    cli = new TestCli(folder());
    await cli.json('init', 'AT', '--dir', cli.path('AT'));
    await cli.json('rules', 'activate', cli.path('AT'), 'hcert');
    writeFileSync(cli.path('facts.json'), JSON.stringify({ 'vaccination.day': { var: 'issuedAt' } }));
  });

  it('B35 refuses authorities alone, and says whose certificates it takes', async () => {
    const { exit, err } = await announce('csca.json', authority.certificate, authority.certificate);
    assert.equal(exit, 1);
    assert.match(err, /2 certificates of authorities \(CSCA\) and no signer's[^]*KEY_INVALID[^]*sig\.cer/);
  });

  it('takes the signers beside them, and says what it left out', async () => {
    const signer = issueSigner(authority, makeEcSigner());
    const { exit, out, err } = await announce('both.json', signer, authority.certificate);
    assert.equal(exit, 0, err);
    assert.match(err, /1 certificate of authorities left out/);
    assert.match(out, /announces 1 key of vdsnc as seals/);
  });
});
