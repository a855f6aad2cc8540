/** The story that the demo tells: three regions, people crossing borders, and what gates say. Every step runs real commands. */
import { readFile, writeFile } from 'node:fs/promises';
import { type Reason } from '../../protocol/verdict/reasons.ts';
import { type Verdict } from '../../protocol/verdict/verdict.ts';
import { type Cli } from '../cli.ts';
import { aligned, figure } from '../output.ts';
import { qrLines } from '../qr.ts';
import { fingerprintText } from '../region.ts';
import { headline, reasonLines } from '../verdict-text.ts';
import { forgeGreen } from './forgery.ts';
import { LiveStory, type Teller } from './live-story.ts';
import { EXAMPLES, personName, population } from './population.ts';
import { RulesStory } from './rules-story.ts';
import { type DemoShell } from './shell.ts';
import { WaysStory } from './ways-story.ts';

const DAY_S = 86_400;

const REGIONS = [
  { region: 'CN-33', name: 'Zhejiang' },
  { region: 'DE', name: 'Deutschland' },
  { region: 'FR', name: 'France' },
] as const;
const ISSUER = 'CN-33';
const GATE = 'DE';
/** The one that decides by rules. */
const RULED = 'FR';
/** Two green people who are not spoken of before. */
const EXAMPLES_LIVE = { kept: 3, revoked: 4 } as const;

/** What a step gave, for --json. */
export interface Told {
  readonly step: string;
  readonly verdict?: Verdict;
  /** What was measured, by name. */
  readonly measured?: Readonly<Record<string, number>>;
}

export class Story {
  readonly told: Told[] = [];
  readonly #cli: Cli;
  readonly #people: number;
  readonly #shell: DemoShell;
  #number = 0;
  /** Codes of CN-33 by the person's number. */
  #codes: readonly string[] = [];
  #pin = '';
  readonly #rules: RulesStory;
  readonly #live: LiveStory;
  readonly #ways: WaysStory;

  constructor(people: number, cli: Cli, shell: DemoShell) {
    this.#people = people;
    this.#cli = cli;
    this.#shell = shell;
    const teller: Teller = {
      step: (title) => this.#step(title),
      say: (...lines) => this.#say(...lines),
      verdict: (verdict) => this.#tellVerdict(verdict),
      measured: (name, value) => this.told.push({ step: this.#title, measured: { [name]: value } }),
    };
    const { nowS } = cli.surroundings;
    const witness = () => this.#witness('runSilently');
    this.#rules = new RulesStory({ region: RULED }, { shell, nowS, witness }, teller);
    this.#ways = new WaysStory({ shell, nowS }, teller);
    this.#live = new LiveStory(
      { regions: REGIONS.map(({ region }) => region), issuer: ISSUER, person: EXAMPLES_LIVE },
      { shell, codeOf: (person) => this.#codeOf(person) },
      teller,
    );
  }

  /** Tells all of it in the present working directory. */
  async tell(): Promise<void> {
    await this.#setUp();
    await this.#issue();
    this.#showCode();
    await this.#judgeOffline();
    await this.#showLive();
    await this.#revoke();
    await this.#forge();
    await this.#growStale();
    await this.#rules.tell();
    await this.#live.tell();
    await this.#live.stop();
    // What the nodes logged is vouched for in the directories too, which is what the reader goes on with.
    await this.#witness('runSilently');
  }

  /** Tells of the three ways in which codes count elsewhere instead. */
  tellWays(): Promise<void> {
    return this.#ways.tell();
  }

  /** Nothing that it started runs any more. Safe to call twice. */
  async stop(): Promise<void> {
    await Promise.all([this.#live.stop(), this.#ways.stop()]);
  }

  async #setUp(): Promise<void> {
    this.#step("Three regions set themselves up, recognise each other, and witness each other's logs");
    const lines: [string, string][] = [];
    for (const { region, name } of REGIONS) {
      const { result } = await this.#shell.run('init', region, '--name', name);
      const fingerprint = (result as { fingerprint: string }).fingerprint;
      if (region === GATE) this.#pin = fingerprint;
      lines.push([region, `${fingerprintText(Buffer.from(fingerprint, 'hex')).slice(0, 39)} ...`]);
    }
    let isFirst = true;
    for (const { region } of REGIONS) {
      for (const peer of REGIONS) {
        if (peer.region === region) continue;
        if (isFirst) await this.#shell.run('recognise', region, peer.region);
        else await this.#shell.runSilently('recognise', region, peer.region);
        isFirst = false;
      }
    }
    this.#say('... and so on for each pair. They compare these fingerprints by telephone:');
    this.#say(...aligned(lines, '  '));
    await this.#witness('run');
  }

  async #issue(): Promise<void> {
    this.#step(`${ISSUER} issues codes for ${figure(this.#people)} people from a file`);
    const { csv, green, yellow, red } = population(this.#people);
    await writeFile('people.csv', csv);
    const startMs = performance.now();
    await this.#shell.runAloud('issue', ISSUER, 'people.csv', '--out', 'codes.csv');
    const seconds = ((performance.now() - startMs) / 1_000).toFixed(1);
    this.#say(
      `${figure(green)} green, ${figure(yellow)} yellow, ${figure(red)} red; signed, logged and on disk after ${seconds} s`,
    );
    const rows = (await readFile('codes.csv', 'utf8')).trimEnd().split('\n').slice(1);
    this.#codes = rows.map((row) => row.slice(row.lastIndexOf(',') + 1));
    await this.#shell.runSilently(
      'issue',
      ISSUER,
      '--subject',
      personName(this.#people + 1),
      '--colour',
      'green',
      '--device',
      'phone.json',
    );
  }

  #showCode(): void {
    this.#step(`The code of ${personName(EXAMPLES.green)}, as a phone or a sheet of paper shows it`);
    const code = this.#codeOf(EXAMPLES.green);
    this.#shell.show(['show', code]);
    const { colour } = this.#cli.surroundings;
    this.#cli.output.text(...qrLines(code, { colour }).map((line) => `   ${line}`));
  }

  async #judgeOffline(): Promise<void> {
    this.#step(`A gate in ${GATE} judges codes without a network, from a snapshot of a few kilobytes`);
    const { result } = await this.#shell.run('snapshot', 'make', GATE, '--out', 'gate.snap');
    this.#say(
      `${figure((result as { bytes: number }).bytes)} bytes: the trust logs of three regions, and who vouches for them`,
    );
    await this.#verify(this.#codeOf(EXAMPLES.green));
    this.#say('', `${personName(EXAMPLES.yellow)} and ${personName(EXAMPLES.red)}:`);
    await this.#judge(this.#codeOf(EXAMPLES.yellow));
    await this.#judge(this.#codeOf(EXAMPLES.red));
  }

  async #showLive(): Promise<void> {
    this.#step('A phone shows its code live; somebody else films it and shows the film a minute later');
    const { result } = await this.#shell.run('present', 'phone.json');
    const { text } = result as { text: string };
    await this.#judge(text);
    const laterS = this.#cli.surroundings.nowS() + 90;
    this.#say('', 'The copy, 90 seconds later, at a gate and at a hospital that demands to be shown live:');
    await this.#judge(text, '--at', String(laterS));
    await this.#judge(text, '--at', String(laterS), '--place', 'kind=hospital,grade=live');
  }

  async #revoke(): Promise<void> {
    this.#step(`${ISSUER} revokes a code; the gate learns it from a delta`);
    await this.#shell.run('revoke', ISSUER, '--subject', personName(EXAMPLES.green));
    await this.#witness('runSilently');
    const { result } = await this.#shell.run(
      'snapshot',
      'make',
      GATE,
      '--since',
      'gate.snap',
      '--out',
      'delta.snap',
    );
    this.#say(`${figure((result as { bytes: number }).bytes)} bytes`);
    await this.#judge(this.#codeOf(EXAMPLES.green), '--offline', 'delta.snap');
  }

  async #forge(): Promise<void> {
    this.#step("A person with a red code makes a green one, and names the region's own key in it");
    const { random } = this.#cli.surroundings;
    await this.#judge(forgeGreen(await this.#cli.crypto(), this.#codeOf(EXAMPLES.red), 'demo', random));
  }

  async #growStale(): Promise<void> {
    this.#step('The gate hears nothing for two days: it says so, and neither passes nor stops anybody');
    const laterS = this.#cli.surroundings.nowS() + 2 * DAY_S;
    await this.#judge(this.#codeOf(2), '--at', String(laterS));
  }

  async #witness(how: 'run' | 'runSilently'): Promise<void> {
    for (const { region } of REGIONS) await this.#shell[how]('witness', region);
  }

  /** Judges by the gate's snapshot and shows the command. */
  async #verify(code: string): Promise<void> {
    const args = ['verify', '--offline', 'gate.snap', '--home', GATE, '--pin', this.#pin, code];
    this.#tellVerdict((await this.#shell.run(...args)).result as Verdict);
  }

  /** The same without showing the command again. */
  async #judge(code: string, ...more: readonly string[]): Promise<void> {
    const args = ['verify', '--offline', 'gate.snap', '--home', GATE, '--pin', this.#pin, ...more, code];
    this.#tellVerdict((await this.#shell.runSilently(...args)).result as Verdict);
  }

  #tellVerdict(verdict: Verdict): void {
    const { colours } = this.#cli.output;
    this.#say(headline(verdict, colours), ...reasonLines({ reasons: decisiveReasons(verdict) }, colours));
    this.told.push({ step: this.#title, verdict });
  }

  #title = '';

  #step(title: string): void {
    this.#title = title;
    this.#number++;
    this.told.push({ step: title });
    this.#cli.output.text('', `${this.#cli.output.colours.bold(`${this.#number}  ${title}`)}`);
  }

  #say(...lines: readonly string[]): void {
    this.#cli.output.text(...lines.map((line) => (line === '' ? '' : `   ${line}`)));
  }

  #codeOf(person: number): string {
    const code = this.#codes[person - 1];
    if (code === undefined) throw new RangeError(`no code of person ${person}`);
    return code;
  }
}

/** The first two reasons that decide, or the notes where nothing speaks against the code. */
function decisiveReasons({ reasons }: Verdict): readonly Reason[] {
  const distinct = reasons.filter(({ code }, i) => reasons.findIndex((reason) => reason.code === code) === i);
  const decisive = distinct.filter(({ outcome }) => outcome !== 'note');
  return (decisive.length > 0 ? decisive : distinct).slice(0, 2);
}
