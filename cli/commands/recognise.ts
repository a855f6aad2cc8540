/** `entente recognise`: this region's people may meet codes of another, and how they judge them. */
import { relative } from 'node:path';
import { type Command } from 'commander';
import { editConfig } from '../../node/config/config-file.ts';
import { requirePublishesHere } from '../../node/region/moved.ts';
import { readPublicRegion } from '../../node/region/public-region.ts';
import { type RegionModules } from '../../node/region/modules.ts';
import { equalBytes } from '../../protocol/bytes.ts';
import { isRuleId } from '../../protocol/code/status.ts';
import { type Recognition, type RecognitionWay } from '../../protocol/trust/trust-state.ts';
import { type Cli, examples } from '../cli.ts';
import { appendByRoot } from '../ceremony/by-root.ts';
import { type Desk } from '../desk/desk.ts';
import { withDesk } from '../desk/with-desk.ts';
import { CliError, EXIT, usageError } from '../exit.ts';
import {
  type Awaited,
  awaitedFor,
  belowQuorumOption,
  newcomerLines,
  type QuorumOptions,
  requireQuorums,
  type Short,
} from '../joining/quorums.ts';
import { aligned } from '../output.ts';
import { printable } from '../printable.ts';
import {
  draftOption,
  fingerprintText,
  parseFingerprint,
  parseRegionId,
  publicPathOf,
  type RootOptions,
  withoutPeersOption,
} from '../region.ts';
import {
  beginOf,
  changeText,
  platformText,
  requireTerms,
  type Terms,
  termsOf,
  termsText,
  viaOption,
  wayOption,
  windowText,
} from '../recognition/terms.ts';
import { parseSpan, parseTime, type SpanBounds, timeText } from '../times.ts';

/** Five years: the root is to look at whom it recognises while those who decided are still there. */
const HOLDS: SpanBounds = { from: '1s', to: '1825d' };

/** What begins later than this is for those to decide who are there then. */
const FROM_S_MAX = 365 * 86_400;

interface RecogniseOptions extends RootOptions, QuorumOptions {
  readonly region?: string;
  readonly fingerprint?: string;
  readonly way?: RecognitionWay;
  readonly via?: string;
  /** False where it is told that there are none. */
  readonly rules?: string | false;
  readonly from?: string;
  readonly for: string;
  readonly newRoot?: true;
}

interface Recognised {
  readonly region: string;
  readonly fingerprint: Uint8Array;
  /** What the region calls itself, where its log is at hand. */
  readonly name?: string | undefined;
  readonly publicPath?: string;
}

export function addRecognise(program: Command, cli: Cli): void {
  program
    .command('recognise')
    .summary('recognise another region')
    .description(
      'Signs with the root that codes of another region count here. Said again, of one that is suspended too, it goes on as before in all that is not told anew. Compare its fingerprint with the people who run it, by another way than this network.',
    )
    .argument('<region>', 'directory of the region that recognises')
    .argument('[peer]', 'directory of the other region, or the one that it publishes')
    .option('--fingerprint <hex>', 'fingerprint that the other region must have')
    .option('--region <id>', 'id of the other region, where its directory is not at hand')
    .addOption(wayOption())
    .addOption(viaOption())
    .option('--rules <id>', "acceptance rules for its codes, of this region's trust log (default: as before)")
    .option('--no-rules', 'its codes go by the colour alone')
    .option(
      '--from <time>',
      'when it begins, a time to come or `now` (default: as before where that is to come, or else now)',
    )
    .option('--for <span>', `how long the recognition holds from then on, at most ${HOLDS.to}`, '365d')
    .option('--new-root', 'it was set up anew: codes of its root before count no more')
    .addOption(belowQuorumOption())
    .addOption(draftOption())
    .addOption(withoutPeersOption())
    .addHelpText(
      'after',
      examples(
        ['entente recognise CN-33 DE', 'by its directory; prints the fingerprint to compare'],
        ['entente recognise CN-33 --region DE --fingerprint 1f2e...', 'by its fingerprint alone'],
        ['entente recognise DE CN-33 --way bridge --via FR', 'its codes, through the platform FR'],
        ['entente recognise DE FR --way bridge --via FR', 'a platform alone: none of its own'],
        ['entente recognise DE IT --from 2027-01-01T00:00:00Z --for 90d', 'from the new year on'],
      ),
    )
    .action((region: string, peer: string | undefined, options: RecogniseOptions) =>
      recognise(cli, region, peer, options),
    );
}

async function recognise(
  cli: Cli,
  path: string,
  peer: string | undefined,
  options: RecogniseOptions,
): Promise<void> {
  const { rules, via } = options;
  if (typeof rules === 'string' && !isRuleId(rules))
    throw usageError('expected the id of rules: lower-case letters, digits and hyphens');
  const span = parseSpan(options.for, HOLDS);
  if (via !== undefined) parseRegionId(via);
  await withDesk(
    cli,
    path,
    async (desk, modules) => {
      const other =
        peer === undefined ? byFingerprint(options) : await byDirectory(desk, peer, options, modules);
      if (other.region === desk.config.region) throw usageError('a region does not recognise itself');
      const before = desk.state.recognition(other.region);
      const terms = termsOf(before, options);
      requireTerms(desk, terms);
      if (options.newRoot !== true) requireSameRoot(desk, other);
      const nowS = modules.nowS();
      const from = options.from === undefined ? beginOf(before, nowS) : toldBegin(before, options.from, nowS);
      const until = from + span;
      const { region, fingerprint } = other;
      const { way } = terms;
      const belowQuorum = await requireQuorums({ region, way }, { desk, nowS: from }, options);
      const witnesses = awaitedFor(region, desk, from);
      const version = (before?.version ?? 0) + 1;
      const nameDirectory = async () => {
        if (other.publicPath === undefined) return;
        const value = relative(desk.layout.path, other.publicPath);
        await editConfig(desk.layout.config, [{ at: ['peers', region, 'directory'], value }]);
        await desk.reload();
      };
      const recognition = { kind: 'recognition', region, version, fingerprint } as const;
      if (options.draft !== undefined) await nameDirectory();
      await appendByRoot(cli, desk, [{ ...recognition, ...terms, from, until }], options);
      await nameDirectory();
      if (options.newRoot === true)
        cli.output.note('A node that runs follows the new root once it is started again.');
      const platform = platformText(desk, region, terms);
      if (platform !== undefined) cli.output.note(platform);
      const changed = changeText(before, terms);
      report(cli, desk.config.region, {
        ...other,
        ...{ version, from, until, nowS, terms, changed, witnesses, belowQuorum },
      });
    },
    options,
  );
}

/**
 * When a recognition begins that is told when. One that counts now is not put off: its codes would be stopped until then.
 * @throws {CliError} USAGE for a time that is over or years ahead; REFUSED.
 */
function toldBegin(before: Recognition | undefined, told: string, nowS: number): number {
  if (told === 'now') return nowS;
  const from = parseTime(told);
  if (from < nowS)
    throw usageError(
      `--from is over: ${timeText(from)}`,
      'Name a time to come, or leave it out to begin now.',
    );
  if (from - nowS > FROM_S_MAX) throw usageError('--from is more than a year ahead');
  if (before?.standing === 'recognised' && before.fromS <= nowS && nowS < before.untilS && from > nowS)
    throw new CliError(
      EXIT.failure,
      'REFUSED',
      `${before.region} is recognised now, and its codes would be stopped until ${timeText(from)}`,
      {
        hint: 'Nothing was changed. Say it without --from; or, if they are to be stopped until then, `entente withdraw` first.',
      },
    );
  return from;
}

/** A fingerprint that was mistyped would cost all that is held of the region, and its codes count nowhere here. */
function requireSameRoot({ config, state }: Desk, { region, fingerprint }: Recognised): void {
  const before = state.recognition(region);
  if (before === undefined || before.standing === 'withdrawn') return;
  if (equalBytes(before.fingerprint, fingerprint)) return;
  throw new CliError(
    EXIT.inconsistent,
    'PIN_MISMATCH',
    `${config.region} recognises ${region} under another fingerprint: ${fingerprintText(before.fingerprint)}`,
    {
      hint: `Nothing was recognised. If ${region} was set up anew, and its operator has told you so, say --new-root: codes of its root before count no more.`,
    },
  );
}

function byFingerprint({ region, fingerprint }: RecogniseOptions): Recognised {
  if (region === undefined || fingerprint === undefined) {
    throw usageError('name the directory of the other region, or give both --region and --fingerprint');
  }
  return { region: parseRegionId(region), fingerprint: parseFingerprint(fingerprint) };
}

async function byDirectory(
  { config }: Desk,
  peer: string,
  options: RecogniseOptions,
  modules: RegionModules,
): Promise<Recognised> {
  const publicPath = await publicPathOf(peer);
  await requirePublishesHere(publicPath);
  const region = options.region && parseRegionId(options.region);
  const { network } = config;
  const published = await readPublicRegion(publicPath, { region, network }, modules);
  const { fingerprint, state } = published;
  if (options.fingerprint !== undefined && !equalBytes(parseFingerprint(options.fingerprint), fingerprint)) {
    throw new CliError(
      EXIT.inconsistent,
      'PIN_MISMATCH',
      `${published.region} has another fingerprint: ${fingerprintText(fingerprint)}`,
      {
        hint: 'Nothing was recognised. Ask the other region for its fingerprint again, by another way.',
      },
    );
  }
  return { region: published.region, fingerprint, name: state.root?.name, publicPath };
}

interface Reported extends Recognised {
  readonly version: number;
  readonly from: number;
  readonly until: number;
  readonly nowS: number;
  readonly terms: Terms;
  /** The terms before, in words, where they were others. */
  readonly changed: string | undefined;
  readonly witnesses: Awaited;
  readonly belowQuorum: readonly Short[];
}

function report(cli: Cli, home: string, { terms, changed, ...other }: Reported): void {
  const { region, fingerprint, name, version, from, until, nowS, witnesses, belowQuorum } = other;
  const told = { home, region, name, fingerprint, version, from, until, ...terms, witnesses, belowQuorum };
  const window = windowText({ fromS: from, untilS: until }, nowS);
  cli.output.result(told, () => [
    `${home} recognises ${region}${name === undefined ? '' : ` (${printable(name)})`} ${window}, ${termsText(terms)}.`,
    ...(from > nowS ? [`Until then its codes are stopped here, and it is followed already.`] : []),
    ...(changed === undefined ? [] : [`Until now: ${changed}.`]),
    ...newcomerLines(region, witnesses, belowQuorum),
    ...aligned([['compare', fingerprintText(fingerprint)]], '  '),
  ]);
}
