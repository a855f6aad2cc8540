/** The part of the story in which rules decide: a declaration turns green, a name on the control list red, and why. */
import { readFile, writeFile } from 'node:fs/promises';
import { type Verdict } from '../../protocol/verdict/verdict.ts';
import { type Found } from '../../node/lists/list-view.ts';
import { type Teller } from './live-story.ts';
import { type DemoShell } from './shell.ts';

const DAY_S = 86_400;
const FORTNIGHT_DAYS = 14;
const RULES = 'home-rules';
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
    const { shell, nowS, witness } = this.#modules;
    const region = this.#region;
    this.#teller.step(`${region} lets rules decide: people declare, and are compared with the control list`);
    const today = dayOf(nowS());
    await writeFile('rules.yaml', rulesOf(region, today));
    await writeFile('control.csv', `${PAPERS},level,since\n${LISTED.papers},key,${today}\n`);
    await writeFile('declarations.csv', declarationsOf(today));
    await shell.run('rules', 'activate', region, 'rules.yaml');
    const asOf = `${new Date(nowS() * 1_000).toISOString().slice(0, 19)}Z`;
    const origin = ['--source', 'Health office', '--as-of', asOf];
    await shell.run('lists', 'import', region, 'control', 'control.csv', ...origin);
    await shell.run('issue', region, 'declarations.csv', '--rules', RULES, '--out', 'declared.csv');
    await witness();
    for (const code of await codesIn('declared.csv')) {
      const { result } = await shell.runSilently('verify', '--region', region, code);
      this.#teller.verdict(result as Verdict);
    }
    await this.#explain(today);
  }

  async #explain(today: string): Promise<void> {
    const { shell, nowS } = this.#modules;
    this.#teller.say('', 'Why the second is red, as the office finds out, and what comes a fortnight later:');
    const [type = '', country = '', number = ''] = LISTED.papers.split(',');
    const papers = ['--id-type', type, '--id-country', country, '--id-number', number];
    const found = (await shell.run('lists', 'find', this.#region, ...papers)).result as Found;
    for (const { list, line, facts } of found.matched)
      this.#teller.say(`${list} list, line ${line}: ${textOf(facts)}`);
    const declaration = { 'declaration.day': today, 'declaration.consent': true };
    const facts = Object.assign({}, declaration, ...found.matched.map((one) => one.facts)) as object;
    await writeFile('facts.json', JSON.stringify(facts));
    for (const day of [0, FORTNIGHT_DAYS]) {
      const at = day === 0 ? [] : ['--at', String(nowS() + day * DAY_S)];
      const args = ['rules', 'explain', 'rules.yaml', '--facts', 'facts.json', ...at];
      const explained = await (day === 0 ? shell.run(...args) : shell.runSilently(...args));
      const { status, rule } = explained.result as { status?: { colour: string }; rule?: string };
      const why = rule === undefined ? 'no rule gives another colour' : `by the rule ${rule}`;
      this.#teller.say(`${day === 0 ? 'today' : `in ${day} days`}: ${status?.colour ?? 'no colour'}, ${why}`);
    }
  }
}

function rulesOf(region: string, today: string): string {
  const year = Number(today.slice(0, 4));
  return `id: ${RULES}
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

function declarationsOf(today: string): string {
  const rows = [DECLARED, LISTED].map(({ subject, papers }) => `${subject},${papers},${today},true,false\n`);
  const facts = 'declaration.day,declaration.consent,declaration.symptoms';
  return `subject,${PAPERS},${facts}\n${rows.join('')}`;
}

async function codesIn(file: string): Promise<string[]> {
  const rows = (await readFile(file, 'utf8')).trimEnd().split('\n').slice(1);
  return rows.map((row) => row.slice(row.lastIndexOf(',') + 1));
}

function textOf(facts: Readonly<Record<string, string | number>>): string {
  return Object.entries(facts)
    .map(([name, value]) => `${name} is ${value}`)
    .join(', ');
}

/** In UTC, as the rules of the story have it. */
function dayOf(timeS: number): string {
  return new Date(timeS * 1_000).toISOString().slice(0, 10);
}
