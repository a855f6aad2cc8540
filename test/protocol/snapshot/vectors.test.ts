import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { FAULT_CODES } from '../../../protocol/fault.ts';
import { modules } from '../../support/snapshot-fixture.ts';
import { replayContainer, replayReading, type SnapshotVectors } from '../../support/snapshot-vectors.ts';
import { SNAPSHOT_VECTOR_FILE, snapshotVectorText } from '../../vectors/generate/snapshot.ts';

const text = readFileSync(SNAPSHOT_VECTOR_FILE, 'utf8');
const { containers, shared, readings } = JSON.parse(text) as SnapshotVectors;

describe('vectors/snapshot.json', () => {
  it('is what its script makes', () => {
    assert.equal(text, snapshotVectorText());
  });

  it('has at least as many bad cases as good ones, and no name twice', () => {
    const refused = containers.filter(({ fault }) => fault !== undefined);
    assert(2 * refused.length >= containers.length, `${refused.length} of ${containers.length}`);
    const faulty = readings.filter(({ steps }) =>
      steps.some(({ fault, outcomes = [] }) => [fault, ...outcomes.map(({ fault }) => fault)].some(Boolean)),
    );
    assert(2 * faulty.length >= readings.length, `${faulty.length} of ${readings.length}`);
    for (const list of [containers, readings]) {
      assert.equal(new Set(list.map(({ name }) => name)).size, list.length);
    }
  });

  it('has every effect and standing, and every fault that a snapshot alone can have', () => {
    const steps = readings.flatMap(({ steps }) => steps);
    const outcomes = steps.flatMap(({ outcomes = [] }) => outcomes);
    const effects = new Set(outcomes.map(({ effect }) => effect));
    assert.deepEqual([...effects].sort(), ['beside', 'confirmed', 'faulty', 'forked', 'left-out', 'taken']);
    const standings = new Set(steps.flatMap(({ holds }) => holds.map(({ standing }) => standing)));
    assert.deepEqual([...standings].sort(), ['forked', 'good', 'quarantined']);
    const faults = new Set([...containers, ...steps, ...outcomes].map(({ fault }) => fault));
    for (const code of FAULT_CODES) {
      if (/^(SNAPSHOT_|STATE_|PIN_|HISTORY_|ROLLBACK|FORK)/.test(code)) assert(faults.has(code), code);
    }
  });

  for (const container of containers) {
    const { name, fault = 'good' } = container;
    it(`container, ${fault}: ${name}`, () => assert.deepEqual(replayContainer(container), container));
  }

  for (const reading of readings) {
    it(`reading: ${reading.name}`, () => {
      assert.deepEqual(replayReading(modules, reading, shared), reading);
    });
  }
});
