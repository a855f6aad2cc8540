import assert from 'node:assert/strict';
import {
  EVIDENCE_DISOWNED_MAX,
  EVIDENCE_KEPT_MAX,
  EVIDENCE_PREFIX,
  EVIDENCE_STANDING_MAX,
  EvidenceBook,
  type EvidenceBookModules,
} from '../../../node/evidence/evidence-book.ts';
import { isNodeError } from '../../../node/node-error.ts';
import { type Store } from '../../../node/store/store.ts';
import { encodeEvidence } from '../../../protocol/evidence/evidence.ts';
import { isProtocolError } from '../../../protocol/fault.ts';
import * as proofs from '../../support/evidence-fixture.ts';
import { type FaultyMedium } from '../../support/faulty-disk.ts';
import { type ReferenceTree } from '../../support/reference-tree.ts';
import { RegionFixture, testKey, trustModules } from '../../support/region-fixture.ts';
import { hurriedClock, medium, startedStore } from '../../support/store-fixture.ts';

/** Two attestations for one index, of which there can be many. */
function twice(index: number, key = proofs.accused.keys.attest, grounds = proofs.GROUNDS): Uint8Array {
  const attestationOf = (changes: object) => proofs.attestation(index, 0, { key, ...changes });
  const attestations = [attestationOf({}), attestationOf({ salting: 'other' })] as [Uint8Array, Uint8Array];
  return encodeEvidence(proofs.indexes({ grounds, attestations }));
}

function tablesAt(minute: number): Uint8Array {
  const headOf = (root: number) => proofs.headOf(root, { at: proofs.NOW_S + 60 * minute });
  return encodeEvidence(proofs.tables({ heads: [headOf(1), headOf(2)] }));
}

describe('EvidenceBook', () => {
  let disk: FaultyMedium;
  let store: Store;
  let region: RegionFixture;
  let checked: number;
  let modules: EvidenceBookModules;
  beforeEach(async () => {
    disk = medium();
    store = await startedStore(disk);
    region = new RegionFixture({ region: 'DE', network: proofs.NETWORK });
    checked = 0;
    modules = {
      ...trustModules,
      verifySignature: (check) => {
        checked++;
        return trustModules.verifySignature(check);
      },
      store,
      clock: hurriedClock,
      named: {
        stand: () => Promise.resolve(true),
        have: () => Promise.resolve(true),
        lack: () => Promise.resolve(false),
        lookUp: () => Promise.resolve(),
        wasGivenUp: () => false,
        branchOf: () => 0,
      },
      run: (work) => void work(),
      stateOf: (of) => (of === 'DE' ? region : proofs.witness).state,
    };
  });
  afterEach(() => store.stop());

  async function opened(): Promise<EvidenceBook> {
    const book = new EvidenceBook(modules);
    await book.open();
    return book;
  }
  const giveUp = () => region.add(region.compromise(region.keys.attest, {}));
  const count = (book: EvidenceBook, isDisowned: boolean) =>
    book.accusations.filter((one) => one.isDisowned === isDisowned).length;

  it('A28: looks at no signature of what does not stand in the log, and at none of the statements that do, after a start either', async () => {
    const file = encodeEvidence(proofs.cosignatures());
    const asked: string[] = [];
    const named = modules.named;
    modules = { ...modules, named: { ...named, stand: (of) => Promise.resolve(asked.push(of) > 1) } };
    await assert.rejects((await opened()).take(file), (error) => isProtocolError(error, 'PIN_MISMATCH'));
    assert.deepEqual([asked, checked], [['DE'], 0]);
    modules = { ...modules, named };
    assert.equal(await (await opened()).take(file), true);
    assert.equal(checked, 4, 'the line of the log and that of the witness under each note');
    assert.equal((await opened()).accusations.length, 1);
    assert.equal(checked, 8);
  });

  it('A28: has no log folded for what does not stand in it, is badly signed, or has no room', async () => {
    const folded: string[] = [];
    const named = modules.named;
    let isStanding = false;
    modules = {
      ...modules,
      named: {
        ...named,
        stand: () => Promise.resolve(isStanding),
        have: (of) => Promise.resolve(folded.push(of) > 0),
        lookUp: (of) => Promise.resolve(void folded.push(of)),
      },
    };
    const book = await opened();
    await assert.rejects(book.take(twice(0)), (error) => isProtocolError(error, 'PIN_MISMATCH'));
    isStanding = true;
    const [good, bad] = [proofs.attestation(0, 0, {}), proofs.attestation(0, 0, { salting: 'other' })];
    bad[bad.length - 1]! ^= 1;
    const badly = encodeEvidence(proofs.indexes({ attestations: [good, bad] }));
    await assert.rejects(book.take(badly), (error) => isProtocolError(error));
    assert.deepEqual(folded, []);
    giveUp();
    for (let i = 0; i < EVIDENCE_DISOWNED_MAX; i++) assert.equal(await book.take(twice(i)), true);
    const before = folded.length;
    assert.equal(await book.take(twice(EVIDENCE_DISOWNED_MAX)), false);
    assert.deepEqual([before > 0, folded.length], [true, before]);
  });

  it('T3: keeps nothing by statements that stand in the log without effect', async () => {
    modules = { ...modules, named: { ...modules.named, have: () => Promise.resolve(false) } };
    const book = await opened();
    await assert.rejects(book.take(twice(0)), (error) => isProtocolError(error, 'PIN_MISMATCH'));
    assert.equal(book.accusations.length, 0);
  });

  it('T3: of two witness keys with one key id it is the one that signed that is held to its word, after a start too', async () => {
    const witness = new RegionFixture({ region: 'IT', network: proofs.NETWORK });
    const [given, signer] = [testKey('twin 12777'), testKey('twin 47304')] as const;
    const naming = witness.entryAt(witness.admit([given, signer].map((key) => ({ key, role: 'witness' }))));
    const by = [{ region: 'IT', key: signer }];
    const side = (tree: ReferenceTree) => proofs.rootedSideOf(tree, 5, { size: 5, by });
    const file = encodeEvidence(
      proofs.cosignatures({
        grounds: [proofs.groundOf(region), [witness.entryAt(0), naming]],
        witness: 'IT',
        sides: [side(proofs.trustStory), side(proofs.otherTrustStory)],
      }),
    );
    modules = { ...modules, stateOf: (of) => (of === 'DE' ? region : witness).state };
    assert.equal(await (await opened()).take(file), true);
    witness.add(witness.compromise(given, {}));
    assert.deepEqual(
      (await opened()).accusations.map(({ isDisowned }) => isDisowned),
      [false],
    );
    witness.add(witness.compromise(signer, {}));
    assert.deepEqual(
      (await opened()).accusations.map(({ isDisowned }) => isDisowned),
      [true],
    );
  });

  it('T3: recheck counts no more what the log that is held does not name, and leaves it in the store', async () => {
    const files = [twice(1), twice(2)];
    const book = await opened();
    for (const file of files) assert.equal(await book.take(file), true);
    const kept = async () => {
      const keys: string[] = [];
      for await (const [key] of store.entries(`${EVIDENCE_PREFIX}/`, `${EVIDENCE_PREFIX}0`)) keys.push(key);
      return keys.length;
    };
    await book.recheck();
    assert.equal(book.accusations.length, 2);
    modules = { ...modules, named: { ...modules.named, lack: (of) => Promise.resolve(of === 'DE') } };
    let told = 0;
    modules = { ...modules, onRecount: () => void told++ };
    const next = await opened();
    assert.deepEqual([next.accusations.length, told], [2, 0]);
    await next.recheck();
    assert.deepEqual([next.accusations.length, await kept(), told], [0, 2, 2]);
    assert.equal(await next.take(files[0] as Uint8Array), true, 'what the log names by now');
  });

  it('T3: heed has looked again at what leans on a log that is another branch by now, and at what it did not name once it is longer', async () => {
    let [branch, isLacking] = [1, false];
    const looks: Promise<void>[] = [];
    const { named } = modules;
    const lack = () => Promise.resolve(isLacking);
    modules = { ...modules, named: { ...named, lack, branchOf: () => branch } };
    modules = { ...modules, run: (work) => void looks.push(work()) };
    const book = await opened();
    for (const file of [twice(1), twice(2)]) assert.equal(await book.take(file), true);
    const heeded = async (): Promise<[looks: number, standing: number]> => {
      book.heed();
      const [count] = [looks.length, await Promise.all(looks.splice(0))];
      return [count, book.accusations.length];
    };
    isLacking = true;
    assert.deepEqual(await heeded(), [0, 2], 'the log is the same');
    branch++;
    assert.deepEqual(await heeded(), [1, 0]);
    isLacking = false;
    assert.deepEqual(await heeded(), [0, 0], 'and as long as before');
    region.add(region.compromise(region.keys.witness, {}));
    assert.deepEqual(await heeded(), [1, 2]);
    assert.deepEqual(await heeded(), [0, 2]);
    assert.deepEqual((await opened()).accusations.length, 2);
  });

  it('T9: reread knows what came into the store of a region whose root is followed again, and nothing that has gone', async () => {
    const looks: Promise<void>[] = [];
    modules = { ...modules, run: (work) => void looks.push(work()) };
    const book = await opened();
    const first = await opened();
    assert.equal(await first.take(twice(1)), true);
    book.reread('FR.demo/');
    await Promise.all(looks);
    assert.equal(book.accusations.length, 0);
    book.reread(`DE.${proofs.NETWORK}/`);
    await Promise.all(looks);
    assert.equal(book.accusations.length, 1);
    for await (const [key] of store.entries(`${EVIDENCE_PREFIX}/`, `${EVIDENCE_PREFIX}0`))
      await store.write([{ del: key }]);
    book.reread(`DE.${proofs.NETWORK}/`);
    await Promise.all(looks);
    assert.equal(book.accusations.length, 0);
  });

  it('F4: what is damaged is told, stays where it is, and keeps nothing else from being known and given; it counts once it is given anew', async () => {
    const files = [1, 2, 3].map((index) => twice(index));
    const before = await opened();
    for (const file of files) await before.take(file);
    const key = disk.flipBit(`${EVIDENCE_PREFIX}/`) ?? assert.fail();
    const lost = files.find((file) => key.endsWith(before.nameOf(file))) ?? assert.fail();
    assert.equal((await before.besides(new Uint8Array())).length, 2);
    const troubles: unknown[] = [];
    modules = { ...modules, onTrouble: (error) => troubles.push(error) };
    const book = await opened();
    assert.equal(book.accusations.length, 2);
    assert.ok(troubles.length === 1 && isNodeError(troubles[0], 'VALUE_CORRUPT'));
    assert.match(troubles[0].message, new RegExp(key));
    assert.ok((await store.inspect(key, 1)).every((one) => one.key === key && !one.intact));
    assert.equal(await book.take(lost, 'a peer'), true);
    assert.equal((await opened()).accusations.length, 3);
    assert.equal(troubles.length, 1);
  });

  it('T5: many proofs of one kind leave room for those of another', async () => {
    const book = await opened();
    for (let i = 0; i < EVIDENCE_STANDING_MAX; i++) assert.equal(await book.take(tablesAt(i)), true);
    assert.equal(await book.take(tablesAt(EVIDENCE_STANDING_MAX)), false);
    assert.equal(await book.take(encodeEvidence(proofs.leaf())), true);
  });

  it('T3, T5: what a thief of a key that was given up makes is kept beside few others, and leaves room for what stands', async () => {
    giveUp();
    const book = await opened();
    for (let i = 0; i < EVIDENCE_DISOWNED_MAX; i++) assert.equal(await book.take(twice(i)), true);
    assert.equal(await book.take(twice(EVIDENCE_DISOWNED_MAX)), false);
    assert.equal(await book.take(tablesAt(1)), true);
    assert.deepEqual([count(book, true), count(book, false)], [EVIDENCE_DISOWNED_MAX, 1]);
  });

  it('T5: where all places are taken, one that stands takes that of one that is disowned, for good', async () => {
    const keys = Array.from({ length: EVIDENCE_KEPT_MAX / EVIDENCE_STANDING_MAX + 1 }, (_, i) =>
      region.key(`attest ${i}`),
    );
    const naming = region.entryAt(region.admit(keys.map((key) => ({ key, role: 'attest' }))));
    const grounds = [[region.entryAt(0), naming]];
    const book = await opened();
    for (const key of keys) {
      const room = key === keys.at(-1) ? 1 : EVIDENCE_STANDING_MAX;
      for (let i = 0; i < room; i++) assert.equal(await book.take(twice(i, key, grounds)), true);
      if (room > 1) region.add(region.compromise(key, {}));
    }
    for (const one of [book, await opened()])
      assert.deepEqual([count(one, true), count(one, false)], [EVIDENCE_KEPT_MAX - 1, 1]);
  });

  /** One that is by nobody who is named so far, as whoever is behind sees it. */
  const isUnknown = (grounds: readonly Uint8Array[]) => grounds.length > 2;
  const against = (of: string) => (book: EvidenceBook) => book.accusations.some((one) => one.region === of);

  /** The rounds of 30 s until `asking` has what it waits for from `giving`; undefined if it has it in none of 5. */
  async function roundsUntil(
    isThere: (book: EvidenceBook) => boolean,
    asking: EvidenceBook,
    giving: EvidenceBook,
    pass: () => void,
  ): Promise<number | undefined> {
    for (let round = 1; round <= 5; round++, pass()) {
      for (const file of await giving.besides(asking.names))
        await asking.take(file, 'B').catch((error: unknown) => assert.ok(isProtocolError(error)));
      if (isThere(asking)) return round;
    }
    return undefined;
  }

  it('T5 A28: what is refused again and again keeps nothing else away', async () => {
    let runMs = 0;
    const clock = { ...hurriedClock, runMs: () => runMs };
    const pass = () => void (runMs += 30_000);
    modules = { ...modules, clock };
    const asking = await opened();
    for (let i = 0; i < EVIDENCE_STANDING_MAX; i++)
      for (const file of [twice(i), tablesAt(i)]) assert.equal(await asking.take(file), true);
    const other = await startedStore(medium());
    modules = { ...modules, store: other };
    const giving = await opened();
    for (let i = 20; i < 20 + EVIDENCE_STANDING_MAX; i++)
      for (const file of [twice(i), tablesAt(i)]) assert.equal(await giving.take(file), true);
    assert.equal(await giving.take(encodeEvidence(proofs.cosignatures())), true);
    assert.equal(
      await roundsUntil(against('FR'), asking, giving, pass),
      1,
      'what is not needed costs nothing',
    );
    assert.equal(await roundsUntil(against('IT'), asking, giving, pass), undefined);
    assert.deepEqual(await giving.besides(asking.names), [], 'and is not given again');
    await other.stop();
  });

  it('A28: what no log names is not verified again before that has grown, and then it is', async () => {
    let runMs = 0;
    const clock = { ...hurriedClock, runMs: () => runMs };
    const pass = () => void (runMs += 30_000);
    const later = region.entryAt(region.admit([{ key: region.key('later'), role: 'attest' }]));
    const grounds = [[...proofs.groundOf(region), later]];
    const other = await startedStore(medium());
    const giving = new EvidenceBook({ ...modules, store: other });
    for (let i = 0; i < EVIDENCE_STANDING_MAX; i++)
      assert.equal(await giving.take(twice(i, undefined, grounds)), true);
    assert.equal(await giving.take(encodeEvidence(proofs.cosignatures())), true);
    let isNamed = false;
    const have = (_of: string, said: readonly Uint8Array[]) => Promise.resolve(isNamed || !isUnknown(said));
    modules = { ...modules, clock, named: { ...modules.named, stand: have } };
    const asking = await opened();
    assert.ok(((await roundsUntil(against('FR'), asking, giving, pass)) ?? 99) <= 2);
    assert.equal(await roundsUntil(against('DE'), asking, giving, pass), undefined);
    isNamed = true;
    assert.equal(await roundsUntil(against('DE'), asking, giving, pass), undefined, 'it is not asked');
    region.revoke([1]);
    assert.equal(await roundsUntil(against('DE'), asking, giving, pass), 1);
    await other.stop();
  });

  it('T5: what found no room is taken as soon as the region gives up the key that took it, and not before', async () => {
    const clock = { ...hurriedClock, runMs: () => 0 };
    const inForce = region.key('in force');
    const naming = region.entryAt(region.admit([{ key: inForce, role: 'attest' }]));
    const grounds = [[region.entryAt(0), naming]];
    modules = { ...modules, clock };
    const book = await opened();
    for (let i = 0; i < EVIDENCE_STANDING_MAX; i++) assert.equal(await book.take(twice(i)), true);
    const late = twice(20, inForce, grounds);
    const given = async () => [await book.take(late, 'B'), book.names.length / 16];
    assert.deepEqual(await given(), [false, EVIDENCE_STANDING_MAX + 1], 'it is named as refused');
    region.revoke([1]);
    await book.take(encodeEvidence(proofs.cosignatures()));
    assert.deepEqual(await given(), [false, EVIDENCE_STANDING_MAX + 2]);
    giveUp();
    assert.deepEqual(await given(), [true, EVIDENCE_STANDING_MAX + 2]);
  });

  it('T3: what was disowned and found no room is taken once fewer are', async () => {
    const clock = { ...hurriedClock, runMs: () => 0 };
    const keys = ['a', 'b'].map((name) => region.key(name));
    const naming = region.entryAt(region.admit(keys.map((key) => ({ key, role: 'attest' }))));
    const [given, other] = keys.map((key) => (i: number) => twice(i, key, [[region.entryAt(0), naming]]));
    const states = new Map([['DE', region.state]]);
    const before = region.state;
    for (const key of keys) region.add(region.compromise(key, {}));
    states.set('DE', region.state);
    modules = { ...modules, clock, stateOf: (of) => states.get(of) ?? proofs.witness.state };
    const book = await opened();
    for (let i = 0; i < EVIDENCE_DISOWNED_MAX; i++)
      assert.equal(await book.take((given ?? assert.fail())(i)), true);
    const late = (other ?? assert.fail())(9);
    assert.deepEqual([await book.take(late, 'B'), await book.take(late, 'B')], [false, false]);
    // Another branch, which the root has named, has not given up the keys.
    states.set('DE', before);
    assert.equal(await book.take(late, 'B'), true);
  });

  it('T5: of more than an answer holds each has its turn', async () => {
    const keys = Array.from({ length: EVIDENCE_KEPT_MAX / EVIDENCE_STANDING_MAX }, (_, i) =>
      region.key(`attest ${i}`),
    );
    const naming = region.entryAt(region.admit(keys.map((key) => ({ key, role: 'attest' }))));
    const book = await opened();
    for (const key of keys) {
      for (let i = 0; i < EVIDENCE_STANDING_MAX; i++)
        await book.take(twice(i, key, [[region.entryAt(0), naming]]));
      region.add(region.compromise(key, {}));
    }
    const last = encodeEvidence(proofs.cosignatures());
    assert.equal(await book.take(last), true);
    let turns = 0;
    for (let i = 0; i < 200; i++) {
      const files = await book.besides(new Uint8Array());
      assert.equal(files.length, EVIDENCE_KEPT_MAX);
      if (files.some((file) => Buffer.from(file).equals(last))) turns++;
    }
    assert.ok(turns > 100);
  });
});
