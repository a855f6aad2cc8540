/**
 * The part of the story in which rules decide: a declaration turns green, a name on the control list red, the holder hears why, and
 * a fortnight later green comes again.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { type Holder } from '../../node/life/holder.ts';
import { type UpdateFigures } from '../../node/life/update-figures.ts';
import { type Verdict } from '../../protocol/verdict/verdict.ts';
import { type Teller } from './live-story.ts';
import { type DemoShell } from './shell.ts';

const DAY_S = 86_400;
const FORTNIGHT_DAYS = 14;
/** Both are nobody. */
const DECLARED = {
  subject: 'Declared 1',
  papers: 'passport,FR,X00000001,Person Declared,1990-05-17',
} as const;
const LISTED = { subject: 'Declared 2', papers: 'passport,FR,X00000002,Person Listed,1985-02-03' } as const;
const PAPERS = 'id_type,id_country,id_number,full_name,birth_date';

export interface RulesStoryOptions {
  /** The region that decides by rules. */
  readonly region: string;
}

export interface RulesStoryModules {
  readonly shell: DemoShell;
  readonly nowS: () => number;
  /** Lets all regions vouch for each other again. */
  readonly witness: () => Promise<void>;
}

export class RulesStory {
  readonly #region: string;
  readonly #modules: RulesStoryModules;
  readonly #teller: Teller;

  constructor({ region }: RulesStoryOptions, modules: RulesStoryModules, teller: Teller) {
    this.#region = region;
    this.#modules = modules;
    this.#teller = teller;
  }

  /** Tells it in the present working directory. */
  async tell(): Promise<void> {
    const before = await this.#declare();
    await this.#turnRed(before);
    await this.#explain();
    await this.#lookAhead();
  }

  /** Gives the code of the person who will be listed. */
  async #declare(): Promise<string> {
    const { shell, nowS } = this.#modules;
    const region = this.#region;
    this.#teller.step(`${region} lets rules decide: people declare, and turn green`);
    await writeFile('rules.yaml', rulesOf(region, dayOf(nowS())));
    await writeFile('declarations.csv', declarationsOf(timeOf(nowS())));
    await shell.run('rules', 'activate', region, 'rules.yaml');
    await shell.run('declare', region, 'declarations.csv');
    await shell.run('update', region, '--out', 'declared.jsonl');
    const codes = await codesIn('declared.jsonl');
    for (const { subject } of [DECLARED, LISTED]) await this.#judge(codes.get(subject) ?? '');
    return codes.get(LISTED.subject) ?? '';
  }

  async #turnRed(before: string): Promise<void> {
    const { shell, nowS } = this.#modules;
    const region = this.#region;
    this.#teller.step(
      `${region} gets a control list with one of them on it: what passed is revoked, red takes its place`,
    );
    await writeFile('control.csv', `${PAPERS},level,since\n${LISTED.papers},key,${dayOf(nowS())}\n`);
    const origin = ['--source', 'Health office', '--as-of', timeOf(nowS())];
    await shell.run('lists', 'import', region, 'control', 'control.csv', ...origin);
    await shell.run('update', region, '--out', 'changed.jsonl');
    await this.#judge(before);
    await this.#judge((await codesIn('changed.jsonl')).get(LISTED.subject) ?? '');
  }

  async #explain(): Promise<void> {
    const { shell } = this.#modules;
    this.#teller.say('', 'What the holder is told with the code, and `status --explain` says again:');
    const { result } = await shell.run('status', this.#region, '--explain', LISTED.subject);
    this.#teller.say(...(result as Holder).notice);
  }

  async #lookAhead(): Promise<void> {
    const { shell, nowS } = this.#modules;
    const at = String(nowS() + FORTNIGHT_DAYS * DAY_S);
    this.#teller.say('', 'And a fortnight later, by the same declaration and the same list:');
    const { result } = await shell.run('update', this.#region, '--dry-run', '--at', at);
    const { better } = (result as { figures: UpdateFigures }).figures;
    this.#teller.say(better === 1 ? 'green again, since the fourteen days are over' : 'no better colour');
    this.#teller.measured('better after a fortnight', better);
  }

  /** By the region's own directory. */
  async #judge(code: string): Promise<void> {
    const { shell, witness } = this.#modules;
    await witness();
    const { result } = await shell.runSilently('verify', '--region', this.#region, code);
    this.#teller.verdict(result as Verdict);
  }
}

function rulesOf(region: string, today: string): string {
  const year = Number(today.slice(0, 4));
  return `id: home-rules
version: 1
base: { id: baseline, version: 1 }
title: Rules of ${region} over the baseline
region: ${region}
from: ${year}-01-01
until: ${year + 1}-12-31
examples:
  - name: nobody is green without a declaration
    at: ${today}T00:00:00Z
    facts: {}
    expect: { open: [declared, consent] }
  - name: a name on the control list turns red
    at: ${today}T00:00:00Z
    facts: { control: { level: key, since: ${today} } }
    expect: { colour: red, rule: control-list }
`;
}

function declarationsOf(now: string): string {
  const rows = [DECLARED, LISTED].map(({ subject, papers }) => `${subject},${papers},${now},true,false\n`);
  return `subject,${PAPERS},declared_at,consent,symptoms\n${rows.join('')}`;
}

/** By their subject. */
async function codesIn(file: string): Promise<Map<string, string>> {
  const lines = (await readFile(file, 'utf8')).trimEnd().split('\n');
  const notices = lines.map((line) => JSON.parse(line) as { subject: string; code: string });
  return new Map(notices.map(({ subject, code }) => [subject, code]));
}

/** In UTC, as the rules of the story have it. */
function dayOf(timeS: number): string {
  return timeOf(timeS).slice(0, 10);
}

function timeOf(timeS: number): string {
  return `${new Date(timeS * 1_000).toISOString().slice(0, 19)}Z`;
}
