import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { hcertKeyOf } from '../../../node/foreign/hcert-key.ts';
import { parseCode } from '../../../protocol/code/code.ts';
import { type Verdict } from '../../../protocol/verdict/verdict.ts';
import { VACCINATED } from '../../support/announced-fixture.ts';
import { Federation, lineOf } from '../../support/federation.ts';
import { makeEcSigner } from '../../support/foreign-keys.ts';
import { makeHcert } from '../../support/hcert-fixture.ts';
import { sha256 } from '../../support/primitives.ts';
import { temporaryFolders } from '../../support/temporary.ts';
import { makeCertificate } from '../../support/x509-fixture.ts';

// AT has certificates, LU codes of its own, FR is the platform, DE takes those of both through it.
const [AT, DE, FR, LU] = ['AT', 'DE', 'FR', 'LU'] as const;
const SIGNER = makeEcSigner();
const DER = makeCertificate(SIGNER, { country: AT });
const passes = ({ outcome }: Verdict) => outcome === 'pass';
const says = (line: RegExp) => (verdict: Verdict) => line.test(lineOf(verdict));

describe('Codes through a platform, with nodes as processes', function () {
  this.timeout(240_000);
  const folder = temporaryFolders();
  let world: Federation;
  const path = (...names: readonly string[]) => world.cli.path(...names);

  function certificate(person: number): string {
    const keyId = new Uint8Array(Buffer.from(hcertKeyOf(DER).keyId, 'base64'));
    const day = new Date((world.cli.nowS - 60 * 86_400) * 1_000).toISOString().slice(0, 10);
    return makeHcert(SIGNER, {
      certificate: { ...VACCINATED, v: [{ ...VACCINATED.v[0], dt: day, ci: `URN:UVCI:01:AT:${person}#X` }] },
      protectedHeader: new Map<number, unknown>([
        [1, -7],
        [4, keyId],
      ]),
      issuedAt: world.cli.nowS - 3_600,
      expiresAt: world.cli.nowS + 30 * 86_400,
    });
  }

  async function bridged(platform: string, text: string): Promise<string> {
    return (await world.cli.json<{ code: string }>('bridge', path(platform), text)).code;
  }

  before(async () => {
    world = await Federation.found(folder(), [AT, DE, FR, LU]);
    writeFileSync(path('dsc.der'), DER);
    await Promise.all([AT, DE, FR, LU].map((region) => world.start(region)));
    await Promise.all([AT, DE, FR, LU].map((region) => world.node(region).ready()));
    await world.cli.json('rules', 'activate', path(AT), 'hcert');
    await world.cli.json(
      'adapter',
      'announce',
      path(AT),
      'dcc',
      '--keys',
      path('dsc.der'),
      '--rules',
      'hcert',
    );
    await world.cli.json('recognise', path(FR), path(AT), '--way', 'adapter');
    for (const origin of [AT, LU])
      await world.cli.json('recognise', path(DE), path(origin), '--way', 'bridge', '--via', FR);
  });
  after(() => world.stop());

  it('passes a certificate through the platform, names both regions, and stops once its own region revokes it', async () => {
    const text = certificate(1);
    await world.verdictOnce(DE, text, says(/WAY_UNSUPPORTED/));
    await world.verdictOnce(FR, text, passes);
    const code = await bridged(FR, text);
    const {
      code: by,
      original,
      colour,
      knowledge,
      expiresAtS = 0,
    } = await world.verdictOnce(DE, code, passes);
    assert.deepEqual([by?.region, original?.region, colour, original?.hashes?.length], [FR, AT, 'green', 3]);
    assert.deepEqual(
      knowledge.map(({ region }) => region),
      [DE, FR, AT],
    );
    assert.ok(expiresAtS - world.cli.nowS <= 86_400 + 3_600);
    await world.cli.json('adapter', 'revoke', path(AT), text);
    await world.verdictOnce(DE, code, says(/^stop .*ORIGINAL_REVOKED/));
    const { exit, err } = await world.cli.run('bridge', path(FR), text);
    assert.equal(exit, 1);
    assert.match(err, /stop: REVOKED/);
  });

  it('passes a code of this network through the platform, by a file with progress and refusals', async () => {
    const [text, gone] = [await world.issue(LU, 'Person 1'), await world.issue(LU, 'Person 2')];
    assert.match(lineOf(await world.verdictOnce(DE, text, says(/WAY_UNSUPPORTED/))), /^undetermined/);
    await world.verdictOnce(FR, gone, passes);
    writeFileSync(path('scanned.txt'), `${text}\n\n${gone}\nENT1:NONSENSE\n`);
    const run = await world.cli.run(
      'bridge',
      path(FR),
      '--file',
      path('scanned.txt'),
      '--out',
      path('codes.csv'),
    );
    assert.equal(run.exit, 1);
    assert.match(run.err, /1 code of 3 could not be bridged:\s+code 3: .*MALFORMED/);
    const [first = '', second = ''] = readFileSync(path('codes.csv'), 'utf8')
      .trimEnd()
      .split('\n')
      .slice(1)
      .map((row) => row.slice(row.lastIndexOf(',') + 1));
    const { original } = await world.verdictOnce(DE, first, passes);
    assert.deepEqual([original?.region, original?.index], [LU, 0]);
    await world.cli.json('revoke', path(LU), gone);
    await world.verdictOnce(DE, second, says(/^stop .*ORIGINAL_REVOKED/));
    await world.verdictOnce(DE, first, passes);
  });

  it('leaves a code that is bound to a device bound to it', async () => {
    const { code } = await world.cli.json<{ code: string }>(
      ...['issue', path(LU), '--subject', 'Phone', '--colour', 'green', '--device', path('phone.json')],
    );
    const { holderKey } = parseCode(sha256, await bridged(FR, code));
    assert.ok(holderKey !== undefined);
    assert.deepEqual(holderKey, parseCode(sha256, code).holderKey);
  });

  it('T3 does not bridge what is bridged, nor its own codes, and no chain of platforms passes', async () => {
    const code = await bridged(FR, await world.issue(LU, 'Person 3'));
    await world.verdictOnce(AT, code, says(/BRIDGED/));
    for (const [platform, text] of [
      [DE, code],
      [FR, code],
      [FR, await world.issue(FR, 'Person 4')],
    ] as const) {
      const { exit, err } = await world.cli.run('bridge', path(platform), text);
      assert.equal(exit, 1);
      assert.match(err, /bridged itself|of this region/);
    }
    // FR has LU through another platform now: what it signed before is as little worth as what it would sign.
    await world.verdictOnce(DE, code, passes);
    await world.cli.json('recognise', path(FR), path(LU), '--way', 'bridge', '--via', AT);
    await world.verdictOnce(
      DE,
      code,
      (verdict) => !passes(verdict) && /BRIDGE_UNFOUNDED|KEY_NOT_YET_KNOWN/.test(lineOf(verdict)),
    );
    const refused = await world.cli.run('bridge', path(FR), await world.issue(LU, 'Person 5'));
    assert.match(refused.err, /WAY_UNSUPPORTED/);
    await world.cli.json('recognise', path(FR), path(LU), '--way', 'direct');
    await world.verdictOnce(DE, code, passes);
  });

  it('takes through a platform alone what it has bridged, and no code of its own', async () => {
    const [own, code] = [
      await world.issue(FR, 'Person 6'),
      await bridged(FR, await world.issue(LU, 'Person 7')),
    ];
    await world.verdictOnce(DE, own, passes);
    await world.cli.json('recognise', path(DE), path(FR), '--way', 'bridge', '--via', FR);
    await world.verdictOnce(DE, own, says(/WAY_UNSUPPORTED/));
    await world.verdictOnce(DE, code, passes);
    await world.cli.json('recognise', path(DE), path(FR), '--way', 'direct');
  });

  it('judges bridged codes offline by a snapshot of the home, and goes on when the platform is killed', async () => {
    const code = await bridged(FR, certificate(2));
    await world.verdictOnce(DE, code, passes);
    await world.cli.json('recognise', path(AT), path(LU));
    const direct = await world.issue(LU, 'Person 8');
    await world.verdictOnce(AT, direct, passes);
    const { parts } = await world.cli.json<{ parts: unknown }>(
      'snapshot',
      'make',
      path(DE),
      '--out',
      path('gate.snap'),
    );
    assert.ok(parts !== null);
    await world.node(FR).end('SIGKILL');
    await world.verdictOnce(AT, direct, passes);
    await world.verdictOnce(DE, code, passes);
    const fingerprint = (
      JSON.parse((await world.get(DE, '/v1/regions')).toString()) as {
        readonly regions: readonly { readonly region: string; readonly fingerprint: string }[];
      }
    ).regions.find(({ region }) => region === DE)?.fingerprint;
    const offline = await world.cli.json<Verdict>(
      'verify',
      '--offline',
      path('gate.snap'),
      '--home',
      DE,
      '--pin',
      fingerprint ?? '',
      code,
    );
    assert.equal(offline.outcome, 'pass', lineOf(offline));
  });

  it('T5 withdrawing the origin binds on this way too, although the platform is gone', async () => {
    const late = await world.issue(LU, 'Person 9');
    await world.cli.json('withdraw', path(DE), LU);
    await world.verdictOnce(DE, late, says(/^stop .*RECOGNITION_WITHDRAWN/));
  });
});
