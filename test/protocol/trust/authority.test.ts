import assert from 'node:assert/strict';
import { type VerifySignature } from '../../../protocol/primitives.ts';
import {
  encodeEntry,
  encodeStatement,
  parseEntry,
  signStatement,
} from '../../../protocol/trust/statement.ts';
import { type StatementKind } from '../../../protocol/trust/statement-schema.ts';
import {
  DAY_S,
  HOUR_S,
  LOG_ID,
  RegionFixture,
  START_S,
  type TestKey,
  type TestSigners,
  type TestStatement,
  trustModules,
} from '../../support/region-fixture.ts';

const UNAUTHORISED = 'STATEMENT_UNAUTHORISED';

function twoOfThree(): RegionFixture {
  return new RegionFixture({ rootKeys: 3, threshold: 2 });
}

const limits = (version: number): TestStatement => ({ kind: 'limits', version, revocationsPerHour: 7 });

describe('verifyAuthority: who may sign what', () => {
  const region = new RegionFixture();
  const peer = new RegionFixture({ region: 'FR' });
  region.recognise(peer);
  const statements = (): Record<StatementKind, TestStatement> => ({
    root: region.rootStatement({ version: 2 }),
    keys: region.keysStatement([{ key: region.key('fresh'), role: 'attest' }]),
    limits: limits(1),
    recognition: region.recognitionOf(peer, 2),
    withdrawal: { kind: 'withdrawal', region: 'FR', version: 3 },
    suspension: { kind: 'suspension', region: 'FR', version: 1 },
    compromise: region.compromise(region.keys.attest, {}),
    retirement: region.retirement(region.keys.attest, START_S + DAY_S),
    rules: { kind: 'rules', id: 'baseline', version: 1, from: 0, data: {} },
    adapter: { kind: 'adapter', id: 'local', version: 1, from: 0, until: 1, data: {} },
    log: { kind: 'log', log: LOG_ID, minimum: 0 },
    node: { kind: 'node', key: region.key('node').publicKey, addresses: [], from: 0, until: START_S + DAY_S },
    revocation: region.revocation([1]),
    'foreign-revocation': {
      kind: 'foreign-revocation',
      until: START_S + DAY_S,
      hashes: [new Uint8Array(16)],
    },
    tally: { kind: 'tally', log: LOG_ID, from: 0, until: 1, cells: [], merged: 1, overrides: [] },
    state: region.stateStatement(),
  });
  const byTrustLog = new Set([
    'suspension',
    'rules',
    'log',
    'node',
    'revocation',
    'foreign-revocation',
    'tally',
    'state',
  ]);
  // The state statement is refused to the root only, so it comes before anything changes what it commits to.
  const kinds = Object.keys(statements()).reverse() as StatementKind[];

  for (const kind of kinds) {
    const mayTrustLog = byTrustLog.has(kind);
    it(`${kind}: trust-log ${mayTrustLog ? 'may' : 'may not'}`, () => {
      const finding = region.offer(region.entryOf(statements()[kind], 'trust-log'));
      assert.equal(finding?.code, mayTrustLog ? undefined : UNAUTHORISED);
    });
  }

  for (const role of ['attest', 'checkpoint', 'witness'] as const) {
    it(`a key with the role ${role} signs no statement`, () => {
      const fixture = new RegionFixture();
      for (const statement of [fixture.revocation([1]), limits(1)]) {
        assert.equal(fixture.refusal(statement, [fixture.keys[role]]), UNAUTHORISED);
      }
    });
  }

  it('the root may sign everything but a state and a tally', () => {
    const fixture = new RegionFixture();
    fixture.recognise(peer);
    assert.equal(fixture.refusal(fixture.stateStatement(), 'root'), UNAUTHORISED);
    assert.equal(fixture.refusal(statements().tally, 'root'), UNAUTHORISED);
    fixture.add({ kind: 'suspension', region: 'FR', version: 1 }, 'root');
    fixture.add({ kind: 'rules', id: 'baseline', version: 1, from: 0, data: {} }, 'root');
    fixture.add({ kind: 'adapter', id: 'local', version: 1, from: 0, until: 1, data: {} }, 'root');
    fixture.add({ kind: 'log', log: '2026-12', minimum: 0 }, 'root');
    fixture.add(
      { kind: 'node', key: region.key('n').publicKey, addresses: [], from: 0, until: START_S + DAY_S },
      'root',
    );
    fixture.add(fixture.revocation([1]), 'root');
  });
});

describe('verifyAuthority: roots', () => {
  it('one key fewer than the threshold is refused, the threshold and more pass', () => {
    const region = twoOfThree();
    const [a, b, c] = region.rootKeys as [TestKey, TestKey, TestKey];
    assert.equal(region.refusal(limits(1), [a]), UNAUTHORISED);
    region.add(limits(1), [a, c]);
    region.add(limits(2), [a, b, c]);
  });

  it('a key counts once: its signature twice is no entry at all', () => {
    const region = twoOfThree();
    const [a] = region.rootKeys as [TestKey];
    const body = encodeStatement({ kind: 'limits', at: START_S, version: 1, revocationsPerHour: 7 });
    const { signatures } = parseEntry(signStatement(region.origin, body, [a]));
    assert.throws(() => encodeEntry(body, [...signatures, ...signatures]), RangeError);
    const once = encodeEntry(body, signatures);
    // 0x81 is the array of the one signature, which is the end of the entry: now there are two.
    const place = once.lastIndexOf(0x81, once.length - 76);
    const twice = Uint8Array.from([
      ...once.subarray(0, place),
      0x82,
      ...once.subarray(place + 1),
      ...once.subarray(place + 1),
    ]);
    assert.equal(region.offer(twice)?.code, 'STATEMENT_MALFORMED');
  });

  it('a foreign signature beside enough good ones is refused', () => {
    const region = twoOfThree();
    const [a, b] = region.rootKeys as [TestKey, TestKey];
    assert.equal(region.refusal(limits(1), [a, b, region.key('stranger')]), UNAUTHORISED);
    assert.equal(region.refusal(limits(1), [a, b, region.keys['trust-log']]), UNAUTHORISED);
  });

  it('one bad signature among enough good ones is refused', () => {
    const region = twoOfThree();
    const entry = region.entryOf(limits(1), region.rootKeys);
    entry[entry.length - 1] = (entry.at(-1) ?? 0) ^ 1;
    assert.equal(region.offer(entry)?.code, UNAUTHORISED);
  });

  it('T5, B54: an entry signed for the log of another region or network is refused', () => {
    const region = new RegionFixture();
    for (const names of [{ region: 'FR' }, { network: 'other' }]) {
      const other = new RegionFixture({ ...names, begins: 'root' });
      const body = encodeStatement({ kind: 'limits', at: START_S, version: 1, revocationsPerHour: 7 });
      assert.equal(region.offer(signStatement(other.origin, body, region.rootKeys))?.code, UNAUTHORISED);
      assert.equal(region.offer(other.entryOf(limits(1), other.rootKeys))?.code, UNAUTHORISED);
    }
  });

  const rotation = (
    keys: (r: RegionFixture) => readonly TestKey[],
    signers: (r: RegionFixture) => TestSigners,
    threshold = 2,
  ) => {
    const region = twoOfThree();
    return region.offer(
      region.entryOf(region.rootStatement({ version: 2, keys: keys(region), threshold }), signers(region)),
    )?.code;
  };
  const oldKeys = (r: RegionFixture) => r.rootKeys;
  const newKeys = (r: RegionFixture) =>
    ['x', 'y', 'z'].map((name) => r.key(name)) as [TestKey, TestKey, TestKey];

  it('a new root needs the old threshold of old keys and the new threshold of new keys', () => {
    assert.equal(
      rotation(newKeys, (r) => [...oldKeys(r).slice(0, 2), ...newKeys(r).slice(0, 2)]),
      undefined,
    );
    assert.equal(
      rotation(newKeys, (r) => [...oldKeys(r), ...newKeys(r)]),
      undefined,
    );
    assert.equal(
      rotation(newKeys, (r) => [...oldKeys(r).slice(0, 1), ...newKeys(r)]),
      UNAUTHORISED,
    );
    assert.equal(
      rotation(newKeys, (r) => [...oldKeys(r), ...newKeys(r).slice(0, 1)]),
      UNAUTHORISED,
    );
    assert.equal(
      rotation(newKeys, (r) => oldKeys(r)),
      UNAUTHORISED,
    );
    assert.equal(
      rotation(newKeys, (r) => newKeys(r)),
      UNAUTHORISED,
    );
  });

  it('a new root takes no signature beyond those of old and new keys', () => {
    assert.equal(
      rotation(newKeys, (r) => [...oldKeys(r), ...newKeys(r), r.key('stranger')]),
      UNAUTHORISED,
    );
  });

  it('a key in both roots counts for both', () => {
    const overlap = (r: RegionFixture) => [...oldKeys(r).slice(1), r.key('x')];
    assert.equal(
      rotation(overlap, (r) => oldKeys(r).slice(1)),
      undefined,
    );
  });

  it('a lower threshold still needs the old one', () => {
    assert.equal(
      rotation(newKeys, (r) => [...oldKeys(r).slice(0, 1), ...newKeys(r)], 1),
      UNAUTHORISED,
    );
    assert.equal(
      rotation(newKeys, (r) => [...oldKeys(r).slice(0, 2), ...newKeys(r).slice(0, 1)], 1),
      undefined,
    );
  });

  it('T11, B55: a root has the version in force + 1, whatever it is signed by', () => {
    const region = new RegionFixture();
    for (const version of [1, 3, Number.MAX_SAFE_INTEGER]) {
      assert.equal(region.refusal(region.rootStatement({ version })), UNAUTHORISED);
    }
    region.add(region.rootStatement({ version: 2 }));
    assert.equal(region.state.root?.version, 2);
  });

  it('a later root of another region or network is refused', () => {
    const region = new RegionFixture();
    const root = region.rootStatement({ version: 2 });
    assert.equal(region.refusal({ ...root, region: 'FR' }), UNAUTHORISED);
    assert.equal(region.refusal({ ...root, network: 'other' }), UNAUTHORISED);
  });

  it('T3: keys of a root that was replaced sign nothing more', () => {
    const region = twoOfThree();
    const [x, y, z] = newKeys(region);
    region.add(region.rootStatement({ version: 2, keys: [x, y, z] }), [...region.rootKeys, x, y]);
    assert.equal(region.refusal(limits(1), region.rootKeys), UNAUTHORISED);
    assert.equal(region.refusal(region.rootStatement({ version: 2 }), region.rootKeys), UNAUTHORISED);
    region.add(limits(1), [x, z]);
  });

  it('the fingerprint is that of version 1 for ever', () => {
    const region = new RegionFixture();
    const { fingerprint } = region;
    region.add(region.rootStatement({ version: 2 }));
    assert.deepEqual(region.fingerprint, fingerprint);
  });
});

describe('verifyAuthority: index 0', () => {
  const firstEntry = (
    statement: (r: RegionFixture) => TestStatement,
    signers: (r: RegionFixture) => TestSigners,
  ) => {
    const region = twoOfThree();
    const fresh = new RegionFixture({ begins: 'empty' });
    const code = fresh.offer(region.entryOf(statement(region), signers(region)))?.code;
    return { region, fresh, code };
  };

  it('a root of version 1 with the threshold of its own keys passes', () => {
    const { fresh, code } = firstEntry(
      (r) => r.rootStatement(),
      (r) => r.rootKeys.slice(1),
    );
    assert.equal(code, undefined);
    assert.equal(fresh.state.root?.threshold, 2);
  });

  const bad: readonly (readonly [
    string,
    (r: RegionFixture) => TestStatement,
    (r: RegionFixture) => TestSigners,
  ])[] = [
    ['fewer than the threshold', (r) => r.rootStatement(), (r) => r.rootKeys.slice(2)],
    ['a foreign signature besides', (r) => r.rootStatement(), (r) => [...r.rootKeys, r.key('stranger')]],
    ['version 2', (r) => r.rootStatement({ version: 2 }), (r) => r.rootKeys],
    ['T19: another region', (r) => ({ ...r.rootStatement(), region: 'FR' }), (r) => r.rootKeys],
    ['another network', (r) => ({ ...r.rootStatement(), network: 'x' }), (r) => r.rootKeys],
    ['another kind', () => limits(1), (r) => r.rootKeys],
  ];
  for (const [rule, statement, signers] of bad) {
    it(`${rule}: refused, and nothing after it has an effect`, () => {
      const { region, fresh, code } = firstEntry(statement, signers);
      assert.equal(code, UNAUTHORISED);
      for (const entry of region.entries) assert.equal(fresh.offer(entry)?.code, UNAUTHORISED);
      assert.equal(fresh.state.root, undefined);
      assert.equal(fresh.state.fingerprint, undefined);
      assert.equal(fresh.state.size, 1 + region.entries.length);
    });
  }
});

describe('verifyAuthority: trust-log keys', () => {
  it('exactly one signature', () => {
    const region = new RegionFixture();
    const second = region.key('second');
    region.admit([{ key: second, role: 'trust-log' }]);
    assert.equal(region.refusal(region.revocation([1]), [region.keys['trust-log'], second]), UNAUTHORISED);
    region.add(region.revocation([1]), [second]);
  });

  it('at lies in the window [from, until)', () => {
    const region = new RegionFixture();
    const key = region.key('windowed');
    const from = START_S + HOUR_S;
    const until = from + HOUR_S;
    region.admit([{ key, role: 'trust-log', from, until }]);
    const signedAt = (at: number) =>
      region.offer(region.entryOf({ kind: 'log', log: LOG_ID, minimum: 0, at }, [key]))?.code;
    assert.equal(signedAt(from - 1), UNAUTHORISED);
    assert.equal(signedAt(from), undefined);
    assert.equal(signedAt(until - 1), undefined);
    assert.equal(signedAt(until), UNAUTHORISED);
  });

  it('T3: a compromised key signs nothing more, with a cut-off or without', () => {
    for (const cutOffs of [true, false]) {
      const region = new RegionFixture();
      region.add(region.compromise(region.keys['trust-log'], cutOffs ? { trust: region.cutOff() } : {}));
      assert.equal(region.refusal(region.revocation([1])), UNAUTHORISED);
      assert.equal(region.state.revoked(LOG_ID), undefined);
    }
  });

  it('the signature is of this very body', () => {
    const region = new RegionFixture();
    const { signatures } = parseEntry(region.entryOf(region.revocation([1])));
    const { body } = parseEntry(region.entryOf(region.revocation([2])));
    assert.equal(region.offer(encodeEntry(body, signatures))?.code, UNAUTHORISED);
    assert.equal(region.state.revoked(LOG_ID), undefined);
  });

  it('costs no signature check before everything else is right', () => {
    let checks = 0;
    const verifySignature: VerifySignature = (check) => {
      checks++;
      return trustModules.verifySignature(check);
    };
    const region = new RegionFixture({ modules: { ...trustModules, verifySignature } });
    const before = checks;
    const stranger = region.key('stranger');
    region.refusal(region.revocation([1]), [stranger]);
    region.refusal(limits(1), 'trust-log');
    region.refusal(region.rootStatement({ version: 3 }));
    region.offer(new Uint8Array(100));
    assert.equal(checks, before);
  });
});
