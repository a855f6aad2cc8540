/**
 * Colours without a rule: one operator proposes them for named people, for a reason of a closed list and at most 14 days, another
 * confirms, and only then codes are issued. What was proposed and confirmed is kept, sealed:
 *
 *   override/<id>   who proposed and confirmed what; the people only until they have their codes
 *
 * One writer: the node. A confirmation is durable before the first code; one that broke off is gone on with by confirming again.
 */
import { equalBytes } from '../../protocol/bytes.ts';
import { type IssueOnce } from '../issuing/issue-once.ts';
import { NodeError } from '../node-error.ts';
import { type Operators } from '../operators/operators.ts';
import { type Actor } from '../operators/scopes.ts';
import { type Random } from '../ports.ts';
import { isSubject, SUBJECT_BYTES_MAX } from '../registry/record-page.ts';
import { derivedKey, NONCE_BYTES, Sealer } from '../registry/sealer.ts';
import { type PrivateTables } from '../registry/private-tables.ts';
import { Turns } from '../turns.ts';
import { type BulkWatch } from './bulk-watch.ts';
import { CodesBeside, type CodesBesideModules, type GivenCode } from './codes-beside.ts';
import {
  beganAt,
  codeOf,
  GIVEN_REASONS,
  type Kept,
  keptSchema,
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
import { type PrivateName } from '../registry/whereabouts.ts';

export interface OverridesModules extends CodesBesideModules {
  readonly tables: PrivateTables;
  readonly random: Random;
  readonly once: IssueOnce;
  readonly watch: BulkWatch;
}

const PREFIX = 'override/' satisfies PrivateName;
const PAGE = 64;
/** People for whose codes the registry is asked at once. */
const LOOKED_TOGETHER = 1_024;
/** Seconds after which nothing happens to a proposal by itself: it is confirmed within a day, and its colour ends with its days. */
const SWEPT_S_MAX = (OVERRIDE_DAYS_MAX + 3) * 86_400;

export class Overrides {
  readonly #modules: OverridesModules;
  readonly #sealer: Sealer;
  readonly #turns = new Turns();
  readonly #beside: CodesBeside;
  #isSwept = false;

  constructor({ registryKey }: { readonly registryKey: Uint8Array }, modules: OverridesModules) {
    this.#modules = modules;
    this.#beside = new CodesBeside(modules);
    this.#sealer = new Sealer(derivedKey(registryKey, 'override'));
  }

  /** Gives the id by which another operator confirms it. @throws {NodeError} REFUSED */
  async propose(order: OverrideOrder, actor: Actor): Promise<OverrideSeen> {
    const proposed = this.#signatory(actor);
    const { subjects, reason, days } = order;
    // Whatever is kept is read again by everybody's `list` and `forget`, and one bad reference would hold up all others for ever.
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
      await this.#keep(id, kept);
      return this.#seen(id, kept);
    });
  }

  /** Of the last two days: what is older waits for nobody. */
  async #requireRoom(name: string): Promise<void> {
    let waiting = 0;
    const to = PREFIX + beganAt(this.#nowS() - 2 * PROPOSAL_S_MAX);
    for await (const [id, kept] of this.#all({ to })) {
      const { state, proposed } = await this.#look(id, kept);
      if (state === 'proposed' && proposed.name === name) waiting++;
    }
    if (waiting < PROPOSALS_OPEN_MAX) return;
    throw refused(
      `${PROPOSALS_OPEN_MAX} proposals of ${name} wait for somebody who confirms them`,
      'Have them confirmed, or wait until they lapse: a proposal waits for a day.',
    );
  }

  /** What somebody is to confirm, with the people whom it names. @throws {NodeError} NOT_FOUND */
  async show(id: string): Promise<OverrideShown> {
    const kept = await this.#kept(id);
    if (kept === undefined) throw notProposed();
    return { ...this.#seen(id, kept), subjects: kept.subjects };
  }

  /**
   * Issues what somebody else proposed: codes that are looser are revoked first. Gives how many have their code. Who proposed it has
   * to be one of `operators` still: the key of one who was removed may have been stolen.
   * @throws {NodeError} NOT_FOUND; REFUSED for one's own proposal or one of somebody who may not issue any more, for one that has lapsed,
   * is over or is done, and, to be tried again, while codes of it are on their way; what revoking and issuing reject with; and, once all are
   * issued, as a log that cannot tell whether it has a looser code: confirming again goes on with what is left.
   */
  confirm(
    id: string,
    actor: Actor,
    operators: Pick<Operators, 'ofKey'>,
  ): Promise<{ readonly issued: number }> {
    return this.#turns.take(id, async () => {
      const kept = await this.#kept(id);
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
        await this.#keep(id, { ...kept, confirmed });
      }
      // An update must see all of it or nothing.
      await this.#modules.meanwhile(() => this.#issue(id, { ...kept, confirmed }));
      await this.#keep(id, { ...kept, confirmed, subjects: [] });
      await this.#compact(id);
      return { issued: kept.subjects.length };
    });
  }

  /** What was proposed, the newest first; those that lapsed go with the people they name. Rejects as the store. */
  async list({ last = OVERRIDES_LISTED, after }: OverridesAsked = {}): Promise<OverridesListed> {
    const overrides: OverrideSeen[] = [];
    const from = after === undefined ? PREFIX : `${PREFIX}${after}!`;
    for await (const [id, kept] of this.#all({ from })) {
      if (overrides.length >= Math.min(last, OVERRIDES_LISTED_MAX)) return { overrides, more: true };
      overrides.push(await this.#look(id, kept));
    }
    return { overrides, more: false };
  }

  /** Codes that somebody has beside a stricter one. */
  get beside(): Pick<CodesBeside, 'inTurn' | 'makePlace' | 'lookAgain'> {
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
   * all, and then at what is of days on which that can have happened since. Rejects as the store.
   */
  async sweep(): Promise<void> {
    const nowS = this.#nowS();
    const from = PREFIX + beganAt(nowS - PROPOSAL_S_MAX);
    const to = PREFIX + beganAt(nowS - SWEPT_S_MAX);
    for await (const [id, kept] of this.#all(this.#isSwept ? { from, to } : { from }))
      if (kept.subjects.length > 0) await this.#look(id, kept);
    this.#isSwept = true;
  }

  /** Takes a person out of what has not been issued, once what is being issued is. Rejects as the store. */
  async forget(subject: string): Promise<void> {
    for await (const [id, { subjects }] of this.#all())
      if (subjects.includes(subject)) await this.#turns.take(id, () => this.#forgetIn(id, subject));
  }

  async #forgetIn(id: string, subject: string): Promise<void> {
    const kept = await this.#kept(id);
    if (kept?.subjects.includes(subject) !== true) return;
    const subjects = kept.subjects.filter((one) => one !== subject);
    // What was confirmed stays to be seen, also where nobody is left of it.
    if (subjects.length === 0 && kept.confirmed === undefined) await this.#remove(id);
    else await this.#keep(id, { ...kept, subjects });
    await this.#compact(id);
  }

  #removeLapsed(id: string): Promise<void> {
    return this.#turns.take(id, async () => {
      const kept = await this.#kept(id);
      if (kept === undefined || this.#seen(id, kept).state !== 'lapsed') return;
      await this.#remove(id);
      await this.#compact(id);
    });
  }

  /** Names nobody any more once its time is over. Gives how many got no code; undefined while that is not settled, and it names them on. */
  async #end(id: string): Promise<number | undefined> {
    const kept = await this.#kept(id);
    if (kept === undefined || kept.subjects.length === 0) return kept?.missed ?? 0;
    const left = await this.#left(kept.subjects, codeOf(id, kept).basis);
    if (left === undefined) return undefined;
    const missed = left.without.length;
    await this.#keep(id, { ...kept, subjects: [], missed, isBrokenOff: true });
    await this.#compact(id);
    return missed;
  }

  /**
   * Of these people those `without` a code of this basis: who is asked again after days gets no second one. `bound`: those who have one that
   * is not revoked. Undefined while there is a record of a code that is in no log: it is on its way, or will be taken back.
   */
  async #left(subjects: readonly string[], basis: Uint8Array): Promise<Left | undefined> {
    const registry = this.#modules.registry();
    const held = this.#modules.held();
    const left: Left = { without: [], bound: [] };
    for (let from = 0; from < subjects.length; from += LOOKED_TOGETHER) {
      const some = subjects.slice(from, from + LOOKED_TOGETHER);
      for (const [i, manual] of (await registry.manualOf(some)).entries()) {
        const bases = await Promise.all(manual.map((record) => registry.basisOf(record)));
        const given = manual.filter((_, at) => bases[at] !== undefined && equalBytes(bases[at], basis));
        for (const record of given) if (!(await held.isLogged(record))) return undefined;
        if (given.length === 0) left.without.push(some[i] ?? '');
        else if (!given.every((record) => this.#beside.isRevoked(record))) left.bound.push(some[i] ?? '');
      }
    }
    return left;
  }

  /** What named people is gone from the disk too. */
  #compact(id: string): Promise<void> {
    return this.#modules.tables.compact(PREFIX + id, `${PREFIX}${id}~`);
  }

  async #issue(id: string, kept: Kept): Promise<void> {
    const { once } = this.#modules;
    const { status, basis } = codeOf(id, kept);
    const left = await this.#left(kept.subjects, basis);
    if (left === undefined) throw onTheirWay();
    const { without, bound } = left;
    await this.#beside.revokeLooser(without, status);
    const issued = await Promise.allSettled(
      without.map((subject) =>
        once.issue({
          // With a blank, which no key of a request has: nobody can give another order under it before.
          key: `override ${id} ${subject}`,
          input: Buffer.from(id),
          subject,
          status,
          // Whatever was revoked to make place for it, by this call or one that broke off, is to be told by nobody from the log.
          judge: () =>
            Promise.resolve({ subject, fields: { status }, basis, isReplacement: status.colour !== 'green' }),
        }),
      ),
    );
    // Whoever one operator was giving a code by rules while these were on their way has both by now.
    const passingOn = await this.#beside.revokeLooser([...bound, ...without], status);
    for (const one of issued) if (one.status === 'rejected') throw one.reason;
    // All have their code; confirming again looks once more for what they may hold beside it.
    if (passingOn !== undefined) throw passingOn;
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

  async #look(id: string, kept: Kept): Promise<OverrideSeen> {
    const seen = this.#seen(id, kept);
    if (seen.state === 'lapsed') await this.#removeLapsed(id);
    if (seen.state === 'over') await this.#turns.take(id, () => this.#end(id));
    return seen;
  }

  async *#all(range: Partial<Range> = {}): AsyncGenerator<readonly [string, Kept], void, undefined> {
    const { to = `${PREFIX}~` } = range;
    for (let { from = PREFIX } = range; ;) {
      const page = await this.#modules.tables.page(from, to, { limit: PAGE });
      for (const [key, sealed] of page) yield [key.slice(PREFIX.length), this.#opened(key, sealed)];
      const last = page.at(-1)?.[0];
      if (last === undefined) return;
      from = `${last}!`;
    }
  }

  async #kept(id: string): Promise<Kept | undefined> {
    const sealed = /^[0-9a-f]{32}$/.test(id) ? await this.#modules.tables.get(PREFIX + id) : undefined;
    return sealed && this.#opened(PREFIX + id, sealed);
  }

  #opened(key: string, sealed: Uint8Array): Kept {
    return keptSchema.parse(JSON.parse(Buffer.from(this.#sealer.open(key, sealed)).toString()));
  }

  async #keep(id: string, kept: Kept): Promise<void> {
    const key = PREFIX + id;
    const bytes = Buffer.from(JSON.stringify(kept));
    const value = this.#sealer.seal(key, bytes, this.#modules.random(NONCE_BYTES));
    await this.#modules.tables.write([{ put: key, value }]);
  }

  #remove(id: string): Promise<void> {
    return this.#modules.tables.write([{ del: PREFIX + id }]);
  }

  #nowS(): number {
    return Math.floor(this.#modules.clock.nowMs() / 1_000);
  }
}

interface Left {
  readonly without: string[];
  readonly bound: string[];
}

/** Of keys in the store. */
interface Range {
  readonly from: string;
  readonly to: string;
}

function onTheirWay(): NodeError {
  return new NodeError('REFUSED', 'codes of it are on their way, or are being taken back', {
    hint: 'Confirm it again in a minute.',
    retry: true,
  });
}

function notProposed(): NodeError {
  return new NodeError('NOT_FOUND', 'nothing of that id was proposed', {
    hint: 'See `entente override list`.',
  });
}

function refused(message: string, hint: string): NodeError {
  return new NodeError('REFUSED', message, { hint });
}
