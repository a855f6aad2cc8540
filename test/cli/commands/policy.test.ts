import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { editConfig } from '../../../node/config/config-file.ts';
import { encodeSnapshot, parseSnapshot } from '../../../protocol/snapshot/snapshot.ts';
import { codesOf, copyWorld, type Gate, makeWorld, REGIONS, type World } from '../../support/cli-world.ts';
import { cosignedOutside, OUTSIDE, OUTSIDE_POLICY, OUTSIDE_VKEY } from '../../support/outside-witness.ts';
import { temporaryFolders } from '../../support/temporary.ts';

describe('entente verify and snapshot check with --policy', () => {
  const folder = temporaryFolders();
  let world: World;
  let cli: Gate;
  let policy: string;
  let cosigned: string;
  before(async () => {
    world = await makeWorld(folder());
    cli = copyWorld(world, folder());
    policy = cli.path('gate.policy');
    writeFileSync(policy, OUTSIDE_POLICY);
    const { network, parts } = parseSnapshot(readFileSync(cli.path('de.snap')));
    cosigned = cli.path('cosigned.snap');
    const withLine = parts.map((part) => ({
      ...part,
      checkpoint: cosignedOutside(part.checkpoint, cli.nowS),
    }));
    writeFileSync(cosigned, encodeSnapshot({ network, parts: withLine }));
  });
  /** Of a key of the region, as it prints it itself. */
  const vkeyOf = async (region: string, role: string) => {
    const { keys } = await cli.json<{ keys: { role: string; vkey?: string }[] }>(
      ...['key', 'list', cli.path(region)],
    );
    return keys.find((key) => key.role === role)?.vkey;
  };
  const home = () => ['--home', 'DE', '--pin', world.pins['DE'] ?? ''];

  it('refuse a snapshot that the witness outside has not cosigned, and go by one that it has', async () => {
    for (const command of ['verify --offline', 'snapshot check']) {
      const [words, code] = [command.split(' '), command.startsWith('verify') ? [world.codes.green] : []];
      const before = await cli.run(...words, cli.path('de.snap'), ...home(), '--policy', policy, ...code);
      assert.equal(before.exit, 4, before.err);
      assert.match(before.err, /SNAPSHOT_INCOMPLETE/);
      assert.equal((await cli.run(...words, cosigned, ...home(), '--policy', policy, ...code)).exit, 0);
    }
    const verdict = await cli.json<{ outcome: string; knowledge: { witnesses: object }[] }>(
      ...['verify', '--offline', cosigned, ...home(), '--policy', policy, world.codes.green],
    );
    assert.equal(verdict.outcome, 'pass');
    const witnesses = { counted: 1, needed: 1, of: 1, by: 'policy' };
    assert.deepEqual(verdict.knowledge.map((one) => one.witnesses), [witnesses, witnesses]); // prettier-ignore
    const explained = await cli.run(
      ...['verify', '--offline', cosigned, ...home(), '--policy', policy, '--explain', world.codes.green],
    );
    assert.match(explained.out, /1 of 1 witnesses \(1 needed by the own policy\)/);
  });

  it('keep no policy: what was kept is judged by the table, or by the policy that is named then', async () => {
    const keep = ['--keep', cli.path('gate.json')];
    const first = [
      'verify',
      '--offline',
      cosigned,
      ...home(),
      ...keep,
      '--policy',
      policy,
      world.codes.green,
    ];
    assert.equal((await cli.run(...first)).exit, 0);
    const [byTable, again] = [
      await cli.json<{ knowledge: { witnesses: object }[] }>('verify', ...keep, world.codes.green),
      await cli.json<{ outcome: string }>('verify', ...keep, '--policy', policy, world.codes.green),
    ];
    assert.deepEqual(byTable.knowledge.map((one) => one.witnesses), [0, 1].map(() => ({ counted: 2, needed: 1, of: 2 }))); // prettier-ignore
    assert.equal(again.outcome, 'pass');
    const other = cli.path('other.policy');
    writeFileSync(other, `witness FR ${OUTSIDE_VKEY.replace('w.example', 'v.example')}\nquorum FR\n`);
    const refused = await cli.run('verify', ...keep, '--policy', other, world.codes.green);
    assert.equal(refused.exit, 78, refused.err);
    assert.match(refused.err, /other\.policy: line 1: .* \[CONFIG_INVALID\]/);
  });

  it('read in directories what the witness outside cosigned, by the flag and by witness.policy of the region', async () => {
    const region = ['verify', '--region', cli.path('DE')];
    const judged = [...region, '--policy', policy, world.codes.green];
    const both = cli.path('both.policy');
    const [regional, log] = [await vkeyOf('DE', 'witness'), await vkeyOf('DE', 'checkpoint')];
    const listed = (await cli.run('key', 'list', cli.path('DE'))).out;
    assert(listed.includes(`  witness ${regional}\n`) && listed.includes(`  checkpoint ${log}\n`), listed);
    assert.match(`${regional} ${log}`, /^DE\.\S+\/witness\+\S+ DE\.\S+\/trust\+\S+$/);
    assert.equal(await vkeyOf('DE', 'attest'), undefined);
    writeFileSync(
      both,
      `log ${log}\n${OUTSIDE_POLICY.split('\n')[0]}\nwitness DE ${regional}\ngroup g all w DE\nquorum g\n`,
    );
    const audit = ['audit', 'replay', cli.path('CN-33/public'), '--policy', both];
    const by = ['--witness', cli.path('DE')];
    assert.equal((await cli.run(...audit, ...by)).exit, 4, 'a region alone');
    const before = await cli.run(...judged);
    assert.equal(before.exit, 4, before.err);
    assert.match(before.err, /too few witnesses vouch for the log of DE by the policy/);
    for (const of of REGIONS) {
      const path = join(cli.path(of), 'public/trust/checkpoint');
      writeFileSync(path, cosignedOutside(readFileSync(path), cli.nowS));
    }
    const after = await cli.json<{ outcome: string; knowledge: { witnesses: object }[] }>(...judged);
    assert.equal(after.outcome, 'pass');
    assert.equal((await cli.run(...audit)).exit, 4, 'the witness outside alone');
    const audited = await cli.run(...audit, ...by);
    assert.equal(audited.exit, 0, audited.err);
    assert.match(audited.out, /by the policy +2 of 2, 2 needed: enough/);
    const { logs } = await cli.json<{ logs: { witnesses: object; cosignatures: { witness?: string }[] }[] }>(
      ...audit,
      ...by,
    );
    assert.deepEqual(logs[0]?.witnesses, { counted: 2, needed: 2, of: 2, by: 'policy' });
    assert.ok(logs[0].cosignatures.some(({ witness }) => witness === OUTSIDE.name));
    const witnesses = { counted: 1, needed: 1, of: 1, by: 'policy' };
    assert.deepEqual(after.knowledge.map((one) => one.witnesses), [witnesses, witnesses]); // prettier-ignore
    await editConfig(cli.path('DE/entente.yaml'), [{ at: ['witness', 'policy'], value: '../gate.policy' }]);
    const byConfig = await cli.json<{ knowledge: { witnesses: object }[] }>(...region, world.codes.green);
    assert.deepEqual(byConfig.knowledge.map((one) => one.witnesses), [witnesses, witnesses]); // prettier-ignore
  });

  it('are not for nodes, which go by their own', async () => {
    const { exit, err } = await cli.run(
      ...['verify', '--node', 'http://127.0.0.1:1', '--policy', policy, world.codes.green],
    );
    assert.equal(exit, 2);
    assert.match(err, /--node goes with/);
  });

  it('say undetermined of a region that the witness outside left out', async () => {
    const { network, parts } = parseSnapshot(readFileSync(cli.path('de.snap')));
    const onlyHome = cli.path('home-only.snap');
    const some = parts.map((part) =>
      part.region === 'DE' ? { ...part, checkpoint: cosignedOutside(part.checkpoint, cli.nowS) } : part,
    );
    writeFileSync(onlyHome, encodeSnapshot({ network, parts: some }));
    const told = await cli.json<Parameters<typeof codesOf>[0]>(
      ...['verify', '--offline', onlyHome, ...home(), '--policy', policy, world.codes.green],
    );
    assert.equal(told.outcome, 'undetermined');
    assert.deepEqual(codesOf(told), ['TRUST_MISSING']);
  });
});
