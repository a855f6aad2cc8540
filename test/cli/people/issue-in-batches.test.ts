import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { regionModules, withRegion } from '../../../cli/region.ts';
import { NodeError } from '../../../node/node-error.ts';
import { type Region } from '../../../node/region/region.ts';
import { parseCode } from '../../../protocol/code/code.ts';
import { cliOf, TestCli } from '../../support/cli.ts';
import { sha256 } from '../../support/primitives.ts';
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

  describe('by rules', () => {
    const issueByRules = (...more: readonly string[]) =>
      cli.run('issue', region, cli.path('declared.csv'), '--rules', 'de', '--out', out, ...more);
    const subjects = () =>
      readFileSync(out, 'utf8')
        .trimEnd()
        .split('\n')
        .slice(1)
        .map((row) => row.split(',')[0]);

    beforeEach(async () => {
      const today = new Date(cli.nowS * 1_000).toISOString().slice(0, 10);
      const year = Number(today.slice(0, 4));
      writeFileSync(
        cli.path('rules.yaml'),
        `id: de\nversion: 1\nbase: { id: baseline, version: 1 }\nregion: DE\nfrom: ${year}-01-01\nuntil: ${year + 1}-12-31\nexamples:\n  - { name: open, at: ${today}T00:00:00Z, facts: {}, expect: { open: [declared, consent] } }\n`,
      );
      await cli.json('rules', 'activate', region, cli.path('rules.yaml'));
      // Of whom the rules know too little to say anything.
      const open = 'open,,\n';
      const rows = PEOPLE.map((one) => `${one},${today},true\n`).join('');
      writeFileSync(cli.path('declared.csv'), `subject,declaration.day,declaration.consent\n${open}${rows}`);
    });

    /** Lets the node issue to so many, and then no more. */
    async function broken(node: Region['node'], issued: number): Promise<void> {
      let left = issued;
      const issueOne = node.issue.bind(node);
      node.issue = (request) =>
        left-- > 0 ? issueOne(request) : Promise.reject(new NodeError('SIGNER_FAULTY', 'it signs wrongly'));
      const { exit, err } = await issueByRules('--leave-open');
      assert.notEqual(exit, 0);
      assert.match(err, /line 2: .*declared/);
      assert.match(err, new RegExp(`${issued} of 5 codes were issued: it signs wrongly`));
      assert.ok(!readFileSync(`${out}.decided`, 'latin1').includes('declaration'));
      node.issue = issueOne;
    }

    it('goes on with the same command to give what was decided first, and nobody gets two codes', () =>
      served(async (desk, { node }) => {
        await broken(node, 2);
        cli.nowS += 600;
        const differs = await issue();
        assert.match(differs.err, /RUN_DIFFERS/);
        const again = await issueByRules('--leave-open');
        assert.equal(again.exit, 0, again.err);
        assert.match(again.out, /^Issued 5 codes into log \S+, leaves 0 to 4; codes in /);
        assert.deepEqual(subjects(), PEOPLE);
        const [log = ''] = [...desk.state.logs()].map((one) => one.log);
        assert.equal(await desk.size(log), PEOPLE.length);
        for (const name of ['run', 'part', 'decided']) assert.ok(!existsSync(`${out}.${name}`));
      }));

    it('goes on by the directory where the node has ended meanwhile', async () => {
      await served((_desk, { node }) => broken(node, 2));
      const begun = JSON.parse(readFileSync(`${out}.run`, 'utf8')) as object;
      await withRegion(cliOf(cli), region, ({ state, node }) => {
        const [{ log } = { log: '' }] = [...state.logs()];
        return node.revoke({ log, indexes: [1] });
      });
      const again = await issueByRules('--leave-open');
      assert.equal(again.exit, 0, again.err);
      assert.match(again.out, /^Issued 5 codes into log \S+, leaves 0 to 4; codes in /);
      assert.match(again.out, /1 code of these was revoked while the run was broken off/);
      assert.deepEqual(subjects(), PEOPLE);
      // As where it died before it had removed its journal.
      const { size: bytes } = statSync(out);
      writeFileSync(`${out}.run`, JSON.stringify({ ...begun, done: 5, bytes, inHand: undefined }));
      assert.equal((await issueByRules('--leave-open')).exit, 0);
      assert.ok(!existsSync(`${out}.run`));
      assert.deepEqual(subjects(), PEOPLE);
    });

    it('goes on by the directory, and revokes what is looser where the node ended before it had', async () => {
      const today = new Date(cli.nowS * 1_000).toISOString().slice(0, 10);
      const head = 'subject,declaration.day,declaration.consent,declaration.symptoms\n';
      writeFileSync(
        cli.path('declared.csv'),
        `${head}open,,,\na,${today},true,true\nb,${today},true,false\n`,
      );
      await served(async (_desk, { node }) => {
        const issueOne = node.issue.bind(node);
        let calls = 0;
        node.issue = async (request) => {
          if (calls++ > 0) return issueOne(request);
          // It comes into the log between the two looks.
          const expiresAtS = Math.ceil(cli.nowS / 3_600) * 3_600 + 86_400;
          const status = {
            colour: 'green',
            measure: 'none',
            expiresAtS,
            ruleId: 'x',
            ruleVersion: 1,
          } as const;
          await issueOne({ subject: 'a', fields: { status } });
          return issueOne(request);
        };
        Object.assign(node.overrides.beside, {
          lookAgain: () => Promise.reject(new NodeError('SIGNER_FAULTY', 'it ends')),
        });
        assert.notEqual((await issueByRules('--leave-open')).exit, 0);
      });
      const again = await issueByRules('--leave-open');
      assert.equal(again.exit, 0, again.err);
      assert.deepEqual(subjects(), ['a', 'b']);
      const { out: codes } = await cli.run('codes', region, '--subject', 'a', '--json');
      const held = codes
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as { log: string; index: number; code: string });
      await withRegion(cliOf(cli), region, ({ state }) => {
        const seen = held.map(({ log, index, code }) => [
          parseCode(sha256, code).status.colour,
          state.revoked(log)?.has(index) === true,
        ]);
        assert.deepEqual(
          new Map(seen as [string, boolean][]),
          new Map([
            ['green', true],
            ['yellow', false],
          ]),
        );
        return Promise.resolve();
      });
    });

    it('ends with --leave-open without those who were decided on too long ago', () =>
      served(async (_desk, { node }) => {
        await broken(node, 2);
        cli.nowS += 2 * 3_600;
        const refused = await issueByRules();
        assert.notEqual(refused.exit, 0);
        assert.match(refused.err, /0 of 3 codes were issued: it was decided at another time/);
        assert.match(refused.err, /The same command with --leave-open ends without those/);
        assert.ok(!refused.err.includes('are printed by'));
        const { exit, out: said, err } = await issueByRules('--leave-open');
        assert.equal(exit, 0, err);
        assert.match(err, /3 persons got no code, since it was refused:\n {2}\w: it was decided at another/);
        assert.match(said, /^Issued 2 codes into log \S+, leaves 0 to 1; codes in .*\n3 persons got no code/);
        assert.equal(subjects().length, 2);
        for (const name of ['run', 'part', 'decided']) assert.ok(!existsSync(`${out}.${name}`));
      }));

    it('goes on by the directory to end with --leave-open without whoever is refused there', async () => {
      await served((_desk, { node }) => broken(node, 2));
      cli.nowS += 2 * 3_600;
      const refused = await issueByRules();
      assert.match(refused.err, /0 of 3 codes were issued: it was decided at another time/);
      assert.match(refused.err, /The same command with --leave-open ends without those/);
      const { exit, out: said, err } = await issueByRules('--leave-open');
      assert.equal(exit, 0, err);
      assert.match(err, /3 persons got no code, since it was refused:\n {2}\w: it was decided at another/);
      assert.match(said, /^Issued 2 codes .*\n3 persons got no code/);
      assert.equal(subjects().length, 2);
    });

    it('by the directory issues to nobody where somebody is refused, who is named, and to the others with --leave-open', async () => {
      const declared = new Date(cli.nowS * 1_000).toISOString();
      const rows = ['b', 'd'].map((one) => `${one},Person ${one},1990-05-17,${declared},true,true\n`);
      const head = 'subject,full_name,birth_date,declared_at,consent,symptoms\n';
      writeFileSync(cli.path('sick.csv'), head + rows.join(''));
      await cli.json('declare', region, cli.path('sick.csv'));
      const named = /2 persons got no code, since it was refused:\n {2}b: with what .*\n {2}d: with what/;
      const people = readFileSync(cli.path('declared.csv'), 'utf8').replace('open,,\n', '');
      writeFileSync(cli.path('declared.csv'), people);
      const refused = await issueByRules();
      assert.equal(refused.exit, 1);
      assert.match(refused.err, named);
      assert.match(refused.err, /0 of 5 codes were issued: with what the region knows .*\[REFUSED\]/s);
      for (const name of ['', '.run', '.part', '.decided']) assert.ok(!existsSync(out + name));
      const { exit, err, out: said } = await issueByRules('--leave-open', '--json');
      assert.equal(exit, 0, err);
      assert.match(err.replaceAll('\\n', '\n'), named);
      const { issued, refused: left, from, to } = JSON.parse(said) as Record<string, number>;
      assert.deepEqual([issued, left, from, to], [3, 2, 0, 2]);
      assert.deepEqual(subjects(), ['a', 'c', 'e']);
    });

    it('leaves nothing behind where the node refused everybody', () =>
      served(async (_desk, { node }) => {
        node.issue = () => Promise.reject(new NodeError('REFUSED', 'the rules say otherwise'));
        const { exit, err } = await issueByRules('--leave-open');
        assert.notEqual(exit, 0);
        assert.match(err, /0 of 5 codes were issued: the rules say otherwise/);
        for (const name of ['run', 'part', 'decided']) assert.ok(!existsSync(`${out}.${name}`));
      }));
  });

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
