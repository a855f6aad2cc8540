import assert from 'node:assert/strict';
import { openCheckpoint } from '../../../protocol/log/checkpoint.ts';
import { attestationMessage, parseAttestation } from '../../../protocol/code/attestation.ts';
import { parseCode } from '../../../protocol/code/code.ts';
import { attestationLogOrigin } from '../../../protocol/log/origin.ts';
import { ED25519, makeVerifierKey } from '../../../protocol/log/verifier-key.ts';
import { opensslBackEnd } from '../../../node/crypto/openssl.ts';
import { codeTextOf } from '../../../node/issuing/held-codes.ts';
import { type Issued } from '../../../node/issuing/issuer.ts';
import { Registry } from '../../../node/registry/registry.ts';
import { greenFields, REGISTRY_KEY, RegionMachine, startRegion } from '../../support/issuing-fixture.ts';
import { audit } from '../../support/log-fixture.ts';
import { sha256 } from '../../support/primitives.ts';
import { LOG_ID } from '../../support/region-fixture.ts';
import { describeOnAllTables } from '../../support/tables.ts';

const { verifySignature } = opensslBackEnd;

interface Given {
  readonly subject: string;
  readonly issued: Issued;
}

/** Issues in three batches, one with a replacement, and revokes in between. */
async function run(machine: RegionMachine, given: Given[]): Promise<void> {
  const { issuer, revoker, stop } = await startRegion(machine);
  const issue = async (subject: string, isReplacement = false) => {
    const issued = await issuer.issue({ subject, fields: greenFields(), isReplacement });
    given.push({ subject, issued });
    return issued;
  };
  await Promise.allSettled(['a', 'b', 'c'].map((subject) => issue(subject)));
  await Promise.allSettled([issue('d')]);
  await Promise.allSettled([revoker.revoke({ log: LOG_ID, indexes: [1] }).then(() => issue('e', true))]);
  await stop();
}

/** Everything that was given out is good, and all that is in the log is the region's own and accounted for. */
async function auditRegion(machine: RegionMachine, given: readonly Given[]): Promise<void> {
  const { region, network, keys } = machine.region;
  const origin = attestationLogOrigin(region, network, LOG_ID);
  const entries = await audit(machine, origin, keys.checkpoint);
  assert.equal(new Set(given.map(({ issued }) => issued.index)).size, given.length);
  entries.forEach((entry, index) => {
    const attestation = parseAttestation(entry);
    const message = attestationMessage(attestation, network);
    assert.equal(attestation.index, index);
    assert.ok(
      verifySignature({ publicKey: keys.attest.publicKey, message, signature: attestation.signature }),
    );
  });
  const store = await machine.openStore();
  const registry = await Registry.open(
    { key: REGISTRY_KEY },
    { tables: machine.tables ?? store, random: machine.bytes },
  );
  for (const { subject, issued } of given) {
    const { index, checkpoint } = issued;
    const { attestation } = parseCode(sha256, codeTextOf(sha256, issued, ['status']));
    assert.ok(
      Buffer.from(attestation.bytes).equals(entries[index] ?? Buffer.alloc(0)),
      `code ${index} is its leaf`,
    );
    assert.equal((await registry.atPlace({ log: LOG_ID, index }))?.subject, subject);
    const key = makeVerifierKey(sha256, {
      name: origin,
      algorithm: ED25519,
      publicKey: keys.checkpoint.publicKey,
    });
    assert.ok(openCheckpoint(checkpoint.note, [key], verifySignature).size > index);
  }
  // Whatever the registry says of a person, the log holds it.
  for (const subject of ['a', 'b', 'c', 'd', 'e', 'last']) {
    for (const record of await registry.ofSubject(subject)) assert.ok(record.index < entries.length);
  }
  await store.stop();
}

/** Runs until the end or a crash, then again in a new process, and audits all. */
async function survive(machine: RegionMachine): Promise<number> {
  const given: Given[] = [];
  // A process that cannot start ends.
  const ended = run(machine, given).catch(() => machine.medium.crash());
  await Promise.race([ended, machine.crashed]);
  const before = [...given];
  machine.watch();
  const { issuer, stop } = await startRegion(machine);
  const issued = await issuer.issue({ subject: 'last', fields: greenFields() });
  await stop();
  await auditRegion(machine, [...before, { subject: 'last', issued }]);
  return before.length;
}

async function count(): Promise<{ writes: number; raises: number }> {
  const machine = new RegionMachine();
  await run(machine, []);
  return { writes: machine.medium.counters.writes, raises: machine.secondPlace.raises };
}

describeOnAllTables('Issuer under faults', () => {
  for (const what of ['DISK_IO', 'crash'] as const) {
    for (const when of ['before', 'after'] as const) {
      it(`A31 ${what} ${when} each single write of issue -> log -> checkpoint -> tiles: no code is lost, none signed twice`, async () => {
        const { writes } = await count();
        assert.ok(writes >= 12);
        for (let write = 1; write <= writes; write++) {
          const machine = new RegionMachine({ seed: write });
          machine.medium.plan({ write, when, what });
          await survive(machine);
        }
      });

      it(`A31 ${what} ${when} each single raise of the second place: no code is lost, none signed twice`, async () => {
        const { raises } = await count();
        for (let raise = 1; raise <= raises; raise++) {
          const machine = new RegionMachine({ seed: raise });
          machine.secondPlace.plan({ raise, when, what });
          const given = await survive(machine);
          if (what === 'DISK_IO') assert.equal(given, 5);
        }
      });
    }
  }
});

describe('Issuer.issueAll on a disk that fails', () => {
  it('rejects once nothing of what was asked for is under way any more', async () => {
    const machine = new RegionMachine();
    const { issuer, stop } = await startRegion(machine, { batchMax: 1 });
    const { medium } = machine;
    const staged: number[] = [];
    const requests = [1, 2, 3].map((n) => ({
      subject: `P${n}`,
      fields: greenFields(),
      also: () => {
        staged.push(n);
        return [];
      },
    }));
    medium.plan({ write: medium.counters.writes + 1, when: 'before', what: 'DISK_IO' });
    await assert.rejects(issuer.issueAll(requests));
    const before = [...staged];
    await issuer.issue({ subject: 'P4', fields: greenFields() });
    assert.deepEqual(staged, before);
    await stop();
  });
});
