/** What a reader holds, in a form that can be stored and read again, whatever the time is then. */
import { equalBytes } from '../bytes.ts';
import { ProtocolError } from '../fault.ts';
import { type CodedBlock, RevocationSet } from '../revocation/revocation-set.ts';
import { type TrustModules } from '../trust/verify-statement.ts';
import { CheckpointReader } from '../verdict/checkpoint-reader.ts';
import { type Cosigned, newestByKey, type RegionKnowledge, Trust } from '../verdict/knowledge.ts';
import { type Holdings, type SnapshotReader } from './apply.ts';
import { type HeldLog, offeredLog } from './held-log.ts';
import { makeSnapshot, sourcesOf } from './make.ts';
import { parseSnapshot } from './snapshot.ts';

/** Revoked indexes by log. */
export type SavedRevocations = readonly (readonly [log: string, blocks: readonly CodedBlock[]])[];

/** What no snapshot says of a region that is held. */
export interface SavedRegion extends Pick<
  RegionKnowledge,
  'logKeyIds' | 'cosignatures' | 'standing' | 'besideSize'
> {
  readonly region: string;
  readonly ownBefore: readonly Cosigned[] | undefined;
  readonly revokedBeside: SavedRevocations | undefined;
}

export interface SavedUnheld {
  readonly region: string;
  readonly fingerprint: Uint8Array;
  readonly revokedBeside: SavedRevocations;
  readonly besideSize: number;
}

export interface SavedHoldings {
  /** Full parts of all that is held; each begins where the log that is held does. */
  readonly snapshot: Uint8Array;
  /** One for each part. */
  readonly regions: readonly SavedRegion[];
  readonly unheld: readonly SavedUnheld[];
}

/** @throws {RangeError} if the logs that are held take more bytes than a snapshot may have. */
export async function saveHoldings(holdings: Holdings): Promise<SavedHoldings> {
  const { trust, logs, unheld } = holdings;
  const sources = sourcesOf(holdings).map((source) => ({
    ...source,
    newestBase: () => logs.get(source.region)?.base,
  }));
  return {
    snapshot: await makeSnapshot(trust.network, sources),
    regions: [...trust.regions].map(([region, knowledge]) => {
      const { logKeyIds, cosignatures, standing, ownBefore, revokedBeside, besideSize } = knowledge;
      return {
        region,
        logKeyIds,
        cosignatures,
        standing,
        ownBefore,
        revokedBeside: revokedBeside && savedRevocations(revokedBeside),
        besideSize,
      };
    }),
    unheld: [...unheld].map(([region, { fingerprint, revokedBeside, besideSize }]) => ({
      region,
      fingerprint,
      revokedBeside: savedRevocations(revokedBeside),
      besideSize,
    })),
  };
}

/**
 * The holdings that `saveHoldings` was given. Logs, checkpoints and pins are checked as those of a snapshot; that a quorum vouched
 * for them when they were taken, and what else no snapshot says, is believed: so `saved` has to come from the reader's own disk.
 * @throws {ProtocolError} PIN_MISMATCH for another home, root or network; SNAPSHOT_INCOMPLETE if it lacks the home or names other
 * regions than it has parts of; what `parseSnapshot`, `offeredLog`, `CheckpointReader` and `RevocationSet.fromBlocks` throw.
 */
export function restoreHoldings(
  { snapshot: bytes, regions: saved, unheld }: SavedHoldings,
  { home, network, pin, policy }: SnapshotReader,
  modules: TrustModules,
): Holdings {
  const snapshot = parseSnapshot(bytes);
  const logs = new Map<string, HeldLog>();
  for (const part of snapshot.parts) logs.set(part.region, offeredLog(part, network, undefined, modules));
  const root = logs.get(home)?.fold.state.fingerprint;
  if (snapshot.network !== network || (root !== undefined && !equalBytes(root, pin)))
    throw new ProtocolError('PIN_MISMATCH', 'expected what this reader holds');
  // Without keys of regions: what their witnesses said was read when it was taken, by the keys that were known then. A policy may be another now.
  const reader = new CheckpointReader([], modules, policy?.outside);
  const beside = new Map(saved.map((region) => [region.region, region]));
  const knowledge = snapshot.parts.map(({ region, checkpoint }): RegionKnowledge => {
    const known = beside.get(region);
    const log = logs.get(region);
    if (log === undefined || known === undefined) throw otherRegions();
    const { logKeyIds, standing, ownBefore, revokedBeside, besideSize } = known;
    const read = reader.knowledgeOf(log.fold.state, checkpoint);
    return {
      ...read,
      ...{ logKeyIds, standing, ownBefore, besideSize },
      cosignatures: [
        ...known.cosignatures.filter((one) => !isOutside(one)),
        ...newestByKey([...known.cosignatures.filter(isOutside), ...read.cosignatures], Infinity),
      ],
      revokedBeside: revokedBeside && restoredRevocations(revokedBeside),
    };
  });
  const trust = new Trust({ home, network, policy, regions: knowledge }, modules);
  if (trust.regions.size !== saved.length || !trust.regions.has(home)) throw otherRegions();
  return {
    trust,
    logs,
    unheld: new Map(
      unheld.map(({ region, revokedBeside, ...rest }) => [
        region,
        { ...rest, revokedBeside: restoredRevocations(revokedBeside) },
      ]),
    ),
  };
}

function isOutside({ region }: Cosigned): boolean {
  return region === undefined;
}

function savedRevocations(sets: ReadonlyMap<string, RevocationSet>): SavedRevocations {
  return [...sets].map(([log, set]) => [log, [...set.blocks()]]);
}

function restoredRevocations(saved: SavedRevocations): Map<string, RevocationSet> {
  return new Map(saved.map(([log, blocks]) => [log, RevocationSet.fromBlocks(blocks)]));
}

function otherRegions(): ProtocolError {
  return new ProtocolError('SNAPSHOT_INCOMPLETE', 'expected a part of each region that is held');
}
