import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { adminOf } from '../../../cli/desk/admin-of.ts';
import { editConfig } from '../../../node/config/config-file.ts';
import { AdminProblem } from '../../../node/http/admin-client.ts';
import { TestCli } from '../../support/cli.ts';
import { DAY_S } from '../../support/regions.ts';
import { RunningNode } from '../../support/running-node.ts';
import { temporaryFolders } from '../../support/temporary.ts';

const FREE = ['--set', 'http.port=0', '--set', 'p2p.listen=/ip4/127.0.0.1/tcp/0', '--set', 'log.level=warn'];
const PEOPLE = 300;
/** All bundles but the last are given up. */
const GIVEN_UP = 256;

interface Row {
  readonly subject: string;
  readonly log: string;
  readonly index: number;
  readonly code: string;
}

describe('commands about codes of a log that is over', function () {
  this.timeout(120_000);
  const folder = temporaryFolders();
  let cli: TestCli;
  let de: string;
  /** Of somebody whose code is given up, and of somebody whose code is in the bundle that stays. */
  let gone: Row;
  let left: Row;
  let third: string;

  before(async () => {
    cli = new TestCli(folder());
    de = cli.path('DE');
    const nowS = Math.floor(Date.now() / 1000);
    // 75 days ago: its month ended more than 31 days ago, and the keys of its founding are still good.
    cli.nowS = nowS - 75 * DAY_S;
    await cli.json('init', 'DE', '--dir', de);
    const people = Array.from({ length: PEOPLE }, (_, i) => `P${i},green\n`).join('');
    writeFileSync(cli.path('people.csv'), `subject,colour\n${people}`);
    await cli.json('issue', de, cli.path('people.csv'), '--out', cli.path('codes.jsonl'));
    const lines = readFileSync(cli.path('codes.jsonl'), 'utf8').trimEnd().split('\n');
    const rows = lines.map((line) => JSON.parse(line) as Row);
    gone = rows.find(({ index }) => index === 7) as Row;
    left = rows.find(({ index }) => index === GIVEN_UP) as Row;
    third = rows.find((row) => row !== gone && row !== left)?.subject ?? '';
    cli.nowS = nowS;
    await editConfig(cli.path('DE/entente.yaml'), [{ at: ['storage', 'keepAttestationDays'], value: 31 }]);
    await cli.json('state', de);
    for (const subject of [gone.subject, left.subject, 'New'])
      await cli.json('issue', de, '--subject', subject, '--colour', 'green');
  });

  async function ends(exit: number, says: RegExp, ...args: readonly string[]): Promise<string> {
    const outcome = await cli.run(...args);
    assert.match(outcome.err, says);
    assert.equal(outcome.exit, exit, outcome.err);
    return outcome.out;
  }
  const subjectsIn = (csv: string) =>
    csv
      .trimEnd()
      .split('\n')
      .slice(1)
      .map((row) => row.split(',')[0]);
  const NOTED =
    /^Not listed, as given up, since none there can pass or be revoked any more: 256 codes in log \S+\.$/m;

  /** What whoever works on the directory has to say, the command itself or a node. */
  async function speakTruly(fresh: string): Promise<void> {
    const listed = subjectsIn(await ends(0, NOTED, 'codes', de));
    assert.equal(listed.length, PEOPLE - GIVEN_UP + 3);
    assert.equal(subjectsIn(await ends(0, NOTED, 'codes', de, '--log', gone.log)).length, PEOPLE - GIVEN_UP);
    await ends(1, /NOT_FOUND|PATH_UNKNOWN/, 'codes', de, '--log', '2019-01');
    await ends(2, /attestation log/, 'codes', de, '--log', 'trust');
    const of = await ends(0, /1 code in log/, 'codes', de, '--subject', gone.subject);
    assert.equal(subjectsIn(of).length, 1);
    await ends(
      1,
      /given up.*1 code in log.*\[LOG_PRUNED\]/,
      'codes',
      de,
      '--subject',
      gone.subject,
      '--log',
      gone.log,
    );
    for (const { log, index, code } of [gone, left]) {
      await ends(1, /log \S+ is over: .*no code can pass or be revoked \[LOG_OVER\]/, 'revoke', de, code);
      await ends(1, /\[LOG_OVER\]/, 'revoke', de, '--root', `${log}/${index}`);
    }
    const over = await ends(
      0,
      /Left out.*: 1 code in logs that are over\./,
      'revoke',
      de,
      '--subject',
      fresh,
    );
    assert.match(over, /^Revoked 1 code: /);
  }

  it('say what is given up, revoke what can be, and send nobody to his backups', async () => {
    await speakTruly(gone.subject);
    await ends(
      1,
      /nothing was revoked, 1 code found in logs that are over/,
      'revoke',
      de,
      '--subject',
      third,
    );
    for (const args of [
      ['audit', 'replay'],
      ['log', 'verify'],
    ])
      await ends(0, /./, ...args, cli.path('DE/public'));
    for (const args of [
      ['fsck', de],
      ['export', de],
      ['doctor', de, '--problems'],
    ])
      await ends(0, /^/, ...args);
  });

  it('say the same of a region whose node runs', async () => {
    const node = await RunningNode.start(de, ...FREE);
    try {
      await node.ready();
      await speakTruly(left.subject);
      await ends(
        1,
        /nothing was revoked, 1 code found in logs that are over/,
        'revoke',
        de,
        '--subject',
        'P0',
      );
      const client = await adminOf(de, {});
      const order = (body: object) => client.ask({ method: 'POST', path: '/v1/revoke', body });
      const isOver = (error: unknown) =>
        error instanceof AdminProblem && error.problem.status === 410 && error.problem.code === 'LOG_OVER';
      await assert.rejects(order({ subject: third }), isOver);
      await assert.rejects(order({ log: gone.log, indexes: [gone.index] }), isOver);
      const { revoked } = (await order({ subject: left.subject })) as { revoked: readonly object[] };
      assert.equal(revoked.length, 1);
    } finally {
      await node.end('SIGKILL');
    }
  });
});
