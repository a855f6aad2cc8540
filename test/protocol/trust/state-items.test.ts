import assert from 'node:assert/strict';
import fc from 'fast-check';
import { asciiBytes, compareBytes, concatBytes, hexOf } from '../../../protocol/bytes.ts';
import { encodeCbor } from '../../../protocol/encoding/cbor.ts';
import { isProtocolError } from '../../../protocol/fault.ts';
import { encodeIndexSet } from '../../../protocol/revocation/index-set-code.ts';
import { type FoldBase } from '../../../protocol/trust/boot.ts';
import { TrustFold } from '../../../protocol/trust/fold.ts';
import { sha256 } from '../../support/primitives.ts';
import {
  DAY_S,
  HOUR_S,
  LOG_ID,
  RegionFixture,
  START_S,
  type TestKey,
  type TestStatement,
  trustModules,
} from '../../support/region-fixture.ts';
import { RandomLog, steps } from './random-log.ts';

const isMismatch = (error: unknown) => isProtocolError(error, 'STATE_MISMATCH');
const rules = (version: number, id = 'baseline'): TestStatement => ({
  kind: 'rules',
  id,
  version,
  from: 0,
  data: {},
});

/** RFC 6962 2.1, word for word. */
function merkleRoot(leaves: readonly Uint8Array[]): Uint8Array {
  if (leaves.length === 0) return sha256(new Uint8Array(0));
  if (leaves.length === 1) return sha256(concatBytes(Uint8Array.of(0), leaves[0] as Uint8Array));
  let split = 1;
  while (split * 2 < leaves.length) split *= 2;
  return sha256(
    concatBytes(Uint8Array.of(1), merkleRoot(leaves.slice(0, split)), merkleRoot(leaves.slice(split))),
  );
}

function bootedFrom(
  region: RegionFixture,
  base: FoldBase,
  change: {
    items?: readonly Uint8Array[];
    index?: number;
    frontier?: readonly Uint8Array[];
    stateEntry?: Uint8Array;
    network?: string;
  } = {},
): TrustFold {
  const {
    items = base.items,
    index = base.index,
    frontier = base.frontier,
    network = region.network,
  } = change;
  const stateEntry = change.stateEntry ?? region.entryAt(base.index);
  const history = (fromIndex: number) => region.entries.slice(fromIndex);
  return TrustFold.fromBase(
    { region: region.region, network, history, base: { index, items, frontier }, stateEntry },
    trustModules,
  );
}

function baseOf(region: RegionFixture): FoldBase {
  const base = region.fold.newestBase();
  assert(base);
  return base;
}

describe('commitmentTo', () => {
  it('commits to every slot, the counters and every block, as SPEC.md 8.4 lays them out', () => {
    const region = new RegionFixture();
    region.revoke([3, 65_536 + 7]);
    region.revoke([5], '2026-12');
    region.add(rules(1));
    region.add(rules(2));
    const { items, root } = region.fold.commitmentAt(region.nowS);
    const slotItem = (index: number) => encodeCbor([0, index, region.entries[index] as Uint8Array]);
    const expected = [
      ...[0, 1, 2, 6].map(slotItem),
      encodeCbor([1, Math.floor(START_S / HOUR_S), 3, START_S, 0]),
      encodeCbor([2, '2026-11', 0, encodeIndexSet(Float64Array.of(3))]),
      encodeCbor([2, '2026-11', 1, encodeIndexSet(Float64Array.of(7))]),
      encodeCbor([2, '2026-12', 0, encodeIndexSet(Float64Array.of(5))]),
    ].sort(compareBytes);
    assert.deepEqual(items, expected);
    assert.deepEqual(
      root,
      merkleRoot(expected.map((item) => concatBytes(asciiBytes('entente/state/v1\n'), item))),
    );
  });

  it('before any statement by trust-log, hour, count and at are 0', () => {
    const region = new RegionFixture({ begins: 'root' });
    region.add(region.revocation([1]), 'root');
    assert.deepEqual(region.fold.commitmentAt(START_S).items.at(-1), encodeCbor([1, 0, 0, 0, 0]));
  });
});

describe('TrustFold: state statements', () => {
  it('one that names the state passes; another number, root or format does not', () => {
    const region = new RegionFixture();
    region.revoke([1]);
    const good = region.stateStatement();
    assert.equal(region.refusal({ ...good, items: good.items + 1 }), 'STATE_MISMATCH');
    assert.equal(region.refusal({ ...good, root: sha256(good.root) }), 'STATE_MISMATCH');
    assert.equal(region.fold.newestBase(), undefined);
    region.add(good);
    assert.equal(baseOf(region).index, region.entries.length - 1);
  });

  it('one for the state before the last entry does not pass', () => {
    const region = new RegionFixture();
    const stale = region.entryOf(region.stateStatement());
    region.revoke([1]);
    assert.equal(region.offer(stale)?.code, 'STATE_MISMATCH');
  });

  it('one for the state pruned at another at does not pass where pruning matters', () => {
    const region = new RegionFixture();
    region.add({ kind: 'node', key: region.key('n').publicKey, addresses: [], from: 0, until: START_S + 10 });
    const { items, root } = region.fold.commitmentAt(START_S + 9);
    assert.equal(
      region.refusal({ kind: 'state', at: START_S + 10, format: 1, items: items.length, root }),
      'STATE_MISMATCH',
    );
    region.add({ kind: 'state', at: START_S + 9, format: 1, items: items.length, root });
  });
});

describe('prune', () => {
  /** A region whose trust-log key reaches `atS`, and a way to state the state there. */
  function until(atS: number): { region: RegionFixture; commit: (at: number) => void; late: TestKey } {
    const region = new RegionFixture();
    const late = region.key('late');
    const from = atS - (atS % DAY_S);
    region.admit([{ key: late, role: 'trust-log', from, until: from + 2 * DAY_S }]);
    const commit = (at: number) => {
      region.nowS = at;
      region.add(region.stateStatement(), [late]);
    };
    return { region, commit, late };
  }

  it('keeps a log and its revocations until 31 days after its month', () => {
    const overS = Date.UTC(2027, 0, 1) / 1000;
    const { region, commit } = until(overS);
    region.revoke([1]);
    region.revoke([2], '2026-12');
    region.add({ kind: 'log', log: '2026-12', minimum: 0 });
    commit(overS);
    assert.equal(region.state.revoked(LOG_ID)?.count, 1);
    assert.equal(region.state.log(LOG_ID)?.minimum, 0);
    commit(overS + 1);
    assert.equal(region.state.revoked(LOG_ID), undefined);
    assert.equal(region.state.log(LOG_ID), undefined);
    assert.equal(region.state.revoked('2026-12')?.count, 1);
    assert.equal(region.state.log('2026-12')?.minimum, 0);
  });

  it('drops revocations of a log that was never announced', () => {
    const overS = Date.UTC(2027, 0, 1) / 1000 + 1;
    const { region, commit } = until(overS);
    region.revoke([1], '2026-11.2');
    commit(overS);
    assert.equal(region.state.revoked('2026-11.2'), undefined);
  });

  it('keeps a node until its end', () => {
    const atS = START_S + HOUR_S;
    const { region, commit } = until(atS);
    region.add({ kind: 'node', key: region.key('n').publicKey, addresses: [], from: 0, until: atS });
    commit(atS - 1);
    assert.equal([...region.state.nodes()].length, 1);
    commit(atS);
    assert.equal([...region.state.nodes()].length, 0);
  });

  it('keeps keys and what was said of their compromise until 31 days after the last window', () => {
    const untilS = START_S + DAY_S;
    const { region, commit } = until(untilS + 31 * DAY_S);
    const [a, b] = [region.key('a'), region.key('b')];
    region.admit([
      { key: a, role: 'attest', from: START_S, until: START_S + HOUR_S },
      { key: b, role: 'attest', from: START_S, until: untilS },
    ]);
    region.add(region.compromise(a, {}));
    commit(untilS + 31 * DAY_S);
    assert.equal(region.state.key(a.keyId)?.compromise?.version, 1);
    commit(untilS + 31 * DAY_S + 1);
    assert.equal(region.state.key(a.keyId), undefined);
    assert.equal(region.state.key(b.keyId), undefined);
    const inItems = (key: TestKey) =>
      baseOf(region).items.some((item) => hexOf(item).includes(hexOf(key.publicKey)));
    assert.equal(inItems(a), false);
    region.nowS = START_S;
    assert.equal(region.refusal(region.compromise(a, {}, 2)), 'STATEMENT_CONFLICT');
  });

  for (const [role, isKept] of [
    ['checkpoint', true],
    ['trust-log', true],
    ['attest', false],
    ['witness', false],
  ] as const)
    it(`${isKept ? 'T5: keeps for good' : 'keeps no longer than others'} a ${role} key that was given up, with its cut-off`, () => {
      const untilS = START_S + DAY_S;
      const { region, commit } = until(untilS + 60 * DAY_S);
      const key = region.key('stolen');
      region.admit([{ key, role, from: START_S, until: untilS }]);
      region.add(region.compromise(key, { trust: region.cutOff() }));
      commit(untilS + 60 * DAY_S);
      assert.equal(region.state.key(key.keyId)?.compromise?.cutOffs.has('trust'), isKept || undefined);
    });

  it('keeps keys whose signature a statement in the state stands on', () => {
    const untilS = START_S + DAY_S;
    const overS = untilS + 31 * DAY_S + 1;
    const { region, commit, late } = until(overS);
    const signing = region.key('signing');
    region.admit([{ key: signing, role: 'trust-log', from: START_S, until: untilS }]);
    region.add(rules(1), [signing]);
    commit(overS);
    assert.equal(region.state.key(signing.keyId)?.role, 'trust-log');
    region.add(rules(2), [late]);
    commit(overS);
    assert.equal(region.state.key(signing.keyId), undefined);
    assert.equal(region.state.rules('baseline')?.version, 2);
  });

  it('drops the suspension of a version that is no longer in force, and no recognition', () => {
    const { region, commit } = until(START_S + 100);
    const fingerprint = new Uint8Array(32);
    for (const peer of ['FR', 'CN-33', 'LU']) {
      region.add({ ...region.recognitionOf({ region: peer, fingerprint }), from: 0, until: 1 });
      region.add({ kind: 'suspension', region: peer, version: 1 });
    }
    region.recognise({ region: 'FR', fingerprint }, 2);
    region.add({ kind: 'withdrawal', region: 'LU', version: 2 });
    commit(START_S + 100);
    assert.deepEqual(
      [...region.state.recognitions()]
        .map(({ region, standing, version }) => [region, standing, version])
        .sort(),
      [
        ['CN-33', 'suspended', 1],
        ['FR', 'recognised', 2],
        ['LU', 'withdrawn', 2],
      ],
    );
    assert.equal(baseOf(region).items.filter((item) => Buffer.from(item).includes('suspension')).length, 1);
  });

  it('T9: nothing that was pruned comes back by its old entry', () => {
    const overS = Date.UTC(2027, 0, 1) / 1000 + 1;
    const { region, commit, late } = until(overS);
    const node = {
      kind: 'node',
      key: region.key('n').publicKey,
      addresses: [],
      from: 0,
      until: overS,
    } as const;
    const old = [
      region.entryOf(
        region.keysStatement([
          { key: region.key('old'), role: 'attest', from: START_S, until: START_S + DAY_S },
        ]),
      ),
      region.entryOf(region.revocation([9]), 'root'),
      region.entryOf({ kind: 'log', log: LOG_ID, minimum: 0 }, 'root'),
      region.entryOf({ ...node, addresses: [] }, 'root'),
    ];
    for (const entry of old) assert.equal(region.offer(entry), undefined);
    commit(overS);
    const { items } = region.fold.commitmentAt(overS);
    for (const entry of old) assert.equal(region.offer(entry)?.code, 'STATEMENT_CONFLICT');
    assert.equal(region.refusal(region.revocation([9]), [late]), 'STATEMENT_CONFLICT');
    assert.deepEqual(region.fold.commitmentAt(overS).items, items);
  });
});

/** Appends, and tells false where a voiding reaches back before the base: that reader has to start anew. */
function takes(fold: TrustFold, entry: Uint8Array): boolean {
  try {
    fold.append(entry);
    return true;
  } catch (error) {
    if (isProtocolError(error, 'HISTORY_NEEDED')) return false;
    throw error;
  }
}

describe('TrustFold.fromBase', () => {
  function grown(): { region: RegionFixture; base: FoldBase } {
    const region = new RegionFixture({ rootKeys: 3, threshold: 2 });
    region.revoke([1, 2, 70_000]);
    region.recognise({ region: 'FR', fingerprint: new Uint8Array(32) });
    region.add(rules(1));
    region.add(region.compromise(region.keys.attest, {}));
    region.commit();
    return { region, base: baseOf(region) };
  }

  it('gives the state, size, root and frontier of the full fold', () => {
    const { region, base } = grown();
    const fold = bootedFrom(region, base);
    assert.equal(fold.size, region.fold.size);
    assert.deepEqual(fold.root, region.fold.root);
    assert.deepEqual(fold.frontier, region.fold.frontier);
    assert.deepEqual(fold.commitmentAt(START_S), region.fold.commitmentAt(START_S));
    assert.deepEqual(fold.state.fingerprint, region.fingerprint);
    assert.deepEqual(fold.state.root, region.state.root);
    assert.equal(fold.state.lastAtS, region.state.lastAtS);
    assert.deepEqual(fold.newestBase(), base);
  });

  it('goes on within the hour and the order of at where the full fold stands', () => {
    const region = new RegionFixture();
    region.add({ kind: 'limits', version: 1, revocationsPerHour: 3 });
    region.revoke([1, 2]);
    region.commit();
    const fold = bootedFrom(region, baseOf(region));
    assert.equal(fold.append(region.entryOf({ ...rules(1), at: START_S - 1 }))?.code, 'STATEMENT_CONFLICT');
    assert.equal(fold.append(region.entryOf(region.revocation([8, 9])))?.code, 'STATEMENT_CONFLICT');
    assert.equal(fold.append(region.entryOf(region.revocation([2, 8]))), undefined);
  });

  it('T12: refuses items that lack one, have one more, or have one changed', () => {
    const { region, base } = grown();
    for (let i = 0; i < base.items.length; i++) {
      assert.throws(
        () => bootedFrom(region, base, { items: base.items.toSpliced(i, 1) }),
        isMismatch,
        `without ${i}`,
      );
    }
    const extra = [
      encodeCbor([2, '2027-01', 0, encodeIndexSet(Float64Array.of(1))]),
      encodeCbor([1, 1, 1, 1, 1]),
    ];
    for (const item of extra) {
      assert.throws(
        () => bootedFrom(region, base, { items: [...base.items, item].sort(compareBytes) }),
        isMismatch,
      );
    }
  });

  it('goes on with what all voidings reached back over, of compromises that were replaced too', () => {
    const region = new RegionFixture();
    const honest = region.key('honest');
    region.admit([{ key: honest, role: 'trust-log' }]);
    const reach = [1, 2].map((version) => {
      const trust = { size: 3, root: region.rootAt(3) };
      return region.add(region.compromise(region.keys['trust-log'], { trust }, version)) - 3;
    });
    region.add(region.stateStatement(), [honest]);
    const { items } = baseOf(region);
    assert.deepEqual(items.at(-1), encodeCbor([1, 0, 0, START_S, (reach[0] ?? 0) + (reach[1] ?? 0)]));
    assert.equal(bootedFrom(region, baseOf(region)).size, region.fold.size);
  });

  it('refuses a statement that another item replaces, although the state is the same', () => {
    const region = new RegionFixture();
    const old = region.add(rules(1));
    region.add(rules(2));
    region.commit();
    const base = baseOf(region);
    const items = [...base.items, encodeCbor([0, old, region.entryAt(old)])].sort(compareBytes);
    assert.throws(() => bootedFrom(region, base, { items }), isMismatch);
    assert.equal(bootedFrom(region, base).size, region.fold.size);
  });

  it('any flipped bit of an item is STATE_MISMATCH', () => {
    const { region, base } = grown();
    const places = base.items.flatMap((item, i) =>
      Array.from({ length: item.length }, (_, byte) => [i, byte] as const),
    );
    fc.assert(
      fc.property(fc.constantFrom(...places), fc.nat(7), ([i, byte], bit) => {
        const item = (base.items[i] as Uint8Array).slice();
        item[byte] = (item[byte] ?? 0) ^ (1 << bit);
        assert.throws(() => bootedFrom(region, base, { items: base.items.with(i, item) }), isMismatch);
      }),
      { numRuns: 150 },
    );
  });

  it('refuses items that are not in order or there twice', () => {
    const { region, base } = grown();
    const [first, second, ...rest] = base.items as [Uint8Array, Uint8Array, ...Uint8Array[]];
    assert.throws(() => bootedFrom(region, base, { items: [second, first, ...rest] }), isMismatch);
    assert.throws(() => bootedFrom(region, base, { items: [first, first, second, ...rest] }), isMismatch);
  });

  it('refuses an entry that is no state statement, one that does not pass, and junk', () => {
    const { region, base } = grown();
    region.revoke([99]);
    const other = region.entryOf(rules(2));
    const forged = region.entryOf({ ...region.stateStatement(), items: base.items.length });
    for (const stateEntry of [other, forged, new Uint8Array(3), new Uint8Array(0)]) {
      assert.throws(() => bootedFrom(region, base, { stateEntry }), isMismatch);
    }
  });

  it('T5: refuses the base of another network, and items that another root signed', () => {
    const { region, base } = grown();
    assert.throws(() => bootedFrom(region, base, { network: 'other' }), isMismatch);
    // A thief of the trust-log key commits to a state of his own making.
    const forger = new RegionFixture();
    const items = base.items.map((item) => {
      const isRecognition = Buffer.from(item).includes('recognition');
      if (!isRecognition) return item;
      return encodeCbor([
        0,
        4,
        region.entryOf(
          region.recognitionOf({ region: 'ZZ', fingerprint: new Uint8Array(32) }),
          forger.rootKeys,
        ),
      ]);
    });
    assert.notDeepEqual(items, base.items);
    const root = merkleRoot(items.map((item) => concatBytes(asciiBytes('entente/state/v1\n'), item)));
    const stateEntry = region.entryOf({ kind: 'state', format: 1, items: items.length, root });
    assert.throws(() => bootedFrom(region, base, { items, stateEntry }), isMismatch);
  });

  it('refuses an index that an item has or passes, and a frontier of another size', () => {
    const { region, base } = grown();
    assert.throws(() => bootedFrom(region, base, { index: 3 }), isMismatch);
    assert.throws(
      () => bootedFrom(region, base, { frontier: base.frontier.slice(1) }),
      (error) => isProtocolError(error, 'PROOF_INVALID'),
    );
  });

  it('refuses an item that another item voids, even if the state statement says so', () => {
    const region = new RegionFixture();
    const honest = region.key('honest');
    region.admit([{ key: honest, role: 'trust-log' }]);
    const cutOff = region.cutOff();
    const stolen = region.entryOf(rules(1));
    region.offer(stolen);
    region.add(region.compromise(region.keys['trust-log'], { trust: cutOff }));
    const { items } = region.fold.commitmentAt(START_S);
    const forged = [...items, encodeCbor([0, cutOff.size, stolen])].sort(compareBytes);
    const root = merkleRoot(forged.map((item) => concatBytes(asciiBytes('entente/state/v1\n'), item)));
    const stateEntry = region.entryOf({ kind: 'state', format: 1, items: forged.length, root }, [honest]);
    const base = { index: region.fold.size, frontier: region.fold.frontier, items: forged };
    assert.throws(
      () => bootedFrom(region, base, { stateEntry }),
      (error) => isMismatch(error) && /voided/.test((error as Error).message),
    );
    const good = region.entryOf(region.stateStatement(), [honest]);
    assert.equal(bootedFrom(region, { ...base, items }, { stateEntry: good }).size, base.index + 1);
  });

  it('keeps nothing of the bytes it was given', () => {
    const { region, base } = grown();
    const items = base.items.map((item) => item.slice());
    const fold = bootedFrom(region, base, { items });
    for (const item of items) item.fill(0);
    assert.deepEqual(fold.commitmentAt(START_S), region.fold.commitmentAt(START_S));
  });

  it('agrees with the full fold at every later point, whatever the log says', () => {
    let compared = 0;
    fc.assert(
      fc.property(steps, (sequence) => {
        const log = new RandomLog();
        const { region } = log;
        let booted: TrustFold[] = [];
        for (const step of sequence) {
          const index = region.entries.length;
          log.take(step);
          const entry = region.entries[index];
          if (entry === undefined) continue;
          booted = booted.filter((fold) => takes(fold, entry));
          for (const fold of booted) {
            assert.deepEqual(fold.commitmentAt(region.nowS), region.fold.commitmentAt(region.nowS));
            assert.deepEqual(fold.root, region.fold.root);
            compared++;
          }
          const base = region.fold.newestBase();
          if (base?.index === index) booted.push(bootedFrom(region, base));
        }
      }),
      { numRuns: 40 },
    );
    assert(compared > 100, `only ${compared} comparisons`);
  });
});
