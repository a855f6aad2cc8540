import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { encodeBase64 } from '../../../protocol/encoding/base64.ts';
import { TestCli } from '../../support/cli.ts';
import { codesOf, type Told } from '../../support/cli-world.ts';
import { issueSigner, makeAuthority } from '../../support/csca-fixture.ts';
import { makeEcSigner, makeRsaSigner } from '../../support/foreign-keys.ts';
import { makeSeal } from '../../support/seal-fixture.ts';
import { temporaryFolders } from '../../support/temporary.ts';

/** 23 November 2026. */
const NOW_S = 1_795_436_400;
const [OLD, NEW] = [makeAuthority(), makeAuthority({ signer: makeRsaSigner() })];
const [GERMAN, STRANGER] = [makeAuthority({ country: 'DE' }), makeAuthority()];
const SIGNER = makeEcSigner();

const data = {
  hdr: { t: 'icao.vacc', v: 1, is: 'AUT' },
  msg: { uvci: 'U32870', ve: [{ des: 'XM68M6', vd: [{ dvc: '2026-09-23', seq: 2 }] }] },
};
const facts = {
  'vaccination.day': { var: 'code.msg.ve.0.vd.0.dvc' },
  'vaccination.dose': 2,
  'vaccination.doses': 2,
};
const fingerprintOf = (der: Uint8Array) => createHash('sha256').update(der).digest('hex');
const pem = (...ders: readonly Uint8Array[]) =>
  ders
    .map((der) => `-----BEGIN CERTIFICATE-----\n${encodeBase64(der)}\n-----END CERTIFICATE-----\n`)
    .join('');

describe('entente adapter announce --authorities', function () {
  this.timeout(120_000);
  const folder = temporaryFolders();
  let cli: TestCli;
  const announce = (...more: readonly string[]) =>
    cli.run(
      ...['adapter', 'announce', cli.path('AT'), 'seals', '--rules', 'hcert'],
      ...['--facts', cli.path('facts.json'), ...more],
    );
  const from = (...more: readonly string[]) => announce('--authorities', cli.path('csca'), ...more);
  const shown = async () => (await cli.run('adapter', 'show', cli.path('AT'))).out;
  const verdict = (certificate: Uint8Array, signer = SIGNER) =>
    cli.json<Told>('verify', '--region', cli.path('AT'), makeSeal(signer, { certificate, data }));

  before(async () => {
    cli = new TestCli(folder());
    cli.nowS = NOW_S;
    await cli.json('init', 'AT', '--dir', cli.path('AT'));
    await cli.json('rules', 'activate', cli.path('AT'), 'hcert');
    writeFileSync(cli.path('facts.json'), JSON.stringify(facts));
    mkdirSync(cli.path('csca'));
    writeFileSync(cli.path('csca', 'both.pem'), pem(OLD.certificate, GERMAN.certificate));
    writeFileSync(cli.path('csca', 'new.CER'), NEW.certificate);
    const tampered = OLD.certificate.slice();
    tampered[tampered.length - 1] = (tampered.at(-1) ?? 0) ^ 1;
    writeFileSync(cli.path('csca', 'tampered.crt'), tampered);
    writeFileSync(cli.path('csca', 'link.crt'), makeAuthority({ issuer: 'Older' }).certificate);
    writeFileSync(cli.path('csca', 'signer.crt'), issueSigner(OLD, SIGNER));
    writeFileSync(cli.path('csca', 'list.der'), Buffer.from('3082000b06092a864886f70d010702', 'hex'));
    writeFileSync(cli.path('csca', 'notes.txt'), 'nothing of this is read');
    writeFileSync(cli.path('german.pem'), pem(GERMAN.certificate));
    writeFileSync(cli.path('signer.pem'), pem(issueSigner(OLD, SIGNER)));
  });

  it('lists names, validity and fingerprints, says what it leaves out, and announces nothing before somebody chose', async () => {
    const { exit, err } = await from();
    assert.equal(exit, 2);
    for (const { certificate } of [OLD, NEW])
      assert.match(
        err,
        new RegExp(
          `${fingerprintOf(certificate).slice(0, 16)}  C=AT, CN=Authority, 2023-01-01 .* to 2043-01-01`,
        ),
      );
    assert.match(err, /the files have 2 certificates of authorities of AT[^]*Nothing was announced/);
    assert.match(err, /1 certificate of authorities of other countries left out: AT announces its own alone/);
    assert.match(err, /tampered\.crt: certificate 0: .*whose own signature is good/);
    assert.match(err, /link\.crt: certificate 0: .*that its authority signed itself/);
    assert.match(err, /signer\.crt: certificate 0: .*the certificate of an authority/);
    assert.match(err, /list\.der: certificate 0: .*such as a master list/);
    assert.equal(await shown(), 'AT announces no adapter.\n');
  });

  for (const [name, args, exit, message] of [
    [
      'a fingerprint that none has',
      ['--authority', '00000000'],
      2,
      /no authority has a fingerprint that begins/,
    ],
    ['a fingerprint of seven digits', ['--authority', '0000000'], 2, /expected 8 to 64 hexadecimal digits/],
    ['both ways of choosing', ['--authority', '00000000', '--all-authorities'], 2, /not both/],
    [
      'a file that is not there',
      ['--all-authorities', '--authorities', 'nowhere.pem'],
      2,
      /there is no file/,
    ],
    [
      'what refuses no signer',
      ['--all-authorities', '--refuse', 'german.pem'],
      2,
      /the certificate of a signer of seals/,
    ],
  ] as const)
    it(`refuses ${name}, and logs nothing`, async () => {
      const paths = args.map((one) => (one.endsWith('.pem') ? cli.path(one) : one));
      const told = await from(...paths);
      assert.equal(told.exit, exit);
      assert.match(told.err, message);
      assert.equal(await shown(), 'AT announces no adapter.\n');
    });

  it('refuses choices without files, neither keys nor authorities, and those of other countries alone (T5)', async () => {
    writeFileSync(
      cli.path('signers.json'),
      JSON.stringify([{ rawData: encodeBase64(issueSigner(OLD, SIGNER)) }]),
    );
    const alone = await announce('--keys', cli.path('signers.json'), '--all-authorities');
    assert.match(alone.err, /go with --authorities/);
    assert.match((await announce()).err, /say by --keys or --authorities/);
    const foreign = await announce('--authorities', cli.path('german.pem'), '--all-authorities');
    assert.equal(foreign.exit, 1);
    assert.match(foreign.err, /none of the authorities is of AT .*KEY_FOREIGN/);
    assert.equal(await shown(), 'AT announces no adapter.\n');
  });

  it('announces the one that was chosen, by which seals of its signers pass, and no others', async () => {
    const { out, exit, err } = await from(
      '--authority',
      fingerprintOf(OLD.certificate).slice(0, 12).toUpperCase(),
    );
    assert.equal(exit, 0, err);
    assert.match(
      out,
      /^AT announces 1 authority of vdsnc as seals until .*\n {2}[0-9a-f]{16} {2}C=AT, CN=Authority, /,
    );
    assert.match(
      await shown(),
      /^seals, version 1: announced\n {2}format {2,}vdsnc\n {2}authorities {2,}1 key\n/,
    );
    assert.equal((await verdict(issueSigner(OLD, SIGNER))).outcome, 'pass');
    assert.ok(codesOf(await verdict(issueSigner(STRANGER, SIGNER))).includes('FOREIGN_KEY_UNKNOWN'));
    const inItsName = issueSigner({ ...OLD, signer: makeEcSigner() }, SIGNER);
    assert.ok(codesOf(await verdict(inItsName)).includes('FOREIGN_CERTIFICATE'));
  });

  it('announces keys of signers beside them in a statement of their own', async () => {
    const both = await from('--all-authorities', '--keys', cli.path('signers.json'));
    assert.match(both.out, /^AT announces 1 key and 2 authorities of vdsnc as seals/);
    assert.match(
      await shown(),
      /^seals, version 2: .*\n.*\n {2}keys {2,}1 key\n[^]*\nseals-2, version 1: .*\n.*\n {2}authorities {2,}2 keys\n/,
    );
    assert.equal((await verdict(issueSigner(NEW, SIGNER))).outcome, 'pass');
  });

  it('asks before it leaves out an authority that is announced', async () => {
    const old = ['--authority', fingerprintOf(OLD.certificate)];
    const refused = await from(...old, '--keys', cli.path('signers.json'));
    assert.equal(refused.exit, 1);
    assert.match(
      refused.err,
      new RegExp(`by key id: ${Buffer.from(NEW.keyId).toString('hex')}.*KEYS_LEFT_OUT`),
    );
    const dropped = await from(...old, '--drop-keys');
    assert.match(dropped.out, /\nAnnounced no more: 1 key and 1 authority, whose codes are refused\.\n/);
    assert.ok(codesOf(await verdict(issueSigner(NEW, SIGNER))).includes('FOREIGN_KEY_UNKNOWN'));
    assert.equal((await verdict(issueSigner(OLD, SIGNER))).outcome, 'pass');
  });

  it('refuses a signer for good, by whatever certificate, and no other', async () => {
    const other = makeEcSigner();
    assert.equal((await from('--all-authorities', '--refuse', cli.path('signer.pem'))).exit, 0);
    assert.match(await shown(), / {2}refused {2,}1 signer\n/);
    assert.ok(codesOf(await verdict(issueSigner(NEW, SIGNER))).includes('FOREIGN_CERTIFICATE'));
    assert.equal((await from('--all-authorities', '--refuse', cli.path('signer.pem'))).exit, 0);
    assert.equal((await from('--all-authorities')).exit, 0);
    assert.match(await shown(), / {2}refused {2,}1 signer\n/);
    assert.ok(codesOf(await verdict(issueSigner(OLD, SIGNER))).includes('FOREIGN_CERTIFICATE'));
    assert.equal((await verdict(issueSigner(OLD, other), other)).outcome, 'pass');
  });

  it('adapter revoke stops a seal of a signer whom an authority vouches for, and withdraw all of them', async () => {
    const other = makeEcSigner();
    const certificate = issueSigner(NEW, other);
    const text = makeSeal(other, { certificate, data });
    const told = () => cli.json<Told>('verify', '--region', cli.path('AT'), text);
    assert.equal((await told()).outcome, 'pass');
    const revoked = await cli.run('adapter', 'revoke', cli.path('AT'), text);
    assert.equal(revoked.exit, 0, revoked.err);
    assert.ok(codesOf(await told()).includes('REVOKED'));
    await cli.json('adapter', 'withdraw', cli.path('AT'), 'seals');
    assert.ok(codesOf(await told()).includes('FOREIGN_KEY_UNKNOWN'));
  });
});
