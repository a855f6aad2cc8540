import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LevelDisk } from '../../../node/store/level-disk.ts';
import { TestCli } from '../../support/cli.ts';
import { makeWorld } from '../../support/cli-world.ts';
import { temporaryFolders } from '../../support/temporary.ts';

interface Report {
  readonly owner?: string;
  readonly values: Readonly<Record<string, number>>;
  readonly logs: Readonly<Record<string, number>>;
  readonly incomplete: boolean;
  readonly faults: readonly { readonly code: string; readonly message: string }[];
  readonly faultCount: number;
}

describe('entente fsck', () => {
  const folder = temporaryFolders();
  let whole: TestCli;

  before(async () => {
    const dir = folder();
    await makeWorld(dir);
    whole = new TestCli(dir);
  });

  /** The world of one test, which may be damaged. */
  function copied(): TestCli {
    const cli = new TestCli(folder());
    for (const name of ['CN-33', 'DE', 'FR']) cpSync(whole.path(name), cli.path(name), { recursive: true });
    return cli;
  }

  async function found(cli: TestCli): Promise<Report> {
    const { exit, out, err } = await cli.run('fsck', cli.path('CN-33'), '--json');
    const report = JSON.parse(out) as Report;
    assert.equal(exit, report.faultCount > 0 || report.incomplete ? 5 : 0, err);
    return report;
  }

  function levelFile(cli: TestCli, form: RegExp): string {
    const level = cli.path('CN-33', 'store', 'level');
    const name = readdirSync(level).find(
      (one) => form.test(one) && readFileSync(join(level, one)).length > 0,
    );
    return join(level, name ?? assert.fail(`no file like ${form}`));
  }

  function flip(path: string, at: (length: number) => number): void {
    const bytes = readFileSync(path);
    const place = at(bytes.length);
    bytes[place] = (bytes[place] ?? 0) ^ 1;
    writeFileSync(path, bytes);
  }

  it('counts what a whole store holds', async () => {
    const report = await found(copied());
    assert.equal(report.owner, 'CN-33.demo');
    assert.equal(report.logs['CN-33.demo/attest/2026-11'], 4);
    assert.ok((report.values['registry'] ?? 0) > 0);
    assert.deepEqual(report.faults, []);
  });

  it('finds a flipped bit in the write-ahead log of the store', async () => {
    const cli = copied();
    // Not in the last record, whose damage is that of a write that never finished.
    flip(levelFile(cli, /\.log$/), () => 20);
    const { faults } = await found(cli);
    assert.ok(faults.some(({ code }) => code === 'STORE_CORRUPT'));
  });

  it('finds a damaged manifest, and says what to do', async () => {
    const cli = copied();
    flip(levelFile(cli, /^MANIFEST-/), () => 12);
    const { exit, out } = await cli.run('fsck', cli.path('CN-33'));
    assert.equal(exit, 5);
    assert.match(out, /STORE_CORRUPT[^]*fsck --salvage/);
  });

  it('finds a mark of the second place that is not what was written', async () => {
    const cli = copied();
    const place = cli.path('CN-33', 'second-place');
    const mark = readdirSync(place).find((name) => name.includes('trust')) ?? assert.fail('no mark');
    flip(join(place, mark), (length) => length - 1);
    assert.deepEqual(
      (await found(cli)).faults.map(({ code }) => code),
      ['SECOND_PLACE_CORRUPT'],
    );
  });

  it('T9: finds a store that has gone back behind its second place', async () => {
    const cli = copied();
    const store = cli.path('CN-33', 'store');
    cpSync(store, cli.path('old'), { recursive: true });
    await cli.json('issue', cli.path('CN-33'), '--subject', 'Later', '--colour', 'green');
    rmSync(store, { recursive: true });
    cpSync(cli.path('old'), store, { recursive: true });
    const { faults } = await found(cli);
    assert.ok(faults.some(({ message }) => message.includes('the store has gone back')));
  });

  it('--salvage keeps what is whole, and the damaged store beside it', async () => {
    const cli = copied();
    const before = await found(cli);
    flip(levelFile(cli, /^MANIFEST-/), () => 12);
    const salvaged = await cli.json<{ kept: number }>('fsck', cli.path('CN-33'), '--salvage');
    assert.ok(salvaged.kept > 0);
    assert.ok(readdirSync(cli.path('CN-33', 'store')).some((name) => name.startsWith('level.damaged-')));
    const after = await found(cli);
    assert.equal(after.incomplete, true);
    assert.deepEqual(after.faults, []);
    assert.deepEqual(after.logs, before.logs);
  });

  it('refuses a directory without a store, and one that a process has open', async () => {
    const cli = copied();
    mkdirSync(cli.path('empty'));
    const none = await cli.run('fsck', cli.path('empty'));
    assert.equal(none.exit, 4);
    assert.match(none.err, /there is no store/);
    const disk = new LevelDisk({ directory: cli.path('CN-33', 'store'), reserveBytes: 0 });
    await disk.open();
    try {
      const locked = await cli.run('fsck', cli.path('CN-33'));
      assert.equal(locked.exit, 1);
      assert.match(locked.err, /STORE_LOCKED/);
    } finally {
      await disk.close();
    }
  });
});
