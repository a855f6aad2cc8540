/** The part of the story that needs nodes: three processes, a revocation that crosses, and an issuer that is killed. */
import { resolve } from 'node:path';
import { VerdictClient } from '../../node/http/verdict-client.ts';
import { systemClock } from '../../node/system-clock.ts';
import { type Verdict } from '../../protocol/verdict/verdict.ts';
import { adminOf } from '../desk/admin-of.ts';
import { CliError, EXIT } from '../exit.ts';
import { aligned, figure } from '../output.ts';
import { MEET_MS_MAX, whenConnected } from '../processes/connected.ts';
import { NodeProcess } from '../processes/node-process.ts';
import { giveAddresses } from '../processes/prepare.ts';
import { knowledgeText } from '../verdict-text.ts';
import { personName } from './population.ts';
import { type DemoShell } from './shell.ts';

/** How the story is told. */
export interface Teller {
  step(title: string): void;
  say(...lines: readonly string[]): void;
  verdict(verdict: Verdict): void;
  /** A figure that was measured, for programs. */
  measured(name: string, value: number): void;
}

export interface LiveStoryOptions {
  readonly regions: readonly string[];
  readonly issuer: string;
  /** The numbers of two green people: one keeps the code, the other's is revoked. */
  readonly person: { readonly kept: number; readonly revoked: number };
}

export interface LiveStoryModules {
  readonly shell: DemoShell;
  /** The code of a person by number, once there is one. */
  readonly codeOf: (person: number) => string;
}

const REVOKE_MS_MAX = 10_000;
const LOOK_MS = 10;

export class LiveStory {
  readonly #options: LiveStoryOptions;
  readonly #shell: DemoShell;
  readonly #codeOf: LiveStoryModules['codeOf'];
  readonly #teller: Teller;
  readonly #nodes = new Map<string, NodeProcess>();

  constructor(options: LiveStoryOptions, { shell, codeOf }: LiveStoryModules, teller: Teller) {
    this.#options = options;
    this.#shell = shell;
    this.#codeOf = codeOf;
    this.#teller = teller;
  }

  /** Tells it in the present working directory. Whoever calls it stops it. */
  async tell(): Promise<void> {
    await this.#start();
    await this.#askAll();
    await this.#revoke();
    await this.#kill();
  }

  /** Nothing runs any more. Safe to call twice. */
  async stop(): Promise<void> {
    await Promise.all([...this.#nodes.values()].map((node) => node.stop()));
  }

  async #start(): Promise<void> {
    const { regions } = this.#options;
    this.#teller.step('The regions run their nodes: three processes that find each other');
    for (const region of regions) {
      await giveAddresses(resolve(region));
      this.#shell.show(['run', region]);
      this.#nodes.set(region, NodeProcess.start(region, region, [['log.level', 'error']]));
    }
    await Promise.all([...this.#nodes.values()].map((node) => node.ready()));
    const places = regions.map((region) => ({ region, path: resolve(region) }));
    for (const { region, peer, why } of await whenConnected(places, { msMax: MEET_MS_MAX })) {
      throw new CliError(EXIT.failure, 'DEMO_FAILED', `the node of ${region} does not find ${peer}: ${why}`);
    }
    this.#teller.say(
      ...aligned(
        [...this.#nodes].map(([region, { http }]) => [region, http]),
        '  ',
      ),
    );
  }

  async #askAll(): Promise<void> {
    const { issuer } = this.#options;
    const { kept, revoked } = this.#codes();
    this.#teller.step(`Gates ask their own node by HTTP about a code of ${issuer}`);
    for (const [region, { http }] of this.#others()) {
      this.#shell.show(['verify', '--node', http, kept]);
      const verdict = await this.#until(region, kept, 'pass', MEET_MS_MAX);
      await this.#until(region, revoked, 'pass', MEET_MS_MAX);
      this.#teller.verdict(verdict);
    }
  }

  async #revoke(): Promise<void> {
    const { issuer, person } = this.#options;
    const { revoked } = this.#codes();
    const subject = personName(person.revoked);
    this.#teller.step(`${issuer} revokes a code: how long until the nodes of the others stop it?`);
    this.#shell.show(['revoke', issuer, '--subject', subject]);
    const admin = await adminOf(issuer, {});
    const startMs = performance.now();
    const crossing = this.#others().map(async ([region]) => {
      const verdict = await this.#until(region, revoked, 'stop', REVOKE_MS_MAX);
      return { region, verdict, ms: Math.round(performance.now() - startMs) };
    });
    const order = admin.ask({ method: 'POST', path: '/v1/revoke', body: { subject } });
    const [stopped] = await Promise.all([Promise.all(crossing), order]);
    for (const { region, verdict, ms } of stopped) {
      this.#teller.say(`${region} after ${figure(ms)} ms, from the order to ${issuer} to the verdict there:`);
      this.#teller.verdict(verdict);
      this.#teller.measured(`revokedMs.${region}`, ms);
    }
  }

  async #kill(): Promise<void> {
    const { issuer } = this.#options;
    const { kept, revoked } = this.#codes();
    const node = this.#nodes.get(issuer);
    this.#teller.step(
      `The node of ${issuer} is killed: nobody is turned away, and what was revoked stays so`,
    );
    this.#teller.say(`$ kill -9 ${node?.pid ?? ''}`);
    await node?.kill();
    for (const [region] of this.#others()) {
      const { verdict } = await this.#ask(region, kept);
      this.#teller.say(`${region}:`);
      this.#teller.verdict(verdict);
      const known = verdict.knowledge.find((report) => report.region === issuer);
      if (known !== undefined) this.#teller.say(`  of ${issuer}: ${knowledgeText(known)}`);
      this.#teller.verdict((await this.#ask(region, revoked)).verdict);
    }
    this.#teller.say('How long it is silent is told with each verdict; after a day of it as ISSUER_SILENT.');
  }

  #codes(): { readonly kept: string; readonly revoked: string } {
    const { kept, revoked } = this.#options.person;
    return { kept: this.#codeOf(kept), revoked: this.#codeOf(revoked) };
  }

  #others(): (readonly [string, NodeProcess])[] {
    return [...this.#nodes].filter(([region]) => region !== this.#options.issuer);
  }

  #ask(region: string, code: string): Promise<{ verdict: Verdict }> {
    return new VerdictClient({ urls: [this.#nodes.get(region)?.http ?? ''] }).verify(code);
  }

  /** The first verdict with this outcome. @throws {CliError} DEMO_FAILED if none comes in time. */
  async #until(region: string, code: string, outcome: Verdict['outcome'], msMax: number): Promise<Verdict> {
    const endMs = performance.now() + msMax;
    for (;;) {
      const { verdict } = await this.#ask(region, code);
      if (verdict.outcome === outcome) return verdict;
      if (performance.now() > endMs) {
        throw new CliError(EXIT.failure, 'DEMO_FAILED', `${region} says ${verdict.outcome}, not ${outcome}`);
      }
      await systemClock.wait(LOOK_MS, new AbortController().signal);
    }
  }
}
