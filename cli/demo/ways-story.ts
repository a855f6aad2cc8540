/** The story of the three ways in which a code counts elsewhere: as it is, through a platform, and by a region that is hosted until it moves. */
import { readFile, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { VerdictClient } from '../../node/http/verdict-client.ts';
import { systemClock } from '../../node/system-clock.ts';
import { type ReasonCode, REASONS } from '../../protocol/verdict/reasons.ts';
import { type Verdict } from '../../protocol/verdict/verdict.ts';
import { CliError, EXIT } from '../exit.ts';
import { aligned } from '../output.ts';
import { NodeProcess } from '../processes/node-process.ts';
import { giveAddresses } from '../processes/prepare.ts';
import { HealthOffice } from './certificate.ts';
import { type Teller } from './live-story.ts';
import { personName } from './population.ts';
import { type DemoShell } from './shell.ts';

/** Whose people have certificates, where the gate is, who is the platform and host, and who is hosted. */
const [OFFICE, GATE, PLATFORM, HOSTED] = ['AT', 'DE', 'FR', 'LU'] as const;
const REGIONS = [OFFICE, GATE, PLATFORM, HOSTED] as const;
const OWN_PLACE = 'LU-own';
/** How codes come where it is not directly, from the first day on. */
const WAYS: Readonly<Record<string, string>> = {
  [`${GATE} ${OFFICE}`]: 'adapter',
  [`${PLATFORM} ${OFFICE}`]: 'adapter',
  [`${GATE} ${HOSTED}`]: 'hosted',
};
const TOKEN_FILE = 'airport.token';
/** How long the numbers of the list count. */
const NUMBER_S = 7 * 86_400;
const SEEN_MS_MAX = 45_000;
const LOOK_MS = 50;
/** The same of a number, each question about which counts. */
const NUMBER_LOOK_MS = 1_000;

export interface WaysStoryModules {
  readonly shell: DemoShell;
  readonly nowS: () => number;
}

export class WaysStory {
  readonly #modules: WaysStoryModules;
  readonly #teller: Teller;
  readonly #office = new HealthOffice(OFFICE);
  readonly #nodes: NodeProcess[] = [];
  /** Base URL of the gate's node. */
  #gate = '';

  constructor(modules: WaysStoryModules, teller: Teller) {
    this.#modules = modules;
    this.#teller = teller;
  }

  /** Tells it in the present working directory. Whoever calls it stops it. */
  async tell(): Promise<void> {
    await this.#setUp();
    await this.#run();
    const certificate = this.#office.certificate(1, this.#modules.nowS());
    await this.#asItIs(certificate);
    await this.#lookedUp();
    await this.#throughPlatform(certificate);
    await this.#hosted();
  }

  /** Nothing that it started runs any more. Safe to call twice. */
  async stop(): Promise<void> {
    await Promise.all(this.#nodes.map((node) => node.stop()));
  }

  async #setUp(): Promise<void> {
    const { shell } = this.#modules;
    this.#teller.step(
      `${OFFICE} has certificates, ${PLATFORM} is a platform, ${HOSTED} has no system, and the gate is in ${GATE}`,
    );
    for (const region of REGIONS) {
      await shell.runSilently('init', region);
      await giveAddresses(resolve(region));
    }
    for (const home of REGIONS)
      for (const peer of REGIONS) {
        if (home === peer) continue;
        const way = WAYS[`${home} ${peer}`];
        if (way === undefined) await shell.runSilently('recognise', home, peer);
        else await shell.run('recognise', home, peer, '--way', way);
      }
    this.#teller.say('... and all others directly.');
  }

  async #run(): Promise<void> {
    this.#teller.step(`They run their nodes; that of ${PLATFORM} hosts ${HOSTED} in the same process`);
    const quiet = [['log.level', 'error']] as const;
    this.#start([OFFICE], NodeProcess.start(OFFICE, OFFICE, quiet));
    this.#start([GATE], NodeProcess.start(GATE, GATE, quiet));
    const hosted = [{ region: HOSTED, dir: HOSTED }];
    const host = NodeProcess.start(PLATFORM, PLATFORM, quiet, hosted);
    this.#start([PLATFORM, HOSTED], host);
    await Promise.all(this.#nodes.map((node) => node.ready()));
    this.#gate = this.#nodes.find(({ region }) => region === GATE)?.http ?? '';
    const places = this.#nodes.map((node): [string, string] => [node.region, node.http]);
    this.#teller.say(...aligned([...places, [HOSTED, host.httpOf(HOSTED)]], '  '));
  }

  /** Way 1. */
  async #asItIs(certificate: string): Promise<void> {
    const { shell } = this.#modules;
    this.#teller.step(
      `Way 1, adapter: a certificate of ${OFFICE} counts as it is, made by a health office that changes nothing`,
    );
    await writeFile('keys.json', this.#office.keyList());
    await shell.run('rules', 'activate', OFFICE, 'hcert');
    await shell.run('adapter', 'announce', OFFICE, 'dcc', '--keys', 'keys.json', '--rules', 'hcert');
    await this.#judge(certificate, 'pass');
    this.#teller.say('', 'One that somebody else has signed:');
    const forged = new HealthOffice(OFFICE).certificate(1, this.#modules.nowS());
    await this.#judge(forged, 'stop', 'FOREIGN_KEY_UNKNOWN');
  }

  /** Way 1 too: of a code that is a mere number. */
  async #lookedUp(): Promise<void> {
    const { shell, nowS } = this.#modules;
    this.#teller.step(
      `Way 1, look-up: a mere number of ${OFFICE} counts as it is, and ${OFFICE} does not learn whose was looked up`,
    );
    const until = new Date((nowS() + NUMBER_S) * 1_000).toISOString().replace(/\.\d+Z$/, 'Z');
    const rows = [`${OFFICE}-1001,green,${until}`, `${OFFICE}-1002,red,${until}`];
    await writeFile('numbers.csv', ['number,colour,until', ...rows, ''].join('\n'));
    await shell.run('lookup', 'announce', OFFICE, 'numbers', '--prefix', `${OFFICE}-`, '--for', '3d');
    await shell.run('lookup', 'import', OFFICE, 'numbers.csv');
    await shell.run('verifier', 'add', GATE, '--name', 'airport', '--out', TOKEN_FILE);
    const token = (await readFile(TOKEN_FILE, 'utf8')).trim();
    await this.#judge(`${OFFICE}-1001`, 'pass', undefined, token);
    await this.#judge(`${OFFICE}-1002`, 'stop', 'STATUS_RED', token);
    this.#teller.say('', 'One that the list does not have, and a gate without a token:');
    await this.#judge(`${OFFICE}-1003`, 'stop', 'NUMBER_UNKNOWN', token);
    await this.#judge(`${OFFICE}-1001`, 'undetermined', 'NUMBER_NOT_ENROLLED');
  }

  /** Way 2. */
  async #throughPlatform(certificate: string): Promise<void> {
    const { shell } = this.#modules;
    this.#teller.step(
      `Way 2, bridge: ${GATE} takes codes of ${OFFICE} through the platform ${PLATFORM} from now on`,
    );
    await shell.run('recognise', GATE, OFFICE, '--way', 'bridge', '--via', PLATFORM);
    await this.#judge(certificate, 'undetermined', 'WAY_UNSUPPORTED');
    await this.#ask(this.#nodes.find(({ region }) => region === PLATFORM)?.http ?? '', certificate, 'pass');
    const { result } = await shell.run('bridge', PLATFORM, certificate);
    const { code } = result as { code: string };
    await this.#judge(code, 'pass', 'BRIDGED');
    this.#teller.say('', `${PLATFORM} is asked to bridge what is bridged:`);
    await this.#refused('bridge', PLATFORM, code);
    this.#teller.say(
      '',
      `${OFFICE} revokes the certificate, and the gate holds that against the bridged code:`,
    );
    await shell.run('adapter', 'revoke', OFFICE, certificate);
    await this.#judge(code, 'stop', 'ORIGINAL_REVOKED');
  }

  /** Way 3. */
  async #hosted(): Promise<void> {
    const { shell } = this.#modules;
    this.#teller.step(
      `Way 3, hosted: ${HOSTED} issues with its own root, logs and registry, in the process of ${PLATFORM}`,
    );
    const before = await this.#issue(HOSTED, 1);
    await this.#judge(before, 'pass');
    this.#teller.step(`${HOSTED} moves to a node of its own, with its history and its codes`);
    await shell.run('host', 'move', HOSTED, OWN_PLACE);
    this.#start([HOSTED], NodeProcess.start(HOSTED, OWN_PLACE, [['log.level', 'error']]));
    await this.#nodes.at(-1)?.ready();
    this.#teller.say('A code from before, and one that is issued in the new place:');
    await this.#judge(before, 'pass');
    await this.#judge(await this.#issue(OWN_PLACE, 2), 'pass');
    this.#teller.say('', 'The old place has no key left that counts:');
    await this.#refused('issue', HOSTED, '--subject', personName(3), '--colour', 'green', '--without-peers');
  }

  async #issue(dir: string, person: number): Promise<string> {
    const args = ['issue', dir, '--subject', personName(person), '--colour', 'green'];
    return ((await this.#modules.shell.run(...args)).result as { code: string }).code;
  }

  /** Shows a command that has to fail, and why it did. */
  async #refused(...args: readonly string[]): Promise<void> {
    const { shell } = this.#modules;
    try {
      await shell.run(...args);
    } catch (error) {
      if (!(error instanceof CliError)) throw error;
      const [, message] = /"message":"([^"]*)"/.exec(error.message) ?? [];
      this.#teller.say(`  ${message ?? error.message}`);
      return;
    }
    throw new CliError(EXIT.failure, 'DEMO_FAILED', `${args[0]} did what it must not`);
  }

  /** `token`: that of an enrolled verifier, for whom numbers are looked up. */
  async #judge(
    code: string,
    outcome: Verdict['outcome'],
    reason?: ReasonCode,
    token?: string,
  ): Promise<void> {
    const asked = token === undefined ? [] : ['--token', TOKEN_FILE];
    this.#modules.shell.show(['verify', '--node', this.#gate, ...asked, code]);
    this.#teller.verdict(await this.#ask(this.#gate, code, outcome, reason, token));
  }

  /** The first verdict that is so. @throws {CliError} DEMO_FAILED if none comes in time. */
  async #ask(
    url: string,
    code: string,
    outcome: Verdict['outcome'],
    reason?: ReasonCode,
    token?: string,
  ): Promise<Verdict> {
    const client = new VerdictClient({ urls: [url], token });
    const endMs = performance.now() + SEEN_MS_MAX;
    for (;;) {
      const { verdict } = await client.verify(code);
      const codes = verdict.reasons.map((one) => one.code);
      if (verdict.outcome === outcome && (reason === undefined || isFor(verdict, reason))) return verdict;
      if (performance.now() > endMs) {
        const said = `${verdict.outcome} (${codes.join(', ')})`;
        throw new CliError(EXIT.failure, 'DEMO_FAILED', `the verdict is ${said}, not ${outcome}`);
      }
      const lookMs = token === undefined ? LOOK_MS : NUMBER_LOOK_MS;
      await systemClock.wait(lookMs, new AbortController().signal);
    }
  }

  #start(dirs: readonly string[], node: NodeProcess): void {
    this.#nodes.push(node);
    this.#modules.shell.show(['run', ...(node.region === HOSTED ? [OWN_PLACE] : dirs)]);
  }
}

/** Whether a verdict is as it is for this reason: of those that decide for it alone. */
function isFor({ reasons }: Verdict, reason: ReasonCode): boolean {
  const telling =
    REASONS[reason].outcome === 'note' ? [] : reasons.filter(({ outcome }) => outcome !== 'note');
  return reasons.some(({ code }) => code === reason) && telling.every(({ code }) => code === reason);
}
