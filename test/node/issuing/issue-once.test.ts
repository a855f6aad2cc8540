import assert from 'node:assert/strict';
import {
  IssueOnce,
  type IssueOnceModules,
  type IssuedOnce,
  type Order,
} from '../../../node/issuing/issue-once.ts';
import { type IssueRequest } from '../../../node/issuing/issuer.ts';
import { isNodeError, NodeError } from '../../../node/node-error.ts';
import { type Entry } from '../../../node/ports.ts';
import { type RegistryRecord } from '../../../node/registry/registry.ts';
import { REGISTRY_KEY } from '../../support/issuing-fixture.ts';
import { MemoryTables } from '../../support/memory-tables.ts';
import { NodeWorld } from '../../support/node-fixture.ts';
import { DAY_S } from '../../support/region-fixture.ts';

describe('IssueOnce', () => {
  async function alone(): Promise<NodeWorld> {
    const world = new NodeWorld();
    await world.found('DE');
    return world;
  }

  /** It dies, and another process begins. */
  async function restart(world: NodeWorld): Promise<void> {
    await world.kill('DE');
    world.replace('DE');
    await world.boot('DE');
  }

  /** Dies at the n-th write after an order was given, before it lands, and begins again. */
  async function dieAtWrite(world: NodeWorld, write: number, order: Order): Promise<void> {
    const { medium } = world.machine('DE');
    const { writes, crashes } = medium.counters;
    medium.plan({ write: writes + write, when: 'before', what: 'crash' });
    void world
      .node('DE')
      .once.issue(order)
      .catch(() => undefined);
    await world.until(() => medium.counters.crashes > crashes, 'it dies');
    await restart(world);
  }

  /** The orders of a region in tables of their own. */
  function onceIn(world: NodeWorld, given: Partial<IssueOnceModules> = {}): IssueOnce {
    const node = world.node('DE');
    const modules: IssueOnceModules = {
      tables: new MemoryTables(),
      clock: world.clock,
      random: (length) => new Uint8Array(length),
      issue: (request) => node.issue(request),
      held: () => node.heldCodes,
      tend: () => node.tend(),
      sizes: () => ({}),
      ...given,
    };
    return new IssueOnce({ registryKey: REGISTRY_KEY }, modules);
  }

  function orderOf(key: string, subject: string, expiresAtS: number): Order {
    const status = { colour: 'green', measure: 'none', expiresAtS, ruleId: 'base', ruleVersion: 1 } as const;
    const judge = () => Promise.resolve({ subject, fields: { status } });
    return { key, input: Buffer.from(`${subject} ${expiresAtS}`), subject, status, judge };
  }

  const refuse = () => Promise.reject(new NodeError('REFUSED', 'the rules are others by now'));

  const placesOf = async (world: NodeWorld, subject: string) =>
    (await world.run(world.node('DE').heldCodes.ofSubject(subject))).map(({ log, index }) => ({
      log,
      index,
    }));

  it('whenever the process dies, the order given again leaves one code, and the person has it', async () => {
    const world = await alone();
    const expiresAtS = world.nowS + DAY_S;
    const outcomes = new Set<number>();
    for (let steps = 0; steps < 12; steps++) {
      const subject = `p${steps}`;
      const order = orderOf(`order-${steps}`, subject, expiresAtS);
      void world
        .node('DE')
        .once.issue(order)
        .catch(() => undefined);
      for (let i = 0; i < steps; i++) await world.clock.advance(5);
      await restart(world);
      outcomes.add((await placesOf(world, subject)).length);
      const { log, index } = await world.run(world.node('DE').once.issue(order));
      assert.deepEqual(await placesOf(world, subject), [{ log, index }]);
      assert.deepEqual(await world.run(world.node('DE').once.issue(order)).then((one) => one.index), index);
    }
    assert.deepEqual([...outcomes].sort(), [0, 1], 'it died both before and after the code was there');
    await world.stop();
  });

  it('whichever write is the last, what was staged is finished before anybody issues', async () => {
    const world = await alone();
    const node = () => world.node('DE');
    await world.issue('DE', 'somebody');
    const expiresAtS = world.nowS + DAY_S;
    const outcomes: number[] = [];
    for (let write = 1; write <= 4; write++) {
      const subject = `p${write}`;
      const order = orderOf(`order-${write}`, subject, expiresAtS);
      await dieAtWrite(world, write, order);
      outcomes.push((await placesOf(world, subject)).length);
      assert.deepEqual(await world.run(node().heldCodes.unlogged(subject)), []);
      const { log, index } = await world.run(node().once.issue(order));
      assert.deepEqual(await placesOf(world, subject), [{ log, index }]);
    }
    assert.deepEqual(
      outcomes,
      [0, 0, 1, 1],
      'it died before its staging, between that and the head, and after it',
    );
    await world.stop();
  });

  it('issues nothing while a code of the order is on its way, and gives that once it is there', async () => {
    const world = await alone();
    const order = orderOf('a', 'p', world.nowS + DAY_S);
    const node = world.node('DE');
    let unlogged: RegistryRecord[] = [];
    let tended = 0;
    const tables = new MemoryTables();
    const modules: Partial<IssueOnceModules> = {
      tables,
      held: () => ({
        ofSubject: (subject: string) => node.heldCodes.ofSubject(subject),
        atPlaces: () => assert.fail('nothing came of it yet'),
        isNobodys: () => assert.fail('nothing came of it yet'),
        unlogged: () => Promise.resolve(unlogged),
      }),
      tend: () => Promise.resolve(void tended++),
      issue: async (request: IssueRequest): Promise<IssuedOnce> => {
        const issued = await node.issue(request);
        unlogged = await node.heldCodes.ofSubject(request.subject);
        throw new NodeError('STORE_WRITE_UNKNOWN', `it died, and ${issued.index} is on its way`);
      },
    };
    const issue = () => world.run(onceIn(world, modules).issue(order));
    await assert.rejects(issue(), (error) => isNodeError(error, 'STORE_WRITE_UNKNOWN'));
    await assert.rejects(issue(), (error) => isNodeError(error, 'LOG_UNSETTLED') && error.retry);
    assert.equal(tended, 1);
    unlogged = unlogged.map((record) => ({
      ...record,
      fields: { status: { ...order.status, ruleId: 'other' } },
    }));
    const { log, index } = await issue();
    assert.deepEqual(await placesOf(world, 'p'), [{ log, index }]);
    await world.stop();
  });

  it('does not take a code that was there before for the one that was ordered', async () => {
    const world = await alone();
    const expiresAtS = world.nowS + DAY_S;
    const { once } = world.node('DE');
    const first = await world.run(once.issue(orderOf('a', 'p', expiresAtS)));
    const second = await world.run(once.issue(orderOf('b', 'p', expiresAtS)));
    assert.notEqual(first.index, second.index);
    assert.equal((await placesOf(world, 'p')).length, 2);
    await world.stop();
  });

  it('gives what was issued the first time without judging it again, also after a new start', async () => {
    const world = await alone();
    const order = orderOf('a', 'p', world.nowS + DAY_S);
    const { index } = await world.run(world.node('DE').once.issue(order));
    const again = () => world.run(world.node('DE').once.issue({ ...order, judge: refuse }));
    assert.equal((await again()).index, index);
    await restart(world);
    assert.equal((await again()).index, index);
    await world.stop();
  });

  it('T25 gives nobody a code who was forgotten since, and another key gives one', async () => {
    const world = await alone();
    const order = orderOf('a', 'p', world.nowS + DAY_S);
    const { index } = await world.run(world.node('DE').once.issue(order));
    await world.run(world.node('DE').forget({ subject: 'p', lettingPass: true }));
    for (const how of ['at once', 'after a new start']) {
      await assert.rejects(
        world.run(world.node('DE').once.issue(order)),
        (error) => isNodeError(error, 'FORGOTTEN'),
        how,
      );
      await restart(world);
    }
    assert.deepEqual(await placesOf(world, 'p'), []);
    const next = await world.run(world.node('DE').once.issue({ ...order, key: 'b' }));
    assert.equal(next.index, index + 1, 'nothing else was logged');
    await world.stop();
  });

  it('T25 gives nobody a code who was forgotten since, also where nothing was known to come of the order', async () => {
    const world = await alone();
    const expiresAtS = world.nowS + DAY_S;
    const node = () => world.node('DE');
    await world.issue('DE', 'p');
    const ways: number[] = [];
    for (let write = 1; write <= 4; write++) {
      const order = orderOf(`order-${write}`, 'p', expiresAtS);
      await dieAtWrite(world, write, order);
      ways.push((await placesOf(world, 'p')).length);
      const isNoted = write > 1;
      await world.run(node().forget({ subject: 'p', lettingPass: true }));
      const again = world.run(node().once.issue(order));
      if (isNoted) await assert.rejects(again, (error) => isNodeError(error, 'FORGOTTEN'), `${write}`);
      else await again;
      await world.clock.advance(1_000);
      // Of who has come back since, no later order is in doubt.
      await world.run(node().once.issue(orderOf(`later-${write}`, 'p', expiresAtS)));
      await world.run(node().once.issue(orderOf(`later-${write}`, 'p', expiresAtS)));
    }
    assert.ok(new Set(ways).size > 1, 'it died both before and after the code was there');
    await world.stop();
  });

  it('T25 an order that broke off after a person was forgotten is no older than that', async () => {
    const world = await alone();
    const node = () => world.node('DE');
    await world.issue('DE', 'p');
    await world.run(node().forget({ subject: 'p', lettingPass: true }));
    await world.clock.advance(1_000);
    const order = orderOf('a', 'p', world.nowS + DAY_S);
    await dieAtWrite(world, 2, order);
    await world.run(node().once.issue(order));
    assert.equal((await placesOf(world, 'p')).length, 1);
    await world.stop();
  });

  it('issues anew what was taken back, where its place is in no log, and where somebody else has it by now', async () => {
    const world = await alone();
    const node = world.node('DE');
    const order = orderOf('a', 'p', world.nowS + DAY_S);
    await world.run(node.once.issue(orderOf('b', 'q', world.nowS + DAY_S)));
    const [other] = await world.run(node.heldCodes.ofSubject('q'));
    for (const there of [undefined, other]) {
      const { heldCodes } = node;
      const once = onceIn(world, {
        held: () => ({
          ofSubject: (subject) => heldCodes.ofSubject(subject),
          unlogged: (subject) => heldCodes.unlogged(subject),
          isNobodys: () => Promise.resolve(false),
          atPlaces: () => Promise.resolve([there]),
        }),
      });
      const { index } = await world.run(once.issue(order));
      assert.equal((await world.run(once.issue(order))).index, index + 1);
    }
    await world.stop();
  });

  it('an order that was refused is judged anew, and leaves its key free', async () => {
    const world = await alone();
    const { once } = world.node('DE');
    const order = orderOf('a', 'p', world.nowS + DAY_S);
    const refused = (one: Order) =>
      assert.rejects(world.run(once.issue({ ...one, judge: refuse })), (error) =>
        isNodeError(error, 'REFUSED'),
      );
    await refused(order);
    await refused(order);
    assert.deepEqual(await placesOf(world, 'p'), []);
    await world.run(once.issue(orderOf('a', 'q', world.nowS + DAY_S)));
    assert.equal((await placesOf(world, 'q')).length, 1);
    await world.stop();
  });

  it('refuses another order under a key, also after a new start, and forgets the key after two days', async () => {
    const world = await alone();
    const expiresAtS = world.nowS + 7 * DAY_S;
    await world.run(world.node('DE').once.issue(orderOf('a', 'p', expiresAtS)));
    await restart(world);
    const other = () => world.run(world.node('DE').once.issue(orderOf('a', 'q', expiresAtS)));
    await assert.rejects(other(), (error) => isNodeError(error, 'ORDER_DIFFERS'));
    await world.kill('DE');
    await world.clock.advance(2 * DAY_S * 1_000);
    world.replace('DE');
    await world.boot('DE');
    await other();
    await world.stop();
  });

  it('forgets with the next order what could not be forgotten with the first of a day', async () => {
    const world = await alone();
    const tables = new MemoryTables();
    const old = 'once/2001-01-01/x';
    await tables.write([{ put: old, value: Buffer.of(1) }]);
    const once = onceIn(world, { tables });
    const expiresAtS = world.nowS + DAY_S;
    // The first write begins the counter of who was forgotten.
    tables.plan({ write: tables.writes + 2, when: 'before', what: 'away' });
    await world.run(once.issue(orderOf('a', 'p', expiresAtS)));
    assert.ok((await tables.get(old)) !== undefined);
    await world.run(Promise.all(['b', 'c'].map((key) => once.issue(orderOf(key, key, expiresAtS)))));
    assert.equal(await tables.get(old), undefined);
    await world.stop();
  });

  it('forgets what is damaged too, and no order fails for it', async () => {
    const world = await alone();
    const tables = new DamagedTables();
    const olds = [...Array(300).keys()].map((i) => `once/2001-01-01/${String(i).padStart(3, '0')}`);
    await tables.write(olds.map((put, i) => ({ put, value: i % 100 === 50 ? DAMAGED : Buffer.of(1) })));
    await world.run(onceIn(world, { tables }).issue(orderOf('a', 'p', world.nowS + DAY_S)));
    assert.deepEqual(
      tables.copy().filter(([name]) => name.startsWith('once/2001')),
      [],
    );
    await world.stop();
  });
});

const DAMAGED = Buffer.of();

/** As a store whose values are damaged where they are `DAMAGED`. */
class DamagedTables extends MemoryTables {
  override async page(...asked: Parameters<MemoryTables['page']>): Promise<Entry[]> {
    const page = await super.page(...asked);
    for (const [key, { length }] of page)
      if (length === 0) throw new NodeError('VALUE_CORRUPT', `the value of ${key} is damaged`, { key });
    return page;
  }
}
