import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { regionModules } from '../../../cli/region.ts';
import { NodeError } from '../../../node/node-error.ts';
import { cliOf, TestCli } from '../../support/cli.ts';
import { servedRegion } from '../../support/served-region.ts';
import { temporaryFolders } from '../../support/temporary.ts';

const PEOPLE = ['a', 'b', 'c', 'd', 'e'];

describe('entente issue of a file, through a node', function () {
  this.timeout(60_000);
  const folder = temporaryFolders();
  let cli: TestCli;
  let region: string;
  let out: string;

  beforeEach(async () => {
    cli = new TestCli(folder());
    cli.nowS = Math.floor(Date.now() / 1_000);
    region = cli.path('DE');
    out = cli.path('codes.csv');
    await cli.json('init', 'DE', '--dir', region);
    writeFileSync(
      cli.path('people.csv'),
      `subject,colour\n${PEOPLE.map((one) => `${one},green\n`).join('')}`,
    );
  });
  const issue = () => cli.run('issue', region, cli.path('people.csv'), '--out', out);
  const served = async (use: Parameters<typeof servedRegion<void>>[2]) =>
    servedRegion(region, await regionModules(cliOf(cli)), use);

  it('F1: goes on with the same command where the node issued a part, and nobody gets two codes', () =>
    served(async (desk, { node }) => {
      const issueOne = node.issue.bind(node);
      let left = 2;
      node.issue = (request) =>
        left-- > 0 ? issueOne(request) : Promise.reject(new NodeError('SIGNER_FAULTY', 'it signs wrongly'));
      const { exit, err } = await issue();
      assert.notEqual(exit, 0);
      assert.match(err, /2 of 5 codes were issued: it signs wrongly/);
      assert.ok(existsSync(`${out}.run`));
      node.issue = issueOne;
      const again = await issue();
      assert.equal(again.exit, 0, again.err);
      assert.match(again.out, /^Issued 5 codes into log \S+, leaves 0 to 4; codes in /);
      assert.ok(!existsSync(`${out}.run`));
      const rows = readFileSync(out, 'utf8').trimEnd().split('\n').slice(1);
      assert.deepEqual(
        rows.map((row) => row.split(',')[0]),
        PEOPLE,
      );
      const [log = ''] = [...desk.state.logs()].map((one) => one.log);
      assert.equal(await desk.size(log), PEOPLE.length);
    }));

  it('F1: of two commands for one person and one file that overlap, the second issues nothing', () =>
    served(async (desk, { node }) => {
      const issueOne = node.issue.bind(node);
      const heard: (() => void)[] = [];
      const [isInHand, isTwice] = [0, 1].map((i) => new Promise<void>((resolve) => (heard[i] = resolve)));
      let release = (): void => undefined;
      const released = new Promise<void>((resolve) => (release = resolve));
      node.issue = async (request) => {
        heard.shift()?.();
        await released;
        return issueOne(request);
      };
      const one = () => cli.run('issue', region, '--subject', 'a', '--colour', 'green', '--out', out);
      const first = one();
      await isInHand;
      const second = one();
      // Where nothing keeps it back, the second orders before the first has a file.
      await Promise.race([isTwice, setTimeout(500)]);
      release();
      assert.equal((await first).exit, 0);
      const { exit, err } = await second;
      assert.notEqual(exit, 0);
      assert.match(err, /exists already/);
      const [log = ''] = [...desk.state.logs()].map((each) => each.log);
      assert.equal(await desk.size(log), 1);
    }));

  it('leaves no run behind where every row was refused, so that the file can be mended', () =>
    served(async (_desk, { node }) => {
      const issueOne = node.issue.bind(node);
      node.issue = () => Promise.reject(new NodeError('REFUSED', 'the rules say otherwise'));
      const { exit, err } = await issue();
      assert.notEqual(exit, 0);
      assert.match(err, /0 of 5 codes were issued: the rules say otherwise/);
      assert.ok(!existsSync(`${out}.run`));
      node.issue = issueOne;
      writeFileSync(cli.path('people.csv'), 'subject,colour\nf,green\n');
      assert.equal((await issue()).exit, 0);
    }));
});
