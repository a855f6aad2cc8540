/** `entente adapter announce|show|withdraw`: a local code that goes on as it is, and counts where its region is recognised. */
import { type Command, Option } from 'commander';
import { type AdapterFormat } from '../../protocol/foreign/adapter.ts';
import { FOREIGN_KEYS_MAX } from '../../protocol/foreign/foreign-limits.ts';
import { readRuleSet, type RuleSet } from '../../protocol/rules/rule-set.ts';
import { type Cli, examples } from '../cli.ts';
import {
  ADAPTER_ID,
  announcing,
  formatOf,
  isAnnouncing,
  ownKeys,
  piecesOf,
  requireDeclared,
  requireOwnId,
  requireTried,
  takingBack,
} from '../adapter/announcement.ts';
import {
  announcedBefore,
  authoritiesLeftOut,
  leftOut,
  requireNoAuthorityLeftOut,
  requireNoneLeftOut,
} from '../adapter/replacing.ts';
import {
  addAuthorityOptions,
  announcedText,
  type AuthorityOptions,
  chosenAuthorities,
  lineOf,
  onlyAuthorities,
  refusedSigners,
} from '../adapter/authorities.ts';
import { type RevokeForeignOptions, revokeForeign, STAYS } from '../adapter/revoke-foreign.ts';
import { type IssuerOptions, issuersOf, issuersText, keysOfChosen } from '../adapter/issuers.ts';
import { type CheckOptions, checkLocal } from '../adapter/check-local.ts';
import { noAdapter, showAdapters } from '../adapter/show-adapters.ts';
import { readFacts } from '../adapter/facts-file.ts';
import { readLocalFiles } from '../adapter/local-profile.ts';
import { addAdapterRules } from './adapter-rules.ts';
import { type KeyList } from '../../node/foreign/key-list.ts';
import { RULES_ARGUMENT } from '../rules/rule-argument.ts';
import { appendByRoot } from '../ceremony/by-root.ts';
import { type Desk } from '../desk/desk.ts';
import { withDesk } from '../desk/with-desk.ts';
import { CliError, EXIT, usageError } from '../exit.ts';
import { readKeySource } from '../key-source.ts';
import { counted } from '../output.ts';
import { printable } from '../printable.ts';
import { draftOption, type RootOptions, withoutPeersOption } from '../region.ts';
import { parseSpan, parseTime, type SpanBounds, timeText } from '../times.ts';

/** As recognitions: those who decided are to look at it again. */
const HOLDS: SpanBounds = { from: '1h', to: '1825d' };

interface AnnounceOptions extends RootOptions, IssuerOptions, AuthorityOptions {
  readonly keys?: readonly string[];
  readonly rules: string;
  readonly facts?: string;
  readonly format?: AdapterFormat;
  readonly profile?: string;
  readonly from?: string;
  readonly for: string;
  readonly dropKeys?: true;
}

export function addAdapter(program: Command, cli: Cli): void {
  const adapter = program
    .command('adapter')
    .summary('let a code that exists already count elsewhere')
    .description(
      'A local code keeps its format, its keys and its issuer. The region announces the keys in its trust log, and whoever recognises it with --way adapter checks the code as it is.',
    );
  addAuthorityOptions(adapter.command('announce'))
    .description(
      'Signs with the root which keys sign the local code, and by which rules what it says becomes a colour. Announced anew, the keys named now take the place of those before; codes issued before --from go on not to count.',
    )
    .argument('<region>', 'directory of the region')
    .argument(
      '<id>',
      'name of the adapter: small letters, digits and hyphens, at most 28, without a hyphen and a number at its end',
    )
    .option(
      '--keys <file>',
      'list of keys, as for verify --foreign-keys; several times for several lists. May be left out beside --authorities',
      (value: string, before: readonly string[] = []) => [...before, value],
    )
    .requiredOption('--rules <id>', "rules of the region's trust log that decide on the facts")
    .option(
      '--facts <file>',
      'JSON: for each fact, where the code says it (for hcert, by default as the profile hcert has it)',
    )
    .addOption(
      new Option('--format <format>', 'announce only the keys of this format').choices([
        'hcert',
        'shc',
        'vdsnc',
      ]),
    )
    .option(
      '--profile <file>',
      "JSON: how codes of the region's own format are read; --keys are then JWK sets",
    )
    .option(
      '--issuer <url>',
      'of a directory of issuers of cards, announce this one; several times for several',
      (value: string, before: readonly string[] = []) => [...before, value],
    )
    .option('--all-issuers', 'of a directory of issuers of cards, announce every one')
    .option(
      '--from <time>',
      'codes issued before do not count (default: as announced before; else whatever the keys may sign)',
    )
    .option('--for <span>', `how long the keys sign codes that count, ${HOLDS.from} to ${HOLDS.to}`, '365d')
    .option(
      '--drop-keys',
      'keys announced before that are not named now are announced no more: their codes are refused',
    )
    .addOption(draftOption())
    .addOption(withoutPeersOption())
    .addHelpText(
      'after',
      examples(
        [
          'entente adapter announce DE dcc --keys dsc-list.json --rules hcert',
          'EU Digital COVID Certificates',
        ],
        [
          'entente adapter announce DE cards --keys https://a.example=jwks.json --rules cards --facts facts.json',
          'SMART Health Cards',
        ],
        [
          'entente adapter announce DE cards --keys directory.json --issuer https://a.example --rules cards --facts facts.json',
          'of a directory of their issuers, one',
        ],
        [
          'entente adapter announce DE seals --authorities csca/ --all-authorities --rules hcert --facts seals.json',
          'seals, by the authorities that issue to their signers',
        ],
        [
          'entente adapter announce DE own --profile pass.json --keys keys.json --rules local',
          'a format of its own',
        ],
      ),
    )
    .action((region: string, id: string, options: AnnounceOptions) => announce(cli, region, id, options));
  adapter
    .command('check')
    .description(
      "Says what the profile of a region's own format makes of example codes, before it is announced: whether each is read and signed, and its colour. Fails if one is not.",
    )
    .argument('<profile>', 'JSON file of the profile')
    .argument('[codes...]', 'texts of codes')
    .requiredOption(
      '--keys <file>',
      'JWK set of the keys that sign the codes; several times for several sets',
      (value: string, before: readonly string[] = []) => [...before, value],
    )
    .option('--rules <rules>', RULES_ARGUMENT, 'local')
    .option(
      '--facts <file>',
      'JSON: for each fact, where the code says it (default: as the profile local has it)',
    )
    .option('--file <file>', 'check every line of a file of codes')
    .option('--at <time>', 'at another time than now')
    .addHelpText(
      'after',
      examples(
        ['entente adapter check pass.json --keys keys.json --file examples.txt', 'all codes of a file'],
        [
          "entente adapter check pass.json --keys keys.json 'ZZJ:...' --json",
          'one code, with all that it says',
        ],
      ),
    )
    .action((profile: string, codes: readonly string[], options: CheckOptions) =>
      checkLocal(cli, profile, codes, options),
    );
  addAdapterRules(adapter, cli);
  adapter
    .command('show')
    .description('Lists the adapters of a region, or says all of one.')
    .argument('<region>', 'directory of the region')
    .argument('[id]', 'name of an adapter')
    .addHelpText(
      'after',
      examples(
        ['entente adapter show DE', 'formats, keys and rules'],
        ['entente adapter show DE dcc --json', 'with all keys'],
      ),
    )
    .action((region: string, id: string | undefined) => showAdapters(cli, region, id));
  adapter
    .command('revoke')
    .description(
      'Signs with the trust-log key that a code of others counts no more wherever this region is recognised: all codes of the same identifier, where it has one. Nothing takes it back.',
    )
    .argument('<region>', 'directory of the region whose adapter the code is of')
    .argument('[code]', 'the text of the code, or - for stdin')
    .option('--file <file>', 'revoke every line of a file of codes')
    .option('--hashes <file>', 'revoke by hashes of 16 bytes, one a line, or by a batch of them as JSON')
    .option(
      '--for <span>',
      `how long it stays where no expiry of a code ends it, ${STAYS.from} to ${STAYS.to} (default: ${STAYS.to})`,
    )
    .addOption(withoutPeersOption())
    .addHelpText(
      'after',
      examples(
        ["entente adapter revoke DE 'HC1:...'", 'one certificate'],
        ['entente adapter revoke DE --hashes batch.json', 'what the issuer revoked elsewhere'],
      ),
    )
    .action((region: string, code: string | undefined, options: RevokeForeignOptions) =>
      revokeForeign(cli, region, code, options),
    );
  adapter
    .command('withdraw')
    .description(
      'Signs with the root that an adapter announces nothing any more: no code counts by its keys, whenever it was issued.',
    )
    .argument('<region>', 'directory of the region')
    .argument('<id>', 'name of the adapter')
    .addOption(draftOption())
    .addOption(withoutPeersOption())
    .addHelpText(
      'after',
      examples(['entente adapter withdraw DE dcc', 'codes are refused as soon as this is known']),
    )
    .action((region: string, id: string, options: RootOptions) => withdraw(cli, region, id, options));
}

async function announce(cli: Cli, path: string, id: string, options: AnnounceOptions): Promise<void> {
  if (!ADAPTER_ID.test(id))
    throw usageError('expected the name of an adapter: small letters, digits and hyphens');
  const span = parseSpan(options.for, HOLDS);
  if (options.profile !== undefined && options.format !== undefined)
    throw usageError('--profile has the keys of its own format alone: leave --format out');
  if (options.profile !== undefined && (options.issuer ?? options.allIssuers) !== undefined)
    throw usageError('--issuer and --all-issuers choose from a directory of issuers of cards');
  const { keys: sources = [] } = options;
  if (sources.length === 0 && options.authorities === undefined)
    throw usageError('say by --keys or --authorities who signs the codes');
  if (options.profile !== undefined && options.authorities !== undefined)
    throw usageError('--authorities vouch for signers of seals, and --profile is for another format');
  const lists = options.profile === undefined ? await readLists(cli, sources) : [];
  const listed = keysOfChosen(lists, options);
  const inLists = lists.reduce((count, list) => count + list.authorities.length, 0);
  await withDesk(
    cli,
    path,
    async (desk, { nowS }) => {
      const { region } = desk.config;
      const local =
        options.profile === undefined
          ? undefined
          : await readLocalFiles(cli, region, { profile: options.profile, keys: sources });
      const wanted = local?.keys ?? listed;
      if (wanted.length > FOREIGN_KEYS_MAX)
        throw usageError(`expected at most ${counted(FOREIGN_KEYS_MAX, 'key')} together`);
      const { own, others, unnamed } = ownKeys(region, wanted);
      if (others > 0)
        cli.output.note(
          `${counted(others, 'key')} of other countries left out: ${region} announces its own alone`,
        );
      if (unnamed > 0)
        cli.output.note(
          `${counted(unnamed, 'key')} of no country that anything says: whoever has them speaks for ${region} from now on`,
        );
      if (own.length === 0 && others > 0) throw notOwn(region);
      const chosen = await chosenAuthorities(cli, region, options);
      const authorities = chosen.map(({ authority }) => authority);
      if (inLists > 0 && own.length + authorities.length === 0) throw onlyAuthorities(inLists);
      if (inLists > 0)
        cli.output.note(
          `${counted(inLists, 'certificate')} of authorities left out of --keys, which sign codes themselves: name them by --authorities`,
        );
      const format = own.length === 0 && authorities.length > 0 ? 'vdsnc' : formatOf(own);
      if (authorities.length > 0 && format !== 'vdsnc')
        throw usageError(`authorities vouch for signers of seals, and the keys are of ${format}`);
      requireOwnId(desk.state, id, format);
      const facts = await readFacts(options.facts, format);
      const ruleSet = requireRules(desk, path, options.rules);
      requireDeclared(facts, ruleSet);
      const before = announcedBefore(desk.state, id);
      const dropped = before === undefined ? [] : leftOut(before, own);
      const droppedAuthorities = before === undefined ? [] : authoritiesLeftOut(before, authorities);
      if (options.dropKeys !== true) {
        requireNoneLeftOut(id, dropped);
        requireNoAuthorityLeftOut(id, droppedAuthorities);
      }
      const refused = [...(before?.refused ?? []), ...(await refusedSigners(options))];
      // Codes that are older than the adapter are why there is one.
      const from = options.from === undefined ? (before?.fromS ?? 0) : parseTime(options.from);
      if (before !== undefined && from < before.fromS)
        cli.output.note(
          `codes issued from ${timeText(from)} on count; before, those from ${timeText(before.fromS)} on`,
        );
      const until = nowS() + span;
      if (from >= until) throw usageError('--from names a time after the end of --for');
      if (local !== undefined) requireTried(desk.state, id, local.profile);
      const { statements, takenBack } = announcing(desk.state, {
        ...{ id, rules: ruleSet.id, facts, keys: own, authorities, refused, from, until },
        profile: local?.profile,
      });
      const index = await appendByRoot(cli, desk, statements, options);
      cli.output.result(
        {
          ...{ home: region, adapter: id, format, keys: own.length, rules: ruleSet.id, index, from, until },
          ...(format === 'shc' && { issuers: issuersOf(own) }),
          ...(chosen.length > 0 && {
            authorities: chosen.map(({ name, fingerprint }) => ({ name, fingerprint })),
          }),
          dropped: [...dropped.map(({ keyId }) => keyId), ...droppedAuthorities],
          takenBack,
        },
        () => [
          `${region} announces ${announcedText(own.length, chosen.length)} of ${format} as ${id} until ${timeText(until)}, by entry ${index} of its trust log.`,
          ...(format === 'shc' ? [`Of ${issuersText(issuersOf(own))}.`] : []),
          ...chosen.map((one) => `  ${lineOf(one)}`),
          ...(from === 0 ? [] : [`Codes issued before ${timeText(from)} do not count.`]),
          ...(dropped.length + droppedAuthorities.length === 0
            ? []
            : [
                `Announced no more: ${announcedText(dropped.length, droppedAuthorities.length)}, whose codes are refused.`,
              ]),
          ...takenBackLines(takenBack),
          'Its codes count where the region is recognised in this way:',
          `  entente recognise <their region> ${printable(path)} --way adapter`,
        ],
      );
    },
    options,
  );
}

async function readLists(cli: Cli, sources: readonly string[]): Promise<readonly KeyList[]> {
  const lists: KeyList[] = [];
  for (const source of sources) lists.push(await readKeySource(cli, source));
  return lists;
}

function requireRules({ state, config }: Desk, path: string, id: string): RuleSet {
  const logged = state.rules(id);
  const ruleSet = logged && readRuleSet(logged).ruleSet;
  if (ruleSet !== undefined) return ruleSet;
  throw new CliError(
    EXIT.failure,
    'NOT_FOUND',
    `${config.region} has no rules ${printable(id)} that can be used`,
    {
      hint: `Log them first: entente rules activate ${printable(path)} ${printable(id)}`,
    },
  );
}

async function withdraw(cli: Cli, path: string, id: string, options: RootOptions): Promise<void> {
  await withDesk(
    cli,
    path,
    async (desk, { nowS }) => {
      const adapters = piecesOf(desk.state, id).filter(isAnnouncing);
      const takenBack = adapters.map((logged) => logged.id);
      const statements = takingBack(adapters, nowS());
      if (statements.length === 0) throw noAdapter(desk.config.region, id);
      const index = await appendByRoot(cli, desk, statements, options);
      const home = desk.config.region;
      cli.output.result({ home, adapter: id, index, takenBack }, () => [
        `${home} announces nothing as ${id} any more, by entry ${index} of its trust log.`,
        ...takenBackLines(takenBack.slice(1)),
      ]);
    },
    options,
  );
}

function takenBackLines(pieces: readonly string[]): string[] {
  return pieces.length === 0 ? [] : [`Taken back with it: ${pieces.join(', ')}.`];
}

function notOwn(region: string): CliError {
  return new CliError(EXIT.failure, 'KEY_FOREIGN', `none of the keys is of ${region}`, {
    hint: 'A region announces the signers of its own country. Others announce theirs, and are recognised for them.',
  });
}
