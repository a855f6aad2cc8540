/** What a verifier knows: of each region a folded trust log, the checkpoint it reached and who vouched for that. */
import { equalBytes } from '../bytes.ts';
import { CLOCK_AHEAD_S_MAX } from '../limits.ts';
import { type Sha256 } from '../primitives.ts';
import { type RevocationSet } from '../revocation/revocation-set.ts';
import { type TrustState } from '../trust/trust-state.ts';
import { assess, type Assessment, reportOf } from './ages.ts';
import { type KnowledgeReport } from './verdict.ts';
import { type WitnessPolicy } from './witness-policy.ts';

/** A cosignature whose signature is good under `keyId`, a witness key of `region`. */
export interface Cosigned {
  /** Undefined of a witness that is no region of the network: then the key is one that the verifier's policy names. */
  readonly region: string | undefined;
  readonly keyId: string;
  readonly timestampS: number;
}

/**
 * Everything that a verdict needs of one region. The state is the fold of exactly the entries under the checkpoint, and
 * every signature named here was checked; whether it counts is decided at the time of a verdict.
 */
export interface RegionKnowledge {
  readonly state: TrustState;
  readonly checkpoint: { readonly origin: string; readonly size: number; readonly root: Uint8Array };
  /** The signed note that the checkpoint was read from, for others. */
  readonly note: Uint8Array;
  /** Ids of the checkpoint keys whose signature on the note is good. */
  readonly logKeyIds: readonly string[];
  readonly cosignatures: readonly Cosigned[];
  /** What the region's own witness said of earlier checkpoints of this log that were held: when it was last heard of, and nothing else. */
  readonly ownBefore?: readonly Cosigned[] | undefined;
  /** `forked` or `quarantined` while the holder has evidence of two contradicting logs. */
  readonly standing: 'good' | 'forked' | 'quarantined';
  /** Indexes by log that entries revoke which the holder saw but has not folded: those of an unwitnessed checkpoint or a fork. */
  readonly revokedBeside?: ReadonlyMap<string, RevocationSet> | undefined;
  /** The same of codes of others, by their hashes (SPEC.md 17.9) in hexadecimal: those of a branch of the log that the holder left. */
  readonly foreignRevokedBeside?: ReadonlySet<string> | undefined;
  /** Entries of the longest log that a reader of snapshots saw those in: a shorter one that it takes does not end them. */
  readonly besideSize?: number | undefined;
}

/** Of each witness key the newest cosignature that is not further ahead than any honest clock. */
export function newestByKey(cosignatures: Iterable<Cosigned>, nowS: number): Cosigned[] {
  const newest = new Map<string, Cosigned>();
  for (const cosigned of cosignatures) {
    const key = `${cosigned.region ?? ''} ${cosigned.keyId}`;
    const { timestampS } = cosigned;
    if (timestampS <= nowS + CLOCK_AHEAD_S_MAX && timestampS >= (newest.get(key)?.timestampS ?? 0)) {
      newest.set(key, cosigned);
    }
  }
  return [...newest.values()];
}

/**
 * When the region was last heard of: what stays of earlier checkpoints once one is held whose state is `state`. Of each witness key
 * that it names one at most; what is by another can never count.
 */
export function lastHeard(
  state: TrustState,
  earlier: Iterable<Pick<RegionKnowledge, 'cosignatures' | 'ownBefore'>>,
  nowS: number,
): Cosigned[] {
  const all = [...earlier].flatMap((one) => [...one.cosignatures, ...(one.ownBefore ?? [])]);
  const own = all.filter(
    ({ region, keyId }) => region === state.region && state.key(keyId)?.role === 'witness',
  );
  return newestByKey(own, nowS);
}

/**
 * The trust of a verifier at one moment, an immutable value. It holds the knowledge of its home and of those regions
 * that the home recognises, each under the root that the recognition pins; all else that it is given is left out, so that
 * no other region can stand in for one of them. The home's own root is the caller's to pin.
 */
export class Trust {
  readonly home: string;
  readonly network: string;
  readonly regions: ReadonlyMap<string, RegionKnowledge>;
  /** What was given of regions whose recognition is withdrawn: no verdict leans on it, and one can say whose code it is that counts no more. */
  readonly withdrawn: readonly TrustState[];
  /** The verifier's own word about who has to vouch, in the place of the table: see SPEC.md 9.1. */
  readonly policy: WitnessPolicy | undefined;
  readonly sha256: Sha256;
  // Assessments hold for a while each; remembering them changes the time a verdict takes, not the verdict.
  readonly #assessments = new Map<string, Assessment>();

  /** @throws {TypeError} if a knowledge is filed under another region, or it or the policy belongs to another network. */
  constructor(
    options: {
      home: string;
      network: string;
      regions: Iterable<RegionKnowledge>;
      /** What else is held of regions that may be withdrawn. */
      before?: Iterable<TrustState>;
      policy?: WitnessPolicy | undefined;
    },
    modules: { sha256: Sha256 },
  ) {
    this.home = options.home;
    this.network = options.network;
    this.policy = options.policy;
    this.sha256 = modules.sha256;
    const given = [...options.regions];
    const networks = [...given.map(({ state }) => state.network), this.policy?.network ?? this.network];
    if (networks.some((network) => network !== this.network)) {
      throw new TypeError(`knowledge of another network than ${this.network}`);
    }
    const home = given.find(({ state }) => state.region === this.home);
    this.regions = new Map(
      given
        .filter((knowledge) => home !== undefined && isPinned(home, knowledge))
        .map((knowledge) => [knowledge.state.region, knowledge]),
    );
    this.withdrawn = [...given.map(({ state }) => state), ...(options.before ?? [])].filter(
      ({ region }) => home?.state.recognition(region)?.standing === 'withdrawn',
    );
  }

  /** What the verifier knows of `region` and how old it is at `nowS`; undefined if it knows nothing. */
  assess(region: string, nowS: number): Assessment | undefined {
    const known = this.#assessments.get(region);
    if (known !== undefined && known.fromS <= nowS && nowS < known.untilS) return known;
    const knowledge = this.regions.get(region);
    if (knowledge === undefined) return undefined;
    const assessment = assess(this, knowledge, nowS);
    this.#assessments.set(region, assessment);
    return assessment;
  }
}

/** Tells whether codes of a region come by its adapters here: the home's own, and those that it recognises in this way. */
export function isByAdapter({ home, regions }: Trust, region: string): boolean {
  if (region === home) return true;
  const recognition = regions.get(home)?.state.recognition(region);
  return recognition !== undefined && recognition.standing !== 'withdrawn' && recognition.way === 'adapter';
}

function isPinned(home: RegionKnowledge, { state }: RegionKnowledge): boolean {
  if (state.region === home.state.region) return true;
  const recognition = home.state.recognition(state.region);
  if (recognition === undefined || recognition.standing === 'withdrawn') return false;
  return state.fingerprint !== undefined && equalBytes(state.fingerprint, recognition.fingerprint);
}

/** The figures of a region at `nowS`, for people and for limits; undefined if the verifier knows nothing of it. */
export function assessKnowledge(trust: Trust, region: string, nowS: number): KnowledgeReport | undefined {
  const assessment = trust.assess(region, nowS);
  return assessment && reportOf(assessment, nowS);
}
