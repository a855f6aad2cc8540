/** A region whose people declare, get colours and change them, with the baseline rules and no network. */
import assert from 'node:assert/strict';
import { BULK_LIMITS, BulkWatch } from '../../node/abuse/bulk-watch.ts';
import {
  type OverrideOrder,
  type OverrideSeen,
  type SignedAt,
  type SignedOrder,
} from '../../node/abuse/override-kept.ts';
import { signConfirmation, signProposal } from '../../node/abuse/override-signing.ts';
import { Overrides } from '../../node/abuse/overrides.ts';
import { type Handover } from '../../node/issuing/handovers.ts';
import { HeldCodes } from '../../node/issuing/held-codes.ts';
import { forgottenSince, type Ordered } from '../../node/issuing/forgotten-marks.ts';
import { IssueOnce } from '../../node/issuing/issue-once.ts';
import { type RulingState, rulesForPeople } from '../../node/life/known.ts';
import { Life } from '../../node/life/life.ts';
import { type UpdateOrder } from '../../node/life/updating.ts';
import { type UpdateFigures } from '../../node/life/update-figures.ts';
import { type UpdaterModules } from '../../node/life/updater.ts';
import { type Identity } from '../../node/lists/identity.ts';
import { type ListKind } from '../../node/lists/kinds.ts';
import { Lists } from '../../node/lists/lists.ts';
import { logError } from '../../node/log/log-error.ts';
import { NodeError } from '../../node/node-error.ts';
import { readRuleFile } from '../../node/rules/rule-file.ts';
import { profileText } from '../../node/rules/profiles.ts';
import { commitFields } from '../../protocol/code/openings.ts';
import { type Colour, type Status } from '../../protocol/code/status.ts';
import { encodeBasis } from '../../protocol/disclosure/basis.ts';
import { type OverrideNames } from '../../protocol/disclosure/override.ts';
import { decide } from '../../protocol/rules/issuing.ts';
import { type RuleSet } from '../../protocol/rules/rule-set.ts';
import { readFacts } from '../../protocol/rules/facts.ts';
import { type LoggedRules } from '../../protocol/trust/trust-state.ts';
import { REGISTRY_KEY, RegionMachine, type RegionProcess, startRegion } from './issuing-fixture.ts';
import { bytesOf } from './lists-fixture.ts';
import { verifySignature } from './keys.ts';
import { ANNA, BERT } from './operators.ts';
import { sha256 } from './primitives.ts';
import { LOG_ID } from './region-fixture.ts';

export const DAY_S = 86_400;
export const GREEN = { colour: 'green', measure: 'none' } as const;
export const ISOLATED = { colour: 'red', measure: 'isolate' } as const;
const { file: BASELINE = assert.fail() } = readRuleFile(profileText('baseline') ?? '', () => undefined);

/** An order by rules, with what it tells of papers. */
export interface TellingOrder {
  readonly n: number;
  readonly identity?: Identity;
  readonly told?: Readonly<Record<string, string | boolean>>;
  readonly ordered?: Ordered;
}

/** A process of a region whose rules are the baseline, and what outlives it. */
export class LivingRegion {
  readonly machine: RegionMachine;
  readonly process: RegionProcess;
  readonly life: Life;
  readonly overrides: Overrides;
  isHourUsedUp = false;
  hasRules = true;
  /** Who was forgotten lately. */
  readonly forgotten = new Set<string>();
  /** Who is being forgotten. */
  readonly forgetting = new Set<string>();
  /** Indexes of which their log cannot tell whether it has them. */
  readonly untold = new Set<number>();
  /** The trust state knows no more of what was revoked, as of codes that are over. */
  isRevokedForgotten = false;
  /** Codes that can still be issued before the process is taken for dead. */
  issuesLeft = Infinity;
  /** Called before the code of an order, which has made place, and once it is there. */
  beforeOrdering: () => Promise<void> = () => Promise.resolve();
  beforeLookingAgain: () => Promise<void> = () => Promise.resolve();
  /** Called before the codes of an update. */
  beforeIssuingAll: () => Promise<void> = () => Promise.resolve();
  /** Called before each code of an override. */
  beforeIssuing: () => Promise<void> = () => Promise.resolve();
  /** By their names. */
  readonly operators = new Map([ANNA, BERT].map(({ name, operator }) => [name, operator]));
  readonly #found = { find: (name: string) => this.operators.get(name) };
  readonly watch: BulkWatch;
  readonly names: OverrideNames;
  /** More than the baseline. */
  readonly otherRules: LoggedRules[] = [];
  /** What updates, overrides and lists told of. */
  readonly troubles: unknown[] = [];
  readonly #state: () => RulingState;
  readonly #once: IssueOnce;
  readonly #lists: Lists;

  private constructor(machine: RegionMachine, process: RegionProcess, rulesForPeople?: string) {
    this.machine = machine;
    this.process = process;
    const { tables, registry, issuer, revoker, openTree } = process;
    const { region, clock, bytes: random } = machine;
    const onTrouble = (error: unknown) => this.troubles.push(error);
    const onImported = () => this.life.news.tell('anybody');
    this.#lists = new Lists({ key: REGISTRY_KEY }, { tables, random, clock, onImported, onTrouble });
    const { id, version, fromS, data } = BASELINE.ruleSet;
    const logged = { id, version, fromS, data } as LoggedRules;
    const state = () => ({
      revoked: (log: string) => (this.isRevokedForgotten ? undefined : region.state.revoked(log)),
      rules: (id: string) => (this.hasRules && id === logged.id ? logged : undefined),
      allRules: () => [...(this.hasRules ? [logged] : []), ...this.otherRules],
    });
    this.#state = state;
    const heldCodes = new HeldCodes(
      { region: region.region, network: region.network },
      { registry, openTree },
    );
    const revoke: UpdaterModules['node']['revoke'] = (revocation) =>
      this.isHourUsedUp
        ? Promise.reject(new NodeError('REVOCATIONS_EXCEEDED', 'none is left'))
        : revoker.revoke(revocation);
    this.life = new Life(
      {
        registryKey: REGISTRY_KEY,
        region: region.region,
        objectTo: 'the office',
        objectionDays: 7,
        listsOldHours: 48,
        rulesForPeople,
      },
      {
        tables,
        random,
        clock,
        sha256,
        lists: this.#lists,
        registry: () => registry,
        state,
        onTrouble: (error) => this.troubles.push(error),
        finishOrders: () => this.overrides.beside.finish(),
        lately: (subjects) => Promise.resolve(new Set(subjects.filter((one) => this.forgotten.has(one)))),
        refusalToStage: (subject) => (this.forgetting.has(subject) ? forgottenSince() : undefined),
        node: {
          issueAll: async (requests) => {
            await this.beforeIssuingAll();
            return issuer.issueAll(requests);
          },
          revoke,
          heldCodes,
        },
      },
    );
    const once = (this.#once = new IssueOnce(
      { registryKey: REGISTRY_KEY },
      {
        tables,
        clock,
        random,
        held: () => heldCodes,
        tend: () => issuer.tend(),
        sizes: () => ({}),
        issue: async (request) => {
          await this.beforeIssuing();
          if (this.issuesLeft-- > 0) return issuer.issue(request);
          throw new NodeError('DISK_IO', 'it died');
        },
      },
    ));
    this.names = { region: region.region, network: region.network };
    this.watch = new BulkWatch(BULK_LIMITS, { store: process.store, clock });
    this.overrides = new Overrides(
      { registryKey: REGISTRY_KEY, ...this.names },
      {
        tables,
        sha256,
        verifySignature,
        store: process.store,
        clock,
        random,
        once,
        revoke,
        state: () => region.state,
        registry: () => registry,
        held: () => ({
          isLogged: (place) =>
            this.untold.has(place.index)
              ? Promise.reject(logError('LOG_CORRUPT', 'a tile is rotten'))
              : heldCodes.isLogged(place),
        }),
        onTrouble: (error) => this.troubles.push(error),
        watch: this.watch,
        meanwhile: (work) => this.life.meanwhile(work),
      },
    );
  }

  static async open(machine = new RegionMachine(), rulesForPeople?: string): Promise<LivingRegion> {
    return new LivingRegion(machine, await startRegion(machine), rulesForPeople);
  }

  get nowS(): number {
    return Math.floor(this.machine.clock.nowMs() / 1_000);
  }

  get today(): string {
    return this.textOf(this.nowS).slice(0, 10);
  }

  dayAgo(days: number): string {
    return this.textOf(this.nowS - days * DAY_S).slice(0, 10);
  }

  textOf(timeS: number): string {
    return `${new Date(timeS * 1_000).toISOString().slice(0, 19)}Z`;
  }

  later(days: number): void {
    this.machine.clock.nowAtMs += days * DAY_S * 1_000;
  }

  /** People by number, each of a name of its own but for those who share one. */
  async declare(numbers: readonly number[], { symptoms = false, name = (n: number) => `Person ${n}` } = {}) {
    const rows = numbers.map(
      (n) => `P${n},${name(n)},1990-05-17,${this.textOf(this.nowS)},true,${symptoms}\n`,
    );
    const file = `subject,full_name,birth_date,declared_at,consent,symptoms\n${rows.join('')}`;
    const order = { source: 'office', format: 'csv', encoding: 'utf-8' } as const;
    const report = await this.life.declare(order, bytesOf(file));
    assert.equal(report.outcome, 'taken', JSON.stringify(report));
  }

  /** P1, with whatever else is told. */
  async tell(cells: Readonly<Record<string, string>>): Promise<void> {
    const all = {
      subject: 'P1',
      full_name: 'Person 1',
      birth_date: '1990-05-17',
      declared_at: this.textOf(this.nowS),
      consent: 'true',
      symptoms: 'false',
      ...cells,
    };
    const file = `${Object.keys(all).join(',')}\n${Object.values(all).join(',')}\n`;
    const order = { source: 'office', format: 'csv', encoding: 'utf-8' } as const;
    const report = await this.life.declare(order, bytesOf(file));
    assert.equal(report.outcome, 'taken', JSON.stringify(report));
  }

  /** Puts these people on the control list, alone. */
  async control(numbers: readonly number[], level = 'key'): Promise<void> {
    const rows = numbers.map((n) => `Person ${n},1990-05-17,${level},${this.today}\n`);
    await this.list('control', `full_name,birth_date,level,since\n${rows.join('')}`);
  }

  async list(kind: ListKind, file: string): Promise<void> {
    const order = { kind, source: 'office', asOfS: this.nowS, format: 'csv', encoding: 'utf-8' } as const;
    assert.notEqual((await this.#lists.import(order, bytesOf(file))).outcome, 'refused');
  }

  /** Issues otherwise, as with `entente issue`. */
  async issue(n: number, demand: Pick<Status, 'colour' | 'measure' | 'untilS'>, ruleId = 'manual') {
    const expiresAtS = Math.ceil(this.nowS / 3_600) * 3_600 + 6 * DAY_S;
    const status = { ...demand, expiresAtS, ruleId, ruleVersion: 1 };
    await this.process.issuer.issue({ subject: `P${n}`, fields: { status } });
  }

  /** A code as `issue --rules` gives it on what is told: by default red, to a contact of today. */
  async order(
    n: number,
    told: Readonly<Record<string, string | boolean>> = { 'contact.close': this.today },
    rule = 'baseline',
  ): Promise<void> {
    const { atS, ruleSet, facts, subject, ...decided } = this.#ordered(n, told);
    const status = { ...decided.status, ruleId: rule };
    const { beside } = this.overrides;
    await beside.makePlace([{ subject, status }]);
    const { version } = ruleSet;
    const basis = encodeBasis({ kind: 'rules', atS, rule, version, facts: Object.fromEntries(facts) });
    const also = beside.markOf(status);
    await this.beforeOrdering();
    const { log, index } = await this.process.issuer.issue({ subject, fields: { status }, basis, also });
    await this.beforeLookingAgain();
    await beside.lookAgain([{ subject, status, marked: { log, index } }]);
  }

  /** Whether nothing that is known here speaks against such an order. */
  async mayOrder(n: number, told: Readonly<Record<string, string | boolean>>): Promise<boolean> {
    const [weighed] = await this.life.weigh([this.#ordered(n, told)], true);
    return !(weighed instanceof Error) && weighed?.contradiction === undefined;
  }

  /** What orders by rules come to that are given at once: their colour, and whether it is told alone, or what contradicts it. Nothing is issued. */
  async weighed(orders: readonly TellingOrder[], { areNamed = true } = {}): Promise<string[]> {
    const claims = orders.map(({ n, identity, told = {}, ordered }) => {
      return { ...this.#ordered(n, told), identity, ordered };
    });
    return (await this.life.weigh(claims, areNamed)).map((weighed, i) => {
      if (weighed instanceof Error) return weighed.message;
      const { contradiction, isTold } = weighed;
      return contradiction ?? `${claims[i]?.status.colour}${isTold ? ', told' : ''}`;
    });
  }

  #ordered(n: number, told: Readonly<Record<string, string | boolean>>) {
    const { nowS: atS } = this;
    const ruleSet = rulesForPeople(this.#state(), undefined, atS);
    const all = { 'declaration.day': this.today, 'declaration.consent': true, ...told };
    const { facts = assert.fail() } = readFacts(ruleSet.data.facts, all);
    const status = decide(ruleSet, facts, atS).status ?? assert.fail();
    return { subject: `P${n}`, ruleSet, atS, facts, status };
  }

  /** As what no log will have is taken back, with all that is kept of it. */
  takeBack(codes: Handover, subjects: readonly string[]): Promise<void> {
    const { tables, registry } = this.process;
    return this.life.takeBack(codes, subjects, async (noted) =>
      tables.write([...noted, ...(await registry.removal(codes))]),
    );
  }

  /** Nobody can read any more what the newest code of a log rests on. */
  async damageNewestBasis(): Promise<void> {
    const { tables } = this.process;
    const [newest = assert.fail()] = await tables.page('registry/basis/', 'registry/basis0', {
      limit: 1,
      reverse: true,
    });
    await tables.write([{ put: newest[0], value: Buffer.of(1) }]);
  }

  /** Nobody can read any more the page of the registry on which the newest code stands. Gives what mends it. */
  async damageNewestPage(): Promise<() => Promise<void>> {
    const { tables } = this.process;
    const range = ['registry/page/', 'registry/page0'] as const;
    const [[name, value] = assert.fail()] = await tables.page(...range, { limit: 1, reverse: true });
    await tables.write([{ put: name, value: Buffer.of(1) }]);
    return () => tables.write([{ put: name, value }]);
  }

  /** A record of a code that is in no log: its batch is on its way, or will be taken back. Gives its index. */
  async record(n: number, demand: Pick<Status, 'colour' | 'measure' | 'untilS'>): Promise<number> {
    const { registry, tables, treeOf } = this.process;
    const status = { ...demand, expiresAtS: this.nowS + 6 * DAY_S, ruleId: 'other', ruleVersion: 1 };
    const { openings } = commitFields(sha256, { status }, this.machine.bytes);
    const { size: index } = await treeOf(LOG_ID);
    const hour = Math.floor(this.nowS / 3_600);
    await tables.write(
      registry.changes({ log: LOG_ID, index, hour, entries: [{ subject: `P${n}`, openings }] }),
    );
    return index;
  }

  /** Whether the place of an index in the log of the month is revoked. */
  isRevoked(index: number): boolean {
    return this.machine.region.state.revoked(LOG_ID)?.has(index) === true;
  }

  /** Somebody's code by an order of its own: with it the keys of orders of before two days are swept. */
  async issueOnce(subject: string): Promise<void> {
    const expiresAtS = Math.ceil(this.nowS / 3_600) * 3_600 + DAY_S;
    const status = { ...GREEN, expiresAtS, ruleId: 'other', ruleVersion: 1 };
    const key = `order of ${subject}`;
    const judge = () => Promise.resolve({ subject, fields: { status } });
    await this.#once.issue({ key, input: Buffer.from(key), subject, status, judge });
  }

  /** As two operators give it. */
  async override(n: number, colour: Colour, days: number): Promise<void> {
    const order = { reason: 'outbreak', colour, days, subjects: [`P${n}`] } as const;
    const { id } = await this.propose(order);
    await this.confirm(id);
  }

  propose(order: OverrideOrder, by = ANNA): Promise<OverrideSeen> {
    return this.proposeSigned(this.signed(order, by), by);
  }

  proposeSigned(order: SignedOrder, by = ANNA): Promise<OverrideSeen> {
    return this.overrides.propose(order, by, this.#found);
  }

  signed(order: OverrideOrder, by = ANNA): SignedOrder {
    return signProposal(this.names, order, by, this.#signing);
  }

  async confirm(id: string, by = BERT): Promise<{ readonly issued: number }> {
    const seen = await this.overrides.show(id);
    const signed = signConfirmation(this.names, seen, by, this.#signing);
    return this.confirmSigned(id, signed, by);
  }

  confirmSigned(id: string, signed: SignedAt, by = BERT): Promise<{ readonly issued: number }> {
    return this.overrides.confirm(id, signed, by, this.#found);
  }

  get #signing() {
    return { sha256, random: this.machine.bytes, nowS: () => this.nowS };
  }

  /** Revokes the newest code of somebody by hand. */
  async revoke(n: number): Promise<void> {
    const { log, index } = (await this.process.registry.ofSubject(`P${n}`)).at(-1) ?? assert.fail();
    await this.process.revoker.revoke({ log, indexes: [index] });
  }

  /** Revokes all codes of somebody by hand. */
  async revokeAll(n: number): Promise<void> {
    for (const { log, index } of await this.process.registry.ofSubject(`P${n}`))
      if (!this.isRevoked(index)) await this.process.revoker.revoke({ log, indexes: [index] });
  }

  /** What contradicts it that one operator gives this to each by the rules, on facts that give it. */
  async claims(
    numbers: readonly number[],
    demand: Pick<Status, 'colour' | 'measure' | 'untilS'>,
    others: Partial<RuleSet> = {},
  ) {
    const { nowS: atS } = this;
    const ruleSet = { ...rulesForPeople(this.#state(), undefined, atS), ...others };
    const status = { ...demand, expiresAtS: atS + 6 * DAY_S, ruleId: ruleSet.id, ruleVersion: 1 };
    const told = { 'declaration.day': this.today, 'declaration.consent': true };
    const { facts = assert.fail() } = readFacts(ruleSet.data.facts, told);
    const claims = numbers.map((n) => ({ subject: `P${n}`, ruleSet, atS, facts, status }));
    return (await this.life.weigh(claims, true)).map((weighed) =>
      weighed instanceof Error ? weighed.message : weighed.contradiction,
    );
  }

  /** What differs from nothing. */
  async update(order: UpdateOrder = {}): Promise<Partial<UpdateFigures>> {
    let figures: Partial<UpdateFigures> = {};
    for await (const news of this.life.update(order)) if ('figures' in news) figures = news.figures;
    return Object.fromEntries(Object.entries(figures).filter(([, count]) => count > 0));
  }

  /** The colours of a person's codes that pass or could, oldest first; a revoked one in brackets. */
  async codesOf(n: number): Promise<string> {
    const records = await this.process.registry.ofSubject(`P${n}`);
    const { state } = this.machine.region;
    return records
      .filter(({ fields }) => fields.status.expiresAtS > this.nowS)
      .map(({ log, index, fields: { status } }) =>
        state.revoked(log)?.has(index) === true ? `(${status.colour})` : status.colour,
      )
      .join(' ');
  }
}
