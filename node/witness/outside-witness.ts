/**
 * Has a witness that is no region of the network cosign the trust logs that are held here, because the operator's policy asks for it: it hears nothing by
 * itself. It is asked by HTTP, one question at a time. Spec: SPEC.md 9.1, C2SP tlog-witness.
 */
import { isProtocolError } from '../../protocol/fault.ts';
import { CLOCK_AHEAD_S_MAX } from '../../protocol/limits.ts';
import { verifyCosignature } from '../../protocol/log/cosignature.ts';
import { encodeNote } from '../../protocol/log/note.ts';
import { type NoteSignature } from '../../protocol/log/signature-line.ts';
import { type VerifierKey } from '../../protocol/log/verifier-key.ts';
import { type Primitives } from '../../protocol/primitives.ts';
import { keyIdOf } from '../../protocol/signature/key-id.ts';
import { logError } from '../log/log-error.ts';
import { LogView } from '../log/log-view.ts';
import { isNodeError } from '../node-error.ts';
import { type Clock, type HttpPost } from '../ports.ts';
import { type HeldState } from '../trust/held-state.ts';
import { type TrustKeeper } from '../trust/trust-keeper.ts';
import { encodeAddCheckpoint } from './add-checkpoint.ts';
import { askOutside, type OutsideFailure } from './outside-question.ts';

export interface OutsideWitnessOptions {
  readonly key: VerifierKey;
  /** As `submissionUrl` gives it. */
  readonly url: string;
  /** The home: what the witness says of its trust log concerns who signs here. */
  readonly region: string;
  /** Milliseconds between two times that it is asked about a log: 60 s by default. */
  readonly askMs?: number;
}

/** What of a `TrustKeeper` is shown. */
export type Shown = Pick<
  TrustKeeper,
  'region' | 'origin' | 'tree' | 'latest' | 'standingForks' | 'vetting' | 'heed'
>;

export interface OutsideWitnessModules extends Primitives {
  readonly post: HttpPost;
  readonly keepers: () => Iterable<Shown>;
  readonly clock: Clock;
  /** Told of errors of our own disk, and of a witness that knows more of the own log, or another one. Must not throw. */
  readonly onTrouble: (error: unknown) => void;
}

export interface OutsideTrouble extends OutsideFailure {
  /** Since it does not vouch for the log, in seconds since 1970. */
  readonly sinceS: number;
}

/** Counted since the start. */
export interface OutsideReport {
  /** Of its key. */
  readonly name: string;
  readonly url: string;
  readonly asked: number;
  readonly cosigned: number;
  readonly failed: number;
  /** Since it answers nothing at all, in seconds since 1970. */
  readonly silentSinceS?: number;
  /** By origin, of logs for which it did not vouch when it was asked last. */
  readonly troubles: Readonly<Record<string, OutsideTrouble>>;
}

/** Of one log. */
interface Progress {
  /** By running time, when it was asked last, and may be asked again. */
  askedAtMs: number;
  nextAtMs: number;
  /** How far it cosigned, as far as is known. */
  size: number;
  failures: number;
  trouble: OutsideTrouble | undefined;
}

/** Seconds after which a line is renewed, so that knowledge stays younger than 600 s whatever fails once. */
const FRESH_S = 180;
const ASK_MS = 60_000;
const LOOK_MS = 5_000;
/** Questions about one checkpoint: what it cosigned last may change while a proof is made. */
const TRIES_MAX = 3;
/** Who has not vouched is asked again after one `askMs`, two, and then every four: verdicts wait for nobody else. */
const DOUBLINGS_MAX = 2;
/** Ends a wait that nobody looks at any more. */
const DONE = new Error('done');

export class OutsideWitness {
  readonly #options: Required<OutsideWitnessOptions>;
  readonly #modules: OutsideWitnessModules;
  readonly #keyId: string;
  readonly #stopping = new AbortController();
  /** By origin, of logs that are there. */
  readonly #progress = new Map<string, Progress>();
  readonly #counters = { asked: 0, cosigned: 0, failed: 0 };
  #silence: { readonly sinceS: number; readonly failures: number; readonly untilMs: number } | undefined;
  #running: Promise<void> | undefined;

  constructor(options: OutsideWitnessOptions, modules: OutsideWitnessModules) {
    this.#options = { askMs: ASK_MS, ...options };
    this.#modules = modules;
    this.#keyId = keyIdOf(modules.sha256, options.key.publicKey);
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Gives up what is asked. Safe to call twice. */
  async stop(): Promise<void> {
    this.#stopping.abort(DONE);
    await this.#running;
  }

  get report(): OutsideReport {
    const { key, url } = this.#options;
    const troubles = [...this.#progress].flatMap(([origin, { trouble }]) =>
      trouble === undefined ? [] : [[origin, trouble] as const],
    );
    return {
      name: key.name,
      url,
      ...this.#counters,
      ...(this.#silence !== undefined && { silentSinceS: this.#silence.sinceS }),
      troubles: Object.fromEntries(troubles),
    };
  }

  /** Asks about all logs that are due, one after the other, those first that were asked about longest ago. Rejects as the store. */
  async round(): Promise<void> {
    const { keepers, clock } = this.#modules;
    const all = [...keepers()];
    const origins = new Set(all.map(({ origin }) => origin));
    for (const origin of this.#progress.keys()) if (!origins.has(origin)) this.#progress.delete(origin);
    const waiting = all
      .map((keeper) => ({ keeper, progress: this.#progressOf(keeper.origin) }))
      .sort((a, b) => a.progress.askedAtMs - b.progress.askedAtMs);
    for (const { keeper, progress } of waiting) {
      // Who does not answer is asked nothing else.
      if (this.#stopping.signal.aborted || clock.runMs() < (this.#silence?.untilMs ?? 0)) return;
      const held = this.#due(keeper, progress);
      if (held !== undefined) await this.#ask(keeper, held, progress);
    }
  }

  async #run(): Promise<void> {
    const { clock, onTrouble } = this.#modules;
    const { signal } = this.#stopping;
    const lookMs = Math.min(LOOK_MS, this.#options.askMs);
    while (!signal.aborted) {
      await this.round().catch(onTrouble);
      await clock.wait(lookMs, signal).catch(() => undefined);
    }
  }

  /** The checkpoint of a log that it is to be asked about now. Nothing is shown for which the own witness must not vouch. */
  #due(keeper: Shown, progress: Progress): HeldState | undefined {
    const { latest, standingForks } = keeper;
    if (latest === undefined || standingForks.length > 0) return undefined;
    if (this.#isFresh(latest.pool)) {
      progress.trouble = undefined;
      return undefined;
    }
    if (this.#modules.clock.runMs() < progress.nextAtMs) return undefined;
    const vetted = keeper.vetting(latest.pool.text);
    return vetted.isFolded && vetted.objection === undefined ? latest : undefined;
  }

  /** Whoever asked for its line. */
  #isFresh({ cosignatures }: HeldState['pool']): boolean {
    const own = cosignatures.find(({ region, keyId }) => region === undefined && keyId === this.#keyId);
    return own !== undefined && this.#isTimely(own.timestampS);
  }

  #isTimely(timestampS: number): boolean {
    return Math.abs(this.#nowS() - timestampS) < FRESH_S;
  }

  async #ask(keeper: Shown, held: HeldState, progress: Progress): Promise<void> {
    const { clock } = this.#modules;
    progress.askedAtMs = clock.runMs();
    progress.nextAtMs = progress.askedAtMs + this.#pauseMs(0);
    const failure = await this.#show(keeper, held, progress);
    if (this.#stopping.signal.aborted) return;
    this.#noteSilence(failure?.why === 'silent');
    const { trouble } = progress;
    if (failure !== undefined) {
      this.#counters.failed++;
      if (keeper.region === this.#options.region) this.#tellOfOwn(keeper.origin, failure, trouble);
    }
    progress.trouble = failure && { ...failure, sinceS: trouble?.sinceS ?? this.#nowS() };
    // Others may be ahead by what is on its way to here.
    progress.failures = failure === undefined || failure.why === 'ahead' ? 0 : progress.failures + 1;
    progress.nextAtMs = progress.askedAtMs + this.#pauseMs(progress.failures);
  }

  #noteSilence(isSilent: boolean): void {
    const { clock } = this.#modules;
    const failures = (this.#silence?.failures ?? 0) + 1;
    const sinceS = this.#silence?.sinceS ?? this.#nowS();
    this.#silence = isSilent
      ? { sinceS, failures, untilMs: clock.runMs() + this.#pauseMs(failures) }
      : undefined;
  }

  #pauseMs(failures: number): number {
    return this.#options.askMs * 2 ** Math.min(Math.max(0, failures - 1), DOUBLINGS_MAX);
  }

  /** Undefined if it vouches. Rejects as the store. */
  async #show(keeper: Shown, held: HeldState, progress: Progress): Promise<OutsideFailure | undefined> {
    const newSize = held.checkpoint.size;
    let oldSize = Math.min(progress.size, newSize);
    for (let tries = 1; ; tries++) {
      const request = await this.#requestFor(keeper, held, oldSize);
      if (request === undefined) return { why: 'conflict', size: oldSize };
      this.#counters.asked++;
      const answer = await askOutside(
        { url: this.#options.url, request, signal: this.#stopping.signal },
        this.#modules,
      );
      if ('why' in answer) return answer;
      if (answer.cosigns) return this.#take(keeper, held, answer.lines, progress);
      const { refusal, size = 0 } = answer;
      if (refusal !== 'conflict') return { why: refusal };
      progress.size = size;
      if (size > newSize) return { why: 'ahead', size };
      // It was asked from there on: what it has cosigned is another tree of that size.
      if (size === oldSize) return { why: 'unproven' };
      if (tries === TRIES_MAX) return { why: 'conflict', size };
      oldSize = size;
    }
  }

  /** Undefined where nothing proves any more that the log only grew: what it cosigned last is given up here, or another branch has taken its place. */
  async #requestFor(
    { tree }: Shown,
    { checkpoint: { size: newSize }, pool }: HeldState,
    oldSize: number,
  ): Promise<Uint8Array | undefined> {
    const isGrown = oldSize > 0 && oldSize < newSize;
    try {
      const view = new LogView(tree, this.#modules);
      const path = isGrown ? await view.consistencyProof({ oldSize, newSize }) : [];
      return encodeAddCheckpoint({ oldSize, path, note: pool.ownNote });
    } catch (error) {
      if (isNodeError(error, 'LOG_PRUNED') || isProtocolError(error, 'SIZE_INVALID')) return undefined;
      throw error;
    }
  }

  /** Takes the line by the key of the policy, and no other, as one that a peer tells of. */
  async #take(
    keeper: Shown,
    { checkpoint: { size }, pool: { text } }: HeldState,
    lines: readonly NoteSignature[],
    progress: Progress,
  ): Promise<OutsideFailure | undefined> {
    const good = lines.flatMap((line) => {
      const timestampS = this.#timeOf(text, line);
      return timestampS === undefined ? [] : [{ line, timestampS }];
    });
    const [newest] = good.sort((a, b) => b.timestampS - a.timestampS);
    if (newest === undefined) return { why: 'unverified' };
    progress.size = size;
    if (newest.timestampS > this.#nowS() + CLOCK_AHEAD_S_MAX) return { why: 'untimely' };
    try {
      await keeper.heed(encodeNote({ text, signatures: [newest.line] }));
    } catch (error) {
      // The checkpoint is not held any more: others have followed.
      if (!isProtocolError(error)) throw error;
    }
    if (!this.#isTimely(newest.timestampS)) return { why: 'untimely' };
    this.#counters.cosigned++;
    return undefined;
  }

  #timeOf(text: string, line: NoteSignature): number | undefined {
    const { key } = this.#options;
    try {
      return verifyCosignature(key, text, line, this.#modules.verifySignature).timestampS;
    } catch (error) {
      if (isProtocolError(error)) return undefined;
      throw error;
    }
  }

  /** A copy of this node, or a thief of its key, may have shown it what is not here. */
  #tellOfOwn(origin: string, { why, size = 0 }: OutsideFailure, before: OutsideTrouble | undefined): void {
    const { onTrouble } = this.#modules;
    const { name } = this.#options.key;
    if (before?.why === why && (before.size ?? 0) === size) return;
    if (why === 'ahead')
      onTrouble(logError('LOG_BEHIND', `${name} says that it cosigned ${size} entries of ${origin}`));
    if (why === 'unproven')
      onTrouble(
        logError('LOG_CONTRADICTED', `${name} does not take that ${origin} goes on from what it cosigned`),
      );
  }

  #progressOf(origin: string): Progress {
    const known = this.#progress.get(origin);
    if (known !== undefined) return known;
    const progress = { askedAtMs: -Infinity, nextAtMs: -Infinity, size: 0, failures: 0, trouble: undefined };
    this.#progress.set(origin, progress);
    return progress;
  }

  #nowS(): number {
    return Math.floor(this.#modules.clock.nowMs() / 1000);
  }
}
