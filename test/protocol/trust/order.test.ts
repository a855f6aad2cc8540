import assert from 'node:assert/strict';
import { sha256 } from '../../support/primitives.ts';
import { ed25519Vectors, fromHex } from '../../support/ed25519-vectors.ts';
import { keyIdOf } from '../../../protocol/signature/key-id.ts';
import { TrustFold } from '../../../protocol/trust/fold.ts';
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

const CONFLICT = 'STATEMENT_CONFLICT';
const NOVEMBER_END_S = Date.UTC(2026, 11, 1) / 1000;

const limits = (version: number, revocationsPerHour = 7): TestStatement => ({
  kind: 'limits',
  version,
  revocationsPerHour,
});
const withdrawal = (version: number, region = 'FR'): TestStatement => ({
  kind: 'withdrawal',
  region,
  version,
});
const suspension = (version: number, region = 'FR'): TestStatement => ({
  kind: 'suspension',
  region,
  version,
});
const rules = (version: number, id = 'baseline'): TestStatement => ({
  kind: 'rules',
  id,
  version,
  from: 0,
  data: { v: version },
});
const log = (minimum: number, id = LOG_ID): TestStatement => ({ kind: 'log', log: id, minimum });

/** Admits a trust-log key for the hour of `atS`, which may be up to 100 days ahead, and the day after. */
function trustLogKeyFor(region: RegionFixture, atS: number): TestKey {
  const key = region.key(`trust-log ${atS}`);
  const from = atS - (atS % HOUR_S);
  region.admit([{ key, role: 'trust-log', from, until: from + DAY_S }]);
  return key;
}

describe('verifyOrder: versions', () => {
  const peer = new RegionFixture({ region: 'FR' });
  const versioned: readonly (readonly [string, (r: RegionFixture, version: number) => TestStatement])[] = [
    ['limits', (_, version) => limits(version)],
    ['rules', (_, version) => rules(version)],
    ['recognition', (r, version) => r.recognitionOf(peer, version)],
    ['withdrawal', (_, version) => withdrawal(version)],
    ['compromise', (r, version) => r.compromise(r.keys.attest, {}, version)],
  ];
  for (const [kind, statement] of versioned) {
    it(`${kind}: above the one in the slot`, () => {
      const region = new RegionFixture();
      region.add(statement(region, 2));
      assert.equal(region.refusal(statement(region, 2)), CONFLICT);
      assert.equal(region.refusal(statement(region, 1)), CONFLICT);
      region.add(statement(region, 3));
    });

    it(`T11, B55: ${kind}: at most index + 1`, () => {
      const region = new RegionFixture();
      const index = region.entries.length;
      assert.equal(region.refusal(statement(region, Number.MAX_SAFE_INTEGER)), CONFLICT);
      assert.equal(region.refusal(statement(region, index + 3)), CONFLICT);
      region.add(statement(region, index + 3));
    });

    it(`T9: ${kind}: an old entry again has no effect`, () => {
      const region = new RegionFixture();
      const old = region.entryOf(statement(region, 1));
      assert.equal(region.offer(old), undefined);
      region.add(statement(region, 2));
      assert.equal(region.offer(old)?.code, CONFLICT);
    });
  }

  it('slots of different rules do not share versions', () => {
    const region = new RegionFixture();
    region.add(rules(3));
    region.add(rules(0, 'other'));
    assert.deepEqual(region.state.rules('baseline'), {
      id: 'baseline',
      version: 3,
      fromS: 0,
      data: { v: 3 },
    });
  });
});

describe('verifyOrder: recognition, withdrawal, suspension', () => {
  const peer = new RegionFixture({ region: 'FR' });

  it('share the version: what is withdrawn comes back only with a higher one', () => {
    const region = new RegionFixture();
    region.recognise(peer, 1);
    region.add(withdrawal(2));
    assert.deepEqual(region.state.recognition('FR'), { standing: 'withdrawn', region: 'FR', version: 2 });
    assert.equal(region.refusal(region.recognitionOf(peer, 2)), CONFLICT);
    region.recognise(peer, 3);
    assert.equal(region.state.recognition('FR')?.standing, 'recognised');
    assert.equal(region.refusal(withdrawal(3)), CONFLICT);
  });

  it('a region does not recognise itself', () => {
    const region = new RegionFixture();
    assert.equal(region.refusal(region.recognitionOf(region)), CONFLICT);
  });

  it('a suspension has exactly the version in force', () => {
    const region = new RegionFixture();
    assert.equal(region.refusal(suspension(0)), CONFLICT);
    region.recognise(peer, 2);
    assert.equal(region.refusal(suspension(1)), CONFLICT);
    assert.equal(region.refusal(suspension(3)), CONFLICT);
    region.add(suspension(2));
    assert.equal(region.state.recognition('FR')?.standing, 'suspended');
    assert.equal(region.refusal(suspension(2)), CONFLICT);
  });

  it('a suspension ends with the next recognition, and its entry again does not suspend that one', () => {
    const region = new RegionFixture();
    region.recognise(peer, 1);
    const old = region.entryOf(suspension(1));
    region.offer(old);
    region.recognise(peer, 2);
    assert.equal(region.state.recognition('FR')?.standing, 'recognised');
    assert.equal(region.offer(old)?.code, CONFLICT);
    region.add(suspension(2));
    assert.equal(region.state.recognition('FR')?.standing, 'suspended');
  });

  it('what is withdrawn cannot be suspended', () => {
    const region = new RegionFixture();
    region.recognise(peer, 1);
    region.add(withdrawal(2));
    assert.equal(region.refusal(suspension(2)), CONFLICT);
    assert.equal(region.state.recognition('FR')?.standing, 'withdrawn');
  });

  it('a bridge keeps its via', () => {
    const region = new RegionFixture();
    region.add({ ...region.recognitionOf(peer), way: 'bridge', via: 'LU' });
    const recognition = region.state.recognition('FR');
    assert(recognition?.standing === 'recognised');
    assert.equal(recognition.via, 'LU');
    assert.deepEqual([...region.state.recognitions()], [recognition]);
  });
});

describe('verifyOrder: at of trust-log', () => {
  it('does not go back; the same second passes', () => {
    const region = new RegionFixture();
    region.add({ ...log(1), at: START_S + 10 });
    assert.equal(region.refusal({ ...log(2), at: START_S + 9 }), CONFLICT);
    region.add({ ...log(2), at: START_S + 10 });
    assert.equal(region.state.lastAtS, START_S + 10);
  });

  it('binds the next trust-log key too, and not the root', () => {
    const region = new RegionFixture();
    const second = region.key('second');
    region.admit([{ key: second, role: 'trust-log' }]);
    region.add({ ...log(1), at: START_S + 10 });
    assert.equal(region.refusal({ ...log(2), at: START_S + 9 }, [second]), CONFLICT);
    region.add({ ...log(2), at: START_S - HOUR_S }, 'root');
    assert.equal(region.state.lastAtS, START_S + 10);
  });

  it('what is refused does not move it', () => {
    const region = new RegionFixture();
    region.add(rules(1));
    assert.equal(region.refusal({ ...rules(1), at: START_S + 60 }), CONFLICT);
    assert.equal(region.state.lastAtS, START_S);
  });
});

describe('verifyOrder: keys', () => {
  it('a key comes once: not twice in a statement, in two statements, as a root key or as an old root key', () => {
    const region = new RegionFixture();
    const fresh = region.key('fresh');
    const spare = region.key('spare root');
    region.add(region.rootStatement({ version: 2, keys: [spare] }), [...region.rootKeys, spare]);
    const [oldRoot] = region.rootKeys as [TestKey];
    const admit = (...keys: TestKey[]) =>
      region.offer(
        region.entryOf(region.keysStatement(keys.map((key) => ({ key, role: 'attest' }))), [spare]),
      )?.code;
    assert.equal(admit(fresh, fresh), CONFLICT);
    assert.equal(admit(fresh), undefined);
    assert.equal(admit(fresh), CONFLICT);
    assert.equal(admit(region.keys.witness), CONFLICT);
    assert.equal(admit(spare), CONFLICT);
    assert.equal(admit(oldRoot), CONFLICT);
    assert.equal(region.state.key(oldRoot.keyId), undefined);
  });

  it('a root names no key that keys admitted, and may repeat keys of roots before', () => {
    const region = new RegionFixture();
    const keys = [...region.rootKeys, region.keys.attest];
    assert.equal(region.refusal(region.rootStatement({ version: 2, keys })), CONFLICT);
    region.add(region.rootStatement({ version: 2 }));
  });

  it('a node key is no other key of the region; the same node may be stated again, later', () => {
    const region = new RegionFixture();
    const node = (key: TestKey, at = START_S): TestStatement => ({
      kind: 'node',
      at,
      key: key.publicKey,
      addresses: [`${at}`],
      from: 0,
      until: START_S + DAY_S,
    });
    const [rootKey] = region.rootKeys as [TestKey];
    assert.equal(region.refusal(node(rootKey)), CONFLICT);
    assert.equal(region.refusal(node(region.keys.witness)), CONFLICT);
    const key = region.key('node');
    region.add(node(key));
    assert.equal(region.refusal(node(key)), CONFLICT);
    assert.equal(region.refusal(node(key, START_S - 1), 'root'), CONFLICT);
    region.add(node(key, START_S + 1));
    assert.deepEqual(
      [...region.state.nodes()].map(({ addresses }) => addresses),
      [[`${START_S + 1}`]],
    );
  });

  it('T3: a thief of a trust-log key cannot block a key of the root by naming it as a node', () => {
    const region = new RegionFixture();
    const next = region.key('next');
    region.add({ kind: 'node', key: next.publicKey, addresses: [], from: 0, until: START_S + DAY_S });
    region.admit([{ key: next, role: 'attest' }]);
  });

  it('A22: a key has one role: what the root names it for ends what it was as a node', () => {
    const region = new RegionFixture();
    const node = (key: TestKey): TestStatement => ({
      kind: 'node',
      key: key.publicKey,
      addresses: [],
      from: 0,
      until: START_S + DAY_S,
    });
    const [kept, admitted, root] = ['kept', 'admitted', 'root'].map((name) => region.key(name)) as [
      TestKey,
      TestKey,
      TestKey,
    ];
    for (const key of [kept, admitted, root]) region.add(node(key));
    region.admit([{ key: admitted, role: 'checkpoint' }]);
    const keys = [...region.rootKeys, root];
    region.add(region.rootStatement({ version: 2, keys }), keys);
    assert.deepEqual(
      [...region.state.nodes()].map(({ publicKey }) => publicKey),
      [kept.publicKey],
    );
    for (const key of [admitted, root])
      assert.equal(region.refusal({ ...node(key), at: START_S + 1 }), CONFLICT);
    region.commit();
    const base = region.fold.newestBase();
    assert.ok(base);
    const stateEntry = region.entryAt(base.index);
    const booted = TrustFold.fromBase({ region: 'DE', network: 'test', base, stateEntry }, trustModules);
    assert.deepEqual([...booted.state.nodes()].length, 1);
  });

  it('two keys with one id are refused', () => {
    // With ids of one byte that is not zero, a pair is found soon.
    const short: typeof sha256 = (data) => {
      const digest = sha256(data);
      const isKeyId = Buffer.from(data).toString('latin1').startsWith('entente/key/v1\n');
      return isKeyId ? digest.fill(0, 1, 8) : digest;
    };
    const modules = { ...trustModules, sha256: short };
    const byId = new Map<string, TestKey>();
    const region = new RegionFixture();
    let pair: readonly [TestKey, TestKey] | undefined;
    for (let i = 0; pair === undefined; i++) {
      const key = region.key(`colliding ${i}`);
      const id = keyIdOf(short, key.publicKey);
      const other = byId.get(id);
      if (other) pair = [other, key];
      byId.set(id, key);
    }
    const colliding = new RegionFixture({ modules, begins: 'empty' });
    const signer = { ...(region.rootKeys[0] as TestKey) };
    const root = { ...signer, keyId: keyIdOf(short, signer.publicKey) };
    colliding.add(region.rootStatement(), [root]);
    const admit = (...keys: TestKey[]) =>
      colliding.offer(
        colliding.entryOf(region.keysStatement(keys.map((key) => ({ key, role: 'attest' }))), [root]),
      )?.code;
    assert.equal(admit(...pair), CONFLICT);
    assert.equal(admit(pair[0]), undefined);
    assert.equal(admit(pair[1]), CONFLICT);
  });

  const smallOrder = Uint8Array.of(1, ...new Uint8Array(31));
  const inadmissible = new Map(
    ed25519Vectors
      .filter(({ admissible, publicKey }) => !admissible && publicKey.length === 64)
      .map(({ name, publicKey }) => [publicKey, name]),
  );
  for (const [hex, name] of inadmissible) {
    it(`KEY_INVALID in root, keys and node: ${name}`, () => {
      const region = new RegionFixture();
      const key = { ...region.key('bad'), publicKey: fromHex(hex) };
      const node: TestStatement = {
        kind: 'node',
        key: key.publicKey,
        addresses: [],
        from: 0,
        until: START_S + DAY_S,
      };
      assert.equal(region.refusal(region.keysStatement([{ key, role: 'attest' }])), 'KEY_INVALID');
      assert.equal(region.refusal(node), 'KEY_INVALID');
      const root = region.rootStatement({ version: 2, keys: [...region.rootKeys, key] });
      assert.equal(region.refusal(root), 'KEY_INVALID');
    });
  }

  it('KEY_INVALID at index 0 leaves the region without a root', () => {
    const { rootKeys } = new RegionFixture();
    const region = new RegionFixture({ begins: 'empty' });
    const bad = { ...region.key('bad'), publicKey: smallOrder };
    assert.equal(region.refusal(region.rootStatement({ keys: [...rootKeys, bad] }), rootKeys), 'KEY_INVALID');
    assert.equal(region.refusal(region.rootStatement(), rootKeys), 'STATEMENT_UNAUTHORISED');
  });

  it('KEY_INVALID comes after the order of the statement', () => {
    const region = new RegionFixture();
    const bad = { ...region.key('bad'), publicKey: smallOrder };
    const keys = [
      { key: bad, role: 'attest' },
      { key: region.keys.attest, role: 'attest' },
    ] as const;
    assert.equal(region.refusal(region.keysStatement(keys)), CONFLICT);
  });
});

describe('verifyOrder: compromise', () => {
  it('names a key that keys admitted', () => {
    const region = new RegionFixture();
    assert.equal(region.refusal(region.compromise(region.key('unknown'), {})), CONFLICT);
    assert.equal(region.refusal(region.compromise(region.rootKeys[0] as TestKey, {})), CONFLICT);
    region.add(region.compromise(region.keys.checkpoint, {}));
  });

  it('gives the key its cut-offs', () => {
    const region = new RegionFixture();
    const cutOff = { size: 9, root: new Uint8Array(32).fill(1) };
    region.add(region.compromise(region.keys.attest, { [LOG_ID]: cutOff }));
    assert.deepEqual(region.state.key(region.keys.attest.keyId)?.compromise, {
      version: 1,
      cutOffs: new Map([[LOG_ID, cutOff]]),
    });
    region.add(region.compromise(region.keys.attest, {}, 2));
    assert.deepEqual(region.state.key(region.keys.attest.keyId)?.compromise, {
      version: 2,
      cutOffs: new Map(),
    });
  });

  it('a cut-off for trust has a size of at most the index', () => {
    const region = new RegionFixture();
    for (const root of [region.fold.root, region.rootAt(0)]) {
      const trust = { size: region.fold.size + 1, root };
      assert.equal(region.refusal(region.compromise(region.keys.checkpoint, { trust })), CONFLICT);
    }
    region.add(region.compromise(region.keys.checkpoint, { trust: region.cutOff() }));
  });

  it('a cut-off at the present size needs no history', () => {
    const region = new RegionFixture();
    const fold = new TrustFold({ region: 'DE', network: 'test' }, trustModules);
    for (const entry of region.entries) fold.append(entry);
    const present = region.compromise(region.keys['trust-log'], { trust: region.cutOff() });
    assert.equal(fold.append(region.entryOf(present)), undefined);
  });

  it('a cut-off for trust has the root of this log, at every size', () => {
    const region = new RegionFixture();
    const cutOffs = [{ size: 0, root: sha256(new Uint8Array(0)) }];
    const grown = new RegionFixture({ begins: 'empty' });
    for (const entry of region.entries) {
      grown.offer(entry);
      cutOffs.push(grown.cutOff());
    }
    cutOffs.forEach((trust, version) => {
      const wrong = { size: trust.size, root: sha256(trust.root) };
      assert.equal(
        region.refusal(region.compromise(region.keys.checkpoint, { trust: wrong }, version)),
        CONFLICT,
      );
      region.add(region.compromise(region.keys.checkpoint, { trust }, version));
    });
  });
});

describe('verifyOrder: logs', () => {
  it('minimum does not decrease', () => {
    const region = new RegionFixture();
    region.add(log(5));
    assert.equal(region.refusal(log(4)), CONFLICT);
    region.add(log(5));
    region.add(log(6));
    assert.deepEqual(region.state.log(LOG_ID), { log: LOG_ID, minimum: 6 });
    assert.equal(region.state.log('2026-12'), undefined);
    assert.deepEqual([...region.state.logs()], [{ log: LOG_ID, minimum: 6 }]);
  });

  it('a log and its revocations are taken until 31 days after its month, and not a second longer', () => {
    const lastS = NOVEMBER_END_S + 31 * DAY_S;
    const region = new RegionFixture();
    const late = trustLogKeyFor(region, lastS);
    region.nowS = lastS;
    region.add(log(1), [late]);
    region.add(region.revocation([1]), [late]);
    region.nowS++;
    assert.equal(region.refusal(log(2), [late]), CONFLICT);
    assert.equal(region.refusal(region.revocation([2]), [late]), CONFLICT);
    assert.deepEqual([...(region.state.revoked(LOG_ID) ?? [])], [1]);
  });

  it('the newest at of trust-log decides for statements of the root too', () => {
    const region = new RegionFixture();
    const overS = NOVEMBER_END_S + 31 * DAY_S + 1;
    const late = trustLogKeyFor(region, overS);
    const again = region.entryOf(log(3), 'root');
    assert.equal(region.offer(again), undefined);
    region.add({ ...rules(1), at: overS }, [late]);
    assert.equal(region.offer(again)?.code, CONFLICT);
    assert.equal(region.refusal(region.revocation([2]), 'root'), CONFLICT);
  });
});

describe('applyStatement: blocks of revocations', () => {
  const inBlocks = (from: number, count: number) =>
    Array.from({ length: count }, (_, i) => (from + i) * 65_536);

  it('B12: trust-log fills 16,384 blocks of all logs together; what adds none still passes, and the root fills as many again', () => {
    const region = new RegionFixture();
    const other = '2026-11.2';
    const cutOff = region.cutOff();
    region.revoke(inBlocks(0, 16_383));
    region.revoke(inBlocks(0, 1), other);
    assert.equal(region.refusal(region.revocation(inBlocks(20_000, 1))), CONFLICT);
    assert.equal(region.refusal(region.revocation(inBlocks(1, 1), other)), CONFLICT);
    region.revoke([7, 65_536 + 7]);
    region.add(region.revocation(inBlocks(20_000, 16_384)), 'root');
    assert.equal(region.refusal(region.revocation(inBlocks(40_000, 1)), 'root'), CONFLICT);
    assert.equal(region.state.revoked(LOG_ID)?.blockCount, 16_383 + 16_384);
    region.add(region.compromise(region.keys['trust-log'], { trust: cutOff }));
    // What a thief filled goes when it is voided, and what the root could not add for it counts then.
    assert.equal(region.state.revoked(LOG_ID)?.blockCount, 16_385);
    assert.ok(region.state.revoked(LOG_ID)?.has(40_000 * 65_536));
  });
});

describe('verifyOrder: what is over', () => {
  it('keys are taken until 31 days after the last of their windows', () => {
    const region = new RegionFixture();
    const untilS = START_S + 2 * DAY_S;
    const keysUntil = (name: string, until: number) =>
      region.keysStatement([
        { key: region.key(`${name} a`), role: 'attest', from: START_S, until: START_S + HOUR_S },
        { key: region.key(`${name} b`), role: 'attest', from: START_S, until },
      ]);
    const late = trustLogKeyFor(region, untilS + 31 * DAY_S);
    region.add({ ...rules(1), at: untilS + 31 * DAY_S }, [late]);
    region.add(keysUntil('first', untilS));
    region.add({ ...rules(2), at: untilS + 31 * DAY_S + 1 }, [late]);
    assert.equal(region.refusal(keysUntil('second', untilS)), CONFLICT);
    region.add(keysUntil('third', untilS + HOUR_S));
  });

  it('a node is taken until its end', () => {
    const region = new RegionFixture();
    const until = START_S + 40 * DAY_S;
    const node = (name: string): TestStatement => {
      return { kind: 'node', key: region.key(name).publicKey, addresses: [], from: START_S, until };
    };
    const late = trustLogKeyFor(region, until);
    const before = trustLogKeyFor(region, until - 1);
    region.add({ ...rules(1), at: until - 1 }, [before]);
    region.add(node('first'), 'root');
    region.add({ ...rules(2), at: until }, [late]);
    assert.equal(region.refusal(node('second'), 'root'), CONFLICT);
    assert.equal(region.refusal({ ...node('third'), at: until }, [late]), CONFLICT);
  });
});

describe('verifyOrder: revocations per hour', () => {
  /** `count` indexes from `start` on. */
  const inHour = (region: RegionFixture, count: number, at: number, start: number) => ({
    ...region.revocation(Array.from({ length: count }, (_, i) => start + i)),
    effective: at,
    at,
  });

  it('trust-log revokes as many as the limit in an hour, and not one more', () => {
    const region = new RegionFixture();
    region.add(limits(1, 10));
    region.add(inHour(region, 10, START_S, 0));
    assert.equal(region.refusal(inHour(region, 1, START_S + HOUR_S - 1, 100)), CONFLICT);
    assert.equal(region.state.revoked(LOG_ID)?.count, 10);
    region.add(inHour(region, 10, START_S + HOUR_S, 100));
    assert.equal(region.refusal(inHour(region, 1, START_S + HOUR_S, 200)), CONFLICT);
  });

  it('a single statement above the limit is refused as a whole', () => {
    const region = new RegionFixture();
    region.add(limits(1, 10));
    assert.equal(region.refusal(inHour(region, 11, START_S, 0)), CONFLICT);
    assert.equal(region.state.revoked(LOG_ID), undefined);
    region.add(inHour(region, 10, START_S, 0));
  });

  it('B53: counts only what is added, over all logs and keys', () => {
    const region = new RegionFixture();
    const second = region.key('second');
    region.admit([{ key: second, role: 'trust-log' }]);
    region.add(limits(1, 10));
    region.add(inHour(region, 8, START_S, 0));
    region.add(inHour(region, 10, START_S, 0), [second]);
    assert.equal(region.refusal({ ...inHour(region, 1, START_S, 0), log: '2026-12' }, [second]), CONFLICT);
    region.add(inHour(region, 10, START_S, 0));
  });

  it('the root is not limited and does not use up the limit', () => {
    const region = new RegionFixture();
    region.add(limits(1, 10));
    region.add(inHour(region, 1_000, START_S, 0), 'root');
    region.add(inHour(region, 10, START_S, 5_000));
    assert.equal(region.state.revoked(LOG_ID)?.count, 1_010);
  });

  it('without limits it is 50,000', () => {
    const region = new RegionFixture();
    assert.equal(region.state.revocationsPerHour, 50_000);
    assert.equal(region.refusal(inHour(region, 50_001, START_S, 0)), CONFLICT);
    region.add(inHour(region, 50_000, START_S, 0));
  });

  it('limits of 0 leave revoking to the root', () => {
    const region = new RegionFixture();
    region.add(limits(1, 0));
    assert.equal(region.refusal(region.revocation([1])), CONFLICT);
    region.add(region.revocation([1]), 'root');
    region.add(region.revocation([1]));
  });
});

describe('applyStatement: revocations', () => {
  it('grow only', () => {
    const region = new RegionFixture();
    region.revoke([5, 9]);
    region.revoke([]);
    region.revoke([7]);
    assert.deepEqual([...(region.state.revoked(LOG_ID) ?? [])], [5, 7, 9]);
  });

  it('need no announced log', () => {
    const region = new RegionFixture();
    region.revoke([3], '2026-12');
    assert.equal(region.state.log('2026-12'), undefined);
    assert.deepEqual([...(region.state.revoked('2026-12') ?? [])], [3]);
  });

  it('a set that is none is STATEMENT_MALFORMED, found only where the signature is good', () => {
    const region = new RegionFixture();
    const bad: TestStatement = {
      kind: 'revocation',
      log: LOG_ID,
      effective: START_S,
      set: new Uint8Array([0xff]),
    };
    assert.equal(region.refusal(bad), 'STATEMENT_MALFORMED');
    assert.equal(region.refusal(bad, [region.key('stranger')]), 'STATEMENT_UNAUTHORISED');
    assert.equal(region.state.revoked(LOG_ID), undefined);
  });
});

describe('verifyOrder: room', () => {
  it('trust-log fills 2 MiB of slots and no more, the root still has its own', () => {
    const region = new RegionFixture();
    const big = (id: string, version = 1): TestStatement => ({
      kind: 'rules',
      id,
      version,
      from: 0,
      data: { pad: new Uint8Array(65_000) },
    });
    let filled = 0;
    while (region.offer(region.entryOf(big(`r${filled}`))) === undefined) filled++;
    assert.equal(filled, Math.floor((2 * 1024 * 1024) / region.entryOf(big('r0')).length));
    assert.equal(region.refusal(big('again')), CONFLICT);
    for (const version of [2, 3, 4]) region.add(big('r0', version));
    region.add(big('root'), 'root');
    region.revoke([1]);
  });
});
