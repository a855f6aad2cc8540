/** What issuing is held against: bare signatures on one core, and bare writes of the store. */
import { Store } from '../../node/store/store.ts';
import { LevelDisk } from '../../node/store/level-disk.ts';
import { markInDirectory } from '../../node/store/store-directory.ts';
import { systemClock } from '../../node/system-clock.ts';
import { realModules } from '../support/issuing-child.ts';
import { sha256 } from '../support/primitives.ts';

const SIGNATURES = 50_000;
/** About what the log and the registry keep of a code. */
export const STORED_BYTES = 600;

/** How long something took: by the clock, and on processors in all threads of this process. */
export interface Taken {
  readonly seconds: number;
  readonly cpuS: number;
}

export async function taken(work: () => Promise<unknown>): Promise<Taken> {
  const cpu = process.cpuUsage();
  const start = performance.now();
  await work();
  const seconds = (performance.now() - start) / 1_000;
  const { user, system } = process.cpuUsage(cpu);
  return { seconds, cpuS: (user + system) / 1e6 };
}

/** For 50,000 signatures on distinct messages, a warm-up before. */
export async function bareSignatures(): Promise<Taken & { readonly count: number }> {
  const { signerOf } = await realModules();
  const signer = signerOf(sha256(Uint8Array.of(7)));
  const message = new Uint8Array(200);
  const sign = (count: number) => {
    for (let i = 0; i < count; i++) {
      new DataView(message.buffer).setUint32(0, i);
      signer.sign(message);
    }
  };
  sign(SIGNATURES / 10);
  return { count: SIGNATURES, ...(await taken(() => Promise.resolve(sign(SIGNATURES)))) };
}

/** For `count` values of 600 bytes, written and synced `together` at a time. */
export async function bareStore(
  directory: string,
  { count, together }: { readonly count: number; readonly together: number },
): Promise<Taken> {
  const store = new Store(
    { owner: 'ZZ.bench' },
    { disk: new LevelDisk({ directory }), mark: markInDirectory(directory), clock: systemClock },
  );
  await store.start();
  const keyOf = (i: number) => `bench/${String(i).padStart(12, '0')}`;
  const time = await taken(async () => {
    for (let from = 0; from < count; from += together) {
      const writes = Array.from({ length: Math.min(together, count - from) }, (_, i) => {
        const value = new Uint8Array(STORED_BYTES);
        new DataView(value.buffer).setUint32(0, from + i);
        return store.write([{ put: keyOf(from + i), value }]);
      });
      await Promise.all(writes);
    }
  });
  await store.stop();
  return time;
}
