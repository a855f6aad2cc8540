import assert from 'node:assert/strict';
import { type Life, type UpdateNews } from '../../../node/life/life.ts';
import { type UpdatesReport } from '../../../node/life/last-update.ts';
import { noFigures } from '../../../node/life/update-figures.ts';
import { NodeError } from '../../../node/node-error.ts';
import { ColourUpdates } from '../../../node/service/colour-updates.ts';
import { ManualClock, settled } from '../../support/manual-clock.ts';

const MINUTE_MS = 60_000;

describe('ColourUpdates', () => {
  let clock: ManualClock;
  let told: string[];
  let runs: number;
  let outcome: () => UpdateNews;
  let trouble: UpdatesReport['trouble'];
  let updates: ColourUpdates;

  function start(everyMinutes: number): void {
    const life = {
      async *update() {
        await Promise.resolve();
        runs++;
        yield outcome();
      },
      updates: () => Promise.resolve({ lastAtS: 0, hasDeclared: false, ...(trouble && { trouble }) }),
    } as unknown as Life;
    updates = new ColourUpdates(
      { everyMinutes },
      {
        region: {
          publish: () => Promise.resolve(void told.push('published')),
          node: { life, whenWriting: () => Promise.resolve() },
        },
        clock,
        log: { info: (what) => void told.push(what) },
        onTrouble: (error) => void told.push(String(error)),
      },
    );
    updates.start();
  }

  async function pass(ms: number): Promise<void> {
    await clock.advance(ms);
    await settled();
  }

  beforeEach(() => {
    clock = new ManualClock(0);
    told = [];
    runs = 0;
    trouble = undefined;
    outcome = () => ({ figures: { ...noFigures(), unchanged: 3 }, share: 1 });
  });
  afterEach(() => updates.stop());

  it('runs soon after the start and then at the interval, and says nothing where nothing changed', async () => {
    start(60);
    await pass(MINUTE_MS);
    assert.equal(runs, 1);
    await pass(58 * MINUTE_MS);
    assert.equal(runs, 1);
    await pass(2 * MINUTE_MS);
    assert.equal(runs, 2);
    assert.deepEqual(told, []);
  });

  it('publishes what came of it', async () => {
    outcome = () => ({ figures: { ...noFigures(), worse: 1 }, share: 1 });
    start(60);
    await pass(MINUTE_MS);
    assert.deepEqual(told, ['published', 'colours were updated']);
  });

  it('goes on after trouble, and tells none where the region has no rules for people', async () => {
    const errors = [new NodeError('NOT_FOUND', 'no rules'), new NodeError('DISK_FULL', 'full')];
    outcome = () => {
      throw errors.shift() ?? new NodeError('NOT_FOUND', 'no rules');
    };
    start(1);
    await pass(MINUTE_MS);
    assert.deepEqual([runs, told], [1, []]);
    await pass(MINUTE_MS);
    await pass(MINUTE_MS);
    assert.deepEqual([runs, told.length], [3, 1]);
    assert.match(told[0] ?? '', /full/);
  });

  it('tells of rules that are over, or named wrongly, with every round', async () => {
    trouble = { code: 'NOT_FOUND', message: 'no rules dee', retry: false };
    outcome = () => {
      throw new NodeError('NOT_FOUND', 'no rules dee');
    };
    start(1);
    await pass(MINUTE_MS);
    await pass(MINUTE_MS);
    assert.deepEqual([runs, told.length], [2, 2]);
    assert.match(told[0] ?? '', /no rules dee/);
  });

  it('tries again a minute later where somebody else updates meanwhile, and tells no trouble of it', async () => {
    outcome = () => {
      throw new NodeError('REFUSED', 'colours are being updated already', { retry: true });
    };
    start(60);
    await pass(MINUTE_MS);
    assert.equal(runs, 1);
    await pass(MINUTE_MS);
    assert.deepEqual([runs, told], [2, []]);
    outcome = () => ({ figures: { ...noFigures(), worse: 1 }, share: 1 });
    await pass(MINUTE_MS);
    assert.deepEqual([runs, told.length], [3, 2]);
    await pass(58 * MINUTE_MS);
    assert.equal(runs, 3);
  });

  it('does nothing by itself where that is switched off', async () => {
    start(0);
    await pass(24 * 60 * MINUTE_MS);
    assert.equal(runs, 0);
  });
});
