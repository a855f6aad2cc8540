import assert from 'node:assert/strict';
import { countingUpdate } from '../../../node/life/tallies.ts';
import { type Tally } from '../../../node/operators/acting.ts';
import { isNodeError, NodeError } from '../../../node/node-error.ts';
import { readRuleFile } from '../../../node/rules/rule-file.ts';
import { profileBases, profileText } from '../../../node/rules/profiles.ts';
import { type LoggedRules } from '../../../protocol/trust/trust-state.ts';
import { derivedKey, NONCE_BYTES, Sealer } from '../../../node/registry/sealer.ts';
import { REGISTRY_KEY, RegionMachine } from '../../support/issuing-fixture.ts';
import { DAY_S, LivingRegion } from '../../support/living-region.ts';

function profile(name: string): LoggedRules {
  const { file = assert.fail() } = readRuleFile(profileText(name) ?? '', profileBases);
  const { id, version, fromS, data } = file.ruleSet;
  return { id, version, fromS, data } as unknown as LoggedRules;
}

describe('Life.updates', () => {
  let region: LivingRegion;
  const open = async (rulesForPeople?: string) =>
    (region = await LivingRegion.open(new RegionMachine(), rulesForPeople));
  afterEach(() => region.process.stop());

  /** Without the lists that the rules ask for, of which none is in force. */
  const updatesOf = async () => {
    const { lists = [], ...others } = await region.life.updates();
    assert.ok(lists.length > 0 && lists.every(({ asOfS }) => asOfS === undefined));
    return others;
  };
  const troubleOf = async () => (await region.life.updates()).trouble;

  it('says when all colours were last updated, and no trouble where the next will go well', async () => {
    await open();
    assert.deepEqual(await updatesOf(), { lastAtS: 0, hasDeclared: false });
    await region.declare([1]);
    await region.update();
    assert.deepEqual(await updatesOf(), { lastAtS: region.nowS, hasDeclared: true });
  });

  it('tells the trail what became of people, and not only of how many', async () => {
    await open();
    await region.declare([1, 2]);
    const tallyOf = async () => {
      const tally: Tally = { done: 0, failed: 0 };
      for await (const one of countingUpdate(region.life.update(), tally)) assert.ok(!('unsettled' in one));
      return { done: tally.done, first: tally.figures?.['first'], unchanged: tally.figures?.['unchanged'] };
    };
    assert.deepEqual(await tallyOf(), { done: 2, first: 2, unchanged: 0 });
    assert.deepEqual(await tallyOf(), { done: 2, first: 0, unchanged: 2 });
  });

  it('is silent only where the region has neither rules nor anybody who declared', async () => {
    await open();
    region.hasRules = false;
    assert.equal(await troubleOf(), undefined);
    region.hasRules = true;
    await region.declare([1]);
    region.hasRules = false;
    assert.equal((await troubleOf())?.code, 'NOT_FOUND');
  });

  it('says at once that a second set knows of declarations, and which are there', async () => {
    await open();
    await region.declare([1]);
    await region.update();
    region.otherRules.push(profile('cn-33'));
    const trouble = await troubleOf();
    assert.deepEqual([trouble?.code, trouble?.atS], ['REFUSED', undefined]);
    assert.match(trouble?.hint ?? '', /life\.rules is one of baseline, cn-33/);
    region.otherRules.pop();
    assert.equal(await troubleOf(), undefined);
  });

  it('says that the settings name rules that are not there, and which are', async () => {
    await open('baselin');
    const trouble = await troubleOf();
    assert.equal(trouble?.code, 'NOT_FOUND');
    assert.match(trouble.message, /no rules baselin /);
    assert.match(trouble.hint ?? '', /life\.rules in the settings does: baseline\./);
  });

  it('says so once the rules are over, although nobody has declared', async () => {
    await open();
    region.later(3 * 365);
    assert.equal((await troubleOf())?.code, 'NOT_FOUND');
  });

  for (const [what, plain] of [
    ['of another form', Buffer.from('{"atS":1}')],
    ['no JSON', Buffer.from('{')],
    ['damaged', undefined],
  ] as const)
    it(`a time of the last one that is ${what} is named, keeps nobody from declaring, and the next update mends it`, async () => {
      await open();
      const { tables } = region.process;
      await region.declare([1]);
      await region.update();
      await region.revoke(1);
      const sealed = new Sealer(derivedKey(REGISTRY_KEY, 'life/updated'));
      const value =
        plain === undefined
          ? Buffer.alloc(40)
          : sealed.seal('life/updated', plain, region.machine.bytes(NONCE_BYTES));
      await tables.write([{ put: 'life/updated', value }]);
      const trouble = await troubleOf();
      assert.deepEqual(
        [trouble?.code, trouble?.message.includes('life/updated')],
        ['REGISTRY_CORRUPT', true],
      );
      region.later(0.1);
      for (let times = 0; times < 2; times++) await region.declare([1, 2]);
      assert.deepEqual(
        region.troubles.map((error) => isNodeError(error, 'REGISTRY_CORRUPT')),
        [true],
      );
      // What was revoked by hand is not given again for a declaration of which nobody can tell whether it came after an update had seen that.
      assert.deepEqual(await region.update(), { first: 1, withdrawn: 1 });
      assert.deepEqual(await updatesOf(), { lastAtS: region.nowS, hasDeclared: true });
      region.later(0.1);
      await region.declare([1]);
      assert.deepEqual(await region.update(), { renewed: 1, unchanged: 1 });
    });

  it('says what the newest update ended with, until one comes to its end; dry runs say nothing', async () => {
    await open();
    await region.declare([1]);
    let isFull = true;
    region.beforeIssuingAll = () =>
      isFull ? Promise.reject(new NodeError('DISK_FULL', 'the disk is full')) : Promise.resolve();
    await region.update({ dry: { atS: region.nowS + DAY_S } });
    assert.equal(await troubleOf(), undefined);
    await assert.rejects(region.update(), (error) => isNodeError(error, 'DISK_FULL'));
    const trouble = await troubleOf();
    assert.deepEqual([trouble?.code, trouble?.atS], ['DISK_FULL', region.nowS]);
    isFull = false;
    await region.update();
    assert.equal(await troubleOf(), undefined);
  });
});
