import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Decrypter, Encrypter } from 'age-encryption';
import { EXIT } from '../../../cli/exit.ts';
import { regionModules, withRegion } from '../../../cli/region.ts';
import { type DisclosureAudited } from '../../../node/audit/disclosure-audit.ts';
import { RegionLayout } from '../../../node/region/layout.ts';
import { readPublicRegion } from '../../../node/region/public-region.ts';
import { openKeyFile } from '../../../node/region/key-file.ts';
import { type TrailEntry } from '../../../node/operators/trail-line.ts';
import { draftAttestation } from '../../../protocol/code/attestation-draft.ts';
import { parseAttestation } from '../../../protocol/code/attestation.ts';
import { pathOf } from '../../../protocol/code/commitment.ts';
import { commitFields } from '../../../protocol/code/openings.ts';
import { encodeBasis, evidenceOf } from '../../../protocol/disclosure/basis.ts';
import {
  type Disclosure,
  openDisclosure,
  signDisclosure,
  type SignedDisclosure,
} from '../../../protocol/disclosure/disclosure.ts';
import { encodeEntryBundle, parseEntryBundle } from '../../../protocol/log/entry-bundle.ts';
import { keyIdOf } from '../../../protocol/signature/key-id.ts';
import { cliOf, TestCli } from '../../support/cli.ts';
import { signedBasis } from '../../support/operators.ts';
import { sha256 } from '../../support/primitives.ts';
import { HOUR_S } from '../../support/region-fixture.ts';
import { temporaryFolders } from '../../support/temporary.ts';

const PEOPLE = 300;
const FORGED = 37;

/** Checks that go by files which no tree covers pass whatever a region writes there. */
describe('entente audit disclosure', function () {
  this.timeout(60_000);
  const folder = temporaryFolders();
  let cli: TestCli;
  let de: string;
  let log: string;
  let auditor: string;
  let made = 0;

  const disclose = async (from: number, until: number): Promise<string> => {
    const out = cli.path(`${made++}.disclosure`);
    const range = ['--log', log, '--from', String(from), '--until', String(until)];
    await cli.json('audit', 'disclose', de, ...range, '--auditor', auditor, '--out', out);
    return out;
  };
  const check = (file: string, against = de) =>
    cli.run('audit', 'disclosure', file, '--key', cli.path('auditor.key'), '--against', against, '--json');
  const codeOf = (err: string) => /"code":"(\w+)"/.exec(err)?.[1];
  const bundle = (directory: string) => join(directory, 'public', 'attest', log, 'tile', 'entries', '000');

  before(async () => {
    cli = new TestCli(folder());
    de = cli.path('DE');
    await cli.json('init', 'DE', '--dir', de);
    const rows = Array.from({ length: PEOPLE }, (_, i) => `P${i},green\n`);
    writeFileSync(cli.path('people.csv'), `subject,colour\n${rows.join('')}`);
    const { out } = await cli.run('issue', de, cli.path('people.csv'), '--json');
    log = (JSON.parse(out.slice(0, out.indexOf('\n'))) as { log: string }).log;
    const key = await cli.json<{ publicKey: string }>('audit', 'key', '--out', cli.path('auditor.key'));
    auditor = key.publicKey;
  });

  async function opened(file: string): Promise<SignedDisclosure> {
    const decrypter = new Decrypter();
    decrypter.addIdentity(
      /AGE-SECRET-KEY-\S+/.exec(readFileSync(cli.path('auditor.key'), 'utf8'))?.[0] ?? '',
    );
    const modules = await regionModules(cliOf(cli));
    return openDisclosure(await decrypter.decrypt(readFileSync(file)), modules);
  }

  /** A file for the auditor, signed with the region's key of this role. */
  async function fileOf(disclosure: Disclosure, role: 'trust-log' | 'attest' = 'trust-log'): Promise<string> {
    const { keys } = new RegionLayout(de);
    const { region, network } = disclosure;
    const { fold } = await readPublicRegion(join(de, 'public'), {}, await regionModules(cliOf(cli)));
    const { keyId } =
      fold.state.keysWithRole(role).find(({ fromS, untilS }) => fromS <= cli.nowS && cli.nowS < untilS) ?? {};
    assert.ok(keyId);
    const signer = await openKeyFile(keys, { region, network, role, keyId }, await regionModules(cliOf(cli)));
    const encrypter = new Encrypter();
    encrypter.addRecipient(auditor);
    const out = cli.path(`${made++}.disclosure`);
    writeFileSync(out, await encrypter.encrypt(signDisclosure(sha256, disclosure, signer)));
    return out;
  }

  /** What these leaves would open, had the region issued them by two operators. */
  async function forged(
    file: string,
    entries: readonly Uint8Array[],
  ): Promise<{ file: string; entries: Uint8Array[] }> {
    const { disclosure } = await opened(file);
    const { hour } = parseAttestation(entries[0] as Uint8Array);
    const basis = encodeBasis(signedBasis(disclosure, { atS: hour * 3_600 }));
    const status = {
      colour: 'green',
      measure: 'none',
      expiresAtS: hour * 3_600,
      ruleId: 'manual',
      ruleVersion: 1,
    } as const;
    const both = entries.map((entry) => {
      const fields = { status, evidence: evidenceOf(sha256, basis) };
      const { commitment, openings } = commitFields(sha256, fields, (length) => new Uint8Array(length));
      const { keyId, ...claims } = parseAttestation(entry);
      const [opened, , , evidence] = openings.opened;
      const path = pathOf(sha256, openings, [opened, undefined, undefined, evidence]);
      const leaf = { status: opened ?? new Uint8Array(), evidence, path, basis };
      return { leaf, entry: draftAttestation({ ...claims, commitment }, keyId, disclosure.network).bytes };
    });
    const out = await fileOf({ ...disclosure, leaves: both.map(({ leaf }) => leaf) });
    return { file: out, entries: both.map(({ entry }) => entry) };
  }

  it('the trail says of what and for whom it was made, and a range that is none is told as such', async () => {
    const file = await disclose(3, 5);
    const { entries } = await cli.json<{ entries: TrailEntry[] }>('trail', 'show', de, '--last', '1');
    assert.deepEqual(
      entries.map(({ action, count, about }) => [action, count, about]),
      [['disclosures', 2, `${log} from 3 for ${auditor}`]],
    );
    const range = ['--log', log, '--from', '5', '--until', '2', '--auditor', auditor, '--out', `${file}-2`];
    const { exit, err } = await cli.run('audit', 'disclose', de, ...range, '--json');
    assert.deepEqual([exit, codeOf(err)], [EXIT.failure, 'NOT_FOUND']);
  });

  it('a range that ends within the last leaves is held against them', async () => {
    const { exit, out } = await check(await disclose(0, PEOPLE - 10));
    assert.equal(exit, EXIT.inconsistent);
    const { opened, findings } = JSON.parse(out) as DisclosureAudited;
    assert.deepEqual([opened, findings.length], [PEOPLE - 10, PEOPLE - 10]);
    assert.deepEqual(new Set(findings.map(({ code }) => code)), new Set(['COLOUR_WITHOUT_RULE']));
  });

  it('says by which key the region signed it, and takes no file that the region has not signed', async () => {
    const file = await disclose(0, 5);
    const { disclosure, publicKey } = await opened(file);
    const { out } = await check(file);
    const { signedBy } = JSON.parse(out) as { signedBy: string };
    assert.equal(signedBy, keyIdOf(sha256, publicKey));
    // Whoever knows the auditor's public key can write that the region keeps all codes back.
    const empty = { ...disclosure, leaves: disclosure.leaves.map(() => undefined) };
    const refused = async (one: string) => {
      const { exit, err, out: told } = await check(one);
      assert.deepEqual([exit, codeOf(err), told], [EXIT.inconsistent, 'SIGNATURE_INVALID', '']);
    };
    await refused(await fileOf(empty, 'attest'));
    await refused(await fileOf({ ...empty, atS: empty.atS - 60 * 86_400 }));
    const kept = await check(await fileOf(empty));
    assert.deepEqual([kept.exit, (JSON.parse(kept.out) as DisclosureAudited).closed], [EXIT.undetermined, 5]);
  });

  it('is held against the logs of its region alone', async () => {
    const file = await disclose(0, 5);
    const it = cli.path('IT');
    await cli.json('init', 'IT', '--dir', it);
    const { exit, err } = await check(file, it);
    assert.deepEqual([exit, codeOf(err)], [EXIT.inconsistent, 'ORIGIN_INVALID']);
  });

  it('says who of those that are named vouches, and ends with 5 or 4 all the same', async () => {
    const file = await disclose(0, 5);
    const fr = cli.path('FR');
    await cli.json('init', 'FR', '--dir', fr);
    const args = ['--key', cli.path('auditor.key'), '--against', de, '--witness', fr, '--json'];
    const { exit, out } = await cli.run('audit', 'disclosure', file, ...args);
    const { vouching } = JSON.parse(out) as { vouching: object };
    assert.deepEqual([exit, vouching], [EXIT.inconsistent, { trustLog: [], log: [] }]);
    await cli.json('recognise', fr, de);
    await cli.json('witness', fr, de);
    const again = await cli.run('audit', 'disclosure', file, ...args);
    const { vouching: now } = JSON.parse(again.out) as { vouching: { trustLog: readonly string[] } };
    assert.deepEqual(now.trustLog, ['FR']);
  });

  it('audit tallies lists what was told of which leaves', async () => {
    assert.match((await cli.run('audit', 'tallies', de)).out, /No tally is logged there/);
    const file = await disclose(0, PEOPLE);
    const missing = async () => {
      const { overdue, findings } = JSON.parse((await check(file)).out) as DisclosureAudited;
      return [overdue, findings.filter(({ code }) => code === 'TALLY_MISSING').length];
    };
    assert.deepEqual(await missing(), [0, 0]);
    cli.nowS += 86_400 + HOUR_S;
    // What lies there is of a day ago, and says nothing of what was logged since.
    assert.deepEqual(await missing(), [PEOPLE, 0]);
    await withRegion(cliOf(cli), de, async (region) => {
      await region.node.tend();
      await region.publish();
    });
    const { tallies } = await cli.json<{ tallies: readonly object[] }>('audit', 'tallies', de, '--log', log);
    const overrides = [{ reason: 'one-person', colour: 'green', count: PEOPLE }];
    assert.deepEqual(
      tallies.map((tally) => ({ ...tally, at: 0 })),
      [{ log, from: 0, until: PEOPLE, at: 0, cells: [], merged: 0, overrides }],
    );
    assert.match(
      (await cli.run('audit', 'tallies', `${de}/public`)).out,
      new RegExp(`${log} +0 +300 +300 +0 +0 +0 +300`),
    );
    assert.deepEqual(await missing(), [0, 0]);
    assert.deepEqual(await cli.json('audit', 'tallies', de, '--log', '2020-01'), {
      region: 'DE',
      tallies: [],
    });
  });

  it('leaves of a smaller tree that lie beside the ones that were replayed count for nothing', async () => {
    const beside = cli.path('beside');
    cpSync(de, beside, { recursive: true });
    const entries = parseEntryBundle(readFileSync(bundle(beside)), 256).slice(0, FORGED);
    const { file, entries: wrong } = await forged(await disclose(0, FORGED), entries);
    mkdirSync(`${bundle(beside)}.p`);
    writeFileSync(`${bundle(beside)}.p/${FORGED}`, encodeEntryBundle(wrong));
    const { exit, out } = await check(file, beside);
    assert.equal(exit, EXIT.inconsistent);
    const { findings } = JSON.parse(out) as DisclosureAudited;
    assert.deepEqual(
      findings.map(({ code, index }) => `${code} ${index}`),
      entries.map((_, index) => `OPENING_MISMATCH ${index}`),
    );
  });

  it('leaves among which a change of colour is hidden are shown to be nobody’s', async () => {
    const status = {
      colour: 'red',
      measure: 'isolate',
      untilS: cli.nowS + 86_400,
      expiresAtS: cli.nowS + 86_400,
      ruleId: 'manual',
      ruleVersion: 1,
    } as const;
    const { index } = await withRegion(cliOf(cli), de, async (region) => {
      const issued = await region.node.issue({ subject: 'P0', fields: { status }, isReplacement: true });
      await region.publish();
      return issued;
    });
    const from = PEOPLE;
    assert.ok(index >= from && index < from + 32);
    const { exit, out } = await check(await disclose(from, from + 32));
    const { opened, nobodys, closed, findings } = JSON.parse(out) as DisclosureAudited;
    assert.deepEqual([opened, nobodys, closed], [1, 31, 0]);
    assert.deepEqual([exit, findings.map(({ index: at }) => at)], [EXIT.inconsistent, [index]]);
  });

  it('leaves that the region has given up are not taken from what lies there in their place', async () => {
    const file = await disclose(0, FORGED);
    await withRegion(cliOf(cli), de, async (region) => {
      await region.append([{ kind: 'log', log, minimum: 256 }], 'trust-log');
      await region.publish();
    });
    const entries = parseEntryBundle(readFileSync(bundle(de)), 256).slice(0, FORGED);
    const { file: wrong, entries: theirs } = await forged(file, entries);
    rmSync(bundle(de));
    mkdirSync(`${bundle(de)}.p`, { recursive: true });
    writeFileSync(`${bundle(de)}.p/${FORGED}`, encodeEntryBundle(theirs));
    const { exit, err } = await check(wrong);
    assert.deepEqual([exit, codeOf(err)], [EXIT.undetermined, 'LOG_PRUNED']);
  });
});
