import assert from 'node:assert/strict';
import { Tallier } from '../../../node/abuse/tallier.ts';
import { type LogTree } from '../../../node/log/log-tree.ts';
import { type TrustLogItem } from '../../../node/log/trust-log-work.ts';
import { type Registry } from '../../../node/registry/registry.ts';
import { type Status } from '../../../protocol/code/status.ts';
import { DISCLOSURE_LEAVES_MAX, TALLY_CODES_MIN, TALLY_S_MAX } from '../../../protocol/limits.ts';
import { type StatementOf } from '../../../protocol/trust/statement-schema.ts';
import { type TrustState } from '../../../protocol/trust/trust-state.ts';
import { HOUR_S, LOG_ID, START_S } from '../../support/region-fixture.ts';

const GREEN: Status = { colour: 'green', measure: 'none', expiresAtS: 1, ruleId: 'de', ruleVersion: 1 };

/** The ranges that are told of a log of so many leaves of `START_S`, of which every `codeEvery`-th is somebody's. */
async function toldOf(size: number, { codeEvery = 1, ageS = 0 } = {}): Promise<number[][]> {
  const told: StatementOf<'tally'>[] = [];
  const registry = {
    withBases: async function* ({ from, until }: { from: number; until: number }) {
      for (let index = from; index < until; index++)
        if (index % codeEvery === 0)
          yield await Promise.resolve({ fields: { status: GREEN }, hour: START_S / HOUR_S });
    },
  } as unknown as Registry;
  const submit = (item: TrustLogItem) => {
    assert.ok('build' in item);
    const { statement } = item.build({ index: 0, atS: START_S });
    told.push(statement as StatementOf<'tally'>);
    return Promise.resolve();
  };
  const trust = () =>
    ({ logs: () => [{ log: LOG_ID, minimum: 0 }], tally: () => told.at(-1) }) as unknown as TrustState;
  const openTree = () => Promise.resolve({ head: { size } } as LogTree);
  const modules = { registry, trust, openTree, submit, nowS: () => START_S + ageS };
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
