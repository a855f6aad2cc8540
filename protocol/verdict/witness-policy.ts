/** Who has to vouch by the verifier's own word, in the place of the table: a tlog-policy, held against one network. Spec: SPEC.md 9.1. */
import { witnessRegion } from '../log/origin.ts';
import { lackOf, type Policy, type PolicyParty, quorumWitnesses, type Stand } from '../log/policy.ts';
import { type VerifierKey } from '../log/verifier-key.ts';
import { type Sha256 } from '../primitives.ts';
import { keyIdOf } from '../signature/key-id.ts';
import { type Cosigned } from './knowledge.ts';
import { type WitnessCount } from './verdict.ts';

/** A witness that the quorum asks for. */
interface Voter {
  /** In the policy. */
  readonly name: string;
  /** The name of its key, which says whose it is. */
  readonly operator: string;
  /** That it is, if it is one of the network. */
  readonly region: string | undefined;
  readonly keyId: string;
}

export interface PolicyCount {
  readonly witnesses: WitnessCount;
  /** The oldest of the votes that are needed, where those that are newer go first; undefined without a quorum, and where nobody is asked. */
  readonly atS: number | undefined;
}

/** An immutable value, to be made once for each policy that is read. */
export class WitnessPolicy {
  readonly network: string;
  /** Of witnesses that the quorum asks for and that are no region of the network: no trust log names these keys. */
  readonly outside: readonly VerifierKey[];
  /** Of these whom the policy gives an address: where, as written and unchecked. */
  readonly addressed: readonly { readonly key: VerifierKey; readonly url: string }[];
  /** Regions that the quorum asks for, each once. */
  readonly regions: readonly string[];
  readonly #policy: Policy;
  /** In the order of their lines. */
  readonly #voters: readonly Voter[];
  /** Whose a key is by the policy itself, by its id. */
  readonly #owners: ReadonlyMap<string, string>;

  constructor(
    policy: Policy,
    { network }: { readonly network: string },
    { sha256 }: { readonly sha256: Sha256 },
  ) {
    const voterOf = ([name, { key }]: readonly [string, PolicyParty]): Voter => {
      const region = witnessRegion(key.name, network);
      return { name, operator: key.name, region, keyId: keyIdOf(sha256, key.publicKey) };
    };
    const asked = quorumWitnesses(policy);
    const keys = [...asked.values()].map(({ key }) => key);
    this.network = network;
    this.#policy = policy;
    this.#voters = [...asked].map(voterOf);
    this.#owners = new Map(
      [...policy.witnesses].map(voterOf).map(({ keyId, operator }) => [keyId, operator]),
    );
    const isOutside = ({ name }: VerifierKey) => witnessRegion(name, network) === undefined;
    this.outside = keys.filter(isOutside);
    this.addressed = [...asked.values()].flatMap(({ key, url }) =>
      url !== undefined && isOutside(key) ? [{ key, url }] : [],
    );
    this.regions = [...new Set(this.#voters.flatMap(({ region }) => region ?? []))];
  }

  /** Whether the line of a witness with this name is one that the policy asks for: it has a place before those of others. */
  asksFor(name: string): boolean {
    return this.#voters.some(({ operator }) => operator === name);
  }

  /**
   * Counts cosignatures of which each counts by itself. `mayVouch` tells of a region of the network whether it can vouch for this log at all.
   * Every operator counts once, by its newest, and every key for one operator.
   */
  count(cosigned: readonly Cosigned[], mayVouch: (region: string) => boolean): PolicyCount {
    const able = this.#voters.filter(({ region }) => region === undefined || mayVouch(region));
    const ableNames = new Set(able.map(({ name }) => name));
    const times = this.#votes(able, cosigned);
    const lackSince = (sinceS: number) =>
      lackOf(this.#policy, (name): Stand => {
        if ((times.get(name) ?? -1) >= sinceS) return 'has';
        return ableNames.has(name) ? 'may' : 'cannot';
      });
    const lack = lackSince(0);
    const of = operatorsAmong(able).size;
    const counted = operatorsAmong(able.filter(({ name }) => times.has(name))).size;
    const missing = lack === Infinity ? of + 1 : counted + lack;
    return {
      witnesses: { counted, needed: lack === 0 ? lackSince(Infinity) : missing, of, by: 'policy' },
      atS: lack > 0 ? undefined : newestWhere([...times.values()], (sinceS) => lackSince(sinceS) === 0),
    };
  }

  /**
   * By the name of the witness, when it vouched last. A region claims one key, that of its newest vote by those that the policy names for no other: its root
   * may name any key as its own, so that with more it could take the votes of several others. A key that several claim counts for the first.
   */
  #votes(able: readonly Voter[], cosigned: readonly Cosigned[]): Map<string, number> {
    const found = new Map<string, Cosigned[]>();
    for (const one of cosigned) {
      const by = one.region ?? one.keyId;
      found.set(by, [...(found.get(by) ?? []), one]);
    }
    const claimed = new Map<string, string>();
    const times = new Map<string, number>();
    for (const { name, operator, region, keyId: named } of able) {
      const its = (found.get(region ?? named) ?? []).filter(
        ({ keyId }) => (this.#owners.get(keyId) ?? operator) === operator,
      );
      const newest = newestVote(its);
      if (newest === undefined || (claimed.get(newest.keyId) ?? operator) !== operator) continue;
      claimed.set(newest.keyId, operator);
      times.set(name, newest.timestampS);
    }
    return times;
  }
}

/** Of equal times that by the lowest key id, in whatever order they come. */
function newestVote(votes: readonly Cosigned[]): Cosigned | undefined {
  const isBefore = (a: Cosigned, b: Cosigned) =>
    a.timestampS === b.timestampS ? a.keyId < b.keyId : a.timestampS > b.timestampS;
  return votes.reduce<Cosigned | undefined>(
    (best, one) => (best === undefined || isBefore(one, best) ? one : best),
    undefined,
  );
}

function operatorsAmong(voters: readonly Voter[]): Set<string> {
  return new Set(voters.map(({ operator }) => operator));
}

/** The newest of these times since which there is a quorum: with older votes there always is one too, so that half of them are passed over at once. */
function newestWhere(times: readonly number[], isMetSince: (sinceS: number) => boolean): number | undefined {
  const newestFirst = [...new Set(times)].sort((a, b) => b - a);
  let [from, until] = [0, newestFirst.length];
  while (from < until) {
    const middle = Math.floor((from + until) / 2);
    if (isMetSince(newestFirst[middle] ?? 0)) until = middle;
    else from = middle + 1;
  }
  return newestFirst[from];
}
