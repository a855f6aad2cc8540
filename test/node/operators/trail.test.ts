import assert from 'node:assert/strict';
import { appendFileSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type FileHandle, open } from 'node:fs/promises';
import { isNodeError } from '../../../node/node-error.ts';
import { act, actInParts, type Tally } from '../../../node/operators/acting.ts';
import { readTrail } from '../../../node/operators/read-trail.ts';
import { type Actor } from '../../../node/operators/scopes.ts';
import { Trail } from '../../../node/operators/trail.ts';
import { type TrailEntry } from '../../../node/operators/trail-line.ts';
import { START_S } from '../../support/start-time.ts';
import { temporaryFolders } from '../../support/temporary.ts';

type Write = (
  this: FileHandle,
  bytes: Uint8Array,
  offset: number,
  length: number,
  at: number,
) => ReturnType<FileHandle['write']>;

const modules = { nowS: () => START_S };
const NOTE = { who: 'anna', key: '0011223344556677', action: 'revoke', count: 2 } as const;

async function entriesOf(path: string): Promise<TrailEntry[]> {
  const entries: TrailEntry[] = [];
  for await (const { entry } of readTrail(path)) entries.push(entry);
  return entries;
}

const isBroken = (line: number) => (error: unknown) =>
  isNodeError(error, 'DATA_INCONSISTENT') && error.message.includes(`line ${line} `);

describe('Trail', () => {
  const folder = temporaryFolders();

  async function made(count: number): Promise<string> {
    const path = join(folder(), 'trail.jsonl');
    const trail = await Trail.open(path, modules);
    for (let i = 0; i < count; i++) assert.equal(await trail.append(NOTE), i);
    return path;
  }

  it('numbers and chains what is noted, also together, and goes on where it ended', async () => {
    const path = join(folder(), 'trail.jsonl');
    const trail = await Trail.open(path, modules);
    assert.deepEqual(await Promise.all([trail.append(NOTE), trail.append(NOTE)]), [0, 1]);
    const again = await Trail.open(path, modules);
    assert.deepEqual(again.head, trail.head);
    assert.equal(await again.append({ who: 'directory', action: 'state' }), 2);
    const entries = await entriesOf(path);
    assert.deepEqual(
      entries.map(({ n, who, at }) => [n, who, at]),
      [
        [0, 'anna', START_S],
        [1, 'anna', START_S],
        [2, 'directory', START_S],
      ],
    );
  });

  it('a line that broke off is cut away, and one that is whole stays, wherever the file ends', async () => {
    const path = await made(3);
    const whole = readFileSync(path);
    const lengths = [...whole.keys()].filter((i) => whole[i] === 0x0a);
    for (let length = 0; length <= whole.length; length += 7) {
      writeFileSync(path, whole);
      truncateSync(path, length);
      const kept = lengths.filter((end) => end < length).length;
      const trail = await Trail.open(path, modules);
      assert.equal(trail.head.size, kept);
      assert.equal((await entriesOf(path)).length, kept);
      assert.equal(await trail.append(NOTE), kept);
      assert.equal((await entriesOf(path)).length, kept + 1);
    }
  });

  it('is found broken where a line was changed, taken out, put in or swapped', async () => {
    const path = await made(4);
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
    const [a = '', b = '', c = '', d = ''] = lines;
    const cases: readonly [what: readonly string[], line: number][] = [
      [[a.replace('anna', 'bert'), b, c, d], 2],
      [[a, c, d], 2],
      [[b, c, d], 1],
      [[a, b, b, c, d], 3],
      [[a, c, b, d], 2],
      [[a, b, c.replace('"count":2', '"count":3'), d], 4],
      [[a, b.replace('"action":"revoke",', ''), c, d], 2],
      [[a, b, `${c} `, d], 4],
      [[a, b, 'x'.repeat(5_000), d], 3],
    ];
    for (const [changed, line] of cases) {
      writeFileSync(path, `${changed.join('\n')}\n`);
      await assert.rejects(entriesOf(path), isBroken(line), `line ${line}`);
    }
  });

  it('does not go on behind a last line that is none', async () => {
    const path = await made(2);
    appendFileSync(path, 'nonsense\n');
    await assert.rejects(Trail.open(path, modules), (error) => isNodeError(error, 'DATA_INCONSISTENT'));
  });

  it('a write that took a part of the bytes goes on with the rest', async () => {
    const path = await made(1);
    const trail = await Trail.open(path, modules);
    const handle = await open(path, 'r');
    const prototype = Object.getPrototypeOf(handle) as { write: Write };
    await handle.close();
    const { write } = prototype;
    let writes = 0;
    prototype.write = function (this: FileHandle, bytes, offset, length, at) {
      return write.call(this, bytes, offset, writes++ === 0 ? 10 : length, at);
    };
    try {
      assert.deepEqual(await Promise.all([trail.append(NOTE), trail.append(NOTE)]), [1, 2]);
    } finally {
      prototype.write = write;
    }
    assert.ok(writes > 1);
    assert.equal((await entriesOf(path)).length, 3);
    assert.deepEqual((await Trail.open(path, modules)).head, trail.head);
  });

  it('refuses what would be no line, and goes on', async () => {
    const path = await made(1);
    const trail = await Trail.open(path, modules);
    const odd = [
      { who: 'anna', action: 'v2.issue' },
      { who: '', action: 'issue' },
      { who: 'anna', action: 'issue', about: 'x'.repeat(129) },
    ];
    for (const note of odd) await assert.rejects(trail.append(note), TypeError);
    assert.equal(await trail.append(NOTE), 1);
    assert.equal((await Trail.open(path, modules)).head.size, 2);
  });

  it('B71: is for its owner alone, and what cannot be noted is not done', async function () {
    const path = join(folder(), 'trail.jsonl');
    const trail = await Trail.open(path, modules);
    mkdirSync(path);
    const actor: Actor = { name: 'anna', may: new Set(['revoke']) };
    let isDone = false;
    const work = () => {
      isDone = true;
    };
    const acting = act(trail, actor, { action: 'revoke', needs: 'revoke' }, work);
    await assert.rejects(acting, (error) => isNodeError(error, 'DISK_IO'));
    assert.equal(isDone, false);
    chmodSync(path, 0o700);
  });
});

describe('act', () => {
  const folder = temporaryFolders();
  const actor: Actor = { name: 'anna', keyId: '0011223344556677', may: new Set(['issue']) };

  it('notes before the work begins, and that it failed', async () => {
    const path = join(folder(), 'trail.jsonl');
    const trail = await Trail.open(path, modules);
    const action = { action: 'issue', needs: 'issue', count: 3 } as const;
    const before = await act(trail, actor, action, () => trail.head.size);
    assert.equal(before, 1);
    await assert.rejects(
      act(trail, actor, action, () => Promise.reject(new Error('Person 1'))),
      /Person 1/,
    );
    const entries = await entriesOf(path);
    assert.deepEqual(
      entries.map(({ action: did, count, failed }) => [did, count, failed]),
      [
        ['issue', 3, undefined],
        ['issue', 3, undefined],
        ['issue', 3, { n: 1, code: 'ERROR' }],
      ],
    );
  });

  it('what went wrong is told also where that cannot be noted', async () => {
    const path = join(folder(), 'trail.jsonl');
    const trail = await Trail.open(path, modules);
    const failing = act(trail, actor, { action: 'issue', needs: 'issue' }, () => {
      rmSync(path);
      mkdirSync(path);
      throw new RangeError('the real one');
    });
    await assert.rejects(failing, /the real one/);
  });

  it('parts that failed are noted where the whole did not', async () => {
    const path = join(folder(), 'trail.jsonl');
    const trail = await Trail.open(path, modules);
    await act(trail, actor, { action: 'issue', needs: 'issue' }, (tally) => {
      tally.failed = 2;
    });
    assert.deepEqual((await entriesOf(path)).at(-1)?.ended, { n: 0, done: 0, failed: 2 });
  });

  it('notes what became of the whole, without what was none, and of which file', async () => {
    const path = join(folder(), 'trail.jsonl');
    const trail = await Trail.open(path, modules);
    const digest = 'ab'.repeat(32);
    const action = { action: 'lookup/numbers', needs: 'issue' } as const;
    await act(trail, actor, action, (tally) => {
      [tally.done, tally.figures, tally.digest] = [3, { stricter: 2, looser: 0 }, digest];
    });
    const told = { done: 3, failed: 0, figures: { stricter: 2 }, digest };
    assert.deepEqual((await entriesOf(path)).at(-1)?.ended, { n: 0, ...told });
    const failing = act(trail, actor, action, (tally) => {
      tally.figures = { stricter: 2 };
      throw new RangeError('half way');
    });
    await assert.rejects(failing, RangeError);
    const { failed, ended } = (await entriesOf(path)).at(-1) ?? {};
    assert.deepEqual([failed?.code, ended?.figures], ['ERROR', { stricter: 2 }]);
  });

  it('refuses figures that are no counts, and too many of them', async () => {
    const trail = await Trail.open(join(folder(), 'trail.jsonl'), modules);
    const ended = (figures: Record<string, number>) => ({
      ...NOTE,
      ended: { n: 0, done: 0, failed: 0, figures },
    });
    const many = Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`x${'y'.repeat(i)}`, 1]));
    for (const figures of [{ x: -1 }, { 'Person Secret': 1 }, { x: 0.5 }, many])
      await assert.rejects(trail.append(ended(figures)), TypeError);
    await trail.append(ended({ x: 1 }));
  });

  it('refuses whoever has not the scope, and notes that', async () => {
    const path = join(folder(), 'trail.jsonl');
    const trail = await Trail.open(path, modules);
    const acting = act(trail, actor, { action: 'revoke', needs: 'revoke' }, () => assert.fail());
    await assert.rejects(acting, (error) => isNodeError(error, 'SCOPE_MISSING'));
    assert.deepEqual((await entriesOf(path)).at(-1)?.failed, { n: 0, code: 'SCOPE_MISSING' });
  });
});

describe('actInParts', () => {
  const folder = temporaryFolders();
  const actor: Actor = { name: 'anna', may: new Set(['issue']) };
  const action = { action: 'issue/batch', needs: 'issue' } as const;

  async function* three(tally: Tally): AsyncGenerator<number> {
    for (const one of [1, 2, 3]) {
      await Promise.resolve();
      if (one === 2) tally.failed++;
      else tally.done++;
      yield one;
    }
  }

  async function* breaking(): AsyncGenerator<number> {
    await Promise.resolve();
    yield 1;
    throw new RangeError('broken');
  }

  let path: string;
  let trail: Trail;
  const last = async () => {
    const { failed, ended } = (await entriesOf(path)).at(-1) ?? {};
    return { failed, ended };
  };

  beforeEach(async () => {
    path = join(folder(), 'trail.jsonl');
    trail = await Trail.open(path, modules);
  });

  it('notes the end when the parts end, with how many were done and failed', async () => {
    const parts = await actInParts(trail, actor, action, three);
    assert.equal(trail.head.size, 1);
    const taken: number[] = [];
    for await (const one of parts) taken.push(one);
    assert.deepEqual(taken, [1, 2, 3]);
    assert.equal(trail.head.size, 2);
    assert.deepEqual(await last(), { failed: undefined, ended: { n: 0, done: 2, failed: 1 } });
  });

  it('notes that they broke off, by what failed or by who took them', async () => {
    const parts = await actInParts(trail, actor, action, breaking);
    await assert.rejects(async () => {
      for await (const one of parts) assert.equal(one, 1);
    }, /broken/);
    assert.deepEqual((await last()).failed, { n: 0, code: 'ERROR' });
    for await (const one of await actInParts(trail, actor, action, three)) if (one === 1) break;
    assert.deepEqual(await last(), {
      failed: { n: 2, code: 'BROKEN_OFF' },
      ended: { n: 2, done: 1, failed: 0 },
    });
  });

  it('notes the end also where nobody took a part, once', async () => {
    const parts = await actInParts(trail, actor, action, three);
    await parts.return?.();
    await parts.return?.();
    assert.deepEqual((await last()).failed, { n: 0, code: 'BROKEN_OFF' });
    assert.equal(trail.head.size, 2);
  });

  it('notes what is told within the parts, and what is refused before them', async () => {
    const parts = await actInParts(trail, actor, action, (tally) => {
      tally.fault = 'LISTS_MISSING';
      return three(tally);
    });
    for await (const one of parts) assert.ok(one > 0);
    assert.deepEqual((await last()).failed, { n: 0, code: 'LISTS_MISSING' });
    const refused = actInParts(trail, { ...actor, may: new Set() }, action, () => assert.fail());
    await assert.rejects(refused, (error) => isNodeError(error, 'SCOPE_MISSING'));
    assert.deepEqual((await last()).failed, { n: 2, code: 'SCOPE_MISSING' });
  });
});
