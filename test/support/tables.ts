/** Tests that run on everything that private data is kept in: the store of the node, and PostgreSQL. */
import { type PostgresOptions, PostgresTables } from '../../node/registry/postgres-tables.ts';
import { systemClock } from '../../node/system-clock.ts';
import { PostgresCluster } from './postgres-cluster.ts';

/** While tests run that are about it. */
let cluster: PostgresCluster | undefined;
const open: PostgresTables[] = [];
let owners = 0;

/** Tables of nobody yet, where the tests that run now are about a database apart; undefined where the store is it. */
export function tablesApart(): PostgresTables | undefined {
  return cluster && tablesIn(cluster, `T${owners++}.test`);
}

/** They are let go after the test. */
export function tablesIn(
  options: Pick<PostgresOptions, 'connection' | 'ca' | 'answerMsMax' | 'connectMsMax'>,
  owner: string,
): PostgresTables {
  const { connection, ca, answerMsMax, connectMsMax } = options;
  const tables = new PostgresTables(
    {
      owner,
      connection,
      ca,
      connectionsMax: 3,
      ...(answerMsMax !== undefined && { answerMsMax }),
      ...(connectMsMax !== undefined && { connectMsMax }),
    },
    { clock: systemClock },
  );
  open.push(tables);
  return tables;
}

/** `body` once for each: with a `Machine` in between its tests ask nothing of what is below. */
export function describeOnAllTables(title: string, body: () => void): void {
  describe(`${title} on the embedded store`, body);
  describeOnPostgres(title, body);
}

export function describeOnPostgres(title: string, body: (cluster: () => PostgresCluster) => void): void {
  describe(`${title} on PostgreSQL`, () => {
    before(async function () {
      if (PostgresCluster.lacking() !== undefined) return this.skip();
      cluster = await PostgresCluster.start();
    });
    after(async () => {
      await cluster?.stop();
      cluster = undefined;
    });
    afterEach(async () => {
      await Promise.all(open.splice(0).map((tables) => tables.stop()));
    });
    body(() => cluster as PostgresCluster);
  });
}
