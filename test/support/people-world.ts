/** A region with rules of its own over the baseline, and people who declare to it by commands. */
import { writeFileSync } from 'node:fs';
import { TestCli } from './cli.ts';
import { RunningNode } from './running-node.ts';

const FREE = ['--set', 'http.port=0', '--set', 'p2p.listen=/ip4/127.0.0.1/tcp/0', '--set', 'log.level=warn'];

export class PeopleWorld {
  readonly cli: TestCli;
  readonly region: string;

  private constructor(cli: TestCli) {
    this.cli = cli;
    this.region = cli.path('DE');
  }

  /** Its clock is that of this machine. */
  static async found(folder: string): Promise<PeopleWorld> {
    const cli = new TestCli(folder);
    cli.nowS = Math.floor(Date.now() / 1_000);
    const world = new PeopleWorld(cli);
    await cli.json('init', 'DE', '--dir', world.region);
    await world.activate(1);
    return world;
  }

  /** As of the clock of its commands, in UTC as its rules have it. */
  get today(): string {
    return this.timeText.slice(0, 10);
  }

  get timeText(): string {
    return `${new Date(this.cli.nowS * 1_000).toISOString().slice(0, 19)}Z`;
  }

  /** Logs rules, with more members if they are given. */
  async activate(version: number, more = ''): Promise<void> {
    const year = Number(this.today.slice(0, 4));
    const open = `{ name: open, at: ${this.today}T00:00:00Z, facts: {}, expect: { open: [declared, consent] } }`;
    const rules = `id: de\nversion: ${version}\nbase: { id: baseline, version: 1 }\nregion: DE\nfrom: ${year - 1}-01-01\nuntil: ${year}-12-31\n${more}examples:\n  - ${open}\n`;
    await this.cli.json('rules', 'activate', this.region, this.file('rules.yaml', rules));
  }

  /** Logs rules of another id by which everybody who consents is green. */
  async activateLax(): Promise<void> {
    const year = Number(this.today.slice(0, 4));
    const consent = '{ id: consent, when: { var: facts.declaration.consent }, why: They agree. }';
    const example = `{ name: green, at: ${this.today}T00:00:00Z, facts: { declaration: { consent: true } }, expect: { colour: green } }`;
    const rules = `id: lax\nversion: 1\ntitle: Green for all\nfrom: ${year - 1}-01-01\nuntil: ${year}-12-31\nzone: UTC\nfacts: { declaration.consent: flag }\nrequires:\n  - ${consent}\nissuing: []\ngreen: { days: 7 }\nroles: {}\nplaces: {}\nacceptance: []\nchecks: []\nexamples:\n  - ${example}\n`;
    await this.cli.json('rules', 'activate', this.region, this.file('lax.yaml', rules), '--undecided');
  }

  /** Logs rules of another id, which are not for people who declare, by which whoever has symptoms is red. */
  async activateHard(): Promise<void> {
    const year = Number(this.today.slice(0, 4));
    const red =
      '{ id: sick, when: { var: facts.declaration.symptoms }, colour: red, measure: isolate, since: declaration.day, days: 14, why: They are sick. }';
    const declared = '{ id: declared, when: { var: facts.declaration.day }, why: They declared. }';
    const example = `{ name: red, at: ${this.today}T00:00:00Z, facts: { declaration: { symptoms: true, day: ${this.today} } }, expect: { colour: red } }`;
    const rules = `id: hard\nversion: 1\ntitle: Red for the sick\nfrom: ${year - 1}-01-01\nuntil: ${year}-12-31\nzone: UTC\nfacts: { declaration.symptoms: flag, declaration.day: day }\nrequires:\n  - ${declared}\nissuing:\n  - ${red}\ngreen: { days: 7 }\nroles: {}\nplaces: {}\nacceptance: []\nchecks: []\nexamples:\n  - ${example}\n`;
    await this.cli.json('rules', 'activate', this.region, this.file('hard.yaml', rules), '--undecided');
  }

  /** A node that runs on its directory; whoever starts it ends it. */
  async run(...args: readonly string[]): Promise<RunningNode> {
    const node = await RunningNode.start(this.region, ...FREE, ...args);
    await node.ready();
    return node;
  }

  file(name: string, text: string): string {
    writeFileSync(this.cli.path(name), text);
    return this.cli.path(name);
  }

  /** A file of declarations of now, of people by their subjects, as in `One` and `Two:symptoms`. */
  declarations(...people: readonly string[]): string {
    const rows = people.map((person) => {
      const [subject = '', symptoms] = person.split(':');
      return `${subject},Person ${subject},1990-05-17,${this.timeText},true,${symptoms !== undefined}\n`;
    });
    const head = 'subject,full_name,birth_date,declared_at,consent,symptoms\n';
    return this.file('declarations.csv', head + rows.join(''));
  }

  /** Puts a list in force as of now. Of persons by name: those who declared by `declarations`. */
  async list(kind: string, text: string): Promise<void> {
    const order = [this.region, kind, this.file('list.csv', text)];
    await this.cli.json('lists', 'import', ...order, '--source', 'Office', '--as-of', this.timeText);
  }

  /** The control list with these people on its key part since today, by name and day of birth. */
  control(...subjects: readonly string[]): Promise<void> {
    const rows = subjects.map((subject) => `Person ${subject},1990-05-17,key,${this.today}\n`);
    return this.list('control', `full_name,birth_date,level,since\n${rows.join('')}`);
  }

  /** The colours of codes in JSON lines, by subject. */
  async coloursOf(lines: string): Promise<Record<string, string>> {
    const colours: Record<string, string> = {};
    for (const line of lines.trim().split('\n')) {
      const { subject, code } = JSON.parse(line) as { subject: string; code: string };
      colours[subject] = (await this.colourOf(code)) ?? '';
    }
    return colours;
  }

  async colourOf(code: string): Promise<string | undefined> {
    return (await this.cli.json<{ colour?: string }>('verify', '--region', this.region, code)).colour;
  }
}
