/** What people do while all this happens: codes are asked for, revoked and shown at gates everywhere. */
import { codeTextOf } from '../../node/issuing/held-codes.ts';
import { isNodeError } from '../../node/node-error.ts';
import { ANY_PLACE } from '../../protocol/verdict/verdict.ts';
import { DAY_S } from '../support/region-fixture.ts';
import { Chance } from './chance.ts';
import { type KnownCode } from './history.ts';
import { type Machine, MachineDown } from './machine.ts';
import { type Plan } from './plan.ts';
import { bugOf, type World } from './world.ts';
import { Violation } from './invariant.ts';

const MINUTE_MS = 60_000;
/** Codes shown at gates for each that is issued. */
const SHOWN_PER_ISSUE = 2;
/** Milliseconds until a code is revoked that is revoked at all. */
const REVOKED_AFTER_MS = { from: 1_000, to: 15 * MINUTE_MS } as const;
/** The share of all that is shown that was revoked: what matters most is asked most. */
const REVOKED_SHOWN = 0.5;
/** Minutes between two states that a region commits to. */
const STATE_EVERY_MIN = 20;

export class Workload {
  readonly #world: World;
  readonly #chance: Chance;
  readonly #plan: Plan;
  #isOver = false;

  constructor(plan: Plan, world: World) {
    this.#world = world;
    this.#plan = plan;
    this.#chance = new Chance(world.options.seed, 'workload');
  }

  start(): void {
    const { firsts } = this.#world;
    for (const { region } of firsts) {
      this.#every(MINUTE_MS / this.#plan.issuesPerMinute, () => this.#issueSome(region));
      this.#every(STATE_EVERY_MIN * MINUTE_MS, () =>
        this.#ask(this.#world.writerOf(region).call((node) => node.commitState())),
      );
    }
    const perMinute = SHOWN_PER_ISSUE * this.#plan.issuesPerMinute * firsts.length;
    this.#every(MINUTE_MS / perMinute, () => this.#showSome());
  }

  stop(): void {
    this.#isOver = true;
  }

  /** Issues a code. Resolves with undefined if the node says that it cannot now. */
  async issue(machine: Machine): Promise<KnownCode | undefined> {
    const { clock, history, signed } = this.#world;
    const expiresAtS = Math.floor(clock.nowMs() / 1000) + 7 * DAY_S;
    const status = { colour: 'green', measure: 'none', expiresAtS, ruleId: 'base', ruleVersion: 1 } as const;
    const subject = `p${signed.counters.attestations}`;
    const issued = await this.#ask(machine.call((node) => node.issue({ subject, fields: { status } })));
    if (issued === undefined) {
      history.counters.issuesFailed++;
      return undefined;
    }
    const text = codeTextOf(machine.sha256, issued, ['status']);
    this.#world.trace.note('issued', `${machine.name} ${issued.index}`, issued.attestation);
    return history.issued(machine.region, issued, text);
  }

  /** Revokes a code. False if the node says that it cannot now: then it may be revoked or not. */
  async revoke(machine: Machine, code: KnownCode): Promise<boolean> {
    const { history, trace } = this.#world;
    code.isDoomed = true;
    const { log, index } = code;
    const answer = await this.#ask(
      machine.call((node) => node.revoke({ log, indexes: [index] }).then(() => true)),
    );
    if (answer === undefined) history.counters.revocationsFailed++;
    else {
      trace.note('revoked', `${code.origin} ${index}`);
      history.revoked(machine.name, code);
    }
    return answer === true;
  }

  /** Shows a code at a node. Resolves with the outcome; undefined if the node cannot say. */
  async show(machine: Machine, code: KnownCode): Promise<string | undefined> {
    const context = { place: ANY_PLACE, mode: 'online' } as const;
    const verdict = await this.#ask(machine.call((node) => node.verify(code.text, context)));
    if (verdict === undefined) return undefined;
    const { name } = machine;
    this.#world.trace.note('verdict', `${name} ${code.origin} ${code.index} ${verdict.outcome}`);
    this.#world.check(() => this.#world.history.judged(name, code, verdict));
    return verdict.outcome;
  }

  /** Has a machine sign in both of its logs: a code, and its revocation. */
  signInBoth(machine: Machine): void {
    this.#guard(this.issue(machine).then((code) => code && this.revoke(machine, code)));
  }

  /** Has a region announce new keys, which sign from `ms` later on. False if its node says that it cannot now. */
  async rotate(machine: Machine, ms: number): Promise<boolean> {
    const nowS = Math.floor(this.#world.clock.nowMs() / 1000);
    const rotated = machine.rotate(nowS, nowS + Math.ceil(ms / 1000)).then(() => true);
    return (await this.#ask(rotated)) === true;
  }

  async #issueSome(region: string): Promise<void> {
    const code = await this.issue(this.#world.writerOf(region));
    if (code === undefined || !this.#chance.hits(this.#plan.revokedShare)) return;
    const { from, to } = REVOKED_AFTER_MS;
    this.#world.clock.after(this.#chance.whole(from, to), () => {
      if (!this.#isOver) this.#guard(this.revoke(this.#world.writerOf(region), code));
    });
  }

  async #showSome(): Promise<void> {
    const { codes } = this.#world.history;
    const revoked = codes.filter((code) => code.isDoomed);
    const from = revoked.length > 0 && this.#chance.hits(REVOKED_SHOWN) ? revoked : codes;
    if (from.length === 0) return;
    await this.show(this.#chance.pick(this.#world.machines), this.#chance.pick(from));
  }

  /** What the node says it cannot do now is no fault; anything else that it throws is a bug. */
  async #ask<T>(answer: Promise<T>): Promise<T | undefined> {
    try {
      return await answer;
    } catch (error) {
      if (isNodeError(error) || error instanceof MachineDown) return undefined;
      throw new Violation('no bug', bugOf(error));
    }
  }

  #every(ms: number, work: () => Promise<unknown>): void {
    const { clock } = this.#world;
    const again = (): void => {
      clock.after(this.#chance.whole(0, 2 * ms), () => {
        if (this.#isOver) return;
        this.#guard(work());
        again();
      });
    };
    again();
  }

  #guard(work: Promise<unknown>): void {
    work.catch((error: unknown) => this.#world.fail(error));
  }
}
