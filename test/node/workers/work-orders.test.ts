import assert from 'node:assert/strict';
import { commitmentOf } from '../../../protocol/code/commitment.ts';
import { commitFields, encodeOpenings, parseOpenings } from '../../../protocol/code/openings.ts';
import { type Prepared, prepareHere, type Unprepared } from '../../../node/issuing/preparing.ts';
import { isNodeError, type NodeError } from '../../../node/node-error.ts';
import { type Change } from '../../../node/ports.ts';
import { registryAway } from '../../../node/registry/postgres-error.ts';
import { WorkOrders } from '../../../node/workers/work-orders.ts';
import {
  bytesOf,
  newWorkId,
  orderName,
  orderOfClaim,
  ORDERS,
  textOf,
  workerName,
  WORKERS,
  WorkRows,
} from '../../../node/workers/work-rows.ts';
import { Worker } from '../../../node/workers/worker.ts';
import { greenFields, REGISTRY_KEY, seededBytes } from '../../support/issuing-fixture.ts';
import { MemoryTables } from '../../support/memory-tables.ts';
import { sha256 } from '../../support/primitives.ts';
import { RunningClock } from '../../support/running-clock.ts';
import { seeded } from '../../support/seeded.ts';

const isCode = (code: string) => (error: unknown) => isNodeError(error) && error.code === code;
const HOLDER = new Uint8Array(32).fill(7);
const EVIDENCE = new Uint8Array(32).fill(8);

/** Of everybody another status, so that answers cannot be mixed up unseen. */
const people = (count: number): Unprepared[] =>
  Array.from({ length: count }, (_, i) => ({
    fields: { ...greenFields(i + 1), holderKey: HOLDER, evidence: EVIDENCE },
  }));

class Office {
  readonly tables = new MemoryTables();
  readonly clock = new RunningClock(1_000_000);
  readonly random = seededBytes(seeded(7));
  readonly troubles: NodeError[] = [];
  /** Documents that this node and all workers have hashed. */
  hashed = 0;
  readonly #stopping = new AbortController();
  readonly #running: Promise<void>[] = [];
  readonly #orders: WorkOrders[] = [];

  get modules() {
    const { clock, random, tables } = this;
    const scrypt = (password: Uint8Array) => (this.hashed++, Promise.resolve(sha256(password)));
    return { clock, random, tables, sha256, scrypt };
  }

  orders(): WorkOrders {
    const onTrouble = (error: unknown) => void this.troubles.push(error as NodeError);
    const orders = new WorkOrders({ registryKey: REGISTRY_KEY }, { ...this.modules, onTrouble });
    this.#orders.push(orders);
    return orders;
  }

  /** Works until the end; gives how many people it has prepared so far. */
  worker({ tables = this.tables, registryKey = REGISTRY_KEY } = {}): {
    readonly people: number;
    readonly ended: Promise<void>;
  } {
    const done = { people: 0, ended: Promise.resolve() };
    const onPrepared = (count: number) => (done.people += count);
    const worker = new Worker({ registryKey }, { ...this.modules, tables, onPrepared });
    done.ended = worker.run(this.#stopping.signal);
    // One that died never ends.
    if (tables === this.tables) this.#running.push(done.ended.catch(() => undefined));
    return done;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#orders.map((orders) => orders.stop()));
    this.#stopping.abort();
    await Promise.all(this.#running);
  }

  async rows(): Promise<string[]> {
    return (await this.tables.page('work/', 'work/~', { limit: 9_999 })).map(([name]) => name);
  }
}

/** Tables in which a worker dies at the call that is named: nobody hears of it again. */
class DyingTables extends MemoryTables {
  readonly #of: MemoryTables;
  /** How often somebody has died here. */
  deaths = 0;

  constructor(of: MemoryTables) {
    super();
    this.#of = of;
  }

  override page(...args: Parameters<MemoryTables['page']>) {
    return this.#of.page(...args);
  }

  override write(changes: readonly Change[]) {
    return this.#of.write(changes);
  }

  override writeIf(...args: Parameters<MemoryTables['writeIf']>) {
    return this.#of.writeIf(...args);
  }

  override get(): Promise<Uint8Array | undefined> {
    this.deaths++;
    return new Promise(() => undefined);
  }
}

function requirePrepared(prepared: readonly Prepared[], items: readonly Unprepared[]): void {
  assert.equal(prepared.length, items.length);
  const commitments = new Set<string>();
  prepared.forEach(({ commitment, openings }, i) => {
    assert.deepEqual(commitmentOf(sha256, openings), commitment);
    const { fields } = parseOpenings(encodeOpenings(openings));
    assert.equal(fields.status.expiresAtS, items[i]?.fields.status.expiresAtS);
    assert.deepEqual(fields.holderKey && [...fields.holderKey], [...HOLDER]);
    assert.deepEqual(fields.evidence && [...fields.evidence], [...EVIDENCE]);
    commitments.add(Buffer.from(commitment).toString('hex'));
  });
  assert.equal(commitments.size, items.length);
}

describe('WorkOrders', () => {
  let office: Office;
  beforeEach(() => (office = new Office()));
  afterEach(() => office.stop());

  /** Before the node looks who works. */
  const beating = async () => {
    while ((await office.tables.page(...WORKERS, { limit: 1 })).length === 0) await office.clock.wait(0);
  };

  it('prepares by itself what nobody else does, and leaves no row', async () => {
    const items = people(600);
    requirePrepared(await office.orders().prepare(items), items);
    assert.deepEqual(await office.rows(), []);
  });

  it('knows who works while nothing is ordered, and takes away what the dead have left', async () => {
    const { claim, order } = orderName(newWorkId(office.random), 0);
    const dead = workerName(newWorkId(office.random));
    await office.tables.write([claim, order, dead].map((put) => ({ put, value: bytesOf('open') })));
    office.worker();
    await beating();
    const orders = office.orders();
    assert.equal(orders.workers, 0);
    orders.start();
    const seen = new Set<number>();
    while ((await office.tables.get(dead)) !== undefined) {
      await office.clock.wait(1_000);
      seen.add(orders.workers);
    }
    assert.equal(orders.workers, 1);
    assert.ok(seen.has(2), 'a worker is dead once it has been silent for a while');
    assert.equal((await office.rows()).length, 1);
    await orders.stop();
  });

  it('counts nobody while the database is away, and goes on once it is back', async () => {
    office.worker();
    await beating();
    const orders = office.orders();
    orders.start();
    const counts = async (count: number) => {
      while (orders.workers !== count) await office.clock.wait(1_000);
    };
    await counts(1);
    const { tables } = office;
    const page = tables.page.bind(tables);
    tables.page = () => Promise.reject(registryAway(new Error('gone')));
    await counts(0);
    tables.page = page;
    await counts(1);
    assert.deepEqual(office.troubles, []);
  });

  it('gives it to workers, takes it back in order, and removes its rows', async () => {
    const [one, other] = [office.worker(), office.worker()];
    await beating();
    const items = people(5_000);
    const orders = office.orders();
    requirePrepared(await orders.prepare(items), items);
    assert.equal(one.people + other.people, 5_000);
    assert.ok(one.people > 0 && other.people > 0);
    await orders.stop();
    assert.deepEqual(await office.tables.page(...ORDERS, { limit: 9 }), []);
  });

  it('puts together what is asked for one by one, and asks nobody for little', async () => {
    const worker = office.worker();
    await beating();
    const orders = office.orders();
    const items = people(300);
    const prepared = (await Promise.all(items.map((item) => orders.prepare([item])))).flat();
    requirePrepared(prepared, items);
    assert.equal(worker.people, 300);
    requirePrepared(await orders.prepare(people(100)), people(100));
    assert.equal(worker.people, 300);
  });

  it('gives documents to workers, few together, and no hash of one is made twice', async () => {
    const worker = office.worker();
    await beating();
    const items = people(40).map((item, i) => ({
      ...item,
      document: { country: 'DE', number: `C01X${i}000` },
    }));
    const orders = office.orders();
    const prepared = await orders.prepare(items);
    requirePrepared(prepared, items);
    prepared.forEach(({ openings }, i) => {
      const { document } = parseOpenings(encodeOpenings(openings)).fields;
      const expected = sha256(Buffer.from(`entente/document/v1\nDE\nC01X${i}000`));
      assert.deepEqual(document && [...document.hash], [...expected]);
    });
    assert.deepEqual([worker.people, office.hashed], [40, 40]);
    const bound = {
      ...items[0],
      fields: { ...greenFields(), document: { salt: HOLDER.slice(16), hash: EVIDENCE } },
      document: undefined,
    };
    const [again] = await orders.prepare(Array.from({ length: 256 }, () => bound));
    assert.deepEqual(
      parseOpenings(encodeOpenings((again as Prepared).openings)).fields.document?.hash,
      EVIDENCE,
    );
    assert.equal(office.hashed, 40);
  });

  it('an order whose worker died is taken up by another, and one that two died of by the node', async () => {
    const dying = [new DyingTables(office.tables), new DyingTables(office.tables)];
    for (const tables of dying) office.worker({ tables });
    await beating();
    const items = people(256);
    requirePrepared(await office.orders().prepare(items), items);
    assert.deepEqual(
      dying.map(({ deaths }) => deaths),
      [1, 1],
    );
    assert.deepEqual(await office.tables.page(...ORDERS, { limit: 9 }), []);
    const tables = new DyingTables(office.tables);
    office.worker({ tables });
    const living = office.worker();
    await beating();
    const more = people(4_000);
    requirePrepared(await office.orders().prepare(more), more);
    assert.equal(tables.deaths, 1);
    assert.equal(living.people, 4_000);
  });

  it('prepares by itself what waits while workers say that they are there and take nothing up', async () => {
    const { tables, clock } = office;
    const isOver = new AbortController();
    let beats = 0;
    const beat = async () => {
      while (!isOver.signal.aborted) {
        await tables.write([{ put: `${WORKERS[0]}idle`, value: bytesOf(String(beats++)) }]);
        await clock.wait(1_000, isOver.signal).catch(() => undefined);
      }
    };
    const beaten = beat();
    await beating();
    const items = people(600);
    requirePrepared(await office.orders().prepare(items), items);
    isOver.abort();
    await beaten;
    assert.ok(beats >= 10, 'it waits as long as for one that says nothing');
    assert.deepEqual(await office.rows(), [`${WORKERS[0]}idle`]);
  });

  it('takes nothing of a worker that comes late, and clears nobody else’s row for it', async () => {
    const orders = office.orders();
    await office.tables.write([{ put: `${WORKERS[0]}late`, value: bytesOf('0') }]);
    const items = people(256);
    const prepared = orders.prepare(items);
    let claims: readonly (readonly [string, Uint8Array])[] = [];
    while (claims.length === 0) {
      await office.clock.wait(0);
      claims = await office.tables.page('work/claim/', 'work/claim/~', { limit: 9 });
    }
    const [claim = ''] = claims[0] ?? [];
    const order = await office.tables.get(claim.replace('claim', 'order'));
    assert.ok(order !== undefined && textOf(claims[0]?.[1] ?? bytesOf('')) === 'open');
    requirePrepared(await prepared, items);
    const holds = { name: claim, value: bytesOf('open') };
    assert.equal(await office.tables.writeIf([{ put: claim, value: bytesOf('late') }], { holds }), 'other');
  });

  it('takes nothing that is not what was ordered, and prepares it itself', async () => {
    const items = people(256);
    for (const spoil of ['nothing', 'another', 'bits'] as const) {
      const { tables } = office;
      await tables.write([{ put: `${WORKERS[0]}liar`, value: bytesOf(spoil) }]);
      const orders = office.orders();
      const prepared = orders.prepare(items);
      let claim: string | undefined;
      while (claim === undefined) {
        await office.clock.wait(0);
        [[claim] = [undefined]] = (await tables.page('work/claim/', 'work/claim/~', { limit: 1 })) as
          [string, Uint8Array][] | [];
      }
      const sealed = (await tables.get(claim.replace('claim', 'order'))) ?? bytesOf('');
      const value = { nothing: undefined, another: sealed, bits: bytesOf('bits') }[spoil];
      const changes = value === undefined ? [] : [{ put: claim.replace('claim', 'ready'), value }];
      await tables.write([...changes, { put: claim, value: bytesOf('ready') }]);
      requirePrepared(await prepared, items);
      assert.ok(['DATA_INCONSISTENT', 'REGISTRY_CORRUPT'].includes(office.troubles.pop()?.code ?? ''), spoil);
      await orders.stop();
      assert.deepEqual(await tables.page(...ORDERS, { limit: 9 }), []);
    }
  });

  it('refuses what has no encoding, and prepares what others ask for at the same time', async () => {
    const worker = office.worker();
    await beating();
    const orders = office.orders();
    const [good, bad] = [
      people(200),
      { ...people(1)[0], document: { country: 'de', number: '1' } } as Unprepared,
    ];
    const refused = assert.rejects(orders.prepare([bad]), { name: 'ProtocolError' });
    requirePrepared((await Promise.all(good.map((item) => orders.prepare([item])))).flat(), good);
    await refused;
    await assert.rejects(orders.prepare([...people(300), bad]), { name: 'ProtocolError' });
    assert.equal(worker.people, 200);
  });

  it('removes with the next order the rows of one that it could not remove', async () => {
    const worker = office.worker();
    await beating();
    const orders = office.orders();
    const items = people(256);
    let gone = 0;
    const { tables } = office;
    const write = tables.write.bind(tables);
    tables.write = (changes) => {
      const isGone = changes.some((change) => 'del' in change && change.del.startsWith('work/order/'));
      return isGone && gone++ === 0 ? Promise.reject(registryAway(undefined)) : write(changes);
    };
    requirePrepared(await orders.prepare(items), items);
    assert.equal((await tables.page(...ORDERS, { limit: 9 })).length, 3);
    requirePrepared(await orders.prepare(items), items);
    await orders.stop();
    assert.deepEqual(await tables.page(...ORDERS, { limit: 9 }), []);
    assert.equal(worker.people, 512);
  });

  it('T3: signs no commitment of a worker that is not to what was ordered, whomever of an order it is for', async () => {
    const { tables, clock, random } = office;
    await tables.write([{ put: `${WORKERS[0]}liar`, value: bytesOf('0') }]);
    const items = people(256);
    const prepared = office.orders().prepare(items);
    let claim = '';
    while (claim === '') {
      await clock.wait(0);
      claim = (await tables.page('work/claim/', 'work/claim/~', { limit: 1 }))[0]?.[0] ?? '';
    }
    const rows = new WorkRows({ registryKey: REGISTRY_KEY }, { random });
    const name = orderOfClaim(claim);
    const made = [...(await prepareHere(items, office.modules))];
    const another = commitFields(sha256, greenFields(9_999), random);
    made[200] = { ...another, openings: (made[200] as Prepared).openings };
    await tables.write([
      { put: name.ready, value: rows.ready(name, made) },
      { put: claim, value: bytesOf('ready') },
    ]);
    requirePrepared(await prepared, items);
    assert.deepEqual(
      office.troubles.map(({ code }) => code),
      ['DATA_INCONSISTENT'],
    );
  });

  it('clears away what an earlier process ordered', async () => {
    const old = ['claim', 'order', 'ready'].map((kind) => `work/${kind}/0000000000000000/00000000`);
    await office.tables.write(old.map((put) => ({ put, value: bytesOf('open') })));
    await office.tables.write([{ put: `${WORKERS[0]}one`, value: bytesOf('0') }]);
    const items = people(256);
    requirePrepared(await office.orders().prepare(items), items);
    assert.deepEqual(await office.rows(), [], 'the silent worker is forgotten too');
  });

  it('goes on by itself where the database goes away, and where it is stopped', async () => {
    office.worker();
    await beating();
    const orders = office.orders();
    const items = people(1_000);
    const prepared = orders.prepare(items);
    await office.clock.wait(0);
    office.tables.isAway = true;
    requirePrepared(await prepared, items);
    assert.equal(office.troubles[0]?.code, 'REGISTRY_AWAY');
    office.tables.isAway = false;
    const more = orders.prepare(items);
    await office.clock.wait(0);
    await orders.stop();
    requirePrepared(await more, items);
    requirePrepared(await orders.prepare(items), items);
  });

  it('a worker with another key, or of another form, ends and says why', async () => {
    const worker = office.worker({ registryKey: sha256(REGISTRY_KEY) });
    await beating();
    const items = people(256);
    const prepared = office.orders().prepare(items);
    await assert.rejects(worker.ended, isCode('REGISTRY_CORRUPT'));
    requirePrepared(await prepared, items);
  });
});
