import assert from 'node:assert/strict';
import { Tallier } from '../../../node/abuse/tallier.ts';
import { type LogTree } from '../../../node/log/log-tree.ts';
import { type TrustLogItem } from '../../../node/log/trust-log-work.ts';
import { isNodeError } from '../../../node/node-error.ts';
import { pageKey } from '../../../node/registry/page-keys.ts';
import { type Registry } from '../../../node/registry/registry.ts';
import { type Status } from '../../../protocol/code/status.ts';
import { encodeCbor } from '../../../protocol/encoding/cbor.ts';
import { DISCLOSURE_LEAVES_MAX, TALLY_CODES_MIN, TALLY_S_MAX } from '../../../protocol/limits.ts';
import { type StatementOf } from '../../../protocol/trust/statement-schema.ts';
import { MANUAL_RULE_ID } from '../../../protocol/disclosure/override.ts';
import { type TrustState } from '../../../protocol/trust/trust-state.ts';
import { describeOnAllTables } from '../../support/tables.ts';
import { greenFields, RegionMachine, startRegion } from '../../support/issuing-fixture.ts';
import { sha256 } from '../../support/primitives.ts';
import { DAY_S, HOUR_S, LOG_ID, START_S } from '../../support/region-fixture.ts';

/** Of two operators who signed nothing, because of an outbreak. */
const OLD_BASIS = encodeCbor([1, START_S, '0'.repeat(32), 3, ['0'.repeat(16), '1'.repeat(16)]]);
const GREEN: Status = { colour: 'green', measure: 'none', expiresAtS: 1, ruleId: 'de', ruleVersion: 1 };

/** What is told of `LOG_ID`, one tally after the other, and what `Tallier` is given for that; `meanwhile` runs before each is logged. */
function telling() {
  const told: StatementOf<'tally'>[] = [];
  const standing = { lastAtS: START_S, meanwhile: () => Promise.resolve<unknown>(undefined) };
  const submit = async (item: TrustLogItem) => {
    assert.ok('build' in item);
    await standing.meanwhile();
    told.push(item.build({ index: 0, atS: START_S }).statement as StatementOf<'tally'>);
  };
  const trust = () =>
    ({
      logs: () => [{ log: LOG_ID, minimum: 0 }],
      tally: () => told.at(-1),
      lastAtS: standing.lastAtS,
    }) as unknown as TrustState;
  return { told, standing, submit, trust };
}

/** The ranges that are told of a log of so many leaves of `START_S`, of which every `codeEvery`-th is somebody's. */
async function toldOf(size: number, { codeEvery = 1, ageS = 0 } = {}): Promise<number[][]> {
  const { told, submit, trust } = telling();
  const registry = {
    withBases: async function* ({ from, until }: { from: number; until: number }) {
      for (let index = from; index < until; index++)
        if (index % codeEvery === 0)
          yield await Promise.resolve({ index, fields: { status: GREEN }, hour: START_S / HOUR_S });
    },
    uncounted: async function* () {
      // Nobody was forgotten.
    },
    dropUncounted: () => Promise.resolve(),
  } as unknown as Registry;
  const openTree = () => Promise.resolve({ head: { size } } as LogTree);
  const modules = { registry, trust, openTree, submit, nowS: () => START_S + ageS, sha256 };
  await new Tallier({ region: 'DE', network: 'test' }, modules).tend();
  return told.map(({ from, until }) => [from, until]);
}

describe('Tallier', () => {
  it('waits for 1,000 codes or for a day', async () => {
    assert.deepEqual(await toldOf(TALLY_CODES_MIN - 1), []);
    assert.deepEqual(await toldOf(TALLY_CODES_MIN), [[0, TALLY_CODES_MIN]]);
    assert.deepEqual(await toldOf(1, { ageS: TALLY_S_MAX - 1 }), []);
    assert.deepEqual(await toldOf(1, { ageS: TALLY_S_MAX }), [[0, 1]]);
  });

  it('tells of no more leaves together than one disclosure can open, so that each can be counted again', async () => {
    const max = DISCLOSURE_LEAVES_MAX;
    assert.deepEqual(await toldOf(2 * max + TALLY_CODES_MIN), [
      [0, max],
      [max, 2 * max],
      [2 * max, 2 * max + TALLY_CODES_MIN],
    ]);
  });

  it('tells of so many leaves also where few are of anybody', async () => {
    const max = DISCLOSURE_LEAVES_MAX;
    assert.deepEqual(await toldOf(max - 1, { codeEvery: 64 }), []);
    assert.deepEqual(await toldOf(max + 1, { codeEvery: 64 }), [[0, max]]);
  });
});

describeOnAllTables('Tallier', () => {
  it('counts whom somebody forgot before, and keeps nothing of them then', async () => {
    const machine = new RegionMachine();
    const { issuer, registry, tables, openTree, stop } = await startRegion(machine);
    const persons = Array.from({ length: 20 }, (_, i) => `person ${i}`);
    await Promise.all(persons.map((subject) => issuer.issue({ subject, fields: greenFields() })));
    const { told, standing, submit, trust } = telling();
    const nowS = () => START_S + TALLY_S_MAX;
    const tallier = new Tallier(machine.region, { registry, trust, openTree, submit, nowS, sha256 });
    const left = () => tables.page('registry/uncounted/', 'registry/uncounted0', { limit: 99 });
    for (const subject of persons.slice(0, 5)) await registry.forget(subject, { isCounted: () => false });
    assert.equal((await left()).length, 5);
    standing.meanwhile = () => registry.forget('person 5', { isCounted: () => false });
    await tallier.tend();
    assert.deepEqual(
      told.map(({ from, until, cells, merged }) => [from, until, cells, merged]),
      [[0, 20, [{ rule: 'baseline', colour: 0, count: 20 }], 0]],
    );
    assert.deepEqual(await left(), []);
    await tallier.tend();
    assert.equal(told.length, 1);
    await stop();
  });

  it('counts what is bridged as no override of its own, also of whom somebody forgot before', async () => {
    const machine = new RegionMachine();
    const { issuer, registry, openTree, stop } = await startRegion(machine);
    const original = { region: 'FR', hashes: [new Uint8Array(16)] };
    const status = { ...greenFields().status, ruleId: MANUAL_RULE_ID, original };
    const persons = Array.from({ length: 10 }, (_, i) => `FR/${i}`);
    await Promise.all(persons.map((subject) => issuer.issue({ subject, fields: { status } })));
    for (const subject of persons.slice(0, 4)) await registry.forget(subject, { isCounted: () => false });
    const { told, submit, trust } = telling();
    const nowS = () => START_S + TALLY_S_MAX;
    await new Tallier(machine.region, { registry, trust, openTree, submit, nowS, sha256 }).tend();
    assert.deepEqual(
      told.map(({ cells, merged, overrides }) => [cells, merged, overrides]),
      [[[{ rule: 'manual', colour: 0, count: 10 }], 0, []]],
    );
    await stop();
  });

  it('tells up to leaves whose records are damaged, says so, and goes on once they are restored', async () => {
    const machine = new RegionMachine();
    const { issuer, registry, tables, openTree, stop } = await startRegion(machine);
    for (const batch of [0, 1])
      await Promise.all(
        Array.from({ length: 20 }, (_, i) =>
          issuer.issue({ subject: `person ${20 * batch + i}`, fields: greenFields() }),
        ),
      );
    const { told, submit, trust } = telling();
    const nowS = () => START_S + TALLY_S_MAX;
    const tallier = new Tallier(machine.region, { registry, trust, openTree, submit, nowS, sha256 });
    const page = pageKey(LOG_ID, 20);
    const value = (await tables.get(page)) ?? assert.fail();
    await tables.write([{ put: page, value: Buffer.alloc(40) }]);
    for (let time = 0; time < 2; time++) {
      await assert.rejects(
        tallier.tend(),
        (error) => isNodeError(error, 'REGISTRY_CORRUPT') && error.message.includes(page),
      );
      assert.deepEqual(
        told.map(({ from, until }) => [from, until]),
        [[0, 20]],
      );
    }
    await tables.write([{ put: page, value }]);
    await tallier.tend();
    assert.deepEqual([told[1]?.from, told[1]?.until], [20, 40]);
    await stop();
  });

  it('counts what rests on two operators who signed nothing by its reason, and on what has no known form as on nothing', async () => {
    const machine = new RegionMachine();
    const { issuer, registry, openTree, stop } = await startRegion(machine);
    const status = { ...greenFields().status, ruleId: MANUAL_RULE_ID };
    for (const basis of [OLD_BASIS, encodeCbor([9])])
      await issuer.issue({ subject: 'a', fields: { status }, basis });
    const { told, submit, trust } = telling();
    const troubles: unknown[] = [];
    const onTrouble = (error: unknown) => troubles.push(error);
    const nowS = () => START_S + TALLY_S_MAX;
    const modules = { trust, openTree, submit, nowS, sha256, onTrouble };
    const exchanged: Registry = Object.assign(Object.create(registry) as Registry, {
      dropUncounted: () => Promise.resolve(),
      uncounted: (stretch: Parameters<Registry['uncounted']>[0]) => registry.uncounted(stretch),
      withBases: async function* (...asked: Parameters<Registry['withBases']>) {
        for await (const record of registry.withBases(...asked))
          yield record.index === 1 ? { ...record, basis: encodeCbor([8]) } : record;
      },
    });
    for (let time = 0; time < 2; time++)
      await assert.rejects(
        new Tallier(machine.region, { ...modules, registry: exchanged }).tend(),
        (error) => isNodeError(error, 'REGISTRY_CORRUPT') && error.message.includes(`${LOG_ID} 1`),
      );
    assert.deepEqual(troubles, []);
    await new Tallier(machine.region, { ...modules, registry }).tend();
    assert.deepEqual(
      told.map(({ from, until, overrides }) => [from, until, overrides]),
      [
        [0, 1, [{ reason: 3, colour: 0, count: 1 }]],
        [1, 2, [{ reason: 0, colour: 0, count: 1 }]],
      ],
    );
    assert.match(String(troubles[0]), /what 1 codes .* the first at 1:/);
    assert.equal(troubles.length, 1);
    await stop();
  });

  it('keeps nothing of whom it has counted, nor of a log that is over', async () => {
    const machine = new RegionMachine();
    const { issuer, registry, tables, openTree, stop } = await startRegion(machine);
    await issuer.issue({ subject: 'a', fields: greenFields() });
    await registry.forget('a', { isCounted: () => false });
    const { standing, trust } = telling();
    const submit = () => assert.fail('a log that is over has no tally');
    const nowS = () => START_S + 90 * DAY_S;
    const tallier = new Tallier(machine.region, { registry, trust, openTree, submit, nowS, sha256 });
    const left = () => tables.page('registry/uncounted/', 'registry/uncounted0', { limit: 99 });
    await tallier.tend();
    assert.equal((await left()).length, 1, 'the clock may have run ahead');
    standing.lastAtS = nowS();
    await tallier.tend();
    assert.deepEqual(await left(), []);
    await stop();
  });
});
