import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openNativeCrypto } from '../../node/crypto/native.ts';
import { FileSecondPlace } from '../../node/store/second-place.ts';
import { LevelDisk } from '../../node/store/level-disk.ts';
import { Store } from '../../node/store/store.ts';
import { markInDirectory } from '../../node/store/store-directory.ts';
import { systemClock } from '../../node/system-clock.ts';
import { type AddCheckpoint } from '../../node/witness/add-checkpoint.ts';
import { Witness } from '../../node/witness/witness.ts';
import { signCheckpoint } from '../../protocol/log/checkpoint.ts';
import { cosignatureMessage } from '../../protocol/log/cosignature.ts';
import { encodeNote } from '../../protocol/log/note.ts';
import { ED25519, makeVerifierKey, type VerifierKey } from '../../protocol/log/verifier-key.ts';
import { utf8Bytes } from '../../protocol/encoding/utf8.ts';
import { ReferenceTree } from '../support/reference-tree.ts';
import { type Bench, perSecond, type Row } from './bench.ts';

/** Fewer by the environment, for a look at whether it works. */
const ORIGINS = Number(process.env['BENCH_ORIGINS'] ?? 10_000);
/** Submissions under way at the same time. */
const AT_ONCE = 1_024;
/** Logs grow from one size to the next: the second and third have proofs. */
const SIZES = [100, 200, 300] as const;

export const witnessBench: Bench = {
  name: 'witness',
  about: `checkpoints of ${ORIGINS.toLocaleString('en-US')} logs cosigned, each stored in both places before its answer; against checking and signing alone`,
  async run(progress) {
    const directory = await mkdtemp(join(tmpdir(), 'entente-bench-'));
    try {
      return await rowsIn(directory, progress);
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  },
};

async function rowsIn(directory: string, progress: (text: string) => void): Promise<Row[]> {
  const { sha256, verifySignature, signerOf } = await openNativeCrypto();
  const logSigner = signerOf(new Uint8Array(32).fill(1));
  const witnessSigner = signerOf(new Uint8Array(32).fill(2));
  const keys = new Map<string, readonly VerifierKey[]>();
  for (let i = 0; i < ORIGINS; i++) {
    const name = originOf(i);
    keys.set(name, [makeVerifierKey(sha256, { name, algorithm: ED25519, publicKey: logSigner.publicKey })]);
  }
  // All logs have the same entries: what is checked of each is as much work, and none of it is remembered.
  const tree = ReferenceTree.ofSize(SIZES[2]);
  const asked = SIZES.map((size, round) => {
    const oldSize = SIZES[round - 1] ?? 0;
    const path = oldSize === 0 ? [] : tree.proof(oldSize, size);
    const root = tree.root(size);
    return [...keys].map(([origin, [key]]): AddCheckpoint => {
      if (key === undefined) throw new RangeError('a log has a key');
      const note = signCheckpoint({ origin, size, root }, key, (message) => logSigner.sign(message));
      return { oldSize, path, note: encodeNote(note) };
    });
  });
  progress('checkpoints signed');

  const store = new Store(
    { owner: 'ZZ.bench' },
    {
      disk: new LevelDisk({ directory: join(directory, 'store') }),
      mark: markInDirectory(join(directory, 'store')),
      clock: systemClock,
    },
  );
  await store.start();
  const witness = new Witness(
    { name: 'ZZ.bench/witness' },
    {
      store,
      secondPlace: new FileSecondPlace({ directory: join(directory, 'second-place') }),
      clock: systemClock,
      sha256,
      verifySignature,
      key: () => witnessSigner,
      keysOf: (origin) => keys.get(origin),
      vet: () => ({ isFolded: true, objection: undefined }),
    },
  );

  const message = utf8Bytes('x'.repeat(150));
  const signature = logSigner.sign(message);
  const startedMs = performance.now();
  for (let i = 0; i < ORIGINS; i++) {
    if (!verifySignature({ publicKey: logSigner.publicKey, message, signature })) throw new Error('bad');
    witnessSigner.sign(cosignatureMessage('x', i));
  }
  const bare = (1_000 * ORIGINS) / (performance.now() - startedMs);

  const rates: number[] = [];
  for (const round of [...asked, (asked[2] ?? []).map((one) => ({ ...one, oldSize: SIZES[2], path: [] }))]) {
    rates.push(await submitAll(witness, round));
    progress(`${rates.length} of 4 rounds`);
  }
  await store.stop();
  const [first = 0, second = 0, third = 0, renewed = 0] = rates;
  const row = (name: string, rate: number) => {
    return { name, value: perSecond(rate, 1), ratio: rate / bare, of: 'checking and signing' };
  };
  return [
    { name: 'checking a signature and making one', value: perSecond(bare, 1) },
    row('first meeting', first),
    { ...row('grown, with a proof', second), floor: '2,000/s' },
    { ...row('grown again', third), floor: '2,000/s' },
    row('the same tree at a new time', renewed),
  ];
}

function originOf(i: number): string {
  const letters = String.fromCharCode(65 + (Math.floor(i / 1_000) % 26), 65 + Math.floor(i / 26_000));
  return `${letters}-${String(i % 1_000).padStart(3, '0')}.bench/trust`;
}

/** Submissions cosigned a second. */
async function submitAll(witness: Witness, round: readonly AddCheckpoint[]): Promise<number> {
  const startMs = performance.now();
  let next = 0;
  const worker = async () => {
    for (let request = round[next++]; request !== undefined; request = round[next++]) {
      const { cosigns } = await witness.add(request);
      if (!cosigns) throw new Error('expected a cosignature');
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return (1_000 * round.length) / (performance.now() - startMs);
}
