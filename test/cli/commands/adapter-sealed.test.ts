import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { encodeBase64 } from '../../../protocol/encoding/base64.ts';
import { hcertKeyOf } from '../../../node/foreign/hcert-key.ts';
import { VACCINATED } from '../../support/announced-fixture.ts';
import { TestCli } from '../../support/cli.ts';
import { type Told } from '../../support/cli-world.ts';
import { makeEcSigner } from '../../support/foreign-keys.ts';
import { makeHcert } from '../../support/hcert-fixture.ts';
import { temporaryFolders } from '../../support/temporary.ts';
import { makeCertificate } from '../../support/x509-fixture.ts';

/** 23 November 2026: what `VACCINATED` says is two months old. */
const NOW_S = 1_795_436_400;

interface Made {
  readonly keys: readonly { readonly file: string }[];
}

describe('entente adapter of a region whose root is sealed', () => {
  const folder = temporaryFolders();

  it('is set up by drafts, from its rules on, until a certificate passes elsewhere', async () => {
    const cli = new TestCli(folder());
    cli.nowS = NOW_S;
    const path = (name: string) => cli.path(name);
    for (const region of ['AT', 'DE']) await cli.json('init', region, '--dir', path(region));
    mkdirSync(path('usb'));
    writeFileSync(path('pass.txt'), 'five words that mean nothing\n');
    const pass = ['--passphrase-file', path('pass.txt')];
    const sealed = await cli.json<Made>('root', 'seal', path('AT'), '--medium', path('usb'), ...pass);
    const key = ['--key', sealed.keys[0]?.file ?? '', ...pass];

    const activate = ['rules', 'activate', path('AT'), 'hcert'];
    const atOnce = await cli.run(...activate);
    assert.deepEqual([atOnce.exit, /takes --draft/.test(atOnce.err)], [78, true], atOnce.err);
    const drafted = await cli.run(...activate, '--draft', path('rules.json'));
    assert.deepEqual([drafted.exit, /Nothing is logged yet/.test(drafted.out)], [0, true], drafted.err);
    assert.match(drafted.err, /WARNING: .*UTC comes from the profile/);
    const unsigned = await cli.run('root', 'submit', path('AT'), path('rules.json'));
    assert.match(unsigned.err, /DRAFT_INCOMPLETE/);
    const signer = makeEcSigner();
    const der = makeCertificate(signer, { country: 'AT' });
    writeFileSync(path('list.json'), JSON.stringify([{ rawData: encodeBase64(der) }]));
    const announce = ['adapter', 'announce', path('AT'), 'dcc', '--keys', path('list.json')];
    const announcing = [...announce, '--rules', 'hcert', '--draft', path('adapter.json')];
    assert.match((await cli.run(...announcing)).err, /NOT_FOUND/, 'what is drafted alone does not bind');

    const signed = await cli.run('root', 'sign', path('rules.json'), ...key);
    assert.equal(signed.exit, 0, signed.err);
    assert.match(signed.err, /kind: rules[^]*id: hcert/, 'what is signed is shown before');
    await cli.json('root', 'submit', path('AT'), path('rules.json'));
    const again = await cli.run('root', 'submit', path('AT'), path('rules.json'));
    assert.deepEqual([again.exit, /RULES_NOT_NEWER/.test(again.err)], [1, true], 'a version is logged once');
    await cli.json(...announcing);
    await cli.json('root', 'sign', path('adapter.json'), ...key);
    await cli.json('root', 'submit', path('AT'), path('adapter.json'));

    await cli.json('recognise', path('DE'), path('AT'), '--way', 'adapter');
    for (const region of ['AT', 'DE', 'AT']) await cli.run('witness', path(region));
    const keyId = new Uint8Array(Buffer.from(hcertKeyOf(der).keyId, 'base64'));
    const code = makeHcert(signer, {
      certificate: VACCINATED,
      protectedHeader: new Map<number, unknown>([
        [1, -7],
        [4, keyId],
      ]),
      issuedAt: NOW_S - 3_600,
      expiresAt: NOW_S + 86_400,
    });
    const verdict = await cli.json<Told>('verify', '--region', path('DE'), code);
    assert.equal(verdict.outcome, 'pass', JSON.stringify(verdict));
  });
});
