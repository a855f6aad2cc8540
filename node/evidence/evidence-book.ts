/**
 * Evidence against regions, of whatever kind but forks, which a log keeps itself: verified before anything else is done with it, kept for good, and given
 * to whoever does not have it. Spec: SPEC.md 14.6, 18.
 */
import { equalBytes, hexOf } from '../../protocol/bytes.ts';
import { claimOf } from '../../protocol/evidence/claim.ts';
import { utf8Bytes } from '../../protocol/encoding/utf8.ts';
import { type Evidence, parseEvidence } from '../../protocol/evidence/evidence.ts';
import { isDisowned, type ProvenEvidence, verifyEvidence } from '../../protocol/evidence/verify-evidence.ts';
import { isProtocolError, ProtocolError } from '../../protocol/fault.ts';
import { parseOrigin, trustLogOrigin } from '../../protocol/log/origin.ts';
import { type TrustState } from '../../protocol/trust/trust-state.ts';
import { type TrustModules } from '../../protocol/trust/verify-statement.ts';
import { NodeError } from '../node-error.ts';
import { type Accusation } from './accusation.ts';
import { type Kept, LogsLookedAt, type Named, type Root, rootsIn } from './evidence-grounds.ts';
import { filesThatFit } from './given-files.ts';
import { keptFiles } from './kept-files.ts';
import { type NamedStatements } from './named-statements.ts';
import { PeerAllowance } from './peer-allowance.ts';
import { RefusedNames } from './refused-names.ts';
import { type Clock } from '../ports.ts';
import { type Store } from '../store/store.ts';
import { EVIDENCE_NAMES_BYTES_MAX } from '../sync/sync-limits.ts';
import { Turns } from '../turns.ts';

/** Of all keys under which a store keeps evidence: then follow the trust log of the region, and the name of the proof. */
export const EVIDENCE_PREFIX = 'evidence';

/**
 * Proofs against one region; of one kind such that its root has not disowned, since more of them prove no more; and such that it had
 * disowned when they came, of which a thief makes as many as he likes. What is disowned gives way to what is not.
 */
export const EVIDENCE_KEPT_MAX = 64;
export const EVIDENCE_STANDING_MAX = 8;
export const EVIDENCE_DISOWNED_MAX = 4;

export interface EvidenceBookModules extends TrustModules {
  readonly store: Store;
  readonly clock: Clock;
  readonly stateOf: (region: string) => TrustState | undefined;
  /** Which statements name keys, by the logs that are held. */
  readonly named: Pick<NamedStatements, 'stand' | 'have' | 'lack' | 'lookUp' | 'wasGivenUp' | 'branchOf'>;
  /** Does work that nobody waits for. Must not throw. */
  readonly run: (work: () => Promise<void>) => void;
  /** Told of each proof that was not known, and its name. Must not throw. */
  readonly onNew?: (evidence: Uint8Array, name: string) => void;
  /** Told where what is kept counts otherwise than it seemed, since a log was looked at. Must not throw. */
  readonly onRecount?: () => void;
  /** Told of what is kept and cannot be read. Must not throw. */
  readonly onTrouble?: (error: unknown) => void;
}

export class EvidenceBook {
  readonly #modules: EvidenceBookModules;
  readonly #turns = new Turns();
  /** By name. */
  readonly #kept = new Map<string, Kept>();
  /** In the store alone, since a log that is held does not name the keys behind it. */
  readonly #unnamed = new Map<string, Kept>();
  readonly #looks: LogsLookedAt;
  /** Whose keys are about to be looked up. */
  readonly #lookingUp = new Set<ProvenEvidence>();
  readonly #refused: RefusedNames;
  /** Of what is kept, and of what is found out about it, since the start; and answers given. */
  #changes = 0;
  #answers = 0;
  readonly #allowance: PeerAllowance;
  #isOpen = false;
  #isHeeding = false;

  constructor(modules: EvidenceBookModules) {
    this.#modules = modules;
    this.#looks = new LogsLookedAt(modules);
    this.#refused = new RefusedNames(modules.clock);
    this.#allowance = new PeerAllowance(modules.clock);
  }

  /** Reads what is kept, of whose statements every signature was verified when it was taken; each word is, since two keys can have one key id. What proves nothing here, as another version may have kept it, and what is damaged stay in the store and are told. Rejects as the store does. */
  async open(): Promise<void> {
    this.#isOpen = true;
    await this.#read(`${EVIDENCE_PREFIX}/`);
  }

  async #read(prefix: string): Promise<void> {
    for await (const [key, bytes] of keptFiles(prefix, this.#modules)) {
      try {
        const proven = verifyEvidence(parseEvidence(bytes), () => true, this.#modules, this.#verified);
        this.#kept.set(this.nameOf(bytes), { key, proven, roots: rootsIn(bytes, this.#modules) });
      } catch (cause) {
        if (!isProtocolError(cause)) throw cause;
        const message = `what is kept as ${key} is no evidence by this version: it is left where it is and not told`;
        const hint = 'Look at it with the version that kept it.';
        this.#modules.onTrouble?.(new NodeError('DATA_INCONSISTENT', message, { cause, hint }));
      }
    }
  }

  /** What the store holds of the logs whose names begin so is another by now: reads anew what is kept against their region. Does nothing before `open`. */
  reread(prefix: string): void {
    const from = `${EVIDENCE_PREFIX}/${prefix}`;
    const reread = async () => {
      const gone = [...this.#kept, ...this.#unnamed].filter(([, { key }]) => key.startsWith(from));
      for (const [name] of gone) this.#drop(name);
      await this.#read(from).finally(() => this.#recount());
    };
    if (this.#isOpen) this.#modules.run(() => this.#turns.take('take', reread).then(() => this.recheck()));
  }

  /** Looks whether a log is another than that by which something kept was looked at, and has it looked at again then: for whenever more is known of a region. */
  heed(): void {
    if (this.#isHeeding || !this.#followed().some((one) => this.#isDue(one))) return;
    this.#isHeeding = true;
    this.#modules.run(async () => {
      await this.recheck().finally(() => (this.#isHeeding = false));
      this.heed();
    });
  }

  /**
   * Holds what is kept against the logs that are held, as `take` does with what comes: it may be from before that was so, or by another branch. What is by keys
   * that such a log does not name counts no more, until it names them or that is taken anew; it stays in the store. What cannot be read stays as it is. Rejects with STORE_CLOSED.
   */
  async recheck(): Promise<void> {
    for (const one of this.#followed()) await this.#turns.take('take', () => this.#look(one));
  }

  #followed(): Named[] {
    return [...this.#standing(), ...this.#standing(this.#unnamed)];
  }

  #isDue(one: Named): boolean {
    return this.#looks.isDue(one, this.#kept.has(one[0]));
  }

  async #look(one: Named): Promise<void> {
    const [name, kept] = one;
    if (![this.#kept.get(name), this.#unnamed.get(name)].includes(kept) || !this.#isDue(one)) return;
    const isNamed = await this.#looks.look(one, () => this.#lookUp(kept.proven));
    if (isNamed === undefined) return;
    const [there, gone] = isNamed ? [this.#kept, this.#unnamed] : [this.#unnamed, this.#kept];
    there.set(name, kept);
    if (gone.delete(name)) this.#recount();
  }

  #recount(): void {
    this.#changes++;
    this.#modules.onRecount?.();
  }

  /** Against roots that are followed now. */
  get accusations(): Accusation[] {
    return this.#standing().map(([name, { proven }]) => {
      const { kind, region, origin, at } = proven;
      return { name, kind, region, origin, at, isDisowned: this.#isDisowned(proven) };
    });
  }

  /**
   * Verifies a proof, and keeps it. False where it is known, or one that proves the same, or where enough of its kind are kept against that region, or where
   * the peer `from` has given much lately. What was refused of late is refused again for nothing if a peer gives it: the same files come with each answer.
   * @throws {ProtocolError} as `parseEvidence` and `verifyEvidence`; PIN_MISMATCH if a log that is held names the keys by no such statements, or none is
   * held; EVIDENCE_MALFORMED for a fork, which is told otherwise. Rejects also as `Store.write`.
   */
  take(bytes: Uint8Array, from?: string): Promise<boolean> {
    return this.#turns.take('take', async () => {
      const name = this.nameOf(bytes);
      if (this.#kept.has(name) || (from !== undefined && this.#refused.has(name))) return false;
      const evidence = parseEvidence(bytes);
      if (evidence.kind === 'fork')
        throw new ProtocolError('EVIDENCE_MALFORMED', 'a fork is told as the fork of a log');
      const roots = rootsIn(bytes, this.#modules);
      // Before its statements are folded, which costs most.
      const stranger = roots.find((root) => !this.#isFollowed(root));
      if (stranger !== undefined) {
        this.#refused.add(name, () => !this.#isFollowed(stranger));
        throw new ProtocolError('PIN_MISMATCH', `the root of ${stranger.region} is none that is known`);
      }
      // What it says of itself is enough to see that it is not needed, and costs its bearer nothing.
      if (from !== undefined && !this.#hasRoomForClaim(name, evidence)) return false;
      if (from !== undefined && !this.#allowance.use(from)) return false;
      const logs = this.#looks.of(roots, false);
      const proven = await this.#prove(name, evidence, roots);
      if (proven === undefined) return false;
      const { network } = parseOrigin(proven.origin);
      const key = `${EVIDENCE_PREFIX}/${trustLogOrigin(proven.region, network)}/${name}`;
      const gone = this.#givingWayTo(proven);
      const dropped = gone === undefined ? [] : [{ del: gone[1].key }];
      await this.#modules.store.write([...dropped, { put: key, value: bytes }]);
      if (gone !== undefined) this.#drop(gone[0]);
      this.#unnamed.delete(name);
      this.#kept.set(name, { key, proven, roots });
      this.#looks.note(name, logs);
      this.#changes++;
      this.#modules.onNew?.(bytes, name);
      return true;
    });
  }

  #hasRoomForClaim(name: string, evidence: Evidence): boolean {
    const claim = this.#faultless(name, () => claimOf(evidence));
    if (this.hasRoomFor(claim)) return true;
    this.#refuseWhile(name, () => !this.hasRoomFor(claim), claim.region);
    return false;
  }

  /** Asks again only where something is kept that was not, or more is known of the region or of one whose log is spoken of: their keys decide what is disowned. */
  #refuseWhile(name: string, isStill: () => boolean, region: string, origin?: string): void {
    const { stateOf } = this.#modules;
    const look = () => {
      const logs = [
        ...(origin === undefined ? [] : [origin]),
        ...this.#against(region).map(([, { proven }]) => proven.origin),
      ];
      const regions = new Set([region, ...logs.map((log) => parseOrigin(log).region)]);
      return { changes: this.#changes, states: [...regions].map((of) => [of, stateOf(of)] as const) };
    };
    let seen = look();
    this.#refused.add(name, () => {
      const isAsBefore = seen.states.every(([of, state]) => stateOf(of) === state);
      if (isAsBefore && seen.changes === this.#changes) return true;
      seen = look();
      return isStill();
    });
  }

  /**
   * What costs least is looked at first: whether its statements stand in the logs at all, then the few signatures of its words, and a log is folded for
   * nothing but what would be kept. Undefined where there is no room for it.
   */
  async #prove(
    name: string,
    evidence: Evidence,
    roots: readonly Root[],
  ): Promise<ProvenEvidence | undefined> {
    const { named } = this.#modules;
    await this.#requireNamed(name, evidence, roots, (region, said) => named.stand(region, said));
    // Of what the log itself has every signature was verified, when it came.
    const proven = this.#faultless(name, () =>
      verifyEvidence(evidence, () => true, this.#modules, this.#verified),
    );
    const isRoomless = () => this.#isSurelyDisowned(proven) && this.#isFullOfDisowned(proven);
    if (this.#isRefused(name, proven, isRoomless)) return undefined;
    await this.#requireNamed(name, evidence, roots, (region, said) => named.have(region, said));
    await this.#lookUp(proven);
    return this.#isRefused(name, proven, () => !this.#isWelcome(proven)) ? undefined : proven;
  }

  async #requireNamed(
    name: string,
    { grounds }: Evidence,
    roots: readonly Root[],
    areNamed: (region: string, said: readonly Uint8Array[]) => Promise<boolean>,
  ): Promise<void> {
    const { stateOf } = this.#modules;
    for (const [i, { region }] of roots.entries()) {
      if (await areNamed(region, grounds[i] ?? [])) continue;
      const size = stateOf(region)?.size;
      this.#refused.add(name, () => stateOf(region)?.size === size);
      throw new ProtocolError('PIN_MISMATCH', `no such statement names keys in the log of ${region}`);
    }
  }

  #isRefused(name: string, { region, origin }: ProvenEvidence, isIt: () => boolean): boolean {
    if (!isIt()) return false;
    this.#refuseWhile(name, isIt, region, origin);
    return true;
  }

  /** What is no proof by itself never is one. */
  #faultless<T>(name: string, read: () => T): T {
    try {
      return read();
    } catch (error) {
      if (isProtocolError(error)) this.#refused.add(name);
      throw error;
    }
  }

  /** Whether a proof of this that is not disowned would be kept: not where one stands that proves the same, nor where enough of its kind stand against that region. */
  hasRoomFor({
    kind,
    region,
    origin,
    at,
  }: Pick<ProvenEvidence, 'kind' | 'region' | 'origin' | 'at'>): boolean {
    const standing = this.#against(region).filter(
      ([, { proven }]) => proven.kind === kind && !this.#isDisowned(proven),
    );
    const isSame = ([, { proven }]: Named) => proven.origin === origin && proven.at === at;
    return standing.length < EVIDENCE_STANDING_MAX && !standing.some(isSame);
  }

  #isWelcome(proven: ProvenEvidence): boolean {
    return this.#isDisowned(proven) ? !this.#isFullOfDisowned(proven) : this.hasRoomFor(proven);
  }

  #isFullOfDisowned({ region }: ProvenEvidence): boolean {
    return this.#disowned(region).length >= EVIDENCE_DISOWNED_MAX;
  }

  /** One that is disowned, where all places against a region are taken: what stands takes fewer than there are. */
  #givingWayTo({ region }: ProvenEvidence): Named | undefined {
    return this.#against(region).length < EVIDENCE_KEPT_MAX ? undefined : this.#disowned(region)[0];
  }

  #disowned(region: string): Named[] {
    return this.#against(region).filter(([, { proven }]) => this.#isDisowned(proven));
  }

  #against(region: string): Named[] {
    return [...this.#kept].filter(([, { proven }]) => proven.region === region);
  }

  /** By a key that the state has forgotten: until the log was looked at, as if it had been given up. */
  #isDisowned(proven: ProvenEvidence): boolean {
    const { stateOf, named, run } = this.#modules;
    return isDisowned(proven, stateOf, (region, keyId) => {
      const found = named.wasGivenUp(region, keyId);
      if (found === undefined && !this.#lookingUp.has(proven)) {
        this.#lookingUp.add(proven);
        run(() =>
          this.#turns.take('take', async () => {
            await this.#lookUp(proven);
            this.#recount();
          }),
        );
      }
      return found !== false;
    });
  }

  /** As far as that is known without looking at a log. */
  #isSurelyDisowned(proven: ProvenEvidence): boolean {
    const { stateOf, named } = this.#modules;
    return isDisowned(proven, stateOf, (region, keyId) => named.wasGivenUp(region, keyId) === true);
  }

  async #lookUp(proven: ProvenEvidence): Promise<void> {
    this.#lookingUp.delete(proven);
    await this.#modules.named.lookUp(proven.region, proven.words.flat());
  }

  /** Names of what is kept, and of what was refused of late, of 16 bytes each, joined. */
  get names(): Uint8Array {
    const kept = this.#standing().map(([name]) => name);
    const names = [...kept, ...this.#refused.names].slice(0, EVIDENCE_NAMES_BYTES_MAX / 16);
    return Buffer.from(names.join(''), 'hex');
  }

  /** Which of these names, joined as above, are of what was never looked at. */
  newAmong(names: Uint8Array): Set<string> {
    const isKnown = (name: string) => this.#kept.has(name) || this.#refused.has(name);
    return new Set(
      hexOf(names)
        .match(/.{32}/g)
        ?.filter((name) => !isKnown(name)),
    );
  }

  /** What is kept and not among these names, as much as fits an answer, beginning anywhere: nothing stands before the rest for good. Rejects as the store. */
  async besides(known: Uint8Array): Promise<Uint8Array[]> {
    const names = new Set(hexOf(known).match(/.{32}/g));
    const others = this.#standing().flatMap(([name, { key }]) => (names.has(name) ? [] : [key]));
    return filesThatFit(others, this.#startAmong(others.length), this.#modules.store);
  }

  /** Another place each time, whoever asks in between. */
  #startAmong(count: number): number {
    const hash = this.#modules.sha256(utf8Bytes(String(this.#answers++)));
    return count === 0 ? 0 : new DataView(hash.buffer, hash.byteOffset).getUint32(0) % count;
  }

  #standing(among: ReadonlyMap<string, Kept> = this.#kept): [string, Kept][] {
    return [...among].filter(([, { roots }]) => roots.every((root) => this.#isFollowed(root)));
  }

  #drop(name: string): void {
    for (const known of [this.#kept, this.#unnamed]) known.delete(name);
    this.#looks.forget(name);
  }

  /** For signatures that were verified before. */
  get #verified(): TrustModules {
    return { ...this.#modules, verifySignature: () => true, admitPublicKey: () => undefined };
  }

  #isFollowed({ region, fingerprint }: Root): boolean {
    const known = this.#modules.stateOf(region)?.fingerprint;
    return known !== undefined && equalBytes(known, fingerprint);
  }

  /** Of a file, whatever it is: 32 hexadecimal digits. */
  nameOf(bytes: Uint8Array): string {
    return hexOf(this.#modules.sha256(bytes)).slice(0, 32);
  }
}
