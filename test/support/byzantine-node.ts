/**
 * A node of a region that lies: it speaks the wire as well as any, by the identity and the keys of its own region and of nobody else,
 * and tells each peer the story that the test wants.
 */
import { Libp2pHost } from '../../node/network/host/libp2p-host.ts';
import { peerNameOf } from '../../node/network/peer-name.ts';
import { readRegionConfig, RegionLayout } from '../../node/region/layout.ts';
import { openNodeIdentity } from '../../node/service/node-identity.ts';
import { type ForkEvidence } from '../../protocol/evidence/fork.ts';
import {
  encodeAnswer,
  parseAnswer,
  parseRequest,
  SYNC_PROTOCOL,
  type SyncAnswer,
  TOPICS,
} from '../../node/sync/messages.ts';
import { forkMessage } from '../../node/sync/sync-server.ts';
import { Forger } from './forger.ts';
import { answerOf } from './log-story.ts';
import { parseNote } from '../../protocol/log/note.ts';
import { realModules } from './issuing-child.ts';
import { sha256 } from './primitives.ts';
import { ReferenceTree } from './reference-tree.ts';
import { type Spoiling, spoilt } from './spoiling.ts';

/** Milliseconds for which one who cosigns all that he hears leaves a tree alone: others who do so hear him. */
const COSIGNED_AGAIN_MS = 5_000;

export class ByzantineNode {
  readonly forger: Forger;
  readonly host: Libp2pHost;
  /** By region, what its node is told of the trust log; the true one unless a test says otherwise. */
  readonly stories = new Map<string, ReferenceTree>();
  /** By region, how it answers whoever asks for entries that it shows. */
  readonly spoils = new Map<string, Spoiling>();
  /** Proofs that it claims to have, whatever they are worth. */
  slander: readonly ForkEvidence[] = [];
  /** What becomes of each note of its log before it shows it: cosigned by others, say. */
  dress: (note: Uint8Array) => Uint8Array = (note) => note;
  /** How often each region has asked for entries. */
  readonly asked = new Map<string, number>();
  readonly #regions: ReadonlyMap<string, string>;

  private constructor(host: Libp2pHost, forger: Forger, regions: ReadonlyMap<string, string>) {
    this.host = host;
    this.forger = forger;
    this.#regions = regions;
    host.handle(SYNC_PROTOCOL, (peer, request) => Promise.resolve(encodeAnswer(this.#answer(peer, request))));
  }

  /** Takes the place of the region's own node, at the address that this has. `peers` are directories of others, which it dials. */
  static async start(directory: string, peers: readonly string[]): Promise<ByzantineNode> {
    const modules = await realModules();
    const identityIn = async (path: string) => {
      const layout = new RegionLayout(path);
      const config = await readRegionConfig(layout);
      return { config, identity: await openNodeIdentity(layout.keys, config, modules) };
    };
    const { config, identity } = await identityIn(directory);
    const { region, network, p2p } = config;
    const host = await Libp2pHost.start(
      { identitySeed: identity.seed, region, network, software: 'entente test', listen: p2p.listen },
      { clock: modules.clock, random: Math.random },
    );
    const regions = new Map<string, string>();
    const admissions = new Map<string, { region: string; standing: 'recognised'; addresses: string[] }>();
    for (const path of peers) {
      const other = await identityIn(path);
      const peer = peerNameOf(other.identity.publicKey);
      regions.set(peer, other.config.region);
      const addresses = [...other.config.p2p.listen];
      admissions.set(peer, { region: other.config.region, standing: 'recognised', addresses });
    }
    const node = new ByzantineNode(host, await Forger.of(directory, modules), regions);
    host.admit(admissions);
    return node;
  }

  stop(): Promise<void> {
    return this.host.stop();
  }

  /** Regions that it is connected to, in order. */
  get peers(): string[] {
    return this.host
      .peers()
      .map((peer) => this.#regions.get(peer) ?? peer)
      .sort();
  }

  /** From now on says, as the witness of its region, of every tree of which it hears that it is the largest consistent one that it saw. */
  cosignAll(): void {
    const cosignedMs = new Map<string, number>();
    this.host.subscribe(TOPICS.head, (_peer, message) => {
      const heard = parseAnswer(message);
      for (const { note } of heard.kind === 'heads' ? heard.heads : []) {
        const { text } = parseNote(note);
        const nowMs = Date.now();
        if (nowMs - (cosignedMs.get(text) ?? 0) < COSIGNED_AGAIN_MS) continue;
        cosignedMs.set(text, nowMs);
        this.tellHead(this.forger.cosigned(note, Math.floor(nowMs / 1_000)));
      }
      return 'accept';
    });
  }

  /** On a story of its log, as it shows that. */
  noteOn(story: ReferenceTree): Uint8Array {
    return this.dress(this.forger.noteOn(story));
  }

  /** Tells everybody of a checkpoint. */
  tellHead(note: Uint8Array, forks = 0): void {
    this.#say(TOPICS.head, { kind: 'heads', heads: [{ note, forks }] });
  }

  /** From now on shows a region its log as it was when it had so many entries. */
  stale(region: string, size: number): void {
    this.stories.set(region, new ReferenceTree(this.forger.true.entries.slice(0, size)));
  }

  /** Sends everybody so many messages in a row, of which no two are alike. */
  flood(count: number): void {
    for (let i = 0; i < count; i++) {
      const names = sha256(Uint8Array.of(i, i >>> 8)).subarray(0, 16);
      this.#say(TOPICS.evidence, { kind: 'evidence-names', names });
    }
  }

  tellForks(...forks: readonly ForkEvidence[]): void {
    for (const fork of forks) this.#say(TOPICS.evidence, { kind: 'forks', forks: [forkMessage(fork)] });
  }

  #say(topic: string, message: SyncAnswer): void {
    this.host.publish(topic, encodeAnswer(message));
  }

  #answer(peer: string, request: Uint8Array): SyncAnswer {
    const region = this.#regions.get(peer) ?? '';
    const asked = parseRequest(request);
    const story = this.stories.get(region) ?? this.forger.true;
    if (asked.kind === 'range') this.asked.set(region, (this.asked.get(region) ?? 0) + 1);
    const { origin } = this.forger;
    const note = this.noteOn(story);
    const answer = answerOf(asked, { origin, tree: story, note, slander: this.slander });
    const spoiling = this.spoils.get(region);
    return answer.kind === 'range' && spoiling !== undefined ? spoilt(answer, spoiling) : answer;
  }
}
