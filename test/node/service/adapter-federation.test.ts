import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { hcertKeyOf } from '../../../node/foreign/hcert-key.ts';
import { VerdictClient } from '../../../node/http/verdict-client.ts';
import { type Verdict } from '../../../protocol/verdict/verdict.ts';
import { VACCINATED } from '../../support/announced-fixture.ts';
import { eventually, Federation, lineOf } from '../../support/federation.ts';
import { makeEcSigner } from '../../support/foreign-keys.ts';
import { makeHcert } from '../../support/hcert-fixture.ts';
import { temporaryFolders } from '../../support/temporary.ts';
import { makeCertificate } from '../../support/x509-fixture.ts';

const [AT, DE, FR] = ['AT', 'DE', 'FR'] as const;
const SIGNER = makeEcSigner();
const DER = makeCertificate(SIGNER, { country: AT });
const passes = ({ outcome }: Verdict) => outcome === 'pass';

describe('A certificate of AT at the gates of others, with nodes as processes', function () {
  this.timeout(180_000);
  const folder = temporaryFolders();
  let world: Federation;
  const path = (...names: readonly string[]) => world.cli.path(...names);

  /** As the health office of AT has made them all along. */
  function certificate(person: number): string {
    const keyId = new Uint8Array(Buffer.from(hcertKeyOf(DER).keyId, 'base64'));
    const day = new Date((world.cli.nowS - 60 * 86_400) * 1_000).toISOString().slice(0, 10);
    const v = [{ ...VACCINATED.v[0], dt: day, ci: `URN:UVCI:01:AT:${person}#X` }];
    return makeHcert(SIGNER, {
      certificate: { ...VACCINATED, v },
      protectedHeader: new Map<number, unknown>([
        [1, -7],
        [4, keyId],
      ]),
      issuedAt: world.cli.nowS - 3_600,
      expiresAt: world.cli.nowS + 86_400,
    });
  }

  before(async () => {
    world = await Federation.found(folder(), [AT, DE, FR]);
    const year = new Date(1_000 * world.cli.nowS).getUTCFullYear();
    writeFileSync(
      path('rules.yaml'),
      `id: dcc\nversion: 1\nbase: { id: hcert, version: 1 }\nregion: AT\nfrom: ${year}-01-01\nuntil: ${year + 1}-12-31\nexamples:\n  - name: nothing\n    at: ${year}-06-01T00:00:00Z\n    facts: {}\n    expect: { open: [vaccinated-tested-or-recovered] }\n`,
    );
    writeFileSync(path('dsc.der'), DER);
    await Promise.all([AT, DE, FR].map((region) => world.start(region)));
    await Promise.all([AT, DE, FR].map((region) => world.node(region).ready()));
  });
  after(() => world.stop());

  it('passes unchanged where AT is recognised by adapter, and not where it is recognised for its attestations', async () => {
    const text = certificate(1);
    await world.cli.json('rules', 'activate', path(AT), path('rules.yaml'));
    await world.cli.json('adapter', 'announce', path(AT), 'dcc', '--keys', path('dsc.der'), '--rules', 'dcc');
    await world.verdictOnce(DE, text, (verdict) => lineOf(verdict).includes('WAY_UNSUPPORTED'));
    await world.cli.json('recognise', path(DE), path(AT), '--way', 'adapter');
    const { colour, foreign, grade, knowledge } = await world.verdictOnce(DE, text, passes);
    assert.deepEqual([colour, grade, foreign?.region, foreign?.adapter], ['green', 'static', AT, 'dcc']);
    assert.deepEqual(
      knowledge.map(({ region }) => region),
      [DE, AT],
    );
    assert.match(lineOf(await world.verdict(FR, text)), /^undetermined .*WAY_UNSUPPORTED/);
    const forged = await world.verdict(DE, makeHcert(makeEcSigner()));
    assert.match(lineOf(forged), /^stop .*FOREIGN_KEY_UNKNOWN/);
  });

  it('stops a certificate that AT revokes, at every gate and for good, and no other', async () => {
    const [text, other] = [certificate(2), certificate(3)];
    await world.verdictOnce(DE, text, passes);
    await world.cli.json('adapter', 'revoke', path(AT), text);
    await world.verdictOnce(DE, text, (verdict) => /^stop .*REVOKED/.test(lineOf(verdict)));
    await world.verdictOnce(DE, other, passes);
    await world.node(DE).end('SIGKILL');
    await world.start(DE);
    await world.node(DE).ready();
    await world.verdictOnce(DE, text, (verdict) => /^stop .*REVOKED/.test(lineOf(verdict)));
  });

  it('a number of AT is looked up for an enrolled gate of DE, and for nobody else', async () => {
    writeFileSync(path('numbers.csv'), 'number,colour,until\nAT-4711,yellow,2099-01-01T00:00:00Z\n');
    await world.cli.json('lookup', 'announce', path(AT), 'numbers', '--prefix', 'AT-', '--for', '2d');
    await world.cli.json('lookup', 'import', path(AT), path('numbers.csv'));
    await world.cli.json('verifier', 'add', path(DE), '--name', 'gate', '--out', path('gate.token'));
    const token = readFileSync(path('gate.token'), 'utf8').trim();
    const gate = new VerdictClient({ urls: [world.node(DE).url], token });
    const ask = async (number: string) => (await gate.verify(number)).verdict;
    const found = await eventually(
      () => ask('AT-4711'),
      ({ colour }) => colour !== undefined,
      lineOf,
    );
    assert.match(lineOf(found), /^act .*IDENTITY_CHECK STATUS_YELLOW/);
    assert.match(lineOf(await ask('AT-4712')), /^stop .*NUMBER_UNKNOWN/);
    assert.match(lineOf(await world.verdict(DE, 'AT-4711')), /^undetermined .*NUMBER_NOT_ENROLLED/);
    const { tables } = await world.cli.json<{ tables: readonly number[] }>('lookup', 'show', path(AT));
    assert.ok(tables.includes(Math.floor(Date.now() / 86_400_000)));
    await world.cli.json('verifier', 'remove', path(DE), '--name', 'gate');
    assert.match(lineOf(await ask('AT-4711')), /^undetermined .*NUMBER_NOT_ENROLLED/);
  });

  it('T5 stops all of them once DE withdraws its recognition, and says so', async () => {
    const text = certificate(4);
    await world.verdictOnce(DE, text, passes);
    await world.cli.json('withdraw', path(DE), AT);
    assert.match(lineOf(await world.verdict(DE, text)), /^stop .*RECOGNITION_WITHDRAWN/);
  });
});
