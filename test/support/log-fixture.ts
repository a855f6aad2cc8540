/** An own log for tests: its sequencer on a faulty medium, every signature on record, and an audit that shares no code with it. */
import assert from 'node:assert/strict';
import { openCheckpoint } from '../../protocol/log/checkpoint.ts';
import { ED25519, makeVerifierKey } from '../../protocol/log/verifier-key.ts';
import { opensslBackEnd } from '../../node/crypto/openssl.ts';
import { LogTree } from '../../node/log/log-tree.ts';
import { type LogWork, type PreparedBatch, type Receipt } from '../../node/log/log-work.ts';
import { Sequencer, type SequencerModules, type SequencerOptions } from '../../node/log/sequencer.ts';
import { type HighWater, type Signer } from '../../node/ports.ts';
import { type SharedTables } from '../../node/registry/private-tables.ts';
import { Store, type StoreOptions } from '../../node/store/store.ts';
import { FaultyMedium, type FaultyMediumOptions } from './faulty-disk.ts';
import { MemorySecondPlace } from './memory-second-place.ts';
import { sha256 } from './primitives.ts';
import { ReferenceTree } from './reference-tree.ts';
import { RunningClock } from './running-clock.ts';
import { seeded } from './seeded.ts';
import { tablesApart } from './tables.ts';

export const ORIGIN = 'DE.test/attest/2026-11';
export const NOW_MS = Date.UTC(2026, 10, 5, 12);
const { verifySignature } = opensslBackEnd;

/** Records what was signed where, and fails at a second signature of another content. */
export class SignatureRecord {
  readonly signed = new Map<string, string>();

  note(place: string, content: Uint8Array): void {
    const text = Buffer.from(content).toString('hex');
    const before = this.signed.get(place);
    assert.ok(before === undefined || before === text, `${place} was signed twice with different content`);
    this.signed.set(place, text);
  }
}

/** A signer whose messages are put on record under the place that `placeOf` reads from them. */
export function recorded(
  signer: Signer,
  record: SignatureRecord,
  placeOf: (message: Uint8Array) => string,
): Signer {
  return {
    publicKey: signer.publicKey,
    sign(message) {
      record.note(placeOf(message), message);
      return signer.sign(message);
    },
  };
}

/** The first two lines of a checkpoint: origin and size. */
export function checkpointPlace(message: Uint8Array): string {
  return Buffer.from(message).toString().split('\n', 2).join(' ');
}

/** What survives the processes of one test. */
export class Machine {
  readonly medium: FaultyMedium;
  readonly secondPlace = new MemorySecondPlace();
  readonly record = new SignatureRecord();
  readonly clock = new RunningClock(NOW_MS);
  /** What is private is there, where that is not the store. */
  tables: SharedTables | undefined = tablesApart();
  readonly random: () => number;
  readonly signer = opensslBackEnd.signerOf(sha256(Buffer.from('log fixture')));
  readonly checkpointKey = recorded(this.signer, this.record, checkpointPlace);
  /** Resolves when a planned crash has come. */
  crashed: Promise<void> = Promise.resolve();

  constructor({ seed = 1, ...options }: Partial<FaultyMediumOptions> & { seed?: number } = {}) {
    this.random = seeded(seed);
    this.medium = new FaultyMedium({ random: this.random, ...options });
    this.watch();
  }

  /** Makes `crashed` a promise of the next crash. */
  watch(): void {
    this.crashed = new Promise((resolve) => {
      this.medium.onCrash(resolve);
      this.secondPlace.onCrash(() => {
        this.medium.crash();
        resolve();
      });
    });
  }

  async openStore(options: Partial<StoreOptions> = {}): Promise<Store> {
    const modules = { disk: this.medium.disk(), mark: this.medium.mark(), clock: this.clock };
    const store = new Store({ owner: 'DE.test', ...options }, modules);
    await store.start();
    return store;
  }

  openTree(store: Store, origin = ORIGIN): Promise<LogTree> {
    return LogTree.open(origin, { store, secondPlace: this.secondPlace, sha256 });
  }
}

/** Entries `<item>/<index>/` and a signature of that; drafts are what is signed. Items that begin with `!` are refused. */
export class TextWork implements LogWork<string> {
  readonly #signer: Signer;
  readonly #draw: () => string;

  constructor({ signer, record, random }: Machine) {
    this.#signer = recorded(signer, record, (message) => {
      const [, index] = Buffer.from(message).toString().split('/');
      return `entry ${index}`;
    });
    // A batch that is prepared anew is another one, as with fresh salts.
    this.#draw = () => random().toString(36).slice(2);
  }

  prepare(items: readonly string[], { index }: { index: number }): PreparedBatch {
    const drafts: Uint8Array[] = [];
    const places = items.map((item) => {
      if (item.startsWith('!')) return new RangeError(`refused ${item}`);
      const place = index + drafts.length;
      drafts.push(Buffer.from(`${item}/${place}/${this.#draw()}`));
      return place;
    });
    const changes = drafts.map((value, i) => ({ put: `private/${index + i}`, value }));
    return { drafts, places, changes };
  }

  finish(draft: Uint8Array): Uint8Array {
    return Buffer.concat([draft, this.#signer.sign(draft)]);
  }
}

export interface LogProcess {
  readonly store: Store;
  readonly tree: LogTree;
  readonly sequencer: Sequencer<string>;
  readonly published: HighWater[];
  readonly stop: () => Promise<void>;
}

export async function startLog(
  machine: Machine,
  options: SequencerOptions = {},
  modules: Partial<SequencerModules<string>> = {},
  storeOptions: Partial<StoreOptions> = {},
): Promise<LogProcess> {
  const store = await machine.openStore(storeOptions);
  const tree = await machine.openTree(store);
  const published: HighWater[] = [];
  const sequencer = new Sequencer(
    { gatherMs: 0, ...options },
    {
      tree,
      store,
      clock: machine.clock,
      sha256,
      verifySignature,
      work: new TextWork(machine),
      checkpointKey: () => machine.checkpointKey,
      onCheckpoint: (checkpoint) => published.push(checkpoint),
      ...modules,
    },
  );
  const stop = async () => {
    await sequencer.stop();
    tree.close();
    await store.stop();
  };
  try {
    await sequencer.start();
  } catch (error) {
    await stop();
    throw error;
  }
  return { store, tree, sequencer, published, stop };
}

/**
 * Reads the log of a stopped machine leaf by leaf from the raw values of its store, and holds it against RFC 6962 and the
 * layout of C2SP tlog-tiles as computed here. Returns its entries.
 */
export async function audit(
  machine: Machine,
  origin = ORIGIN,
  { publicKey }: { readonly publicKey: Uint8Array } = machine.signer,
): Promise<Uint8Array[]> {
  const store = await machine.openStore();
  const values = new Map<string, Uint8Array>();
  for await (const [key, value] of store.entries(`log/${origin}/`, `log/${origin}0`)) {
    values.set(key.slice(`log/${origin}/`.length), value.slice());
  }
  const tree = await machine.openTree(store, origin);
  const { head } = tree;
  tree.close();
  await store.stop();

  for (const key of values.keys()) assert.ok(!/^(staged|drafts)/.test(key), `${key} was left behind`);
  const bundles = [...values.keys()].filter((key) => key.startsWith('entries/')).sort();
  const entries = bundles.flatMap((key) => entriesOf(values.get(key) as Uint8Array));
  assert.equal(entries.length, head.size);
  const reference = new ReferenceTree(entries);
  assert.deepEqual(Buffer.from(head.root), Buffer.from(reference.root()));
  auditTiles(values, reference);
  if (head.signed !== undefined) auditCheckpoint(head.signed, reference, publicKey, origin);
  const mark = machine.secondPlace.marks.get(origin);
  if (mark !== undefined) {
    assert.ok(mark.size <= head.size);
    assert.deepEqual(Buffer.from(mark.root), Buffer.from(reference.root(mark.size)));
  }
  return entries;
}

/** Every hash of every tile, level by level, and no other tile. */
export function auditTiles(values: ReadonlyMap<string, Uint8Array>, reference: ReferenceTree): void {
  const size = reference.entries.length;
  const expected = new Map<string, Uint8Array>();
  for (let level = 0; 256 ** level <= size; level++) {
    const count = Math.floor(size / 256 ** level);
    for (let first = 0; first < count; first += 256) {
      const hashes: Uint8Array[] = [];
      for (let i = first; i < Math.min(first + 256, count); i++) hashes.push(reference.subtree(8 * level, i));
      expected.set(`tile/${level}/${String(first / 256).padStart(16, '0')}`, Buffer.concat(hashes));
    }
  }
  const found = [...values].filter(([key]) => key.startsWith('tile/'));
  assert.deepEqual(found.map(([key]) => key).sort(), [...expected.keys()].sort());
  for (const [key, value] of found) assert.ok(Buffer.from(value).equals(expected.get(key) as Buffer), key);
}

function auditCheckpoint(
  signed: HighWater,
  reference: ReferenceTree,
  publicKey: Uint8Array,
  origin: string,
): void {
  const key = makeVerifierKey(sha256, { name: origin, algorithm: ED25519, publicKey });
  const opened = openCheckpoint(signed.note, [key], verifySignature);
  assert.equal(opened.origin, origin);
  assert.equal(opened.size, signed.size);
  assert.deepEqual(Buffer.from(opened.root), Buffer.from(reference.root(signed.size)));
}

/** The entries of a C2SP entry bundle or of a part of one. */
export function entriesOf(bundle: Uint8Array): Uint8Array[] {
  const entries: Uint8Array[] = [];
  const bytes = Buffer.from(bundle);
  for (let offset = 0; offset < bytes.length;) {
    const length = bytes.readUInt16BE(offset);
    assert.ok(offset + 2 + length <= bytes.length);
    entries.push(bytes.subarray(offset + 2, offset + 2 + length));
    offset += 2 + length;
  }
  return entries;
}

/** Everybody with a receipt is in the log, once, where the receipt says. */
export function assertLogged(entries: readonly Uint8Array[], receipts: readonly Receipt[]): void {
  assert.equal(new Set(receipts.map(({ index }) => index)).size, receipts.length);
  for (const { index, entry } of receipts) {
    assert.ok(Buffer.from(entry).equals(entries[index] ?? Buffer.alloc(0)), `entry ${index}`);
  }
}
