import assert from 'node:assert/strict';
import { signatureOf, termsOf } from '../../../node/abuse/override-kept.ts';
import { isNodeError, NodeError } from '../../../node/node-error.ts';
import { type Operator } from '../../../node/operators/operators.ts';
import { derivedKey, NONCE_BYTES, Sealer } from '../../../node/registry/sealer.ts';
import { commitFields } from '../../../protocol/code/openings.ts';
import { type Status } from '../../../protocol/code/status.ts';
import { encodeBasis, overrideBasis } from '../../../protocol/disclosure/basis.ts';
import { encodeCbor } from '../../../protocol/encoding/cbor.ts';
import { REGISTRY_KEY } from '../../support/issuing-fixture.ts';
import { DAY_S, GREEN, ISOLATED, LivingRegion } from '../../support/living-region.ts';
import { ANNA, BERT } from '../../support/operators.ts';
import { NodeWorld } from '../../support/node-fixture.ts';
import { sha256 } from '../../support/primitives.ts';
import { LOG_ID, START_S } from '../../support/region-fixture.ts';
import { describeOnAllTables } from '../../support/tables.ts';

describeOnAllTables('Overrides.confirm', () => {
  const PEOPLE = [1, 2, 3, 4, 5, 6];
  let region: LivingRegion;
  beforeEach(async () => (region = await LivingRegion.open()));
  afterEach(() => region.process.stop());

  /** Three of six have their codes. */
  async function brokenOff(days: number, left = 3): Promise<string> {
    const subjects = PEOPLE.map((n) => `P${n}`);
    const { id } = await region.propose({ reason: 'outbreak', colour: 'red', days, subjects }, ANNA);
    region.issuesLeft = left;
    await assert.rejects(region.confirm(id), /it died/);
    region.issuesLeft = Infinity;
    return id;
  }

  const codes = () => Promise.all(PEOPLE.map((n) => region.codesOf(n)));

  it('goes on with what is left, however much later: nobody gets two codes', async () => {
    const id = await brokenOff(14);
    region.later(3);
    // What orders of one key came to is forgotten by then.
    await region.issueOnce('another');
    assert.deepEqual(await region.confirm(id), { issued: 6 });
    assert.deepEqual(
      await codes(),
      PEOPLE.map(() => 'red'),
    );
    assert.equal((await region.overrides.show(id)).state, 'done');
  });

  for (const [what, now] of [
    ['is no operator any more', undefined],
    ['may not issue any more', { ...ANNA.operator, scopes: ['read'] }],
    ['has another key now', { ...ANNA.operator, publicKey: BERT.operator.publicKey }],
  ] as [string, Operator | undefined][]) {
    it(`refuses what somebody proposed who ${what}, and goes on with what was confirmed before`, async () => {
      const confirmed = await brokenOff(14);
      const order = { reason: 'outbreak', colour: 'green', days: 1, subjects: ['P9'] } as const;
      const { id } = await region.propose(order, ANNA);
      if (now === undefined) region.operators.delete(ANNA.name);
      else region.operators.set(ANNA.name, now);
      await assert.rejects(
        region.confirm(id),
        (error: unknown) => isNodeError(error, 'REFUSED') && /no operator by that key/.test(error.message),
      );
      assert.equal(await region.codesOf(9), '');
      assert.deepEqual(await region.confirm(confirmed), { issued: 6 });
      region.operators.set(ANNA.name, ANNA.operator);
      assert.deepEqual(await region.confirm(id), { issued: 1 });
    });
  }

  it('is refused once its time is over, and names nobody any more', async () => {
    const id = await brokenOff(2);
    region.later(3);
    assert.equal((await region.overrides.show(id)).state, 'over');
    await assert.rejects(
      region.confirm(id),
      (error: unknown) => isNodeError(error, 'REFUSED') && /3 of 6 people got no code/.test(error.message),
    );
    const { state, subjects, missed } = await region.overrides.show(id);
    assert.deepEqual([state, subjects, missed], ['over', [], 3]);
    const records = await Promise.all(PEOPLE.map((n) => region.process.registry.ofSubject(`P${n}`)));
    assert.equal(records.flat().length, 3);
  });

  it('is over, and never done, where all have their codes but a looser one could not be revoked in time', async () => {
    region.beforeIssuing = async () => {
      region.beforeIssuing = () => Promise.resolve();
      await region.issue(1, GREEN, 'baseline');
      region.isHourUsedUp = true;
    };
    const order = { reason: 'outbreak', colour: 'red', days: 2, subjects: ['P1'] } as const;
    const { id } = await region.propose(order, ANNA);
    await assert.rejects(region.confirm(id), (error) => isNodeError(error, 'REVOCATIONS_EXCEEDED'));
    assert.equal(await region.codesOf(1), 'green red');
    assert.equal((await region.overrides.show(id)).state, 'broken-off');
    region.later(3);
    await region.overrides.sweep();
    const { state, subjects, missed } = await region.overrides.show(id);
    assert.deepEqual([state, subjects, missed], ['over', [], 0]);
    await assert.rejects(
      region.confirm(id),
      (error: unknown) => isNodeError(error, 'REFUSED') && /looser ones may pass on/.test(error.message),
    );
  });

  it('takes no record for a code: what was written and is not logged is to settle first', async () => {
    const id = await brokenOff(2);
    const { process, machine, nowS } = region;
    const { confirmed = assert.fail() } = await region.overrides.show(id);
    const { proposed, ...terms } = await region.overrides.show(id);
    const signed = {
      ...termsOf(id, terms),
      proposed: signatureOf(proposed),
      confirmed: signatureOf(confirmed),
    };
    const basis = encodeBasis(overrideBasis(signed));
    const [{ fields: { status } } = assert.fail()] = await process.registry.ofSubject('P1');
    const { openings } = commitFields(sha256, { status }, machine.bytes);
    const index = (await process.treeOf(LOG_ID)).size;
    const entries = [{ subject: 'P4', openings, basis, isManual: true }];
    const hour = Math.floor(nowS / 3_600);
    await process.tables.write(process.registry.changes({ log: LOG_ID, index, hour, entries }));
    const isUnsettled = (error: unknown) => isNodeError(error, 'REFUSED') && error.retry;
    await assert.rejects(region.confirm(id), isUnsettled);
    region.later(3);
    await assert.rejects(region.confirm(id), isUnsettled);
    assert.equal((await region.overrides.list()).overrides[0]?.missed, undefined);
    region.later(-3);
    await process.tables.write(await process.registry.removal({ log: LOG_ID, index, count: 1 }));
    assert.deepEqual(await region.confirm(id), { issued: 6 });
    assert.deepEqual(
      await codes(),
      PEOPLE.map(() => 'red'),
    );
  });

  it('revokes nothing that is in no log yet: its place may become that of somebody else', async () => {
    const index = await region.record(1, GREEN);
    const { id } = await region.propose(
      { reason: 'outbreak', colour: 'red', days: 2, subjects: ['P1'] },
      ANNA,
    );
    region.issuesLeft = 0;
    await assert.rejects(region.confirm(id), /it died/);
    assert.equal(region.isRevoked(index), false);
  });

  it('issues to all although a log cannot tell whether it has a looser code, says so, and revokes that once it can', async () => {
    for (const n of [1, 2]) await region.issue(n, GREEN);
    const [{ index } = assert.fail()] = await region.process.registry.ofSubject('P1');
    region.untold.add(index);
    const subjects = ['P1', 'P2', 'P3'];
    const { id } = await region.propose({ reason: 'outbreak', colour: 'red', days: 2, subjects }, ANNA);
    for (let tries = 0; tries < 2; tries++) {
      await assert.rejects(region.confirm(id), (error) => isNodeError(error, 'LOG_CORRUPT'));
      assert.deepEqual((await codes()).slice(0, 3), ['green red', '(green) red', 'red']);
      assert.equal((await region.overrides.show(id)).state, 'broken-off');
    }
    region.untold.clear();
    assert.deepEqual(await region.confirm(id), { issued: 3 });
    assert.deepEqual((await codes()).slice(0, 3), ['(green) red', '(green) red', 'red']);
    assert.equal((await region.overrides.show(id)).state, 'done');
  });

  it('hides what takes the place of codes that a call before had revoked', async () => {
    for (const n of PEOPLE) await region.issue(n, GREEN);
    const id = await brokenOff(2, 0);
    const { size } = await region.process.treeOf(LOG_ID);
    assert.deepEqual(await region.confirm(id), { issued: 6 });
    assert.ok((await region.process.treeOf(LOG_ID)).size >= size + 32);
    assert.deepEqual(
      await codes(),
      PEOPLE.map(() => '(green) red'),
    );
  });

  it('revokes what one operator gives by rules while its codes are on their way', async () => {
    region.beforeIssuing = async () => {
      region.beforeIssuing = () => Promise.resolve();
      await region.issue(1, GREEN, 'baseline');
    };
    await region.override(1, 'red', 2);
    assert.equal(await region.codesOf(1), '(green) red');
  });
});

describeOnAllTables('Overrides.requireUnbound', () => {
  let region: LivingRegion;
  beforeEach(async () => (region = await LivingRegion.open()));
  afterEach(() => region.process.stop());

  /** Of the newest code of somebody. */
  async function asked(n: number, isByRules: boolean): Promise<void> {
    const newest = (await region.process.registry.ofSubject(`P${n}`)).at(-1) ?? assert.fail();
    const { subject, log, index, fields } = newest;
    await region.overrides.requireUnbound({ subject, log, index, status: fields.status }, isByRules);
  }
  const isRefused = (error: unknown) => isNodeError(error, 'REFUSED') && /stricter/.test(error.message);

  it('refuses and revokes a code that was judged before an override, and is logged after it', async () => {
    for (const [n, isByRules] of [
      [1, true],
      [2, false],
    ] as const) {
      await region.override(n, 'red', 2);
      await region.issue(n, GREEN, 'baseline');
      await assert.rejects(asked(n, isByRules), isRefused);
      assert.equal(await region.codesOf(n), 'red (green)');
      // Whoever gives the order again gets its first answer, which passes nowhere.
      await asked(n, isByRules);
    }
  });

  it('takes what is as strict, and whatever one gives by hand after what one gave by hand', async () => {
    await region.override(1, 'yellow', 2);
    await region.issue(1, { ...ISOLATED, untilS: region.nowS + 86_400 }, 'baseline');
    await asked(1, true);
    await region.issue(2, { ...ISOLATED, untilS: region.nowS + 86_400 });
    await region.issue(2, GREEN);
    await asked(2, false);
    assert.deepEqual([await region.codesOf(1), await region.codesOf(2)], ['yellow red', 'red green']);
  });
});

describeOnAllTables('Overrides.requireUnbound, of whom a page is damaged,', () => {
  let region: LivingRegion;
  beforeEach(async () => (region = await LivingRegion.open()));
  afterEach(() => region.process.stop());

  it('leaves a code with whoever gave it, and tells once that it may be bound; what can be read binds it', async () => {
    await region.override(2, 'red', 2);
    for (const n of [1, 2]) {
      await region.issue(n, GREEN);
      await region.damageNewestPage();
    }
    const asked = async (n: number, demand: Pick<Status, 'colour' | 'measure'>) => {
      const status = { ...demand, expiresAtS: region.nowS + DAY_S, ruleId: 'manual', ruleVersion: 1 };
      const { log, index } = await region.process.issuer.issue({ subject: `P${n}`, fields: { status } });
      const code = { subject: `P${n}`, status, log, index };
      await region.overrides.requireUnbound(code, false);
      return code;
    };
    const code = await asked(1, GREEN);
    await region.overrides.requireUnbound(code, false);
    const [told, ...others] = region.troubles;
    assert.ok(isNodeError(told, 'REGISTRY_CORRUPT') && told.message.includes(`${code.log} ${code.index}`));
    assert.doesNotMatch(told.message, /P1/);
    assert.deepEqual(others, []);
    await assert.rejects(asked(2, GREEN), (error) => isNodeError(error, 'REFUSED'));
    await region.override(3, 'red', 2);
    await region.damageNewestBasis();
    await assert.rejects(asked(3, GREEN), (error) => isNodeError(error, 'REFUSED'));
    await assert.rejects(region.overrides.requireFree(code), (error) => isNodeError(error, 'REFUSED'));
  });
});

describeOnAllTables('Overrides.requireFree', () => {
  let region: LivingRegion;
  beforeEach(async () => (region = await LivingRegion.open()));
  afterEach(() => region.process.stop());

  const asked = (n: number, demand: Pick<Status, 'colour' | 'measure'>) => {
    const status = { ...demand, expiresAtS: region.nowS + 86_400, ruleId: 'other', ruleVersion: 1 };
    return region.overrides.requireFree({ subject: `P${n}`, status });
  };

  it('refuses what is looser than what two operators gave, until that is over or revoked', async () => {
    await region.override(1, 'red', 2);
    await region.override(2, 'red', 2);
    const isRefused = (error: unknown) => isNodeError(error, 'REFUSED') && /stricter/.test(error.message);
    await assert.rejects(asked(1, GREEN), isRefused);
    await assert.rejects(asked(2, GREEN), isRefused);
    await region.revoke(2);
    await asked(2, GREEN);
    region.later(3);
    await asked(1, GREEN);
  });

  for (const [what, basis] of [
    ['gave and did not sign', encodeCbor([1, START_S, '0'.repeat(32), 3, ['0'.repeat(16), '1'.repeat(16)]])],
    ['may have given, by what has no known form,', encodeCbor([9])],
  ] as const)
    it(`refuses what is looser than what two operators ${what}`, async () => {
      const endS = region.nowS + DAY_S;
      const status = { ...ISOLATED, untilS: endS, expiresAtS: endS, ruleId: 'manual', ruleVersion: 1 };
      await region.process.issuer.issue({ subject: 'P1', fields: { status }, basis });
      await assert.rejects(asked(1, GREEN), (error) => isNodeError(error, 'REFUSED'));
    });

  it('takes what is as strict, and anything after what one operator gave by hand', async () => {
    await region.override(1, 'yellow', 2);
    await asked(1, ISOLATED);
    await region.issue(2, { ...ISOLATED, untilS: region.nowS + 86_400 });
    await asked(2, GREEN);
  });
});

describeOnAllTables('Overrides.sweep', () => {
  let region: LivingRegion;
  beforeEach(async () => (region = await LivingRegion.open()));
  afterEach(() => region.process.stop());

  it('lets nobody be named by what lapsed or is over, also where nobody looks at it', async () => {
    const order = { reason: 'outbreak', colour: 'red', days: 2 } as const;
    const kept = () => region.process.tables.page('override/', 'override/~', { limit: 8 });
    await region.overrides.sweep();
    await region.propose({ ...order, subjects: ['P1'] }, ANNA);
    const { id } = await region.propose({ ...order, subjects: ['P2'] }, ANNA);
    region.issuesLeft = 0;
    await assert.rejects(region.confirm(id), /it died/);
    await region.overrides.sweep();
    assert.equal((await kept()).length, 2);
    region.later(1.01);
    await region.overrides.sweep();
    assert.equal((await kept()).length, 1, 'the one that lapsed is gone');
    assert.deepEqual((await region.overrides.show(id)).subjects, ['P2']);
    region.later(2);
    await region.overrides.sweep();
    const { subjects, missed } = await region.overrides.show(id);
    assert.deepEqual([subjects, missed], [[], 1]);
  });

  it('looks at all of them once: what ended while the node was down is not missed', async () => {
    await region.propose({ reason: 'outbreak', colour: 'red', days: 2, subjects: ['P1'] }, ANNA);
    region.later(300);
    await region.overrides.sweep();
    assert.deepEqual(await region.process.tables.page('override/', 'override/~', { limit: 1 }), []);
  });
});

describe('Overrides, one of which cannot be read', () => {
  const KEY = derivedKey(REGISTRY_KEY, 'override');
  const order = { reason: 'outbreak', colour: 'red', days: 2 } as const;
  let region: LivingRegion;
  let good: string;
  let bad: string;
  const isBad = (error: unknown) => isNodeError(error, 'REGISTRY_CORRUPT') && error.message.includes(bad);
  const list = async () => {
    const { overrides, damaged } = await region.overrides.list();
    return [overrides.map(({ id }) => id), damaged.map(({ id, code }) => [id, code])];
  };
  const isThere = async (id: string) => (await region.process.tables.get(`override/${id}`)) !== undefined;

  beforeEach(async () => {
    region = await LivingRegion.open();
    ({ id: good } = await region.propose({ ...order, subjects: ['P1', 'P2'] }, ANNA));
    ({ id: bad } = await region.propose({ ...order, subjects: ['P3'] }, BERT));
  });
  afterEach(() => region.process.stop());

  /** What is kept of the bad one. */
  async function textOf(): Promise<{ readonly subjects: readonly string[] }> {
    let kept: unknown;
    await rewrite((text) => {
      kept = JSON.parse(text);
      return text;
    });
    return kept as { readonly subjects: readonly string[] };
  }

  /** What is read of the bad one, sealed as `change` makes it. */
  async function rewrite(change: (text: string) => string | Uint8Array): Promise<void> {
    const { tables } = region.process;
    const key = `override/${bad}`;
    const opened = new Sealer(KEY).open(key, (await tables.get(key)) ?? assert.fail());
    const changed = change(Buffer.from(opened).toString());
    const value =
      typeof changed === 'string'
        ? new Sealer(KEY).seal(key, Buffer.from(changed), region.machine.bytes(NONCE_BYTES))
        : changed;
    await tables.write([{ put: key, value }]);
  }

  for (const [what, change] of [
    ['of newer software', (text: string) => text.replace('{', '{"later":1,')],
    ['no JSON', () => '{'],
    ['sealed for another place', () => Buffer.alloc(80)],
  ] as const) {
    it(`keeps nobody from the others where it is ${what}, is named, and told of once`, async () => {
      await rewrite(change);
      assert.deepEqual(await list(), [[good], [[bad, 'REGISTRY_CORRUPT']]]);
      await assert.rejects(region.overrides.show(bad), isBad);
      await assert.rejects(region.confirm(bad), isBad);
      await region.overrides.sweep();
      await region.overrides.forget('P2');
      assert.deepEqual((await region.overrides.show(good)).subjects, ['P1']);
      await region.override(4, 'red', 2);
      assert.deepEqual(await region.confirm(good), { issued: 1 });
      assert.equal(region.troubles.length, 1);
      assert.ok(isBad(region.troubles[0]));
      assert.ok(await isThere(bad));
    });
  }

  it('counts among what is asked for: the list goes on behind it', async () => {
    await rewrite(() => '{');
    const listed = async (after?: string) => {
      const { overrides, damaged, more } = await region.overrides.list({ last: 1, after });
      return [[...overrides, ...damaged].map(({ id }) => id), more];
    };
    const [first = '', second = ''] = [good, bad].sort();
    assert.deepEqual(await listed(), [[first], true]);
    assert.deepEqual(await listed(first), [[second], false]);
  });

  it('is for the software that wrote it, where somebody who is to be forgotten stands in it', async () => {
    await rewrite((text) => text.replace('{', '{"later":1,'));
    await region.overrides.forget('P');
    await assert.rejects(region.overrides.forget('P3'), isBad);
    region.later(100);
    await region.overrides.sweep();
    assert.ok(await isThere(bad));
  });

  /** As it was kept before operators signed. */
  const old = (changes: object) => {
    const by = (name: string) => ({ name, keyId: '0'.repeat(16), atS: START_S });
    return JSON.stringify({ ...order, people: 2, subjects: ['P3', 'P4'], proposed: by('anna'), ...changes });
  };
  const confirmed = { confirmed: { name: 'bert', keyId: '1'.repeat(16), atS: START_S } };

  it('is proposed anew where it is from before operators signed, and whom it names is forgotten', async () => {
    await rewrite(() => old({}));
    assert.deepEqual(await list(), [[good], [[bad, 'REFUSED']]]);
    await assert.rejects(region.confirm(bad), (error) => isNodeError(error, 'REFUSED'));
    await region.overrides.forget('P3');
    assert.deepEqual((await textOf()).subjects, ['P4']);
    await region.overrides.forget('P4');
    assert.ok(!(await isThere(bad)));
  });

  it('names nobody once it is over where it is from before operators signed, and stays if it was confirmed', async () => {
    await rewrite(() => old(confirmed));
    region.later(15);
    await region.overrides.sweep();
    assert.deepEqual((await textOf()).subjects, ['P3', 'P4']);
    region.later(1.01);
    await region.overrides.sweep();
    assert.deepEqual(await textOf(), JSON.parse(old({ ...confirmed, subjects: [] })));
    await rewrite(() => old({}));
    await region.overrides.sweep();
    assert.ok(!(await isThere(bad)));
  });

  it('goes once it is over where it opens for nobody', async () => {
    await rewrite(() => Buffer.alloc(80));
    region.later(15);
    await region.overrides.sweep();
    assert.ok(await isThere(bad));
    region.later(1.01);
    await region.overrides.sweep();
    assert.ok(!(await isThere(bad)));
    assert.deepEqual(await list(), [[], []]);
  });
});

describe('Overrides on a disk with a flipped bit', () => {
  it('are listed, swept and proposed all the same, and the one is named', async () => {
    const region = await LivingRegion.open();
    const order = { reason: 'outbreak', colour: 'red', days: 2 } as const;
    const { id: bad } = await region.propose({ ...order, subjects: ['P1'] }, ANNA);
    assert.ok(region.machine.medium.flipBit(`override/${bad}`));
    await region.override(2, 'red', 2);
    await region.overrides.sweep();
    await region.overrides.forget('P1');
    const { overrides, damaged } = await region.overrides.list();
    assert.deepEqual([overrides.map(({ state }) => state), damaged.map(({ id }) => id)], [['done'], [bad]]);
    await assert.rejects(region.confirm(bad), (error) => isNodeError(error, 'REGISTRY_CORRUPT'));
    await region.process.stop();
  });
});

describe('Overrides of a node', () => {
  it('are swept, and what passes beside stricter codes is seen to, as often as the calendar is looked at, once it signs', async () => {
    const world = new NodeWorld({ tendMs: 1_000 });
    const { overrides } = await world.found('DE');
    let sweeps = 0;
    let finished = 0;
    overrides.sweep = () => Promise.resolve(void sweeps++);
    overrides.beside.finish = () => Promise.reject(new NodeError('DISK_IO', String(finished++)));
    await world.pass(3);
    assert.ok(sweeps >= 2, String(sweeps));
    assert.ok(finished >= 2, String(finished));
    await world.stop();
  });
});
