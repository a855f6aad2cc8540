import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { randomIndexes, seededRandom } from '../support/index-sets.ts';
import { Federation, NOW_S } from '../support/snapshot-fixture.ts';
import { trustModules } from '../support/region-fixture.ts';
import { applySnapshot } from '../../protocol/snapshot/apply.ts';
import { type Bench, secondsOf } from './bench.ts';
import { nativeModules, regionNames, REGIONS } from './federation.ts';

const REVOKED = 20_000;
const LIVE = 2_000_000;
const DELTA = 10_000;

const kilobytes = (bytes: Uint8Array) => `${(bytes.length / 1024).toFixed(0)} KiB`;
const milliseconds = (seconds: number) => `${(1_000 * seconds).toFixed(0)} ms`;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** On the heap and in buffers, once nothing is left that nobody refers to. */
async function bytesInUse(): Promise<number> {
  for (let i = 0; i < 3; i++) {
    collectGarbage();
    await new Promise(setImmediate); // buffers are freed after the objects that hold them
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

export const snapshotBench: Bench = {
  name: 'snapshot',
  about: `${REGIONS} regions that all recognise and witness each other, each with ${REVOKED.toLocaleString('en-US')} of ${LIVE.toLocaleString('en-US')} codes revoked; read with every check`,
  async run(progress) {
    const modules = { ...trustModules, ...(await nativeModules()) };
    const federation = new Federation(...regionNames);
    for (const [i, name] of regionNames.entries()) {
      federation.region(name).revoke([...randomIndexes(LIVE, REVOKED, seededRandom(i + 1))]);
    }
    progress('trust logs made');
    const home = regionNames[0] ?? '';
    const reader = federation.reader(home);
    const read = (bytes: Uint8Array, previous?: Parameters<typeof applySnapshot>[3]) => {
      let applied;
      const seconds = secondsOf(() => (applied = applySnapshot(modules, bytes, reader, previous, NOW_S)));
      if (applied === undefined) throw new Error('not applied');
      return { seconds, holdings: (applied as ReturnType<typeof applySnapshot>).holdings };
    };
    const plain = await federation.snapshot();
    const { seconds: plainS } = read(plain);
    for (const name of regionNames) federation.region(name).commit();
    const based = await federation.snapshot();
    const before = await bytesInUse();
    const { seconds: basedS, holdings } = read(based);
    const heldBytes = (await bytesInUse()) - before;
    const quiet = await federation.snapshot({}, holdings);
    federation.region(regionNames[1] ?? '').revoke([...randomIndexes(LIVE, DELTA, seededRandom(99))]);
    const delta = await federation.snapshot({}, holdings);
    const { seconds: deltaS } = read(delta, holdings);
    return [
      { name: 'full, from the first entries', value: kilobytes(plain) },
      { name: '  to read', value: milliseconds(plainS) },
      { name: 'full, from a state entry', value: kilobytes(based) },
      { name: '  to read', value: milliseconds(basedS) },
      { name: '  memory that what was read takes', value: `${(heldBytes / 2 ** 20).toFixed(1)} MiB` },
      { name: 'delta without news: checkpoints, cosignatures', value: kilobytes(quiet) },
      {
        name: `delta of ${DELTA.toLocaleString('en-US')} revocations in one region`,
        value: kilobytes(delta),
      },
      { name: '  to read', value: milliseconds(deltaS) },
    ];
  },
};
