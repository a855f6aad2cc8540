/** `entente verify`: the verdict on codes, from files alone or by asking nodes. */
import { createReadStream, existsSync } from 'node:fs';
import { type Command } from 'commander';
import { type ReadModules } from '../../node/region/modules.ts';
import { readPolicyFile } from '../../node/region/policy-file.ts';
import { withKeepLock } from '../../node/store/keep-lock.ts';
import { type DocumentInput } from '../../protocol/code/document.ts';
import { CODE_CHARS_MAX } from '../../protocol/limits.ts';
import { acceptanceByTrust, homeRules } from '../../protocol/rules/acceptance-by-trust.ts';
import { askedPlace, type AskedPlace } from '../../protocol/rules/asked-place.ts';
import { type Holdings, type PartOutcome, type SnapshotReader } from '../../protocol/snapshot/apply.ts';
import { parseSnapshot } from '../../protocol/snapshot/snapshot.ts';
import { type Trust } from '../../protocol/verdict/knowledge.ts';
import { type Place, type VerdictContext } from '../../protocol/verdict/verdict.ts';
import { type Cli, examples } from '../cli.ts';
import { codeLinesOf } from '../code-lines.ts';
import { CliError, EXIT, type ExitCode, usageError } from '../exit.ts';
import { judgeText, type JudgingOptions } from '../judging.ts';
import { type Kept, readKeepFile, writeKeepFile } from '../keep-file.ts';
import { PLACE_HELP, requireKnownWords } from '../place.ts';
import { printable } from '../printable.ts';
import { parseFingerprint, parseRegionId, publicPathOf, regionModules } from '../region.ts';
import { applyAll, holdingsOfRegion, readSnapshotFile } from '../snapshot-file.ts';
import { parseTime } from '../times.ts';
import { batchLine, groundLines, headline, reasonLines } from '../verdict-text.ts';
import {
  askedOf,
  inWhoseName,
  type Judge,
  type Judged,
  judgeThere,
  parseUrls,
  type VerifyOptions,
} from './verify-by-node.ts';
import { verifyForeignCodes } from './verify-foreign.ts';

/** A character of a code takes at most four bytes of UTF-8; what is longer is judged as too long, unread. */
const LINE_BYTES_MAX = 4 * CODE_CHARS_MAX;
const TOO_LONG = ' '.repeat(CODE_CHARS_MAX + 1);
/** Stands for bytes that are no UTF-8. */
const NOT_TEXT = '\ufffd';

export function addVerify(program: Command, cli: Cli): void {
  program
    .command('verify')
    .summary('judge codes')
    .description(
      'Judges one code, or every line of a file or of stdin, by a snapshot or by a region directory and its peers, which needs no network; or asks nodes. A code that is JSON may go over several lines.',
    )
    .argument('[code]', 'the text of a code, or - for stdin')
    .option('--file <file>', 'judge every line of a file')
    .option('--region <dir>', 'trust what this region and its peers publish; it is the home')
    .option(
      '--offline <snapshot>',
      'trust this snapshot; give it several times to apply several in order',
      collect,
    )
    .option(
      '--home <id>',
      'region in whose name you judge; with --node: its nodes alone give a verdict, unless --any-home is said',
    )
    .option(
      '--any-home',
      'with --node and --home: where no node of the home answers, take the verdict of one of another region, in the name of that',
    )
    .option('--pin <hex>', "fingerprint of the home's root")
    .option('--keep <file>', 'remember home, pin and snapshots here, and refuse older ones later')
    .option(
      '--policy <file>',
      'a tlog-policy that says who has to vouch, in the place of the table and of witness.policy of the region; not kept: name it each time',
    )
    .option('--at <time>', 'judge for another time than now')
    .option('--place <what>', PLACE_HELP)
    .option(
      '--rules <id>',
      "go by these rules of the home's trust log (with --node and no --home, of the region of the node), and by what they say of the kind of place",
    )
    .option('--role <role>', 'role of the person, as the rules know it')
    .option('--challenge <hex>', 'challenge that you gave to the holder')
    .option('--document <cc:number>', 'identity document that the person shows, as in DE:C01X00T47')
    .option('--proof <dir>', "directory with the issuer's logs, where a stolen key makes a proof necessary")
    .option('--node <urls>', 'ask these nodes, separated by commas, until one answers', parseUrls)
    .option(
      '--token <file>',
      'with --node: file with the token of an enrolled verifier, for codes that are mere numbers',
    )
    .option(
      '--foreign-keys <file>',
      'judge codes that others issued (HC1:, shc:/, VDS-NC) by this list of their keys; several times for several lists',
      collect,
    )
    .option('--explain', 'say what the verdict rests on')
    .addHelpText(
      'after',
      examples(
        ["entente verify --region CN-33 'ENT1:...' --explain", 'by the directory of your own region'],
        ["entente verify --offline home.snap --home CN-33 --pin 1f2e... 'ENT1:...'", 'by a snapshot'],
        ["entente verify --keep gate.json --offline delta.snap 'ENT1:...'", 'going on from what was kept'],
        [
          "entente verify --keep gate.json --policy gate.policy 'ENT1:...'",
          'by the witnesses whom this gate asks for',
        ],
        ["entente verify --node https://a.example,https://b.example 'ENT1:...'", 'by the first that answers'],
        [
          "entente verify --node https://a.example --token gate.token 'DE-4711'",
          'a code that is a mere number',
        ],
        [
          "entente verify --node https://a.example --rules cn-33 --place kind=hospital --role patient 'ENT1:...'",
          'by a node, and the rules of a hospital',
        ],
        ["entente verify --foreign-keys dsc-list.json 'HC1:...'", 'a code of others, by their keys'],
        [
          "entente verify --region CN-33 --rules cn-33 --place kind=station 'ENT1:...'",
          'by the rules of a station',
        ],
        [
          'entente verify --region CN-33 --file codes.txt',
          'one line per code: verdict, colour, place, reasons',
        ],
      ),
    )
    .action((code: string | undefined, options: VerifyOptions) => verify(cli, code, options));
}

function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

async function verify(cli: Cli, code: string | undefined, options: VerifyOptions): Promise<void> {
  if (code !== undefined && options.file !== undefined) throw usageError('give a code or --file, not both');
  if (options.file !== undefined && !existsSync(options.file))
    throw usageError(`there is no file ${printable(options.file)}`);
  if (options.foreignKeys !== undefined) {
    const { foreignKeys, file, at, ...others } = options;
    if (Object.keys(others).length > 0) throw usageError('--foreign-keys goes with --file and --at alone');
    return verifyForeignCodes(cli, code, { foreignKeys, file, at });
  }
  if (options.token !== undefined && options.node === undefined)
    throw usageError('--token goes with --node', 'Numbers are looked up by nodes alone.');
  if (options.anyHome === true && (options.node === undefined || options.home === undefined))
    throw usageError('--any-home goes with --node and --home');
  const judge = await (options.node === undefined
    ? judgeHere(cli, options)
    : judgeThere(cli, options, options.node));
  if (code !== undefined && code !== '-') report(cli, await judge(code), options);
  else await judgeLines(cli, options, judge);
}

/** By what this machine holds. */
async function judgeHere(cli: Cli, options: VerifyOptions): Promise<Judge> {
  const nowS = options.at === undefined ? cli.surroundings.nowS() : parseTime(options.at);
  // What is mistyped is told before anything is read.
  const asked = askedOf(options);
  const modules = { ...(await regionModules(cli)), nowS: () => nowS };
  const { trust } = await holdingsFor(cli, options, modules);
  const { rules, role } = options;
  const context: VerdictContext = {
    place: placeBy(trust, asked.place, { rules, role }),
    challenge: asked.challenge,
    mode: 'offline',
    acceptance: acceptanceByTrust(trust, { rules, role }),
  };
  const judging: JudgingOptions = {
    trust,
    context,
    nowS,
    document: options.document === undefined ? undefined : parseDocument(options.document),
    mirror: options.proof === undefined ? undefined : await publicPathOf(options.proof),
  };
  return (text) => judgeText(modules, text, judging);
}

/** The place by the rules of the home that are named. @throws {CliError} NOT_FOUND; USAGE for a kind or role that they do not know. */
function placeBy(
  trust: Trust,
  asked: AskedPlace,
  { rules, role }: { readonly rules: string | undefined; readonly role: string | undefined },
): Place {
  if (rules === undefined) return askedPlace(asked);
  const ruleSet = homeRules(trust, rules);
  if (ruleSet === undefined)
    throw new CliError(
      EXIT.failure,
      'NOT_FOUND',
      `${trust.home} has no rules ${printable(rules)} that can be used`,
      {
        hint: 'Log them with `entente rules activate`, and fetch trust data that is newer than that.',
      },
    );
  const place = askedPlace(asked, ruleSet);
  requireKnownWords(ruleSet, place, role);
  return place;
}

/** Every line gets a verdict; a single line is reported as an argument is. The worst of them decides how the command ends. */
async function judgeLines(cli: Cli, options: VerifyOptions, judge: Judge): Promise<void> {
  const source = options.file === undefined ? cli.surroundings.stdin : createReadStream(options.file);
  let first: Judged | undefined;
  let count = 0;
  for await (const { text, isTooLong } of codeLinesOf(source as AsyncIterable<Uint8Array>, LINE_BYTES_MAX)) {
    const verdict = await judge(text ?? (isTooLong ? TOO_LONG : NOT_TEXT));
    if (++count === 1) first = verdict;
    else if (count === 2 && first !== undefined) reportLine(cli, first);
    if (count > 1) reportLine(cli, verdict);
  }
  if (first === undefined)
    throw usageError('there is no code to judge', 'Give one as an argument, with --file or on stdin.');
  if (count === 1) report(cli, first, options);
}

function report(cli: Cli, verdict: Judged, { explain }: VerifyOptions): void {
  const { output } = cli;
  output.result(verdict, () => [
    headline(verdict, output.colours),
    ...inWhoseName(verdict).map((line) => `  WARNING: ${line}`),
    ...reasonLines(verdict, output.colours),
    ...(explain === true ? ['', ...groundLines(verdict)] : []),
  ]);
  cli.exit = worse(cli.exit, exitOf(verdict));
}

function reportLine(cli: Cli, verdict: Judged): void {
  cli.output.result(verdict, () => [[batchLine(verdict), ...inWhoseName(verdict)].join('\t')]);
  cli.exit = worse(cli.exit, exitOf(verdict));
}

function exitOf({ outcome }: Judged): ExitCode {
  if (outcome === 'pass') return EXIT.ok;
  return outcome === 'undetermined' ? EXIT.undetermined : EXIT.stop;
}

/** Act and stop outrank undetermined, which outranks pass. */
function worse(a: ExitCode, b: ExitCode): ExitCode {
  const ranks: readonly ExitCode[] = [EXIT.ok, EXIT.undetermined, EXIT.stop];
  return ranks.indexOf(a) >= ranks.indexOf(b) ? a : b;
}

async function holdingsFor(cli: Cli, options: VerifyOptions, modules: ReadModules): Promise<Holdings> {
  const { region, offline = [], keep } = options;
  if (region !== undefined) {
    if (offline.length > 0 || keep !== undefined)
      throw usageError('--region goes without --offline and --keep');
    const { holdings, warnings } = await holdingsOfRegion(region, modules, { policyFile: options.policy });
    for (const line of warnings) cli.output.note(line);
    return holdings;
  }
  const isAdding = keep !== undefined && offline.length > 0;
  return isAdding
    ? withKeepLock(keep, () => holdingsOf(cli, options, modules))
    : holdingsOf(cli, options, modules);
}

/** What is held by what was kept and is offered; kept again if it may have changed. */
async function holdingsOf(cli: Cli, options: VerifyOptions, modules: ReadModules): Promise<Holdings> {
  const { offline = [], keep, policy, at } = options;
  const kept = keep === undefined ? undefined : await readKeepFile(keep, modules, policy);
  const snapshots = await Promise.all(offline.map(readSnapshotFile));
  const reader = await readerOf(options, kept, snapshots[0], modules);
  const applied = applyAll(modules, snapshots, reader, kept?.holdings, modules.nowS());
  for (const outcome of applied?.outcomes ?? []) {
    const line = outcomeText(outcome, applied?.holdings);
    if (line !== undefined) cli.output.note(line);
  }
  const holdings = applied?.holdings ?? kept?.holdings;
  if (holdings === undefined)
    throw usageError('say what to trust: --region DIR, or --offline SNAPSHOT with --home and --pin');
  if (keep === undefined || applied === undefined) return holdings;
  // What another time makes of a snapshot is no knowledge of today.
  if (at !== undefined) cli.output.note(`with --at nothing is kept: ${printable(keep)} stays as it was`);
  else await writeKeepFile(keep, { reader, holdings }, modules);
  return holdings;
}

/** What to say of a part of which not all was taken. */
function outcomeText({ region, effect, fault }: PartOutcome, holdings?: Holdings): string | undefined {
  const isKnown = holdings?.trust.regions.has(region) === true;
  const rest = isKnown ? 'what was known of it stays' : 'nothing is known of it';
  if (fault !== undefined)
    return `${region}: what the snapshot says of it is refused, ${rest} [${fault.code}]`;
  if (effect === 'beside')
    return `${region}: too few vouch for what the snapshot says of it: what that revokes counts, ${rest}`;
  if (effect === 'left-out' && holdings?.unheld.has(region) === true)
    return `${region}: too few vouch for what the snapshot says of it: ${rest}`;
  return undefined;
}

/** Whom the verifier trusts: as kept, or as told. The network stands in the root that the pin names, so the snapshot may tell it. */
async function readerOf(
  options: VerifyOptions,
  kept: Kept | undefined,
  snapshot: Uint8Array | undefined,
  modules: ReadModules,
): Promise<SnapshotReader> {
  const { home, pin } = options;
  if (kept !== undefined) {
    const isOther = (home ?? kept.reader.home) !== kept.reader.home;
    if (!isOther && (pin === undefined || Buffer.compare(parseFingerprint(pin), kept.reader.pin) === 0))
      return kept.reader;
    throw usageError(
      '--keep holds another home or pin',
      'Use another file to keep what another verifier holds.',
    );
  }
  if (home === undefined || pin === undefined || snapshot === undefined) {
    throw usageError('say what to trust: --region DIR, or --offline SNAPSHOT with --home and --pin');
  }
  const { network } = parseSnapshot(snapshot);
  const policy =
    options.policy === undefined ? undefined : await readPolicyFile(options.policy, network, modules);
  return { home: parseRegionId(home), pin: parseFingerprint(pin), network, policy };
}

function parseDocument(text: string): DocumentInput {
  const [, country, number] = /^([A-Z]{2}):(.{4,256})$/.exec(text) ?? [];
  if (country === undefined || number === undefined) {
    throw usageError('expected a document as country and number, as in DE:C01X00T47');
  }
  return { country, number };
}
