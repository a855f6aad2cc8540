/**
 * Machines of one region that write, die, sleep, follow and are promoted while its witnesses change: the real writership and the real rule
 * of witnesses, over logs that are lists of words, with messages that are late or lost, all by one seed.
 */
import { createHash } from 'node:crypto';
import { logError } from '../../node/log/log-error.ts';
import { isNodeError, NodeError } from '../../node/node-error.ts';
import {
  encodeWriterAnswer,
  parseWriterRequest,
  type WriterAnswer,
} from '../../node/writer/writer-messages.ts';
import { NO_RECORD, type WriterRecord } from '../../node/writer/writer-record.ts';
import { decideClaim, decidePermit } from '../../node/writer/writer-rule.ts';
import { Writership } from '../../node/writer/writership.ts';
import { type Pledge } from '../../node/writer/pledges.ts';
import { equalBytes } from '../../protocol/bytes.ts';
import { parseClaim, parsePermit } from '../../protocol/writer/word.ts';
import { logKey, testKey } from './keys.ts';
import { ManualClock } from './manual-clock.ts';
import { SeededSteps } from './seeded-steps.ts';
import { ATTEST, TRUST } from './writer-words.ts';

const LOGS = [TRUST, ATTEST] as const;
type Log = (typeof LOGS)[number];
type Words = readonly string[];

const REGIONS = ['FR', 'IT', 'ES', 'PL', 'PT', 'SE', 'FI'];
/** Share of the messages that do not arrive, each way. */
const LOST = 0.05;
const NAMES = 'witnesses:';
const KEY = testKey(1).publicKey;
const KEYS = [logKey(TRUST, 1).key];
/** In place of signatures, of which the model would check millions. */
const sign = (message: Uint8Array) => new Uint8Array(createHash('sha512').update(message).digest());

export interface ModelOptions {
  readonly seed: number;
  readonly steps: number;
  /** Whether a writer says whom the tree names that it asks a permit for. */
  readonly isForesighted: boolean;
}

export interface ModelReport {
  /** What was signed beside each other in one log. */
  readonly forks: readonly string[];
  /** Trees that were signed, changes of the witnesses among them, and machines that came to write. */
  readonly signed: number;
  readonly changes: number;
  readonly reigns: number;
}

/** Runs one history. Ends by itself: what is under way then is left. */
export async function runModel(options: ModelOptions): Promise<ModelReport> {
  const world = new World(options);
  const machines = [new Machine(world, 1), new Machine(world, 2)];
  world.machines = machines;
  machines[0]?.boot('resume');
  for (let i = 0; i < options.steps; i++) {
    if (world.chance(0.03)) world.pick(machines)?.disturb();
    await world.turn();
  }
  world.isOver = true;
  await world.drain();
  return world.report;
}

class World extends SeededSteps {
  readonly isForesighted: boolean;
  readonly #records = new Map<string, WriterRecord>();
  readonly #longest: Record<Log, Words> = { [TRUST]: [], [ATTEST]: [] };
  readonly #forks: string[] = [];
  readonly clock = new ManualClock(1_795_436_400_000);
  machines: readonly Machine[] = [];
  /** What anybody can fetch. */
  readonly published: Record<Log, Words> = { [TRUST]: [], [ATTEST]: [] };
  isOver = false;
  #signed = 0;
  #changes = 0;
  reigns = 0;
  #words = 0;

  constructor({ seed, isForesighted }: ModelOptions) {
    super(seed);
    this.isForesighted = isForesighted;
  }

  get report(): ModelReport {
    const [signed, changes] = [this.#signed, this.#changes];
    return { forks: this.#forks, signed, changes, reigns: this.reigns };
  }

  word(log: Log): string {
    const word = `w${++this.#words}`;
    if (log !== TRUST || !this.chance(0.5)) return word;
    const named = REGIONS.filter(() => this.chance(0.25));
    return `${NAMES}${(named.length > 0 ? named : [this.pick(REGIONS)]).join()}`;
  }

  async ask(region: string, bytes: Uint8Array): Promise<Uint8Array> {
    await this.step();
    if (this.isOver || this.chance(LOST)) throw new NodeError('PEER_UNREACHABLE', 'lost on the way');
    const answer = encodeWriterAnswer(this.#answer(region, bytes));
    await this.step();
    if (this.isOver || this.chance(LOST)) throw new NodeError('PEER_UNREACHABLE', 'lost on the way back');
    return answer;
  }

  #answer(region: string, bytes: Uint8Array): WriterAnswer {
    const request = parseWriterRequest(bytes);
    const before = this.#records.get(region) ?? NO_RECORD;
    if (request.kind === 'writer' || request.kind === 'given-up') return recordOf(before);
    const claim = parseClaim(request.claim);
    const decision =
      request.kind === 'claim'
        ? decideClaim(before, claim)
        : decidePermit(before, claim, parsePermit(request.permit));
    if (!decision.granted)
      return decision.refusal === 'fenced'
        ? { kind: 'fenced', claim: decision.claim.bytes }
        : { kind: 'taken', permit: decision.permit.bytes };
    this.#records.set(region, decision.record);
    return request.kind === 'claim' ? recordOf(decision.record) : { kind: 'permitted' };
  }

  contradicted(how: string): void {
    this.#forks.push(how);
  }

  sign(log: Log, tree: Words): void {
    const longest = this.#longest[log];
    const [shorter, longer] = tree.length < longest.length ? [tree, longest] : [longest, tree];
    if (!shorter.every((word, i) => word === longer[i])) this.#forks.push(`${log} at ${shorter.length}`);
    this.#longest[log] = longer;
    this.#signed++;
    if (tree.at(-1)?.startsWith(NAMES)) this.#changes++;
  }
}

/** Why a process ends what it has in hand. */
const ENDS = ['LOG_FENCED', 'LOG_BEHIND', 'LOG_CONTRADICTED'] as const;

class Machine {
  readonly #world: World;
  readonly #number: number;
  /** What its disk has. */
  readonly #logs: Record<Log, Words> = { [TRUST]: [`${NAMES}FR,IT,ES`], [ATTEST]: [] };
  readonly #staged: Record<Log, { at: number; words: Words }[]> = { [TRUST]: [], [ATTEST]: [] };
  #process: object | undefined;
  #isWriting = false;

  constructor(world: World, number: number) {
    this.#world = world;
    this.#number = number;
  }

  boot(how: 'resume' | 'promote'): void {
    const process = (this.#process = {});
    this.#isWriting = false;
    void this.#run(process, how);
  }

  /** It dies, comes back, or is to take over. */
  disturb(): void {
    if (this.#process === undefined) this.boot('resume');
    else if (this.#world.chance(0.5)) this.#process = undefined;
    else if (!this.#isWriting) this.boot('promote');
  }

  /** Takes what the writer is about to sign. */
  follow(log: Log, at: number, words: Words): void {
    if (this.#isWriting || this.#process === undefined) return;
    const earlier = this.#staged[log].filter((one) => one.at + one.words.length <= at);
    this.#staged[log] = [...earlier, { at, words }];
  }

  async #run(process: object, first: 'resume' | 'promote'): Promise<void> {
    let how = first;
    let folded = this.#logs[TRUST].length;
    const isAlive = () => this.#process === process && !this.#world.isOver;
    const writership = this.#writership(() => folded);
    while (isAlive()) {
      this.#isWriting = false;
      try {
        if (how === 'promote') await writership.take('promote');
        await this.#world.step();
        if (!isAlive()) return;
        for (const log of LOGS) this.#fetch(log);
        folded = this.#logs[TRUST].length;
        await writership.take(how);
        if (!isAlive()) return;
        for (const log of LOGS) this.#drop(log, false);
        for (const pledge of writership.pledges) this.#meet(pledge, writership);
        for (const log of LOGS) this.#drop(log, true);
        this.#isWriting = true;
        this.#world.reigns++;
        const side = { isOpen: true };
        const writing = LOGS.map(async (log) => {
          try {
            await this.#write(
              log,
              writership,
              isAlive,
              () => isAlive() && side.isOpen,
              async (size) => {
                await this.#world.step();
                folded = Math.max(folded, size);
              },
            );
          } finally {
            side.isOpen = false;
          }
        });
        const ended = await Promise.allSettled(writing);
        for (const one of ended) if (one.status === 'rejected') throw one.reason;
      } catch (error) {
        if (!isNodeError(error)) throw error;
        if (isNodeError(error, 'LOG_CONTRADICTED')) this.#world.contradicted(error.message);
        if (isNodeError(error, 'LOG_FENCED') || isNodeError(error, 'LOG_CONTRADICTED')) {
          // It follows, and is asked to write again by people alone.
          this.#isWriting = false;
          return;
        }
        how = 'resume';
        await this.#world.step();
      }
    }
  }

  async #write(
    log: Log,
    writership: Writership,
    isAlive: () => boolean,
    isOpen: () => boolean,
    fold: (size: number) => Promise<void>,
  ): Promise<void> {
    const world = this.#world;
    while (isOpen()) {
      await world.step();
      if (!isOpen()) return;
      if (this.#staged[log].length === 0) {
        if (world.chance(0.4)) continue;
        const words = Array.from({ length: world.chance(0.3) ? 2 : 1 }, () => world.word(log));
        const at = this.#logs[log].length;
        if (log === TRUST && world.isForesighted && world.chance(0.5)) {
          const isSound = await writership.sound(changes(this.#logs[log], words)).then(
            () => true,
            () => false,
          );
          if (!isSound || !isOpen()) continue;
        }
        this.#staged[log] = [{ at, words }];
        if (world.chance(0.7))
          for (const other of world.machines) if (other !== this) other.follow(log, at, words);
      }
      await world.step();
      if (!isOpen()) return;
      const tree = this.#next(log, writership);
      const from = this.#logs[log].length;
      const named = log === TRUST && world.isForesighted ? changes(this.#logs[log], tree.slice(from)) : [];
      try {
        await writership.permit({ origin: log, from, size: tree.length, root: rootOf(tree), named });
      } catch (error) {
        if (!isNodeError(error) || ENDS.some((code) => isNodeError(error, code))) throw error;
        continue;
      }
      // It may sleep here for as long as it likes: what was permitted is signed, whoever writes by then.
      for (let i = world.chance(0.2) ? 40 : 1; i > 0; i--) await world.step();
      if (!isAlive()) return;
      this.#logs[log] = tree;
      this.#staged[log] = this.#staged[log].filter(({ at, words }) => at + words.length > tree.length);
      world.sign(log, tree);
      if (log === TRUST) await fold(tree.length);
      await world.step();
      if (isOpen() && tree.length > world.published[log].length) world.published[log] = tree;
    }
  }

  /** Of batches that may make up what was permitted before, all at once; else the first. */
  #next(log: Log, writership: Writership): Words {
    const pledged = writership.pledges.find(({ origin }) => origin === log)?.size ?? 0;
    let tree = this.#logs[log];
    for (const [i, { at, words }] of this.#staged[log].entries()) {
      if (at !== tree.length || (i > 0 && at + words.length > pledged)) break;
      tree = [...tree, ...words];
    }
    return tree;
  }

  #fetch(log: Log): void {
    const there = this.#world.published[log];
    if (there.length > this.#logs[log].length && this.#world.chance(0.7)) this.#logs[log] = there;
  }

  #meet({ origin: of, size, root }: Pledge, writership: Writership): void {
    const origin = of as Log;
    const tree = this.#logs[origin];
    if (tree.length >= size) {
      if (!equalBytes(rootOf(tree.slice(0, size)), root))
        throw logError('LOG_CONTRADICTED', `${origin}: another tree of ${size} words was permitted`);
      writership.keep({ origin });
      return;
    }
    let next = tree.length;
    for (const { at, words } of this.#staged[origin]) {
      if (at !== next) break;
      next += words.length;
      if (next === size) return;
    }
    throw new NodeError('LOG_BEHIND', 'more was permitted');
  }

  #drop(log: Log, isCaughtUp: boolean): void {
    const tree = this.#logs[log];
    let next = tree.length;
    this.#staged[log] = this.#staged[log].filter(({ at, words }) => {
      const isOutrun = at + words.length <= tree.length || at < tree.length || (isCaughtUp && at > next);
      if (!isOutrun) next = Math.max(next, at + words.length);
      return !isOutrun;
    });
  }

  #writership(folded: () => number): Writership {
    const world = this.#world;
    return new Writership(
      { origin: TRUST, writer: testKey(100 + this.#number).publicKey },
      {
        client: {
          peers: () => REGIONS,
          request: (peer, _protocol, bytes) => world.ask(peer, bytes),
          blaming: (_peer, work) => work(),
        },
        clock: world.clock,
        random: (length) => world.bytes(length),
        verifySignature: ({ message, signature }) => equalBytes(signature, sign(message)),
        regionOf: (peer) => peer,
        witnesses: () => witnessesIn(this.#logs[TRUST].slice(0, folded())),
        folded,
        trees: () =>
          LOGS.map((origin) => ({
            origin,
            size: this.#logs[origin].length,
            root: rootOf(this.#logs[origin]),
            rootAt: (size: number) => Promise.resolve(rootOf(this.#logs[origin].slice(0, size))),
          })),
        checkpointKey: () => ({ publicKey: KEY, sign }),
        keys: () => KEYS,
      },
    );
  }
}

function witnessesIn(words: Words): string[] {
  const last = words.findLast((word) => word.startsWith(NAMES));
  return last === undefined ? [] : last.slice(NAMES.length).split(',');
}

function changes(held: Words, added: Words): string[][] {
  const named = [witnessesIn(held)];
  for (const [i] of added.entries()) {
    const next = witnessesIn([...held, ...added.slice(0, i + 1)]);
    if (next.join() !== named.at(-1)?.join()) named.push(next);
  }
  return named.slice(1);
}

function rootOf(words: Words): Uint8Array {
  return new Uint8Array(createHash('sha256').update(words.join('\n')).digest());
}

function recordOf({ claim, permits }: WriterRecord): WriterAnswer {
  return {
    kind: 'record',
    ...(claim && { claim: claim.bytes }),
    permits: [...permits.values()].map(({ bytes }) => bytes),
  };
}
