/** What whoever had something logged is told of it: that it stands under a signed checkpoint, and who has vouched for that by now. Spec: SPEC.md 9. */
import { decodeUtf8 } from '../../protocol/encoding/utf8.ts';
import { type Checkpoint, readNote } from '../../protocol/log/checkpoint.ts';
import { encodeLogProof } from '../../protocol/log/tlog-proof.ts';
import { type Assessment, assess } from '../../protocol/verdict/ages.ts';
import { type RegionKnowledge, type Trust } from '../../protocol/verdict/knowledge.ts';
import { type WitnessCount } from '../../protocol/verdict/verdict.ts';
import { type LogTree } from '../log/log-tree.ts';
import { LogView } from '../log/log-view.ts';
import { type HeldState, knowledgeOf } from './held-state.ts';

export interface LogReceipt {
  readonly sequenced: {
    readonly origin: string;
    /** Entries under the newest signed checkpoint, those that were asked about among them. */
    readonly size: number;
    /** When the last of these was logged, in seconds since 1970. */
    readonly atS: number;
  };
  /** Witnesses that are known to have cosigned a checkpoint with them: of the trust log by the policy of the node, if it has one. */
  readonly witnessed: WitnessCount & {
    /** Whether so many have that verdicts go by it: false while there is a doubt, whatever was counted. */
    readonly isQuorum: boolean;
    /** Entries under that checkpoint. */
    readonly size?: number;
    /** Seconds since a quorum last did. */
    readonly ageS?: number;
    /** The reason (SPEC.md 11) for which verdicts do not go by it, whoever vouches. */
    readonly doubt?: Doubt;
  };
  /** Where it is of one entry: that this is in the log, as a C2SP tlog-proof, under the checkpoint that is witnessed, else under the newest one. */
  readonly proof?: string;
}

export type Doubt = 'FORKED' | 'QUARANTINED' | 'CHECKPOINT_KEY_UNFIT';

/** A checkpoint of the log, the state by which its keys are judged, and what vouches for it. */
export type HeldCheckpoint = Pick<HeldState, 'state' | 'checkpoint' | 'pool' | 'ownBefore'>;

export interface LogReceiptModules {
  readonly tree: LogTree;
  /** Those of the log that others were asked about, the newest last. */
  readonly held: readonly HeldCheckpoint[];
  /** Of the log. */
  readonly standing: RegionKnowledge['standing'];
  /** The home's, by which witnesses are counted. */
  readonly trust: Trust;
  readonly nowS: number;
}

interface Weighed {
  readonly receipt: LogReceipt;
  /** The note that whoever has the receipt can show. */
  readonly note: Uint8Array;
}

/** Of an own log up to `size` entries, by default all that are signed; undefined where no signed checkpoint has so many. */
export function receiptOf(size: number | undefined, modules: LogReceiptModules): LogReceipt | undefined {
  return weigh(size, modules)?.receipt;
}

/**
 * Of the entry at `index`, with its proof; undefined where no signed checkpoint has it.
 * @throws {NodeError} LOG_PRUNED, and as the log's reader.
 */
export async function entryReceiptOf(
  index: number,
  { sha256, ...modules }: LogReceiptModules & Pick<Trust, 'sha256'>,
): Promise<LogReceipt | undefined> {
  const weighed = weigh(index + 1, modules);
  if (weighed === undefined) return undefined;
  const { receipt, note: checkpoint } = weighed;
  const { size } = readNote(checkpoint).checkpoint;
  const path = await new LogView(modules.tree, { sha256 }).inclusionProof({ index, size });
  const proof = encodeLogProof({ extra: undefined, index, path, checkpoint });
  return { ...receipt, proof: decodeUtf8(proof, 'PROOF_INVALID') };
}

function weigh(
  size: number | undefined,
  { tree, held, standing, trust, nowS }: LogReceiptModules,
): Weighed | undefined {
  const { signed, atS } = tree.head;
  if (signed === undefined || signed.size < (size ?? 1)) return undefined;
  const { origin } = tree;
  const sequenced = { origin, size: signed.size, atS };
  // A fit key goes before a quorum, that before a larger count, and that before a newer checkpoint: where the key is fit, a quorum vouches.
  const [vouched] = held
    .filter(({ checkpoint }) => checkpoint.size >= (size ?? signed.size))
    .map((one) => {
      const assessment = assess(trust, knowledgeOf(one, 'good'), nowS);
      return { one, ...assessment, isCounted: isQuorumOf(assessment) };
    })
    .sort(
      (a, b) =>
        Number(b.isCheckpointKeyFit) - Number(a.isCheckpointKeyFit) ||
        Number(b.isCounted) - Number(a.isCounted) ||
        b.witnesses.counted - a.witnesses.counted,
    );
  // By a policy who else is needed goes by who vouches already.
  const count = vouched?.witnesses ?? neededFor({ origin, ...signed }, trust, nowS);
  const isCounted = vouched?.isCounted === true;
  const doubt = doubtOf(standing, isCounted ? vouched : undefined);
  const isQuorum = isCounted && doubt === undefined;
  const witnessed = {
    ...count,
    isQuorum,
    ...(isQuorum && {
      size: vouched?.one.checkpoint.size ?? 0,
      ageS: Math.max(0, nowS - (vouched?.knowledgeAtS ?? nowS)),
    }),
    ...(doubt !== undefined && { doubt }),
  };
  const shown = isQuorum ? vouched?.one : held.find(({ checkpoint }) => checkpoint.size === signed.size);
  return { receipt: { sequenced, witnessed }, note: shown?.pool.note() ?? signed.note };
}

/** Not where nobody has to vouch: the time is then the region's own word. */
function isQuorumOf({ knowledgeAtS, witnesses }: Assessment): boolean {
  return witnesses.needed > 0 && knowledgeAtS !== undefined;
}

/** How many of how many have to vouch for a checkpoint of the home's; none while nothing is known of that. */
export function neededFor(checkpoint: Checkpoint, trust: Trust, nowS: number): WitnessCount {
  const home = trust.regions.get(trust.home);
  if (home === undefined) return { counted: 0, needed: 0, of: 0 };
  return assess(trust, { ...home, checkpoint, cosignatures: [], ownBefore: undefined }, nowS).witnesses;
}

function doubtOf(
  standing: RegionKnowledge['standing'] | undefined,
  vouched: Pick<Assessment, 'isCheckpointKeyFit'> | undefined,
): Doubt | undefined {
  if (standing === 'forked') return 'FORKED';
  if (standing === 'quarantined') return 'QUARANTINED';
  return vouched?.isCheckpointKeyFit === false ? 'CHECKPOINT_KEY_UNFIT' : undefined;
}
