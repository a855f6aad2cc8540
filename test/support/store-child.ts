/**
 * A process with a store, for tests that kill or starve it. `hold <directory>` opens and waits; `write <directory>
 * <first>` writes batches from several writers and prints `<key> <length>` for each that was acknowledged.
 */
import { writeSync } from 'node:fs';
import { isNodeError } from '../../node/node-error.ts';
import { isErrno } from '../../node/region/files.ts';
import { storeInDirectory } from '../../node/store/store-directory.ts';
import { systemClock } from '../../node/system-clock.ts';

/** This file, to be started as a process. */
export const STORE_CHILD = import.meta.filename;

export const CHILD_OWNER = 'CN-33.example';
const WRITERS = 8;

/** What stands at a key: any process can tell whether it is right. */
export function contentOf(key: string): Uint8Array {
  const length = 40 + (Number.parseInt(key.slice(-3), 10) % 97) * 13;
  return Uint8Array.from(Buffer.from(key.repeat(Math.ceil(length / key.length)).slice(0, length)));
}

/** At once, so that whoever kills this process has read all it acknowledged. */
function print(line: string): void {
  for (;;) {
    try {
      writeSync(1, `${line}\n`);
      return;
    } catch (error) {
      if (!isErrno(error, 'EAGAIN')) throw error; // the pipe is full: its reader is slow
    }
  }
}

async function main([command, directory, first]: readonly string[]): Promise<void> {
  if (directory === undefined) return;
  const store = storeInDirectory(
    {
      directory,
      owner: CHILD_OWNER,
      reserveBytes: Number(process.env['RESERVE_BYTES'] ?? 0),
      openDelaysMs: [0, 5, 50],
    },
    { clock: systemClock },
  );
  await store.start();
  process.send?.('started');
  if (command === 'hold') return void setInterval(() => undefined, 1_000);
  print('started');
  await Promise.all(
    Array.from({ length: WRITERS }, async (_, writer) => {
      for (let n = Number(first); ; n++) {
        const key = `w${writer}/${String(n).padStart(8, '0')}`;
        try {
          await store.write([
            { put: key, value: contentOf(key) },
            { put: `head/${writer}`, value: contentOf(key) },
          ]);
          print(`ack ${key}`);
        } catch (error) {
          if (!isNodeError(error)) throw error;
          print(`refused ${error.code}`);
          if (!error.retry) return store.stop();
          n--;
          await systemClock.wait(1);
        }
      }
    }),
  );
}

if (process.argv[1] === STORE_CHILD) await main(process.argv.slice(2));
