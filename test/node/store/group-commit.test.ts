import assert from 'node:assert/strict';
import { type Change } from '../../../node/ports.ts';
import { GroupCommit, type GroupCommitOptions } from '../../../node/store/group-commit.ts';
import { storeError } from '../../../node/store/store-error.ts';
import { settled } from '../../support/manual-clock.ts';
import { rejectsWith } from '../../support/store-fixture.ts';

/** A disk that syncs when it is told to. */
class HeldDisk {
  readonly batches: string[][] = [];
  #release: ((error?: Error) => void) | undefined;

  commit = (changes: Change[]): Promise<void> => {
    this.batches.push(changes.map((change) => ('put' in change ? change.put : change.del)));
    return new Promise((resolve, reject) => {
      this.#release = (error) => (error === undefined ? resolve() : reject(error));
    });
  };

  async sync(error?: Error): Promise<void> {
    this.#release?.(error);
    this.#release = undefined;
    await settled();
  }
}

const del = (key: string): Change[] => [{ del: key }];

function groupOn(disk: HeldDisk, options: Partial<GroupCommitOptions> = {}): GroupCommit {
  const group: GroupCommit = new GroupCommit(
    { batchBytesMax: 100, queueBytesMax: 1_000, ...options },
    {
      commit: disk.commit,
      failed: (cause) => {
        group.hold();
        return storeError('STORE_WRITE_UNKNOWN', 'failed', { cause });
      },
    },
  );
  return group;
}

describe('GroupCommit', () => {
  it('1,000 writers need three batches while one sync lasts, and hear of it only after their own sync', async () => {
    const disk = new HeldDisk();
    const group = groupOn(disk, { batchBytesMax: 10_000, queueBytesMax: 10_000 });
    let acknowledged = 0;
    const write = (key: string): Promise<void> => group.write(del(key), 1).then(() => void acknowledged++);
    const writes = [write('a'), write('b')];
    await settled();
    for (let i = 0; i < 998; i++) writes.push(write(`w${i}`));
    await settled();
    assert.deepEqual(disk.batches, [['a', 'b']]);
    assert.equal(acknowledged, 0);
    await disk.sync();
    assert.equal(acknowledged, 2);
    assert.equal(disk.batches[1]?.length, 998);
    await disk.sync();
    assert.equal(acknowledged, 1_000);
    assert.equal(disk.batches.length, 2);
    await Promise.all(writes);
  });

  it('a writer is never split, order is kept, and one larger than a batch has one for itself', async () => {
    const disk = new HeldDisk();
    const group = groupOn(disk);
    const both: Change[] = [{ del: 'c' }, { del: 'd' }];
    const writes = [
      group.write(del('a'), 60),
      group.write(del('b'), 40),
      group.write(both, 90),
      group.write(del('e'), 11),
      group.write(del('f'), 500),
      group.write(del('g'), 1),
    ];
    for (let i = 0; i < 5; i++) {
      await settled();
      await disk.sync();
    }
    await Promise.all(writes);
    assert.deepEqual(disk.batches, [['a', 'b'], ['c', 'd'], ['e'], ['f'], ['g']]);
  });

  it('STORE_BUSY beyond queueBytesMax, exactly; an empty queue takes any one writer', async () => {
    const disk = new HeldDisk();
    const group = groupOn(disk);
    const first = group.write(del('a'), 5_000);
    await settled();
    const rest = [group.write(del('b'), 600), group.write(del('c'), 400)];
    await rejectsWith(group.write(del('d'), 1), 'STORE_BUSY');
    for (let i = 0; i < 3; i++) await disk.sync();
    await Promise.all([first, ...rest]);
    assert.deepEqual(disk.batches.flat(), ['a', 'b', 'c']);
  });

  it('a failed batch refuses its writers and all behind them, and nothing is sent while held', async () => {
    const disk = new HeldDisk();
    const group = groupOn(disk);
    const writes = [group.write(del('a'), 1)];
    await settled();
    writes.push(group.write(del('b'), 1));
    const told = Promise.all(writes.map((write) => rejectsWith(write, 'STORE_WRITE_UNKNOWN')));
    await disk.sync(new Error('EIO'));
    await told;
    const later = group.write(del('c'), 1);
    await settled();
    assert.deepEqual(disk.batches, [['a']]);
    group.release();
    await settled();
    await disk.sync();
    await later;
    assert.deepEqual(disk.batches, [['a'], ['c']]);
  });

  it('idle waits for the batch on its way and for what queued behind it', async () => {
    const disk = new HeldDisk();
    const group = groupOn(disk, { batchBytesMax: 1 });
    const writes = [group.write(del('a'), 1), group.write(del('b'), 1)];
    let idle = false;
    const waiting = group.idle().then(() => (idle = true));
    await settled();
    await disk.sync();
    assert.equal(idle, false);
    await disk.sync();
    await waiting;
    await Promise.all(writes);
  });
});
