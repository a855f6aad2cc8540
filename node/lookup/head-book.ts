/**
 * The heads of tables that were shown, to this node and to peers that tell of them: for each day and minute the first. A second table of one minute is
 * evidence against its region. So that two askers meet who were shown different ones, each tells a few peers, and all tell the same. Spec: SPEC.md 21.5.
 */
import { concatBytes, hexOf } from '../../protocol/bytes.ts';
import { isProtocolError } from '../../protocol/fault.ts';
import { CLOCK_AHEAD_S_MAX } from '../../protocol/limits.ts';
import { areOneTable, minuteOf, openLookupHead, type SignedHead } from '../../protocol/lookup/head.ts';
import { requireHeadKey } from '../../protocol/lookup/judge-number.ts';
import { type Primitives } from '../../protocol/primitives.ts';
import { RecentMap } from '../../protocol/recent-map.ts';
import { type Trust } from '../../protocol/verdict/knowledge.ts';
import { type Clock, type Network } from '../ports.ts';
import { isAnswering } from './day-keys.ts';
import { inTime } from './in-time.ts';
import { type BucketPlace, encodeLookupRequest, LOOKUP_PROTOCOL, parseHeadAnswer } from './messages.ts';

/** Heads that are older are told to nobody and heard from nobody: an hour, six times the age that a gate takes. */
const HELD_S = 3_600;
/** Of all regions: an hour of some thirty with two days, or twice as many with one, and at most 5 MiB. Those that were not looked at for longest go first. */
const HELD_MAX = 4_096;
/** Peers that hold a head once they are told of it: so many may be in league with its region, or away. */
const MET_MAX = 3;
/** Peers that are told of a head until so many hold it: others do not recognise its region. */
const TOLD_MAX = 12;
const ANSWER_MS_MAX = 800;

export interface HeadBookModules extends Primitives {
  readonly network: Network;
  readonly clock: Clock;
  readonly trust: () => Trust;
  /** Connected peers. */
  readonly peers: () => readonly string[];
  readonly regionOf: (peer: string) => string | undefined;
  /** Proves that a region signed both for one day and minute. */
  readonly accuse: (region: string, heads: readonly [Uint8Array, Uint8Array]) => Promise<void>;
  /** Must not throw. */
  readonly onTrouble: (error: unknown) => void;
  readonly stopping: AbortSignal;
}

interface Held extends SignedHead {
  readonly bytes: Uint8Array;
  /** One proof of a day and minute is enough, and anybody can show two heads again and again. */
  isAccused?: boolean;
  /** Once this node tells peers of it: who of them holds it, `MET_MAX` at most, and undefined where nobody more does. */
  met?: readonly Promise<string | undefined>[];
}

type TreePlace = Pick<BucketPlace, 'region' | 'day' | 'root' | 'bits'>;

export class HeadBook {
  readonly #network: string;
  readonly #modules: HeadBookModules;
  readonly #held = new RecentMap<Held>(HELD_MAX);
  /** The same by the tree that they name. */
  readonly #trees = new RecentMap<Held>(HELD_MAX);
  /** Regions against whose heads evidence is being made: one proof at a time. */
  readonly #accusing = new Set<string>();
  readonly #counters = { shown: 0, heard: 0, contradicted: 0 };

  constructor({ network }: { readonly network: string }, modules: HeadBookModules) {
    this.#network = network;
    this.#modules = modules;
  }

  /** Counted since the start: heads that were new, by whom they came, and those that contradict another. */
  get counters(): Readonly<Record<'shown' | 'heard' | 'contradicted', number>> {
    return { ...this.#counters };
  }

  /**
   * A head that its region has shown this node, and that is proven. Tells peers of it, which nobody waits for. Gives whether it is held to: it is of an hour
   * that this node remembers, and says the first table of its day and minute.
   */
  shown(signed: SignedHead, bytes: Uint8Array): boolean {
    if (!this.#isOfNow(signed)) return false;
    const held = this.#hold({ ...signed, bytes });
    if (held === 'contradicts') return false;
    if (held === 'first') this.#counters.shown++;
    const first = this.#held.get(nameOf(signed));
    // Also one that was heard before: whoever is in league with a region would else keep this node silent by telling it first.
    if (first !== undefined) first.met ??= this.#tell(signed, bytes);
    return true;
  }

  /** Whether it holds a head of the tree that a place names: its region has signed it. */
  holds(place: TreePlace): boolean {
    return this.#trees.get(treeOf(place)) !== undefined;
  }

  /**
   * A head that a peer tells of. Gives the one that was first here for its day and minute; undefined where this node cannot tell that it is one: it is of
   * another hour, or of a region that this node does not recognise or whose key it does not know.
   * @throws {ProtocolError} as `openLookupHead`, but SIGNATURE_INVALID.
   */
  heard(bytes: Uint8Array): Uint8Array | undefined {
    let signed: SignedHead;
    try {
      signed = openLookupHead(bytes, this.#modules);
      requireHeadKey(signed, this.#network, this.#modules.trust());
    } catch (error) {
      if (isProtocolError(error, 'SIGNATURE_INVALID')) return undefined;
      throw error;
    }
    if (!this.#isOfNow(signed)) return undefined;
    if (this.#hold({ ...signed, bytes }) === 'first') this.#counters.heard++;
    return this.#held.get(nameOf(signed))?.bytes;
  }

  /** What it is beside the first of its day and minute. */
  #hold(held: Held): 'first' | 'agrees' | 'contradicts' {
    const first = this.#held.get(nameOf(held));
    if (first === undefined) {
      this.#held.set(nameOf(held), held);
      this.#trees.set(treeOf(held.head), held);
      return 'first';
    }
    if (areOneTable(first.head, held.head)) return 'agrees';
    this.#counters.contradicted++;
    void this.#accuse(first, held);
    return 'contradicts';
  }

  async #accuse(first: Held, other: Held): Promise<void> {
    const { region } = first.head;
    if (first.isAccused === true || this.#accusing.has(region)) return;
    this.#accusing.add(region);
    const { accuse, onTrouble } = this.#modules;
    try {
      await accuse(region, [first.bytes, other.bytes]);
      first.isAccused = true;
    } catch (error) {
      // What proves nothing never will. Our own disk may take it when it is told again.
      first.isAccused = isProtocolError(error);
      onTrouble(error);
    } finally {
      this.#accusing.delete(region);
    }
  }

  #isOfNow({ head }: SignedHead): boolean {
    const ageS = this.#modules.clock.nowMs() / 1_000 - head.at;
    // A region cannot crowd out others by heads of as many days as it likes.
    return isAnswering(head.day, head.at) && ageS <= HELD_S && ageS >= -CLOCK_AHEAD_S_MAX;
  }

  /** The peers that hold a head which was shown, since they answered so when they were told of it, and so can give its buckets. None rejects. */
  meetingPlaces(signed: Pick<SignedHead, 'head'>): readonly Promise<string | undefined>[] {
    return this.#held.get(nameOf(signed))?.met ?? [];
  }

  #tell(signed: SignedHead, bytes: Uint8Array): Promise<string | undefined>[] {
    const left = this.#ranked(signed).slice(0, TOLD_MAX);
    const meet = async (): Promise<string | undefined> => {
      for (let peer = left.shift(); peer !== undefined; peer = left.shift())
        if (await this.#isMet(peer, signed, bytes)) return peer;
      return undefined;
    };
    return Array.from({ length: MET_MAX }, () =>
      meet().catch((error: unknown) => {
        this.#modules.onTrouble(error);
        return undefined;
      }),
    );
  }

  /** Tells a peer of a head. Gives whether it holds that, by its answer, which is heeded as any that is heard. */
  async #isMet(peer: string, { head }: SignedHead, bytes: Uint8Array): Promise<boolean> {
    const { network, clock, stopping } = this.#modules;
    const request = encodeLookupRequest({ kind: 'head', head: bytes });
    const answer = await inTime(clock, ANSWER_MS_MAX, stopping, (within) =>
      network.request(peer, LOOKUP_PROTOCOL, request, within),
    ).catch(() => undefined);
    if (answer === undefined) return false;
    try {
      const other = parseHeadAnswer(answer);
      if (other === undefined || this.heard(other) === undefined) return false;
      return areOneTable(openLookupHead(other, this.#modules).head, head);
    } catch (error) {
      if (isProtocolError(error)) return false;
      throw error;
    }
  }

  /** The order in which peers are told of a head: the same for everybody who is connected to them, and another in each minute. */
  #ranked({ head }: Pick<SignedHead, 'head'>): string[] {
    const { sha256, peers, regionOf } = this.#modules;
    const others = peers().filter((peer) => regionOf(peer) !== head.region);
    const rankOf = (peer: string) =>
      hexOf(sha256(concatBytes(Buffer.from(`${nameOf({ head })}\n`), Buffer.from(peer))));
    const ranked = others.map((peer) => ({ peer, rank: rankOf(peer) }));
    ranked.sort((a, b) => (a.rank < b.rank ? -1 : 1));
    return ranked.map(({ peer }) => peer);
  }
}

function nameOf({ head }: Pick<SignedHead, 'head'>): string {
  return `${head.region}/${head.day}/${minuteOf(head)}`;
}

function treeOf({ region, day, root, bits }: TreePlace): string {
  return `${region}/${day}/${bits}/${hexOf(root)}`;
}
