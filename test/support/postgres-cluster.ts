/** A PostgreSQL of its own for tests: a cluster in a temporary folder, on a unix socket and, with TLS, on loopback; run by a user who is not root. */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  chownSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { freePorts } from '../../cli/processes/free-port.ts';

interface Rights {
  readonly uid?: number;
  readonly gid?: number;
}

const START_MS = 20_000;
/** No word of a test is worth a sync, and a test that dies leaves nothing running for long. */
const SETTINGS = ['fsync=off', 'max_connections=300', 'shared_buffers=32MB'];

/** PEM. */
interface TlsPair {
  readonly cert: string;
  readonly key: string;
}

export class PostgresCluster {
  readonly #folder: string;
  readonly #binaries: string;
  readonly #rights: Rights;
  #server: ChildProcess | undefined;
  #network: readonly string[] = ['listen_addresses='];
  #port = 5432;

  private constructor(folder: string, binaries: string, rights: Rights) {
    this.#folder = folder;
    this.#binaries = binaries;
    this.#rights = rights;
  }

  /** Why there can be none on this machine; undefined if there can. */
  static lacking(): string | undefined {
    if (binariesFolder() === undefined) return 'no PostgreSQL is installed (apt install postgresql)';
    return rightsToRun() === undefined ? 'run by root, and there is no user postgres or nobody' : undefined;
  }

  static async start(tls?: TlsPair): Promise<PostgresCluster> {
    const [binaries, rights] = [binariesFolder(), rightsToRun()];
    if (binaries === undefined || rights === undefined) throw new Error(PostgresCluster.lacking());
    const folder = mkdtempSync(join(tmpdir(), 'entente-pg-'));
    if (rights.uid !== undefined && rights.gid !== undefined) chownSync(folder, rights.uid, rights.gid);
    const cluster = new PostgresCluster(folder, binaries, rights);
    await promisify(execFile)(
      join(binaries, 'initdb'),
      ['-D', cluster.#data, '-U', 'entente', '--auth=trust', '--no-sync', '-E', 'UTF8', '--locale=C'],
      { ...rights, cwd: folder },
    );
    if (tls !== undefined) await cluster.#listen(tls);
    await cluster.resume();
    return cluster;
  }

  /** A connection string of its database; of the user `entente`, who may do all. */
  get connection(): string {
    return `postgres://entente@/postgres?host=${encodeURIComponent(this.#folder)}&port=${this.#port}`;
  }

  /** The same on loopback, where it was started with TLS. */
  get overTcp(): string {
    return `postgres://entente@127.0.0.1:${this.#port}/postgres`;
  }

  /** Starts the server again after `pause` or `kill`. */
  async resume(): Promise<void> {
    const settings = [...SETTINGS, ...this.#network].flatMap((setting) => ['-c', setting]);
    const server = spawn(
      join(this.#binaries, 'postgres'),
      ['-D', this.#data, '-k', this.#folder, ...settings],
      { ...this.#rights, cwd: this.#folder, stdio: 'ignore' },
    );
    this.#server = server;
    for (const endMs = Date.now() + START_MS; ;) {
      const client = new pg.Client({ connectionString: this.connection });
      try {
        await client.connect();
        await client.end();
        return;
      } catch (error) {
        if (Date.now() > endMs || server.exitCode !== null) throw error;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
  }

  /** Ends the server as a machine that fails does: at once, its connections with it. */
  async kill(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined || server.exitCode !== null) return;
    server.kill('SIGQUIT');
    await once(server, 'exit');
  }

  async stop(): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #listen({ cert, key }: TlsPair): Promise<void> {
    const { uid, gid } = this.#rights;
    const files = { 'server.crt': cert, 'server.key': key };
    for (const [name, text] of Object.entries(files)) {
      const path = join(this.#data, name);
      writeFileSync(path, text, { mode: 0o600 });
      if (uid !== undefined && gid !== undefined) chownSync(path, uid, gid);
    }
    const [port = 0] = await freePorts(1);
    this.#port = port;
    this.#network = ['listen_addresses=127.0.0.1', `port=${port}`, 'ssl=on'];
  }

  get #data(): string {
    return join(this.#folder, 'data');
  }
}

/** Debian has those of each version in a folder of its own; others in the path. */
function binariesFolder(): string | undefined {
  const debian = '/usr/lib/postgresql';
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : [];
  const folders = [
    ...versions.map((version) => join(debian, version, 'bin')),
    ...(process.env['PATH'] ?? '').split(':'),
  ];
  return folders.find((folder) => existsSync(join(folder, 'initdb')) && existsSync(join(folder, 'postgres')));
}

/** PostgreSQL does not run as root. */
function rightsToRun(): Rights | undefined {
  if (process.getuid?.() !== 0) return {};
  const users = readFileSync('/etc/passwd', 'utf8').split('\n');
  const line = ['postgres:', 'nobody:'].flatMap(
    (name) => users.find((user) => user.startsWith(name)) ?? [],
  )[0];
  const [, , uid, gid] = line?.split(':') ?? [];
  return uid === undefined || gid === undefined ? undefined : { uid: Number(uid), gid: Number(gid) };
}
