import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import pg from 'pg';
import { isNodeError } from '../../../node/node-error.ts';
import { type PrivateTables } from '../../../node/registry/private-tables.ts';
import { type Store } from '../../../node/store/store.ts';
import { Machine } from '../../support/log-fixture.ts';
import { PostgresCluster } from '../../support/postgres-cluster.ts';
import { describeOnAllTables, describeOnPostgres, tablesApart, tablesIn } from '../../support/tables.ts';
import { TLS_PAIRS } from '../../support/tls-pairs.ts';

const bytes = (text: string) => Buffer.from(text);
const put = (name: string, value: string) => ({ put: name, value: bytes(value) });
const asText = (value: Uint8Array | undefined) => value && Buffer.from(value).toString();
const isCode = (code: string) => (error: unknown) => isNodeError(error) && error.code === code;

describeOnAllTables('PrivateTables', () => {
  let store: Store;
  let tables: PrivateTables;
  beforeEach(async () => {
    const machine = new Machine();
    store = await machine.openStore();
    tables = machine.tables ?? store;
  });
  afterEach(() => store.stop());

  it('writes in order: of changes to one name the last counts', async () => {
    await tables.write([put('a', '1'), put('b', '2'), { del: 'a' }, put('c', '3'), put('c', '4')]);
    await tables.write([{ del: 'b' }, put('b', '5'), { del: 'nothing' }]);
    assert.deepEqual((await tables.getMany(['c', 'a', 'b', 'c'])).map(asText), ['4', undefined, '5', '4']);
    assert.equal(asText(await tables.get('b')), '5');
    await tables.write([]);
  });

  it('gives ranges in the order of bytes, from either end, without their end', async () => {
    const names = ['t/Z', 't/a', 't/a/1', 't/a~', 't/b', 't/b!', 't~'];
    await tables.write(names.map((name) => put(name, name)).reverse());
    const page = async (from: string, to: string, limit: number, reverse = false) =>
      (await tables.page(from, to, { limit, reverse })).map(([name]) => name);
    assert.deepEqual(await page('t/', 't~', 9), names.slice(0, -1));
    assert.deepEqual(await page('t/a', 't/b', 2), ['t/a', 't/a/1']);
    assert.deepEqual(await page('t/a\0', 't/b', 9), ['t/a/1', 't/a~']);
    assert.deepEqual(await page('t/', 't/b!', 2, true), ['t/b', 't/a~']);
    assert.deepEqual(await page('t/c', 't/b', 9), []);
    const walked: string[] = [];
    for await (const [name, value] of tables.entries('t/', 't0', { pageSize: 2 })) {
      assert.equal(asText(value), name);
      walked.push(name);
    }
    assert.deepEqual(walked, names.slice(0, -1));
  });

  it('takes thousands of rows at once, and values of any bytes and of none', async () => {
    const all = Array.from({ length: 3_000 }, (_, i) => put(`n/${String(i).padStart(5, '0')}`, `${i}`));
    await tables.write([...all, { put: 'v', value: Uint8Array.of(0, 255, 10, 92) }, put('empty', '')]);
    let count = 0;
    for await (const [, value] of tables.entries('n/', 'n0')) assert.equal(asText(value), `${count++}`);
    assert.equal(count, 3_000);
    assert.deepEqual([...((await tables.get('v')) ?? [])], [0, 255, 10, 92]);
    assert.equal((await tables.get('empty'))?.length, 0);
  });

  it('refuses names that are none and values that are too long, and changes nothing', async () => {
    const long = { put: 'b', value: new Uint8Array((1 << 20) + 1) };
    for (const bad of [put('', 'x'), put('ä', 'x'), put('a b', 'x'), put('n'.repeat(201), 'x'), long])
      await assert.rejects(tables.write([put('a', 'x'), bad]), RangeError);
    assert.equal(await tables.get('a'), undefined);
  });
});

describeOnPostgres('PostgresTables', (cluster) => {
  const apart = () => tablesApart() ?? assert.fail();

  it('keeps regions apart, and makes its table once for all who come at the same time', async () => {
    const [one, other] = [apart(), apart()];
    await Promise.all([one.write([put('a', '1')]), other.write([put('a', '2'), put('b', '2')])]);
    assert.equal(asText(await one.get('a')), '1');
    assert.equal(await one.get('b'), undefined);
    assert.match((await one.look()).server, /^PostgreSQL \d+/);
  });

  it('changes only what the condition allows, and nothing of it otherwise', async () => {
    const tables = apart();
    const holds = (value: string | undefined) => ({
      holds: { name: 'guard', value: value === undefined ? value : bytes(value) },
    });
    assert.equal(await tables.writeIf([put('guard', '1'), put('x', 'a')], holds('0')), 'other');
    assert.equal(await tables.get('x'), undefined);
    assert.equal(await tables.writeIf([put('guard', '1'), put('x', 'a')], holds(undefined)), 'made');
    assert.equal(await tables.writeIf([put('x', 'b')], holds(undefined)), 'other');
    assert.equal(await tables.writeIf([put('x', 'b'), put('y', 'b')], { absent: ['x', 'y'] }), 'present');
    assert.equal(await tables.get('y'), undefined);
    assert.equal(await tables.writeIf([put('x', 'b'), put('y', 'b')], { absent: ['y'] }), 'made');
    assert.deepEqual((await tables.getMany(['guard', 'x', 'y'])).map(asText), ['1', 'b', 'b']);
    await assert.rejects(tables.writeIf([put('x', 'b')], { absent: ['z'] }), RangeError);
  });

  it('of many who write at the same time under one condition, one does', async () => {
    const all = Array.from({ length: 4 }, () => tablesIn(cluster(), 'race.test'));
    await all[0]?.write([put('guard', '0')]);
    for (let round = 0; round < 10; round++) {
      const holds = { name: 'guard', value: bytes(`${round}`) };
      const outcomes = await Promise.all(
        all.map((tables, i) =>
          tables.writeIf([put('guard', `${round + 1}`), put(`r/${round}/${i}`, '')], { holds }),
        ),
      );
      assert.equal(outcomes.filter((one) => one === 'made').length, 1);
    }
    assert.equal((await all[0]?.page('r/', 'r0', { limit: 99 }))?.length, 10);
  });

  it('says that the database is away without a word of where and who, and goes on once it is back', async () => {
    const secret = 'hunter2';
    const stranger = cluster().connection.replace('entente@', `nobody:${secret}@`);
    const wrong = tablesIn({ connection: stranger }, 'A.test');
    const nowhere = tablesIn({ connection: `postgres://me:${secret}@127.0.0.1:1/db` }, 'A.test');
    for (const tables of [wrong, nowhere])
      await assert.rejects(tables.get('a'), (error) => {
        assert.ok(isNodeError(error, 'REGISTRY_AWAY') && error.retry && error.hint);
        assert.ok(!`${error.message}${error.stack}${String(error.cause)}`.includes(secret));
        return true;
      });
    const tables = apart();
    await tables.write([put('a', '1')]);
    await cluster().kill();
    await assert.rejects(tables.get('a'), isCode('REGISTRY_AWAY'));
    await assert.rejects(tables.write([put('a', '2')]), isCode('REGISTRY_AWAY'));
    await cluster().resume();
    assert.equal(asText(await tables.get('a')), '1');
    await tables.write([put('a', '2')]);
    await tables.stop();
    await assert.rejects(tables.get('a'), isCode('STORE_CLOSED'));
  });

  it('takes no database for away because others use its connections, whatever waits for them', async () => {
    const tables = tablesIn({ connection: cluster().connection, connectMsMax: 1_000 }, 'Busy.test');
    const get = () => Promise.all(Array.from({ length: 40 }, () => tables.get('a')));
    await tables.write([put('a', '1')]);
    await get();
    const client = new pg.Client({ connectionString: cluster().connection });
    await client.connect();
    await client.query('BEGIN');
    await client.query('LOCK TABLE entente_private IN ACCESS EXCLUSIVE MODE');
    const [read, written] = [get(), tables.write([put('b', '2')])];
    // Longer than a connection may take.
    await client.query('SELECT pg_sleep(1.5)');
    await client.query('COMMIT');
    await client.end();
    assert.deepEqual((await read).map(asText), Array(40).fill('1'));
    await written;
    assert.equal(asText(await tables.get('b')), '2');
  });

  it('where nobody is let in, those that wait for a connection hear it with the first', async () => {
    const opened: Socket[] = [];
    // It takes whoever comes, and says nothing.
    const silent = createServer((near) => opened.push(near.on('error', () => undefined)));
    await once(silent.listen(0, '127.0.0.1'), 'listening');
    try {
      const { port } = silent.address() as AddressInfo;
      const connection = `postgres://entente@127.0.0.1:${port}/postgres`;
      const tables = tablesIn({ connection, connectMsMax: 250 }, 'Silent.test');
      const asked = await Promise.allSettled(Array.from({ length: 60 }, () => tables.look()));
      for (const one of asked) assert(one.status === 'rejected' && isCode('REGISTRY_AWAY')(one.reason));
      assert.equal(opened.length, 3, 'nobody tried after them');
    } finally {
      for (const near of opened) near.destroy();
      silent.close();
    }
  });

  for (const word of ['BEGIN', 'INSERT', 'DELETE', 'COMMIT'])
    it(`a connection that ends at ${word} of a transaction ends nothing but the call`, async () => {
      const folder = new URL(cluster().connection.replace('@/', '@localhost/')).searchParams.get('host');
      let isCut = true;
      const proxy = createServer((near) => {
        const far = connect(`${folder}/.s.PGSQL.5432`);
        near.on('data', (data) => {
          if (isCut && data.includes(word)) near.destroy();
          else far.write(data);
        });
        far.pipe(near);
        near.on('close', () => far.destroy()).on('error', () => far.destroy());
        far.on('error', () => near.destroy());
      }).listen(0, '127.0.0.1');
      await once(proxy, 'listening');
      try {
        const { port } = proxy.address() as AddressInfo;
        const tables = tablesIn(
          { connection: `postgres://entente@127.0.0.1:${port}/postgres` },
          `${word}.test`,
        );
        await assert.rejects(tables.write([put('a', '1'), { del: 'b' }]), isCode('REGISTRY_AWAY'));
        isCut = false;
        await tables.write([put('a', '2')]);
        assert.equal(asText(await tables.get('a')), '2');
        await tables.stop();
      } finally {
        proxy.close();
      }
    });

  it('a machine that falls silent inside a transaction keeps no row from another for longer than it may think', async () => {
    const folder = new URL(cluster().connection.replace('@/', '@localhost/')).searchParams.get('host');
    let isSilent = false;
    const far = new Set<Socket>();
    // What the server is not told of: a machine without power closes nothing.
    const proxy = createServer((near) => {
      const server = connect(`${folder}/.s.PGSQL.5432`);
      far.add(server.on('error', () => undefined));
      near
        .on('error', () => undefined)
        .on('data', (data) => {
          isSilent ||= data.includes('INSERT') && data.includes('silent');
          if (!isSilent) server.write(data);
        });
      server.on('data', (data) => near.write(data));
    }).listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    try {
      const { port } = proxy.address() as AddressInfo;
      const owner = 'Silent.test';
      const other = tablesIn({ connection: cluster().connection, answerMsMax: 3_000 }, owner);
      await other.write([put('a', '1')]);
      const connection = `postgres://entente@127.0.0.1:${port}/postgres`;
      const tables = tablesIn({ connection, answerMsMax: 250 }, owner);
      const holds = { name: 'a', value: bytes('1') };
      await assert.rejects(tables.writeIf([put('a', 'silent')], { holds }), isCode('REGISTRY_AWAY'));
      assert.equal(await other.writeIf([put('a', '2')], { holds }), 'made');
    } finally {
      for (const server of far) server.destroy();
      proxy.close();
    }
  });

  it('with authorities it speaks TLS alone, to a server whose certificate is of one of them', async () => {
    const [own, foreign] = TLS_PAIRS;
    const secured = await PostgresCluster.start(own);
    try {
      const { overTcp: connection } = secured;
      const tables = tablesIn({ connection, ca: own.cert }, 'TLS.test');
      await tables.write([put('a', '1')]);
      assert.equal(asText(await tables.get('a')), '1');
      const client = new pg.Client({ connectionString: secured.connection });
      await client.connect();
      const { rows } = await client.query(
        `SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'entente'`,
      );
      await client.end();
      assert.ok(rows.length > 0 && rows.every(({ ssl }: { readonly ssl: boolean }) => ssl));
      const other = tablesIn({ connection, ca: foreign.cert }, 'TLS.test');
      await assert.rejects(other.get('a'), (error) => {
        assert.ok(isNodeError(error, 'REGISTRY_AWAY') && /certificate/.test(error.message), String(error));
        return true;
      });
      const named = tablesIn(
        { connection: connection.replace('127.0.0.1', 'localhost'), ca: own.cert },
        'TLS.test',
      );
      assert.equal(asText(await named.get('a')), '1');
    } finally {
      await secured.stop();
    }
    const plain = createServer((near) => near.on('data', () => near.end('N')).on('error', () => undefined));
    plain.listen(0, '127.0.0.1');
    await once(plain, 'listening');
    try {
      const { port } = plain.address() as AddressInfo;
      const connection = `postgres://entente@127.0.0.1:${port}/postgres`;
      await assert.rejects(tablesIn({ connection, ca: own.cert }, 'TLS.test').get('a'), (error) => {
        assert.ok(isNodeError(error, 'REGISTRY_AWAY') && /TLS/.test(error.message), String(error));
        return true;
      });
    } finally {
      plain.close();
    }
  });

  it('look makes no table', async () => {
    const client = new pg.Client({ connectionString: cluster().connection });
    await client.connect();
    await client.query('CREATE DATABASE looked');
    await client.end();
    const connection = cluster().connection.replace('/postgres?', '/looked?');
    const tables = tablesIn({ connection }, 'A.test');
    for (let times = 0; times < 2; times++) assert.equal((await tables.look()).form, undefined);
    await tables.write([put('a', '1')]);
    assert.equal((await tables.look()).form, '1');
  });

  it('uses no table that lacks the row that is expected', async () => {
    const owner = 'expected.test';
    const expecting = (value: string) => {
      const tables = tablesIn(cluster(), owner);
      tables.expect(['private/registry', bytes(value)]);
      return tables;
    };
    await assert.rejects(expecting('1').write([put('a', '1')]), isCode('REGISTRY_ELSEWHERE'));
    const tables = tablesIn(cluster(), owner);
    assert.equal(await tables.get('a'), undefined);
    await tables.write([put('private/registry', '1')]);
    await expecting('1').write([put('a', '1')]);
    await assert.rejects(expecting('2').get('a'), isCode('REGISTRY_ELSEWHERE'));
  });

  it('refuses a table of another form, and leaves it as it is', async () => {
    const first = apart();
    await first.write([put('a', '1')]);
    const schema = tablesIn(cluster(), '');
    await schema.write([put('form', '2')]);
    try {
      await assert.rejects(
        apart().get('a'),
        (error) => isCode('SCHEMA_NEWER')(error) && isNodeError(error) && error.fatal,
      );
    } finally {
      await schema.write([put('form', '1')]);
    }
  });
});
