/**
 * Colours without a rule: one operator proposes them for named people, for a reason of a closed list and at most 14 days, another
 * confirms, and only then codes are issued. Both sign it with keys of their own: what is kept (override-shelf.ts) counts for nothing but
 * by their signatures (override-proof.ts).
 *
 * One writer: the node. A confirmation is durable before the first code; one that broke off is gone on with by confirming again.
 * What cannot be read of one concerns whom it names alone: nobody else waits for it to be mended.
 */
import { hexOf } from '../../protocol/bytes.ts';
import { evidenceOf } from '../../protocol/disclosure/basis.ts';
import { type OverrideNames } from '../../protocol/disclosure/override.ts';
import { OVERRIDE_DAYS_MAX, OVERRIDE_SUBJECTS_MAX, PROPOSAL_S_MAX } from '../../protocol/limits.ts';
import { type Primitives } from '../../protocol/primitives.ts';
import { isNodeError, NodeError } from '../node-error.ts';
import { type Actor } from '../operators/scopes.ts';
import { isSubject, SUBJECT_BYTES_MAX } from '../registry/record-page.ts';
import { Turns } from '../turns.ts';
import { BegunOverrides, type BegunStore } from './begun-overrides.ts';
import { type BulkWatch } from './bulk-watch.ts';
import { CodesBeside, type GivenCode } from './codes-beside.ts';
import { onTheirWay, OverrideCodes, type OverrideCodesModules } from './override-codes.ts';
import {
  beganAt,
  codeOf,
  type Confirmed,
  digestOf,
  isConfirmed,
  type Kept,
  type KeptSignature,
  markOf,
  namesIn,
  OVERRIDES_LISTED,
  OVERRIDES_LISTED_MAX,
  type OverridesAsked,
  type OverrideSeen,
  type OverrideShown,
  type OverridesListed,
  PROPOSALS_OPEN_MAX,
  type SignedAt,
  type SignedOrder,
} from './override-kept.ts';
import { OldOverrides } from './old-overrides.ts';
import { type OverrideOperators, OverrideProof, refused } from './override-proof.ts';
import { seenOf } from './override-seen.ts';
import {
  type DamagedOverride,
  isNamedIn,
  type KeptOverride,
  type OverrideRange,
  OverrideShelf,
  type OverrideShelfModules,
} from './override-shelf.ts';

export interface OverridesOptions extends OverrideNames {
  readonly registryKey: Uint8Array;
}

export interface OverridesModules extends OverrideCodesModules, OverrideShelfModules, Primitives {
  readonly watch: Pick<BulkWatch, 'note'>;
  /** Of this node. */
  readonly store: BegunStore;
  /** Told once of each override that cannot be read. Must not throw. */
  readonly onTrouble?: ((error: unknown) => void) | undefined;
}

/** Seconds after which nothing happens to a proposal by itself: it is confirmed within a day, and its colour ends with its days. */
const SWEPT_S_MAX = (OVERRIDE_DAYS_MAX + 3) * 86_400;
/** Seconds after which it is over, whatever it says. */
const OVER_S_MAX = (OVERRIDE_DAYS_MAX + 2) * 86_400;

export class Overrides {
  readonly #modules: OverridesModules;
  readonly #shelf: OverrideShelf;
  readonly #turns = new Turns();
  readonly #beside: CodesBeside;
  readonly #codes: OverrideCodes;
  readonly #proof: OverrideProof;
  readonly #begun: BegunOverrides;
  readonly #old: OldOverrides;
  /** What was told of: no more than there are. */
  readonly #told = new Set<string>();
  #isSwept = false;

  constructor({ registryKey: key, ...names }: OverridesOptions, modules: OverridesModules) {
    this.#modules = modules;
    this.#proof = new OverrideProof(names, modules);
    this.#begun = new BegunOverrides(modules.store);
    this.#beside = new CodesBeside({ registryKey: key }, modules);
    this.#codes = new OverrideCodes({ ...modules, beside: this.#beside });
    this.#shelf = new OverrideShelf({ key }, modules);
    this.#old = new OldOverrides({ shelf: this.#shelf, turns: this.#turns });
  }

  /**
   * Keeps what `actor` has signed, for another operator to confirm it by its id. The very same again is answered with what is kept.
   * @throws {NodeError} REFUSED, also where the signature is not that of `actor`, of this and of now.
   */
  async propose(order: SignedOrder, actor: Actor, operators: OverrideOperators): Promise<OverrideSeen> {
    const { subjects, days, id, salts, signed, ...terms } = order;
    const proposed = this.#proof.signatureBy(actor, signed, operators, this.#nowS());
    if (subjects.length < 1 || subjects.length > OVERRIDE_SUBJECTS_MAX)
      throw refused(
        `an override is of 1 to ${OVERRIDE_SUBJECTS_MAX} people, not of ${subjects.length}`,
        'Propose several.',
      );
    if (!subjects.every(isSubject))
      throw refused(
        `a reference to a person has 1 to ${SUBJECT_BYTES_MAX} bytes of UTF-8, and one has not`,
        'Mend it: Chinese characters have three bytes each.',
      );
    if (!Number.isInteger(days) || days < 1 || days > OVERRIDE_DAYS_MAX)
      throw refused(`an override ends after 1 to ${OVERRIDE_DAYS_MAX} days`, 'Give fewer.');
    if (new Set(subjects).size !== subjects.length)
      throw refused('a person stands there twice', 'Name each once.');
    if (salts.length !== subjects.length)
      throw refused('each of the people has a salt of their own', 'Give as many salts as people.');
    const people = {
      subjects: subjects.map((subject, i): [string, string] => [subject, salts[i] ?? '']),
      forgotten: [],
    };
    const digest = digestOf(this.#modules.sha256, people);
    const kept: Kept = { ...terms, days, people: subjects.length, digest, ...people, proposed };
    this.#proof.requireSigned(id, kept);
    return this.#turns.take(`proposing ${proposed.name}`, async () => {
      const before = await this.#shelf.get(id);
      // By its signature, which is of all that is proposed.
      if (before?.proposed.signature === proposed.signature) return this.#seen(id, before);
      await this.#requireRoom(proposed.name);
      await this.#turns.take(id, async () => {
        if ((await this.#shelf.get(id)) !== undefined || (await this.#begun.of(id)) !== undefined)
          throw refused('something was proposed under this id before', 'Propose it under another id.');
        await this.#shelf.keep(id, kept);
      });
      return this.#seen(id, kept);
    });
  }

  /** Of the last two days: what is older waits for nobody. */
  async #requireRoom(name: string): Promise<void> {
    let waiting = 0;
    const to = beganAt(this.#nowS() - 2 * PROPOSAL_S_MAX);
    for await (const one of this.#readable({ to })) {
      const { state, proposed } = await this.#look(one);
      if (state === 'proposed' && proposed.name === name) waiting++;
    }
    if (waiting < PROPOSALS_OPEN_MAX) return;
    throw refused(
      `${PROPOSALS_OPEN_MAX} proposals of ${name} wait for somebody who confirms them`,
      'Have them confirmed, or wait until they lapse: a proposal waits for a day.',
    );
  }

  /** What somebody is to confirm, with the people whom it names. @throws {NodeError} NOT_FOUND; REGISTRY_CORRUPT where it cannot be read; REFUSED where it is not what was signed. */
  async show(id: string): Promise<OverrideShown> {
    const kept = await this.#shelf.get(id);
    if (kept === undefined) throw notProposed();
    this.#proof.requireSigned(id, kept);
    if (kept.subjects.length > 0) this.#proof.requirePeople(kept);
    return { ...this.#seen(id, kept), subjects: namesIn(kept) };
  }

  /**
   * Issues what somebody else proposed, once `actor` has signed that: codes that are looser are revoked first. Gives how many have their
   * code. Who proposed it has to be one of `operators` still: the key of one who was removed may have been stolen. What is kept as
   * confirmed has to be signed by both, and is held for a new one where this node did not begin it.
   * @throws {NodeError} NOT_FOUND; REGISTRY_CORRUPT where it cannot be read; REFUSED for what is not as two operators signed it, for one's own proposal or
   * one of somebody who may not issue any more, for one that has lapsed, is over or is done, and, to be tried again, while codes of it are on their way; what
   * revoking and issuing reject with; and, once all are issued, as a log that cannot tell whether it has a looser code: confirming again goes on with what
   * is left.
   */
  confirm(
    id: string,
    signed: SignedAt,
    actor: Actor,
    operators: OverrideOperators,
  ): Promise<{ readonly issued: number }> {
    return this.#turns.take(id, async () => {
      const kept = await this.#shelf.get(id);
      const confirming = this.#proof.signatureBy(actor, signed, operators, this.#nowS());
      if (kept === undefined) throw notProposed();
      const { state } = this.#seen(id, kept);
      // By name too: who was named anew, with another key, is the same person.
      if (confirming.publicKey === kept.proposed.publicKey || confirming.name === kept.proposed.name)
        throw refused(
          'who proposed it cannot confirm it',
          'Another operator has to, with a key of their own.',
        );
      const begun = await this.#begun.of(id);
      if (state === 'done' || begun?.isDone === true)
        throw refused('it was confirmed and is done', 'Propose another one.');
      if (state === 'lapsed') throw refused('it was proposed more than a day ago', 'Propose it again.');
      if (state === 'over') throw await this.#whyOver(id, kept);
      const confirmed = await this.#confirmed(id, kept, confirming, operators);
      // An update must see all of it or nothing.
      await this.#modules.meanwhile(() => this.#codes.issue(id, confirmed));
      await this.#shelf.keep(id, { ...confirmed, subjects: [], forgotten: [] });
      await this.#begun.note(id, { evidence: this.#evidenceOf(id, confirmed), isDone: true });
      await this.#shelf.compact(id);
      return { issued: kept.subjects.length };
    });
  }

  /** What is to be issued: kept, counted once, and noted as begun. @throws {NodeError} REFUSED */
  async #confirmed(
    id: string,
    kept: Kept,
    confirming: KeptSignature,
    operators: OverrideOperators,
  ): Promise<Confirmed> {
    const begun = await this.#begun.of(id);
    const confirmed = isConfirmed(kept) ? kept : { ...kept, confirmed: confirming };
    const evidence = this.#evidenceOf(id, confirmed);
    this.#proof.requireSigned(id, confirmed);
    this.#proof.requirePeople(kept);
    // Its people may have their codes by what was confirmed then.
    if (begun !== undefined && begun.evidence !== evidence)
      throw refused('something else was confirmed under this id before', 'Propose it again.');
    if (begun !== undefined) return confirmed;
    this.#proof.requireOperator('proposed', kept.proposed, operators);
    this.#proof.requireOperator('confirmed', confirmed.confirmed, operators);
    this.#proof.requireTimes(confirmed, this.#nowS());
    // Before it is durable: better counted twice than an override of which nobody heard.
    await this.#modules.watch.note('override', kept.people);
    await this.#shelf.keep(id, confirmed);
    await this.#begun.note(id, { evidence, isDone: false });
    return confirmed;
  }

  #evidenceOf(id: string, kept: Confirmed): string {
    return hexOf(evidenceOf(this.#modules.sha256, codeOf(id, kept).basis));
  }

  async #whyOver(id: string, { people }: Kept): Promise<NodeError> {
    const missed = await this.#end(id);
    if (missed === undefined) return onTheirWay();
    return missed > 0
      ? refused(`its time is over, and ${missed} of ${people} people got no code`, 'Propose another one.')
      : refused(
          'its time is over, and it broke off: all got their codes, but looser ones may pass on',
          'See `entente codes`, and revoke those that should not pass.',
        );
  }

  /** What was proposed, the newest first; those that lapsed go with the people they name. `damaged` has those too that are not as their operators signed them. Rejects as the tables. */
  async list({ last = OVERRIDES_LISTED, after }: OverridesAsked = {}): Promise<OverridesListed> {
    const overrides: OverrideSeen[] = [];
    const damaged: OverridesListed['damaged'][number][] = [];
    const from = after === undefined ? '' : `${after}!`;
    for await (const one of this.#shelf.all({ from })) {
      if (overrides.length + damaged.length >= Math.min(last, OVERRIDES_LISTED_MAX))
        return { overrides, damaged, more: true };
      const error = 'kept' in one ? this.#unsigned(one) : one.error;
      if (error !== undefined) damaged.push({ id: one.id, code: error.code, message: error.message });
      if ('kept' in one) {
        const seen = await this.#look(one);
        if (error === undefined) overrides.push(seen);
      }
    }
    return { overrides, damaged, more: false };
  }

  /** Codes that somebody has beside a stricter one. */
  get beside(): Pick<CodesBeside, 'inTurn' | 'makePlace' | 'markOf' | 'lookAgain' | 'finish'> {
    return this.#beside;
  }

  /** As `CodesBeside.requireUnbound`. */
  requireUnbound(code: GivenCode, isByRules: boolean): Promise<void> {
    return this.#beside.requireUnbound(code, isByRules);
  }

  /** As `CodesBeside.requireFree`. */
  requireFree(code: Pick<GivenCode, 'subject' | 'status'>): Promise<void> {
    return this.#beside.requireFree(code);
  }

  /**
   * Forgets the people of what lapsed or is over, also where nobody asks for it. To be called every few minutes: the first time it looks at
   * all, and then at what is of days on which that can have happened since. Rejects as the tables.
   */
  async sweep(): Promise<void> {
    const nowS = this.#nowS();
    const from = beganAt(nowS - PROPOSAL_S_MAX);
    const to = beganAt(nowS - SWEPT_S_MAX);
    for await (const one of this.#shelf.all(this.#isSwept ? { from, to } : { from })) {
      if (!('kept' in one)) await this.#sweepDamaged(one);
      else if (one.kept.subjects.length > 0) await this.#look(one);
    }
    await this.#begun.forgetFrom(beganAt(nowS - OVER_S_MAX));
    this.#isSwept = true;
  }

  /** What opens for nobody may name people all the same; what newer software wrote is left to that. */
  async #sweepDamaged(one: DamagedOverride): Promise<void> {
    this.#tell(one);
    if (one.text !== undefined || one.id.slice(0, 8) <= beganAt(this.#nowS() - OVER_S_MAX)) return;
    if (one.old !== undefined) return this.#old.end(one);
    // Else the key is the wrong one, and the row as good as any.
    await this.#modules.registry().requireKey();
    await this.#shelf.remove(one.id);
    await this.#shelf.compact(one.id);
  }

  /**
   * Takes a person out of what has not been issued, once what is being issued is. Rejects as the tables.
   * @throws {NodeError} REGISTRY_CORRUPT for somebody who stands in what this software does not know; they are taken out of all else by then.
   */
  async forget(subject: string): Promise<void> {
    const naming: NodeError[] = [];
    for await (const one of this.#shelf.all()) {
      if ('kept' in one) {
        if (namesIn(one.kept).includes(subject))
          await this.#turns.take(one.id, () => this.#forgetIn(one.id, subject));
      } else if (one.old !== undefined) await this.#old.forget(one, subject);
      else if (isNamedIn(one, subject)) naming.push(one.error);
      else this.#tell(one);
    }
    if (naming[0] !== undefined) throw naming[0];
  }

  async #forgetIn(id: string, subject: string): Promise<void> {
    const kept = await this.#shelf.get(id);
    if (kept === undefined || !namesIn(kept).includes(subject)) return;
    const subjects = kept.subjects.filter(([one]) => one !== subject);
    const marks = kept.subjects
      .filter(([one]) => one === subject)
      .map((one) => markOf(this.#modules.sha256, one));
    // What was confirmed stays to be seen, also where nobody is left of it.
    if (subjects.length === 0 && kept.confirmed === undefined) await this.#shelf.remove(id);
    else await this.#shelf.keep(id, { ...kept, subjects, forgotten: [...kept.forgotten, ...marks] });
    await this.#shelf.compact(id);
  }

  #removeLapsed(id: string): Promise<void> {
    return this.#turns.take(id, async () => {
      const kept = await this.#shelf.get(id);
      if (kept === undefined || this.#seen(id, kept).state !== 'lapsed') return;
      await this.#shelf.remove(id);
      await this.#shelf.compact(id);
    });
  }

  /** Names nobody any more once its time is over. Gives how many got no code; undefined while that is not settled, and it names them on. */
  async #end(id: string): Promise<number | undefined> {
    const kept = await this.#shelf.get(id);
    if (kept === undefined || kept.subjects.length === 0 || !isConfirmed(kept)) return kept?.missed ?? 0;
    const left = await this.#codes.left(namesIn(kept), codeOf(id, kept).basis);
    if (left === undefined) return undefined;
    const missed = left.without.length;
    await this.#shelf.keep(id, { ...kept, subjects: [], forgotten: [], missed, isBrokenOff: true });
    await this.#shelf.compact(id);
    return missed;
  }

  #seen(id: string, kept: Kept): OverrideSeen {
    return seenOf(id, kept, { sha256: this.#modules.sha256, nowS: this.#nowS() });
  }

  /** Why nobody can confirm it, whatever it says of itself; undefined for what its operators signed. */
  #unsigned({ id, kept }: KeptOverride): NodeError | undefined {
    try {
      this.#proof.requireSigned(id, kept);
      return undefined;
    } catch (error) {
      if (!isNodeError(error, 'REFUSED')) throw error;
      return new NodeError(error.code, `the override ${id}: ${error.message}`);
    }
  }

  async #look({ id, kept }: KeptOverride): Promise<OverrideSeen> {
    const seen = this.#seen(id, kept);
    if (seen.state === 'lapsed') await this.#removeLapsed(id);
    if (seen.state === 'over') await this.#turns.take(id, () => this.#end(id));
    return seen;
  }

  async *#readable(range: OverrideRange): AsyncGenerator<KeptOverride, void, undefined> {
    for await (const one of this.#shelf.all(range)) {
      if ('kept' in one) yield one;
      else this.#tell(one);
    }
  }

  #tell({ id, error, old }: DamagedOverride): void {
    // Of what names nobody there is nothing to be done.
    if (this.#told.has(id) || old?.subjects.length === 0) return;
    this.#told.add(id);
    this.#modules.onTrouble?.(error);
  }

  #nowS(): number {
    return Math.floor(this.#modules.clock.nowMs() / 1_000);
  }
}

function notProposed(): NodeError {
  return new NodeError('NOT_FOUND', 'nothing of that id was proposed', {
    hint: 'See `entente override list`.',
  });
}
