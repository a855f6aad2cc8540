/** `entente adapter announce`: how it is called. */
import { type Command, Option } from 'commander';
import { announce, type AnnounceOptions, HOLDS } from '../adapter/announce.ts';
import { addAuthorityOptions } from '../adapter/authorities.ts';
import { type Cli, examples } from '../cli.ts';
import { draftOption, withoutPeersOption } from '../region.ts';

const several = (value: string, before: readonly string[] = []) => [...before, value];

export function addAdapterAnnounce(adapter: Command, cli: Cli): void {
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
      several,
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
      several,
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
}
