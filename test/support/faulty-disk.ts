/**
 * A disk in memory that fails as real ones do, on demand and by one seed: no timers, no clock, no randomness of its own.
 * The medium is what survives a crash; a disk is one process's view of it.
 */
import { type NodeErrorCode } from '../../node/node-error.ts';
import { type Change, type CommitMark, type Disk, type DiskCheck, type Entry } from '../../node/ports.ts';
import { type RangeOptions } from '../../node/ports.ts';
import { storeError } from '../../node/store/store-error.ts';
import { SortedMap } from './sorted-map.ts';

export interface FaultyMediumOptions {
  /** Draws from [0, 1); the only source of chance. */
  readonly random: () => number;
  /** Awaited twice in every write and once in every other call: latency. None by default. */
  readonly pause?: () => Promise<void>;
  /** Bytes that fit, reserve included; unbounded by default. */
  readonly capacityBytes?: number;
  /** Bytes that the reserve takes; 0 by default. */
  readonly reserveBytes?: number;
  /** False acknowledges what is not durable, so that a crash loses some newest batches: no store can bear it. */
  readonly syncs?: boolean;
  /**
   * What was measured on LevelDB, and the default: after a write that did not land, the torn log swallows all later
   * writes, acknowledged ones too, once the disk is closed or crashes; reopened before them, it loses none.
   */
  readonly losesAfterFailure?: boolean;
}

/** A fault at the n-th write to the medium, counted from 1 over all processes. */
export interface PlannedFault {
  readonly write: number;
  /** `after`: the changes are made and durable, only nobody hears of it. */
  readonly when: 'before' | 'after';
  readonly what: 'DISK_IO' | 'DISK_FULL' | 'crash';
}

/** What has happened to a medium so far. */
export interface MediumCounters {
  readonly writes: number;
  /** Writes acknowledged. */
  readonly acknowledged: number;
  readonly failedBefore: number;
  readonly failedAfter: number;
  readonly full: number;
  readonly crashes: number;
  /** Acknowledged batches that the medium lost. */
  readonly lost: number;
  readonly flips: number;
  readonly opens: number;
}

export interface MediumSnapshot {
  readonly entries: readonly Entry[];
  readonly commits: number;
}

type Undo = readonly [key: string, before: Uint8Array | undefined];

export class FaultyMedium {
  readonly #options: Required<FaultyMediumOptions>;
  readonly #counters = {
    writes: 0,
    acknowledged: 0,
    failedBefore: 0,
    failedAfter: 0,
    full: 0,
    crashes: 0,
    lost: 0,
    flips: 0,
    opens: 0,
  };
  #data = new SortedMap<Uint8Array>();
  #usedBytes = 0;
  #capacityBytes: number;
  #reserveKept = 0;
  /** Batches that a crash may take back, oldest first; those from `#tornAt` on are lost even on an orderly close. */
  #unsafe: Undo[][] = [];
  #tornAt: number | undefined;
  #faults: PlannedFault[] = [];
  #refusals: { call: 'open' | 'read' | 'close'; code: 'DISK_IO' | 'DISK_FULL'; left: number }[] = [];
  #rotten = false;
  #holder: FaultyDisk | undefined;
  #inFlight: readonly Change[] | undefined;
  #commits = 0;
  #onCrash: () => void = () => undefined;

  constructor(options: FaultyMediumOptions) {
    this.#options = {
      pause: () => Promise.resolve(),
      capacityBytes: Number.POSITIVE_INFINITY,
      reserveBytes: 0,
      syncs: true,
      losesAfterFailure: true,
      ...options,
    };
    this.#capacityBytes = this.#options.capacityBytes;
  }

  get counters(): MediumCounters {
    return { ...this.#counters };
  }

  get size(): number {
    return this.#data.size;
  }

  /** A process's view. `checked: false` opens a medium with flipped bits, for a salvage. */
  disk({ checked = true }: { checked?: boolean } = {}): Disk {
    return new FaultyDisk(this, checked);
  }

  /** The commit mark beside the disk; it survives a crash. */
  mark(): CommitMark {
    return {
      read: () => Promise.resolve(this.#commits),
      note: (commits) => {
        this.#commits = commits;
        return Promise.resolve();
      },
      close: () => Promise.resolve(),
    };
  }

  plan(fault: PlannedFault): void {
    this.#faults.push(fault);
  }

  /** The next `count` calls of a kind fail. */
  refuse(call: 'open' | 'read' | 'close', count: number, code: 'DISK_IO' | 'DISK_FULL' = 'DISK_IO'): void {
    this.#refusals.push({ call, code, left: count });
  }

  setCapacity(bytes: number): void {
    this.#capacityBytes = bytes;
  }

  /** Called at each crash that was planned: the process is gone, none of its calls will ever return. */
  onCrash(listener: () => void): void {
    this.#onCrash = listener;
  }

  /** The process dies: what is on its way lands or not, what was not synced is lost from some point on. */
  crash(): void {
    this.#counters.crashes++;
    this.#holder = undefined;
    const inFlight = this.#inFlight;
    this.#inFlight = undefined;
    if (inFlight !== undefined && this.#options.random() < 0.5) this.#land(inFlight);
    this.#settle(true);
  }

  /** Flips one bit of a stored value. Returns its key, or undefined if nothing is stored. */
  flipBit(prefix = ''): string | undefined {
    const keys = this.#data.keysBetween(prefix, `${prefix}\x7f`, { limit: this.size, reverse: false });
    const key = keys[Math.floor(this.#options.random() * keys.length)];
    const before = key === undefined ? undefined : this.#data.get(key);
    if (key === undefined || before === undefined || before.length === 0) return undefined;
    const value = before.slice();
    const bit = Math.floor(this.#options.random() * value.length * 8);
    value[bit >>> 3] = (value[bit >>> 3] ?? 0) ^ (1 << (bit & 7));
    this.#data.set(key, value);
    this.#rotten = true;
    this.#counters.flips++;
    return key;
  }

  /** What lies there is written anew, as by a compaction: rot that was made good is gone. */
  compact(): void {
    this.#rotten = false;
  }

  /** A backup of the directory, mark included. */
  snapshot(): MediumSnapshot {
    const keys = this.#data.keysBetween('', '\x7f', { limit: this.size, reverse: false });
    return { entries: keys.map((key) => [key, this.#data.get(key) as Uint8Array]), commits: this.#commits };
  }

  /** The backup in place of what is there. No process may have the disk. */
  restore({ entries, commits }: MediumSnapshot): void {
    this.#assertUnheld();
    this.#data = new SortedMap();
    this.#usedBytes = 0;
    this.#unsafe = [];
    this.#rotten = false;
    this.#commits = commits;
    for (const [key, value] of entries) this.#set(key, value);
  }

  /** For the disks of this medium. */
  async call<T>(disk: FaultyDisk, work: () => T): Promise<T> {
    await this.#options.pause();
    if (disk.process !== this.process) return never();
    if (this.#holder !== disk) throw storeError('DISK_CLOSED', 'the disk is closed');
    return work();
  }

  /** A call that works on a closed disk too. Never returns to a process that has crashed. */
  async callAnyway(disk: FaultyDisk, work: () => void): Promise<void> {
    await this.#options.pause();
    if (disk.process !== this.process) return never();
    work();
  }

  get process(): number {
    return this.#counters.crashes;
  }

  open(disk: FaultyDisk, checked: boolean): void {
    if (this.#holder !== undefined) throw storeError('STORE_LOCKED', 'another process has the disk');
    this.#refuseIfAsked('open');
    if (this.#freeBytes() < 1) throw storeError('DISK_FULL', 'not a byte left to open it');
    if (checked && this.#rotten) throw storeError('STORE_CORRUPT', 'a block is not what was written there');
    this.#counters.opens++;
    this.#holder = disk;
  }

  close(disk: FaultyDisk): void {
    if (this.#holder !== disk) return;
    this.#holder = undefined;
    this.#settle(false);
    this.#refuseIfAsked('close');
  }

  /** What lies there, not a copy: who writes to it is found out by its seal. */
  get(key: string): Uint8Array | undefined {
    return this.#data.get(key);
  }

  keysBetween(from: string, to: string, { limit, reverse = false }: RangeOptions): string[] {
    return this.#data.keysBetween(from, to, { limit, reverse });
  }

  refuseRead(): void {
    this.#refuseIfAsked('read');
  }

  async write(disk: FaultyDisk, changes: readonly Change[]): Promise<void> {
    await this.call(disk, () => undefined);
    if (disk.process !== this.process) return never();
    const number = ++this.#counters.writes;
    const fault = this.#faults.find(({ write }) => write === number);
    if (fault?.when === 'before') return this.#fail(fault);
    if (this.#growthBytes(changes) > this.#freeBytes()) {
      this.#counters.full++;
      throw this.#tear('DISK_FULL');
    }
    this.#inFlight = changes;
    await this.#options.pause();
    if (disk.process !== this.process) return never();
    this.#inFlight = undefined;
    this.#land(changes);
    if (fault?.when === 'after') return this.#fail(fault);
    this.#counters.acknowledged++;
  }

  freeReserve(): void {
    this.#reserveKept = 0;
  }

  fillReserve(): void {
    const { reserveBytes } = this.#options;
    if (this.#reserveKept === reserveBytes) return;
    this.#reserveKept = 0;
    if (this.#freeBytes() < 2 * reserveBytes) {
      throw storeError('DISK_FULL', 'too little space for the reserve');
    }
    this.#reserveKept = reserveBytes;
  }

  damage(): string | undefined {
    return this.#rotten ? 'a block is not what was written there' : undefined;
  }

  #fail({ when, what }: PlannedFault): Promise<void> {
    if (what === 'crash') {
      this.crash();
      this.#onCrash();
      return never();
    }
    if (when === 'before') this.#counters.failedBefore++;
    else this.#counters.failedAfter++;
    if (when === 'before') throw this.#tear(what);
    throw storeError(what, 'planned, after the write landed');
  }

  #tear(code: NodeErrorCode & ('DISK_IO' | 'DISK_FULL')): Error {
    if (this.#options.losesAfterFailure) this.#tornAt ??= this.#unsafe.length;
    return storeError(code, 'planned, before the write landed');
  }

  #land(changes: readonly Change[]): void {
    const undo: Undo[] = [];
    for (const change of changes) {
      const key = 'put' in change ? change.put : change.del;
      undo.push([key, this.#data.get(key)]);
      this.#set(key, 'put' in change ? new Uint8Array(change.value) : undefined);
    }
    if (!this.#options.syncs || this.#tornAt !== undefined) this.#unsafe.push(undo);
  }

  /** What happens to the unsafe batches when nobody holds the disk any more. */
  #settle(crashed: boolean): void {
    const torn = this.#tornAt ?? this.#unsafe.length;
    const kept = crashed && !this.#options.syncs ? Math.floor(this.#options.random() * (torn + 1)) : torn;
    for (const undo of this.#unsafe.splice(kept).reverse()) {
      this.#counters.lost++;
      for (const [key, before] of undo.reverse()) this.#set(key, before);
    }
    this.#unsafe = [];
    this.#tornAt = undefined;
  }

  #set(key: string, value: Uint8Array | undefined): void {
    const before = this.#data.get(key);
    if (before !== undefined) this.#usedBytes -= key.length + before.length;
    if (value === undefined) return this.#data.delete(key);
    this.#usedBytes += key.length + value.length;
    this.#data.set(key, value);
  }

  /** As in a log-structured store: new bytes are needed before old ones go. */
  #growthBytes(changes: readonly Change[]): number {
    return changes.reduce(
      (sum, change) => sum + ('put' in change ? change.put.length + change.value.length : 0),
      0,
    );
  }

  #freeBytes(): number {
    return this.#capacityBytes - this.#usedBytes - this.#reserveKept;
  }

  #refuseIfAsked(call: 'open' | 'read' | 'close'): void {
    const refusal = this.#refusals.find((asked) => asked.call === call && asked.left > 0);
    if (refusal === undefined) return;
    refusal.left--;
    throw storeError(refusal.code, `planned, on ${call}`);
  }

  #assertUnheld(): void {
    if (this.#holder !== undefined) throw new TypeError('a process has the disk');
  }
}

class FaultyDisk implements Disk {
  readonly #medium: FaultyMedium;
  readonly #checked: boolean;
  /** Crashes of the medium before this process. */
  readonly process: number;

  constructor(medium: FaultyMedium, checked: boolean) {
    this.#medium = medium;
    this.#checked = checked;
    this.process = medium.process;
  }

  open(): Promise<void> {
    return this.#medium.callAnyway(this, () => this.#medium.open(this, this.#checked));
  }

  close(): Promise<void> {
    return this.#medium.callAnyway(this, () => this.#medium.close(this));
  }

  getMany(keys: readonly string[]): Promise<(Uint8Array | undefined)[]> {
    return this.#medium.call(this, () => {
      this.#medium.refuseRead();
      return keys.map((key) => this.#medium.get(key));
    });
  }

  range(from: string, to: string, options: RangeOptions): Promise<Entry[]> {
    return this.#medium.call(this, () => {
      this.#medium.refuseRead();
      const keys = this.#medium.keysBetween(from, to, options);
      return keys.map((key) => [key, this.#medium.get(key) as Uint8Array]);
    });
  }

  write(changes: readonly Change[]): Promise<void> {
    return this.#medium.write(this, changes);
  }

  compact(): Promise<void> {
    return this.#medium.call(this, () => undefined);
  }

  freeReserve(): Promise<void> {
    return this.#medium.callAnyway(this, () => this.#medium.freeReserve());
  }

  fillReserve(): Promise<void> {
    return this.#medium.callAnyway(this, () => this.#medium.fillReserve());
  }

  async *check(): AsyncGenerator<DiskCheck, void, undefined> {
    const damage = await this.#medium.call(this, () => this.#medium.damage());
    yield { bytes: 0, ...(damage !== undefined && { damage }) };
  }
}

function never(): Promise<never> {
  return new Promise(() => undefined);
}
