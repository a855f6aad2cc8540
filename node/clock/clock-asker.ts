/**
 * Asks the nodes of other regions what time it is: each cosigns its own trust log anew, on the spot, and a cosignature says when it
 * was made. Nobody can say it for another, and what was signed before is no answer.
 */
import { isProtocolError } from '../../protocol/fault.ts';
import { verifyCosignature } from '../../protocol/log/cosignature.ts';
import { type NoteSignature } from '../../protocol/log/signature-line.ts';
import { type VerifySignature } from '../../protocol/primitives.ts';
import { shuffled } from '../issuing/shuffle.ts';
import { isNodeError } from '../node-error.ts';
import { type Clock, type Random } from '../ports.ts';
import { type SyncClient } from '../sync/sync-client.ts';
import { type HeldState } from '../trust/held-state.ts';
import { type TrustKeeper } from '../trust/trust-keeper.ts';
import { type WitnessKeys } from '../trust/witness-keys.ts';
import { askWitness } from '../witness/witness-server.ts';
import { type ClockVotes } from './clock-votes.ts';

export interface ClockAskerOptions {
  /** Milliseconds between two looks at what was heard; 30 s by default. While there is no doubt, each fourth asks anew. */
  readonly intervalMs?: number;
}

export interface ClockAskerModules {
  readonly votes: ClockVotes;
  readonly client: Pick<SyncClient, 'peers' | 'request' | 'blaming'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly regionOf: (peer: string) => string | undefined;
  readonly keeper: (region: string) => TrustKeeper | undefined;
  readonly witnessKeys: () => WitnessKeys;
  /** Fetches what a peer has more than we. Rejects as `AntiEntropy.round`. */
  readonly catchUp: (peer: string) => Promise<void>;
  readonly verifySignature: VerifySignature;
  /** Told of errors of our own disk. Must not throw. */
  readonly onTrouble?: (error: unknown) => void;
}

/** Regions that are asked in one round: with more of them each round takes others. */
const ASKED_MAX = 16;
const INTERVAL_MS = 30_000;
/**
 * Looks that pass without asking, while most agree with our clock: what was heard is carried on by the running time, and a step of
 * our clock is noticed without anybody being asked.
 */
const CALM_LOOKS = 3;
/** At the start, until enough have answered: before the first thing is signed, if it can be. */
const FIRST = { rounds: 10, intervalMs: 2_000 } as const;

export class ClockAsker {
  readonly #intervalMs: number;
  readonly #modules: ClockAskerModules;
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;

  constructor({ intervalMs = INTERVAL_MS }: ClockAskerOptions, modules: ClockAskerModules) {
    this.#intervalMs = intervalMs;
    this.#modules = modules;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Safe to call twice. Whoever stops the client before need not wait for answers. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  /** One round: resolves once all that were asked have answered, or their time is over. */
  async ask(): Promise<void> {
    const { votes, client, regionOf, random, onTrouble } = this.#modules;
    const peers = new Map<string, string>();
    for (const peer of client.peers()) {
      const region = regionOf(peer);
      if (region !== undefined && votes.regions.includes(region) && !peers.has(region))
        peers.set(region, peer);
    }
    const askable = [...peers];
    const order = [...shuffled(askable.length, random)].slice(0, ASKED_MAX);
    await Promise.all(
      order.map(async (i) => {
        const [region, peer] = askable[i] as (typeof askable)[number];
        // Who does not answer, or says what is no answer, has no vote.
        await this.#read(region, peer).catch((error: unknown) => {
          if (!isProtocolError(error) && !isNodeError(error)) onTrouble?.(error);
        });
      }),
    );
  }

  async #run(): Promise<void> {
    const { clock, votes } = this.#modules;
    const { signal } = this.#stopping;
    let calm = 0;
    for (let rounds = 1; !signal.aborted; rounds++) {
      calm = votes.report.standing === 'agrees' ? calm + 1 : 0;
      if (calm % (CALM_LOOKS + 1) === 0) await this.ask();
      const isFirst = rounds < FIRST.rounds && !votes.isDecided;
      const waitMs = isFirst ? Math.min(FIRST.intervalMs, this.#intervalMs) : this.#intervalMs;
      await clock.wait(waitMs, signal).catch(() => undefined);
    }
  }

  async #read(region: string, peer: string): Promise<void> {
    const { keeper, catchUp } = this.#modules;
    const held = keeper(region)?.latest;
    if (held === undefined || (await this.#readBy(region, peer, held))) return;
    await catchUp(peer);
    const grown = keeper(region)?.latest;
    if (grown !== undefined && grown !== held) await this.#readBy(region, peer, grown);
  }

  /** False if the peer does not cosign that: by now its log has more entries, or it has objections. */
  async #readBy(region: string, peer: string, { checkpoint, pool }: HeldState): Promise<boolean> {
    const { client, clock, votes } = this.#modules;
    const asked = { oldSize: checkpoint.size, path: [], note: pool.ownNote };
    const askedAtMs = clock.runMs();
    const answer = await askWitness(client, peer, asked);
    const heardAtMs = clock.runMs();
    if (!answer.cosigns) return false;
    const timestampS = this.#timeOf(region, pool.text, answer.line);
    if (timestampS !== undefined) votes.take({ region, timestampS, askedAtMs, heardAtMs });
    return true;
  }

  /** Undefined where no key that is known of the region made the line. */
  #timeOf(region: string, text: string, line: NoteSignature): number | undefined {
    const { witnessKeys, verifySignature } = this.#modules;
    for (const key of witnessKeys().of(line)) {
      if (key.region !== region || key.isGivenUp) continue;
      try {
        return verifyCosignature(key.verifier, text, line, verifySignature).timestampS;
      } catch (error) {
        if (!isProtocolError(error)) throw error;
      }
    }
    return undefined;
  }
}
