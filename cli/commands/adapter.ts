/** `entente adapter announce|check|rules|show|revoke|withdraw`: a local code that goes on as it is, and counts where its region is recognised. */
import { type Command } from 'commander';
import { isAnnouncing, piecesOf, takenBackLines, takingBack } from '../adapter/announcement.ts';
import { type CheckOptions, checkLocal } from '../adapter/check-local.ts';
import { type RevokeForeignOptions, revokeForeign, STAYS } from '../adapter/revoke-foreign.ts';
import { noAdapter, showAdapters } from '../adapter/show-adapters.ts';
import { appendByRoot } from '../ceremony/by-root.ts';
import { type Cli, examples } from '../cli.ts';
import { withDesk } from '../desk/with-desk.ts';
import { draftOption, type RootOptions, withoutPeersOption } from '../region.ts';
import { RULES_ARGUMENT } from '../rules/rule-argument.ts';
import { addAdapterAnnounce } from './adapter-announce.ts';
import { addAdapterRules } from './adapter-rules.ts';

export function addAdapter(program: Command, cli: Cli): void {
  const adapter = program
    .command('adapter')
    .summary('let a code that exists already count elsewhere')
    .description(
      'A local code keeps its format, its keys and its issuer. The region announces the keys in its trust log, and whoever recognises it with --way adapter checks the code as it is.',
    );
  addAdapterAnnounce(adapter, cli);
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
