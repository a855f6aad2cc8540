import { decodeIndexSet, encodeIndexSet } from '../../protocol/revocation/index-set-code.ts';
import { RevocationSet } from '../../protocol/revocation/revocation-set.ts';
import { entropyBits, randomIndexes, seededRandom } from '../support/index-sets.ts';
import { type Bench, perSecond, type Row, secondsOf } from './bench.ts';

const BOUND = 10_000_000;
const LOOK_UPS = 10_000_000;

function sizeRow(count: number, seed: number): Row {
  const members = randomIndexes(BOUND, count, seededRandom(seed));
  const bytes = encodeIndexSet(members).length;
  return {
    name: `${count.toLocaleString('en-US')} of ${BOUND.toLocaleString('en-US')} at random`,
    value: `${bytes.toLocaleString('en-US')} bytes`,
    ratio: (8 * bytes) / entropyBits(BOUND, count),
    of: 'entropy',
    goal: count === 10_000 ? '102 %, 20,000 bytes' : '102 %',
  };
}

export const revocationBench: Bench = {
  name: 'revocation',
  about: 'coded sets of revoked indexes against log2 of the number of such sets, and their speed',
  run() {
    const rows = [100, 1_000, 10_000, 100_000, 1_000_000].map((count, i) => sizeRow(count, i + 1));
    const members = randomIndexes(BOUND, 1_000_000, seededRandom(9));
    let bytes = new Uint8Array(0);
    const encodeS = secondsOf(() => (bytes = Uint8Array.from(encodeIndexSet(members))));
    const limits = { bytesMax: 1 << 24, countMax: 1 << 20, indexBound: 2 ** 40 };
    let decoded = new Float64Array(0);
    const decodeS = secondsOf(() => (decoded = Float64Array.from(decodeIndexSet(bytes, limits))));
    let set = RevocationSet.empty;
    const unionS = secondsOf(() => (set = set.union(decoded)));
    let found = 0;
    const hasS = secondsOf(() => {
      for (let i = 0; i < LOOK_UPS; i++) if (set.has((i * 7_919) % BOUND)) found++;
    });
    if (found !== 1_000_000) throw new Error(`expected each member once, got ${found}`);
    rows.push(
      { name: 'encode, members', value: perSecond(members.length, encodeS) },
      { name: 'decode and check, members', value: perSecond(members.length, decodeS) },
      { name: 'merge into blocks, members', value: perSecond(members.length, unionS) },
      { name: 'look-ups', value: perSecond(LOOK_UPS, hasS) },
    );
    return Promise.resolve(rows);
  },
};
