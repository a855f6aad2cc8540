/** `entente adapter rules`: how it is called. */
import { type Command } from 'commander';
import { announceRules, RULES_HOLD, type RulesOptions } from '../adapter/country-rules.ts';
import { type Cli, examples } from '../cli.ts';
import { draftOption, withoutPeersOption } from '../region.ts';

const several = (value: string, before: readonly string[] = []) => [...before, value];

export function addAdapterRules(adapter: Command, cli: Cli): void {
  adapter
    .command('rules')
    .description(
      "Signs with the root the rules of the region's country for EU Digital COVID Certificates: what it asks of certificates at its own gates (acceptance), and by what it voids certificates that it issued (invalidation). Announced anew, they take the place of those before.",
    )
    .argument('<region>', 'directory of the region')
    .argument('<id>', 'name of the rules among the adapters: small letters, digits and hyphens, at most 28')
    .requiredOption(
      '--file <file>',
      'JSON of rules as member states exchange them: one, a list, or lists by identifier; several times for several files',
      several,
    )
    .option(
      '--value-sets <file>',
      'JSON of sets of values that the rules read; several times for several files',
      several,
    )
    .option('--language <language>', 'of the words that gates are shown, else English, else the first', 'en')
    .option('--from <time>', 'in force from then on (default: now)')
    .option('--for <span>', `how long they are in force, ${RULES_HOLD.from} to ${RULES_HOLD.to}`, '365d')
    .addOption(draftOption())
    .addOption(withoutPeersOption())
    .addHelpText(
      'after',
      examples([
        'entente adapter rules DE eu --file rules.json --value-sets sets.json',
        'the rules of DE in a file',
      ]),
    )
    .action((region: string, id: string, options: RulesOptions) => announceRules(cli, region, id, options));
}
