import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { TestCli } from '../../support/cli.ts';
import { passport } from '../../support/lists-fixture.ts';
import { RunningNode } from '../../support/running-node.ts';
import { temporaryFolders } from '../../support/temporary.ts';

const FREE = ['--set', 'http.port=0', '--set', 'p2p.listen=/ip4/127.0.0.1/tcp/0', '--set', 'log.level=warn'];
const HEAD = 'id_type,id_country,id_number,contact,day\n';

interface Report {
  readonly outcome: string;
  readonly updateInS?: number;
  readonly list: { readonly version: number; readonly rows: number; readonly entries: number };
}

describe('entente lists', function () {
  this.timeout(60_000);
  const folder = temporaryFolders();
  let cli: TestCli;
  let region: string;
  let node: RunningNode | undefined;

  beforeEach(async () => {
    cli = new TestCli(folder());
    cli.nowS = Math.floor(Date.now() / 1_000);
    region = cli.path('DE');
    await cli.json('init', 'DE', '--dir', region);
  });
  afterEach(async () => {
    await node?.end('SIGKILL');
    node = undefined;
  });

  const imported = (text: string, asOf: string, ...more: readonly string[]) => {
    writeFileSync(cli.path('list.csv'), text);
    const args = [
      'lists',
      'import',
      region,
      'contacts',
      cli.path('list.csv'),
      '--source',
      'Office',
      '--as-of',
      asOf,
    ];
    return cli.run(...args, ...more, '--json');
  };
  const pick = ({ version, rows, entries }: Report['list']) => ({ version, rows, entries });
  const rows = (count: number, word = 'close') =>
    HEAD + Array.from({ length: count }, (_, i) => `${passport(i)},${word},2025-01-20\n`).join('');

  for (const how of ['by its directory', 'by the node that runs on it'])
    it(`import, show and history work on a region ${how}`, async () => {
      if (how.includes('node')) {
        node = await RunningNode.start(region, ...FREE);
        await node.ready();
      }
      assert.equal((await cli.run('lists', 'history', region, 'contacts')).exit, 1);
      const first = await imported(rows(3_000), '2025-02-01T00:00:00Z');
      assert.equal(first.exit, 0, first.err);
      const { outcome, list, updateInS = 60 } = JSON.parse(first.out) as Report;
      assert.equal(updateInS <= 5, how.includes('node'));
      assert.deepEqual([outcome, list.version, list.rows, list.entries], ['imported', 1, 3_000, 3_000]);
      const again = await imported(rows(3_000), '2025-02-01T00:00:00Z');
      assert.equal((JSON.parse(again.out) as Report).outcome, 'unchanged');
      const older = await imported(rows(3), '2025-01-31T00:00:00Z');
      assert.deepEqual([older.exit, /"code":"(\w+)"/.exec(older.err)?.[1]], [1, 'REFUSED']);
      // Reading ends long before the file does.
      const bad = await imported(rows(50_000, 'none'), '2025-02-02T00:00:00Z');
      assert.equal(bad.exit, 1);
      const { error } = JSON.parse(bad.err) as { error: { code: string; details: readonly object[] } };
      assert.equal(error.code, 'LIST_INVALID');
      assert.equal(error.details.length, 20);
      const reason = 'is none of close, secondary';
      assert.deepEqual(error.details[0], { line: 2, column: 'contact', reason, example: 'close' });
      const nobody = await imported(HEAD, '2025-02-02T00:00:00Z');
      assert.match(nobody.err, /the file has no rows: .*--empty/);
      const shown = await cli.json<Record<string, { version: number }>>('lists', 'show', region);
      assert.deepEqual(
        Object.entries(shown).map(([kind, { version }]) => [kind, version]),
        [['contacts', 1]],
      );
      const { versions } = await cli.json<{ versions: readonly object[] }>(
        'lists',
        'history',
        region,
        'contacts',
      );
      assert.equal(versions.length, 1);
      const off = await imported(HEAD, '2025-02-02T00:00:00Z', '--empty');
      assert.equal(off.exit, 0, off.err);
      assert.deepEqual([2, 0, 0], Object.values(pick((JSON.parse(off.out) as Report).list)));
    });

  const usage: readonly [string, readonly string[]][] = [
    ['a kind that is none', ['import', 'DE', 'people', 'list.csv', '--source', 'x', '--as-of', '1']],
    ['no source', ['import', 'DE', 'control', 'list.csv', '--as-of', '1']],
    ['an empty source', ['import', 'DE', 'control', 'list.csv', '--source', ' ', '--as-of', '1']],
    [
      'a day without a time',
      ['import', 'DE', 'control', 'list.csv', '--source', 'x', '--as-of', '2026-11-20'],
    ],
    ['a file that is not there', ['import', 'DE', 'control', 'none.csv', '--source', 'x', '--as-of', '1']],
    ['a folder', ['import', 'DE', 'control', '.', '--source', 'x', '--as-of', '1']],
    [
      'an encoding that is none',
      ['import', 'DE', 'control', 'x', '--source', 'x', '--as-of', '1', '--encoding', 'gbk'],
    ],
  ];
  for (const [what, args] of usage)
    it(`refuses ${what}`, async () => {
      assert.equal((await cli.run('lists', ...args)).exit, 2);
    });

  it('example prints a file that import takes', async () => {
    const { out } = await cli.run('lists', 'example', 'contacts');
    writeFileSync(cli.path('example.csv'), out.replaceAll('2026-11-20', '2025-01-20'));
    const args = ['--source', 'x', '--as-of', '2025-02-01T00:00:00Z'];
    await cli.json('lists', 'import', region, 'contacts', cli.path('example.csv'), ...args);
  });
});
