/** `entente snapshot make|check|show`: what a verifier takes along where there is no network. */
import { type Command } from 'commander';
import { writeFileAtomically } from '../../node/region/files.ts';
import { type HomeView, type MissingPeer, readHomeView } from '../../node/region/home-view.ts';
import { readPolicyFile } from '../../node/region/policy-file.ts';
import { equalBytes } from '../../protocol/bytes.ts';
import { type FaultCode } from '../../protocol/fault.ts';
import { KNOWLEDGE_AGE_OFFLINE_S_MAX } from '../../protocol/limits.ts';
import { parseNote } from '../../protocol/log/note.ts';
import { type AppliedSnapshot, applySnapshot, type Holdings } from '../../protocol/snapshot/apply.ts';
import { parseSnapshot } from '../../protocol/snapshot/snapshot.ts';
import { assessKnowledge } from '../../protocol/verdict/knowledge.ts';
import { type KnowledgeReport } from '../../protocol/verdict/verdict.ts';
import { type Cli, examples } from '../cli.ts';
import { EXIT, type ExitCode, exitOfFault, usageError } from '../exit.ts';
import { aligned, counted, figure } from '../output.ts';
import { printable } from '../printable.ts';
import { parseFingerprint, parseRegionId, regionModules } from '../region.ts';
import {
  applyToHome,
  badCopyTexts,
  behindTexts,
  movedTexts,
  branchText,
  readSnapshotFile,
  snapshotOf,
  vouchHints,
} from '../snapshot-file.ts';
import { parseTime } from '../times.ts';
import { knowledgeText } from '../verdict-text.ts';

interface MakeOptions {
  readonly out: string;
  readonly since?: string;
}

interface CheckOptions {
  readonly home: string;
  readonly pin: string;
  readonly held?: string;
  readonly policy?: string;
  readonly at?: string;
}

export function addSnapshot(program: Command, cli: Cli): void {
  const snapshot = program
    .command('snapshot')
    .summary('make, check or show a snapshot')
    .description(
      'A snapshot carries the trust logs of a region and of those it recognises, with the cosignatures that vouch for them.',
    );
  snapshot
    .command('make')
    .description(
      'Makes a snapshot of a region and its peers, as their directories are now, and checks it as a verifier would. Ends with 5 if a part of it is refused, else with 4 if a region is left out that the home recognises; it is written all the same, and counts without that part.',
    )
    .argument('<region>', 'directory of the home region')
    .requiredOption('--out <file>', 'file to write')
    .option('--since <snapshot>', 'make only what a holder of this snapshot lacks')
    .addHelpText(
      'after',
      examples(
        ['entente snapshot make CN-33 --out home.snap', 'a full one'],
        ['entente snapshot make CN-33 --since home.snap --out delta.snap', 'for those who hold home.snap'],
      ),
    )
    .action((region: string, options: MakeOptions) => make(cli, region, options));
  snapshot
    .command('check')
    .description(
      'Checks a snapshot as a verifier would, and says how old it is and who vouches for it. Ends with 5 if a part of it is refused, else with 4 if it is too old to judge by.',
    )
    .argument('<file>', 'the snapshot')
    .requiredOption('--home <id>', 'region in whose name you judge')
    .requiredOption('--pin <hex>', "fingerprint of the home's root")
    .option('--held <snapshot>', 'snapshot that you hold already: needed for a delta')
    .option('--policy <file>', 'a tlog-policy that says who has to vouch, in the place of the table')
    .option('--at <time>', 'check for another time than now')
    .addHelpText(
      'after',
      examples(
        ['entente snapshot check home.snap --home CN-33 --pin 1f2e...', 'against the pinned root'],
        [
          'entente snapshot check home.snap --home CN-33 --pin 1f2e... --policy gate.policy',
          'by the witnesses whom this gate asks for',
        ],
      ),
    )
    .action((file: string, options: CheckOptions) => check(cli, file, options));
  snapshot
    .command('show')
    .description('Lists what a snapshot holds, without checking any of it.')
    .argument('<file>', 'the snapshot')
    .addHelpText('after', examples(['entente snapshot show home.snap', 'a line per region']))
    .action((file: string) => show(cli, file));
}

async function make(cli: Cli, path: string, { out, since }: MakeOptions): Promise<void> {
  const modules = await regionModules(cli);
  const view = await readHomeView(path, modules);
  const { region: home, network } = view.home;
  const held = since === undefined ? undefined : await readSnapshotFile(since);
  if (held !== undefined && parseSnapshot(held).parts.some(({ base }) => base === undefined))
    throw usageError(
      `${printable(since ?? '')} is itself a delta`,
      'Name the full snapshot that its holders began with: what is made then holds all that came after.',
    );
  const holdings = held && applyToHome(view, held, path, modules).holdings;
  const bytes = await snapshotOf(view, holdings && sizesOf(holdings, view));
  const applied = applyToHome(view, bytes, path, modules, holdings);
  await writeFileAtomically(out, bytes);
  const reports = reportsOf(applied, modules.nowS());
  const missing = [...view.missing, ...tornOf(view)];
  cli.output.result({ home, network, out, bytes: bytes.length, parts: reports, missing }, () => [
    `Wrote ${printable(out)}, ${figure(bytes.length)} bytes, for verifiers of ${home}:`,
    ...partLines(reports),
  ]);
  for (const line of warningsOf(view, reports, path)) cli.output.note(line);
  cli.exit = exitOf(
    reports,
    missing.map(({ region }) => region),
  );
}

async function check(cli: Cli, file: string, options: CheckOptions): Promise<void> {
  const modules = await regionModules(cli);
  const nowS = options.at === undefined ? modules.nowS() : parseTime(options.at);
  const bytes = await readSnapshotFile(file);
  const { network } = parseSnapshot(bytes);
  const policy =
    options.policy === undefined ? undefined : await readPolicyFile(options.policy, network, modules);
  const reader = {
    home: parseRegionId(options.home),
    network,
    pin: parseFingerprint(options.pin),
    policy,
  };
  const held =
    options.held === undefined
      ? undefined
      : applySnapshot(modules, await readSnapshotFile(options.held), reader, undefined, nowS).holdings;
  const applied = applySnapshot(modules, bytes, reader, held, nowS);
  const reports = reportsOf(applied, nowS);
  const stale = reports.filter(isTooOld).map(({ region }) => region);
  cli.output.result({ home: reader.home, network, bytes: bytes.length, parts: reports, stale }, () => [
    `${printable(file)} ${standingOf(reports, stale)}, for verifiers of ${reader.home}:`,
    ...partLines(reports),
  ]);
  cli.exit = exitOf(reports, stale);
}

async function show(cli: Cli, file: string): Promise<void> {
  const bytes = await readSnapshotFile(file);
  const { network, parts } = parseSnapshot(bytes);
  const summary = parts.map(({ region, from, entries, base, checkpoint }) => ({
    region,
    kind: base === undefined ? 'delta' : 'full',
    from,
    entries: entries.length,
    items: base?.items.length ?? 0,
    signatures: parseNote(checkpoint).signatures.length,
  }));
  cli.output.result({ network, bytes: bytes.length, parts: summary }, () => [
    `Snapshot of network ${network}, ${figure(bytes.length)} bytes, nothing of it checked:`,
    ...aligned(
      summary.map(({ region, kind, from, entries, items, signatures }) => [
        region,
        `${kind}, ${counted(entries, 'entry').replace('entrys', 'entries')} from ${from}, ${counted(items, 'state item')}, ${counted(signatures, 'signature')}`,
      ]),
      '  ',
    ),
  ]);
}

/** Sizes of the logs that a holder of the snapshot has: not of those under a root that the home has given up since. */
function sizesOf({ logs }: Holdings, { home }: HomeView): Map<string, number> {
  const roots = new Map([[home.region, home.fingerprint]]);
  for (const one of home.state.recognitions())
    if (one.standing !== 'withdrawn') roots.set(one.region, one.fingerprint);
  const held = [...logs].filter(([region, { fold }]) => {
    const root = roots.get(region);
    return root && fold.state.fingerprint && equalBytes(root, fold.state.fingerprint);
  });
  return new Map(held.map(([region, { fold }]) => [region, fold.size]));
}

interface PartReport {
  readonly region: string;
  readonly effect: string;
  readonly fault: FaultCode | undefined;
  readonly knowledge: KnowledgeReport | undefined;
}

function reportsOf({ outcomes, holdings }: AppliedSnapshot, nowS: number): PartReport[] {
  return outcomes.map(({ region, effect, fault }) => ({
    region,
    effect,
    fault: fault?.code,
    knowledge: assessKnowledge(holdings.trust, region, nowS),
  }));
}

function standingOf(reports: readonly PartReport[], stale: readonly string[]): string {
  const refused = reports.filter(isRefused).map(({ region }) => region);
  const good = refused.length > 0 ? `is refused in parts (${refused.join(', ')})` : 'is good';
  if (stale.length === 0) return good;
  const genuine = refused.length > 0 ? good : 'is genuine';
  return `${genuine}, and too old (${stale.join(', ')}): make a new one`;
}

function isRefused({ fault }: PartReport): boolean {
  return fault !== undefined;
}

/** The worst that was found: a part ends a command as a whole snapshot does that is refused for the same fault. Of `undetermined` regions no code passes. */
function exitOf(reports: readonly PartReport[], undetermined: readonly string[]): ExitCode {
  const exits = reports.flatMap(({ fault }) => (fault === undefined ? [] : [exitOfFault(fault)]));
  return Math.max(EXIT.ok, ...exits, ...(undetermined.length > 0 ? [EXIT.undetermined] : [])) as ExitCode;
}

/** Whether codes of the region are undetermined by what the snapshot says of it, wherever no stricter limit holds. */
function isTooOld({ knowledge }: PartReport): boolean {
  return knowledge?.ageS !== undefined && knowledge.ageS > KNOWLEDGE_AGE_OFFLINE_S_MAX;
}

function partLines(reports: readonly PartReport[]): string[] {
  return aligned(
    reports.map(({ region, effect, fault, knowledge }) => {
      const known = knowledge === undefined ? 'nothing is known of it' : knowledgeText(knowledge);
      if (fault === undefined) return [region, `${effect}: ${known}`];
      const stays = knowledge === undefined ? '' : 'what was held stays, ';
      return [region, `${effect} (${fault}): ${stays}${known}`];
    }),
    '  ',
  );
}

function warningsOf(view: HomeView, reports: readonly PartReport[], path: string): string[] {
  const { newer } = view;
  const torn = tornOf(view);
  const missing = [...view.missing, ...torn];
  const lines = missing.map(({ region, reason }) => `${region} is left out: ${printable(reason)}`);
  for (const { region } of newer) {
    if (torn.some((one) => one.region === region)) continue;
    lines.push(
      `${region} has published more since, for which too few vouch yet; to have it too, run \`entente witness\` in more regions, then make this again.`,
    );
  }
  for (const { region, effect, fault } of reports) {
    if (fault !== undefined) lines.push(`${region} is not as it should be: ${fault}. Ask its operator.`);
    if (effect === 'left-out' || effect === 'beside')
      lines.push(`${region} lacks witnesses; have it vouched for, then make this again.`);
  }
  return [
    ...lines,
    ...movedTexts(view, path),
    ...behindTexts(view),
    ...badCopyTexts(view),
    ...vouchHints(view, path),
  ];
}

/** Regions that a snapshot leaves out because they have told two stories. */
function tornOf({ forked }: HomeView): MissingPeer[] {
  return [...forked].map((region) => ({ region, reason: branchText(region) }));
}
