import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import { Forgetting } from '../../../node/issuing/forgetting.ts';
import { type IssuerModules, type IssuerOptions } from '../../../node/issuing/issuer.ts';
import { prepareHere } from '../../../node/issuing/preparing.ts';
import { isNodeError } from '../../../node/node-error.ts';
import { type Change } from '../../../node/ports.ts';
import { type Condition } from '../../../node/registry/private-tables.ts';
import { MANUAL_RULE_ID } from '../../../protocol/disclosure/override.ts';
import { encodeCbor } from '../../../protocol/encoding/cbor.ts';
import { scryptInPool } from '../../../node/crypto/scrypt.ts';
import { greenFields, RegionMachine, startRegion } from '../../support/issuing-fixture.ts';
import { MemoryTables } from '../../support/memory-tables.ts';
import { NodeWorld } from '../../support/node-fixture.ts';
import { sha256 } from '../../support/primitives.ts';
import { DAY_S, LOG_ID } from '../../support/region-fixture.ts';
import { describeOnAllTables } from '../../support/tables.ts';

const HOUR_MS = 3_600_000;
const isForgotten = (error: unknown) => isNodeError(error, 'FORGOTTEN');
const request = (subject: string, hours = 24) => ({ subject, fields: greenFields(hours) });

/** Something that waits until it is told to go on, and says when it is reached. Lets all pass until it is closed. */
function barrier() {
  let [reach, release] = [(): void => undefined, (): void => undefined];
  const reached = new Promise<void>((resolve) => (reach = resolve));
  const released = new Promise<void>((resolve) => (release = resolve));
  const it = {
    isClosed: false,
    reached,
    release,
    pass: (): Promise<void> => {
      if (!it.isClosed) return Promise.resolve();
      reach();
      return released;
    },
  };
  return it;
}

/** Waits at a barrier before it writes records of a batch. */
class HaltingTables extends MemoryTables {
  readonly barrier = barrier();

  override async writeIf(changes: readonly Change[], condition: Condition) {
    const isOfBatch = changes.some((change) => 'put' in change && change.put.startsWith('registry/page/'));
    if (isOfBatch) await this.barrier.pass();
    return super.writeIf(changes, condition);
  }
}

/** A region in which `p` has a code, and is forgotten when that is wanted. */
async function begin(
  machine = new RegionMachine(),
  modules: Partial<IssuerModules> = {},
  options: Pick<IssuerOptions, 'fenced'> = {},
) {
  const process = await startRegion(machine, options, modules);
  const { registry, gate, marks, issuer, openTree } = process;
  await issuer.issue(request('p'));
  const forgetting = new Forgetting(machine.region, {
    registry,
    gate,
    mark: (subject) => marks.forgot(subject),
    forgetDeclared: async (_, { require }) => {
      await require();
      return false;
    },
    hasOther: false,
    isStandby: false,
    clock: machine.clock,
    trust: () => machine.region.state,
    tend: () => Promise.resolve(),
    openTree,
    sha256,
  });
  return {
    ...process,
    forget: (lettingPass = true) => forgetting.forget({ subject: 'p', lettingPass }),
    heldBy: async (subject: string) => (await registry.ofSubject(subject)).length,
    size: async () => (await process.treeOf(LOG_ID)).size,
  };
}

describe('StagingGate', () => {
  it('T25 whoever is forgotten while a node judges their order gets nothing by it', async () => {
    const world = new NodeWorld();
    await world.found('DE');
    await world.issue('DE', 'p');
    const { once, heldCodes } = world.node('DE');
    const status = { ...greenFields().status, expiresAtS: world.nowS + DAY_S };
    const judging = barrier();
    judging.isClosed = true;
    const order = {
      key: 'a',
      input: Buffer.from('p'),
      subject: 'p',
      status,
      judge: async () => {
        await judging.pass();
        return { subject: 'p', fields: { status } };
      },
    };
    const rejected = assert.rejects(once.issue(order), isForgotten);
    await world.run(judging.reached);
    await world.run(world.node('DE').forget({ subject: 'p', lettingPass: true }));
    judging.release();
    await world.run(rejected);
    assert.deepEqual(await world.run(heldCodes.ofSubject('p')), []);
    await assert.rejects(world.run(once.issue(order)), isForgotten);
    await world.run(once.issue({ ...order, key: 'b' }));
    assert.equal((await world.run(heldCodes.ofSubject('p'))).length, 1);
    await world.stop();
  });

  it('T25 whoever is forgotten before their batch is staged gets nothing by it, and the others of it do', async () => {
    const machine = new RegionMachine();
    const preparing = barrier();
    const { issuer, forget, heldBy, size, stop } = await begin(machine, {
      prepare: async (items) => {
        await preparing.pass();
        return prepareHere(items, { sha256, random: machine.bytes, scrypt: scryptInPool });
      },
    });
    const before = await size();
    preparing.isClosed = true;
    const [first, second] = ['p', 'q'].map((subject) => issuer.issue(request(subject)));
    await preparing.reached;
    await forget();
    preparing.release();
    await assert.rejects(first ?? assert.fail(), isForgotten);
    await second;
    assert.deepEqual([await heldBy('p'), await heldBy('q'), await size()], [0, 1, before + 1]);
    // By an order from after that they do.
    await issuer.issue(request('p'));
    assert.equal(await heldBy('p'), 1);
    await stop();
  });

  it('forgetting waits for a tally of what two operators gave and did not sign, and of what has no known form', async () => {
    for (const basis of [
      encodeCbor([1, 1, '0'.repeat(32), 3, ['0'.repeat(16), '1'.repeat(16)]]),
      encodeCbor([9]),
    ]) {
      const machine = new RegionMachine();
      const { issuer, forget, heldBy, stop } = await begin(machine);
      await issuer.issue({ ...request('p'), basis });
      await assert.rejects(forget(), (error) => isNodeError(error, 'REFUSED'));
      assert.equal(await heldBy('p'), 2);
      await stop();
    }
  });

  it('T25 forgetting waits for a batch that is being staged, forgets what is in it, and nobody is given that', async () => {
    const tables = new HaltingTables();
    const machine = new RegionMachine();
    machine.tables = tables;
    const { issuer, forget, heldBy, size, stop } = await begin(machine);
    const before = await size();
    tables.barrier.isClosed = true;
    const rejected = assert.rejects(issuer.issue(request('p')), isForgotten);
    await tables.barrier.reached;
    const forgotten = forget();
    // If it did not wait it would be over by then.
    for (let i = 0; i < 64; i++) await setImmediate();
    tables.barrier.release();
    assert.equal((await forgotten).length, 2);
    await rejected;
    assert.deepEqual([await heldBy('p'), await size()], [0, before + 1]);
    await stop();
  });

  it('T25 whoever is forgotten once their batch is staged, and before it is signed, is given nothing of it', async () => {
    const signing = barrier();
    const { issuer, forget, heldBy, stop } = await begin(new RegionMachine(), {
      permit: async () => {
        await signing.pass();
        return undefined;
      },
    });
    signing.isClosed = true;
    const rejected = assert.rejects(issuer.issue(request('p')), isForgotten);
    await signing.reached;
    await forget();
    signing.release();
    await rejected;
    assert.equal(await heldBy('p'), 0);
    await stop();
  });

  it('T25 forgets nobody against their will whose code was being staged when it was ordered, and they are given that', async () => {
    const tables = new HaltingTables();
    const machine = new RegionMachine();
    machine.tables = tables;
    const { issuer, forget, heldBy, stop } = await begin(machine);
    machine.clock.nowAtMs += 25 * HOUR_MS;
    tables.barrier.isClosed = true;
    const issued = issuer.issue(request('p', 72));
    await tables.barrier.reached;
    const refused = assert.rejects(forget(false), /still passes/);
    tables.barrier.release();
    await refused;
    await issued;
    assert.equal(await heldBy('p'), 2);
    await issuer.issue(request('p', 72));
    await stop();
  });

  it('T25 while somebody is being forgotten nothing is staged for them alone, whenever it was ordered', async () => {
    const { issuer, gate, heldBy, stop } = await begin();
    const forgetting = barrier();
    forgetting.isClosed = true;
    const over = gate.shutFor('p', forgetting.pass);
    await forgetting.reached;
    await assert.rejects(issuer.issue(request('p')), isForgotten);
    await issuer.issue(request('q'));
    forgetting.release();
    await over;
    await issuer.issue(request('p'));
    assert.deepEqual([await heldBy('p'), await heldBy('q')], [2, 1]);
    await stop();
  });
});

describeOnAllTables(
  'Issuer.issue to somebody of whom the other machine says meanwhile that they were forgotten',
  () => {
    for (const fenced of [undefined, { identity: new Uint8Array(32) }])
      it(`T25 gives nothing of what is staged, and leaves nothing of it${fenced ? ', there either' : ''}`, async () => {
        const machine = new RegionMachine();
        const signing = barrier();
        const permit = async () => {
          await signing.pass();
          return undefined;
        };
        const { issuer, marks, registry, heldBy, treeOf, stop } = await begin(
          machine,
          { permit },
          { fenced },
        );
        signing.isClosed = true;
        const { size } = await treeOf(LOG_ID);
        const byHand = { ...greenFields().status, ruleId: MANUAL_RULE_ID };
        const rejected = assert.rejects(
          issuer.issue({ subject: 'p', fields: { status: byHand }, basis: new Uint8Array(8) }),
          isForgotten,
        );
        await signing.reached;
        const atS = machine.clock.nowMs() / 1_000;
        await marks.forgotByOther('p', atS);
        signing.release();
        await rejected;
        // What the other machine names by itself is no part of it.
        const [kept = assert.fail()] = await registry.ofSubject('p');
        assert.deepEqual([await heldBy('p'), kept.index], [1, size - 1]);
        const place = { log: LOG_ID, index: size };
        assert.deepEqual(
          [await registry.atPlace(place), await registry.basisOf(place)],
          [undefined, undefined],
        );
        // The tally of the leaf is what it was.
        const uncounted: string[] = [];
        for await (const { index, status } of registry.uncounted({ log: LOG_ID, from: 0, until: size + 1 }))
          uncounted.push(`${index} ${status.ruleId}`);
        assert.deepEqual(uncounted, [`${size} ${MANUAL_RULE_ID}`]);
        const told: number[] = [];
        for await (const order of registry.forgotten.all(assert.fail)) {
          assert.equal(registry.forgotten.notedAtS(order), Math.floor(atS));
          told.push(order.place.index);
        }
        assert.deepEqual(told, fenced ? [size] : []);
        machine.clock.nowAtMs += 1_000;
        await issuer.issue(request('p'));
        assert.equal(await heldBy('p'), 2);
        await stop();
      });
  },
);
