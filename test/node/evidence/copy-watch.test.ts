import assert from 'node:assert/strict';
import { CopyWatch } from '../../../node/evidence/copy-watch.ts';
import { type Accusation } from '../../../node/evidence/accusation.ts';
import { LogTree } from '../../../node/log/log-tree.ts';
import { type Store } from '../../../node/store/store.ts';
import { systemClock } from '../../../node/system-clock.ts';
import { equalBytes } from '../../../protocol/bytes.ts';
import { encodeCbor } from '../../../protocol/encoding/cbor.ts';
import { parseEvidence } from '../../../protocol/evidence/evidence.ts';
import {
  isDisowned,
  type ProvenEvidence,
  verifyEvidence,
} from '../../../protocol/evidence/verify-evidence.ts';
import { signNote } from '../../../protocol/log/note.ts';
import { ED25519, makeVerifierKey } from '../../../protocol/log/verifier-key.ts';
import { AuditedFixture, growStored, HOUR } from '../../support/audit-fixture.ts';
import { MemorySecondPlace } from '../../support/memory-second-place.ts';
import { sha256 } from '../../support/primitives.ts';
import { ReferenceTree } from '../../support/reference-tree.ts';
import { LOG_ID, type TestKey, testKey, trustModules } from '../../support/region-fixture.ts';
import { hurriedClock, medium, startedStore } from '../../support/store-fixture.ts';
import { until } from '../../support/until.ts';

describe('CopyWatch', () => {
  let store: Store;
  let fixture: AuditedFixture;
  let tree: LogTree;
  /** What was proven, of whatever watch: kind and index. */
  const proven: string[] = [];
  const troubles: unknown[] = [];
  /** What the book says of a proof, and what it has kept. */
  let isTaken: () => boolean;
  const kept: ProvenEvidence[] = [];

  beforeEach(async () => {
    isTaken = () => true;
    kept.length = 0;
    proven.length = 0;
    troubles.length = 0;
    store = await startedStore(medium());
    fixture = new AuditedFixture(260);
  });
  afterEach(async () => {
    tree.close();
    await store.stop();
    assert.deepEqual(troubles, []);
  });

  /** As whoever knows the root of the region: what proves nothing would throw. */
  const take = (file: Uint8Array): Promise<boolean> => {
    const { region, fingerprint } = fixture.region;
    const knowsRoot = (of: string, root: Uint8Array) => of === region && equalBytes(root, fingerprint);
    const found = verifyEvidence(parseEvidence(file), knowsRoot, trustModules);
    const { kind, origin, at } = found;
    assert.equal(origin, fixture.origin);
    const isFramed = isDisowned(found, () => fixture.region.state);
    proven.push(`${kind} ${at}${isFramed ? ' disowned' : ''}`);
    const isKept = isTaken();
    if (isKept) kept.push(found);
    return Promise.resolve(isKept);
  };

  const accusations = (): Accusation[] =>
    kept.map((one) => {
      const { kind, region, origin, at } = one;
      const name = `${kind} ${at} ${one.words.join(' ')}`;
      return { name, kind, region, origin, at, isDisowned: isDisowned(one, () => fixture.region.state) };
    });

  /** A process that copies the log, and knows it as far as the fixture has it now. */
  async function watching(noteEvery = 65_536, home = 'FR', clock = hurriedClock): Promise<CopyWatch> {
    await growStored(fixture, store);
    tree = await LogTree.open(fixture.origin, { store, secondPlace: new MemorySecondPlace(), sha256 });
    const logs = () => new Map([[fixture.origin, { tree }]]);
    return new CopyWatch(
      { region: home, noteEvery },
      {
        ...trustModules,
        store,
        clock,
        logs,
        stateOf: () => fixture.region.state,
        evidence: {
          take,
          get accusations() {
            return accusations();
          },
        },
        onTrouble: (error) => troubles.push(error),
      },
    );
  }

  async function grown(watch: CopyWatch): Promise<string[]> {
    await growStored(fixture, store);
    await tree.reload();
    await watch.readOn(fixture.origin);
    return proven.splice(0);
  }

  it('A9 A10 A11: proves what a region logged at a wrong place, in a wrong log, in no form, or behind a later hour', async () => {
    fixture.attest({ index: 7 });
    fixture.attest({ log: `${LOG_ID}.1` });
    fixture.attestations.push(Buffer.from('no attestation'));
    fixture.attest({ hour: HOUR + 1 });
    fixture.attest({ hour: HOUR });
    const watch = await watching();
    assert.deepEqual(await grown(watch), ['entry 260', 'entry 261', 'entry 262', 'hours 264']);
    fixture.attest({ index: 7 });
    assert.deepEqual(await grown(watch), [], 'four proofs of a log are enough');
  });

  it('A11: sees an hour go back from one piece of the copy to the next', async () => {
    const watch = await watching();
    fixture.attest({ hour: HOUR + 2 });
    assert.deepEqual(await grown(watch), []);
    fixture.attest({ hour: HOUR + 1 });
    assert.deepEqual(await grown(watch), ['hours 261']);
  });

  it('A5 A6 A27: has nothing to say of an honest log, of attestations by a key unknown, and of what the region did not sign', async () => {
    fixture.attest({}, testKey('a stranger'));
    const watch = await watching();
    assert.deepEqual(await grown(watch), []);
    fixture.attest({ index: 7 });
    fixture.checkpointKey = testKey('nobody');
    assert.deepEqual(await grown(watch), []);
  });

  it('A28: tries no more than 16 entries of a log where nothing new is proven, and reads its trust log for no more', async () => {
    isTaken = () => false;
    for (let i = 0; i < 20; i++) fixture.attest({ index: 7 });
    const watch = await watching();
    assert.deepEqual(
      await grown(watch),
      Array.from({ length: 16 }, (_, i) => `entry ${260 + i}`),
    );
    isTaken = () => true;
    fixture.attest({ index: 7 });
    assert.deepEqual(await grown(watch), []);
  });

  for (const [what, hasRoom] of [
    ['were proven by a key that was given up since', true],
    ['found no room', false],
  ] as const)
    it(`T5: reads entries anew that ${what}, and by the key in force`, async () => {
      const { region } = fixture;
      for (let i = 0; i < 20; i++) fixture.attest({ index: 7 });
      const watch = await watching();
      const made = (count: number) => Array.from({ length: count }, (_, i) => `entry ${260 + i}`);
      if (!hasRoom) {
        const other = { kind: 'entry', region: region.region, origin: 'another log', at: 1 } as const;
        kept.push({ ...other, words: [[region.keys.checkpoint.keyId]], checkpoints: [] });
        isTaken = () => accusations().every((one) => one.isDisowned || one.origin !== 'another log');
      }
      assert.deepEqual(await grown(watch), made(hasRoom ? 4 : 16));
      const inForce = region.key('a later checkpoint key');
      region.admit([{ key: inForce, role: 'checkpoint' }]);
      region.add(region.compromise(region.keys.checkpoint, {}));
      fixture.checkpointKey = inForce;
      fixture.attest({});
      assert.deepEqual(await grown(watch), made(4));
      fixture.attest({ index: 7 });
      tree.close();
      assert.deepEqual(await grown(await watching()), [], 'what is known is not tried again');
    });

  /** Named beside the one that has signed so far. */
  const admitLater = (): TestKey => {
    const key = fixture.region.key('a later checkpoint key');
    fixture.region.admit([{ key, role: 'checkpoint' }]);
    return key;
  };
  const madeOf = (count: number, suffix = '') =>
    Array.from({ length: count }, (_, i) => `entry ${260 + i}${suffix}`);

  it('T5: reads entries anew too that are fewer than the proofs that are enough', async () => {
    const { region } = fixture;
    for (let i = 0; i < 3; i++) fixture.attest({ index: 7 });
    const watch = await watching();
    assert.deepEqual(await grown(watch), madeOf(3));
    fixture.checkpointKey = admitLater();
    region.add(region.compromise(region.keys.checkpoint, {}));
    fixture.attest({});
    assert.deepEqual(await grown(watch), madeOf(3));
    assert.deepEqual(await grown(watch), [], 'once');
  });

  it('T5: reads a log anew that does not grow any more, and one that is being read, when the key behind its proofs is given up', async () => {
    const { region, origin } = fixture;
    const { publicKey, sign } = admitLater();
    const verifier = makeVerifierKey(sha256, { name: origin, algorithm: ED25519, publicKey });
    fixture.lines.set(origin, (text) => [signNote(verifier, text, sign)]);
    for (let i = 0; i < 3; i++) fixture.attest({ index: 7 });
    const watch = await watching();
    watch.start();
    await until(() => proven.length === 3, 'they are proven');
    region.add(region.compromise(region.keys.checkpoint, {}));
    watch.wakeProven();
    await until(() => proven.length === 6, 'they are proven anew');
    await watch.stop();
    assert.deepEqual(proven, [...madeOf(3), ...madeOf(3)]);
  });

  it('F4: reads on where something could not be read, once that is made good, though the log grows no more, and tells of it once', async () => {
    fixture.attest({ index: 7 });
    const watch = await watching();
    const { reader } = tree;
    const damage = new Error('damaged');
    let isDamaged = true;
    let reads = 0;
    const entries = reader.entries.bind(reader);
    reader.entries = (...args) => {
      reads++;
      if (isDamaged) throw damage;
      return entries(...args);
    };
    watch.start();
    await until(() => troubles.length === 1, 'it is told of');
    const before = reads;
    watch.wakeProven();
    await until(() => reads > before, 'it was tried again');
    isDamaged = false;
    watch.wakeProven();
    await until(() => proven.length === 1, 'it is proven');
    await watch.stop();
    assert.deepEqual([troubles.splice(0), proven], [[damage], ['entry 260']]);
  });

  it('T3: what is tried while a thief may have signed a log takes nothing from what is tried once its region has', async () => {
    const { region } = fixture;
    for (let i = 0; i < 20; i++) fixture.attest({ index: 7 });
    const inForce = admitLater();
    region.add(region.compromise(region.keys.checkpoint, {}));
    const watch = await watching();
    assert.deepEqual(await grown(watch), madeOf(16, ' disowned'));
    fixture.attest({});
    assert.deepEqual(await grown(watch), [], 'nor is it tried without end');
    fixture.checkpointKey = inForce;
    fixture.attest({});
    assert.deepEqual(await grown(watch), madeOf(4));
  });

  it('A28: stops between two entries, and tries the others after the next start', async () => {
    for (let i = 0; i < 3; i++) fixture.attest({ index: 7 });
    const watch = await watching(1);
    isTaken = () => {
      void watch.stop();
      return true;
    };
    assert.deepEqual(await grown(watch), ['entry 260']);
    tree.close();
    isTaken = () => true;
    assert.deepEqual(await grown(await watching(1)), ['entry 261', 'entry 262']);
  });

  it('T3: reads the log that goes on in the place of the one of a thief, whatever was proven of that', async () => {
    for (let i = 0; i < 5; i++) fixture.attest({ index: 7 });
    const watch = await watching();
    assert.equal((await grown(watch)).length, 4);
    // The root has given up the key behind all of them.
    kept.length = 0;
    fixture.attestations.length = 260;
    for (let i = 0; i < 6; i++) fixture.attest({});
    fixture.attest({ index: 7 });
    const { entries, note } = fixture.logs.find(({ origin }) => origin === fixture.origin) ?? assert.fail();
    const signed = { size: entries.length, root: new ReferenceTree(entries).root(), note };
    await tree.replace({ from: 260, entries: entries.slice(260) }, { signed }, []);
    assert.deepEqual(await grown(watch), ['entry 266']);
  });

  it('T3 A11: names the key that signs, where the region signs with one that it gave up before that one, or puts a bad line in its name', async () => {
    const { region, origin } = fixture;
    const inForce = region.key('a later checkpoint key');
    region.admit([{ key: inForce, role: 'checkpoint' }]);
    region.add(region.compromise(region.keys.checkpoint, {}));
    const { publicKey, sign } = inForce;
    const verifier = makeVerifierKey(sha256, { name: origin, algorithm: ED25519, publicKey });
    fixture.lines.set(origin, (text) => [signNote(verifier, text, sign)]);
    fixture.attest({ index: 7 });
    const watch = await watching();
    assert.deepEqual(await grown(watch), ['entry 260']);
    fixture.checkpointKey = { ...region.keys.checkpoint, sign: testKey('nobody').sign };
    fixture.attest({ index: 7 });
    assert.deepEqual(await grown(watch), ['entry 261']);
    fixture.checkpointKey = region.keys.checkpoint;
    fixture.lines.clear();
    fixture.attest({ index: 7 });
    assert.deepEqual(await grown(watch), ['entry 262 disowned'], 'which a thief may have signed');
  });

  it('A28: names one of many keys that sign a log, and reads on where what names it is more than evidence takes', async () => {
    const { region, origin } = fixture;
    const others = Array.from({ length: 70 }, (_, i) => testKey(`checkpoint ${i}`));
    for (const key of others) region.admit([{ key, role: 'checkpoint' }]);
    fixture.lines.set(origin, (text) =>
      others.map(({ publicKey, sign }) =>
        signNote(makeVerifierKey(sha256, { name: origin, algorithm: ED25519, publicKey }), text, sign),
      ),
    );
    fixture.attest({ index: 7 });
    const watch = await watching(1);
    assert.deepEqual(await grown(watch), ['entry 260']);
    for (let version = 2; version <= 70; version++) region.add(region.rootStatement({ version }));
    fixture.checkpointKey = testKey('a later checkpoint key');
    region.admit([{ key: fixture.checkpointKey, role: 'checkpoint' }]);
    fixture.lines.clear();
    fixture.attest({ index: 7 });
    assert.deepEqual(await grown(watch), []);
    fixture.checkpointKey = region.keys.checkpoint;
    fixture.attest({ index: 7 });
    assert.deepEqual(await grown(watch), ['entry 262'], 'it has read on');
  });

  it('reads on after a restart where the copy was read to without a misfit, and from the beginning where that was another tree', async () => {
    const { origin } = fixture;
    assert.deepEqual(await grown(await watching(100)), []);
    const noted = await store.get(`read/${origin}`);
    assert.ok(noted !== undefined);
    fixture.attest({ index: 7 });
    const restarted = async () => {
      tree.close();
      kept.length = 0;
      return grown(await watching(100));
    };
    for (let i = 0; i < 2; i++) assert.deepEqual(await restarted(), ['entry 260']);
    assert.deepEqual(await store.get(`read/${origin}`), noted);
    const put = (root: Uint8Array) =>
      store.write([{ put: `read/${origin}`, value: encodeCbor([1, 261, root]) }]);
    await put(await tree.reader.rootAt(261));
    assert.deepEqual(await restarted(), []);
    await put(new Uint8Array(32).fill(9));
    assert.deepEqual(await restarted(), ['entry 260']);
  });

  it('runs by itself, looks at no log of its own, and can be stopped at any time', async () => {
    fixture.attest({ index: 7 });
    const watch = await watching(100, 'FR', systemClock);
    watch.start();
    await until(() => proven.length === 1, 'it was proven');
    fixture.attest({ index: 8 });
    await growStored(fixture, store);
    await tree.reload();
    watch.wake(fixture.origin);
    await until(() => proven.length === 2, 'and what came later');
    await watch.stop();
    await watch.stop();
    tree.close();
    const own = await watching(100, fixture.region.region);
    own.start();
    await own.stop();
    assert.deepEqual(proven.splice(0), ['entry 260', 'entry 261']);
  });
});
