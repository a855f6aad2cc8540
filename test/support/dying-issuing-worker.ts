/**
 * A worker as a process that kills itself as soon as it has taken up an order: `<connection string> <owner> <registry key in hexadecimal>`.
 */
import { nativeSha256 } from '../../node/crypto/native.ts';
import { scryptInPool } from '../../node/crypto/scrypt.ts';
import { PostgresTables } from '../../node/registry/postgres-tables.ts';
import { systemClock } from '../../node/system-clock.ts';
import { systemRandom } from '../../node/system-random.ts';
import { Worker } from '../../node/workers/worker.ts';

/** This file, to be started as a process. */
export const DYING_ISSUING_WORKER = import.meta.filename;

class DeadlyTables extends PostgresTables {
  override get(): Promise<Uint8Array | undefined> {
    process.kill(process.pid, 'SIGKILL');
    return new Promise(() => undefined);
  }
}

async function main([connection = '', owner = '', key = '']: readonly string[]): Promise<void> {
  const random = systemRandom();
  const tables = new DeadlyTables({ owner, connection }, { clock: systemClock });
  const modules = { tables, clock: systemClock, random, sha256: nativeSha256, scrypt: scryptInPool };
  const worker = new Worker({ registryKey: Buffer.from(key, 'hex') }, modules);
  await worker.run(new AbortController().signal);
}

if (process.argv[1] === DYING_ISSUING_WORKER) await main(process.argv.slice(2));
