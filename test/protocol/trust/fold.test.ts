import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Frontier } from '../../../protocol/log/frontier.ts';
import { leafHash } from '../../../protocol/log/merkle.ts';
import { TrustFold } from '../../../protocol/trust/fold.ts';
import { type KeyRole, type TrustState } from '../../../protocol/trust/trust-state.ts';
import { sha256 } from '../../support/primitives.ts';
import { DAY_S, LOG_ID, RegionFixture, START_S, trustModules } from '../../support/region-fixture.ts';
import { RandomLog, steps } from './random-log.ts';

function emptyFold(entries: readonly Uint8Array[] = []): TrustFold {
  const history = (fromIndex: number) => entries.slice(fromIndex);
  return new TrustFold({ region: 'DE', network: 'test', history }, trustModules);
}

function foldOf(entries: readonly Uint8Array[]): TrustFold {
  const fold = emptyFold(entries);
  for (const entry of entries) fold.append(entry);
  return fold;
}

/** Everything that a state says, as plain values. */
function contentOf(state: TrustState): unknown {
  const logs = ['2026-11', '2026-12', '2027-01'];
  const roles = ['attest', 'checkpoint', 'trust-log', 'witness'] as const;
  return structuredClone({
    names: [state.region, state.network, state.size, state.lastAtS, state.revocationsPerHour],
    root: state.root,
    fingerprint: state.fingerprint,
    keys: roles.map((role) => state.keysWithRole(role)),
    recognitions: [...state.recognitions()],
    logs: [...state.logs()],
    revoked: logs.map((log) => [...(state.revoked(log) ?? [])]),
    rules: [0, 1, 2, 3].map((i) => state.rules(`rules-${i}`)),
    nodes: [...state.nodes()],
  });
}

/** A log with one statement of every kind that fills a slot, and revocations. */
function fullLog(): RegionFixture {
  const region = new RegionFixture();
  region.add({ kind: 'limits', version: 1, revocationsPerHour: 9 });
  region.recognise({ region: 'FR', fingerprint: new Uint8Array(32).fill(1) });
  region.recognise({ region: 'LU', fingerprint: new Uint8Array(32).fill(2) });
  region.add({ kind: 'suspension', region: 'FR', version: 1 });
  region.add({ kind: 'withdrawal', region: 'LU', version: 2 });
  region.add(region.compromise(region.keys.attest, { [LOG_ID]: { size: 3, root: new Uint8Array(32) } }));
  region.add({ kind: 'rules', id: 'rules-1', version: 1, from: 0, data: { a: 1 } });
  region.add({
    kind: 'node',
    key: region.key('n').publicKey,
    addresses: ['a'],
    from: 0,
    until: START_S + DAY_S,
  });
  region.revoke([1, 2]);
  region.add(region.revocation([9]), 'root');
  region.add(region.rootStatement({ version: 2 }));
  return region;
}

describe('TrustFold', () => {
  it('an empty fold says nothing', () => {
    const fold = emptyFold();
    assert.equal(fold.size, 0);
    assert.deepEqual(fold.root, sha256(new Uint8Array(0)));
    assert.deepEqual(fold.frontier, []);
    assert.deepEqual(fold.findings, []);
    assert.equal(fold.newestBase(), undefined);
    assert.equal(fold.state.root, undefined);
    assert.equal(fold.state.fingerprint, undefined);
  });

  it('names that are none are a RangeError', () => {
    assert.throws(() => new TrustFold({ region: 'de', network: 'test' }, trustModules), RangeError);
    assert.throws(() => new TrustFold({ region: 'DE', network: 'Test' }, trustModules), RangeError);
  });

  it('its root is that of the log, findings included', () => {
    const region = fullLog();
    region.offer(new Uint8Array([1, 2, 3]));
    const tree = Frontier.empty(sha256);
    for (const entry of region.entries) tree.append(leafHash(sha256, entry));
    assert.deepEqual(region.fold.root, tree.root());
    assert.deepEqual(region.fold.frontier, tree.hashes());
    assert.equal(region.fold.size, region.entries.length);
  });

  it('a finding has the index, the code and a reason without bytes of the entry', () => {
    const region = new RegionFixture();
    const entry = region.entryOf({ kind: 'rules', id: 'secret-name', version: 1, from: 0, data: {} }, [
      region.key('x'),
    ]);
    const finding = region.offer(entry);
    assert.equal(finding?.index, 3);
    assert.equal(finding.code, 'STATEMENT_UNAUTHORISED');
    assert(!finding.reason.includes('secret-name'));
    assert.deepEqual(region.fold.findings, [finding]);
  });

  it('keeps nothing of the bytes it was given', () => {
    const region = fullLog();
    const fold = emptyFold();
    for (const entry of region.entries) {
      const lent = entry.slice();
      fold.append(lent);
      lent.fill(0xff);
    }
    assert.deepEqual(fold.commitmentAt(START_S), region.fold.commitmentAt(START_S));
  });

  it('a state that was given out stays as it was', () => {
    fc.assert(
      fc.property(steps, (sequence) => {
        const log = new RandomLog();
        const given: (readonly [TrustState, unknown])[] = [];
        for (const step of sequence) {
          log.take(step);
          given.push([log.region.state, contentOf(log.region.state)]);
        }
        for (const [state, content] of given) assert.deepEqual(contentOf(state), content);
      }),
      { numRuns: 15 },
    );
  });

  it('does not depend on when it is read, forked or gone on with: batches have no borders', () => {
    fc.assert(
      fc.property(steps, fc.array(fc.nat(3), { minLength: 80, maxLength: 80 }), (sequence, reads) => {
        const log = new RandomLog();
        for (const step of sequence) log.take(step);
        const { entries } = log.region;
        const straight = foldOf(entries);
        let read = emptyFold(entries);
        for (const [index, entry] of entries.entries()) {
          const how = reads[index];
          if (how === 1) void read.state.size;
          if (how === 2) read = read.fork();
          if (how === 3) void read.commitmentAt(START_S);
          read.append(entry);
        }
        assert.deepEqual(read.root, straight.root);
        assert.deepEqual(read.findings, straight.findings);
        assert.deepEqual(read.newestBase(), straight.newestBase());
        assert.deepEqual(contentOf(read.state), contentOf(straight.state));
        assert.deepEqual(read.commitmentAt(START_S), straight.commitmentAt(START_S));
      }),
      { numRuns: 15 },
    );
  });

  it('any flipped bit of an entry makes it a finding without effect', () => {
    const { entries } = fullLog();
    const junk = entries.map((_, place) => foldOf(entries.with(place, new Uint8Array(1))));
    fc.assert(
      fc.property(fc.nat(entries.length - 1), fc.nat(), fc.nat(7), (place, at, bit) => {
        const entry = (entries[place] as Uint8Array).slice();
        const byte = at % entry.length;
        entry[byte] = (entry[byte] ?? 0) ^ (1 << bit);
        const fold = foldOf(entries.with(place, entry));
        const expected = junk[place] as TrustFold;
        assert.deepEqual(
          fold.findings.map(({ index }) => index),
          expected.findings.map(({ index }) => index),
        );
        assert.equal(fold.findings[0]?.index, place);
        assert.deepEqual(fold.commitmentAt(START_S).items, expected.commitmentAt(START_S).items);
      }),
      { numRuns: 150 },
    );
  });

  it('F4: entries in another order, left out or repeated never throw', () => {
    const { entries } = fullLog();
    fc.assert(
      fc.property(fc.array(fc.nat(entries.length - 1), { maxLength: 20 }), (places) => {
        const fold = foldOf(places.map((place) => entries[place] as Uint8Array));
        assert.equal(fold.size, places.length);
      }),
      { numRuns: 50 },
    );
  });
});

describe('TrustFold.newestBase', () => {
  /** Where readers start after a compromise that names the log at `size`, the base being at index 4. */
  const baseAfter = (size: number, role: KeyRole) => {
    const region = new RegionFixture();
    const honest = region.key('honest');
    region.admit([{ key: honest, role: 'trust-log' }]);
    assert.equal(region.add(region.stateStatement(), [honest]), 4);
    region.revoke([1]);
    region.add(region.compromise(region.keys[role], { trust: { size, root: region.rootAt(size) } }));
    return region.fold.newestBase()?.index;
  };

  it('is none behind which a compromise reaches: no reader that starts there could take it', () => {
    assert.equal(baseAfter(3, 'trust-log'), undefined);
    assert.equal(baseAfter(3, 'attest'), undefined);
    assert.equal(
      baseAfter(4, 'trust-log'),
      undefined,
      'to void from its very entry on, a reader has to hold what it proves',
    );
  });

  it('stays where a compromise reaches back to it and no further', () => {
    assert.equal(baseAfter(4, 'attest'), 4);
    assert.equal(baseAfter(5, 'trust-log'), 4);
    assert.equal(baseAfter(6, 'attest'), 4);
  });
});

describe('TrustFold.fork', () => {
  it('what is appended to one does not show in the other', () => {
    const region = fullLog();
    const { fold } = region;
    const fork = fold.fork();
    const { root } = fold;
    assert.equal(fork.append(region.entryOf(region.revocation([77]))), undefined);
    assert.equal(fork.state.revoked(LOG_ID)?.has(77), true);
    assert.equal(fold.state.revoked(LOG_ID)?.has(77), false);
    assert.deepEqual(fold.root, root);
    assert.equal(fold.append(region.entryOf(region.revocation([78]))), undefined);
    assert.equal(fork.state.revoked(LOG_ID)?.has(78), false);
  });

  it('a voiding in the fork reads the history of the fork', () => {
    const region = new RegionFixture();
    const cutOff = region.cutOff();
    region.revoke([1]);
    const later = [
      region.entryOf(region.revocation([2])),
      region.entryOf(region.compromise(region.keys['trust-log'], { trust: cutOff })),
    ];
    const fork = region.fold.fork((from) => [...region.entries, ...later].slice(from));
    for (const entry of later) assert.equal(fork.append(entry), undefined);
    assert.equal(fork.state.revoked(LOG_ID), undefined);
    assert.equal(region.state.revoked(LOG_ID)?.count, 1);
  });
});
