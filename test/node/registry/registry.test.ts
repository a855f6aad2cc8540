import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { commitFields, type Openings } from '../../../protocol/code/openings.ts';
import { MANUAL_RULE_ID } from '../../../protocol/disclosure/override.ts';
import { isNodeError } from '../../../node/node-error.ts';
import { type Change } from '../../../node/ports.ts';
import { type ForgetOrder } from '../../../node/registry/forgotten-rows.ts';
import { Pointers } from '../../../node/registry/pointers.ts';
import { DossierShelf } from '../../../node/life/dossier-shelf.ts';
import { Pseudonyms, pseudonymsOfPeople } from '../../../node/registry/pseudonyms.ts';
import { Registry, type RegistryBatch } from '../../../node/registry/registry.ts';
import { derivedKey } from '../../../node/registry/sealer.ts';
import { requireSubject } from '../../../node/registry/record-page.ts';
import { type Place } from '../../../node/registry/place-cipher.ts';
import { type PrivateTables } from '../../../node/registry/private-tables.ts';
import { type Store } from '../../../node/store/store.ts';
import { storeError } from '../../../node/store/store-error.ts';
import { storeInDirectory } from '../../../node/store/store-directory.ts';
import { systemClock } from '../../../node/system-clock.ts';
import { systemRandom } from '../../../node/system-random.ts';
import { greenFields, REGISTRY_KEY } from '../../support/issuing-fixture.ts';
import { Machine } from '../../support/log-fixture.ts';
import { MemoryTables } from '../../support/memory-tables.ts';
import { START_S } from '../../support/region-fixture.ts';
import { sha256 } from '../../support/primitives.ts';
import { temporaryFolders } from '../../support/temporary.ts';
import { describeOnAllTables } from '../../support/tables.ts';

const random = systemRandom();
const LOG = '2026-11';
const HOUR = 498_000;
const BASIS = Uint8Array.of(1, 2, 3);
const openings = (hours = 24): Openings => commitFields(sha256, greenFields(hours), random).openings;

function batch(index: number, subjects: readonly (string | undefined)[], log = LOG): RegistryBatch {
  const entries = subjects.map((subject) =>
    subject === undefined ? undefined : { subject, openings: openings() },
  );
  return { log, index, hour: HOUR, entries };
}

async function openRegistry(): Promise<{
  store: Store;
  tables: PrivateTables;
  registry: Registry;
}> {
  const machine = new Machine();
  const store = await machine.openStore();
  const tables = machine.tables ?? store;
  return { store, tables, registry: await Registry.open({ key: REGISTRY_KEY }, { tables, random }) };
}

const persons = (count: number) => Array.from({ length: count }, (_, i) => `person ${i}`);

/** Refuses each page with a row of this pseudonym, as a store refuses a damaged one. */
function damagedAt(tables: PrivateTables, pseudonym: string): PrivateTables {
  return new Proxy(tables, {
    get: (target, name): unknown =>
      name !== 'page'
        ? Reflect.get(target, name)
        : async (...range: Parameters<PrivateTables['page']>) => {
            const page = await target.page(...range);
            const isMet = page.some(([row]) => row.includes(pseudonym));
            if (isMet) throw storeError('VALUE_CORRUPT', 'a row is damaged');
            return page;
          },
  });
}

/** Counts pages of records that are read, and trips for them. */
function countingPages(tables: PrivateTables, read: { pages: number; trips: number }): PrivateTables {
  return new Proxy(tables, {
    get: (target, name) => {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== 'function') return member;
      return async (...args: [string | readonly string[]]) => {
        const [names] = args;
        const isOfPages = [names].flat()[0]?.startsWith('registry/page/') === true;
        const answer: unknown = await member.apply(target, args);
        if (!isOfPages || (name !== 'page' && name !== 'getMany')) return answer;
        read.trips++;
        read.pages += (answer as unknown[]).filter((one) => one !== undefined).length;
        return answer;
      };
    },
  });
}

describeOnAllTables('Registry', () => {
  it('finds a record by person and by place, with what opens the attestation', async () => {
    const { store, tables, registry } = await openRegistry();
    const given = batch(250, [...persons(150), undefined, 'last']);
    await tables.write(registry.changes(given));
    for (const i of [0, 5, 6, 63, 64, 149, 151]) {
      const entry = given.entries[i];
      assert.ok(entry);
      const record = await registry.atPlace({ log: LOG, index: 250 + i });
      assert.ok(record);
      assert.equal(record.subject, entry.subject);
      assert.deepEqual([record.log, record.index, record.hour], [LOG, 250 + i, HOUR]);
      assert.deepEqual(record.openings, entry.openings);
      assert.deepEqual(record.fields.status, { ...greenFields().status, untilS: undefined });
      assert.deepEqual(await registry.ofSubject(entry.subject), [record]);
    }
    await store.stop();
  });

  it('finds nothing at the places beside, in other logs and for others', async () => {
    const { store, tables, registry } = await openRegistry();
    await tables.write(registry.changes(batch(250, ['a', undefined, 'b'])));
    await tables.write(registry.changes(batch(600, ['c'])));
    for (const index of [0, 249, 251, 253, 314, 599, 601, 2 ** 40 - 1]) {
      assert.equal(await registry.atPlace({ log: LOG, index }), undefined, String(index));
    }
    for (const log of ['2026-12', '2026-11.1', '2026-10']) {
      assert.equal(await registry.atPlace({ log, index: 250 }), undefined);
    }
    for (const subject of ['', 'A', 'a ', 'ab']) assert.deepEqual(await registry.ofSubject(subject), []);
    await store.stop();
  });

  it('has all of a person, over batches and logs, in their order', async () => {
    const { store, tables, registry } = await openRegistry();
    await tables.write(registry.changes(batch(70, ['x', 'me', 'me'])));
    await tables.write(registry.changes(batch(0, ['me'], '2026-12')));
    await tables.write(registry.changes(batch(3, ['me'], '2026-11.1')));
    await tables.write(registry.changes(batch(73, [...persons(100), 'me'])));
    assert.deepEqual(
      (await registry.ofSubject('me')).map(({ log, index }) => `${log}/${index}`),
      ['2026-11/71', '2026-11/72', '2026-11/173', '2026-11.1/3', '2026-12/0'],
    );
    await store.stop();
  });

  it('has what runs of many people at once, and nothing that has expired', async () => {
    const { store, tables, registry } = await openRegistry();
    const entries = [24, 1, 24].map((hours, i) => ({ subject: `p${i % 2}`, openings: openings(hours) }));
    await tables.write(registry.changes({ log: LOG, index: 0, hour: HOUR, entries }));
    const indexes = async (atS: number) =>
      (await registry.runningOf(['p0', 'p1'], atS)).map((own) => own.map(({ index }) => index));
    assert.deepEqual(await indexes(START_S + 3_599), [[0, 2], [1]]);
    assert.deepEqual(await indexes(START_S + 3_600), [[0, 2], []]);
    await store.stop();
  });

  it('gives the records of batches again with the marks of codes that no rule gave, and what they rest on', async () => {
    const { store, registry, tables } = await openRegistry();
    const { status } = greenFields();
    const byHand = commitFields(sha256, { status: { ...status, ruleId: MANUAL_RULE_ID } }, random).openings;
    const entries = [
      { subject: 'a', openings: openings() },
      { subject: 'b', openings: byHand, isManual: true, basis: Uint8Array.of(1) },
    ];
    const changes = registry.changes({ log: LOG, index: 0, hour: HOUR, entries });
    await tables.write(changes);
    const again = await registry.recordsOf({ log: LOG, index: 0, count: 2 });
    const keysOf = (all: readonly Change[]) => all.map((change) => ('put' in change ? change.put : ''));
    assert.deepEqual(keysOf(again), keysOf(changes));
    await store.stop();
  });

  it('has all of many people at once, each as alone, and opens a page that they share once', async () => {
    const { store, tables, registry } = await openRegistry();
    await tables.write(registry.changes(batch(70, ['x', 'me', undefined, ...persons(150)])));
    await tables.write(registry.changes(batch(0, ['me', 'person 3'], '2026-12')));
    await tables.write(registry.changes(batch(223, ['me', 'x'])));
    const asked = [...persons(150), 'nobody', 'me', 'x', 'me'];
    const read = { pages: 0, trips: 0 };
    const counting = await Registry.open(
      { key: REGISTRY_KEY },
      { tables: countingPages(tables, read), random },
    );
    const found = await counting.runningOf(asked, 0);
    assert.deepEqual(found, await Promise.all(asked.map((subject) => registry.ofSubject(subject))));
    assert.deepEqual(
      found.at(-1)?.map(({ log, index }) => `${log}/${index}`),
      ['2026-11/71', '2026-11/223', '2026-12/0'],
    );
    assert.equal(read.pages, 5, 'three of the first batch, and one of each other');
    const places = [223, 71, 4_000, 71].map((index) => ({ log: LOG, index }));
    read.pages = 0;
    assert.deepEqual(
      (await counting.atPlaces(places)).map((record) => record?.index),
      [223, 71, undefined, 71],
    );
    assert.ok(read.pages <= 3, `${read.pages} pages for two and what is nobody's`);
    assert.deepEqual(await counting.runningOf([], 0), []);
    read.pages = 0;
    assert.deepEqual(
      await counting.runningOf(asked, START_S + 120 * 86_400),
      asked.map(() => []),
    );
    assert.equal(read.pages, 0, 'no code of these months can count by then');
    const later = await counting.runningOf(asked, 0, ({ log }) => log !== LOG);
    assert.deepEqual(
      later.flat().map(({ log, subject }) => `${log} ${subject}`),
      ['2026-12 person 3', '2026-12 me', '2026-12 me'],
    );
    assert.equal(read.pages, 1, 'of what is not wanted no page is opened');
    await store.stop();
  });

  it('has at many places what it has at each, whatever the sizes of batches, and pages that follow each other by few trips', async () => {
    const { store, tables, registry } = await openRegistry();
    const places: Place[] = [];
    const opened = openings();
    const basisAt = (index: number) => (index % 5 === 0 ? undefined : Uint8Array.of(index % 251, 7));
    for (const log of ['2026-11', '2026-11.1']) {
      let index = 0;
      for (const size of [1, 1, 64, 3, 65, 320, 2, 130, 1]) {
        const subjects = Array.from({ length: size }, (_, i) => (i % 9 === 4 ? undefined : `${log} ${i}`));
        const from = index;
        const entries = subjects.map((subject, i) =>
          subject === undefined ? undefined : { subject, openings: opened, basis: basisAt(from + i) },
        );
        await tables.write(registry.changes({ log, index, hour: HOUR, entries }));
        for (let i = 0; i < size; i += 1 + (i % 3)) places.push({ log, index: index + i });
        index += size;
      }
      places.push({ log, index: index + 3 }, { log, index: index + 90 });
    }
    places.push({ log: '2026-12', index: 0 }, ...places.slice(0, 7));
    // In no order.
    places.sort((a, b) => ((a.index * 7_919) % 613) - ((b.index * 7_919) % 613));
    const read = { pages: 0, trips: 0 };
    const counting = await Registry.open(
      { key: REGISTRY_KEY },
      { tables: countingPages(tables, read), random },
    );
    const found = await counting.atPlaces(places);
    assert.deepEqual(found, await Promise.all(places.map((place) => registry.atPlace(place))));
    const bases = await counting.basesAt(places);
    assert.deepEqual(
      bases.map((basis) => basis && [...basis]),
      found.map((record) => record && basisAt(record.index)).map((basis) => basis && [...basis]),
    );
    assert.ok(bases.filter((basis) => basis !== undefined).length > 100);
    const side = Array.from({ length: 40 * 64 }, (_, i) => ({ log: '2026-10', index: i }));
    const entries = side.map((_, i) => ({ subject: `person ${i}`, openings: opened }));
    await tables.write(registry.changes({ log: '2026-10', index: 0, hour: HOUR, entries }));
    Object.assign(read, { pages: 0, trips: 0 });
    await counting.atPlaces(side);
    assert.deepEqual(read, { pages: 40, trips: 2 });
    await store.stop();
  });

  it('reads past what is damaged on pages that are nobody of those asked for', async () => {
    const { store, tables, registry } = await openRegistry();
    // Where the page of 200 would begin, had the one before been full.
    const subjects = ['a', 'b', 'c', 'd', 'e'];
    const indexes = [0, 70, 140, 200, 270];
    for (const [i, index] of indexes.entries())
      await tables.write(registry.changes(batch(index, [subjects[i]])));
    await tables.write(registry.changes(batch(192, ['damaged'])));
    await tables.write([{ put: `registry/page/${LOG}/0000000000192`, value: Uint8Array.of(1) }]);
    const found = await registry.atPlaces(indexes.map((index) => ({ log: LOG, index })));
    assert.deepEqual(
      found.map((record) => record?.subject),
      subjects,
    );
    await assert.rejects(
      registry.atPlaces([0, 70, 140, 192].map((index) => ({ log: LOG, index }))),
      (error) => isNodeError(error, 'REGISTRY_CORRUPT'),
    );
    await store.stop();
  });

  it('names the logs of which it has records, each once, replacements of a month too', async () => {
    const { store, tables, registry } = await openRegistry();
    const named = async () => {
      const logs: string[] = [];
      for await (const log of registry.logs()) logs.push(log);
      return logs.sort();
    };
    assert.deepEqual(await named(), []);
    await tables.write(registry.changes(batch(0, persons(200))));
    for (const log of ['2026-11.1', '2026-11.9', '2027-01'])
      await tables.write(registry.changes(batch(70, ['a'], log)));
    assert.deepEqual(await named(), ['2026-11', '2026-11.1', '2026-11.9', '2027-01']);
    await store.stop();
  });

  it('T25 forgets a person: record and pointer are gone, those of others stay', async () => {
    const { store, tables, registry } = await openRegistry();
    await tables.write(registry.changes(batch(0, ['a', 'me', 'b', 'me'])));
    await tables.write(registry.changes(batch(4, ['me'])));
    await Promise.all([registry.forget('me'), registry.forget('b')]);
    assert.deepEqual(await registry.ofSubject('me'), []);
    for (const index of [1, 2, 3, 4]) assert.equal(await registry.atPlace({ log: LOG, index }), undefined);
    assert.equal((await registry.ofSubject('a')).length, 1);
    assert.equal((await tables.page('registry/held/', 'registry/held0', { limit: 9 })).length, 1);
    await registry.forget('nobody');
    await store.stop();
  });

  it('T25 notes for another machine what it is to forget, which forgets that place of that person alone', async () => {
    const [here, there] = [await openRegistry(), await openRegistry()];
    const manual = batch(4, ['me']);
    const entries = manual.entries.map((entry) => entry && { ...entry, isManual: true, basis: BASIS });
    for (const { tables, registry } of [here, there]) {
      await tables.write(registry.changes(batch(0, ['a', 'me'])));
      await tables.write(registry.changes({ ...manual, entries }));
    }
    await here.registry.forget('me', { forOtherAtS: AT_S });
    const orders: ForgetOrder[] = [];
    for await (const order of here.registry.forgotten.all(assert.fail)) {
      assert.equal(order.place.log, LOG);
      orders.push(order);
    }
    assert.deepEqual([orders.length, await here.registry.forgotten.count()], [2, 2]);
    const marks = () => there.tables.page('registry/manual/', 'registry/manual0', { limit: 9 });
    const places = async () => (await there.registry.ofSubject('me')).map(({ index }) => index);
    const { papers } = there.registry;
    const kept = { ...papers.namesOf({ name: 'ME', birthDate: '1990-05-17' }), sinceHour: 0 };
    const pseudonym = pseudonymsOfPeople(REGISTRY_KEY)('me');
    const borne = new Map([[kept.person ?? '', pseudonym]]);
    assert.ok(await papers.keep(new Map([[pseudonym, kept]]), borne, new Set([pseudonym])));
    const left: number[] = [];
    for (const [i, order] of orders.entries()) {
      for (let times = 0; times < 2; times++)
        await there.registry.forgetNamed(order.name, { isCounted: () => false });
      left.push((await places()).length);
      assert.equal((await marks()).length, 1 - i);
      assert.deepEqual(
        [await papers.isThere('me'), (await papers.bearersOf([...borne.keys()]))[0]],
        i === 0 ? [true, pseudonym] : [false, undefined],
      );
    }
    assert.deepEqual(left, [1, 0]);
    assert.equal((await there.tables.page('registry/held/', 'registry/held0', { limit: 9 })).length, 1);
    assert.equal((await there.registry.ofSubject('a')).length, 1);
    assert.equal(await there.registry.basisOf({ log: LOG, index: 4 }), undefined);
    const uncounted: number[] = [];
    for await (const { index } of there.registry.uncounted({ log: LOG, from: 0, until: 9 }))
      uncounted.push(index);
    assert.deepEqual(uncounted, [1, 4]);
    for (const { name } of orders) await here.registry.forgotten.drop(name);
    assert.equal(await here.registry.forgotten.count(), 0);
    await here.store.stop();
    await there.store.stop();
  });

  it("T25 forgets by name nothing that is somebody else's by now, and refuses what is no name", async () => {
    const [here, there] = [await openRegistry(), await openRegistry()];
    await here.tables.write(here.registry.changes(batch(0, ['me'])));
    await there.tables.write(there.registry.changes(batch(0, ['you'])));
    await here.registry.forget('me', { forOtherAtS: AT_S });
    for await (const { name } of here.registry.forgotten.all(assert.fail)) {
      await there.registry.forgetNamed(name, { isCounted: () => true });
      for (const bad of ['', name.slice(1), name.slice(0, -2), `${name.slice(0, -2)}00`, `${name}/`])
        await assert.rejects(there.registry.forgetNamed(bad, { isCounted: () => true }), (error) =>
          isNodeError(error, 'REGISTRY_CORRUPT'),
        );
    }
    assert.equal((await there.registry.ofSubject('you')).length, 1);
    await here.store.stop();
    await there.store.stop();
  });

  it('T25 takes an order of forgetting, and its answer, only from whoever has its key, and none that came back', async () => {
    const [here, there] = [await openRegistry(), await openRegistry()];
    const stranger = await Registry.open(
      { key: new Uint8Array(32).fill(9) },
      { tables: new MemoryTables(), random },
    );
    await here.tables.write(here.registry.changes(batch(0, ['me', 'you'])));
    for (const subject of ['me', 'you']) await here.registry.forget(subject, { forOtherAtS: AT_S });
    const orders: ForgetOrder[] = [];
    for await (const order of here.registry.forgotten.all(assert.fail)) orders.push(order);
    const [order, other] = orders;
    assert.ok(order !== undefined && other !== undefined);
    const { name, value } = order;
    assert.equal(here.registry.forgotten.notedAtS(order), AT_S);
    assert.deepEqual(value.slice(24), proofOf('forget', name, value));
    const { forgotten } = there.registry;
    assert.ok(forgotten.isFromOther(order));
    assert.ok(!here.registry.forgotten.isFromOther(order), 'its own, handed back');
    assert.ok(!stranger.forgotten.isFromOther(order));
    for (let at = 0; at < value.length; at++) {
      const bad = Uint8Array.from(value, (byte, i) => (i === at ? byte ^ 1 : byte));
      assert.ok(!forgotten.isFromOther({ name, value: bad }), `${at}`);
    }
    for (const bad of [value.subarray(1), new Uint8Array(0), new Uint8Array(56), Uint8Array.of(...value, 0)])
      assert.ok(!forgotten.isFromOther({ name, value: bad }));
    assert.ok(!forgotten.isFromOther({ name: other.name, value }));
    const answer = forgotten.answerTo(order);
    assert.deepEqual(Uint8Array.from(answer), proofOf('forgot', name, value));
    const isAnswer = (bytes: Uint8Array, of = order) => here.registry.forgotten.isAnswer(of, bytes);
    assert.ok(isAnswer(answer));
    for (const bad of [
      new Uint8Array(0),
      answer.subarray(1),
      Uint8Array.from(answer, (byte) => byte ^ 1),
      value.subarray(24),
      stranger.forgotten.answerTo(order),
      forgotten.answerTo({ name, value: other.value.map((byte) => byte ^ 1) }),
    ])
      assert.ok(!isAnswer(bad));
    assert.ok(!isAnswer(answer, other));
    assert.ok(!forgotten.isAnswer(order, answer), 'it asked for nothing');
    await here.store.stop();
    await there.store.stop();
  });

  it('walks past people who are not asked for, and finds all of whoever is, also of one who has many', async () => {
    const { store, tables, registry } = await openRegistry();
    const subjects = [...persons(400), ...persons(400).filter((_, i) => i % 3 === 0)];
    await tables.write(registry.changes(batch(0, [...subjects, ...Array<string>(300).fill('person 7')])));
    const indexes = (subject: string) =>
      [...subjects, ...Array<string>(300).fill('person 7')].flatMap((one, i) => (one === subject ? [i] : []));
    for (const every of [1, 2, 60, 399]) {
      const some = [...persons(400).filter((_, i) => i % every === 0), 'person 7', 'nobody'];
      const found = await registry.runningOf(some, START_S);
      assert.deepEqual(
        found.map((own) => own.map(({ index }) => index)),
        some.map(indexes),
      );
    }
    await store.stop();
  });

  it('asks for the places of people who follow each other in few trips, in the order of their dossiers', async () => {
    const { store, tables, registry } = await openRegistry();
    const subjects = persons(512);
    await tables.write(registry.changes(batch(0, subjects)));
    let trips = 0;
    const counted = new Proxy(tables, {
      get: (target, name) => {
        if (name === 'page') trips++;
        const member: unknown = Reflect.get(target, name);
        return typeof member === 'function' ? (member.bind(target) as unknown) : member;
      },
    });
    const places = await new Pointers(REGISTRY_KEY, counted).of(subjects);
    assert.deepEqual(
      places.map(([place]) => place?.index),
      subjects.map((_, i) => i),
    );
    assert.ok(trips < 100, String(trips));
    const shelf = new DossierShelf({ key: REGISTRY_KEY }, { tables, random });
    const rows = await tables.page('registry/held/', 'registry/held0', { limit: 512 });
    assert.deepEqual(
      rows.map(([name]) => name.split('/')[2]),
      subjects.map(shelf.pseudonymOf).sort(),
    );
    await store.stop();
  });

  it('finds whoever is asked for beside a damaged row of somebody else, and says so of their own', async () => {
    const { store, tables, registry } = await openRegistry();
    const subjects = persons(200);
    await tables.write(registry.changes(batch(0, subjects)));
    const pseudonymOf = pseudonymsOfPeople(REGISTRY_KEY);
    const [first = '', damaged = '', ...others] = subjects.toSorted((a, b) =>
      pseudonymOf(a) < pseudonymOf(b) ? -1 : 1,
    );
    const pointers = new Pointers(REGISTRY_KEY, damagedAt(tables, pseudonymOf(damaged)));
    const sound = [first, ...others];
    assert.deepEqual(
      (await pointers.of(sound)).map(([place]) => place?.index),
      sound.map((subject) => subjects.indexOf(subject)),
    );
    await assert.rejects(pointers.of(subjects), (error) => isNodeError(error, 'VALUE_CORRUPT'));
    await store.stop();
  });

  it('finds whoever is asked for where the first row of older software is damaged, which is of somebody else', async () => {
    const { store, tables, registry } = await openRegistry();
    const older = new Pseudonyms(derivedKey(REGISTRY_KEY, 'subject'));
    const subjects = persons(20);
    const changes = registry.changes(batch(0, subjects));
    const rows = subjects.map((subject, i) => {
      const change = changes[i];
      assert.ok(change !== undefined && 'put' in change);
      const name = change.put.split('/')[3] ?? '';
      return { put: `registry/subject/${older.of(subject)}/${name}`, value: new Uint8Array(0) };
    });
    await tables.write([...rows, ...changes.slice(subjects.length)]);
    const [damaged = '', ...sound] = subjects.toSorted((a, b) => (older.of(a) < older.of(b) ? -1 : 1));
    const pointers = new Pointers(REGISTRY_KEY, damagedAt(tables, older.of(damaged)));
    assert.deepEqual(
      (await pointers.of(sound)).map(([place]) => place?.index),
      sound.map((subject) => subjects.indexOf(subject)),
    );
    await assert.rejects(pointers.of([damaged]), (error) => isNodeError(error, 'VALUE_CORRUPT'));
    await store.stop();
  });

  it('reads what older software wrote of whom attestations are, and forgets that too', async () => {
    const { store, tables, registry } = await openRegistry();
    const older = new Pseudonyms(derivedKey(REGISTRY_KEY, 'subject'));
    const first = registry.changes(batch(0, ['me', 'other']));
    await tables.write(first);
    for (const [i, subject] of ['me', 'other'].entries()) {
      const change = first[i];
      assert.ok(change !== undefined && 'put' in change);
      const name = `registry/subject/${older.of(subject)}/${change.put.split('/')[3] ?? ''}`;
      await tables.write([
        { put: name, value: new Uint8Array(0) },
        ...(i === 0 ? [{ del: change.put }] : []),
      ]);
    }
    await tables.write(registry.changes(batch(2, ['me'])));
    const found = async () =>
      (await registry.runningOf(['me', 'other'], START_S)).map((own) => own.map(({ index }) => index));
    assert.deepEqual(await found(), [[0, 2], [1]]);
    await registry.forget('me');
    assert.deepEqual(await found(), [[], [1]]);
    assert.equal((await tables.page('registry/subject/', 'registry/subject0', { limit: 9 })).length, 1);
    await store.stop();
  });

  it('holds records of every length that there is', async () => {
    const { store, tables, registry } = await openRegistry();
    const bytes = new Uint8Array(32).fill(7);
    const status = {
      colour: 'red',
      measure: 'isolate',
      untilS: 2 ** 53 - 1,
      expiresAtS: 2 ** 53 - 1,
      ruleId: 'r'.repeat(32),
      ruleVersion: 2 ** 53 - 1,
    } as const;
    const document = { salt: bytes.subarray(16), hash: bytes };
    const longest = commitFields(
      sha256,
      { status, holderKey: bytes, document, evidence: bytes },
      random,
    ).openings;
    const subject = '界'.repeat(21) + 'x';
    await tables.write(
      registry.changes({ log: LOG, index: 9, hour: HOUR, entries: [{ subject, openings: longest }] }),
    );
    const [record] = await registry.ofSubject(subject);
    assert.deepEqual(record?.fields.status, status);
    await store.stop();
  });

  it('T23 seals pages of one length whatever the records say', async () => {
    const { store, registry } = await openRegistry();
    const lengths = new Set<number>();
    for (const [i, subject] of ['a', 'b'.repeat(64), undefined].entries()) {
      const changes = registry.changes(batch(i, [subject]));
      const page = changes.find((change) => 'put' in change && change.put.startsWith('registry/page/'));
      assert.ok(page !== undefined && 'put' in page);
      lengths.add(page.value.length);
    }
    assert.equal(lengths.size, 1);
    await store.stop();
  });

  it('refuses another key, and changes nothing', async () => {
    const { store, tables, registry } = await openRegistry();
    await tables.write(registry.changes(batch(0, ['a'])));
    const other = REGISTRY_KEY.map((byte, i) => (i === 31 ? byte ^ 1 : byte));
    await assert.rejects(Registry.open({ key: other }, { tables, random }), (error) => {
      assert.ok(isNodeError(error, 'REGISTRY_KEY_WRONG') && error.fatal);
      assert.match(error.hint ?? '', /key file/);
      return true;
    });
    for (const length of [31, 33]) {
      await assert.rejects(Registry.open({ key: new Uint8Array(length) }, { tables, random }), RangeError);
    }
    const again = await Registry.open({ key: REGISTRY_KEY }, { tables, random });
    assert.equal((await again.ofSubject('a')).length, 1);
    await store.stop();
  });

  it('refuses what was sealed elsewhere or changed, and says nothing of whom', async () => {
    const { store, tables, registry } = await openRegistry();
    await tables.write(registry.changes(batch(0, ['Erika Mustermann'])));
    await tables.write(registry.changes(batch(64, ['b'])));
    const [[firstKey, first] = ['', new Uint8Array(0)], [, second] = ['', new Uint8Array(0)]] =
      await tables.page('registry/page/', 'registry/page0', { limit: 2 });
    const flipped = first.slice();
    flipped[40] = (flipped[40] ?? 0) ^ 1;
    for (const value of [second, flipped, first.subarray(0, -1), new Uint8Array(0)]) {
      await tables.write([{ put: firstKey, value }]);
      await assert.rejects(registry.ofSubject('Erika Mustermann'), (error) => {
        assert.ok(isNodeError(error, 'REGISTRY_CORRUPT') && error.fatal);
        assert.ok(!/Erika|Mustermann/.test(error.message + error.stack));
        return true;
      });
    }
    const [[pointer] = ['']] = await tables.page('registry/held/', 'registry/held0', { limit: 1 });
    const bad = `${pointer.slice(0, -1)}${pointer.endsWith('0') ? '1' : '0'}`;
    await tables.write([{ put: bad, value: new Uint8Array(0) }]);
    const isCorrupt = (error: unknown) => isNodeError(error, 'REGISTRY_CORRUPT');
    const found = await Promise.allSettled(['Erika Mustermann', 'b'].map((one) => registry.ofSubject(one)));
    assert.equal(found.filter((one) => one.status === 'rejected' && isCorrupt(one.reason)).length >= 1, true);
    await store.stop();
  });
});

/** As SPEC.md 14.5.6 has it. */
/** When somebody was to be forgotten. */
const AT_S = 1_795_651_200;

function proofOf(what: string, name: string, value: Uint8Array): Uint8Array {
  const text = `${what}/${name}/${Buffer.from(value.subarray(0, 24)).toString('hex')}`;
  return new Uint8Array(
    createHmac('sha256', derivedKey(REGISTRY_KEY, 'forgotten')).update(text, 'latin1').digest(),
  );
}

describe('Registry on a real disk', () => {
  const folder = temporaryFolders();

  it('T25 what is forgotten is in no file of the store any more, not even sealed', async () => {
    const directory = folder();
    const store = storeInDirectory({ owner: 'DE.test', directory, reserveBytes: 0 }, { clock: systemClock });
    await store.start();
    const registry = await Registry.open({ key: REGISTRY_KEY }, { tables: store, random });
    await store.write(registry.changes(batch(0, persons(300))));
    await store.write(registry.changes(batch(300, ['me', 'other'])));
    await store.write(registry.changes(batch(302, persons(300))));
    const [[key, sealed] = assert.fail()] = await store.page(
      'registry/page/2026-11/0000000000300',
      'registry/page/2026-11/~',
      { limit: 1 },
    );
    // Pieces of it, since what a file holds is cut into blocks.
    const pieces = [30, 130, 230, 330].map((at) => Buffer.from(sealed.subarray(at, at + 40)));
    const isInFiles = () => {
      const files = readdirSync(join(directory, 'level')).map((name) =>
        readFileSync(join(directory, 'level', name)),
      );
      return files.some((file) => pieces.some((piece) => file.includes(piece)));
    };
    assert.ok(isInFiles(), key);
    assert.deepEqual(await registry.forget('me'), [{ log: LOG, index: 300 }]);
    assert.ok(!isInFiles());
    assert.deepEqual(await registry.ofSubject('me'), []);
    assert.equal((await registry.ofSubject('other')).length, 1);
    assert.equal((await registry.ofSubject('person 7')).length, 2);
    await store.stop();
    assert.ok(!isInFiles());
  });

  it('T25 no file of the store names whose leaf it was, those in which LevelDB notes what it did neither', async () => {
    const directory = folder();
    const pseudonyms = [
      pseudonymsOfPeople(REGISTRY_KEY)('me'),
      new Pseudonyms(derivedKey(REGISTRY_KEY, 'subject')).of('me'),
    ];
    const naming = () =>
      readdirSync(join(directory, 'level')).filter((name) => {
        const bytes = readFileSync(join(directory, 'level', name));
        return pseudonyms.some((pseudonym) => bytes.includes(pseudonym.slice(-16)));
      });
    const opened = async () => {
      const store = storeInDirectory(
        { owner: 'DE.test', directory, reserveBytes: 0 },
        { clock: systemClock },
      );
      await store.start();
      return { store, registry: await Registry.open({ key: REGISTRY_KEY }, { tables: store, random }) };
    };
    const before = await opened();
    await before.store.write(before.registry.changes(batch(0, persons(300))));
    await before.store.write(before.registry.changes(batch(300, ['me', 'other'])));
    assert.notDeepEqual(naming(), []);
    await before.store.stop();
    const { store, registry } = await opened();
    await registry.forget('me');
    assert.deepEqual(naming(), []);
    assert.equal((await registry.ofSubject('other')).length, 1);
    await store.stop();
    assert.deepEqual(naming(), []);
    const again = await opened();
    assert.deepEqual(naming(), []);
    assert.equal((await again.registry.ofSubject('other')).length, 1);
    await again.store.stop();
  });

  it('T25 a run of forget that broke off is taken up where it was', async () => {
    const machine = new Machine();
    for (let nth = 1, isThrough = false; !isThrough; nth++) {
      const store = await machine.openStore({ openDelaysMs: [0, 1], retryMs: 5 });
      const registry = await Registry.open({ key: REGISTRY_KEY }, { tables: store, random });
      await store.write(registry.changes(batch(1_000 * nth, ['a', 'me', 'b'])));
      await store.write(registry.changes(batch(1_000 * nth + 100, ['me'])));
      const from = machine.medium.counters.writes;
      machine.medium.plan({ write: from + nth, when: nth % 2 === 0 ? 'after' : 'before', what: 'DISK_IO' });
      const end = await registry.forget('me').then(
        () => 'done',
        () => 'failed',
      );
      isThrough = end === 'done' && machine.medium.counters.writes < from + nth;
      if (isThrough) break;
      await registry.forget('me');
      assert.deepEqual(await registry.ofSubject('me'), []);
      assert.equal((await registry.ofSubject('a')).length, nth);
      await store.stop();
    }
  });

  it('T25 forgetting by name that broke off is taken up where it was, and leaves nothing of older software either', async () => {
    const machine = new Machine();
    const older = new Pseudonyms(derivedKey(REGISTRY_KEY, 'subject'));
    const pointers = ['registry/held/', 'registry/subject/', 'registry/manual/'] as const;
    for (let nth = 1, isThrough = false; !isThrough; nth++) {
      const store = await machine.openStore({ openDelaysMs: [0, 1], retryMs: 5 });
      const registry = await Registry.open({ key: REGISTRY_KEY }, { tables: store, random });
      const { entries, ...place } = batch(1_000 * nth, ['me']);
      const marked = entries.map((entry) => entry && { ...entry, isManual: true, basis: BASIS });
      const changes = registry.changes({ ...place, entries: marked });
      const [first] = changes;
      assert.ok(first !== undefined && 'put' in first);
      const name = first.put.slice('registry/held/'.length);
      const row = `registry/subject/${older.of('me')}/${name.split('/')[1] ?? ''}`;
      await store.write([...changes, { put: row, value: new Uint8Array(0) }]);
      const from = machine.medium.counters.writes;
      machine.medium.plan({ write: from + nth, when: nth % 2 === 0 ? 'after' : 'before', what: 'DISK_IO' });
      const forget = () => registry.forgetNamed(name, { isCounted: () => true });
      const end = await forget().then(
        () => 'done',
        () => 'failed',
      );
      isThrough = end === 'done' && machine.medium.counters.writes < from + nth;
      if (!isThrough) await forget();
      for (const prefix of pointers)
        assert.deepEqual(await store.page(prefix, `${prefix}~`, { limit: 1 }), [], `${prefix} ${nth}`);
      assert.equal(await registry.atPlace({ log: LOG, index: 1_000 * nth }), undefined);
      assert.equal(await registry.basisOf({ log: LOG, index: 1_000 * nth }), undefined);
      await store.stop();
    }
  });

  it('F private: no byte of it can be read in the files of the store', async () => {
    const directory = folder();
    const store = storeInDirectory({ owner: 'DE.test', directory, reserveBytes: 0 }, { clock: systemClock });
    await store.start();
    const registry = await Registry.open({ key: REGISTRY_KEY }, { tables: store, random });
    const subjects = persons(300).map((person) => `${person} of Musterstadt`);
    const given = batch(0, subjects);
    await store.write(registry.changes(given));
    await store.write([{ put: 'plain', value: Buffer.from('seen in plain') }]);
    await registry.forget(subjects[7] ?? '');
    await store.stop();
    const files = (
      readdirSync(directory, { recursive: true, withFileTypes: true }) as {
        isFile(): boolean;
        parentPath: string;
        name: string;
      }[]
    )
      .filter((file) => file.isFile())
      .map((file) => readFileSync(join(file.parentPath, file.name)));
    const found = (bytes: Buffer | string) => files.some((file) => file.includes(bytes));
    assert.ok(found('seen in plain'), 'the search itself works');
    for (const text of ['Musterstadt', 'person 1', 'baseline', Buffer.from('person 12').toString('hex')]) {
      assert.ok(!found(text), text);
    }
    for (const entry of given.entries.slice(0, 20)) {
      for (const opening of entry?.openings.opened ?? []) {
        if (opening !== undefined)
          assert.ok(!found(Buffer.from(opening)) && !found(Buffer.from(opening.subarray(0, 16))));
      }
    }
    assert.ok(!found(Buffer.from(REGISTRY_KEY)));
  });
});

describe('requireSubject', () => {
  it('takes 1 to 64 bytes of UTF-8', () => {
    for (const subject of ['a', 'x'.repeat(64), '界'.repeat(21)]) requireSubject(subject);
    for (const subject of ['', 'x'.repeat(65), '界'.repeat(22), '\ud800']) {
      assert.throws(() => requireSubject(subject), TypeError);
    }
  });
});
