/**
 * A region that lies: its node is an honest one, but what it says is changed on its way, and it says things of its own. It has
 * its own keys and nobody else's.
 */
import { isProtocolError } from '../../protocol/fault.ts';
import { encodeCheckpoint, parseCheckpoint } from '../../protocol/log/checkpoint.ts';
import { encodeNote, parseNote, signNote } from '../../protocol/log/note.ts';
import { ED25519, makeVerifierKey } from '../../protocol/log/verifier-key.ts';
import {
  type AnswerTo,
  encodeAnswer,
  parseAnswer,
  SYNC_PROTOCOL,
  type SyncAnswer,
  TOPICS,
} from '../../node/sync/messages.ts';
import { ReferenceTree } from '../support/reference-tree.ts';
import { spoilt } from '../support/spoiling.ts';
import { logsOn } from './audit.ts';
import { Chance } from './chance.ts';
import { Collusion } from './collusion.ts';
import { type Lie } from './fault-kinds.ts';
import { type Plan } from './plan.ts';
import { type Machine } from './machine.ts';
import { type Wire } from './sim-network.ts';
import { type World } from './world.ts';

const MINUTE_MS = 60_000;
/** Messages of one flood: three times what a node looks at of one peer at once. */
const FLOOD = 100;
/** Messages that a liar keeps to repeat them. */
const KEPT_MAX = 64;
const SHARES = { withheld: 0.5, forged: 0.2, rolledBack: 0.5, spoilt: 0.5 } as const;

export class Liar {
  readonly #machine: Machine;
  readonly #world: World;
  readonly #lies: ReadonlySet<Lie>;
  readonly #chance: Chance;
  /** Apart, so that the other lies of a liar stay as they are. */
  readonly #spoiling: Chance;
  /** What it said before, oldest first. */
  readonly #said: Wire[] = [];
  readonly #told = new Set<Lie>();
  /** Whom it tells another story. */
  readonly #deceived: ReadonlySet<string>;
  readonly #collusion: Collusion | undefined;
  #isOver = false;

  constructor(machine: Machine, lies: readonly Lie[], world: World, collusion?: Collusion) {
    this.#machine = machine;
    this.#world = world;
    this.#collusion = collusion;
    this.#lies = new Set(lies);
    this.#chance = new Chance(world.options.seed, `liar ${machine.region}`);
    this.#spoiling = new Chance(world.options.seed, `spoiling ${machine.region}`);
    const { honest } = world;
    this.#deceived = new Set(
      this.#chance.some(honest, Math.floor(honest.length / 2)).map(({ name }) => name),
    );
  }

  start(): void {
    const { network } = this.#world;
    network.distort(this.#machine.region, (wire) => this.#distort(wire));
    if (this.#lies.has('flood')) this.#nowAndThen(8 * MINUTE_MS, () => this.#flood());
    if (this.#lies.has('fast forward')) this.#nowAndThen(6 * MINUTE_MS, () => this.#fastForward());
    if (this.#lies.has('forgery')) this.#nowAndThen(4 * MINUTE_MS, () => this.#forgeCosignature());
  }

  /** From now on it is honest. */
  stop(): void {
    this.#isOver = true;
    this.#world.network.distort(this.#machine.region, undefined);
  }

  #distort(wire: Wire): Uint8Array | undefined {
    if (wire.kind === 'request') return wire.bytes;
    const lied = this.#lieOf(wire);
    if (this.#said.length < KEPT_MAX || this.#chance.hits(0.02)) {
      this.#said.push(wire);
      this.#said.splice(0, this.#said.length - KEPT_MAX);
    }
    return lied && this.#spoilt(wire, lied);
  }

  /** Entries that are asked for, as they are of no use. */
  #spoilt({ kind, protocol }: Wire, bytes: Uint8Array): Uint8Array {
    const isSpoiling = this.#lies.has('reorder') || this.#lies.has('oversize');
    if (!isSpoiling || kind !== 'answer' || protocol !== SYNC_PROTOCOL) return bytes;
    const answer = rangeOf(bytes);
    if (answer === undefined || !this.#spoiling.hits(SHARES.spoilt)) return bytes;
    // One entry has no other order.
    const lie = this.#lies.has('reorder') && answer.entries.length > 1 ? 'reorder' : 'oversize';
    if (!this.#lies.has(lie)) return bytes;
    this.#count(lie);
    return encodeAnswer(spoilt(answer, lie));
  }

  #lieOf(wire: Wire): Uint8Array | undefined {
    const shared = this.#collusion?.said(wire);
    if (shared !== undefined) return shared;
    if (this.#tells('withholding', SHARES.withheld)) return undefined;
    if (wire.protocol === TOPICS.trust && this.#lies.has('equivocation') && this.#deceived.has(wire.to)) {
      return this.#otherStory(wire.bytes);
    }
    const old = this.#said.find(({ kind, protocol }) => kind === wire.kind && protocol === wire.protocol);
    if (old !== undefined && this.#tells('roll back', SHARES.rolledBack)) return old.bytes;
    return this.#tells('forgery', SHARES.forged) ? this.#flipped(wire.bytes) : wire.bytes;
  }

  /** Another last entry of its own log, signed as well as the true one. */
  #otherStory(bytes: Uint8Array): Uint8Array {
    const answer = rangeOf(bytes);
    if (answer === undefined) return bytes;
    const { origin, size } = parseCheckpoint(parseNote(answer.note).text);
    const entries = logsOn(this.#machine.medium).get(origin)?.slice(0, size) ?? [];
    if (entries.length !== size) return bytes;
    this.#count('equivocation');
    const { fixture } = this.#machine;
    fixture.nowS = Math.floor(this.#world.clock.nowMs() / 1000);
    const other = fixture.entryOf(fixture.revocation([this.#chance.whole(0, 1_000_000)]));
    entries[size - 1] = other;
    const note = this.#noteOf(origin, size, new ReferenceTree(entries).root());
    return encodeAnswer({ ...answer, entries: [...answer.entries.slice(0, -1), other], note, path: [] });
  }

  /** A tree that it does not have, as large as a number can be or just a bit too large. */
  #fastForward(): void {
    this.#count('fast forward');
    const origin = this.#world.trustLogOf(this.#machine.region);
    const size = this.#chance.pick([Number.MAX_SAFE_INTEGER, 100_000, this.#chance.whole(100, 200)]);
    const note = this.#noteOf(origin, size, this.#chance.bytes(32));
    this.#say(TOPICS.head, { kind: 'heads', heads: [{ note, forks: this.#chance.whole(0, 2) }] });
  }

  /** The newest checkpoint of another region with a cosignature that nobody made. */
  #forgeCosignature(): void {
    const other = this.#chance.pick(this.#world.honest);
    const note = other.node?.keeper(other.region)?.note;
    if (note === undefined) return;
    this.#count('forgery');
    const { text, signatures } = parseNote(note);
    const nowS = Math.floor(this.#world.clock.nowMs() / 1000);
    const forged = signatures.map((line) => {
      if (!line.name.endsWith('/witness')) return line;
      const bytes = Uint8Array.from([...this.#chance.bytes(72)]);
      new DataView(bytes.buffer).setBigUint64(0, BigInt(nowS + 1));
      return { ...line, bytes };
    });
    this.#say(TOPICS.head, {
      kind: 'heads',
      heads: [{ note: encodeNote({ text, signatures: forged }), forks: 0 }],
    });
  }

  #flood(): void {
    this.#count('flood');
    const { network } = this.#world;
    const { region } = this.#machine;
    for (let i = 0; i < FLOOD; i++) {
      const old = this.#said.length > 0 && this.#chance.hits(0.8) ? this.#chance.pick(this.#said) : undefined;
      const topic = this.#chance.pick(Object.values(TOPICS));
      network.publish(
        region,
        old?.kind === 'gossip' ? old.protocol : topic,
        old?.bytes ?? this.#chance.bytes(200),
      );
    }
  }

  #say(topic: string, message: SyncAnswer): void {
    this.#world.network.publish(this.#machine.region, topic, encodeAnswer(message));
  }

  #noteOf(origin: string, size: number, root: Uint8Array): Uint8Array {
    const { sha256, fixture } = this.#machine;
    const { publicKey, sign } = fixture.keys.checkpoint;
    const key = makeVerifierKey(sha256, { name: origin, algorithm: ED25519, publicKey });
    const text = encodeCheckpoint({ origin, size, root });
    return encodeNote({ text, signatures: [signNote(key, text, sign)] });
  }

  #flipped(bytes: Uint8Array): Uint8Array {
    const flipped = bytes.slice();
    const bit = this.#chance.whole(0, 8 * bytes.length);
    flipped[bit >>> 3] = (flipped[bit >>> 3] ?? 0) ^ (1 << (bit & 7));
    return flipped;
  }

  #tells(lie: Lie, share: number): boolean {
    if (!this.#lies.has(lie) || !this.#chance.hits(share)) return false;
    this.#count(lie);
    return true;
  }

  /** A liar counts once for each kind of lie. */
  #count(lie: Lie): void {
    if (this.#told.has(lie)) return;
    this.#told.add(lie);
    this.#world.count(lie);
  }

  #nowAndThen(ms: number, act: () => void): void {
    this.#world.clock.after(this.#chance.whole(0, 2 * ms), () => {
      if (this.#isOver) return;
      if (this.#machine.node !== undefined) this.#world.check(act);
      this.#nowAndThen(ms, act);
    });
  }
}

/** The entries that a message tells of; undefined for another message and for noise. */
function rangeOf(bytes: Uint8Array): AnswerTo<'range'> | undefined {
  try {
    const answer = parseAnswer(bytes);
    return answer.kind === 'range' ? answer : undefined;
  } catch (error) {
    if (isProtocolError(error)) return undefined;
    throw error;
  }
}

/** Tells all liars what to tell, and ends what no quorum could bear once all is to work again. */
export class Liars {
  readonly #liars: readonly Liar[];
  readonly #borne: number;
  readonly #collusion: Collusion | undefined;

  constructor(world: World, { lies, schemes }: Pick<Plan, 'lies' | 'schemes'>, borne: number) {
    if (schemes.length > 0) this.#collusion = new Collusion(world.liars, schemes, world);
    this.#liars = world.liars.map((machine, i) => new Liar(machine, lies[i] ?? [], world, this.#collusion));
    this.#borne = borne;
  }

  start(): void {
    for (const liar of this.#liars) liar.start();
    this.#collusion?.start();
  }

  heal(): void {
    for (const liar of this.#liars.slice(this.#borne)) liar.stop();
    if (this.#borne < this.#liars.length) this.#collusion?.stop();
  }
}
