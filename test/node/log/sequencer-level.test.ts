import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type Receipt } from '../../../node/log/log-work.ts';
import { LogTree } from '../../../node/log/log-tree.ts';
import { type Change, type CommitMark, type Disk } from '../../../node/ports.ts';
import { LevelDisk } from '../../../node/store/level-disk.ts';
import { FileSecondPlace } from '../../../node/store/second-place.ts';
import { Store } from '../../../node/store/store.ts';
import { markInDirectory } from '../../../node/store/store-directory.ts';
import { storeError } from '../../../node/store/store-error.ts';
import { assertLogged, audit, Machine, ORIGIN, startLog } from '../../support/log-fixture.ts';
import { sha256 } from '../../support/primitives.ts';
import { temporaryFolders } from '../../support/temporary.ts';

const never = () => new Promise<never>(() => undefined);

/** LevelDB in a folder, with a fault at one of the writes, counted over all processes. */
class LevelMachine extends Machine {
  readonly #folder: string;
  #disk: LevelDisk | undefined;
  #mark: CommitMark | undefined;
  #fault: { write: number; when: 'before' | 'after'; what: 'fails' | 'dies' } | undefined;
  writes = 0;
  died: Promise<void> = Promise.resolve();
  #die: () => void = () => undefined;

  constructor(folder: string) {
    super();
    this.#folder = folder;
  }

  plan(write: number, when: 'before' | 'after', what: 'fails' | 'dies'): void {
    this.#fault = { write, when, what };
    this.died = new Promise((resolve) => (this.#die = resolve));
  }

  override async openStore(): Promise<Store> {
    // What a dead process leaves behind: nobody closes its store.
    await this.#disk?.close();
    await this.#mark?.close();
    const level = new LevelDisk({ directory: this.#folder, reserveBytes: 0 });
    this.#disk = level;
    const disk: Disk = {
      open: () => level.open(),
      close: () => level.close(),
      getMany: (keys) => level.getMany(keys),
      range: (from, to, options) => level.range(from, to, options),
      write: (changes) => this.#write(level, changes),
      compact: (from, to) => level.compact(from, to),
      freeReserve: () => level.freeReserve(),
      fillReserve: () => level.fillReserve(),
      check: () => level.check(),
    };
    const mark = markInDirectory(this.#folder);
    this.#mark = mark;
    const store = new Store({ owner: 'DE.test', openDelaysMs: [0, 1] }, { disk, mark, clock: this.clock });
    await store.start();
    return store;
  }

  override openTree(store: Store, origin = ORIGIN): Promise<LogTree> {
    const secondPlace = new FileSecondPlace({ directory: join(this.#folder, 'second') });
    return LogTree.open(origin, { store, secondPlace, sha256 });
  }

  async #write(level: LevelDisk, changes: readonly Change[]): Promise<void> {
    const fault = ++this.writes === this.#fault?.write ? this.#fault : undefined;
    if (fault?.when !== 'before') await level.write(changes);
    if (fault === undefined) return;
    if (fault.what === 'fails') throw storeError('DISK_IO', 'planned');
    this.#die();
    await never();
  }
}

async function run(machine: LevelMachine, receipts: Receipt[]): Promise<void> {
  const { sequencer, stop } = await startLog(machine, { retryMs: 1 });
  for (const batch of [['a', 'b', 'c'], ['d'], ['e', 'f']]) {
    const results = await Promise.allSettled(batch.map((item) => sequencer.submit(item)));
    for (const result of results) if (result.status === 'fulfilled') receipts.push(result.value);
  }
  await stop();
}

describe('Sequencer on LevelDB', () => {
  const folder = temporaryFolders();

  it('A31 a failure or death before and after each single write: all receipts are honoured, nothing signed twice', async () => {
    const whole = new LevelMachine(folder());
    const all: Receipt[] = [];
    await run(whole, all);
    assert.equal(all.length, 6);
    assert.equal((await audit(whole)).length, 6);
    let cases = 0;
    for (const what of ['fails', 'dies'] as const) {
      for (const when of ['before', 'after'] as const) {
        for (let write = 1; write <= 7; write++) {
          const machine = new LevelMachine(folder());
          machine.plan(write, when, what);
          const receipts: Receipt[] = [];
          const ended = run(machine, receipts).catch(() => undefined);
          await Promise.race(what === 'dies' ? [ended, machine.died] : [ended]);
          const before = [...receipts];
          const again = await startLog(machine);
          before.push(await again.sequencer.submit('last'));
          await again.stop();
          assertLogged(await audit(machine), before);
          cases += machine.writes >= write ? 1 : 0;
        }
      }
    }
    assert.equal(cases, 28);
  });
});
