import assert from 'node:assert/strict';
import { attestationMessage, COMMITMENT_FROM_END } from '../../../protocol/code/attestation.ts';
import { paddingCommitment } from '../../../protocol/code/padding.ts';
import { parseCode } from '../../../protocol/code/code.ts';
import { leafHash, verifyInclusion } from '../../../protocol/log/merkle.ts';
import { openCheckpoint } from '../../../protocol/log/checkpoint.ts';
import { ED25519, makeVerifierKey } from '../../../protocol/log/verifier-key.ts';
import { attestationLogOrigin } from '../../../protocol/log/origin.ts';
import { opensslBackEnd } from '../../../node/crypto/openssl.ts';
import { REPLACEMENT_COMPANY } from '../../../node/issuing/attestation-work.ts';
import { codeTextOf, HeldCodes } from '../../../node/issuing/held-codes.ts';
import { stagingChanges } from '../../../node/log/staged-batch.ts';
import { LogView } from '../../../node/log/log-view.ts';
import { isNodeError, type NodeErrorCode } from '../../../node/node-error.ts';
import { attestationsOf, greenFields, RegionMachine, startRegion } from '../../support/issuing-fixture.ts';
import { sha256 } from '../../support/primitives.ts';
import { LOG_ID, START_S } from '../../support/region-fixture.ts';
import { describeOnAllTables } from '../../support/tables.ts';

const { verifySignature } = opensslBackEnd;
const persons = (count: number) => Array.from({ length: count }, (_, i) => `person ${i}`);

const rejectsWith = (promise: Promise<unknown>, code: NodeErrorCode) =>
  assert.rejects(promise, (error) => isNodeError(error, code));

describeOnAllTables('Issuer', () => {
  it('turns a status into a code that is signed, logged and proven', async () => {
    const machine = new RegionMachine();
    const { issuer, treeOf, stop } = await startRegion(machine);
    const holderKey = new Uint8Array(32).fill(3);
    const issued = await issuer.issue({ subject: 'a', fields: { ...greenFields(), holderKey } });
    const {
      attestation,
      status,
      holderKey: opened,
    } = parseCode(sha256, codeTextOf(sha256, issued, ['status', 'holder']));
    assert.deepEqual(status, { ...greenFields().status, untilS: undefined });
    assert.deepEqual(opened, holderKey);
    const { region, network, keys } = machine.region;
    assert.deepEqual(
      [attestation.region, attestation.log, attestation.index, attestation.hour],
      [region, LOG_ID, 0, Math.floor(START_S / 3_600)],
    );
    assert.equal(attestation.keyId, keys.attest.keyId);
    const { publicKey } = keys.attest;
    const { signature } = attestation;
    assert.ok(verifySignature({ publicKey, message: attestationMessage(attestation, network), signature }));
    const origin = attestationLogOrigin(region, network, LOG_ID);
    const logKey = makeVerifierKey(sha256, {
      name: origin,
      algorithm: ED25519,
      publicKey: keys.checkpoint.publicKey,
    });
    const { size, root } = openCheckpoint(issued.checkpoint.note, [logKey], verifySignature);
    const path = await new LogView(await treeOf(LOG_ID), { sha256 }).inclusionProof({ index: 0, size });
    verifyInclusion(sha256, { index: 0, size, root, path, leafHash: leafHash(sha256, issued.attestation) });
    await stop();
  });

  it('keeps who holds what, and makes the codes of a person again', async () => {
    const machine = new RegionMachine();
    const { issuer, registry, openTree, stop } = await startRegion(machine);
    const issued = await Promise.all(
      persons(40).map((subject, i) => issuer.issue({ subject, fields: greenFields(i + 1) })),
    );
    await issuer.issue({ subject: 'person 7', fields: greenFields(99) });
    const held = new HeldCodes(machine.region, { registry, openTree });
    const codes = await held.ofSubject('person 7');
    assert.deepEqual(
      codes.map(({ fields }) => (fields.status.expiresAtS - START_S) / 3_600),
      [8, 99],
    );
    const [code] = codes;
    assert.ok(code && issued[7]);
    assert.equal(codeTextOf(sha256, code, ['status']), codeTextOf(sha256, issued[7], ['status']));
    assert.deepEqual(await held.ofSubject('nobody'), []);
    for (const { log, index, openings } of issued) {
      assert.deepEqual((await registry.atPlace({ log, index }))?.openings, openings);
    }
    await stop();
  });

  it('T23 gives indexes that do not follow the order of asking', async () => {
    const machine = new RegionMachine();
    const { issuer, stop } = await startRegion(machine);
    const issued = await Promise.all(
      persons(200).map((subject) => issuer.issue({ subject, fields: greenFields() })),
    );
    const indexes = issued.map(({ index }) => index);
    assert.equal(new Set(indexes).size, 200);
    const followers = indexes.filter((index, i) => i > 0 && index === (indexes[i - 1] ?? 0) + 1).length;
    // Of 199 neighbours chance leaves one a neighbour; the order of asking would leave all.
    assert.ok(followers < 10, String(followers));
    await stop();
  });

  it('T23 logs attestations of one length, and replacements among at least 31 others', async () => {
    const machine = new RegionMachine();
    const { issuer, registry, treeOf, stop } = await startRegion(machine);
    const replace = (subject: string) =>
      issuer.issue({ subject, fields: greenFields(), isReplacement: true });
    await replace('a');
    const tree = await treeOf(LOG_ID);
    assert.equal(tree.size, 32);
    await Promise.all([replace('b'), replace('c')]);
    assert.equal(tree.size, 65, 'one replacement is no company for the other');
    const others = persons(30).map((subject) => issuer.issue({ subject, fields: greenFields() }));
    await Promise.all([replace('d'), ...others]);
    assert.equal(tree.size, 97, '30 others and one leaf of nobody');
    await Promise.all([
      replace('e'),
      ...persons(31).map((subject) => issuer.issue({ subject, fields: greenFields() })),
    ]);
    assert.equal(tree.size, 129, '31 others are enough');
    const attestations = await attestationsOf(tree);
    assert.equal(new Set(attestations.map(({ bytes }) => bytes.length)).size, 1);
    assert.equal(
      new Set(attestations.map(({ commitment }) => Buffer.from(commitment).toString('hex'))).size,
      129,
    );
    assert.equal(new Set(attestations.map(({ keyId, hour }) => `${keyId} ${hour}`)).size, 1);
    const owned = await Promise.all(
      attestations.map(({ index }) => registry.atPlace({ log: LOG_ID, index })),
    );
    assert.equal(owned.filter((record) => record !== undefined).length, 1 + 2 + 31 + 32);
    for (const { index, commitment } of attestations) {
      // The code of its batch that stands closest before it, or the first behind it: whichever it is.
      const near = attestations.filter((one) => Math.abs(one.index - index) <= REPLACEMENT_COMPANY);
      const isNobodys = near.some((one) => {
        const secret = registry.paddingSecret({ log: LOG_ID, index }, one.commitment);
        return Buffer.from(paddingCommitment(sha256, secret)).equals(commitment);
      });
      assert.equal(isNobodys, owned[index] === undefined, `leaf ${index}`);
    }
    const places = owned.flatMap((record) => (record?.subject === 'a' ? [record.index] : []));
    assert.equal(places.length, 1);
    await stop();
  });

  it('leaves of nobody at one place of two trees have nothing in common', async () => {
    const trees = await Promise.all(
      [1, 2].map(async (seed) => {
        const machine = new RegionMachine({ seed });
        const { issuer, treeOf, stop } = await startRegion(machine);
        await issuer.issue({ subject: 'a', fields: greenFields(), isReplacement: true });
        const attestations = await attestationsOf(await treeOf(LOG_ID));
        await stop();
        return attestations.map(({ commitment }) => Buffer.from(commitment).toString('hex'));
      }),
    );
    const [one = [], other = []] = trees;
    assert.deepEqual([one.length, other.length], [32, 32]);
    assert.deepEqual(
      one.filter((commitment, index) => commitment === other[index]),
      [],
    );
  });

  it('puts a replacement at any place of its batch', async () => {
    const seen = new Set<number>();
    for (let seed = 1; seed <= 12; seed++) {
      const machine = new RegionMachine({ seed });
      const { issuer, stop } = await startRegion(machine);
      seen.add((await issuer.issue({ subject: 'a', fields: greenFields(), isReplacement: true })).index);
      await stop();
    }
    assert.ok(seen.size >= 6, [...seen].join());
  });

  it('refuses subjects and fields that have no encoding, alone', async () => {
    const machine = new RegionMachine();
    const { issuer, stop } = await startRegion(machine);
    const fields = greenFields();
    const results = await Promise.allSettled([
      issuer.issue({ subject: '', fields }),
      issuer.issue({ subject: 'x'.repeat(65), fields }),
      issuer.issue({ subject: 'a', fields: { ...fields, holderKey: new Uint8Array(31) } }),
      issuer.issue({ subject: 'a', fields: { status: { ...fields.status, ruleId: 'Bad' } } }),
      issuer.issue({ subject: 'a', fields }),
    ]);
    assert.deepEqual(
      results.map(({ status }) => status),
      ['rejected', 'rejected', 'rejected', 'rejected', 'fulfilled'],
    );
    for (const result of results) {
      if (result.status === 'rejected') assert.ok(result.reason instanceof TypeError);
    }
    await stop();
  });

  it('announces the next month ahead, opens it when it comes, and seals the one before', async () => {
    const machine = new RegionMachine();
    const { issuer, treeOf, stop } = await startRegion(machine);
    assert.ok(machine.region.state.log('2026-12'), 'announced a month ahead');
    await issuer.issue({ subject: 'a', fields: greenFields() });
    machine.clock.nowAtMs = Date.UTC(2026, 10, 30, 23, 59, 59);
    assert.equal((await issuer.issue({ subject: 'b', fields: greenFields() })).log, '2026-11');
    machine.clock.nowAtMs = Date.UTC(2026, 11, 1);
    const first = await issuer.issue({ subject: 'c', fields: greenFields() });
    assert.deepEqual([first.log, first.index], ['2026-12', 0]);
    assert.equal((await treeOf('2026-11')).head.sealed, false);
    await issuer.tend();
    assert.equal((await treeOf('2026-11')).head.sealed, true);
    assert.equal((await treeOf('2026-11')).size, 2);
    assert.ok(machine.region.state.log('2027-01'));
    await issuer.tend();
    assert.equal((await issuer.issue({ subject: 'd', fields: greenFields() })).index, 1);
    await stop();
  });

  it('takes what meets the end of the month over into the next log, each once', async () => {
    const machine = new RegionMachine();
    const { issuer, treeOf, stop } = await startRegion(machine, { gatherMs: 50 });
    machine.clock.nowAtMs = Date.UTC(2026, 11, 1) - 10;
    // Asked for in November, logged 50 ms later in December.
    const issued = await Promise.all(
      persons(20).map((subject) => issuer.issue({ subject, fields: greenFields() })),
    );
    assert.ok(issued.every(({ log }) => log === '2026-12'));
    assert.equal((await treeOf('2026-11')).size, 0);
    assert.equal((await treeOf('2026-12')).size, 20);
    for (const { hour } of await attestationsOf(await treeOf('2026-12'))) {
      assert.equal(hour, Date.UTC(2026, 11, 1) / 3_600_000);
    }
    await stop();
  });

  it('finishes in a later month what an earlier process staged, and seals that log', async () => {
    const machine = new RegionMachine();
    const before = await startRegion(machine);
    await before.issuer.issue({ subject: 'a', fields: greenFields() });
    machine.medium.plan({ write: machine.medium.counters.writes + 2, when: 'before', what: 'crash' });
    void before.issuer.issue({ subject: 'b', fields: greenFields() });
    await machine.crashed;
    machine.clock.nowAtMs = Date.UTC(2026, 11, 1, 12);
    const { issuer, registry, treeOf, stop } = await startRegion(machine);
    const tree = await treeOf('2026-11');
    assert.deepEqual([tree.size, tree.head.sealed], [2, true]);
    const [, last] = await attestationsOf(tree);
    assert.equal(last?.hour, Math.floor(START_S / 3_600), 'as it was staged');
    assert.equal((await registry.atPlace({ log: '2026-11', index: 1 }))?.subject, 'b');
    assert.equal((await issuer.issue({ subject: 'c', fields: greenFields() })).log, '2026-12');
    await stop();
  });

  it('T9 tells once of a log before that holds another entry than was staged, leaves it as it is, and issues into the one in use', async () => {
    const machine = new RegionMachine();
    const before = await startRegion(machine);
    await before.issuer.issue({ subject: 'a', fields: greenFields() });
    const closed = await before.treeOf('2026-11');
    const [attestation] = await attestationsOf(closed);
    const draft = attestation?.bytes.slice() ?? assert.fail();
    draft[draft.length - COMMITMENT_FROM_END] = ~(draft.at(-COMMITMENT_FROM_END) ?? 0);
    await before.store.write(stagingChanges(closed.keys, { index: 0, atS: START_S, drafts: [draft] }));
    await before.stop();
    const troubles: unknown[] = [];
    // What it compares it has signed for that, and gives to nobody.
    const { attest } = machine.region.keys;
    const modules = {
      onTrouble: (error: unknown) => void troubles.push(error),
      keys: { inForce: () => attest, withId: () => attest },
    };
    await rejectsWith(startRegion(machine, {}, modules), 'LOG_CONTRADICTED');
    machine.medium.crash();
    machine.clock.nowAtMs = Date.UTC(2026, 11, 1, 12);
    const { issuer, treeOf, stop } = await startRegion(machine, {}, modules);
    assert.equal((await issuer.issue({ subject: 'c', fields: greenFields() })).log, '2026-12');
    await issuer.tend();
    assert.equal(troubles.length, 1);
    assert.ok(isNodeError(troubles[0], 'LOG_CONTRADICTED'));
    assert.equal((await treeOf('2026-11')).head.sealed, false);
    await stop();
  });

  it('goes over to the replacement of a log that was closed within its month', async () => {
    const machine = new RegionMachine();
    const { issuer, trustLog, treeOf, stop } = await startRegion(machine);
    await issuer.issue({ subject: 'a', fields: greenFields() });
    const entry = machine.region.entryOf({ kind: 'log', log: '2026-11.1', minimum: 0 });
    await trustLog.submit({ entry });
    assert.equal(machine.region.offer(entry), undefined);
    assert.equal((await issuer.issue({ subject: 'b', fields: greenFields() })).log, '2026-11.1');
    await issuer.tend();
    assert.equal((await treeOf('2026-11')).head.sealed, true);
    assert.equal((await treeOf('2026-11.1')).head.sealed, false);
    await stop();
  });

  it('T15 refuses a log that is not announced, and a month before the newest entry', async () => {
    const machine = new RegionMachine();
    const { issuer, stop } = await startRegion(machine);
    await issuer.issue({ subject: 'a', fields: greenFields() });
    machine.clock.nowAtMs = Date.UTC(2027, 3, 1);
    await rejectsWith(issuer.issue({ subject: 'b', fields: greenFields() }), 'LOG_NOT_ANNOUNCED');
    machine.clock.nowAtMs = Date.UTC(2026, 9, 31);
    await rejectsWith(issuer.issue({ subject: 'b', fields: greenFields() }), 'LOG_NOT_ANNOUNCED');
    machine.clock.nowAtMs = Date.UTC(2026, 10, 2, 7);
    await rejectsWith(issuer.issue({ subject: 'b', fields: greenFields() }), 'CLOCK_BEHIND');
    await stop();
    await rejectsWith(issuer.issue({ subject: 'b', fields: greenFields() }), 'LOG_STOPPED');
  });

  type Sign = (message: Uint8Array) => Uint8Array;
  for (const [what, faultyOf] of [
    ['attest key', () => ({ sign: () => new Uint8Array(64) })],
    // Each signature is good, and stands on another attestation.
    ['other thread', (sign: Sign) => ({ sign, signerOfMany: () => inDisorder(sign) })],
  ] as const)
    it(`gives out nothing that its ${what} did not sign well`, async () => {
      const machine = new RegionMachine();
      const { keyId, publicKey, sign } = machine.region.keys.attest;
      const faulty = { keyId, publicKey, ...faultyOf(sign) };
      const keys = { inForce: () => faulty, withId: () => faulty };
      const { issuer, treeOf, stop } = await startRegion(machine, {}, { keys });
      const requests = ['a', 'b'].map((subject) => ({ subject, fields: greenFields() }));
      await rejectsWith(issuer.issueAll(requests), 'LOG_UNSETTLED');
      await rejectsWith(issuer.issueAll(requests), 'SIGNER_FAULTY');
      assert.equal((await treeOf(LOG_ID)).size, 0);
      await stop();
    });
  const inDisorder = (sign: Sign) => (messages: readonly Uint8Array[]) =>
    Promise.resolve(messages.map(sign).reverse());

  it('finishes elsewhere what it can, from the slice on from which somebody there is ready', async () => {
    const machine = new RegionMachine();
    const { sign, ...key } = machine.region.keys.attest;
    const asked: number[] = [];
    const elsewhere: number[] = [];
    const signerOfMany = (count: number) => {
      if (asked.push(count) < 2) return undefined;
      return (all: readonly Uint8Array[]) => Promise.resolve((elsewhere.push(all.length), all.map(sign)));
    };
    const both = { ...key, sign, signerOfMany };
    const keys = { inForce: () => both, withId: () => both };
    const { issuer, treeOf, stop } = await startRegion(machine, {}, { keys });
    const requests = Array.from({ length: 300 }, (_, i) => ({ subject: `${i}`, fields: greenFields() }));
    const issued = await issuer.issueAll(requests);
    assert.deepEqual([asked, elsewhere], [[300, 44], [44]]);
    const attestations = await attestationsOf(await treeOf(LOG_ID));
    assert.equal(attestations.length, 300);
    for (const { index, attestation } of issued) assert.deepEqual(attestations[index]?.bytes, attestation);
    for (const { bytes, signature, region, log } of attestations) {
      const message = attestationMessage({ region, log, bytes }, machine.region.network);
      assert.ok(verifySignature({ publicKey: key.publicKey, message, signature }));
    }
    await stop();
  });
});
