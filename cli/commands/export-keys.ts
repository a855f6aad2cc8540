/** `entente export jwks` and `entente export dcc`: a region's keys for verifiers that know nothing of this network. */
import { type Command } from 'commander';
import { attestJwks, dccKeyList } from '../../node/foreign/key-export.ts';
import { writeFileAtomically } from '../../node/region/files.ts';
import { type Cli, examples } from '../cli.ts';
import { counted } from '../output.ts';
import { printable } from '../printable.ts';
import { readRecentRegion, type RecentRegion, type StaleOption, staleOption } from '../recent-region.ts';

interface KeysOptions extends StaleOption {
  readonly out?: string;
}

export function addExportKeys(parent: Command, cli: Cli): void {
  parent
    .command('jwks')
    .description(
      'Prints the keys that sign attestations as a JWK set (RFC 7517). Keys that were given up are left out. Reads what the region publishes, and refuses what is more than 10 minutes old.',
    )
    .argument('<region>', 'directory of the region, or its public directory')
    .option('--out <file>', 'write it into a file')
    .addOption(staleOption())
    .addHelpText(
      'after',
      examples(
        [
          'entente export jwks CN-33 --out cn-33.jwks.json',
          'a node serves the same at /v1/jwks?region=CN-33',
        ],
        ['entente export jwks CN-33 --stale', 'of a region that is silent: `iat` says since when'],
      ),
    )
    .action((region: string, options: KeysOptions) =>
      write(cli, region, options, ({ state, isStale, atS }) => {
        const set = { ...attestJwks(state), ...(isStale && { iat: atS }) };
        return { value: set, count: set.keys.length };
      }),
    );
  parent
    .command('dcc')
    .description(
      'Prints the keys of EU certificates that the adapters of a region announce, by key id, as member states publish theirs. Reads what the region publishes, and refuses what is more than 10 minutes old.',
    )
    .argument('<region>', 'directory of the region, or its public directory')
    .option('--out <file>', 'write it into a file')
    .option('--ed25519', "the region's own keys too, for readers that know this algorithm")
    .addOption(staleOption())
    .addHelpText(
      'after',
      examples([
        'entente export dcc CN-33 --out cn-33.keys.json',
        'a node serves the same at /v1/dcc-keys?region=CN-33',
      ]),
    )
    .action((region: string, options: KeysOptions & { readonly ed25519?: true }) =>
      write(cli, region, options, ({ state }) => {
        const withEd25519 = options.ed25519 === true;
        const list = dccKeyList(state, { nowS: cli.surroundings.nowS(), withEd25519 });
        return { value: list, count: Object.values(list.eu_keys).flat().length };
      }),
    );
}

/** Without `--out` the document itself is the result, for people as for programs. */
async function write(
  cli: Cli,
  path: string,
  options: KeysOptions,
  exported: (recent: RecentRegion) => { readonly value: object; readonly count: number },
): Promise<void> {
  const { out } = options;
  const recent = await readRecentRegion(cli, path, options);
  const { region, atS } = recent;
  const { value, count } = exported(recent);
  if (count === 0) cli.output.note(`${region} has no such keys: the list is empty.`);
  if (out === undefined) {
    cli.output.result(value, () => [JSON.stringify(value, undefined, 2)]);
    return;
  }
  await writeFileAtomically(out, new TextEncoder().encode(`${JSON.stringify(value)}\n`));
  cli.output.result({ out, region, count, atS }, () => [
    `Wrote ${printable(out)}: ${counted(count, 'key')} of ${region}.`,
  ]);
}
