/**
 * Forgetting a person: what the region knows of their codes is destroyed, and then it is shown that nothing is left that could open
 * them, while the logs are what they were.
 */
import { hexOf } from '../../protocol/bytes.ts';
import { mayBeOfTwo, readBasis } from '../../protocol/disclosure/basis.ts';
import { attestationLogOrigin } from '../../protocol/log/origin.ts';
import { leafHash, verifyInclusion } from '../../protocol/log/merkle.ts';
import { type Primitives } from '../../protocol/primitives.ts';
import { isLogOver } from '../../protocol/trust/pruning.ts';
import { type TrustState } from '../../protocol/trust/trust-state.ts';
import { type LogTree } from '../log/log-tree.ts';
import { LogView } from '../log/log-view.ts';
import { NodeError } from '../node-error.ts';
import { type Clock } from '../ports.ts';
import { type Place } from '../registry/place-cipher.ts';
import { registryCorrupt } from '../registry/registry-error.ts';
import { type Registry } from '../registry/registry.ts';
import { type StagingGate } from './staging-gate.ts';

/** A leaf that nobody can open any more, proven to stand where it stood. */
export interface ForgottenLeaf extends Place {
  /** Hash of the leaf, and of the tree in which it was proven, in hexadecimal; undefined where the log has given it up. */
  readonly proven?: { readonly leafHash: string; readonly size: number; readonly root: string };
}

/** What came of an order. */
export interface Forgotten {
  readonly leaves: readonly ForgottenLeaf[];
  /** Of the other machine of the region, where it has one and there are leaves: it has forgotten the codes too, or does as soon as it answers. */
  readonly other?: 'forgot' | 'awaited';
  /** The order was given on the standby: what the person declared is still on the machine that writes, and forgotten by an order there. */
  readonly declared?: 'on-writer';
}

export interface ForgetOrder {
  readonly subject: string;
  /** Forgets codes that still pass too: whoever holds one can show it to its end, and the region can withdraw it by its place alone. */
  readonly lettingPass: boolean;
}

export interface ForgettingDeclared {
  /** Rejects with why the person may not be forgotten. */
  readonly require: () => Promise<void>;
  /** Makes durable that they were. */
  readonly onFound: () => Promise<void>;
}

export interface ForgettingModules extends Pick<Primitives, 'sha256'> {
  readonly registry: Registry;
  /** As `Life.forget`. */
  readonly forgetDeclared: (subject: string, forgetting: ForgettingDeclared) => Promise<boolean>;
  /** Makes durable that the person was forgotten. As `ForgottenMarks.forgot`. */
  readonly mark: (subject: string) => Promise<void>;
  readonly gate: Pick<StagingGate, 'shutFor'>;
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly trust: () => Pick<TrustState, 'revoked' | 'tally'> | undefined;
  /** Does what is due with the calendar, as far as this node may: tallies are. */
  readonly tend: () => Promise<void>;
  /** Whether the region has another machine with this registry, which is to forget the codes too. */
  readonly hasOther: boolean;
  /** Whether that other machine writes. */
  readonly isStandby: boolean;
  /** Opens an own log, or gives the one that is open. */
  readonly openTree: (origin: string) => Promise<LogTree>;
}

/** Whether a tally tells of a code, or none ever will. */
export function isCounted(
  { log, index }: Place,
  {
    trust,
    clock,
  }: Pick<ForgettingModules, 'clock'> & {
    readonly trust: () => Pick<TrustState, 'tally'> | undefined;
  },
): boolean {
  return index < (trust()?.tally(log)?.until ?? 0) || isLogOver(log, Math.floor(clock.nowMs() / 1_000));
}

export class Forgetting {
  readonly #names: { readonly region: string; readonly network: string };
  readonly #modules: ForgettingModules;

  constructor(names: { readonly region: string; readonly network: string }, modules: ForgettingModules) {
    this.#names = names;
    this.#modules = modules;
  }

  /**
   * Destroys all that opens what a person holds, and what they declared. To be repeated if it is interrupted.
   * @throws {NodeError} NOT_FOUND for nobody; REFUSED where a code still passes, unless that is wanted, and where a colour that two
   * operators gave is not counted in public yet, whatever is wanted: no code is destroyed then.
   * REGISTRY_CORRUPT, LOG_CORRUPT if something is left, or a leaf is not what it was.
   */
  async forget(order: ForgetOrder): Promise<readonly ForgottenLeaf[]> {
    const { forgetDeclared, gate } = this.#modules;
    const { subject } = order;
    const hadDeclared = await forgetDeclared(subject, {
      require: () => this.#requireForgettable(order),
      // What breaks off between the two must leave nobody who gets a code without a declaration.
      onFound: () => this.#modules.mark(subject),
    });
    const places = await gate.shutFor(subject, () => this.#destroy(order, hadDeclared));
    const leaves: ForgottenLeaf[] = [];
    for (const place of places) leaves.push(await this.#proven(place));
    return leaves;
  }

  /** While nothing is staged for the person. */
  async #destroy(order: ForgetOrder, hadDeclared: boolean): Promise<readonly Place[]> {
    // Again: what was on its way, as by a proposal of which the person was taken out, is there by now.
    await this.#requireForgettable(order);
    const { registry, clock, hasOther, isStandby } = this.#modules;
    const { subject } = order;
    // Before any code is destroyed, and not for who is refused, or is nobody: an order of theirs would come to nothing. Once more for who had declared: what was
    // ordered since the mark of that, and staged, is destroyed too.
    let isFound = hadDeclared;
    const onFound = () => {
      isFound = true;
      return this.#modules.mark(subject);
    };
    if (hadDeclared) await onFound();
    const places = await registry.forget(subject, {
      isCounted: (place) => isCounted(place, this.#modules),
      ...(!hadDeclared && { onFound }),
      ...(hasOther && { forOtherAtS: Math.floor(clock.nowMs() / 1_000) }),
    });
    if (!isFound)
      throw new NodeError(
        'NOT_FOUND',
        'the registry knows nobody by that reference',
        isStandby
          ? {
              hint: 'This is the standby: what was declared lies on the machine that writes. Give the order there.',
            }
          : {},
      );
    const left = await registry.ofSubject(subject);
    const opened = await Promise.all(places.map((place) => registry.atPlace(place)));
    if (left.length > 0 || opened.some((record) => record !== undefined))
      throw registryCorrupt('something of a person who was to be forgotten is left');
    return places;
  }

  async #requireForgettable({ subject, lettingPass }: ForgetOrder): Promise<void> {
    if (!lettingPass) await this.#requireNonePasses(subject);
    await this.#requireCounted(subject);
  }

  async #requireNonePasses(subject: string): Promise<void> {
    const nowS = Math.floor(this.#modules.clock.nowMs() / 1_000);
    for (const { log, index, fields } of await this.#modules.registry.ofSubject(subject)) {
      if (fields.status.expiresAtS <= nowS) continue;
      if (this.#modules.trust()?.revoked(log)?.has(index) === true) continue;
      throw new NodeError('REFUSED', 'the person holds a code that still passes; no code was forgotten', {
        hint: 'Revoke it first: entente revoke --subject. With --let-pass it counts to its end, and can only be revoked by its place.',
      });
    }
  }

  /** Else forgetting those whom somebody turned red would keep them out of the tally. Spec: SPEC.md 8.6. */
  async #requireCounted(subject: string): Promise<void> {
    if (!(await this.#isUncounted(subject))) return;
    // Where no node runs nobody has told of what is due.
    await this.#modules.tend();
    if (!(await this.#isUncounted(subject))) return;
    throw new NodeError(
      'REFUSED',
      'two operators gave the person a colour that is not counted in public yet; no code was forgotten',
      { hint: 'A tally tells of it within a day and an hour of issue: forget them then.' },
    );
  }

  async #isUncounted(subject: string): Promise<boolean> {
    const { registry } = this.#modules;
    for (const { log, index } of await registry.ofSubject(subject)) {
      if (isCounted({ log, index }, this.#modules)) continue;
      for await (const { basis } of registry.withBases({ log, from: index, until: index + 1 }))
        if (basis !== undefined && mayBeOfTwo(readBasis(basis))) return true;
    }
    return false;
  }

  async #proven({ log, index }: Place): Promise<ForgottenLeaf> {
    const { sha256, openTree } = this.#modules;
    const { region, network } = this.#names;
    const tree = await openTree(attestationLogOrigin(region, network, log));
    const { signed, minimum } = tree.head;
    if (signed === undefined || index < minimum || index >= signed.size) return { log, index };
    const view = new LogView(tree, { sha256 });
    const { size, root } = signed;
    const path = await view.inclusionProof({ index, size });
    for await (const leaf of view.entries(index, index + 1)) {
      const hash = leafHash(sha256, leaf);
      verifyInclusion(sha256, { index, size, leafHash: hash, root, path });
      return { log, index, proven: { leafHash: hexOf(hash), size, root: hexOf(root) } };
    }
    return { log, index };
  }
}
