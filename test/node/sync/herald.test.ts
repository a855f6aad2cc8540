import assert from 'node:assert/strict';
import { Herald, type HeraldModules } from '../../../node/sync/herald.ts';
import { parseAnswer, TOPICS } from '../../../node/sync/messages.ts';
import { type HeldState } from '../../../node/trust/held-state.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const BEAT_MS = 10_000;
const HOME = 'R0';

/** What the herald sees of a trust log. */
interface Log {
  readonly region: string;
  readonly origin: string;
  latest: { readonly pool: { readonly text: string; note(): Uint8Array } };
  readonly standingForks: readonly never[];
}

function headOf(text: string): Log['latest'] {
  return { pool: { text, note: () => Buffer.from(text) } };
}

function heraldOf(count: number) {
  const logs = Array.from({ length: count }, (_, i): Log => {
    const region = `R${i}`;
    return { region, origin: region, latest: headOf(`${region} 1`), standingForks: [] };
  });
  const clock = new ManualClock(1_000_000);
  let told: string[] = [];
  const publish = (topic: string, message: Uint8Array): void => {
    const answer = parseAnswer(message);
    if (answer.kind === 'range') told.push(`${topic} ${Buffer.from(answer.note).toString()}`);
    else {
      assert.ok(topic === TOPICS.head && answer.kind === 'heads');
      told.push(...answer.heads.map(({ note }) => Buffer.from(note).toString()));
    }
  };
  const herald = new Herald({ region: HOME, witnessName: 'none', beatMs: BEAT_MS }, {
    network: { publish },
    clock,
    voucher: { line: () => Promise.resolve(undefined) },
    keepers: () => logs,
  } as unknown as HeraldModules);
  /** What it tells within so many milliseconds. */
  const within = async (ms: number): Promise<string[]> => {
    told = [];
    await clock.advance(ms);
    return told;
  };
  return { herald, logs, within, all: logs.map(({ latest }) => latest.pool.text) };
}

describe('Herald', () => {
  it('tells of all logs in every beat among ten regions', async () => {
    const { herald, within, all } = heraldOf(10);
    herald.start();
    assert.deepEqual(await within(1_000), all);
    for (let beat = 0; beat < 3; beat++) assert.deepEqual(await within(BEAT_MS), all);
    await herald.stop();
  });

  it('tells of its own log in every beat among many regions, and of the others as seldom as there are many', async () => {
    for (const [count, beats] of [
      [34, 3],
      [100, 6],
    ] as const) {
      const { herald, within, all } = heraldOf(count);
      herald.start();
      assert.deepEqual(await within(1_000), all);
      for (let beat = 1; beat < beats; beat++) assert.deepEqual(await within(BEAT_MS), [all[0]], `${beat}`);
      assert.deepEqual(await within(BEAT_MS), all);
      await herald.stop();
    }
  });

  it('tells at once of a log that has grown, and gathers what comes next', async () => {
    const { herald, logs, within } = heraldOf(34);
    herald.start();
    await within(1_000);
    const grow = (i: number, text: string): void => {
      (logs[i] as Log).latest = headOf(text);
      herald.news();
    };
    grow(7, 'R7 2');
    assert.deepEqual(await within(30), ['R7 2']);
    grow(8, 'R8 2');
    await within(30);
    grow(9, 'R9 2');
    grow(7, 'R7 3');
    assert.deepEqual((await within(400)).sort(), ['R7 3', 'R8 2', 'R9 2']);
    await herald.stop();
  });

  it('tells of its own log no second time at once where it tells of the entries, and of a larger one it does', async () => {
    const { herald, logs, within } = heraldOf(10);
    herald.start();
    await within(1_000);
    const [home] = logs as [Log];
    const tell = (): void => {
      const { latest, origin } = home;
      herald.tellEntries(0, [new Uint8Array(64)], {
        checkpoint: { origin },
        ...latest,
      } as unknown as HeldState);
    };
    home.latest = headOf('R0 2');
    herald.news();
    tell();
    assert.deepEqual(await within(1_000), []);
    tell();
    home.latest = headOf('R0 3');
    herald.news();
    assert.deepEqual(await within(1_000), ['R0 3']);
    await herald.stop();
  });
});
