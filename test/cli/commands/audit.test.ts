import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AuditedFixture, publish } from '../../support/audit-fixture.ts';
import { TestCli } from '../../support/cli.ts';
import { makeWorld } from '../../support/cli-world.ts';
import { temporaryFolders } from '../../support/temporary.ts';

interface Report {
  readonly region: string;
  readonly logs: readonly {
    readonly log: string;
    readonly signatures: number;
    readonly cosignatures: object[];
  }[];
  readonly faults: readonly { readonly code: string; readonly log: string; readonly index: number }[];
}

describe('entente audit replay, entente log verify', () => {
  const folder = temporaryFolders();
  let cli: TestCli;

  before(async () => {
    const dir = folder();
    await makeWorld(dir);
    cli = new TestCli(dir);
  });

  function flip(path: string): void {
    const bytes = readFileSync(path);
    bytes[40] = (bytes[40] ?? 0) ^ 1;
    writeFileSync(path, bytes);
  }

  it('prove a region that is what it says, say who vouches for it, and change nothing that is published', async () => {
    const times = () =>
      readdirSync(cli.path('CN-33', 'public'), { recursive: true }).map((name) => {
        return `${String(name)} ${statSync(cli.path('CN-33', 'public', String(name))).mtimeMs}`;
      });
    const before = times();
    const path = cli.path('CN-33');
    const report = await cli.json<Report>(
      'audit',
      'replay',
      path,
      '--witness',
      cli.path('DE'),
      '--witness',
      cli.path('FR'),
    );
    assert.deepEqual(report.faults, []);
    assert.deepEqual(
      report.logs.map(({ log, signatures, cosignatures }) => [log, signatures, cosignatures.length]),
      [
        ['CN-33.demo/trust', 0, 2],
        ['CN-33.demo/attest/2026-11', 4, 2],
      ],
    );
    const verified = await cli.run('log', 'verify', path, '--log', '2026-11');
    assert.equal(verified.exit, 0, verified.err);
    assert.match(verified.out, /CN-33\.demo\/attest\/2026-11[^]*All of it agrees/);
    assert.deepEqual(times(), before);
  });

  it('A6 end with 5 at a flipped bit, and name the log and the index of the first fault', async () => {
    const entries = cli.path('CN-33', 'public', 'attest', '2026-11', 'tile', 'entries', '000.p');
    const path = join(entries, readdirSync(entries).sort().at(-1) ?? '');
    flip(path);
    for (const command of [
      ['audit', 'replay'],
      ['log', 'verify'],
    ]) {
      const { exit, out } = await cli.run(...command, cli.path('CN-33', 'public'));
      assert.equal(exit, 5);
      assert.match(out, /CN-33\.demo\/attest\/2026-11, index 0: .*\[LEAF_MISMATCH\]/);
    }
    flip(path);
    assert.equal((await cli.run('audit', 'replay', cli.path('CN-33'))).exit, 0);
  });

  it('end with 4 where there is nothing to audit, and with 2 on arguments that are none', async () => {
    assert.equal((await cli.run('audit', 'replay', '/')).exit, 4);
    assert.equal((await cli.run('audit', 'replay', cli.path('nowhere'))).exit, 2);
    assert.equal((await cli.run('log', 'verify', cli.path('CN-33'), '--threads', '0')).exit, 2);
    assert.equal((await cli.run('audit', 'replay', cli.path('CN-33'), '--fingerprint', 'x')).exit, 2);
  });

  it('T19 refuse a region that is not the one of the fingerprint', async () => {
    const { exit, out } = await cli.run(
      'audit',
      'replay',
      cli.path('CN-33'),
      '--fingerprint',
      'ab'.repeat(32),
    );
    assert.equal(exit, 5);
    assert.match(out, /FINGERPRINT_MISMATCH/);
  });

  it('A9 audit replay --evidence writes what anybody verifies who knows the fingerprint', async () => {
    const fixture = new AuditedFixture(3);
    fixture.attest({ index: 7 });
    const broken = cli.path('broken');
    publish(fixture, broken);
    const to = cli.path('found');
    const { exit, out } = await cli.run('audit', 'replay', broken, '--evidence', to, '--json');
    assert.equal(exit, 5);
    const { evidence } = JSON.parse(out) as { evidence: string[] };
    assert.deepEqual(evidence, [join(to, `${fixture.origin.replaceAll('/', '-')}-3-entry.evidence`)]);
    const fingerprint = Buffer.from(fixture.region.fingerprint).toString('hex');
    const verified = await cli.run('evidence', 'verify', ...evidence, '--fingerprint', fingerprint);
    assert.equal(verified.exit, 0, verified.out);
    assert.match(verified.out, /has logged what is no attestation for index 3/);
    const whole = await cli.run('audit', 'replay', cli.path('CN-33'), '--evidence', to);
    assert.equal(whole.exit, 0, whole.err);
    assert.match(whole.out, /There is no evidence against the region/);
  });
});
