import assert from 'node:assert/strict';
import { Decrypter, generateX25519Identity, identityToRecipient } from 'age-encryption';
import { Disclosing } from '../../../node/abuse/disclosing.ts';
import { isNodeError } from '../../../node/node-error.ts';
import { LogSealers } from '../../../node/registry/log-sealers.ts';
import { basisKey, pageKey } from '../../../node/registry/page-keys.ts';
import { openDisclosure } from '../../../protocol/disclosure/disclosure.ts';
import { greenFields, REGISTRY_KEY, RegionMachine, startRegion } from '../../support/issuing-fixture.ts';
import { verifySignature } from '../../support/keys.ts';
import { sha256 } from '../../support/primitives.ts';
import { LOG_ID, testKey } from '../../support/region-fixture.ts';
import { describeOnAllTables } from '../../support/tables.ts';

const PEOPLE = 150;

describeOnAllTables('Disclosing', () => {
  it('opens what it can past damaged pages and bases, and says which leaves it leaves closed', async () => {
    const machine = new RegionMachine();
    const { issuer, registry, tables, stop } = await startRegion(machine);
    const persons = Array.from({ length: PEOPLE }, (_, i) => `person ${i}`);
    await Promise.all(persons.map((subject) => issuer.issue({ subject, fields: greenFields() })));
    const sealers = new LogSealers(REGISTRY_KEY, machine.bytes);
    const basis = basisKey(pageKey(LOG_ID, 128));
    await tables.write([
      { put: pageKey(LOG_ID, 64), value: Buffer.alloc(100) },
      // Sealed by the region, and nothing that it writes.
      sealers.change(LOG_ID, basis, Buffer.from('no bases')),
    ]);
    await assert.rejects(registry.basesAt([{ log: LOG_ID, index: 130 }]), (error) =>
      isNodeError(error, 'REGISTRY_CORRUPT'),
    );
    const disclosing = new Disclosing(machine.region, {
      registry: () => registry,
      sha256,
      clock: machine.clock,
      sizes: () => ({ [LOG_ID]: PEOPLE }),
      signer: () => testKey('trust-log'),
      log: () => undefined,
    });
    const identity = await generateX25519Identity();
    const order = { log: LOG_ID, from: 10, until: 140, auditor: await identityToRecipient(identity) };
    const { bytes, opened, nobodys, unread } = await disclosing.disclose(order, { all: [], former: [] });
    assert.deepEqual([opened, nobodys, unread.leaves], [54, 0, 76]);
    assert.deepEqual(
      unread.rows.map(({ from, until, code }) => [from, until, code]),
      [
        [64, 128, 'REGISTRY_CORRUPT'],
        [128, 140, 'REGISTRY_CORRUPT'],
      ],
    );
    assert.ok(unread.rows[1]?.message.includes(basis));
    const decrypter = new Decrypter();
    decrypter.addIdentity(identity);
    const { disclosure } = openDisclosure(await decrypter.decrypt(bytes), { sha256, verifySignature });
    assert.deepEqual(
      disclosure.leaves.map((leaf) => leaf !== undefined),
      Array.from({ length: 130 }, (_, i) => i < 54),
    );
    // Whoever does not take that up is told of it, unless it is about other leaves.
    await assert.rejects(
      async () => {
        for await (const { index } of registry.withBases({ log: LOG_ID, from: 60, until: 65 }))
          assert.ok(index < 64);
      },
      (error) => isNodeError(error, 'REGISTRY_CORRUPT'),
    );
    const before: number[] = [];
    for await (const { index } of registry.withBases({ log: LOG_ID, from: 60, until: 64 }))
      before.push(index);
    assert.deepEqual(before, [60, 61, 62, 63]);
    await stop();
  });
});
