/** The database that a region's config names for what is private. Its connection string is a secret: it stands in no error and no log. */
import { readFile } from 'node:fs/promises';
import { type Config } from '../config/schema.ts';
import { NodeError } from '../node-error.ts';
import { type PostgresModules, type PostgresTables } from '../registry/postgres-tables.ts';
import { modeOf } from './files.ts';
import { type RegionLayout } from './layout.ts';

/**
 * To be stopped by its owner; undefined where the store is the place. Nobody is asked anything yet.
 * @throws {NodeError} KEY_FILE_MISSING, KEY_FILE_MODE, KEY_FILE_INVALID of the file with the connection string; CONFIG_INVALID.
 */
export async function registryDatabase(
  layout: RegionLayout,
  config: Config,
  modules: PostgresModules,
): Promise<PostgresTables | undefined> {
  const { connection, connectionFile, connectionsMax, caFile } = config.registry;
  if (connection === undefined && connectionFile === undefined) return undefined;
  if (config.writer.fenced)
    throw new NodeError(
      'CONFIG_INVALID',
      'writer.fenced and a registry in PostgreSQL do not go together: a standby drops what was not permitted from its own store, and over one database that would be what the writer holds',
      {
        hint: 'Leave one of them out: PostgreSQL survives a machine by synchronous replicas (docs/postgres.md).',
      },
    );
  const text = connection ?? (await secretFrom(layout.resolve(connectionFile ?? '')));
  if (!/^postgres(ql)?:\/\/\S+$/.test(text) || !URL.canParse(text.replace(/@\//, '@localhost/')))
    throw new NodeError('KEY_FILE_INVALID', 'the connection string of the registry is none', {
      hint: 'Expected one line such as postgres://user:password@host:5432/database.',
    });
  if (caFile !== undefined && /[?&]ssl/i.test(text))
    throw new NodeError(
      'CONFIG_INVALID',
      'registry.caFile and ssl parameters of the connection string do not go together: they would replace it',
      {
        hint: 'Leave ssl out of the connection string, such as sslmode: with caFile, TLS is always checked.',
      },
    );
  const ca =
    caFile === undefined ? undefined : await readFile(layout.resolve(caFile), 'utf8').catch(unreadable);
  const owner = `${config.region}.${config.network}`;
  // Most regions have none, and a command is to start fast.
  const { PostgresTables } = await import('../registry/postgres-tables.ts');
  return new PostgresTables({ owner, connection: text, connectionsMax, ca }, modules);
}

async function secretFrom(path: string): Promise<string> {
  const mode = await modeOf(path);
  if (mode === undefined)
    throw new NodeError('KEY_FILE_MISSING', `${path} (registry.connectionFile) is not there`, {
      hint: 'Write the connection string into it, as one line, and give it mode 0600.',
    });
  if ((mode & 0o077) !== 0)
    throw new NodeError('KEY_FILE_MODE', `${path} can be read by others`, { hint: `chmod 600 ${path}` });
  return (await readFile(path, 'utf8')).trim();
}

function unreadable(cause: unknown): never {
  throw new NodeError('CONFIG_INVALID', 'the file of registry.caFile cannot be read', {
    cause,
    hint: 'Name a PEM file of authorities.',
  });
}
