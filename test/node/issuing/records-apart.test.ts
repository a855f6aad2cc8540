import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import { type Issuer } from '../../../node/issuing/issuer.ts';
import { isNodeError } from '../../../node/node-error.ts';
import { type Change } from '../../../node/ports.ts';
import { RegistryMark } from '../../../node/registry/registry-mark.ts';
import { attestationsOf, greenFields, RegionMachine, startRegion } from '../../support/issuing-fixture.ts';
import { MemoryTables } from '../../support/memory-tables.ts';
import { LOG_ID } from '../../support/region-fixture.ts';

const isCode = (code: string) => (error: unknown) => isNodeError(error) && error.code === code;

/** A region whose records are apart from its store. */
class ApartMachine extends RegionMachine {
  override tables = new MemoryTables();
  /** Whose codes were taken back. */
  readonly takenBack: string[] = [];
  readonly troubles: unknown[] = [];

  start() {
    const takeBack = (_: unknown, subjects: readonly string[]) =>
      Promise.resolve(void this.takenBack.push(...subjects));
    const onTrouble = (error: unknown) => void this.troubles.push(error);
    return startRegion(this, { retryMs: 1 }, { takeBack, onTrouble });
  }
}

/** A row beside that of the code, as the lives of colours note it. */
const noteOf =
  (subject: string) =>
  (place: { readonly index: number }): Change[] => [
    { put: `life/${subject}`, value: Buffer.from(`${place.index}`) },
  ];

/** Each leaf of the log has its record, and nobody has a record of what is no leaf. */
async function audit(machine: ApartMachine, subjects: readonly string[]): Promise<void> {
  const { registry, treeOf, issuer, stop } = await machine.start();
  await issuer.issue({ subject: 'last', fields: greenFields() });
  const leaves = await attestationsOf(await treeOf(LOG_ID));
  const held = new Set<number>();
  for (const subject of [...subjects, 'last'])
    for (const { index } of await registry.ofSubject(subject)) {
      assert.ok(!held.has(index) && index < leaves.length, `${subject} ${index}`);
      held.add(index);
    }
  assert.equal(held.size, leaves.length);
  let pages = 0;
  for await (const record of registry.ofLog(LOG_ID)) assert.equal(record.index, pages++);
  assert.equal(pages, leaves.length);
  await stop();
}

/** Each try waits for the one before to be refused, and the issuer looks for the database every millisecond. */
async function issuedOnceBack(issuer: Issuer, subject: string): Promise<void> {
  for (;;) {
    try {
      return void (await issuer.issue({ subject, fields: greenFields() }));
    } catch (error) {
      assert.ok(isNodeError(error) && error.retry, String(error));
      await setImmediate();
    }
  }
}

describe('RecordsApart', () => {
  for (const what of ['away', 'crash'] as const)
    for (const when of ['before', 'after'] as const)
      it(`${what} ${when} each write of records: no leaf is without its record, no record without its leaf`, async () => {
        const subjects = ['a', 'b', 'c', 'd', 'e'];
        for (let write = 1, isThrough = false; !isThrough; write++) {
          const machine = new ApartMachine({ seed: write });
          machine.tables.plan({ write, when, what });
          const crashed = new Promise<void>((resolve) => (machine.tables.onCrash = resolve));
          const issued: string[] = [];
          const running = (async () => {
            const { issuer, stop } = await machine.start();
            const issue = async (subject: string) => {
              await issuer.issue({ subject, fields: greenFields(), also: noteOf(subject) });
              issued.push(subject);
            };
            for (const some of [['a', 'b', 'c'], ['d'], ['e']]) await Promise.allSettled(some.map(issue));
            await stop();
          })();
          await Promise.race([running, crashed.then(() => machine.medium.crash())]);
          isThrough = machine.tables.writes < write;
          const given = [...issued];
          machine.tables.plan(undefined);
          await audit(machine, subjects);
          const { registry, stop } = await machine.start();
          for (const subject of given) assert.equal((await registry.ofSubject(subject)).length, 1, subject);
          const isWhole = machine.takenBack.every((subject) => !given.includes(subject));
          assert.ok(isWhole, 'what was given out is not taken back');
          await stop();
        }
      });

  it('takes back what was noted of a batch that was never staged, before anything is staged in its place', async () => {
    const machine = new ApartMachine();
    const first = await machine.start();
    await first.issuer.issue({ subject: 'a', fields: greenFields() });
    const { medium } = machine;
    medium.plan({ write: medium.counters.writes + 1, when: 'before', what: 'crash' });
    void first.issuer
      .issueAll(['b', 'c'].map((subject) => ({ subject, fields: greenFields() })))
      .catch(() => undefined);
    await machine.crashed;
    machine.watch();
    const next = await machine.start();
    assert.deepEqual(machine.takenBack.sort(), ['b', 'c']);
    const [trouble, ...others] = machine.troubles;
    assert.deepEqual(others, []);
    assert.ok(isNodeError(trouble, 'LOG_NOT_WRITTEN') && /2 people .* from 1 on/.test(trouble.message));
    const { index } = await next.issuer.issue({ subject: 'd', fields: greenFields() });
    assert.equal(index, 1);
    assert.deepEqual(await next.registry.ofSubject('b'), []);
    assert.equal((await next.registry.atPlace({ log: LOG_ID, index: 1 }))?.subject, 'd');
    assert.equal(await next.registry.atPlace({ log: LOG_ID, index: 2 }), undefined);
    await next.stop();
  });

  it('while the database is away nobody gets a code, revocations go on, and then all goes on by itself', async () => {
    const machine = new ApartMachine();
    const { issuer, revoker, treeOf, stop } = await machine.start();
    await issuer.issue({ subject: 'a', fields: greenFields() });
    machine.tables.isAway = true;
    await assert.rejects(issuer.issue({ subject: 'b', fields: greenFields() }), isCode('REGISTRY_AWAY'));
    await revoker.revoke({ log: LOG_ID, indexes: [0] });
    assert.equal((await treeOf(LOG_ID)).size, 1);
    machine.tables.isAway = false;
    await issuedOnceBack(issuer, 'b');
    await stop();
    await audit(machine, ['a', 'b']);
  });

  it('a region whose database is away starts, and issues once it is there', async () => {
    const machine = new ApartMachine();
    machine.tables.isAway = true;
    const { issuer, stop } = await machine.start();
    await assert.rejects(issuer.issue({ subject: 'a', fields: greenFields() }), isCode('REGISTRY_AWAY'));
    machine.tables.isAway = false;
    await issuedOnceBack(issuer, 'a');
    await stop();
  });

  /** It starts, since other months may be whole, and refuses what goes into the log that lacks entries. */
  async function issuesNothing(machine: ApartMachine): Promise<void> {
    const { issuer, stop } = await machine.start();
    await assert.rejects(issuer.issue({ subject: 'x', fields: greenFields() }), isCode('LOG_BEHIND'));
    await stop();
  }

  it('writes nothing once another process has taken over, and removes nothing by an older copy of the log', async () => {
    const machine = new ApartMachine();
    const first = await machine.start();
    for (const subject of ['a', 'b', 'c']) await first.issuer.issue({ subject, fields: greenFields() });
    await first.stop();
    const older = new ApartMachine();
    older.tables = machine.tables;
    const rows = machine.tables.writes;
    await issuesNothing(older);
    assert.equal(machine.tables.writes, rows);
    const held = await machine.start();
    const another = Uint8Array.of(0x82, 0x41, 1, 3);
    await machine.tables.write([{ put: `registry/writer/${LOG_ID}`, value: another }]);
    await assert.rejects(
      held.issuer.issue({ subject: 'd', fields: greenFields() }),
      isCode('REGISTRY_TAKEN'),
    );
    assert.deepEqual(await held.registry.ofSubject('d'), []);
    const later = machine.tables.writes;
    await assert.rejects(
      held.issuer.issue({ subject: 'e', fields: greenFields() }),
      (error) => isNodeError(error, 'REGISTRY_TAKEN') && error.fatal,
    );
    assert.equal(machine.tables.writes, later, 'nothing is taken back until it is started again');
    assert.deepEqual(await machine.tables.get(`registry/writer/${LOG_ID}`), another);
    await held.stop();
    const again = await machine.start();
    await again.issuer.issue({ subject: 'd', fields: greenFields() });
    await again.stop();
  });

  it('issues nothing on a database that has lost what it acknowledged, until that is accepted', async () => {
    const machine = new ApartMachine();
    const { tables } = machine;
    const first = await machine.start();
    await first.issuer.issue({ subject: 'a', fields: greenFields() });
    const backup = tables.copy();
    await first.issuer.issue({ subject: 'b', fields: greenFields() });
    await first.stop();
    const newest = tables.copy();
    tables.putBack(backup);
    await assert.rejects(machine.start(), (error) => isNodeError(error, 'REGISTRY_BEHIND') && error.fatal);
    assert.deepEqual(tables.copy(), backup, 'nothing of it is changed');
    machine.medium.crash();
    tables.putBack(newest);
    await (await machine.start()).stop();
    tables.putBack(backup);
    const store = await machine.openStore();
    await new RegistryMark({ store, tables }).accept();
    await store.stop();
    const again = await machine.start();
    const { index } = await again.issuer.issue({ subject: 'c', fields: greenFields() });
    assert.equal(index, 2);
    assert.deepEqual(await again.registry.ofSubject('b'), []);
    assert.equal((await again.registry.ofSubject('c')).length, 1);
    await again.stop();
  });

  it('finds by its count a database that lost what was no code', async () => {
    const machine = new ApartMachine();
    const { tables } = machine;
    const { store, stop } = await machine.start();
    const mark = new RegistryMark({ store, tables });
    await mark.raise();
    const backup = tables.copy();
    await mark.raise();
    await mark.require();
    tables.putBack(backup);
    await assert.rejects(mark.require(), isCode('REGISTRY_BEHIND'));
    await assert.rejects(mark.raise(), isCode('REGISTRY_BEHIND'));
    await stop();
    await assert.rejects(machine.start(), isCode('REGISTRY_BEHIND'));
  });

  it('takes no count for lost that is raised while it looks', async () => {
    const { store, stop } = await new ApartMachine().start();
    const raised = new (class extends MemoryTables {
      override async get(name: string) {
        const value = await super.get(name);
        const raiseOnce = raise;
        raise = undefined;
        await raiseOnce?.();
        return value;
      }
    })();
    let raise: (() => Promise<void>) | undefined = () => mark.raise();
    const mark = new RegistryMark({ store, tables: raised });
    await mark.require();
    assert.equal(raise, undefined);
    await stop();
  });

  it('a log that lacks what the database knows of keeps the other months from nothing, and is told of once', async () => {
    const machine = new ApartMachine();
    const first = await machine.start();
    await first.issuer.issue({ subject: 'a', fields: greenFields() });
    await first.stop();
    const older = new ApartMachine();
    older.tables = machine.tables;
    older.clock.nowAtMs = Date.UTC(2026, 11, 1, 12);
    const { issuer, treeOf, stop } = await older.start();
    const { log } = await issuer.issue({ subject: 'b', fields: greenFields(24 * 40) });
    assert.equal(log, '2026-12');
    await issuer.tend();
    await issuer.renew();
    assert.deepEqual(
      older.troubles.map((error) => isNodeError(error) && error.code),
      ['LOG_BEHIND'],
    );
    const { size, head } = await treeOf(LOG_ID);
    assert.deepEqual([size, head.signed, head.sealed], [0, undefined, false]);
    await stop();
  });

  it('removes nothing by a copy of the log that lacks the last batch alone', async () => {
    const machine = new ApartMachine();
    const first = await machine.start();
    await first.issuer.issue({ subject: 'a', fields: greenFields() });
    await first.stop();
    const older = new ApartMachine();
    older.tables = machine.tables;
    await issuesNothing(older);
    const again = await machine.start();
    assert.equal((await again.registry.ofSubject('a')).length, 1);
    await again.stop();
  });
});
