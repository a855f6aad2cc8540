/** A keeper of a made region's log on a store in memory, and the notes of that region. */
import { signCheckpoint } from '../../protocol/log/checkpoint.ts';
import { signCosignature } from '../../protocol/log/cosignature.ts';
import { encodeNote } from '../../protocol/log/note.ts';
import { witnessName } from '../../protocol/log/origin.ts';
import { type NoteSignature } from '../../protocol/log/signature-line.ts';
import { COSIGNATURE, ED25519, makeVerifierKey } from '../../protocol/log/verifier-key.ts';
import { LogTree } from '../../node/log/log-tree.ts';
import { type Store } from '../../node/store/store.ts';
import { type TrustKeeperModules } from '../../node/trust/keeper-options.ts';
import { TrustKeeper } from '../../node/trust/trust-keeper.ts';
import { WitnessKeys } from '../../node/trust/witness-keys.ts';
import { MemorySecondPlace } from './memory-second-place.ts';
import { sha256 } from './primitives.ts';
import { type RegionFixture, START_S, type TestKey, trustModules } from './region-fixture.ts';
import { ReferenceTree } from './reference-tree.ts';
import { RunningClock } from './running-clock.ts';
import { medium, startedStore } from './store-fixture.ts';
import { type FaultyMedium } from './faulty-disk.ts';

/** A note of the region on its log at a size. */
export function noteOf(
  region: RegionFixture,
  size = region.entries.length,
  key: TestKey = region.keys.checkpoint,
): Uint8Array {
  const name = region.origin;
  const verifier = makeVerifierKey(sha256, { name, algorithm: ED25519, publicKey: key.publicKey });
  return encodeNote(signCheckpoint({ origin: name, size, root: region.rootAt(size) }, verifier, key.sign));
}

/** A cosignature by the witness key of a region. */
export function cosignatureBy(witness: RegionFixture, text: string, atS = START_S): NoteSignature {
  const { publicKey, sign } = witness.keys.witness;
  const name = witnessName(witness.region, witness.network);
  return signCosignature(
    makeVerifierKey(sha256, { name, algorithm: COSIGNATURE, publicKey }),
    text,
    atS,
    sign,
  );
}

export interface KeeperBench {
  readonly keeper: TrustKeeper;
  readonly store: Store;
  readonly on: FaultyMedium;
}

/** A keeper of `region` that knows the witness keys of `witnesses`. On `on`, what an earlier one left is there. */
export async function keeperOf(
  region: RegionFixture,
  {
    on = medium(),
    witnesses = [],
    secondPlace = new MemorySecondPlace(),
    ...modules
  }: { on?: FaultyMedium; witnesses?: RegionFixture[] } & Partial<TrustKeeperModules> = {},
): Promise<KeeperBench> {
  const store = await startedStore(on);
  const tree = await LogTree.open(region.origin, { store, secondPlace, sha256 });
  const keys = new WitnessKeys(
    witnesses.map(({ state }) => state),
    sha256,
  );
  const keeper = await TrustKeeper.open(
    { region: region.region, network: region.network, fingerprint: region.fingerprint },
    {
      ...trustModules,
      store,
      secondPlace,
      tree,
      clock: new RunningClock(START_S * 1000),
      witnessKeys: () => keys,
      ...modules,
    },
  );
  return { keeper, store, on };
}

/** The path between two sizes of the region's log, by the definition. */
export function consistencyOf(region: RegionFixture, oldSize: number, newSize: number): Uint8Array[] {
  return new ReferenceTree(region.entries).proof(oldSize, newSize);
}
