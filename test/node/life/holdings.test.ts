import assert from 'node:assert/strict';
import { Holdings, type Held } from '../../../node/life/holdings.ts';
import { isNodeError } from '../../../node/node-error.ts';
import { commitFields } from '../../../protocol/code/openings.ts';
import { GREEN, LivingRegion } from '../../support/living-region.ts';
import { sha256 } from '../../support/primitives.ts';
import { describeOnAllTables } from '../../support/tables.ts';

describeOnAllTables('Holdings.lookAgain', () => {
  let region: LivingRegion;
  beforeEach(async () => {
    region = await LivingRegion.open();
    await region.declare([1]);
    await region.update();
    await region.control([1]);
  });
  afterEach(() => region.process.stop());

  it('revokes what came into the log while the stricter code was on its way', async () => {
    region.beforeIssuingAll = () => region.issue(1, GREEN);
    assert.deepEqual(await region.update(), { worse: 1 });
    assert.equal(await region.codesOf(1), '(green) (green) red');
    assert.deepEqual(await region.update(), { unchanged: 1 });
  });

  it('tells of who holds it on, since the hour has no revocation left, and the next update revokes it', async () => {
    region.beforeIssuingAll = async () => {
      await region.issue(1, GREEN);
      region.isHourUsedUp = true;
    };
    assert.deepEqual(await region.update(), { waiting: 1 });
    assert.equal(await region.codesOf(1), '(green) green red');
    region.isHourUsedUp = false;
    assert.deepEqual(await region.update(), { unchanged: 1 });
    assert.equal(await region.codesOf(1), '(green) (green) red');
  });
});

describeOnAllTables('Updater.update, where a page of the registry is damaged', () => {
  it('gives their colours to all but those who are on it, together, and to them once it is mended', async () => {
    const region = await LivingRegion.open();
    await region.declare([1, 2, 3, 4, 5, 6]);
    await region.update();
    await region.issue(2, GREEN);
    const mend = await region.damageNewestPage();
    await region.control([1, 2, 3, 5]);
    let batches = 0;
    region.beforeIssuingAll = () => Promise.resolve(void batches++);
    assert.deepEqual(await region.update(), { unchanged: 2, worse: 3, unread: 1 });
    assert.equal(batches, 1, 'no log tells by its batches whose code it is');
    assert.deepEqual(await region.update(), { unchanged: 5, unread: 1 });
    const [trouble, ...others] = region.troubles;
    assert.ok(isNodeError(trouble, 'REGISTRY_CORRUPT') && !trouble.fatal);
    assert.doesNotMatch(trouble.message, /P2|Person/);
    assert.deepEqual(others, [], 'told once');
    await mend();
    assert.equal(await region.codesOf(2), '(green) green', 'what could be read passes no more');
    assert.deepEqual(await region.update(), { unchanged: 5, worse: 1 });
    assert.equal(await region.codesOf(2), '(green) (green) red');
    await region.process.stop();
  });

  it('revokes what an update noted and what is looser for sure, and nothing else; what was revoked for that comes again with better news', async () => {
    const region = await LivingRegion.open();
    await region.declare([1, 2, 3]);
    await region.update();
    const mend = await region.damageNewestPage();
    const day = region.dayAgo(6);
    await region.list(
      'control',
      `full_name,birth_date,level,since\nPerson 1,1990-05-17,key,${region.today}\nPerson 2,1990-05-17,watch,${day}\n`,
    );
    region.isHourUsedUp = true;
    assert.deepEqual(await region.update(), { unchanged: 1, unread: 2 });
    const revoked = async () => {
      const { registry } = region.process;
      const places = await Promise.all([1, 2, 3].map((n) => registry.placesOf(`P${n}`)));
      return places.map((all) => all.map(({ index }) => region.isRevoked(index)));
    };
    assert.deepEqual(await revoked(), [[false], [false], [false]]);
    region.isHourUsedUp = false;
    for (let times = 0; times < 2; times++)
      assert.deepEqual(await region.update(), { unchanged: 1, unread: 2 });
    assert.deepEqual(await revoked(), [[true], [true], [false]]);
    region.later(2);
    await mend();
    assert.deepEqual(await region.update(), { worse: 1, renewed: 1, unchanged: 1 });
    const codes = await Promise.all([1, 2, 3].map((n) => region.codesOf(n)));
    assert.deepEqual(codes, ['(green) red', '(green) green', 'green']);
    await region.process.stop();
  });
});

describeOnAllTables('Intake, where a page of the registry is damaged', () => {
  it('takes files of any length, with who is on it, and nobody gets anything looser by that', async () => {
    const region = await LivingRegion.open();
    await region.declare([1, 2], { symptoms: true });
    await region.update();
    await region.revoke(2);
    const mend = await region.damageNewestPage();
    region.later(0.05);
    await region.declare([1, 2, 3]);
    region.later(0.05);
    const many = Array.from({ length: 1_100 }, (_, i) => i + 1);
    await region.declare(many);
    assert.equal((await region.update()).unread, 2);
    assert.equal(await region.codesOf(3), 'green');
    assert.equal(
      await region.life.forget('P4', { require: () => Promise.resolve(), onFound: () => Promise.resolve() }),
      true,
    );
    await mend();
    await region.update();
    assert.deepEqual([await region.codesOf(1), await region.codesOf(2)], ['yellow', '(yellow) yellow']);
    await region.process.stop();
  });
});

describe('Holdings.running', () => {
  let region: LivingRegion;
  beforeEach(async () => (region = await LivingRegion.open()));
  afterEach(() => region.process.stop());

  /** Of P1 nothing is left but what they declared and what came of it, as where the other machine of the region is told to forget them. Gives where their code stands. */
  async function forgetCode() {
    const [{ log, index, hour } = assert.fail()] = await region.process.registry.ofSubject('P1');
    await region.process.registry.forget('P1');
    return { log, index, hour };
  }

  it('T25: a code that was forgotten elsewhere is revoked by worse news like any other', async () => {
    await region.declare([1]);
    await region.update();
    const { index } = await forgetCode();
    await region.control([1]);
    region.isHourUsedUp = true;
    assert.deepEqual(await region.update(), { waiting: 1 });
    region.isHourUsedUp = false;
    assert.deepEqual(await region.update(), { worse: 1 });
    assert.deepEqual([region.isRevoked(index), await region.codesOf(1)], [true, 'red']);
    assert.deepEqual(await region.update(), { unchanged: 1 });
  });

  it('T25: what came to be of somebody else at its place is not', async () => {
    await region.declare([1]);
    await region.update();
    const { log, index, hour } = await forgetCode();
    const { registry, tables } = region.process;
    const status = { ...GREEN, expiresAtS: region.nowS + 86_400, ruleId: 'other', ruleVersion: 1 };
    const { openings } = commitFields(sha256, { status }, region.machine.bytes);
    await tables.write(registry.changes({ log, index, hour, entries: [{ subject: 'P2', openings }] }));
    await region.control([1]);
    assert.deepEqual(await region.update(), { worse: 1 });
    assert.equal(region.isRevoked(index), false);
  });

  it('T25: an objection that was upheld against it is corrected by revoking it', async () => {
    await region.declare([1]);
    await region.control([1]);
    await region.update();
    const { number } = await region.life.object('P1', 'It was another person.');
    await region.life.decide('P1', { number, isUpheld: true, answer: 'It was.' });
    const { index } = await forgetCode();
    region.later(1);
    await region.control([9]);
    assert.deepEqual(await region.update(), { better: 1 });
    assert.deepEqual([region.isRevoked(index), await region.codesOf(1)], [true, 'green']);
    assert.equal((await region.life.holder('P1', false)).objections[0]?.state, 'corrected');
  });
});

describe('Holdings.makePlace', () => {
  /** Who waits of one whose red code is to be revoked, and no log tells that it has it. */
  async function waitingOf(corrects: number | undefined): Promise<readonly (readonly [string, string])[]> {
    const modules = {
      tables: { write: () => Promise.resolve() },
      node: { heldCodes: { logged: () => Promise.resolve([]) }, revoke: () => assert.fail() },
    } as unknown as ConstructorParameters<typeof Holdings>[0];
    const one = {
      pseudonym: 'p1',
      revoked: [{ log: '2026-11', index: 7 }],
      corrects,
      judgement: { what: 'unchanged' },
    };
    return [...(await new Holdings(modules).makePlace([one as unknown as Held]))];
  }

  it('lets nobody have an objection corrected whose code was not revoked', async () => {
    assert.deepEqual(await waitingOf(1), [['p1', 'unlogged']]);
    assert.deepEqual(await waitingOf(undefined), []);
  });
});
