/**
 * Two machines of one region and a thief who has one of its checkpoint keys: he claims to write, outbids, and has trees permitted that nobody has,
 * until the root gives the key up. The real writership over the real memory of witnesses, with messages that are late or lost, all by one seed.
 *
 * Whoever has a key signs what he likes with it, so that two trees of which one was signed by the stolen key may part. No two may that were signed
 * by keys which the root has not given up.
 */
import { createHash } from 'node:crypto';
import { logError } from '../../node/log/log-error.ts';
import { isNodeError, NodeError } from '../../node/node-error.ts';
import { askWitnesses } from '../../node/writer/asking.ts';
import { permitsNeeded } from '../../node/writer/electorate.ts';
import {
  encodeWriterAnswer,
  parseWriterRequest,
  type WriterAnswer,
  type WriterRequest,
} from '../../node/writer/writer-messages.ts';
import {
  NO_MEMORY,
  recordIn,
  remember,
  rememberRoot,
  type WriterMemory,
} from '../../node/writer/writer-memory.ts';
import { type WriterRecord } from '../../node/writer/writer-record.ts';
import { decideClaim, decidePermit } from '../../node/writer/writer-rule.ts';
import { answerOf, recordOf } from '../../node/writer/writer-server.ts';
import { Writership } from '../../node/writer/writership.ts';
import { equalBytes } from '../../protocol/bytes.ts';
import { parseClaim, parsePermit, type SignedWord, signWord } from '../../protocol/writer/word.ts';
import { logKey, testKey } from './keys.ts';
import { ManualClock } from './manual-clock.ts';
import { SeededSteps } from './seeded-steps.ts';
import { ATTEST, TRUST } from './writer-words.ts';

const LOGS = [TRUST, ATTEST] as const;
type Log = (typeof LOGS)[number];
type Words = readonly string[];

const REGIONS = ['FR', 'IT', 'ES'];
const LOST = 0.05;
/** The root's word in the trust log: the first key is given up, the third takes its place. */
const GIVES_UP = 'gives up';
const [STOLEN, SPARE, FRESH] = [1, 2, 3].map((n) => ({ ...testKey(n), key: logKey(TRUST, n).key }));
type Key = NonNullable<typeof STOLEN>;
const ALL = [STOLEN, SPARE, FRESH] as readonly Key[];
/** In place of signatures, of which the model would check millions. */
const sign = (message: Uint8Array) => new Uint8Array(createHash('sha512').update(message).digest());
const verifySignature = ({ message, signature }: { message: Uint8Array; signature: Uint8Array }) =>
  equalBytes(signature, sign(message));

export interface StolenKeyOptions {
  readonly seed: number;
  readonly steps: number;
  /** Whether a writer signs by the key that had the tree permitted, as SPEC 19.3 says, or by the one in force when it comes to that. */
  readonly isByPermit?: boolean;
  /** Whether witnesses remember words by the key that signed them. */
  readonly isByKey?: boolean;
}

export interface StolenKeyReport {
  readonly forks: readonly string[];
  /** Trees signed by keys that were never given up, and of these after the thief had begun and the root had spoken. */
  readonly signed: number;
  readonly signedAfter: number;
  readonly robberies: number;
}

export async function runStolenKey(options: StolenKeyOptions): Promise<StolenKeyReport> {
  const world = new World(options);
  const [first, second] = (world.machines = [new Machine(world, 1), new Machine(world, 2)] as const);
  first.boot('resume');
  second.boot('resume');
  const robbery = Math.floor(options.steps * (0.2 + 0.3 * world.draw()));
  const end = robbery + Math.floor(200 * world.draw());
  // Before the thief comes, or while the root speaks.
  const calendar = world.chance(0.5)
    ? Math.floor(robbery * world.draw())
    : end + Math.floor(150 * world.draw());
  for (let i = 0; i < options.steps; i++) {
    if (i > robbery && world.chance(0.1)) world.rob();
    if (i === calendar) world.isSpareInForce = true;
    if (i > end && !world.isSaid && world.chance(0.03)) world.pick(world.machines)?.boot('give up');
    else if (world.chance(0.01)) world.pick(world.machines)?.disturb();
    await world.turn();
  }
  world.isOver = true;
  await world.drain();
  return world.report;
}

class World extends SeededSteps {
  readonly options: StolenKeyOptions;
  readonly clock = new ManualClock(1_795_436_400_000);
  readonly #memories = new Map<string, WriterMemory>();
  /** What the witnesses hold of the trust log. */
  readonly #held = new Map<string, Words>();
  readonly #longest: Record<Log, Words> = { [TRUST]: [], [ATTEST]: [] };
  readonly #forks: string[] = [];
  machines: readonly Machine[] = [];
  readonly published: Record<Log, Words> = { [TRUST]: [], [ATTEST]: [] };
  isSpareInForce = false;
  /** A quorum has been shown what the root gives up. */
  isSaid = false;
  isOver = false;
  #signed = 0;
  #signedAfter = 0;
  #robberies = 0;
  #words = 0;

  constructor(options: StolenKeyOptions) {
    super(options.seed);
    this.options = options;
  }

  get report(): StolenKeyReport {
    const [signed, signedAfter, robberies] = [this.#signed, this.#signedAfter, this.#robberies];
    return { forks: this.#forks, signed, signedAfter, robberies };
  }

  word(): string {
    return `w${++this.#words}`;
  }

  async ask(region: string, bytes: Uint8Array): Promise<Uint8Array> {
    await this.step();
    if (this.isOver || this.chance(LOST)) throw new NodeError('PEER_UNREACHABLE', 'lost on the way');
    const answer = encodeWriterAnswer(this.#answer(region, parseWriterRequest(bytes)));
    await this.step();
    if (this.isOver || this.chance(LOST)) throw new NodeError('PEER_UNREACHABLE', 'lost on the way back');
    return answer;
  }

  #answer(region: string, request: WriterRequest): WriterAnswer {
    if (this.chance(0.2)) this.#held.set(region, this.published[TRUST]);
    const before = this.#memories.get(region) ?? NO_MEMORY;
    if (request.kind === 'writer') return recordOf(recordIn(before, this.#counting(region, before)));
    if (request.kind === 'given-up') {
      const said = { givenUp: [STOLEN?.publicKey as Uint8Array], named: [FRESH?.publicKey as Uint8Array] };
      const after = rememberRoot(before, said);
      this.#memories.set(region, after);
      return recordOf(recordIn(after, this.#counting(region, after)));
    }
    const counts = this.#counting(region, before);
    const claim = parseClaim(request.claim);
    const words: SignedWord[] = [claim];
    if (request.kind === 'permit') words.push(parsePermit(request.permit));
    if (!words.every(counts)) return { kind: 'refused', reason: 'unsigned' };
    const record = recordIn(before, counts);
    const decision =
      request.kind === 'claim'
        ? decideClaim(record, claim)
        : decidePermit(record, claim, parsePermit(request.permit));
    if (decision.granted && decision.isNew)
      this.#memories.set(region, this.#remember(before, words, decision.record, counts));
    return answerOf(decision, request.kind === 'claim' ? recordOf : () => ({ kind: 'permitted' }));
  }

  #remember(
    before: WriterMemory,
    words: readonly SignedWord[],
    { claim, permits }: WriterRecord,
    counts: (word: SignedWord) => boolean,
  ): WriterMemory {
    if (this.options.isByKey !== false) return remember(before, words, counts);
    return { ...before, words: new Map([['', { claim, permits }]]) };
  }

  #counting(region: string, { givenUp }: WriterMemory): (word: SignedWord) => boolean {
    const isLogged = this.#held.get(region)?.includes(GIVES_UP) === true;
    const isGivenUp = isLogged || givenUp.length > 0;
    return ({ publicKey }) => keysWhere(isGivenUp).some((key) => equalBytes(key.publicKey, publicKey));
  }

  /** The thief asks a witness for what he likes. */
  rob(): void {
    const region = this.pick(REGIONS) ?? '';
    const memory = this.#memories.get(region) ?? NO_MEMORY;
    const { claim: standing, permits } = recordIn(memory, this.#counting(region, memory));
    const origin = this.pick(LOGS) ?? TRUST;
    const from = permits.get(origin)?.word.size ?? 0;
    const size = this.chance(0.3) ? 10 ** 9 : from + 1 + Math.floor(this.draw() * 3);
    const isOutbidding = standing === undefined || this.chance(0.5);
    const last = standing?.word.epoch ?? 0;
    const bid = this.chance(0.2) ? Number.MAX_SAFE_INTEGER : Math.min(Number.MAX_SAFE_INTEGER, last + 1);
    const epoch = isOutbidding ? bid : last;
    const session = isOutbidding ? this.bytes(16) : standing.word.session;
    const key = { publicKey: STOLEN?.publicKey as Uint8Array, sign };
    const claim = { kind: 'claim', origin: TRUST, epoch, writer: this.bytes(32), session, at: 0 } as const;
    const permit = { kind: 'permit', origin, epoch, session, from, size, root: this.bytes(32) } as const;
    if (from >= size) return;
    const answer = this.#answer(region, {
      kind: 'permit',
      claim: isOutbidding ? signWord(claim, key).bytes : standing.bytes,
      permit: signWord(permit, key).bytes,
    });
    if (answer.kind === 'permitted') this.#robberies++;
  }

  sign(log: Log, tree: Words, key: Key): void {
    if (key === STOLEN) return;
    const longest = this.#longest[log];
    const [shorter, longer] = tree.length < longest.length ? [tree, longest] : [longest, tree];
    if (!shorter.every((word, i) => word === longer[i])) this.#forks.push(`${log} at ${shorter.length}`);
    this.#longest[log] = longer;
    this.#signed++;
    if (this.isSaid) this.#signedAfter++;
  }

  /** Once the root has spoken, nobody takes up what the stolen key signs: it is on no branch that the root names. */
  publish(log: Log, tree: Words, key: Key): void {
    if (this.isSaid && key === STOLEN) return;
    if (tree.length > this.published[log].length) this.published[log] = tree;
  }
}

type How = 'resume' | 'promote' | 'give up';

class Machine {
  readonly #world: World;
  readonly #number: number;
  readonly #logs: Record<Log, Words> = { [TRUST]: [], [ATTEST]: [] };
  readonly #signedBy: Record<Log, Key | undefined> = { [TRUST]: undefined, [ATTEST]: undefined };
  #process: object | undefined;
  #isWriting = false;

  constructor(world: World, number: number) {
    this.#world = world;
    this.#number = number;
  }

  boot(how: How): void {
    this.#process = {};
    this.#isWriting = false;
    void this.#run(this.#process, how);
  }

  disturb(): void {
    if (this.#process === undefined) this.boot('resume');
    else if (this.#world.chance(0.3)) this.#process = undefined;
    else if (!this.#isWriting) this.boot('promote');
  }

  async #run(process: object, how: How): Promise<void> {
    const world = this.#world;
    const isAlive = () => this.#process === process && !world.isOver;
    /** What the root has signed is shown, and not logged yet. */
    const ahead = { isShown: false };
    const keys = () => keysWhere(ahead.isShown || this.#logs[TRUST].includes(GIVES_UP));
    const writership = this.#writership(keys);
    let next: 'resume' | 'promote' = how === 'give up' ? 'promote' : how;
    while (isAlive()) {
      try {
        await world.step();
        for (const log of LOGS) this.#fetch(log);
        if (how === 'give up' && !ahead.isShown) {
          await this.#show();
          ahead.isShown = world.isSaid = true;
        }
        await writership.take(next);
        if (!isAlive()) return;
        for (const { origin, size, root } of writership.pledges) {
          const tree = this.#logs[origin as Log];
          if (tree.length < size) throw new NodeError('LOG_BEHIND', 'more was permitted');
          if (!equalBytes(rootOf(tree.slice(0, size)), root)) throw logError('LOG_CONTRADICTED', origin);
          writership.keep({ origin });
        }
        this.#isWriting = true;
        const side = { isOpen: true };
        const isOpen = () => isAlive() && side.isOpen;
        const ended = await Promise.allSettled(
          LOGS.map((log) =>
            this.#write(log, writership, keys, isAlive, isOpen, ahead).finally(() => (side.isOpen = false)),
          ),
        );
        for (const one of ended) if (one.status === 'rejected') throw one.reason;
      } catch (error) {
        this.#isWriting = false;
        if (!isNodeError(error)) throw error;
        if (isNodeError(error, 'LOG_CONTRADICTED')) this.#leave();
        if (how !== 'give up' && ['LOG_FENCED', 'LOG_CONTRADICTED', 'REFUSED'].includes(error.code)) return;
        if (how !== 'give up') next = 'resume';
      }
    }
  }

  async #write(
    log: Log,
    writership: Writership,
    keys: () => readonly Key[],
    isAlive: () => boolean,
    isOpen: () => boolean,
    ahead: { readonly isShown: boolean },
  ): Promise<void> {
    const world = this.#world;
    while (isOpen()) {
      await world.step();
      if (!isOpen()) return;
      const from = this.#logs[log].length;
      const isDue = log === TRUST && ahead.isShown && !this.#logs[log].includes(GIVES_UP);
      const tree = [...this.#logs[log], isDue ? GIVES_UP : world.word()];
      let by: Key | undefined;
      try {
        const signer = await writership.permit({ origin: log, from, size: tree.length, root: rootOf(tree) });
        by = ALL.find(({ publicKey }) => equalBytes(publicKey, signer?.publicKey ?? new Uint8Array()));
      } catch (error) {
        if (!isNodeError(error, 'PEER_UNREACHABLE') && !isNodeError(error, 'LOG_BUSY')) throw error;
        continue;
      }
      // It may sleep here for as long as it likes, and the keys may change meanwhile.
      for (let i = world.chance(0.3) ? 30 : 1; i > 0; i--) await world.step();
      if (!isAlive()) return;
      if (world.options.isByPermit === false) by = inForce(keys(), world.isSpareInForce);
      this.#logs[log] = tree;
      this.#signedBy[log] = by;
      world.sign(log, tree, by as Key);
      await world.step();
      if (isOpen()) world.publish(log, tree, by as Key);
    }
  }

  /** Its root has named a branch that is not the one here. */
  #leave(): void {
    for (const log of LOGS) if (this.#signedBy[log] === STOLEN) this.#logs[log] = this.#world.published[log];
  }

  #fetch(log: Log): void {
    const there = this.#world.published[log];
    if (there.length > this.#logs[log].length) this.#logs[log] = there;
  }

  async #show(): Promise<void> {
    const request: WriterRequest = { kind: 'given-up', origin: TRUST, statements: [] };
    const answers = await askWitnesses(this.#asking, request, REGIONS);
    if (answers.size < permitsNeeded(REGIONS.length))
      throw new NodeError('PEER_UNREACHABLE', 'too few have heard it');
  }

  get #asking() {
    return {
      client: {
        peers: () => REGIONS,
        request: (peer: string, _protocol: string, bytes: Uint8Array) => this.#world.ask(peer, bytes),
        blaming: <T>(_peer: string, work: () => T) => work(),
      },
      regionOf: (peer: string) => peer,
    };
  }

  #writership(keys: () => readonly Key[]): Writership {
    const world = this.#world;
    return new Writership(
      { origin: TRUST, writer: testKey(100 + this.#number).publicKey },
      {
        ...this.#asking,
        clock: world.clock,
        random: (length) => world.bytes(length),
        verifySignature,
        witnesses: () => REGIONS,
        folded: () => this.#logs[TRUST].length,
        trees: () =>
          LOGS.map((origin) => ({
            origin,
            size: this.#logs[origin].length,
            root: rootOf(this.#logs[origin]),
            rootAt: (size: number) => Promise.resolve(rootOf(this.#logs[origin].slice(0, size))),
          })),
        checkpointKey: () => ({ publicKey: inForce(keys(), world.isSpareInForce).publicKey, sign }),
        keys: () => keys().map(({ key }) => key),
      },
    );
  }
}

/** The keys that count: the third is named with the word by which the first is given up. */
function keysWhere(isGivenUp: boolean): readonly Key[] {
  return ALL.filter((key) => (isGivenUp ? key !== STOLEN : key !== FRESH));
}

function inForce(keys: readonly Key[], isSpare: boolean): Key {
  const wanted = isSpare ? SPARE : keys.includes(STOLEN as Key) ? STOLEN : FRESH;
  return wanted as Key;
}

function rootOf(words: Words): Uint8Array {
  return new Uint8Array(createHash('sha256').update(words.join('\n')).digest());
}
