import assert from 'node:assert/strict';
import { createPublicKey } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { encodeBase64 } from '../../../protocol/encoding/base64.ts';
import { hcertKeyOf } from '../../../node/foreign/hcert-key.ts';
import { testOf, VACCINATED } from '../../support/announced-fixture.ts';
import { cardTexts, CREDENTIAL, ISSUER, jwkOf, makeJws } from '../../support/card-fixture.ts';
import { TestCli } from '../../support/cli.ts';
import { codesOf, type Told } from '../../support/cli-world.ts';
import { makeEcSigner } from '../../support/foreign-keys.ts';
import { makeHcert } from '../../support/hcert-fixture.ts';
import { temporaryFolders } from '../../support/temporary.ts';
import { makeCertificate } from '../../support/x509-fixture.ts';

/** 23 November 2026: what `VACCINATED` says is two months old. */
const NOW_S = 1_795_436_400;
const SIGNER = makeEcSigner();
const DER = makeCertificate(SIGNER, { country: 'AT' });
const STRANGER = makeCertificate(makeEcSigner(), { country: 'DE' });
const keyId = new Uint8Array(Buffer.from(hcertKeyOf(DER).keyId, 'base64'));
const protectedHeader = new Map<number, unknown>([
  [1, -7],
  [4, keyId],
]);

function certificateOf(certificate: object, signer = SIGNER, expiresAt = NOW_S + 86_400): string {
  return makeHcert(signer, { certificate, protectedHeader, issuedAt: NOW_S - 3_600, expiresAt });
}

interface Told2 extends Told {
  readonly foreign?: { readonly region?: string; readonly adapter?: string };
}

describe('entente adapter', function () {
  this.timeout(120_000);
  const folder = temporaryFolders();
  const pins: Record<string, string> = {};
  let cli: TestCli;
  const rows = (...ders: readonly Uint8Array[]) =>
    JSON.stringify(ders.map((der) => ({ rawData: encodeBase64(der) })));
  const announce = (...more: readonly string[]) =>
    cli.run(
      'adapter',
      'announce',
      cli.path('AT'),
      'dcc',
      '--keys',
      cli.path('list.json'),
      '--rules',
      'hcert',
      ...more,
    );
  const announceAs = (id: string) =>
    cli.run(
      ...['adapter', 'announce', cli.path('AT'), id, '--keys', cli.path('list.json')],
      ...['--rules', 'hcert'],
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
    writeFileSync(cli.path('list.json'), rows(DER, STRANGER));
    writeFileSync(cli.path('jwks.json'), JSON.stringify({ keys: [jwkOf(SIGNER)] }));
  });

  it('refuses to announce before the rules are there that say what codes are worth', async () => {
    const { exit, err } = await announce();
    assert.equal(exit, 1);
    assert.match(err, /AT has no rules hcert that can be used[^]*entente rules activate .*AT hcert/);
    await cli.json('rules', 'activate', cli.path('AT'), 'hcert');
  });

  for (const [name, change, message] of [
    ['a name that is none', { id: 'Dcc' }, /expected the name of an adapter/],
    ['a file that is not there', { keys: 'nowhere.json' }, /there is no file/],
    [
      'T5 keys of other countries alone',
      { keys: 'strangers.json' },
      /none of the keys is of AT .*KEY_FOREIGN/,
    ],
    ['B35 keys of the wrong kind alone', { keys: 'ed25519.json' }, /no key that can be announced/],
    [
      'keys of several formats',
      { also: 'https://cards.example/issuer=jwks.json' },
      /several formats: hcert, shc/,
    ],
    ['a trust list with 10^6 keys', { keys: 'million.json' }, /TOO_LARGE/],
    [
      'facts that the rules do not know',
      { facts: '{"test.colour": {"var": "code.t.0.tr"}}' },
      /hcert knows no fact test.colour/,
    ],
    [
      'facts that are no expressions',
      { facts: '{"test.day": {"or": [1, 2]}}' },
      /facts\.test\.day .*FACTS_INVALID/,
    ],
    ['facts that are no object', { facts: '[1]' }, /no JSON object of facts/],
    ['a fact twice', { facts: '{"test.day": 1, "test.day": 2}' }, /no JSON object of facts/],
    ['cards without facts', { keys: 'https://cards.example/issuer=jwks.json' }, /say with --facts/],
    ['a start after its end', { from: '2099-01-01T00:00:00Z' }, /after the end of --for/],
  ] as const) {
    it(`announce refuses ${name}, and logs nothing`, async () => {
      writeFileSync(cli.path('strangers.json'), rows(STRANGER));
      writeFileSync(cli.path('ed25519.json'), rows(new Uint8Array(Buffer.from('3003020101', 'hex'))));
      if (name.includes('10^6')) writeFileSync(cli.path('million.json'), `[${'{},'.repeat(999_999)}{}]`);
      const {
        id = 'dcc',
        keys = 'list.json',
        also,
        facts,
        from,
      } = change as Record<string, string | undefined>;
      if (facts !== undefined) writeFileSync(cli.path('facts.json'), facts);
      const source = (file: string) => file.replace(/[a-z0-9]+\.json$/, (one) => cli.path(one));
      const { exit, err } = await cli.run(
        ...['adapter', 'announce', cli.path('AT'), id, '--rules', 'hcert', '--keys', source(keys)],
        ...(also === undefined ? [] : ['--keys', source(also)]),
        ...(facts === undefined ? [] : ['--facts', cli.path('facts.json')]),
        ...(from === undefined ? [] : ['--from', from]),
      );
      assert.notEqual(exit, 0);
      assert.match(err, message);
      assert.deepEqual(
        (await cli.json<{ adapters: object[] }>('adapter', 'show', cli.path('AT'))).adapters,
        [],
      );
    });
  }

  it('announces its own keys, and its gates take the code at once', async () => {
    const { exit, out, err } = await announce();
    assert.equal(exit, 0, err);
    assert.match(err, /1 key of other countries left out: AT announces its own alone/);
    assert.match(
      out,
      /^AT announces 1 key of hcert as dcc until .*\n.*\n {2}entente recognise .*--way adapter\n/,
    );
    const { outcome, colour, foreign } = await verdict(certificateOf(VACCINATED), 'AT');
    assert.deepEqual([outcome, colour, foreign?.region, foreign?.adapter], ['pass', 'green', 'AT', 'dcc']);
    assert.match(
      (await cli.run('adapter', 'show', cli.path('AT'))).out,
      /^dcc, version 1: announced\n {2}format {2,}hcert\n/,
    );
  });

  it('export dcc gives the announced key to verifiers of others, export jwks those of the region itself', async () => {
    const list = await cli.json<{ eu_keys: Record<string, { subjectPk: string }[]> }>(
      'export',
      'dcc',
      cli.path('AT'),
    );
    const [[name, [key] = []] = []] = Object.entries(list.eu_keys);
    assert.equal(name, encodeBase64(keyId));
    const spki = createPublicKey(SIGNER.privateKey).export({ format: 'der', type: 'spki' });
    assert.equal(key?.subjectPk, spki.toString('base64'));
    const { out, exit } = await cli.run('export', 'jwks', cli.path('AT'), '--out', cli.path('at.jwks.json'));
    assert.equal(exit, 0);
    const { keys } = JSON.parse(readFileSync(cli.path('at.jwks.json'), 'utf8')) as { keys: object[] };
    assert.match(out, new RegExp(`at\\.jwks\\.json: ${keys.length} keys of AT`));
    const none = await cli.run('export', 'dcc', cli.path('DE'));
    assert.match(none.err, /DE has no such keys/);
  });

  it('counts where the region is recognised by adapter, and nowhere else', async () => {
    const text = certificateOf(VACCINATED);
    assert.deepEqual(codesOf(await verdict(text)).includes('FOREIGN_KEY_UNKNOWN'), true);
    await cli.json('recognise', cli.path('DE'), cli.path('AT'), '--way', 'adapter');
    await cli.json('recognise', cli.path('FR'), cli.path('DE'));
    await cli.json('recognise', cli.path('DE'), cli.path('FR'));
    for (const region of ['DE', 'FR']) await cli.json('witness', cli.path(region));
    const { outcome, foreign } = await verdict(text);
    assert.deepEqual([outcome, foreign?.region], ['pass', 'AT']);
    const told = await cli.run('verify', '--region', cli.path('DE'), '--explain', text);
    assert.match(
      told.out,
      /^PASS {2}green, static, until .* {2}\(AT dcc, hcert by key [^]*recognised by {2,}adapter dcc of AT/,
    );
    const beyond = await verdict(text, 'FR');
    assert.equal(beyond.outcome, 'stop', 'T5 what DE recognises is not recognised by FR');
  });

  it('judges by what the certificate says: a positive test is red, one of long ago is not enough', async () => {
    assert.deepEqual(codesOf(await verdict(certificateOf(testOf('260373001')))).includes('STATUS_RED'), true);
    const old = await verdict(certificateOf(testOf('260415000', '2026-11-01T06:00:00Z')));
    assert.ok(codesOf(old).includes('FOREIGN_FACTS_INSUFFICIENT'));
    assert.ok(
      codesOf(await verdict(certificateOf(VACCINATED, makeEcSigner()))).includes('SIGNATURE_INVALID'),
      'T1',
    );
  });

  it('judges by a snapshot without any network, and each line of a file', async () => {
    await cli.json('snapshot', 'make', cli.path('DE'), '--out', cli.path('de.snap'));
    const trust = ['--offline', cli.path('de.snap'), '--home', 'DE', '--pin', pins['DE'] ?? ''];
    assert.equal((await cli.json<Told2>('verify', ...trust, certificateOf(VACCINATED))).outcome, 'pass');
    writeFileSync(cli.path('codes.txt'), `${certificateOf(VACCINATED)}\nHC1:A\n`);
    const { out, exit } = await cli.run('verify', ...trust, '--file', cli.path('codes.txt'));
    assert.equal(exit, 3);
    assert.match(out, /^pass\tgreen\tAT dcc, hcert by key \S+\tIDENTITY_CHECK\nstop\t-\t-\tMALFORMED\n$/);
  });

  it('needs the root: a draft announces nothing before enough of its keys have signed', async () => {
    writeFileSync(
      cli.path('facts.json'),
      JSON.stringify({
        'vaccination.dose': 2,
        'vaccination.doses': 2,
        'vaccination.day': { var: 'issuedAt' },
      }),
    );
    mkdirSync(cli.path('usb'));
    writeFileSync(cli.path('pass.txt'), 'five words that mean nothing\n');
    const cards = [
      '--keys',
      `${ISSUER}=${cli.path('jwks.json')}`,
      '--facts',
      cli.path('facts.json'),
      '--rules',
      'hcert',
    ];
    const draft = cli.path('draft.json');
    await cli.json('adapter', 'announce', cli.path('AT'), 'cards', ...cards, '--draft', draft);
    const shown = await cli.run('root', 'show', draft);
    assert.match(shown.out, /kind: adapter[^]*vaccination.dose: 2[^]*format: shc/);
    const { adapters } = await cli.json<{ adapters: object[] }>('adapter', 'show', cli.path('AT'));
    assert.equal(adapters.length, 1);
    const submitted = await cli.run('root', 'submit', cli.path('AT'), draft);
    assert.match(submitted.err, /DRAFT_INCOMPLETE/);
    await cli.json('adapter', 'announce', cli.path('AT'), 'cards', ...cards);
    await cli.json('witness', cli.path('DE'), cli.path('AT'));
    const jws = makeJws(SIGNER, { claims: { nbf: NOW_S - 30 * 86_400, vc: CREDENTIAL } });
    const { outcome, foreign } = await verdict(cardTexts(jws, 2).join(' '));
    assert.deepEqual([outcome, foreign?.adapter], ['pass', 'cards']);
  });

  it('T5 says how many keys it announces of which nothing tells whose they are', async () => {
    const nowhere = makeCertificate(makeEcSigner(), { country: '' });
    writeFileSync(cli.path('list.json'), rows(DER, nowhere, STRANGER));
    assert.match((await announce()).err, /\b1 key of no country that anything says: .*speaks for AT/);
    writeFileSync(cli.path('list.json'), rows(DER, STRANGER));
    const refused = await announce();
    assert.equal(refused.exit, 1);
    assert.match(refused.err, /1 key that dcc announces now is not among these \(\S+\): .*KEYS_LEFT_OUT/);
    const dropped = await announce('--drop-keys');
    assert.doesNotMatch(dropped.err, /of no country/);
    assert.match(dropped.out, /\nAnnounced no more: 1 key, whose codes are refused\.\n/);
  });

  it('goes on to refuse codes issued before --from when it is announced anew, and says where that is widened', async () => {
    const from = '2026-11-01T00:00:00Z';
    const shown = async () => {
      const { adapters } = await cli.json<{ adapters: { adapter: string; fromS: number }[] }>(
        ...['adapter', 'show', cli.path('AT')],
      );
      return adapters.find(({ adapter }) => adapter === 'dcc')?.fromS;
    };
    assert.match(
      (await announce('--from', from)).out,
      /\nCodes issued before 2026-11-01 00:00:00 UTC do not count\.\n/,
    );
    assert.equal(await shown(), Date.parse(from) / 1_000);
    assert.equal((await announce()).exit, 0);
    assert.equal(await shown(), Date.parse(from) / 1_000);
    const widened = await announce('--from', '1970-01-01T00:00:00Z');
    assert.match(widened.err, /codes issued from 1970-01-01 .* count; before, those from 2026-11-01/);
    assert.equal(await shown(), 0);
  });

  it('announces a list of many keys in pieces, and takes back those that a shorter one does not need', async () => {
    const many = Array.from({ length: 250 }, () => makeCertificate(makeEcSigner(), { country: 'AT' }));
    writeFileSync(cli.path('list.json'), rows(...many, DER));
    const { keys } = JSON.parse((await announce('--json')).out) as { keys: number };
    assert.equal(keys, 251);
    const shown = async () => (await cli.run('adapter', 'show', cli.path('AT'), 'dcc')).out;
    assert.match(await shown(), /^dcc, version 7: announced[^]*dcc-2, version 1: announced/);
    for (const id of ['dcc-2', 'cards-2', 'new-3'])
      assert.match((await announceAs(id)).err, new RegExp(`${id} is how a piece of .* is called.*REFUSED`));
    await cli.json('witness', cli.path('DE'), cli.path('AT'));
    assert.equal((await verdict(certificateOf(VACCINATED))).outcome, 'pass');
    writeFileSync(cli.path('list.json'), rows(DER));
    assert.match((await announce()).err, /250 keys that dcc announces now .*, \.\.\.\).*KEYS_LEFT_OUT/);
    assert.match((await announce('--drop-keys')).out, /\nTaken back with it: dcc-2\.\n/);
    assert.match(await shown(), /^dcc, version 8: announced[^]*dcc-2, version 2: withdrawn\n$/);
  });

  it('announces nothing in the place of codes of another format', async () => {
    const { exit, err } = await announceAs('cards');
    assert.equal(exit, 1);
    assert.match(err, /AT announces cards already, for codes of the format shc .*REFUSED/);
  });

  it('revoke stops a certificate wherever the region is recognised, and no other', async () => {
    const person = (ci: string) => certificateOf({ ...VACCINATED, v: [{ ...VACCINATED.v[0], ci }] });
    const [one, other] = [person('URN:UVCI:01:AT:1#A'), person('URN:UVCI:01:AT:2#B')];
    const revoke = (...args: readonly string[]) => cli.run('adapter', 'revoke', cli.path('AT'), ...args);
    assert.match((await revoke(one)).out, /^AT has revoked codes of others by 1 name, until 2036-/);
    assert.equal((await revoke(one)).out, 'All of that was revoked before.\n');
    await cli.json('witness', cli.path('DE'), cli.path('AT'));
    assert.ok(codesOf(await verdict(one)).includes('REVOKED'));
    assert.equal((await verdict(other)).outcome, 'pass');
    writeFileSync(cli.path('revoked.txt'), `${other}\n`);
    await revoke('--file', cli.path('revoked.txt'));
    await cli.json('witness', cli.path('DE'), cli.path('AT'));
    assert.ok(codesOf(await verdict(other)).includes('REVOKED'));
  });

  it('revoke takes hashes and batches of them, and refuses what is none, and codes that others signed', async () => {
    const revoke = (...args: readonly string[]) => cli.run('adapter', 'revoke', cli.path('AT'), ...args);
    writeFileSync(cli.path('hashes.txt'), `${'ab'.repeat(16)}\nAAAAAAAAAAAAAAAAAAAAAA==\n`);
    assert.match((await revoke('--hashes', cli.path('hashes.txt'))).out, /by 2 names/);
    writeFileSync(cli.path('batch.json'), '{"country":"AT","entries":[{"hash":"AQAAAAAAAAAAAAAAAAAAAA=="}]}');
    assert.match((await revoke('--hashes', cli.path('batch.json'))).out, /by 1 name,/);
    const text = certificateOf(VACCINATED, makeEcSigner());
    assert.match(
      (await revoke(text)).err,
      /T1|no key that AT announces has signed this code .*NOT_ISSUED_HERE/,
    );
    writeFileSync(cli.path('codes.txt'), `${certificateOf(testOf('260415000'))}\nHC1:A\n`);
    assert.match((await revoke('--file', cli.path('codes.txt'))).err, /line 2: .*\n.*Nothing was revoked/);
    for (const bad of ['abcd', 'AAAAAAAAAAAAAAAAAAAAAB==', '{"entries":[{}]}', '{"entries":', '{}']) {
      writeFileSync(cli.path('hashes.txt'), bad);
      assert.equal((await revoke('--hashes', cli.path('hashes.txt'))).exit, 2, bad);
    }
    assert.match(
      (await revoke('--file', cli.path('nowhere.txt'))).err,
      /there is no file .*nowhere.txt .*USAGE/,
    );
    assert.equal((await revoke()).exit, 2);
    assert.equal((await revoke('ENT1:A')).exit, 2);
  });

  it('revoke holds a file of codes for as long as the one that lives longest', async () => {
    const card = makeJws(SIGNER, { claims: { nbf: NOW_S - 86_400, vc: CREDENTIAL } });
    const expiring = makeJws(SIGNER, { claims: { nbf: NOW_S, exp: NOW_S + 900 * 86_400, vc: CREDENTIAL } });
    const until = async (...codes: readonly string[]) => {
      writeFileSync(cli.path('codes.txt'), codes.map((code) => `${code}\n`).join(''));
      const args = ['adapter', 'revoke', cli.path('AT'), '--file', cli.path('codes.txt'), '--for', '48h'];
      return cli.run(...args, '--json');
    };
    const { out } = await until(card, expiring);
    assert.equal((JSON.parse(out) as { until: number }).until, NOW_S + 900 * 86_400);
    assert.match((await until()).err, /there is no code in it/);
  });

  it('revoke prolongs what was revoked for a shorter time, and leaves what stays for years', async () => {
    writeFileSync(cli.path('hashes.txt'), 'cd'.repeat(16));
    const revoke = (...more: readonly string[]) =>
      cli.json<{ hashes: number; known: number; until: number }>(
        ...['adapter', 'revoke', cli.path('AT'), '--hashes', cli.path('hashes.txt'), ...more],
      );
    const day = await revoke('--for', '24h');
    assert.deepEqual([day.hashes, day.until], [1, NOW_S + 86_400]);
    assert.equal((await revoke('--for', '24h')).hashes, 0);
    assert.equal((await revoke('--for', '25h')).hashes, 1);
    const long = await revoke();
    assert.deepEqual([long.hashes, long.until], [1, NOW_S + 3_650 * 86_400]);
    cli.nowS += 86_400;
    const again = await revoke();
    assert.deepEqual([again.hashes, again.known], [0, 1]);
  });

  it('revoke stops other codes of the identifier for as long as any may live, whatever the one that was shown', async () => {
    const ci = 'URN:UVCI:01:AT:3#C';
    const lasting = (expiresAt: number) =>
      certificateOf({ ...VACCINATED, v: [{ ...VACCINATED.v[0], ci }] }, SIGNER, expiresAt);
    await cli.json('adapter', 'revoke', cli.path('AT'), lasting(cli.nowS + 86_400));
    cli.nowS += 3 * 86_400;
    await cli.json('state', cli.path('AT'));
    const codes = codesOf(await verdict(lasting(cli.nowS + 100 * 86_400), 'AT'));
    assert.ok(codes.includes('REVOKED'), codes.join());
  });

  it('withdraw ends all of it, and a second one has nothing to do', async () => {
    await cli.json('adapter', 'withdraw', cli.path('AT'), 'dcc');
    await cli.json('witness', cli.path('DE'), cli.path('AT'));
    await cli.json('witness', cli.path('DE'));
    await cli.json('witness', cli.path('FR'));
    const after = await verdict(certificateOf(VACCINATED));
    assert.equal(after.outcome, 'stop');
    assert.ok(codesOf(after).includes('FOREIGN_KEY_UNKNOWN'));
    assert.match(
      (await cli.run('adapter', 'withdraw', cli.path('AT'), 'dcc')).err,
      /announces no adapter dcc .*NOT_FOUND/,
    );
  });
});
