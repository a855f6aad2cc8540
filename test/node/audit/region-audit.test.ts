import assert from 'node:assert/strict';
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BundlePool } from '../../../node/audit/bundle-pool.ts';
import { KeyBook } from '../../../node/audit/attest-key.ts';
import { checkStore } from '../../../node/audit/store-check.ts';
import { openAuditSource } from '../../../node/audit/open-source.ts';
import { encodeEntryBundle } from '../../../protocol/log/entry-bundle.ts';
import { witnessName } from '../../../protocol/log/origin.ts';
import { signCosignature } from '../../../protocol/log/cosignature.ts';
import { COSIGNATURE, makeVerifierKey } from '../../../protocol/log/verifier-key.ts';
import { type NodeError } from '../../../node/node-error.ts';
import { storeInDirectory } from '../../../node/store/store-directory.ts';
import { systemClock } from '../../../node/system-clock.ts';
import { baseChanges } from '../../../node/trust/stored-base.ts';
import {
  audited,
  AuditedFixture,
  faultsIn,
  fillStore,
  HOUR,
  pruneStore,
  publish,
} from '../../support/audit-fixture.ts';
import { sha256 } from '../../support/primitives.ts';
import { DAY_S, LOG_ID, RegionFixture, START_S, testKey } from '../../support/region-fixture.ts';
import { ReferenceTree } from '../../support/reference-tree.ts';
import { seeded } from '../../support/seeded.ts';
import { rejectsWith } from '../../support/store-fixture.ts';
import { openStaticSource } from '../../../node/audit/static-source.ts';
import { ReplayedRange } from '../../../node/audit/replayed-range.ts';
import { temporaryFolders } from '../../support/temporary.ts';

/** A full bundle and one of 44. */
const COUNT = 300;

describe('auditRegion', () => {
  const folder = temporaryFolders();
  const whole = new AuditedFixture(COUNT);

  function published(fixture: AuditedFixture = whole, minimum = 0): string {
    const directory = folder();
    publish(fixture, directory, minimum);
    return directory;
  }

  /** Changes a file of the attestation log and gives what is found then. */
  async function after(name: string, change: (bytes: Buffer) => Uint8Array): Promise<string[]> {
    const directory = published();
    const path = join(directory, 'attest', LOG_ID, name);
    writeFileSync(path, change(readFileSync(path)));
    return faultsIn(directory);
  }

  it('proves a region that is what it says, with every signature', async () => {
    const directory = published();
    const report = await audited(directory, { fingerprint: whole.region.fingerprint });
    assert.deepEqual(report.faults, []);
    assert.deepEqual(
      report.logs.map(({ size, from, signatures }) => ({ size, from, signatures })),
      [
        { size: whole.region.entries.length, from: 0, signatures: 0 },
        { size: COUNT, from: 0, signatures: COUNT },
      ],
    );
  });

  it('tells of the very leaves and trust log that it went through, whatever becomes of the files', async () => {
    const directory = published();
    const source = await openStaticSource(directory);
    const [, attested] = whole.logs;
    for (const [from, until] of [
      [0, COUNT],
      [250, 260],
      [256, 299],
    ] as const) {
      const range = new ReplayedRange({ from, until });
      const { faults } = await audited(directory, {}, { source, ...range.hearing });
      assert.deepEqual(faults, []);
      assert.deepEqual(range.leaves, attested?.entries.slice(from, until));
      assert.deepEqual(range.trust.entries, whole.region.entries);
      assert.deepEqual([...range.trust.without], []);
    }
  });

  it('threads find what one finds', async () => {
    // Bundles for several threads: one alone takes the first eight.
    const fixture = new AuditedFixture(24 * 256 + 44);
    fixture.attest({ index: 7 });
    const directory = published(fixture);
    const pool = new BundlePool({ threads: 2 });
    try {
      const report = await audited(directory, { faultsMax: 10 }, { pool });
      const alone = await audited(directory, { faultsMax: 10 });
      assert.deepEqual(report.faults, alone.faults);
      assert.equal(report.faultCount, 1);
      assert.equal(report.logs[1]?.signatures, 24 * 256 + 45);
    } finally {
      await pool.close();
    }
  });

  it('ends at the first fault, and names its log and index', async () => {
    const fixture = new AuditedFixture(COUNT);
    fixture.attest({ index: 7 });
    fixture.attest({ index: 8 });
    const { faults, faultCount } = await audited(published(fixture));
    assert.deepEqual(
      faults.map(({ code, log, index }) => ({ code, log, index })),
      [{ code: 'INDEX_MISMATCH', log: fixture.origin, index: COUNT }],
    );
    assert.equal(faultCount >= 1, true);
  });

  it('T19 refuses another region under the same name', async () => {
    const other = sha256(Buffer.from('another root'));
    assert.deepEqual(await faultsIn(published(), { fingerprint: other }), ['FINGERPRINT_MISMATCH trust 0']);
  });

  it('A5 A6 A7 every flipped bit of every file of the log is a fault', async () => {
    const directory = published();
    const random = seeded(11);
    const files = [
      `attest/${LOG_ID}/tile/entries/000`,
      `attest/${LOG_ID}/tile/entries/001.p/44`,
      `attest/${LOG_ID}/tile/0/000`,
      `attest/${LOG_ID}/tile/0/001.p/44`,
      `attest/${LOG_ID}/tile/1/000.p/1`,
      `attest/${LOG_ID}/checkpoint`,
      `trust/tile/entries/000.p/${whole.region.entries.length}`,
      `trust/tile/0/000.p/${whole.region.entries.length}`,
      'trust/checkpoint',
    ];
    for (let flip = 0; flip < 10 * files.length; flip++) {
      const path = join(directory, files[flip % files.length] ?? '');
      const before = readFileSync(path);
      const bytes = Buffer.from(before);
      const bit = Math.floor(random() * bytes.length * 8);
      bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      writeFileSync(path, bytes);
      // A checkpoint that names another log, or is none, does not even open as this region's.
      const found = await faultsIn(directory, { signatures: false }).catch((error: unknown) => [
        (error as Error).message,
      ]);
      assert.ok(found.length > 0, `${path}, bit ${bit}`);
      writeFileSync(path, before);
    }
    assert.deepEqual(await faultsIn(directory), []);
  });

  it('A6 names the entry whose bit was flipped', async () => {
    const at = 2 + (whole.attestations[0]?.length ?? 0);
    const found = await after('tile/entries/000', (bytes) => {
      bytes[77 * at + 60] = (bytes[77 * at + 60] ?? 0) ^ 4;
      return bytes;
    });
    assert.equal(found[0], 'LEAF_MISMATCH attest 77');
    assert.ok(found.includes('ROOT_MISMATCH attest undefined'), found.join());
  });

  it('A7 names the tile above the leaves that differs', async () => {
    const found = await after('tile/1/000.p/1', (bytes) => bytes.fill(0));
    assert.deepEqual(found, ['TILE_MISMATCH attest 0']);
  });

  it('A8 a missing bundle or tile, one cut short, one that goes on, one entry too many', async () => {
    const cases: [string, (bytes: Buffer) => Uint8Array, string][] = [
      ['tile/entries/001.p/44', (bytes) => bytes.subarray(0, -1), 'BUNDLE_MALFORMED attest 299'],
      [
        'tile/entries/001.p/44',
        (bytes) => Buffer.concat([bytes, Buffer.of(0)]),
        'BUNDLE_MALFORMED attest 256',
      ],
      [
        'tile/entries/001.p/44',
        (bytes) => Buffer.concat([bytes, Buffer.of(0, 0)]),
        'BUNDLE_MALFORMED attest 256',
      ],
      ['tile/0/000', (bytes) => bytes.subarray(0, -1), 'TILE_MISMATCH attest 0'],
      ['tile/0/001.p/44', (bytes) => Buffer.concat([bytes, Buffer.of(0)]), 'TILE_MISMATCH attest 256'],
      ['tile/1/000.p/1', (bytes) => bytes.subarray(0, 31), 'TILE_MISMATCH attest 0'],
    ];
    for (const [name, change, expected] of cases)
      assert.equal((await after(name, change))[0], expected, name);
    for (const [name, expected] of [
      ['tile/entries/000', 'ENTRY_MISSING attest 0'],
      ['tile/0/000', 'TILE_MISSING attest 0'],
      ['tile/1/000.p/1', 'TILE_MISSING attest 0'],
      ['checkpoint', 'CHECKPOINT_MISSING attest undefined'],
    ] as const) {
      const directory = published();
      rmSync(join(directory, 'attest', LOG_ID, name));
      assert.equal((await faultsIn(directory))[0], expected, name);
    }
  });

  it('A8 a partial tile may be gone once the full one is there', async () => {
    const directory = published(new AuditedFixture(300));
    publish(new AuditedFixture(512), directory);
    const short = new AuditedFixture(300);
    const log = join(directory, 'attest', LOG_ID);
    writeFileSync(join(log, 'checkpoint'), short.logs[1]?.note ?? '');
    rmSync(join(log, 'tile/entries/001.p'), { recursive: true });
    rmSync(join(log, 'tile/0/001.p'), { recursive: true });
    assert.deepEqual(await faultsIn(directory), []);
  });

  it('A9 A10 entries that are reordered, repeated, put in or left out, under a tree that is signed', async () => {
    const make = (change: (entries: Uint8Array[]) => Uint8Array[]): Promise<string[]> => {
      const fixture = new AuditedFixture(20);
      fixture.attestations = change(fixture.attestations);
      return faultsIn(published(fixture));
    };
    const at = (entries: Uint8Array[], i: number): Uint8Array => entries[i] ?? assert.fail();
    assert.deepEqual(await make((e) => [at(e, 1), at(e, 0), ...e.slice(2)]), [
      'INDEX_MISMATCH attest 0',
      'INDEX_MISMATCH attest 1',
    ]);
    assert.deepEqual(await make((e) => [...e, at(e, 19)]), ['INDEX_MISMATCH attest 20']);
    assert.equal((await make((e) => e.slice(1)))[0], 'INDEX_MISMATCH attest 0');
    assert.deepEqual(await make((e) => [...e, Buffer.from('no attestation')]), [
      'ATTESTATION_MALFORMED attest 20',
    ]);
  });

  it('A11 hours that go back or are still to come, and a cosignature from the future', async () => {
    const fixture = new AuditedFixture(3);
    fixture.attest({ hour: HOUR + 1 });
    fixture.attest({ hour: HOUR });
    fixture.attest({ hour: HOUR + 2 });
    assert.deepEqual(await faultsIn(published(fixture)), [
      'HOUR_MISMATCH attest 4',
      'HOUR_MISMATCH attest 5',
    ]);

    const across = new AuditedFixture(255);
    across.attest({ hour: HOUR + 1 });
    across.attest({ hour: HOUR });
    assert.deepEqual(await faultsIn(published(across)), ['HOUR_MISMATCH attest 256']);
  });

  it('A11 A13 A22 cosignatures count by witness, in force, of this very log; one from the future is a fault', async () => {
    const peer = new RegionFixture({ region: 'FR', network: 'test' });
    const keys = new KeyBook();
    keys.learn(peer.state);
    const { publicKey, sign } = peer.keys.witness;
    const key = makeVerifierKey(sha256, {
      name: witnessName('FR', 'test'),
      algorithm: COSIGNATURE,
      publicKey,
    });
    const witnesses = [{ region: 'FR', network: 'test', keys }];
    const found = async (timestampS: number, of?: string): Promise<string[]> => {
      const fixture = new AuditedFixture(3);
      fixture.lines.set(fixture.origin, (text) => [signCosignature(key, of ?? text, timestampS, sign)]);
      const { faults, logs, remarks } = await audited(published(fixture), {}, { witnesses });
      const vouching = logs.flatMap(({ cosignatures }) => cosignatures.map(({ region }) => `by ${region}`));
      const alone = remarks.filter(({ log, code }) => log === fixture.origin && code === 'UNWITNESSED');
      return [...faults.map(({ code }) => code), ...vouching, ...alone.map(({ code }) => code)];
    };
    assert.deepEqual(await found(START_S), ['by FR']);
    assert.deepEqual(await found(START_S - 40 * DAY_S), ['UNWITNESSED']);
    assert.deepEqual(await found(START_S + 5 * 3_600), ['COSIGNATURE_FUTURE', 'by FR']);
    assert.deepEqual(await found(START_S, 'FR.test/trust\n0\n'), ['CHECKPOINT_INVALID', 'UNWITNESSED']);
  });

  it('A12 A19 a checkpoint by another key, of another log or of another region', async () => {
    const stolen = new AuditedFixture(3);
    stolen.checkpointKey = testKey('a thief');
    assert.equal((await faultsIn(published(stolen)))[0], 'CHECKPOINT_INVALID trust undefined');

    const confused = published();
    const log = join(confused, 'attest', LOG_ID, 'checkpoint');
    writeFileSync(log, readFileSync(join(confused, 'trust', 'checkpoint')));
    assert.deepEqual(await faultsIn(confused), ['CHECKPOINT_INVALID attest undefined']);

    const renamed = published();
    renameSync(join(renamed, 'attest', LOG_ID), join(renamed, 'attest', '2026-12'));
    assert.deepEqual(await faultsIn(renamed), [
      'LOG_UNANNOUNCED attest undefined',
      'CHECKPOINT_INVALID attest undefined',
    ]);
  });

  it('T3 attestations by keys of nobody, of another role, out of their window, or forged', async () => {
    const fixture = new AuditedFixture(1);
    const { region } = fixture;
    const early = region.key('early');
    region.admit([{ key: early, role: 'attest', from: START_S + DAY_S, until: START_S + 2 * DAY_S }]);
    fixture.attest({}, testKey('nobody'));
    fixture.attest({}, region.keys.witness);
    fixture.attest({}, early);
    fixture.attest({}, { ...region.keys.attest, sign: testKey('forger').sign });
    fixture.attest({ region: 'FR' });
    const expected = [
      'KEY_UNKNOWN attest 1',
      'KEY_NOT_FOR_THIS attest 2',
      'KEY_NOT_FOR_THIS attest 3',
      'SIGNATURE_INVALID attest 4',
      'LOG_MISMATCH attest 5',
    ];
    assert.deepEqual(await faultsIn(published(fixture)), expected);
    const unsigned = await faultsIn(published(fixture), { signatures: false });
    assert.deepEqual(
      unsigned,
      expected.filter((fault) => !fault.startsWith('SIGNATURE')),
    );
  });

  it('T3 what a compromised key signed behind its cut-off is remarked, and the cut-off has to be a tree of this log', async () => {
    const fixture = new AuditedFixture(5);
    const { region, attestations } = fixture;
    region.add(
      region.compromise(region.keys.attest, {
        [LOG_ID]: { size: 3, root: new ReferenceTree(attestations).root(3) },
      }),
    );
    const report = await audited(published(fixture), { faultsMax: 10 });
    assert.deepEqual(report.faults, []);
    const beyond = report.remarks.filter(({ code }) => code === 'BEYOND_CUT_OFF').map(({ index }) => index);
    assert.deepEqual(beyond, [3, 4]);

    const never = new AuditedFixture(5);
    const cutOff = { size: 3, root: sha256(Buffer.from('never')) };
    never.region.add(never.region.compromise(never.region.keys.attest, { [LOG_ID]: cutOff }));
    assert.deepEqual(await faultsIn(published(never)), ['CUT_OFF_MISMATCH attest 3']);
  });

  it('A20 A21 statements that nobody may sign are remarked and have no effect', async () => {
    const fixture = new AuditedFixture(3);
    const { region } = fixture;
    region.refusal(region.revocation([1]), [testKey('a stranger')]);
    region.offer(Buffer.from('no statement'));
    const report = await audited(published(fixture), { faultsMax: 10 });
    assert.deepEqual(report.faults, []);
    const noEffect = report.remarks.filter(({ code }) => code === 'NO_EFFECT');
    assert.deepEqual(
      noEffect.map(({ index, message }) => `${index} ${message.match(/[A-Z]+_[A-Z]+/g)?.join()}`),
      ['3 STATEMENT_UNAUTHORISED', '4 STATEMENT_MALFORMED,CBOR_MALFORMED'],
    );
  });

  it('A19 takes a log for announced that states have forgotten since, and for none what was never announced', async () => {
    const fixture = new AuditedFixture(3);
    const { region } = fixture;
    region.nowS += 70 * DAY_S;
    const late = testKey('late trust-log');
    fixture.checkpointKey = testKey('late checkpoint');
    region.admit([
      { key: late, role: 'trust-log' },
      { key: fixture.checkpointKey, role: 'checkpoint' },
    ]);
    region.add(region.stateStatement(), [late]);
    assert.equal(region.state.log(LOG_ID), undefined);
    const directory = published(fixture);
    const report = await audited(directory, { nowS: region.nowS });
    assert.deepEqual(report.faults, []);
    assert.deepEqual(
      report.logs.map(({ size, signatures }) => ({ size, signatures })),
      [
        { size: region.entries.length, signatures: 0 },
        { size: 3, signatures: 3 },
      ],
    );
    renameSync(join(directory, 'attest', LOG_ID), join(directory, 'attest', '2026-10'));
    const { faults } = await audited(directory, { nowS: region.nowS, faultsMax: 9 });
    assert.deepEqual(
      faults.map(({ code }) => code),
      ['LOG_UNANNOUNCED', 'CHECKPOINT_INVALID'],
    );
  });

  it('A26 a state statement that leaves a revocation out', async () => {
    const fixture = new AuditedFixture(3);
    const { region } = fixture;
    const lie = region.stateStatement();
    region.revoke([1]);
    region.refusal(lie);
    region.commit();
    assert.deepEqual(await faultsIn(published(fixture)), ['STATE_MISMATCH trust 4']);
  });

  it('A25 a log that begins at its announced minimum is whole; one that begins later is not', async () => {
    const fixture = new AuditedFixture(700);
    const directory = published(fixture, 512);
    assert.equal((await faultsIn(directory))[0], 'ENTRY_MISSING attest 0');
    fixture.region.add({ kind: 'log', log: LOG_ID, minimum: 530 });
    const raised = published(fixture, 512);
    const report = await audited(raised);
    assert.deepEqual(report.faults, []);
    assert.equal(report.logs[1]?.from, 512);
    const beyond = published(fixture, 600);
    rmSync(join(beyond, 'attest', LOG_ID, 'tile/entries/002.p'), { recursive: true });
    assert.equal((await faultsIn(beyond))[0], 'ENTRY_MISSING attest 512');
  });

  it('a trust log without a root, and one that cannot be folded, say so instead of blaming attestations', async () => {
    const empty = new AuditedFixture(3);
    empty.region.entries.splice(0, 3, Buffer.from('x'), Buffer.from('y'));
    assert.equal((await faultsIn(published(empty)))[0], 'ROOT_MISSING trust 0');
    const torn = published();
    rmSync(join(torn, 'trust', 'tile', 'entries'), { recursive: true });
    assert.deepEqual(await faultsIn(torn), ['ENTRY_MISSING trust 0', 'ENTRY_MISSING trust 0']);
  });

  it('B61 B62 an entry bundle whose length goes past its end is named by its index', async () => {
    const found = await after('tile/entries/000', () => {
      const entries = whole.attestations.slice(0, 256);
      const bundle = Buffer.from(encodeEntryBundle(entries));
      bundle.writeUInt16BE(65_535, 3 * (2 + (entries[0]?.length ?? 0)));
      return bundle;
    });
    assert.equal(found[0], 'BUNDLE_MALFORMED attest 3');
  });
});

describe('auditRegion on the store of a node', () => {
  const folder = temporaryFolders();

  it('finds in the store what it finds in files, however the batches were cut', async () => {
    const fixture = new AuditedFixture(700);
    fixture.attest({ index: 3 });
    const files = folder();
    publish(fixture, files);
    const fromFiles = await audited(files, { faultsMax: 10 });
    for (const step of [1_000, 256, 99]) {
      const directory = folder();
      await fillStore(fixture, directory, step);
      const report = await audited(directory, { faultsMax: 10 });
      assert.deepEqual({ ...report }, { ...fromFiles }, `in batches of ${step}`);
    }
  });

  /** A store whose trust log begins at 256: 260 revocations, and what `then` appends, a `state` statement among it. */
  async function pruned(fixture: AuditedFixture, then: () => void): Promise<string> {
    for (let i = 0; i < 260; i++) fixture.region.revoke([i]);
    then();
    const directory = folder();
    await fillStore(fixture, directory);
    await pruneStore(fixture, directory, 263);
    return directory;
  }

  async function prunedSoon(fixture: AuditedFixture): Promise<string> {
    return pruned(fixture, () => {
      fixture.region.commit();
      fixture.region.revoke([7_000]);
    });
  }

  it('A25 a pruned trust log is folded from its state statement, and what that cannot show is remarked', async () => {
    const fixture = new AuditedFixture(300);
    const directory = await prunedSoon(fixture);
    const report = await audited(directory, { fingerprint: fixture.region.fingerprint });
    assert.deepEqual(report.faults, []);
    assert.deepEqual(
      report.logs.map(({ size, from, signatures }) => ({ size, from, signatures })),
      [
        { size: 265, from: 256, signatures: 0 },
        { size: 300, from: 0, signatures: 300 },
      ],
    );
    const remarks = report.remarks.filter(({ code }) => code === 'NOT_REPLAYED');
    assert.deepEqual(
      remarks.map(({ log, index }) => ({ log, index })),
      [{ log: fixture.trustOrigin, index: 263 }],
    );
    const checked = await checkStore({
      directory: join(directory, 'store'),
      secondPlace: undefined,
      faultsMax: 1,
    });
    assert.deepEqual(checked.faults, []);
  });

  it('A25 T3 with a pruned trust log, keys that are long over are remarked as unknown, later ones are faults', async () => {
    const fixture = new AuditedFixture(1);
    fixture.attest({}, testKey('nobody'));
    const { faults } = await audited(await prunedSoon(fixture), { faultsMax: 9 });
    assert.deepEqual(
      faults.map(({ code, index }) => [code, index]),
      [['KEY_UNKNOWN', 1]],
    );
    const late = new AuditedFixture(3);
    const { region } = late;
    const keys = { 'trust-log': testKey('late trust-log'), checkpoint: testKey('late checkpoint') };
    const directory = await pruned(late, () => {
      region.nowS += 70 * DAY_S;
      region.admit([
        { key: keys['trust-log'], role: 'trust-log' },
        { key: keys.checkpoint, role: 'checkpoint' },
      ]);
      region.add(region.stateStatement(), [keys['trust-log']]);
      late.checkpointKey = keys.checkpoint;
    });
    const report = await audited(directory, { nowS: region.nowS, faultsMax: 9 });
    assert.deepEqual(report.faults, []);
    assert.deepEqual(
      report.logs.map(({ size, from, signatures }) => ({ size, from, signatures })),
      [
        { size: 265, from: 256, signatures: 0 },
        { size: 3, from: 0, signatures: 0 },
      ],
    );
    const remarks = report.remarks.filter(({ code }) => code === 'NOT_REPLAYED');
    assert.deepEqual(
      remarks.map(({ log }) => log),
      [late.trustOrigin, late.origin],
    );
  });

  it('A26 a state statement that does not commit to the state kept with a pruned log is a fault', async () => {
    const fixture = new AuditedFixture(1);
    const directory = await prunedSoon(fixture);
    const base = fixture.region.fold.newestBase();
    assert.ok(base);
    const store = storeInDirectory(
      { directory: join(directory, 'store'), owner: 'DE.test', reserveBytes: 0 },
      { clock: systemClock },
    );
    await store.start();
    const without = { ...base, items: base.items.slice(0, -1) };
    await store.write(await baseChanges(fixture.trustOrigin, without, store));
    await store.stop();
    const { faults } = await audited(directory, { faultsMax: 9 });
    assert.deepEqual(
      faults.map(({ code, log }) => [code, log]),
      [['ENTRY_MISSING', fixture.trustOrigin]],
    );
    assert.match(faults[0]?.message ?? '', /STATE_MISMATCH/);
  });

  it('B72 a store that a process holds is STORE_LOCKED, and the hint names the public directory', async () => {
    const directory = folder();
    await fillStore(new AuditedFixture(3), directory);
    const source = await openAuditSource(directory);
    await rejectsWith(openAuditSource(directory), 'STORE_LOCKED');
    await openAuditSource(directory).catch((error: unknown) => {
      assert.match((error as NodeError).hint ?? '', /public/);
    });
    await source.close();
  });

  it('a directory without logs is PEER_UNREACHABLE', async () => {
    await rejectsWith(openAuditSource(folder()), 'PEER_UNREACHABLE');
  });
});
