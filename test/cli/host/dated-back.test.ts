import assert from 'node:assert/strict';
import { cpSync, renameSync, rmSync } from 'node:fs';
import { openKeyFile } from '../../../node/region/key-file.ts';
import { readPublicRegion } from '../../../node/region/public-region.ts';
import { type IssueOptions, issueCode, logAt } from '../../support/code-fixture.ts';
import {
  codesOf,
  copyWorld,
  type Gate,
  makeWorld,
  type Told,
  witnessAll,
  type World,
} from '../../support/cli-world.ts';
import { Clock, DAY_S } from '../../support/regions.ts';
import { temporaryFolders } from '../../support/temporary.ts';

interface Issued {
  readonly log: string;
  readonly index: number;
  readonly code: string;
}

describe('codes that are dated back with an attest key that is over', function () {
  this.timeout(120_000);
  const folder = temporaryFolders();
  const modules = new Clock().modules;
  let world: World;
  let cli: Gate;
  /** In the log of a month that is over by the end of `beforeEach`, as is the key that signed it. */
  let genuine: Issued;
  let issuedAtS: number;
  let thief: IssueOptions['key'];
  before(async () => {
    world = await makeWorld(folder());
  });

  const issue = (subject: string) =>
    cli.json<Issued>('issue', cli.path('FR'), '--subject', subject, '--colour', 'green');
  /** At DE, by what FR publishes: the outcome, and why. */
  const told = async (text: string) => {
    const { outcome, reasons } = await cli.json<Told>(
      ...['verify', '--region', cli.path('DE'), '--proof', cli.path('FR'), text],
    );
    return { outcome, why: codesOf({ outcome, reasons }) };
  };
  const forged = (changes: Partial<IssueOptions> = {}) =>
    issueCode({ region: 'FR', key: thief, index: genuine.index, issuedAtS, salting: 'thief', ...changes })
      .text;

  beforeEach(async () => {
    cli = copyWorld(world, folder());
    issuedAtS = cli.nowS += 19 * DAY_S;
    genuine = await issue('P-1');
    const { state } = await readPublicRegion(cli.path('FR', 'public'), {}, modules);
    const key = state
      .keysWithRole('attest')
      .find(({ fromS, untilS }) => fromS <= issuedAtS && issuedAtS < untilS);
    assert.ok(key);
    const name = { region: 'FR', network: 'demo', role: 'attest', keyId: key.keyId } as const;
    cpSync(cli.path('FR', 'keys'), cli.path('thief'), { recursive: true });
    const signer = await openKeyFile(cli.path('thief'), name, modules);
    thief = { keyId: key.keyId, publicKey: key.publicKey, sign: (message) => signer.sign(message) };
    cli.nowS += 6 * DAY_S;
    assert.ok(key.untilS <= cli.nowS && logAt(cli.nowS) !== genuine.log);
    await issue('P-2');
  });

  async function assertRefused(): Promise<void> {
    await witnessAll(cli);
    assert.deepEqual(
      [await told(genuine.code), await told(forged()), await told(forged({ index: 5 }))].map(
        ({ outcome, why }) => [outcome, why.filter((code) => /LOG|LEAF|CUT_OFF|PROOF/.test(code)).join()],
      ),
      [
        ['pass', 'PROVEN_IN_LOG'],
        ['stop', 'LEAF_MISMATCH'],
        ['stop', 'BEYOND_CUT_OFF'],
      ],
    );
  }

  it('T3: pass nowhere once the region has moved from where they lay', async () => {
    await witnessAll(cli);
    assert.equal((await told(forged())).outcome, 'pass');
    await cli.json('host', 'move', cli.path('FR'), cli.path('own'));
    rmSync(cli.path('FR'), { recursive: true });
    renameSync(cli.path('own'), cli.path('FR'));
    await assertRefused();
    assert.equal((await told((await issue('P-3')).code)).outcome, 'pass');
  });

  it('T3: pass nowhere once key compromise has given up all attest keys, of which that of one tells', async () => {
    const compromise = ['key', 'compromise', cli.path('FR'), '--cut-off', `${genuine.log}=now`];
    const cutOff = ['--cut-off', `${logAt(cli.nowS)}=now`];
    const { state } = await readPublicRegion(cli.path('FR', 'public'), {}, modules);
    const [present] = state
      .keysWithRole('attest')
      .filter(({ fromS, untilS }) => fromS <= cli.nowS && cli.nowS < untilS);
    const one = ['key', 'compromise', cli.path('FR'), '--key', present?.keyId ?? ''];
    const alone = await cli.run(...one, ...cutOff);
    assert.equal(alone.exit, 0, alone.err);
    assert.match(
      alone.out,
      new RegExp(
        `Codes can be signed, or dated back, by these attest keys too: .*${thief.keyId}.*--all-attest`,
      ),
    );
    for (const bad of [compromise, [...compromise, '--all-attest', '--key', thief.keyId]])
      assert.match((await cli.run(...bad)).err, /--key, or .*--all-attest.*\[USAGE\]/);
    const all = await cli.run(...compromise, ...cutOff, '--all-attest');
    assert.equal(all.exit, 0, all.err);
    assert.match(
      all.err + all.out,
      /To be given up: \d+ attest keys, [^]*stay good[^]*given up; \d+ fresh keys/,
    );
    await assertRefused();
    assert.equal((await told((await issue('P-3')).code)).outcome, 'pass');
    // All are fresh or given up: the next time there is nothing but what took their places.
    const { keys } = await cli.json<{ keys: { keyId: string; role: string; now: string }[] }>(
      ...['key', 'list', cli.path('FR')],
    );
    assert.ok(keys.some(({ keyId, now }) => keyId === thief.keyId && now === 'compromised'));
    assert.ok(!keys.some(({ role, now }) => role === 'attest' && now === 'over'));
  });
});
