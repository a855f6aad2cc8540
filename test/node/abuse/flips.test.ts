/** An operator who turns 1,317 people red: alone, in the database, and with a colleague. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { EXIT } from '../../../cli/exit.ts';
import { regionModules, withRegion } from '../../../cli/region.ts';
import { digestOf } from '../../../node/abuse/override-kept.ts';
import { signConfirmation, signProposal } from '../../../node/abuse/override-signing.ts';
import { openNativeCrypto } from '../../../node/crypto/native.ts';
import { type DisclosureAudited } from '../../../node/audit/disclosure-audit.ts';
import { LevelDisk } from '../../../node/store/level-disk.ts';
import { Store } from '../../../node/store/store.ts';
import { markInDirectory } from '../../../node/store/store-directory.ts';
import { type RegistryEntry } from '../../../node/registry/record-page.ts';
import { derivedKey, NONCE_BYTES, Sealer } from '../../../node/registry/sealer.ts';
import { Registry } from '../../../node/registry/registry.ts';
import { readRegionConfig, RegionLayout } from '../../../node/region/layout.ts';
import { RegionKeys } from '../../../node/region/region-keys.ts';
import { readPublicRegion } from '../../../node/region/public-region.ts';
import { systemClock } from '../../../node/system-clock.ts';
import { commitFields } from '../../../protocol/code/openings.ts';
import { encodeBasis } from '../../../protocol/disclosure/basis.ts';
import { overrideStatus } from '../../../protocol/disclosure/override.ts';
import { cliOf, TestCli } from '../../support/cli.ts';
import { operatorOf, signedBasis } from '../../support/operators.ts';
import { sha256 } from '../../support/primitives.ts';
import { DAY_S } from '../../support/region-fixture.ts';
import { temporaryFolders } from '../../support/temporary.ts';

const PEOPLE = 1_317;
const RULES = `id: de
version: 1
base: { id: baseline, version: 1 }
region: DE
from: 2026-01-01
until: 2027-01-01
examples:
  - name: nobody is green without a declaration
    at: 2026-03-01T09:00:00Z
    facts: {}
    expect: { open: [declared, consent] }
`;

interface Proposed {
  readonly id: string;
  readonly proposalDigest: string;
}
type Checked = DisclosureAudited & { readonly log: string };

describe('somebody who turns 1,317 people red', function () {
  this.timeout(120_000);
  const folder = temporaryFolders();
  let cli: TestCli;
  let de: string;
  let log: string;
  let auditor: string;
  let disclosed = 0;
  let forgottenAt = -1;

  const as = (name: string) => ['--operator', cli.path(`${name}.key`)];
  const subjects = Array.from({ length: PEOPLE }, (_, i) => `P${i}`);
  const file = (name: string, text: string) => {
    writeFileSync(cli.path(name), text);
    return cli.path(name);
  };
  const confirm = (name: string, { id, proposalDigest }: Proposed) =>
    cli.run('override', 'confirm', de, id, '--digest', proposalDigest, ...as(name));
  const theCli = () => cliOf(cli);

  /** What an auditor finds in a disclosure of these leaves. */
  async function checked(from: number, until: number): Promise<Checked> {
    const out = cli.path(`${disclosed++}.disclosure`);
    const range = ['--log', log, '--from', String(from), '--until', String(until)];
    await cli.json('audit', 'disclose', de, ...as('carla'), ...range, '--auditor', auditor, '--out', out);
    const against = ['--key', cli.path('auditor.key'), '--against', de];
    const { exit, out: text, err } = await cli.run('audit', 'disclosure', out, ...against, '--json');
    assert.ok(text !== '', err);
    const result = JSON.parse(text) as Checked;
    assert.equal(exit, result.findings.length === 0 ? EXIT.ok : EXIT.inconsistent);
    return result;
  }

  /** What whoever has the keys of the machine reads and writes. */
  async function database() {
    const layout = new RegionLayout(de);
    const config = await readRegionConfig(layout);
    const modules = await regionModules(theCli());
    const { registryKey: key } = await RegionKeys.open(layout.keys, config, modules);
    const directory = layout.resolve(config.storage.store);
    const parts = {
      disk: new LevelDisk({ directory }),
      mark: markInDirectory(directory),
      clock: systemClock,
    };
    const store = new Store({ owner: `${config.region}.${config.network}` }, parts);
    await store.start();
    return { key, store, random: modules.random, modules };
  }

  const bulkOf = () =>
    withRegion(theCli(), de, ({ node }) => Promise.resolve(node.status.bulk), { reading: true });

  const size = async () => {
    const { logs } = await cli.json<{ logs: { log: string; size: number }[] }>('audit', 'replay', de);
    return logs.find((one) => one.log.endsWith(log))?.size ?? 0;
  };

  before(async () => {
    cli = new TestCli(folder());
    de = cli.path('DE');
    await cli.json('init', 'DE', '--dir', de);
    await cli.json('rules', 'activate', de, file('rules.yaml', RULES));
    for (const [name, scopes] of [
      ['anna', 'issue'],
      ['bert', 'issue'],
      ['carla', 'audit'],
      ['dora', 'revoke'],
    ] as const) {
      const order = ['--name', name, '--scopes', scopes, '--out', cli.path(`${name}.key`)];
      await cli.json('operator', 'add', de, ...order);
    }
    const today = new Date(cli.nowS * 1_000).toISOString().slice(0, 10);
    const rows = subjects.map((subject) => `${subject},${today},true,false\n`);
    const head = 'subject,declaration.day,declaration.consent,declaration.symptoms\n';
    const people = file('people.csv', head + rows.join(''));
    const codes = ['--rules', 'de', '--out', cli.path('codes.csv')];
    const issued = await cli.json<{ log: string }>('issue', de, people, ...as('anna'), ...codes);
    log = issued.log;
    auditor = (await cli.json<{ publicKey: string }>('audit', 'key', '--out', cli.path('auditor.key')))
      .publicKey;
  });

  it('what rules gave fits, and nobody but the auditor reads it', async () => {
    const { opened, closed, toldAlone, findings } = await checked(0, PEOPLE);
    assert.deepEqual([opened, closed, toldAlone, findings], [PEOPLE, 0, [], []]);
    await cli.json('audit', 'key', '--out', cli.path('other.key'));
    const against = ['--key', cli.path('other.key'), '--against', de];
    const { exit } = await cli.run('audit', 'disclosure', cli.path('0.disclosure'), ...against);
    assert.equal(exit, EXIT.inconsistent);
  });

  it('(a) through one account is refused, and nothing is issued', async () => {
    const before = await size();
    const red = file('red.csv', `subject,colour\n${subjects.map((one) => `${one},red\n`).join('')}`);
    const { exit, err } = await cli.run('issue', de, red, ...as('anna'), '--out', cli.path('red-codes.csv'));
    assert.equal(exit, EXIT.failure);
    assert.match(err, /a colour without a rule takes two operators \[REFUSED\]/);
    assert.equal(await size(), before);
  });

  it('(a) on facts that one account makes up is refused: nobody turns red, and nothing is revoked', async () => {
    const before = await size();
    const today = new Date(cli.nowS * 1_000).toISOString().slice(0, 10);
    const rows = subjects.map((one) => `${one},${today},true,${today}\n`).join('');
    const head = 'subject,declaration.day,declaration.consent,contact.close\n';
    const order = ['--rules', 'de', '--out', cli.path('made-up-codes.csv')];
    const { exit, err } = await cli.run(
      'issue',
      de,
      file('made-up.csv', head + rows),
      ...as('anna'),
      ...order,
    );
    assert.equal(exit, EXIT.failure);
    assert.match(err, /only what is told with the order .*\[REFUSED\]/);
    assert.match(err, /two operators \(entente override propose\)/);
    assert.equal(await size(), before);
    const { state } = await readPublicRegion(`${de}/public`, { region: 'DE' }, await openNativeCrypto());
    assert.equal(state.revoked(log)?.count ?? 0, 0);
  });

  it('(a) on facts that one account makes up of people of whom nothing is known raises an alarm', async () => {
    const today = new Date(cli.nowS * 1_000).toISOString().slice(0, 10);
    const row = (subject: string, contact: string) => `${subject},${today},true,${contact}\n`;
    const given = async (name: string, rows: readonly string[]) => {
      const people = file(
        `${name}.csv`,
        `subject,declaration.day,declaration.consent,contact.close\n${rows.join('')}`,
      );
      await cli.json(
        'issue',
        de,
        people,
        ...as('anna'),
        '--rules',
        'de',
        '--out',
        cli.path(`${name}-codes.csv`),
      );
      const reading = { reading: true } as const;
      return withRegion(theCli(), de, ({ node }) => Promise.resolve(node.status.bulk), reading);
    };
    const some = (count: number) => Array.from({ length: count }, (_, i) => row(`R${count}-${i}`, today));
    const from = await size();
    const before = await given('fifty', [...some(50), row('G', '')]);
    assert.deepEqual([before.counts.told, before.alarms], [50, []]);
    const { alarms } = await given('one', some(1));
    assert.deepEqual(
      alarms.map(({ kind, count, limit }) => [kind, count, limit]),
      [['told', 51, 50]],
    );
    const until = await size();
    const { opened, toldAlone, findings } = await checked(from, until);
    assert.deepEqual([opened, findings, toldAlone.length], [52, [], 51]);
    assert.ok(toldAlone.every((index) => index >= from && index < until));
    const text = ['audit', 'disclosure', cli.path(`${disclosed - 1}.disclosure`), '--against', de];
    const { out } = await cli.run(...text, '--key', cli.path('auditor.key'));
    assert.match(out, /by rules, on what one operator told alone {2}51 indexes: 1\d{3}/);
  });

  it('(b) with the keys of the machine, past all accounts, is found in a disclosure, which lists all 1,317', async () => {
    const from = await size();
    const untilS = Math.floor(cli.nowS / 3_600) * 3_600 + 14 * DAY_S;
    const status = {
      colour: 'red',
      measure: 'isolate',
      untilS,
      expiresAtS: untilS,
      ruleId: 'de',
      ruleVersion: 1,
    } as const;
    await withRegion(theCli(), de, ({ node }) =>
      node.issueAll(subjects.map((subject) => ({ subject, fields: { status } }))),
    );
    const { opened, findings } = await checked(from, from + PEOPLE);
    assert.equal(opened, PEOPLE);
    assert.deepEqual(
      findings.map(({ code, index, colour }) => `${code} ${index} ${colour}`),
      subjects.map((_, i) => `BASIS_MISSING ${from + i} red`),
    );
  });

  for (const [who, proposer, confirmer] of [
    ['nobody has ever heard of', operatorOf('ghost', 0xee), operatorOf('ghoul', 0xef)],
    ['never acted', operatorOf('anna', 0xee), operatorOf('carla', 0xef)],
  ] as const)
    it(`(b) in the name of operators who ${who}, written into the database as confirmed, comes to nothing`, async () => {
      const names = { region: 'DE', network: 'demo' };
      const order = { reason: 'hardship', colour: 'red', days: 14, subjects } as const;
      const { key, store, random } = await database();
      const signing = { sha256, random, nowS: () => cli.nowS };
      const { id, salts, signed, ...terms } = signProposal(names, order, proposer, signing);
      const named = subjects.map((one, i): [string, string] => [one, salts[i] ?? '']);
      const people = { subjects: named, forgotten: [] };
      const digest = digestOf(sha256, people);
      const by = ({ name, operator: { publicKey } }: typeof proposer) => ({ name, publicKey });
      const row = { ...terms, ...people, digest, people: PEOPLE, proposed: { ...by(proposer), ...signed } };
      const seen = { id, ...row, proposed: { ...row.proposed, keyId: '' } };
      const confirmed = { ...by(confirmer), ...signConfirmation(names, seen, confirmer, signing) };
      const sealer = new Sealer(derivedKey(key, 'override'));
      const bytes = Buffer.from(JSON.stringify({ ...row, confirmed }));
      const put = `override/${id}`;
      await store.write([{ put, value: sealer.seal(put, bytes, random(NONCE_BYTES)) }]);
      await store.stop();
      const before = await size();
      const shown = await cli.json<Proposed>('override', 'show', de, id, ...as('bert'));
      const { exit, err } = await confirm('bert', shown);
      assert.deepEqual([exit, await size()], [EXIT.failure, before]);
      assert.match(err, /who proposed it is no operator by that key.* \[REFUSED\]/);
      assert.match(err, /have an operator propose it again/);
    });

  it('(b) by leaves that two operators are said to have given is found in a disclosure, which lists all 1,317', async () => {
    const from = await size();
    const names = { region: 'DE', network: 'demo' };
    const by = { proposer: operatorOf('anna', 0xee), confirmer: operatorOf('bert', 0xef) };
    const terms = { reason: 'hardship', people: PEOPLE, atS: cli.nowS } as const;
    const basis = signedBasis(names, terms, by);
    const status = overrideStatus(basis, cli.nowS);
    await withRegion(theCli(), de, ({ node }) =>
      node.issueAll(
        subjects.map((one) => ({ subject: `Q-${one}`, fields: { status }, basis: encodeBasis(basis) })),
      ),
    );
    const { opened, signed, findings } = await checked(from, from + PEOPLE);
    assert.deepEqual([opened, signed], [PEOPLE, []]);
    assert.deepEqual(
      findings.map(({ code, index, colour }) => `${code} ${index} ${colour}`),
      subjects.map((_, i) => `OVERRIDE_UNKNOWN_OPERATOR ${from + i} red`),
    );
  });

  it('who was forgotten cannot be opened, which is counted, and is no fault', async () => {
    const forgetting = ['forget', de, ...as('dora'), '--subject', 'P0', '--let-pass'];
    const { leaves } = await cli.json<{ leaves: { index: number }[] }>(...forgetting);
    forgottenAt = leaves[0]?.index ?? -1;
    const { opened, closed, forgotten, tallies, findings } = await checked(0, PEOPLE);
    assert.deepEqual([opened, closed, forgotten, tallies, findings], [PEOPLE - 1, 1, 1, 1, []]);
  });

  it('(b) by writing red into the rows of the database is found too: no row opens its leaf any more', async () => {
    const { key, store, random, modules } = await database();
    const registry = await Registry.open({ key }, { tables: store, random });
    const untilS = Math.floor(cli.nowS / 3_600) * 3_600 + 14 * DAY_S;
    for (let index = 0; index < PEOPLE; index += 64) {
      const entries: (RegistryEntry | undefined)[] = [];
      let hour = 0;
      for (let i = index; i < Math.min(index + 64, PEOPLE); i++) {
        const record = await registry.atPlace({ log, index: i });
        entries.push(undefined);
        if (record === undefined) continue;
        hour = record.hour;
        const status = { ...record.fields.status, colour: 'red', measure: 'isolate', untilS } as const;
        const { openings } = commitFields(modules.sha256, { ...record.fields, status }, random);
        entries[entries.length - 1] = { subject: record.subject, openings };
      }
      const changes = registry.changes({ log, index, hour, entries });
      await store.write(changes);
    }
    await store.stop();
    const { findings } = await checked(0, PEOPLE);
    const opened = subjects.map((_, index) => index).filter((index) => index !== forgottenAt);
    assert.deepEqual(
      findings.map(({ code, index }) => `${code} ${index}`),
      [...opened.map((index) => `OPENING_MISMATCH ${index}`), 'TALLY_DIFFERS 0'],
    );
  });

  it('(c) with a colleague stands in the public tally, exactly, and raised an alarm', async () => {
    const from = await size();
    const people = file('reds.csv', `subject\n${subjects.map((one) => `${one}\n`).join('')}`);
    const why = ['--colour', 'red', '--reason', 'outbreak', '--days', '14'];
    const proposed = await cli.json<Proposed>(
      'override',
      'propose',
      de,
      ...as('anna'),
      '--file',
      people,
      ...why,
    );
    assert.match((await confirm('anna', proposed)).err, /cannot confirm it/);
    assert.equal((await confirm('bert', proposed)).exit, EXIT.ok);
    const { alarms } = await bulkOf();
    assert.ok(alarms.some(({ kind, count }) => kind === 'override' && count === PEOPLE));
    cli.nowS += DAY_S;
    await withRegion(theCli(), de, ({ node }) => node.tend());
    const { state } = await readPublicRegion(`${de}/public`, { region: 'DE' }, await openNativeCrypto());
    const red = state.tally(log)?.overrides.filter(({ colour }) => colour === 2);
    assert.deepEqual(red, [{ reason: 3, colour: 2, count: PEOPLE }]);
    const until = await size();
    const { overrides, signed, findings } = await checked(from, until);
    assert.deepEqual([overrides, findings], [PEOPLE, []]);
    const asked = signed.map(({ people: of, leaves, proposed, confirmed }) => [
      of,
      leaves,
      proposed.name,
      confirmed.name,
    ]);
    assert.deepEqual(asked, [[PEOPLE, PEOPLE, 'anna', 'bert']]);
    const text = ['audit', 'disclosure', cli.path(`${disclosed - 1}.disclosure`), '--against', de];
    const { out } = await cli.run(...text, '--key', cli.path('auditor.key'));
    assert.match(
      out,
      /signed for 1,317 persons, 1,317 of them here; proposed by anna .*; confirmed by bert /,
    );
  });
});
