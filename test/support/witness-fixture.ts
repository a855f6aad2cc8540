/** A witness that knows one log, whose keys and entries a test chooses. */
import { signCheckpoint } from '../../protocol/log/checkpoint.ts';
import { encodeNote } from '../../protocol/log/note.ts';
import { type ForkEvidence } from '../../protocol/evidence/fork.ts';
import { type Store } from '../../node/store/store.ts';
import { type AddCheckpoint } from '../../node/witness/add-checkpoint.ts';
import { Witness, type WitnessModules } from '../../node/witness/witness.ts';
import { type Vetting } from '../../node/witness/witness-rule.ts';
import { type FaultyMedium } from './faulty-disk.ts';
import { logKey, testKey, verifySignature } from './keys.ts';
import { MemorySecondPlace } from './memory-second-place.ts';
import { sha256 } from './primitives.ts';
import { ReferenceTree } from './reference-tree.ts';
import { RunningClock } from './running-clock.ts';
import { storeOn } from './store-fixture.ts';

export const ORIGIN = 'CN-33.test/trust';
export const NAME = 'DE.test/witness';
export const NOW_MS = 1_795_436_400_000;
export const log = logKey(ORIGIN, 1);
export const tree = ReferenceTree.ofSize(40);
/** The same up to its fifth entry. */
export const other = new ReferenceTree(tree.entries.map((entry, i) => (i < 5 ? entry : Uint8Array.of(i))));

export function noteOf(size: number, of = tree, key = log): Uint8Array {
  return encodeNote(signCheckpoint({ origin: key.key.name, size, root: of.root(size) }, key.key, key.sign));
}

export function request(oldSize: number, size: number, changes: Partial<AddCheckpoint> = {}): AddCheckpoint {
  const path = oldSize === 0 || oldSize > size ? [] : tree.proof(oldSize, size);
  return { oldSize, path, note: noteOf(size), ...changes };
}

export interface WitnessBench {
  /** What the witness knows, for a test to change. */
  readonly ground: { keys: readonly (typeof log.key)[]; vetting: Vetting };
  readonly witness: Witness;
  readonly store: Store;
  readonly forks: ForkEvidence[];
  readonly clock: RunningClock;
}

/** Each is a process of its own. */
export async function witnessOn(
  on: FaultyMedium,
  secondPlace = new MemorySecondPlace(),
  modules: Partial<WitnessModules> = {},
): Promise<WitnessBench> {
  const ground: WitnessBench['ground'] = {
    keys: [log.key],
    vetting: { isFolded: true, objection: undefined },
  };
  const clock = new RunningClock(NOW_MS);
  const store = storeOn(on);
  await store.start();
  const forks: ForkEvidence[] = [];
  const witness = new Witness(
    { name: NAME },
    {
      store,
      secondPlace,
      clock,
      sha256,
      verifySignature,
      key: () => testKey(2),
      keysOf: (origin) => (origin === ORIGIN ? ground.keys : undefined),
      vet: () => ground.vetting,
      onFork: (_origin, evidence) => forks.push(evidence),
      ...modules,
    },
  );
  return { ground, witness, store, forks, clock };
}
