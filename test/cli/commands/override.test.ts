import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { type Digested } from '../../../cli/desk/override-desk.ts';
import { EXIT } from '../../../cli/exit.ts';
import { withRegion } from '../../../cli/region.ts';
import {
  PROPOSALS_OPEN_MAX,
  type OverrideSeen,
  type OverrideShown,
} from '../../../node/abuse/override-kept.ts';
import { signProposal } from '../../../node/abuse/override-signing.ts';
import { openNativeCrypto } from '../../../node/crypto/native.ts';
import { openOperatorKey } from '../../../node/operators/operator-key.ts';
import { readPublicRegion } from '../../../node/region/public-region.ts';
import { type Store } from '../../../node/store/store.ts';
import { storeInDirectory } from '../../../node/store/store-directory.ts';
import { systemClock } from '../../../node/system-clock.ts';
import { systemRandom } from '../../../node/system-random.ts';
import { hexOf } from '../../../protocol/bytes.ts';
import { OVERRIDE_SUBJECTS_MAX } from '../../../protocol/limits.ts';
import { keyIdOf } from '../../../protocol/signature/key-id.ts';
import { type LoggedTally } from '../../../protocol/trust/trust-state.ts';
import { cliOf, TestCli } from '../../support/cli.ts';
import { type ActingOperator, operatorOf } from '../../support/operators.ts';
import { sha256 } from '../../support/primitives.ts';
import { DAY_S } from '../../support/region-fixture.ts';
import { temporaryFolders } from '../../support/temporary.ts';

describe('entente override', () => {
  const folder = temporaryFolders();
  let cli: TestCli;
  let de: string;
  let log: string;

  const as = (name: string) => ['--operator', cli.path(`${name}.key`)];
  const RED = ['--colour', 'red', '--reason', 'laboratory', '--days', '14'];
  const propose = (name: string, ...subjects: readonly string[]) =>
    cli.json<Digested>(
      ...['override', 'propose', de, ...as(name), ...RED],
      ...subjects.flatMap((subject) => ['--subject', subject]),
    );
  const confirm = (name: string, { id, proposalDigest }: Pick<Digested, 'id' | 'proposalDigest'>) =>
    cli.run('override', 'confirm', de, id, '--digest', proposalDigest, ...as(name));

  async function withStore<T>(use: (store: Store) => Promise<T>): Promise<T> {
    const store = storeInDirectory(
      { directory: `${de}/store`, owner: 'DE.demo', reserveBytes: 0 },
      { clock: systemClock },
    );
    try {
      await store.start();
      return await use(store);
    } finally {
      await store.stop();
    }
  }

  /** What a region tells of its newest leaves. */
  async function tally(): Promise<LoggedTally | undefined> {
    const modules = await openNativeCrypto();
    const { state } = await readPublicRegion(`${de}/public`, { region: 'DE' }, modules);
    return state.tally(log);
  }

  before(async () => {
    cli = new TestCli(folder());
    de = cli.path('DE');
    await cli.json('init', 'DE', '--dir', de);
    const { log: month } = await cli.json<{ log: string }>(
      ...['issue', de, '--subject', 'P1', '--colour', 'green'],
    );
    log = month;
    for (const name of ['anna', 'bert']) {
      const order = ['--name', name, '--scopes', 'issue,revoke,read', '--out', cli.path(`${name}.key`)];
      await cli.json('operator', 'add', de, ...order);
    }
  });

  it('one operator alone gives no colour without a rule, of whatever colour', async () => {
    for (const colour of ['green', 'yellow', 'red']) {
      const { exit, err } = await cli.run('issue', de, ...as('anna'), '--subject', 'P1', '--colour', colour);
      assert.equal(exit, EXIT.failure);
      assert.match(err, /a colour without a rule takes two operators \[REFUSED\]/);
    }
  });

  it('who proposed cannot confirm, another does, and what is looser is revoked', async () => {
    const proposed = await propose('anna', 'P1', 'P2');
    assert.equal(proposed.state, 'proposed');
    assert.match((await confirm('anna', proposed)).err, /who proposed it cannot confirm it \[REFUSED\]/);
    const { exit, out } = await confirm('bert', proposed);
    assert.equal(exit, EXIT.ok);
    assert.match(out, /2 codes issued/);
    assert.match((await confirm('bert', proposed)).err, /is done \[REFUSED\]/);
    const codes = await cli.run('codes', de, ...as('anna'), '--subject', 'P1', '--json');
    const held = codes.out.trim().split('\n');
    assert.equal(held.length, 2);
    const again = await cli.run('revoke', de, ...as('anna'), `${log}/0`);
    assert.match(again.out + again.err, /before|already/i);
  });

  it('whoever is to confirm sees whom it names, and nobody does without the scope for it', async () => {
    const { id, proposalDigest } = await propose('anna', 'P10', 'P11');
    const shown = await cli.json<Digested<OverrideShown>>('override', 'show', de, id, ...as('bert'));
    assert.deepEqual([shown.state, shown.subjects], ['proposed', ['P10', 'P11']]);
    assert.equal(shown.proposalDigest, proposalDigest);
    const { out } = await cli.run('override', 'show', de, id, ...as('bert'));
    assert.match(out, /red for 2 persons, laboratory, 14 days; by anna.*\n {2}P10\n {2}P11\nDigest: /);
    assert.match(out, new RegExp(` {2}entente override confirm \\S+ ${id} --digest ${proposalDigest} `));
    assert.match((await cli.run('override', 'show', de, id)).err, /SCOPE_MISSING/);
    const none = await cli.run('override', 'show', de, 'f'.repeat(32), ...as('bert'));
    assert.match(none.err, /NOT_FOUND/);
    for (const subject of ['P10', 'P11'])
      await cli.run('forget', de, ...as('bert'), '--subject', subject, '--let-pass');
  });

  it('nobody confirms what they have not seen: without its digest, or after another was put under its id', async () => {
    cli.nowS++;
    const anna = await openOperatorKey(cli.path('anna.key'), 'DE', await openNativeCrypto());
    const operator = {
      name: 'anna',
      publicKey: hexOf(anna.publicKey),
      scopes: ['issue' as const],
      addedAtS: 0,
    };
    const actor = { name: 'anna', keyId: keyIdOf(sha256, anna.publicKey), may: new Set(operator.scopes) };
    // Nothing that is drawn differs: what she signs anew has the same id.
    const order = { reason: 'laboratory', colour: 'red', days: 14 } as const;
    const modules = {
      sha256,
      random: (length: number) => new Uint8Array(length).fill(7),
      nowS: () => cli.nowS,
    };
    const put = (subjects: readonly string[]) =>
      withRegion(cliOf(cli), de, ({ node: { overrides } }) => {
        const signed = signProposal({ region: 'DE', network: 'demo' }, { ...order, subjects }, anna, modules);
        return overrides.propose(signed, actor, { find: () => operator });
      });
    const { id } = await put(['P12']);
    const show = () => cli.json<Digested<OverrideShown>>('override', 'show', de, id, ...as('bert'));
    const seen = await show();
    const without = await cli.run('override', 'confirm', de, id, ...as('bert'));
    assert.equal(without.exit, EXIT.usage);
    assert.match(without.err, /give --digest[^]*entente override show/);
    const short = ['--digest', seen.proposalDigest.slice(1)];
    assert.equal((await cli.run('override', 'confirm', de, id, ...short, ...as('bert'))).exit, EXIT.usage);
    await withStore((store) => store.write([{ del: `override/${id}` }]));
    await put(['P12', 'P13']);
    const { exit, err } = await confirm('bert', seen);
    assert.equal(exit, EXIT.failure);
    assert.match(err, /not what was shown[^]*\[REFUSED\]/);
    for (const subject of ['P12', 'P13'])
      assert.equal(
        (await cli.run('codes', de, ...as('anna'), '--subject', subject, '--json')).out.trim(),
        '',
      );
    const again = await show();
    assert.deepEqual([again.state, again.subjects], ['proposed', ['P12', 'P13']]);
    assert.notEqual(again.proposalDigest, seen.proposalDigest);
    for (const subject of again.subjects)
      await cli.run('forget', de, ...as('bert'), '--subject', subject, '--let-pass');
  });

  it('a proposal lapses after a day, and names nobody any more then', async () => {
    cli.nowS++;
    const proposed = await propose('anna', 'P3');
    cli.nowS += DAY_S + 1;
    assert.match((await confirm('bert', proposed)).err, /more than a day ago/);
    const { overrides } = await cli.json<{ overrides: OverrideSeen[] }>(
      'override',
      'list',
      de,
      ...as('anna'),
    );
    assert.deepEqual(
      overrides.map(({ state, people }) => [state, people]),
      [
        ['lapsed', 1],
        ['done', 2],
      ],
    );
    const after = await cli.json<{ overrides: OverrideSeen[] }>('override', 'list', de, ...as('anna'));
    assert.equal(after.overrides.length, 1);
  });

  it('list gives the newest first, so many as are asked for, and goes on behind one', async () => {
    type Listed = { overrides: OverrideSeen[]; more: boolean };
    const list = (...more: string[]) => cli.json<Listed>('override', 'list', de, ...as('anna'), ...more);
    const earlier = await list();
    const ids: string[] = [];
    for (const subject of ['P20', 'P21', 'P22']) {
      cli.nowS++;
      ids.unshift((await propose('anna', subject)).id);
    }
    const idsOf = ({ overrides }: Listed) => overrides.map(({ id }) => id);
    const first = await list('--last', '2');
    assert.deepEqual([idsOf(first), first.more], [ids.slice(0, 2), true]);
    const rest = await list('--after', ids[1] ?? '');
    assert.deepEqual([idsOf(rest), rest.more], [[ids[2], ...idsOf(earlier)], false]);
    const { out } = await cli.run('override', 'list', de, ...as('anna'), '--last', '1');
    assert.match(out, new RegExp(`There are older ones: say --after ${ids[0]}`));
    for (const wrong of ['0', '1001', 'x'])
      assert.equal((await cli.run('override', 'list', de, '--last', wrong)).exit, EXIT.usage);
    assert.equal((await cli.run('override', 'list', de, '--after', 'x')).exit, EXIT.usage);
    for (const subject of ['P20', 'P21', 'P22'])
      await cli.run('forget', de, ...as('bert'), '--subject', subject, '--let-pass');
  });

  it('list names one that cannot be read beside the others, and ends with 5', async () => {
    cli.nowS++;
    const { id: good } = await propose('anna', 'P30');
    cli.nowS++;
    const { id: bad } = await propose('anna', 'P31');
    const key = `override/${bad}`;
    const before = await withStore(async (store) => {
      const sealed = (await store.get(key)) ?? assert.fail();
      await store.write([{ put: key, value: Buffer.of(1) }]);
      return sealed;
    });
    const { exit, out } = await cli.run('override', 'list', de, ...as('anna'), '--last', '2');
    assert.equal(exit, EXIT.inconsistent);
    assert.match(out, new RegExp(`${good}  proposed`));
    assert.match(out, new RegExp(`REGISTRY_CORRUPT: the override ${bad} is damaged`));
    assert.match(out, new RegExp(`say --after ${good}`));
    const shown = await cli.run('override', 'show', de, bad, ...as('bert'));
    assert.deepEqual([shown.exit, /REGISTRY_CORRUPT/.test(shown.err)], [EXIT.inconsistent, true]);
    await withStore((store) => store.write([{ put: key, value: before }]));
    for (const subject of ['P30', 'P31'])
      await cli.run('forget', de, ...as('bert'), '--subject', subject, '--let-pass');
  });

  it('stands in the tally of the day, exactly, beside what one person issued before there were operators', async () => {
    // Whoever issues next tells of the day before.
    const proposed = await propose('anna', 'P5');
    assert.equal((await confirm('bert', proposed)).exit, EXIT.ok);
    const told = await tally();
    assert.deepEqual(told?.overrides, [
      { reason: 0, colour: 0, count: 1 },
      { reason: 2, colour: 2, count: 2 },
    ]);
    assert.deepEqual([told?.from, told?.cells, told?.merged], [0, [], 0]);
  });

  for (const [what, order] of [
    ['15 days', ['--subject', 'P', '--colour', 'red', '--reason', 'laboratory', '--days', '15']],
    ['a reason of its own', ['--subject', 'P', '--colour', 'red', '--reason', 'because', '--days', '1']],
    ['nobody', ['--colour', 'red', '--reason', 'laboratory', '--days', '1']],
  ] as const) {
    it(`propose refuses ${what}`, async () => {
      assert.equal((await cli.run('override', 'propose', de, ...as('anna'), ...order)).exit, EXIT.usage);
    });
  }

  it('a person twice is refused, and so is whoever is no named operator', async () => {
    const twice = await cli.run(
      ...['override', 'propose', de, ...as('anna'), ...RED, '--subject', 'P', '--subject', 'P'],
    );
    assert.match(twice.err, /stands there twice/);
    const nobody = await cli.run('override', 'propose', de, ...RED, '--subject', 'P');
    assert.match(nobody.err, /SCOPE_MISSING/);
  });

  it('who is forgotten is taken out of what was proposed', async () => {
    const proposed = await propose('anna', 'P4', 'P1');
    await cli.json('forget', de, ...as('bert'), '--subject', 'P1', '--let-pass');
    const shown = await cli.run('override', 'show', de, proposed.id, ...as('bert'));
    assert.match(shown.out, /for 2 persons.*\n {2}P4\n1 person of them named no more\n/);
    const { out } = await confirm('bert', proposed);
    assert.match(out, /1 code issued/);
  });

  it('propose refuses what could never be read or issued again, also past the options of the command', async () => {
    const file = (name: string, rows: readonly string[]) => {
      writeFileSync(cli.path(name), `subject\n${rows.map((row) => `${row}\n`).join('')}`);
      return ['--file', cli.path(name)];
    };
    const many = Array.from({ length: OVERRIDE_SUBJECTS_MAX + 1 }, (_, i) => `Q${i}`);
    const before = await cli.json<{ overrides: OverrideSeen[] }>('override', 'list', de, ...as('anna'));
    for (const people of [
      file('many.csv', many),
      file('none.csv', []),
      ['--subject', '省'.repeat(22)],
      ['--subject', ' '],
    ]) {
      const { exit } = await cli.run('override', 'propose', de, ...as('anna'), ...RED, ...people);
      assert.notEqual(exit, EXIT.ok, String(people));
    }
    assert.deepEqual(await cli.json('override', 'list', de, ...as('anna')), before);
  });

  it('what one person issues by hand counts for the alarm of overrides where nobody is named', async () => {
    const path = cli.path('FR');
    await cli.json('init', 'FR', '--dir', path);
    const rows = Array.from({ length: 11 }, (_, i) => `P${i},green\n`).join('');
    writeFileSync(cli.path('by-hand.csv'), `subject,colour\n${rows}`);
    await cli.run('issue', path, cli.path('by-hand.csv'));
    const { counts, alarms } = await withRegion(cliOf(cli), path, ({ node }) =>
      Promise.resolve(node.status.bulk),
    );
    assert.equal(counts.override, 11);
    assert.deepEqual(
      alarms.map(({ kind, count }) => [kind, count]),
      [['override', 11]],
    );
  });

  it('an operator has a bound of proposals that wait, and others propose all the same', async () => {
    await withRegion(cliOf(cli), de, async ({ node: { overrides } }) => {
      const order = { reason: 'laboratory', colour: 'red', days: 1, subjects: ['P77'] } as const;
      const [dora, emil] = [operatorOf('dora', 0xd0), operatorOf('emil', 0xe0)];
      const names = { region: 'DE', network: 'demo' };
      const modules = { sha256, random: systemRandom(), nowS: () => cli.nowS };
      const propose = (by: ActingOperator) =>
        overrides.propose(signProposal(names, order, by, modules), by, { find: () => by.operator });
      const made = await Promise.all(
        Array.from({ length: PROPOSALS_OPEN_MAX + 3 }, () =>
          propose(dora).then(
            ({ state }) => state,
            (error: unknown) => (error as Error).message,
          ),
        ),
      );
      assert.equal(made.filter((one) => one === 'proposed').length, PROPOSALS_OPEN_MAX);
      assert.match(made.at(-1) ?? '', /32 proposals of dora wait/);
      assert.equal((await propose(emil)).state, 'proposed');
      await overrides.forget('P77');
      assert.equal((await propose(dora)).state, 'proposed');
      await overrides.forget('P77');
    });
  });

  it('who was named anew with another key cannot confirm what they proposed, and nobody does before it is proposed again', async () => {
    const proposed = await propose('anna', 'P6');
    await cli.json('operator', 'remove', de, '--name', 'anna');
    const order = ['--name', 'anna', '--scopes', 'issue,revoke,read', '--out', cli.path('anna-2.key')];
    await cli.json('operator', 'add', de, ...order);
    assert.match((await confirm('anna-2', proposed)).err, /who proposed it cannot confirm it \[REFUSED\]/);
    assert.match((await confirm('bert', proposed)).err, /no operator by that key any more.*\[REFUSED\]/);
    const again = await propose('anna-2', 'P6');
    assert.equal((await confirm('bert', again)).exit, EXIT.ok);
  });

  it('nobody is forgotten before the tally has counted what two operators gave them', async () => {
    const proposed = await propose('bert', 'P7');
    assert.equal((await confirm('anna-2', proposed)).exit, EXIT.ok);
    const forgetting = ['forget', de, ...as('bert'), '--subject', 'P7', '--let-pass'];
    const { exit, err } = await cli.run(...forgetting);
    assert.equal(exit, EXIT.failure);
    assert.match(err, /not counted in public yet; no code was forgotten \[REFUSED\]/);
    cli.nowS += DAY_S + 3_600;
    assert.equal((await cli.run(...forgetting)).exit, EXIT.ok);
    const red = (await tally())?.overrides.filter(({ colour }) => colour === 2);
    assert.deepEqual(red, [{ reason: 2, colour: 2, count: 4 }]);
  });

  it('an order under the key that a request can have does not stand in the way of what two operators decided', async () => {
    const proposed = await propose('bert', 'P8');
    await withRegion(cliOf(cli), de, async ({ node }) => {
      const status = {
        colour: 'green',
        measure: 'none',
        expiresAtS: cli.nowS + DAY_S,
        ruleId: 'x',
        ruleVersion: 1,
      } as const;
      const judge = () => Promise.resolve({ subject: 'P8', fields: { status } });
      const order = {
        key: `override/${proposed.id}/P8`,
        input: Buffer.from('another'),
        subject: 'P8',
        status,
        judge,
      };
      await node.once.issue(order);
    });
    assert.equal((await confirm('anna-2', proposed)).exit, EXIT.ok);
  });
});
