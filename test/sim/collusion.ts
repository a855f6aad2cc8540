/**
 * Liars with one plan: one of them tells the same some of the honest another story of its log, which all of them cosign, repeat and deny to
 * be a fork; and all of them slander one honest region with the same proofs. Each has its own keys and nobody else's.
 */
import { isProtocolError } from '../../protocol/fault.ts';
import { encodeCheckpoint, parseCheckpoint } from '../../protocol/log/checkpoint.ts';
import { signCosignature } from '../../protocol/log/cosignature.ts';
import { encodeNote, type Note, parseNote, signNote } from '../../protocol/log/note.ts';
import { witnessName } from '../../protocol/log/origin.ts';
import { COSIGNATURE, ED25519, makeVerifierKey } from '../../protocol/log/verifier-key.ts';
import { type ForkEvidence } from '../../protocol/evidence/fork.ts';
import { encodeAnswer, parseAnswer, type SyncAnswer, TOPICS } from '../../node/sync/messages.ts';
import { forkMessage } from '../../node/sync/sync-server.ts';
import { ReferenceTree } from '../support/reference-tree.ts';
import { logsOn } from './audit.ts';
import { Chance } from './chance.ts';
import { type Scheme } from './fault-kinds.ts';
import { type Machine } from './machine.ts';
import { type Wire } from './sim-network.ts';
import { type World } from './world.ts';

const MINUTE_MS = 60_000;

/** The other story up to a size: the true log, but for one entry from which on it is a branch. */
interface Story {
  readonly tree: ReferenceTree;
  readonly note: Uint8Array;
}

export class Collusion {
  readonly #machines: readonly Machine[];
  readonly #world: World;
  readonly #schemes: ReadonlySet<Scheme>;
  readonly #chance: Chance;
  readonly #teller: Machine;
  readonly #deceived: ReadonlySet<string>;
  readonly #victim: Machine;
  readonly #stories = new Map<number, Story | undefined>();
  readonly #counted = new Set<Scheme>();
  #parting: { readonly index: number; readonly entry: Uint8Array } | undefined;
  #slander: readonly ForkEvidence[] = [];
  #isOver = false;

  /** At least two machines. */
  constructor(machines: readonly Machine[], schemes: readonly Scheme[], world: World) {
    this.#machines = machines;
    this.#world = world;
    this.#schemes = new Set(schemes);
    this.#chance = new Chance(world.options.seed, 'collusion');
    this.#teller = machines[0] as Machine;
    const { honest } = world;
    const deceived = this.#chance.some(honest, this.#chance.whole(1, honest.length));
    this.#deceived = new Set(deceived.map(({ name }) => name));
    this.#victim = this.#chance.pick(honest);
  }

  start(): void {
    if (this.#schemes.has('shared framing')) this.#nowAndThen(8 * MINUTE_MS, () => this.#frame());
  }

  /** From now on they have nothing in common. */
  stop(): void {
    this.#isOver = true;
  }

  /** What one of them says in the place of a message; undefined where the plan has nothing to say. */
  said(wire: Wire): Uint8Array | undefined {
    if (this.#isOver || wire.kind === 'request') return undefined;
    const answer = answerIn(wire.bytes);
    const told = answer === undefined ? undefined : this.#instead(answer, wire.to);
    return told === undefined ? undefined : encodeAnswer(told);
  }

  #instead(answer: SyncAnswer, to: string): SyncAnswer | undefined {
    if (answer.kind === 'forks') return this.#forks(answer);
    if (!this.#schemes.has('shared split view') || !this.#deceived.has(to)) return undefined;
    switch (answer.kind) {
      case 'range': {
        const { from, entries } = answer;
        const story = this.#storyFor(answer.note);
        if (story === undefined) return undefined;
        const end = from + entries.length;
        const { tree, note } = story;
        const path = end < tree.entries.length ? tree.proof(end) : [];
        return { kind: 'range', from, entries: tree.entries.slice(from, end), note, path };
      }
      case 'claim': {
        const story = this.#storyFor(answer.note);
        if (story === undefined) return undefined;
        const { size } = answer;
        const { tree, note } = story;
        const path = size < tree.entries.length ? tree.proof(size) : [];
        return { kind: 'claim', size, root: tree.root(size), path, note };
      }
      case 'heads': {
        let isChanged = false;
        const heads = answer.heads.map((head) => {
          const story = this.#storyFor(head.note);
          isChanged ||= story !== undefined;
          return story === undefined ? head : { note: story.note, forks: 0 };
        });
        return isChanged ? { kind: 'heads', heads } : undefined;
      }
      case 'leaf':
      case 'evidence':
      case 'evidence-names':
      case 'naming':
      case 'refused':
        return undefined;
    }
  }

  /** They know of no fork of their own, and of one that there never was. */
  #forks({ forks }: Extract<SyncAnswer, { kind: 'forks' }>): SyncAnswer | undefined {
    const own = new Set(this.#machines.map(({ region }) => this.#world.trustLogOf(region)));
    const isOwn = ({ sides }: ForkEvidence) => own.has(originOf(sides[0].note));
    if (this.#schemes.has('shared split view') && forks.some(isOwn)) return { kind: 'forks', forks: [] };
    const isEmpty = forks.length === 0 && this.#slander.length > 0;
    return isEmpty ? { kind: 'forks', forks: this.#slander.map(forkMessage) } : undefined;
  }

  /** The other story for whoever would be shown this note; undefined for notes of other logs, or from before the two part. */
  #storyFor(note: Uint8Array): Story | undefined {
    const origin = this.#world.trustLogOf(this.#teller.region);
    const checkpoint = parseCheckpoint(parseNote(note).text);
    if (checkpoint.origin !== origin) return undefined;
    const { size } = checkpoint;
    if (!this.#stories.has(size)) this.#stories.set(size, this.#tell(origin, size));
    const story = this.#stories.get(size);
    if (story !== undefined) this.#count('shared split view');
    return story;
  }

  #tell(origin: string, size: number): Story | undefined {
    const entries = logsOn(this.#teller.medium).get(origin)?.slice(0, size) ?? [];
    if (entries.length < size || size < 4) return undefined;
    const { fixture } = this.#teller;
    fixture.nowS = Math.floor(this.#world.clock.nowMs() / 1000);
    this.#parting ??= {
      index: size - 1,
      entry: fixture.entryOf(fixture.revocation([this.#chance.whole(0, 1_000_000)])),
    };
    const { index, entry } = this.#parting;
    if (index >= size) return undefined;
    entries[index] = entry;
    const tree = new ReferenceTree(entries);
    return { tree, note: this.#cosigned(this.#noteOf(this.#teller, origin, size, tree.root())) };
  }

  /** Two sides that no key of the victim signed, one that is none, and a proof that proves nothing, told by all. */
  #frame(): void {
    const origin = this.#world.trustLogOf(this.#victim.region);
    const holder = this.#machines.find(({ node }) => node !== undefined);
    const note = holder?.node?.keeper(this.#victim.region)?.note;
    if (note === undefined) return;
    const { size, root } = parseCheckpoint(parseNote(note).text);
    if (size === 0) return;
    const other = this.#chance.bytes(32);
    const forger = this.#chance.pick(this.#machines);
    const forged = this.#cosigned(this.#noteOf(forger, origin, size, other));
    const renamed = encodeNote({ ...parseNote(note), text: encodeCheckpoint({ origin, size, root: other }) });
    const truth = { note, root, path: [] };
    this.#slander = [
      { size, sides: [truth, { note: forged, root: other, path: [] }] },
      { size, sides: [truth, { note: renamed, root: other, path: [] }] },
      { size, sides: [truth, { ...truth, root: other }] },
      { size: Math.max(1, size - 1), sides: [truth, { note, root: other, path: [this.#chance.bytes(32)] }] },
    ];
    this.#count('shared framing');
    for (const { region } of this.#machines) {
      const forks = this.#slander.map(forkMessage);
      // All at once, and each alone: whatever is said of one, the others are looked at.
      for (const told of [forks, ...forks.map((fork) => [fork])])
        this.#publish(region, TOPICS.evidence, { kind: 'forks', forks: told });
      this.#publish(region, TOPICS.head, { kind: 'heads', heads: [{ note, forks: forks.length }] });
    }
  }

  #publish(region: string, topic: string, message: SyncAnswer): void {
    this.#world.network.publish(region, topic, encodeAnswer(message));
  }

  #noteOf({ fixture, sha256 }: Machine, origin: string, size: number, root: Uint8Array): Note {
    const { publicKey, sign } = fixture.keys.checkpoint;
    const key = makeVerifierKey(sha256, { name: origin, algorithm: ED25519, publicKey });
    const text = encodeCheckpoint({ origin, size, root });
    return { text, signatures: [signNote(key, text, sign)] };
  }

  /** By the witnesses of all of them. */
  #cosigned({ text, signatures }: Note): Uint8Array {
    const atS = Math.floor(this.#world.clock.nowMs() / 1000);
    const lines = this.#machines.map(({ region, fixture, sha256 }) => {
      const { publicKey, sign } = fixture.keys.witness;
      const name = witnessName(region, fixture.network);
      return signCosignature(
        makeVerifierKey(sha256, { name, algorithm: COSIGNATURE, publicKey }),
        text,
        atS,
        sign,
      );
    });
    return encodeNote({ text, signatures: [...signatures, ...lines] });
  }

  #nowAndThen(ms: number, act: () => void): void {
    this.#world.clock.after(this.#chance.whole(0, 2 * ms), () => {
      if (this.#isOver) return;
      this.#world.check(act);
      this.#nowAndThen(ms, act);
    });
  }

  /** A plan counts once. */
  #count(scheme: Scheme): void {
    if (this.#counted.has(scheme)) return;
    this.#counted.add(scheme);
    this.#world.count(scheme);
  }
}

/** Undefined for noise, and for what other protocols say. */
function answerIn(bytes: Uint8Array): SyncAnswer | undefined {
  try {
    return parseAnswer(bytes);
  } catch (error) {
    if (isProtocolError(error)) return undefined;
    throw error;
  }
}

function originOf(note: Uint8Array): string {
  return parseCheckpoint(parseNote(note).text).origin;
}
