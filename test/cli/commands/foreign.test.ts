import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { encodeBase64 } from '../../../protocol/encoding/base64.ts';
import { hcertKeyOf } from '../../../node/foreign/hcert-key.ts';
import { TestCli } from '../../support/cli.ts';
import { cardTexts, ISSUER, jwkOf, makeJws } from '../../support/card-fixture.ts';
import { issueSigner, makeAuthority } from '../../support/csca-fixture.ts';
import { makeEcSigner, makeRsaSigner } from '../../support/foreign-keys.ts';
import { ISSUED_S, makeHcert, VACCINATION } from '../../support/hcert-fixture.ts';
import { makeSeal } from '../../support/seal-fixture.ts';
import { temporaryFolders } from '../../support/temporary.ts';
import { makeCertificate } from '../../support/x509-fixture.ts';

const SIGNER = makeEcSigner();
const DER = makeCertificate(SIGNER, { country: 'AT' });
const AUTHORITY = makeAuthority({ signer: makeRsaSigner() });
const SEAL = makeSeal(SIGNER, { certificate: issueSigner(AUTHORITY, SIGNER) });
const keyId = new Uint8Array(Buffer.from(hcertKeyOf(DER).keyId, 'base64'));
const HEADER = new Map<number, unknown>([
  [1, -7],
  [4, keyId],
]);
const HCERT = makeHcert(SIGNER, { protectedHeader: HEADER });
const FORGED = makeHcert(makeEcSigner(), { protectedHeader: HEADER });
const UNKNOWN = makeHcert(SIGNER);
const CARD = cardTexts(makeJws(SIGNER))[0] ?? '';

describe('codes of others on the command line', () => {
  const folder = temporaryFolders();
  let cli: TestCli;
  let list: string;
  before(() => {
    cli = new TestCli(folder());
    cli.nowS = Math.ceil(ISSUED_S) + 3_600;
    list = cli.path('list.json');
    writeFileSync(list, JSON.stringify([{ country: 'AT', rawData: encodeBase64(DER) }]));
    writeFileSync(cli.path('root.der'), AUTHORITY.certificate);
    writeFileSync(cli.path('jwks.json'), JSON.stringify({ keys: [jwkOf(SIGNER)] }));
  });

  const verify = (...args: readonly string[]) => cli.run('verify', '--foreign-keys', list, ...args);

  it('inspect names a code of each format and what it says, from an argument, stdin and a file', async () => {
    const { exit, out } = await cli.run('inspect', HCERT);
    assert.equal(exit, 0);
    assert.match(
      out,
      /what: EU Digital COVID Certificate\nissuer: AT\nissuedAtS: 1700000000 \(2023-11-14[^]*attests: vaccination/,
    );
    assert.match(
      (await cli.runWith(`${CARD}\n`, 'inspect', '-')).out,
      /what: SMART Health Card\nissuer: https:/,
    );
    writeFileSync(cli.path('seal.json'), `${SEAL}\n`);
    assert.match(
      (await cli.run('inspect', cli.path('seal.json'))).out,
      /what: ICAO visible digital seal[^]*uvci: U32870/,
    );
    const { says } = await cli.json<{ says: object }>('inspect', HCERT);
    assert.deepEqual(says, VACCINATION);
  });

  it('inspect says what is wrong with one that is damaged', async () => {
    for (const text of ['HC1:A', 'shc:/567', 'eyJ.x', '{"data":1}']) {
      const { exit, err } = await cli.run('inspect', text);
      assert.equal(exit, 2, text);
      assert.match(err, /this is not the text of a code: [A-Z0-9_]+:/);
    }
  });

  it('inspect and verify show no control characters of a code', async () => {
    const certificate = { ...VACCINATION, nam: { fn: '\u001b[31m\u202e' } };
    const text = makeHcert(SIGNER, { certificate, protectedHeader: HEADER });
    for (const { out } of [await cli.run('inspect', text), await verify(text), await verify(text, '--json')])
      assert.doesNotMatch(out, /[\u001b\u202e]/);
  });

  for (const [name, text, exit, line] of [
    [
      'a genuine one',
      HCERT,
      0,
      /^GENUINE {2}EU Digital COVID Certificate, of AT, vaccination, until 2024-05-12/,
    ],
    [
      'a forged one, and nothing of what it says',
      FORGED,
      3,
      /^REFUSED {2}EU Digital COVID Certificate\n {2}SIGNATURE_INVALID/,
    ],
    [
      'one by a key that is not listed',
      UNKNOWN,
      4,
      /^UNDETERMINED {2}EU Digital COVID Certificate\n {2}KEY_UNKNOWN/,
    ],
    ['one of a later version', `HC2:${HCERT.slice(4)}`, 4, /VERSION_UNKNOWN/],
    ['a code of this network', 'ENT1:AAA', 3, /^REFUSED\n {2}MALFORMED .*fault CODE_UNKNOWN/],
  ] as const) {
    it(`verify --foreign-keys tells ${name}`, async () => {
      const { exit: came, out } = await verify(text);
      assert.equal(came, exit);
      assert.match(out, line);
    });
  }

  it('verify --foreign-keys says that it does not look at revocation', async () => {
    assert.match((await verify(HCERT)).err, /^revocation is not looked at:[^\n]*\n$/);
  });

  it('verify --foreign-keys judges for another time, and gives programs the same', async () => {
    const { exit, out } = await verify(HCERT, '--at', '2030-01-01T00:00:00Z', '--json');
    assert.equal(exit, 3);
    const { outcome, reasons, code } = JSON.parse(out) as {
      outcome: string;
      reasons: { code: string }[];
      code: { content: object };
    };
    assert.deepEqual([outcome, reasons.map((reason) => reason.code)], ['refused', ['EXPIRED']]);
    assert.deepEqual(code.content, VACCINATION);
  });

  it('verify --foreign-keys judges every line, each in a line, and ends by the worst', async () => {
    const { exit, out } = await cli.runWith(
      `${HCERT}\n${UNKNOWN}\nx\u0000\n`,
      'verify',
      '--foreign-keys',
      list,
      '-',
    );
    assert.equal(exit, 3);
    assert.equal(
      out,
      'genuine\thcert\tAT\t\nundetermined\thcert\t-\tKEY_UNKNOWN\nrefused\t-\t-\tMALFORMED\n',
    );
    writeFileSync(cli.path('codes.txt'), `${HCERT}\n${HCERT}\n`);
    assert.equal((await verify('--file', cli.path('codes.txt'))).exit, 0);
    assert.equal((await cli.runWith('', 'verify', '--foreign-keys', list, '-')).exit, 2);
  });

  it('verify --foreign-keys takes several lists, key sets with their issuer, and authorities of signers of seals', async () => {
    const cards = `${ISSUER}=${cli.path('jwks.json')}`;
    assert.match(
      (await verify('--foreign-keys', cards, CARD)).out,
      /^GENUINE {2}SMART Health Card, of https:/,
    );
    assert.match((await verify(SEAL)).out, /^UNDETERMINED/);
    assert.match(
      (await verify('--foreign-keys', cli.path('root.der'), SEAL)).out,
      /^GENUINE {2}ICAO visible digital seal, of AT/,
    );
  });

  it('verify --foreign-keys names keys that it leaves out, and refuses lists that are none', async () => {
    writeFileSync(cli.path('odd.json'), JSON.stringify([{}, {}, {}, {}, { rawData: encodeBase64(DER) }]));
    const { exit, err } = await cli.run('verify', '--foreign-keys', cli.path('odd.json'), HCERT);
    assert.equal(exit, 0);
    assert.equal(err.match(/entry \d: KEY_INVALID/g)?.length, 3);
    assert.match(err, /1 key more left out/);
    writeFileSync(cli.path('many.json'), JSON.stringify({ keys: Array(17_000).fill(jwkOf(SIGNER)) }));
    const set = `${ISSUER}=${cli.path('many.json')}`;
    const twice = ['--foreign-keys', set, '--foreign-keys', set];
    const { exit: tooMany, err: said } = await cli.run('verify', ...twice, HCERT);
    assert.equal(tooMany, 2);
    assert.match(said, /at most 32,768 keys of all lists together, got 34,000/);
    writeFileSync(cli.path('none.json'), '{}');
    assert.equal((await cli.run('verify', '--foreign-keys', cli.path('none.json'), HCERT)).exit, 5);
    assert.equal((await cli.run('verify', '--foreign-keys', cli.path('nowhere'), HCERT)).exit, 2);
    assert.equal((await verify('--region', 'x', HCERT)).exit, 2);
  });
});
