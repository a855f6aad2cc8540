/**
 * Colours without a rule: one operator proposes them for named people, for a reason of a closed list and at most 14 days, another
 * confirms, and only then codes are issued. What was proposed and confirmed is kept (override-shelf.ts).
 *
 * One writer: the node. A confirmation is durable before the first code; one that broke off is gone on with by confirming again.
 * What cannot be read of one concerns whom it names alone: nobody else waits for it to be mended.
 */
import { NodeError } from '../node-error.ts';
import { type Operators } from '../operators/operators.ts';
import { type Actor } from '../operators/scopes.ts';
import { isSubject, SUBJECT_BYTES_MAX } from '../registry/record-page.ts';
import { Turns } from '../turns.ts';
import { type BulkWatch } from './bulk-watch.ts';
import { CodesBeside, type GivenCode } from './codes-beside.ts';
import { onTheirWay, OverrideCodes, type OverrideCodesModules } from './override-codes.ts';
import {
  beganAt,
  codeOf,
  GIVEN_REASONS,
  type Kept,
  OVERRIDE_DAYS_MAX,
  OVERRIDE_SUBJECTS_MAX,
  type OverrideOrder,
  OVERRIDES_LISTED,
  OVERRIDES_LISTED_MAX,
  type OverridesAsked,
  type OverrideSeen,
  type OverrideShown,
  type OverridesListed,
  PROPOSAL_S_MAX,
  PROPOSALS_OPEN_MAX,
  type Signatory,
} from './override-kept.ts';
import {
  type DamagedOverride,
  isNamedIn,
  type KeptOverride,
  type OverrideRange,
  OverrideShelf,
  type OverrideShelfModules,
} from './override-shelf.ts';

export interface OverridesModules extends OverrideCodesModules, OverrideShelfModules {
  readonly watch: BulkWatch;
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
  /** What was told of: no more than there are. */
  readonly #told = new Set<string>();
  #isSwept = false;

  constructor({ registryKey: key }: { readonly registryKey: Uint8Array }, modules: OverridesModules) {
    this.#modules = modules;
    this.#beside = new CodesBeside({ registryKey: key }, modules);
    this.#codes = new OverrideCodes({ ...modules, beside: this.#beside });
    this.#shelf = new OverrideShelf({ key }, modules);
  }

  /** Gives the id by which another operator confirms it. @throws {NodeError} REFUSED */
  async propose(order: OverrideOrder, actor: Actor): Promise<OverrideSeen> {
    const proposed = this.#signatory(actor);
    const { subjects, reason, days } = order;
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
    if (reason === 'one-person')
      throw refused('that is no reason', `Give one of ${GIVEN_REASONS.join(', ')}.`);
    return this.#turns.take(`proposing ${proposed.name}`, async () => {
      await this.#requireRoom(proposed.name);
      const id = beganAt(proposed.atS) + Buffer.from(this.#modules.random(12)).toString('hex');
      const kept: Kept = { ...order, subjects: [...subjects], people: subjects.length, proposed };
      await this.#shelf.keep(id, kept);
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

  /** What somebody is to confirm, with the people whom it names. @throws {NodeError} NOT_FOUND; REGISTRY_CORRUPT where it cannot be read. */
  async show(id: string): Promise<OverrideShown> {
    const kept = await this.#shelf.get(id);
    if (kept === undefined) throw notProposed();
    return { ...this.#seen(id, kept), subjects: kept.subjects };
  }

  /**
   * Issues what somebody else proposed: codes that are looser are revoked first. Gives how many have their code. Who proposed it has
   * to be one of `operators` still: the key of one who was removed may have been stolen.
   * @throws {NodeError} NOT_FOUND; REGISTRY_CORRUPT where it cannot be read; REFUSED for one's own proposal or one of somebody who may not issue any more, for one that has lapsed,
   * is over or is done, and, to be tried again, while codes of it are on their way; what revoking and issuing reject with; and, once all are
   * issued, as a log that cannot tell whether it has a looser code: confirming again goes on with what is left.
   */
  confirm(
    id: string,
    actor: Actor,
    operators: Pick<Operators, 'ofKey'>,
  ): Promise<{ readonly issued: number }> {
    return this.#turns.take(id, async () => {
      const kept = await this.#shelf.get(id);
      const confirming = this.#signatory(actor);
      if (kept === undefined) throw notProposed();
      const { state } = this.#seen(id, kept);
      // By name too: who was named anew, with another key, is the same person.
      if (confirming.keyId === kept.proposed.keyId || confirming.name === kept.proposed.name)
        throw refused(
          'who proposed it cannot confirm it',
          'Another operator has to, with a key of their own.',
        );
      if (state === 'done') throw refused('it was confirmed and is done', 'Propose another one.');
      if (state === 'lapsed') throw refused('it was proposed more than a day ago', 'Propose it again.');
      if (state === 'proposed' && operators.ofKey(kept.proposed.keyId)?.may.has('issue') !== true)
        throw refused(
          'who proposed it is no operator by that key any more, or may not issue',
          'If it is right, have an operator propose it again: `entente operator list` names them.',
        );
      if (state === 'over') {
        const missed = await this.#end(id);
        if (missed === undefined) throw onTheirWay();
        throw missed > 0
          ? refused(
              `its time is over, and ${missed} of ${kept.people} people got no code`,
              'Propose another one.',
            )
          : refused(
              'its time is over, and it broke off: all got their codes, but looser ones may pass on',
              'See `entente codes`, and revoke those that should not pass.',
            );
      }
      const confirmed = kept.confirmed ?? confirming;
      if (kept.confirmed === undefined) {
        // Before it is durable: better counted twice than an override of which nobody heard.
        await this.#modules.watch.note('override', kept.people);
        await this.#shelf.keep(id, { ...kept, confirmed });
      }
      // An update must see all of it or nothing.
      await this.#modules.meanwhile(() => this.#codes.issue(id, { ...kept, confirmed }));
      await this.#shelf.keep(id, { ...kept, confirmed, subjects: [] });
      await this.#shelf.compact(id);
      return { issued: kept.subjects.length };
    });
  }

  /** What was proposed, the newest first; those that lapsed go with the people they name. Rejects as the tables. */
  async list({ last = OVERRIDES_LISTED, after }: OverridesAsked = {}): Promise<OverridesListed> {
    const overrides: OverrideSeen[] = [];
    const damaged: OverridesListed['damaged'][number][] = [];
    const from = after === undefined ? '' : `${after}!`;
    for await (const one of this.#shelf.all({ from })) {
      if (overrides.length + damaged.length >= Math.min(last, OVERRIDES_LISTED_MAX))
        return { overrides, damaged, more: true };
      if ('kept' in one) overrides.push(await this.#look(one));
      else damaged.push({ id: one.id, code: one.error.code, message: one.error.message });
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
    this.#isSwept = true;
  }

  /** What opens for nobody may name people all the same; what newer software wrote is left to that. */
  async #sweepDamaged(one: DamagedOverride): Promise<void> {
    this.#tell(one);
    if (one.text !== undefined || one.id.slice(0, 8) <= beganAt(this.#nowS() - OVER_S_MAX)) return;
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
        if (one.kept.subjects.includes(subject))
          await this.#turns.take(one.id, () => this.#forgetIn(one.id, subject));
      } else if (isNamedIn(one, subject)) naming.push(one.error);
      else this.#tell(one);
    }
    if (naming[0] !== undefined) throw naming[0];
  }

  async #forgetIn(id: string, subject: string): Promise<void> {
    const kept = await this.#shelf.get(id);
    if (kept?.subjects.includes(subject) !== true) return;
    const subjects = kept.subjects.filter((one) => one !== subject);
    // What was confirmed stays to be seen, also where nobody is left of it.
    if (subjects.length === 0 && kept.confirmed === undefined) await this.#shelf.remove(id);
    else await this.#shelf.keep(id, { ...kept, subjects });
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
    if (kept === undefined || kept.subjects.length === 0) return kept?.missed ?? 0;
    const left = await this.#codes.left(kept.subjects, codeOf(id, kept).basis);
    if (left === undefined) return undefined;
    const missed = left.without.length;
    await this.#shelf.keep(id, { ...kept, subjects: [], missed, isBrokenOff: true });
    await this.#shelf.compact(id);
    return missed;
  }

  #signatory({ name, keyId }: Actor): Signatory {
    if (keyId === undefined)
      throw refused('only a named operator gives a colour without a rule', 'Say --operator FILE.');
    return { name, keyId, atS: this.#nowS() };
  }

  #seen(id: string, all: Kept): OverrideSeen {
    const { subjects, isBrokenOff = false, ...kept } = all;
    const isDone = subjects.length === 0 && !isBrokenOff;
    return { id, ...kept, state: isDone ? 'done' : this.#openState(id, all) };
  }

  #openState(id: string, kept: Kept): OverrideSeen['state'] {
    const nowS = this.#nowS();
    if (kept.confirmed === undefined)
      return nowS - kept.proposed.atS > PROPOSAL_S_MAX ? 'lapsed' : 'proposed';
    return codeOf(id, kept).status.expiresAtS <= nowS ? 'over' : 'broken-off';
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

  #tell({ id, error }: DamagedOverride): void {
    if (this.#told.has(id)) return;
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

function refused(message: string, hint: string): NodeError {
  return new NodeError('REFUSED', message, { hint });
}
