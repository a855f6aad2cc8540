import assert from 'node:assert/strict';
import { type Life } from '../../../node/life/life.ts';
import { News } from '../../../node/life/news.ts';
import { type UpdateNews, type UpdateOrder } from '../../../node/life/updating.ts';
import { type UpdatesReport } from '../../../node/life/last-update.ts';
import { noFigures } from '../../../node/life/update-figures.ts';
import { NodeError } from '../../../node/node-error.ts';
import { ColourUpdates } from '../../../node/service/colour-updates.ts';
import { LivingRegion } from '../../support/living-region.ts';
import { ManualClock, settled } from '../../support/manual-clock.ts';

const MINUTE_MS = 60_000;

describe('ColourUpdates', () => {
  let clock: ManualClock;
  let told: string[];
  let runs: number;
  /** Whom the runs after the first were of. */
  let looked: string[];
  let news: News;
  let outcome: () => UpdateNews;
  let trouble: UpdatesReport['trouble'];
  let updates: ColourUpdates;

  function start(everyMinutes: number): void {
    const life = {
      news,
      async *update({ of }: UpdateOrder = {}) {
        await Promise.resolve();
        runs++;
        looked.push(of?.join(' ') ?? 'anybody');
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
    looked = [];
    news = new News();
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

  const SECOND_MS = 1_000;

  /** Soon after the first round. */
  async function afterFirst(): Promise<void> {
    start(60);
    await pass(2 * MINUTE_MS);
    looked = [];
  }

  it('looks at people soon after the last of what they declared, at them alone, and at the latest a minute after the first', async () => {
    await afterFirst();
    assert.equal(news.tell(['P1']), 5);
    await pass(4 * SECOND_MS);
    assert.equal(news.tell(['P2', 'P1']), 5);
    await pass(4 * SECOND_MS);
    assert.deepEqual(looked, []);
    await pass(SECOND_MS);
    assert.deepEqual(looked, ['P1 P2']);
    for (let told = 0; told < 20; told++) {
      news.tell([`Q${told}`]);
      await pass(4 * SECOND_MS);
    }
    assert.equal(looked[1], Array.from({ length: 15 }, (_, i) => `Q${i}`).join(' '));
  });

  it('looks at everybody soon after a list, and at most once a minute', async () => {
    await afterFirst();
    assert.equal(news.tell('anybody'), 5);
    await pass(5 * SECOND_MS);
    assert.deepEqual(looked, ['anybody']);
    assert.equal(news.tell('anybody'), 60);
    // Not before the others: it would be the same people.
    news.tell(['P1']);
    await pass(59 * SECOND_MS);
    assert.deepEqual(looked, ['anybody']);
    await pass(SECOND_MS);
    assert.deepEqual(looked, ['anybody', 'anybody']);
    await pass(50 * MINUTE_MS);
    assert.deepEqual(looked, ['anybody', 'anybody']);
  });

  it('looks at everybody where more declared than are looked at together', async () => {
    await afterFirst();
    for (let n = 0; n < 3; n++) news.tell(Array.from({ length: 1_000 }, (_, i) => `P${n}-${i}`));
    await pass(5 * SECOND_MS);
    assert.deepEqual(looked, ['anybody']);
  });

  it('keeps what is new until an update of somebody else is over', async () => {
    await afterFirst();
    const busy = () => {
      throw new NodeError('REFUSED', 'colours are being updated already', { retry: true });
    };
    outcome = busy;
    news.tell(['P1']);
    await pass(12 * SECOND_MS);
    assert.deepEqual(looked, ['P1', 'P1']);
    outcome = () => ({ figures: { ...noFigures(), worse: 1 }, share: 1 });
    await pass(5 * SECOND_MS);
    await pass(MINUTE_MS);
    assert.deepEqual(
      [looked, told],
      [
        ['P1', 'P1', 'P1'],
        ['published', 'colours were updated'],
      ],
    );
  });

  it('leaves to the next round what would fail again', async () => {
    await afterFirst();
    outcome = () => {
      throw new NodeError('KEY_NOT_IN_FORCE', 'no key');
    };
    news.tell('anybody');
    await pass(10 * MINUTE_MS);
    assert.deepEqual([looked, told.length], [['anybody'], 1]);
  });

  it('does nothing by itself where that is switched off, and says so of what is new', async () => {
    start(0);
    assert.equal(news.tell('anybody'), undefined);
    await pass(24 * 60 * MINUTE_MS);
    assert.equal(runs, 0);
  });
});

describe('ColourUpdates of a region', () => {
  it('revokes at once what a list, and then a declaration, is worse than', async () => {
    const region = await LivingRegion.open();
    const clock = new ManualClock(0);
    let updated: () => void;
    const anUpdate = () => new Promise<void>((resolve) => (updated = resolve));
    const updates = new ColourUpdates(
      { everyMinutes: 60 },
      {
        region: {
          publish: () => Promise.resolve(),
          node: { life: region.life, whenWriting: () => Promise.resolve() },
        },
        clock,
        log: { info: () => updated() },
        onTrouble: (error) => assert.fail(String(error)),
      },
    );
    try {
      await region.declare([1, 2, 3]);
      updates.start();
      let done = anUpdate();
      await clock.advance(30_000);
      await done;
      await region.control([2]);
      done = anUpdate();
      await clock.advance(60_000);
      await done;
      assert.deepEqual([await region.codesOf(1), await region.codesOf(2)], ['green', '(green) red']);
      region.later(0.01);
      await region.declare([1], { symptoms: true });
      done = anUpdate();
      await clock.advance(5_000);
      await done;
      assert.deepEqual([await region.codesOf(1), await region.codesOf(3)], ['(green) yellow', 'green']);
    } finally {
      await updates.stop();
      await region.process.stop();
    }
  });
});
