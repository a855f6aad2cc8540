/**
 * Has the other machine of a region forget what was forgotten here: what the registry has noted of it is told, whichever of the two writes, until
 * it is acknowledged. Spec: SPEC.md 14.5.6.
 */
import { equalBytes } from '../../protocol/bytes.ts';
import { encodeCbor } from '../../protocol/encoding/cbor.ts';
import { isProtocolError } from '../../protocol/fault.ts';
import { trustLogOrigin } from '../../protocol/log/origin.ts';
import { isLogOver } from '../../protocol/trust/pruning.ts';
import { isNodeError, NodeError } from '../node-error.ts';
import { type Clock } from '../ports.ts';
import { FORGOTTEN, type ForgottenRow } from '../registry/forgotten-rows.ts';
import { type Place } from '../registry/place-cipher.ts';
import { isRegistryDamage } from '../registry/registry-error.ts';
import { type Registry } from '../registry/registry.ts';
import { type SyncClient } from '../sync/sync-client.ts';
import { Turns } from '../turns.ts';
import { FAILED, KEPT, type Share, STANDBY_PROTOCOL } from './batch-share.ts';

export interface ForgottenShareOptions {
  readonly region: string;
  readonly network: string;
  /** Milliseconds between two rounds. */
  readonly intervalMs: number;
}

export interface ForgottenShareModules {
  readonly client: Pick<SyncClient, 'peers' | 'request'>;
  readonly clock: Clock;
  /** Whether a peer is another machine of the own region. */
  readonly isOwn: (peer: string) => boolean;
  readonly registry: () => Pick<Registry, 'forgotten'>;
  /** Forgets an attestation here by its name, in the turn of shared rows. Rejects as `Registry.forgetNamed`. */
  readonly forgetHere: (name: string) => Promise<void>;
  /** Whether an attestation is in its log. Of one that is not, the record may still be on its way to the other machine. Rejects as the store. */
  readonly isLogged: (place: Place) => Promise<boolean>;
  readonly stopping: AbortSignal;
  /** Told of what fails, and once of a peer that refuses, and of what cannot be forgotten, until it can. Must not throw. */
  readonly onTrouble: (error: unknown) => void;
}

type Answer = 'kept' | 'refused' | 'failed' | 'away';

export class ForgottenShare {
  readonly #options: ForgottenShareOptions;
  readonly #modules: ForgottenShareModules;
  readonly #turns = new Turns();
  readonly #refusing = new Set<string>();
  /** By name, or what the error says, what was told of as damaged: no more than is noted. */
  readonly #damaged = new Set<string>();
  /** Something may lie in the files of what was dropped: by an earlier process too. */
  #isToCompact = true;
  #left = 0;

  constructor(options: ForgottenShareOptions, modules: ForgottenShareModules) {
    this.#options = options;
    this.#modules = modules;
  }

  /** How many attestations the other machine is still to forget, as of the last round. */
  get left(): number {
    return this.#left;
  }

  /** Tells in rounds, until the node stops. */
  async run(): Promise<void> {
    const { stopping, clock, onTrouble } = this.#modules;
    while (!stopping.aborted) {
      await this.round().catch(onTrouble);
      await clock.wait(this.#options.intervalMs, stopping).catch(() => undefined);
    }
  }

  /** Tells all that is noted. Rejects as the store; never for a machine that does not answer. */
  async round(): Promise<void> {
    this.#left = await this.#turns.take('round', () => this.#tellAll());
  }

  /** Tells what is noted of a person, and whether nothing is left of that. Rejects as `round`. */
  async tellOf(subject: string): Promise<boolean> {
    const isTold = (await this.#tellAll(subject)) === 0;
    this.#left = await this.#modules.registry().forgotten.count();
    return isTold;
  }

  /** How many are left. */
  async #tellAll(subject?: string): Promise<number> {
    const { client, isOwn, registry } = this.#modules;
    const { forgotten } = registry();
    const peers = client.peers().filter(isOwn);
    let left = 0;
    // Who does not answer is asked for nothing more in this round, and keeps no other from being told.
    const away = new Set<string>();
    const onDamaged = (error: NodeError) => {
      left++;
      this.#tellOnce(error.message, damagedNote(error));
    };
    for await (const row of forgotten.all(onDamaged, subject)) {
      const isKept =
        away.size < peers.length && (await this.#isSettled(row)) && (await this.#isKeptBy(peers, away, row));
      if (isKept && (await this.#isForgottenHere(row))) {
        await forgotten.drop(row.name);
        this.#damaged.delete(row.name);
        this.#isToCompact = true;
      } else left++;
    }
    await this.#compact();
    return left;
  }

  /** Whether each of these machines says that it has forgotten it; those that do not answer are added to `away`, and not asked. */
  async #isKeptBy(peers: readonly string[], away: Set<string>, row: ForgottenRow): Promise<boolean> {
    const asked = peers.filter((peer) => !away.has(peer));
    const answers = await Promise.all(asked.map((peer) => this.#tell(peer, row)));
    asked.forEach((peer, i) => answers[i] === 'away' && away.add(peer));
    return away.size === 0 && answers.every((answer) => answer === 'kept');
  }

  /** Once more: before it forgot, the other machine may have shared a batch again as it was, with what had been forgotten here. */
  async #isForgottenHere(row: ForgottenRow): Promise<boolean> {
    try {
      await this.#modules.forgetHere(row.name);
      return true;
    } catch (error) {
      if (!isRegistryDamage(error)) throw error;
      this.#tellDamaged(row, 'this machine', error);
      return false;
    }
  }

  async #compact(): Promise<void> {
    if (!this.#isToCompact) return;
    // What is dropped meanwhile is compacted once more.
    this.#isToCompact = false;
    try {
      await this.#modules.registry().forgotten.compact();
    } catch (error) {
      this.#isToCompact = true;
      throw error;
    }
  }

  /**
   * Of a place that was taken back and that no log ever had, nothing is on its way any more once its log is over. What cannot be looked up now is
   * told later, and keeps nothing else from being told.
   */
  async #isSettled({ place }: ForgottenRow): Promise<boolean> {
    const { clock, isLogged } = this.#modules;
    if (isLogOver(place.log, Math.floor(clock.nowMs() / 1_000))) return true;
    return isLogged(place).catch((error: unknown) => {
      if (isNodeError(error)) return false;
      throw error;
    });
  }

  async #tell(peer: string, row: ForgottenRow): Promise<Answer> {
    const { region, network } = this.#options;
    const rows: Share['rows'] = [[FORGOTTEN + row.name, row.value]];
    const share = encodeCbor({ origin: trustLogOrigin(region, network), index: 0, rows });
    try {
      const answer = await this.#modules.client.request(peer, STANDBY_PROTOCOL, share);
      const isFailed = equalBytes(answer, FAILED);
      if (isFailed) this.#tellDamaged(row, peer);
      if (isFailed || this.#isKept(row, answer)) {
        this.#refusing.delete(peer);
        return isFailed ? 'failed' : 'kept';
      }
    } catch (error) {
      if (!isNodeError(error) && !isProtocolError(error)) throw error;
      return 'away';
    }
    if (!this.#refusing.has(peer)) this.#modules.onTrouble(refusedBy(peer));
    this.#refusing.add(peer);
    return 'refused';
  }

  /** A machine of the region without the registry's key has nothing to forget, and must not answer for the one that has. */
  #isKept(row: ForgottenRow, answer: Uint8Array): boolean {
    const { forgotten } = this.#modules.registry();
    return (
      equalBytes(answer.subarray(0, KEPT.length), KEPT) &&
      forgotten.isAnswer(row, answer.subarray(KEPT.length))
    );
  }

  #tellDamaged({ name, place }: ForgottenRow, where: string, cause?: unknown): void {
    const message = `${where} cannot forget what it has of ${place.log}/${place.index}: something of that is damaged there`;
    const hint =
      'Run `entente doctor` on that machine. The others are forgotten, and this one is tried again.';
    this.#tellOnce(name, new NodeError('REGISTRY_CORRUPT', message, { hint, cause }));
  }

  #tellOnce(what: string, error: NodeError): void {
    if (this.#damaged.has(what)) return;
    this.#damaged.add(what);
    this.#modules.onTrouble(error);
  }
}

function damagedNote(cause: NodeError): NodeError {
  const message = `a note here of what the other machine is to forget is damaged: ${cause.message}`;
  return new NodeError('REGISTRY_CORRUPT', message, {
    hint: 'The others are told. Whoever was forgotten here lately is to be forgotten by an order on the other machine too; then `entente fsck --salvage` lets go of the note.',
    cause,
  });
}

function refusedBy(peer: string): NodeError {
  return new NodeError('REFUSED', `${peer} does not forget what was forgotten here`, {
    hint: 'Start the other machine of this region with the same version of the program and the same registry key.',
  });
}
