import assert from 'node:assert/strict';
import { readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { EXIT } from '../../../cli/exit.ts';
import { checkpointKeys, readPublicRegion } from '../../../node/region/public-region.ts';
import { givingUp } from '../../../node/region/statements.ts';
import { openNodeIdentity } from '../../../node/service/node-identity.ts';
import { hexOf } from '../../../protocol/bytes.ts';
import { openCheckpoint } from '../../../protocol/log/checkpoint.ts';
import { keyIdOf } from '../../../protocol/signature/key-id.ts';
import { encodeStatement, signStatement } from '../../../protocol/trust/statement.ts';
import { copyWorld, type Gate, makeWorld, witnessAll, type World } from '../../support/cli-world.ts';
import { HOUR_S, testKey } from '../../support/region-fixture.ts';
import { Clock, DAY_S, inRegion } from '../../support/regions.ts';
import { temporaryFolders } from '../../support/temporary.ts';

interface Keys {
  readonly keys: readonly {
    readonly keyId: string;
    readonly role: string;
    readonly untilS: number;
    readonly now: string;
  }[];
}

describe('the key that signs checkpoints changes', () => {
  const folder = temporaryFolders();
  let world: World;
  let cli: Gate;
  let home: string;
  before(async () => {
    world = await makeWorld(folder());
  });
  beforeEach(() => {
    cli = copyWorld(world, folder());
    home = cli.path('CN-33');
  });

  async function keyInForce(): Promise<Keys['keys'][number]> {
    const { keys } = await cli.json<Keys>('key', 'list', home);
    const key = keys.find(({ role, now }) => role === 'checkpoint' && now === 'in force');
    assert.ok(key);
    return key;
  }

  /** A log of a month that is over and one of this month, both with codes and cosigned. */
  async function closeMonth(): Promise<void> {
    cli.nowS += 30 * DAY_S;
    await cli.json('issue', home, '--subject', 'Later', '--colour', 'green');
    await witnessAll(cli);
    assert.deepEqual(readdirSync(cli.path('CN-33/public/attest')), ['2026-11', '2026-12']);
  }

  /** Ids of the keys that signed what is published, by log. */
  async function signers(): Promise<Record<string, string[]>> {
    const clock = new Clock();
    const { state } = await readPublicRegion(cli.path('CN-33/public'), {}, clock.modules);
    const ids: Record<string, string[]> = {};
    for (const path of [
      'trust',
      ...readdirSync(cli.path('CN-33/public/attest')).map((log) => `attest/${log}`),
    ]) {
      const note = readFileSync(cli.path('CN-33/public', path, 'checkpoint'));
      const keys = checkpointKeys(clock.modules.sha256, state, `CN-33.demo/${path}`);
      const opened = openCheckpoint(note, keys, clock.modules.verifySignature);
      const known = state.keysWithRole('checkpoint');
      ids[path] = opened.signers.map(({ publicKey }) => {
        return known.find((key) => hexOf(key.publicKey) === hexOf(publicKey))?.keyId ?? '';
      });
    }
    return ids;
  }

  /** Peers vouch for what is published, and auditors find nothing. */
  async function assertTaken(): Promise<void> {
    for (const region of ['DE', 'FR']) await must('witness', cli.path(region));
    const witnesses = ['--witness', cli.path('DE'), '--witness', cli.path('FR')];
    await must('audit', 'replay', cli.path('CN-33/public'), ...witnesses);
  }

  async function must(...args: readonly string[]): Promise<string> {
    const { exit, out, err } = await cli.run(...args);
    assert.equal(exit, 0, `${args.join(' ')}: ${err}${out}`);
    return out;
  }

  it('T3: key compromise signs all checkpoints anew, those of closed months too, and every reader takes them', async () => {
    await closeMonth();
    const old = await keyInForce();
    const { replacement } = await cli.json<{ replacement: string }>(
      'key',
      'compromise',
      home,
      '--key',
      old.keyId,
    );
    assert.deepEqual(await signers(), {
      trust: [replacement],
      'attest/2026-11': [replacement],
      'attest/2026-12': [replacement],
    });
    await assertTaken();
    for (const path of [home, cli.path('CN-33/public')]) await must('log', 'verify', path);
    await must('audit', 'replay', home);
    await must('issue', home, '--subject', 'New', '--colour', 'green');
    await assertTaken();
  });

  /** The order of several keys, as programs read it. */
  interface SeveralGivenUp {
    readonly keys: readonly { readonly key: string; readonly replacement: string }[];
    readonly cutOffs: readonly { readonly log: string; readonly size: number }[];
    readonly others?: readonly string[];
  }

  it('T3: key compromise --all-checkpoint gives up by one order all that the trust log names, and fresh ones sign at their times', async () => {
    const of = async (now: string) =>
      (await cli.json<Keys>('key', 'list', home)).keys
        .filter((key) => key.role === 'checkpoint' && key.now === now)
        .map(({ keyId }) => keyId);
    const [inForce, toCome] = [await of('in force'), await of('to come')];
    assert.equal(toCome.length, 2);
    const compromise = ['key', 'compromise', home, '--cut-off', 'trust=now'];
    const given = await cli.json<SeveralGivenUp>(...compromise, '--all-checkpoint');
    assert.deepEqual(new Set(given.keys.map(({ key }) => key)), new Set([...inForce, ...toCome]));
    const fresh = given.keys.map(({ replacement }) => replacement);
    assert.deepEqual(new Set([...(await of('in force')), ...(await of('to come'))]), new Set(fresh));
    assert.deepEqual((await of('compromised')).length, 3);
    assert.deepEqual(
      given.cutOffs.map(({ log }) => log),
      ['trust', '2026-11'],
    );
    const [signer] = (await signers())['trust'] ?? [];
    assert.deepEqual([signer], await of('in force'));
    await assertTaken();
    cli.nowS += 35 * DAY_S;
    await must('issue', home, '--subject', 'Later', '--colour', 'green');
    await assertTaken();
  });

  it('T3: key compromise takes --key several times, and names the keys that are left', async () => {
    const { keys } = await cli.json<Keys>('key', 'list', home);
    const [first = '', second = '', third = ''] = keys.flatMap((one) =>
      one.role === 'checkpoint' ? [one.keyId] : [],
    );
    const named = ['--key', first, '--key', second.toUpperCase()];
    const { out, err } = await cli.run('key', 'compromise', home, ...named, '--cut-off', 'trust=now');
    assert.match(err, new RegExp(`2 checkpoint keys, ${first}, ${second}\\. Nothing that they signed`));
    assert.match(out, /^2 checkpoint keys given up; 2 fresh keys in place/);
    assert.match(out, new RegExp(`by these checkpoint keys too: ${third}\\.[^]*--all-checkpoint`));
    await assertTaken();
  });

  it('key compromise of several keys refuses an unknown one, one twice and several roles, and gives none up', async () => {
    const { keys } = await cli.json<Keys>('key', 'list', home);
    const idOf = (role: string) => keys.find((one) => one.role === role)?.keyId ?? '';
    const key = idOf('checkpoint');
    for (const [args, refusal] of [
      [['--key', key, '--key', '00'.repeat(8)], /no key 0{16} \[NOT_FOUND\]/],
      [['--key', key, '--key', key.toUpperCase()], /twice \[USAGE\]/],
      [['--key', key, '--key', idOf('attest')], new RegExp(`several roles: ${key} checkpoint, \\w+ attest`)],
      [['--key', key, '--all-checkpoint'], /--key, or give all/],
      [['--all-attest', '--all-checkpoint'], /--key, or give all/],
    ] as const) {
      const { exit, out, err } = await cli.run('key', 'compromise', home, ...args);
      assert.notEqual(exit, 0);
      assert.equal(out, '');
      assert.match(err, refusal);
    }
    assert.deepEqual((await cli.json<Keys>('key', 'list', home)).keys, keys);
  });

  it('T3: cosignatures of the text that the old key signed go on to count with the new one', async () => {
    const { keyId } = await keyInForce();
    const witnessed = cli.path('DE/public/cosignatures/CN-33.demo/attest/2026-11');
    const before = readFileSync(witnessed, 'utf8');
    await must('key', 'compromise', home, '--key', keyId);
    const told = await cli.json<{ logs: { log: string; cosignatures: { region: string }[] }[] }>(
      ...['audit', 'replay', cli.path('CN-33/public'), '--witness', cli.path('DE')],
    );
    const attest = told.logs.find(({ log }) => log.endsWith('2026-11'));
    assert.deepEqual(
      attest?.cosignatures.map(({ region }) => region),
      ['DE'],
    );
    assert.equal(readFileSync(witnessed, 'utf8'), before, 'DE has not been there since');
    await assertTaken();
    const [text] = before.split('\n\n');
    assert.equal(readFileSync(witnessed, 'utf8').split('\n\n')[0], text);
    assert.notEqual(readFileSync(witnessed, 'utf8'), before);
  });

  it('T3: a verifier that a peer has not witnessed for goes by the checkpoint of the old key, then by the new', async () => {
    await must('key', 'compromise', home, '--key', (await keyInForce()).keyId);
    for (const step of ['before', 'after']) {
      if (step === 'after') await witnessAll(cli);
      const { exit, out } = await cli.run('verify', '--region', cli.path('FR'), world.codes.green);
      assert.deepEqual([exit, out.split(' ')[0]], [0, 'PASS'], step);
    }
  });

  it('the next command after a scheduled change lets the new key sign, whatever it is', async () => {
    await must('key', 'extend', home);
    const { keyId, untilS } = await keyInForce();
    assert.deepEqual((await signers())['attest/2026-11'], [keyId]);
    cli.nowS = untilS;
    await must('witness', home);
    const fresh = await keyInForce();
    assert.notEqual(fresh.keyId, keyId);
    const { trust, ...attest } = await signers();
    assert.ok(trust?.includes(fresh.keyId));
    assert.deepEqual(attest, { 'attest/2026-11': [fresh.keyId] });
    await assertTaken();
  });

  it('key rotate lets a fresh key sign at once, gives nothing up, and the one that is scheduled follows it', async () => {
    const old = await keyInForce();
    const { out, err } = await cli.run('key', 'rotate', home, '--role', 'checkpoint', 'attest');
    assert.match(err, new RegExp(`in the place of ${old.keyId}: what that signs and signed stays good`));
    const [, fresh = ''] = /^The checkpoint key (\w+) is admitted, and signs from /.exec(out) ?? [];
    assert.deepEqual(await signers(), { trust: [fresh], 'attest/2026-11': [fresh] });
    const { keys } = await cli.json<Keys>('key', 'list', home);
    assert.ok(keys.every(({ now }) => now !== 'compromised'));
    await must('issue', home, '--subject', 'New', '--colour', 'green');
    await assertTaken();
    const { exit } = await cli.run('verify', '--region', cli.path('FR'), world.codes.green);
    assert.equal(exit, 0);
    assert.match(await must('key', 'extend', home), /^Nothing is missing/);
    const scheduled = keys.find(({ role, now }) => role === 'checkpoint' && now === 'to come');
    cli.nowS = old.untilS;
    await must('witness', home);
    assert.ok((await signers())['trust']?.includes(scheduled?.keyId ?? assert.fail()));
    await assertTaken();
  });

  it('key rotate --from lets it sign from that hour on', async () => {
    const old = await keyInForce();
    const fromS = cli.nowS - (cli.nowS % 3_600) + 2 * DAY_S;
    const { keys } = await cli.json<{ keys: { key: string }[] }>(
      ...['key', 'rotate', home, '--role', 'checkpoint', '--from', String(fromS)],
    );
    await must('issue', home, '--subject', 'Before', '--colour', 'green');
    assert.deepEqual((await signers())['trust'], [old.keyId]);
    cli.nowS = fromS;
    await must('issue', home, '--subject', 'After', '--colour', 'green');
    assert.deepEqual((await signers())['trust'], [keys[0]?.key]);
    await assertTaken();
  });

  it('key rotate refuses what is no role, no whole hour, over or too far ahead', async () => {
    const hourS = cli.nowS - (cli.nowS % 3_600);
    const rotate = ['key', 'rotate', home, '--role', 'checkpoint'];
    for (const [args, refusal] of [
      [['key', 'rotate', home], /--role/],
      [['key', 'rotate', home, '--role', 'root'], /Allowed choices/],
      [[...rotate, '--from', String(hourS + 60)], /whole hours[^]*Name \d{4}-\d\d-\d\dT\d\d:00:00Z or /],
      [[...rotate, '--from', String(hourS - 3_600)], /is over/],
      [[...rotate, '--from', String(hourS + 71 * DAY_S)], /more than 100 days ahead/],
    ] as const) {
      const { exit, out, err } = await cli.run(...args);
      assert.deepEqual([exit, out], [EXIT.usage, ''], err);
      assert.match(err, refusal);
    }
  });

  it('key retire ends keys of every role within the hour: what they signed stays good, and the next ones sign', async () => {
    const roles = ['attest', 'checkpoint', 'trust-log', 'witness'];
    const { keys: before } = await cli.json<Keys>('key', 'list', home);
    const olds = before.filter(({ now }) => now === 'in force');
    assert.deepEqual(
      olds.map(({ role }) => role),
      roles,
    );
    const rotated = await cli.json<{ keys: { key: string }[] }>('key', 'rotate', home, '--role', ...roles);
    const fresh = rotated.keys.map(({ key }) => key);
    const { code: last } = await cli.json<{ code: string }>(
      ...['issue', home, '--subject', 'Last', '--colour', 'green'],
    );
    const named = olds.flatMap(({ keyId }) => ['--key', keyId.toUpperCase()]);
    const { exit, out, err } = await cli.run('key', 'retire', home, ...named);
    assert.equal(exit, 0, err);
    assert.match(
      err,
      new RegExp(`the attest key ${olds[0]?.keyId}, which ends at [^]* ${fresh[0]} signs then`),
    );
    assert.match(out, new RegExp(`The witness key ${olds[3]?.keyId} is retired: it ends at `));
    assert.deepEqual(await standings(olds), ['retiring', 'retiring', 'retiring', 'retiring']);
    assert.deepEqual(await signers(), { trust: [fresh[1]], 'attest/2026-11': [fresh[1]] });
    assert.match(await must('key', 'extend', home), /^Nothing is missing/);
    await assertTaken();
    cli.nowS += HOUR_S;
    assert.deepEqual(await standings(olds), ['retired', 'retired', 'retired', 'retired']);
    const { code: next } = await cli.json<{ code: string }>(
      ...['issue', home, '--subject', 'Next', '--colour', 'green'],
    );
    await must('state', home);
    await witnessAll(cli);
    await assertTaken();
    await cli.json('snapshot', 'make', cli.path('DE'), '--out', cli.path('later.snap'));
    const offline = cli.trust.with(1, cli.path('later.snap'));
    for (const code of [world.codes.green, last, next])
      for (const trust of [offline, ['--region', cli.path('FR')]]) {
        const told = await cli.run('verify', ...trust, code);
        assert.deepEqual([told.exit, told.out.split(' ')[0]], [0, 'PASS'], told.out);
      }
  });

  /** How `key list` says that keys stand. */
  async function standings(of: Keys['keys']): Promise<(string | undefined)[]> {
    const { keys } = await cli.json<Keys>('key', 'list', home);
    return of.map(({ keyId }) => keys.find((key) => key.keyId === keyId)?.now);
  }

  it('key retire refuses the last key of a purpose, what ends by then anyway, what is given up, and a time that is over', async () => {
    const { keys } = await cli.json<Keys>('key', 'list', home);
    const key = keys.find(({ role, now }) => role === 'attest' && now === 'in force') ?? assert.fail();
    const checkpoint = await keyInForce();
    const { root } = await cli.json<{ root: { keys: { keyId: string }[] } }>('key', 'list', home);
    await must('key', 'rotate', home, '--role', 'checkpoint');
    await must('key', 'compromise', home, '--key', checkpoint.keyId);
    const { keys: known } = await cli.json<Keys>('key', 'list', home);
    const fresh = known.find(({ role, now }) => role === 'checkpoint' && now === 'in force')?.keyId ?? '';
    const hourS = cli.nowS - (cli.nowS % HOUR_S);
    const retire = ['key', 'retire', home, '--key'];
    for (const [args, refusal] of [
      [
        [...retire, key.keyId],
        new RegExp(`no attest key is in force from [^]*key rotate ${home} --role attest`),
      ],
      [[...retire, '00'.repeat(8)], /no key 0{16} \[NOT_FOUND\]/],
      [[...retire, root.keys[0]?.keyId ?? ''], /\[NOT_FOUND\][^]*entente root rotate/],
      [[...retire, key.keyId, '--key', key.keyId.toUpperCase()], /twice \[USAGE\]/],
      [[...retire, key.keyId, '--until', String(hourS + 60)], /whole hours/],
      [[...retire, key.keyId, '--until', String(hourS)], /is over[^]*\[USAGE\]/],
      [[...retire, key.keyId, '--until', String(key.untilS)], /ends at [^]*earlier time \[REFUSED\]/],
      [
        [...retire, key.keyId, '--until', String(key.untilS + HOUR_S)],
        /ends at [^]*earlier time \[REFUSED\]/,
      ],
      [[...retire, checkpoint.keyId], /is given up[^]*\[REFUSED\]/],
      // Both of them leave none, each by itself the other.
      [
        [
          ...retire,
          fresh,
          '--key',
          ...known.flatMap(({ role, keyId, now }) =>
            role === 'checkpoint' && now === 'in force' && keyId !== fresh ? [keyId] : [],
          ),
        ],
        /no checkpoint key is in force/,
      ],
    ] as const) {
      const { exit, out, err } = await cli.run(...args);
      assert.notEqual(exit, 0, args.join(' '));
      assert.equal(out, '');
      assert.match(err, refusal);
    }
    assert.deepEqual((await cli.json<Keys>('key', 'list', home)).keys, known, 'nothing was retired');
    const later = ['--leave-none', '--until', String(hourS + 2 * HOUR_S)];
    await must(...retire, key.keyId, ...later);
    assert.match(
      (await cli.run(...retire, key.keyId, ...later)).err,
      /is retired, and ends at [^]*\[REFUSED\]/,
    );
    await must(...retire, key.keyId, '--leave-none');
    cli.nowS = hourS + HOUR_S;
    const { exit, err } = await cli.run('issue', home, '--subject', 'A', '--colour', 'green');
    assert.deepEqual([exit, err.includes('[KEY_NOT_IN_FORCE]')], [EXIT.failure, true], err);
    await must('key', 'extend', home);
    await must('issue', home, '--subject', 'A', '--colour', 'green');
    await assertTaken();
  });

  it('key retire ends the identity of a node that is gone, but not that of the node here', async () => {
    const { modules } = Object.assign(new Clock(), { nowS: cli.nowS });
    const gone = testKey('a node that is gone');
    const { publicKey } = await openNodeIdentity(
      cli.path('CN-33/keys'),
      { region: 'CN-33', network: 'demo' },
      modules,
    );
    const here = { publicKey, keyId: keyIdOf(modules.sha256, publicKey) };
    await inRegion(home, modules, async (region) => {
      const until = cli.nowS + 9 * DAY_S;
      for (const { publicKey: key } of [gone, here])
        await region.append([{ kind: 'node', key, addresses: [], from: cli.nowS - 1, until }], 'root');
    });
    cli.nowS += 1;
    const refused = await cli.run('key', 'retire', home, '--key', here.keyId);
    assert.match(refused.err, /announces itself anew[^]*\[REFUSED\]/);
    await must('key', 'retire', home, '--key', gone.keyId);
    const hourS = cli.nowS - (cli.nowS % HOUR_S) + HOUR_S;
    const { nodes } = await cli.json<{ nodes: Keys['keys'] }>('key', 'list', home);
    assert.equal(nodes.find(({ keyId }) => keyId === gone.keyId)?.untilS, hourS);
    rmSync(cli.path(`CN-33/keys/node-${here.keyId}.json`));
    const last = await cli.run('key', 'retire', home, '--key', here.keyId);
    assert.match(last.err, /no node of the region is known[^]*--leave-none/);
  });

  it('a scheduled key whose file is not here yet keeps nobody from witnessing, and issuing names it', async () => {
    const { keyId, untilS } = await keyInForce();
    cli.nowS = untilS;
    const next = `CN-33/keys/checkpoint-${(await keyInForce()).keyId}.json`;
    renameSync(cli.path(next), cli.path('elsewhere'));
    await must('witness', home);
    assert.deepEqual((await signers())['attest/2026-11'], [keyId]);
    const { exit, err } = await cli.run('issue', home, '--subject', 'A', '--colour', 'green');
    assert.deepEqual([exit, err.includes('[KEY_FILE_MISSING]')], [EXIT.config, true]);
    renameSync(cli.path('elsewhere'), cli.path(next));
    await must('witness', home);
    await assertTaken();
  });

  it('a checkpoint key whose file is lost is given up, as the error says', async () => {
    const { keyId } = await keyInForce();
    renameSync(cli.path(`CN-33/keys/checkpoint-${keyId}.json`), cli.path('lost'));
    const { err } = await cli.run('issue', home, '--subject', 'A', '--colour', 'green');
    assert.match(err, /\[KEY_FILE_MISSING\][^]*entente key compromise/);
    await must('key', 'compromise', home, '--key', keyId);
    await must('issue', home, '--subject', 'A', '--colour', 'green');
    await assertTaken();
  });

  for (const [command, ...args] of [['witness'], ['issue', '--subject', 'A', '--colour', 'green']] as const) {
    it(`F1: a compromise that broke off before the new key signed is finished by ${command}`, async () => {
      await closeMonth();
      const { modules } = Object.assign(new Clock(), { nowS: cli.nowS });
      await inRegion(
        home,
        modules,
        async (region) => {
          await region.node.whenWriting();
          const old = region.state.key((await keyInForce()).keyId);
          assert.ok(old);
          const { statements } = await givingUp(old, [], region.keys, cli.nowS);
          const roots = await region.keys.roots();
          for (const statement of statements) {
            const body = encodeStatement({ ...statement, at: cli.nowS });
            await region.node.submit({ entry: signStatement(region.originOf('trust'), body, roots) });
          }
          // Nothing is published: the process dies here.
        },
        { reading: true },
      );
      await must(command, home, ...args);
      const { keyId } = await keyInForce();
      const signed = Object.values(await signers());
      assert.equal(signed.length, 3);
      for (const ids of signed) assert.deepEqual(ids, [keyId]);
      await assertTaken();
    });
  }
});
